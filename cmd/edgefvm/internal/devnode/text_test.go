package devnode_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// talking is a command whose output is for people.
type talking struct {
	*running
	seen []string
}

// talk runs edgefvm dev without --json-log, and reads the banner.
func talk(t *testing.T, args ...string) *talking {
	t.Helper()
	r := begin(t, args...)
	k := &talking{running: r}
	r.url = "http://" + strings.Fields(k.until("Listening on "))[2][len("http://"):]
	return k
}

// until reads lines up to one that has a text, and gives it.
func (k *talking) until(text string) string {
	k.t.Helper()
	for {
		select {
		case line, ok := <-k.lines:
			if !ok {
				k.t.Fatalf("the output ends without %q:\n%s", text, strings.Join(k.seen, "\n"))
			}
			if k.seen = append(k.seen, line); strings.Contains(line, text) {
				return line
			}
		case <-time.After(time.Minute):
			k.t.Fatalf("no line has %q:\n%s", text, strings.Join(k.seen, "\n"))
		}
	}
}

// hardhats are the first accounts of the test mnemonic, as Hardhat and Anvil print them.
var hardhats = []struct{ address, key string }{
	{"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"},
	{"0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"},
	{"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"},
}

// The banner has what a person needs first, and the log tells of a transaction and of one that fails.
func TestBanner(t *testing.T) {
	folder := t.TempDir()
	k := talk(t, "--accounts", "3", "--balance", "7.5", "--miners", "1", "--state", folder)
	banner := strings.Join(k.seen, "\n")
	clitest.Plain(t, banner)
	for i, a := range hardhats {
		if !strings.Contains(banner, fmt.Sprintf("(%d) %s  t410f", i, a.address)) || !strings.Contains(banner, a.key+"  t1") {
			t.Errorf("account %d:\n%s", i, banner)
		}
	}
	for _, want := range []string{"edgefvm dev  Filecoin development node, network version 28, actors v18/testing-fake-proofs, chain id 31415926\n", "3 accounts with 7.5 FIL each", "Mnemonic: test test test", "Everybody knows these keys", "Storage providers: t01000\n", " and ws://127.0.0.1:"} {
		if !strings.Contains(banner, want) {
			t.Errorf("the banner lacks %q:\n%s", want, banner)
		}
	}
	hash := k.ask("eth_sendTransaction", map[string]any{"from": me, "to": other, "value": "0x14d1120d7b160000"})["result"] // 1.5 FIL
	k.until("eth_sendTransaction")
	k.seen = nil
	k.until("Block #1:")
	text := strings.Join(k.seen, "\n")
	for _, want := range []string{other, fmt.Sprint(hash), strings.ToLower(me), "1.5 FIL", "Gas used:"} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	// Init code that reverts: PUSH0 PUSH0 REVERT.
	k.ask("eth_sendTransaction", map[string]any{"from": me, "data": "0x5f5ffd", "gas": "0x5f5e100"})
	k.until("Contract deployment:")
	if line := k.until("Failed:"); !strings.Contains(line, "exit 33: ") {
		t.Errorf("%s", line)
	}
	k.ask("eth_nope")
	k.until("eth_nope")
	k.until("Error -32601: ")
	if code := k.stop(); code != kit.ExitOK {
		t.Errorf("exit code %d", code)
	}
	// It goes on in its folder, which is no one else's meanwhile and keeps the flags that it was begun with.
	k = talk(t, "--accounts", "3", "--balance", "7.5", "--miners", "1", "--state", folder)
	if banner := strings.Join(k.seen, "\n"); !strings.Contains(banner, "Going on at epoch 2 of "+folder+".") {
		t.Errorf("%s", banner)
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"dev", "--port", "0", "--state", folder}, "--state "+folder, "one node at a time")
	k.stop()
	edgefvm.Fails(t, kit.ExitFailed, []string{"dev", "--port", "0", "--state", folder, "--chain-id", "7"}, "--state "+folder, "the flags that it was begun with")
}

// Transactions that come into blocks later than they were sent are told when they do; a log that was switched off says nothing.
func TestMinedLater(t *testing.T) {
	k := talk(t, "--no-mining", "--mnemonic", "legal winner thank year wave sausage worth useful legal winner thank yellow", "--accounts", "1", "--host", "0.0.0.0")
	banner := strings.Join(k.seen, "\n")
	if !strings.Contains(banner, "The keys are those of --mnemonic, and are not printed.") || strings.Contains(banner, "legal winner") || strings.Contains(banner, "Storage providers") || !strings.HasPrefix(k.url, "http://127.0.0.1:") {
		t.Errorf("%s", banner)
	}
	from := k.ask("eth_accounts")["result"].([]any)[0]
	hash := k.ask("eth_sendTransaction", map[string]any{"from": from, "to": other, "value": "0x1"})["result"]
	if got := k.ask("eth_getTransactionReceipt", hash)["result"]; got != nil {
		t.Errorf("a receipt before the block: %v", got)
	}
	k.ask("evm_mine")
	k.until("Mined")
	if line := k.until("Transaction:"); !strings.Contains(line, fmt.Sprint(hash)) {
		t.Errorf("%s", line)
	}
	for len(k.lines) > 0 {
		<-k.lines
	}
	k.ask("anvil_setLoggingEnabled", false)
	k.ask("eth_gasPrice")
	k.ask("anvil_setLoggingEnabled", true)
	k.ask("eth_chainId")
	k.seen = nil
	k.until("eth_chainId")
	if strings.Contains(strings.Join(k.seen, "\n"), "eth_gasPrice") {
		t.Errorf("a log that was switched off:\n%s", strings.Join(k.seen, "\n"))
	}
}

// With --silent nothing is printed, and without accounts there are none.
func TestSilent(t *testing.T) {
	port := "0"
	free := start(t) // its port is free again when it ends
	port = free.url[strings.LastIndex(free.url, ":")+1:]
	free.stop()
	r := begin(t, "--silent", "--accounts", "0", "--port", port)
	r.url = "http://127.0.0.1:" + port
	var accounts map[string]any
	for i := 0; accounts == nil; i++ {
		if accounts = r.tryAsk("eth_accounts"); accounts == nil && i > 600 {
			t.Fatal("it does not answer")
		} else if accounts == nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
	if fmt.Sprint(accounts["result"]) != "[]" {
		t.Errorf("accounts %v", accounts)
	}
	if code := r.stop(); code != kit.ExitOK {
		t.Errorf("exit code %d", code)
	}
	for line := range r.lines {
		t.Errorf("it printed %q", line)
	}
}

// What is wrong with flags, folders and ports is one line.
func TestMistakes(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	file := clitest.WriteTo(t, filepath.Join(dir, "file"), []byte("x"))
	journal := filepath.Join(dir, "journal")
	if err := os.MkdirAll(filepath.Join(journal, "journal"), 0o755); err != nil { // a folder where the file belongs
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		code int
		args []string
		want string
	}{
		"a file for the folder":    {kit.ExitFailed, []string{"--state", file}, "--state"},
		"a folder below a file":    {kit.ExitFailed, []string{"--state", filepath.Join(file, "below")}, "--state"},
		"a journal that is none":   {kit.ExitFailed, []string{"--state", journal}, "--state " + journal},
		"a host that is none":      {kit.ExitUsage, []string{"--host", "no such host"}, "--host no such host is no address of this machine"},
		"a flavour":                {kit.ExitFailed, []string{"--flavour", "mainet"}, "did you mean"},
		"a version without actors": {kit.ExitUsage, []string{"--nv", "30"}, "30"},
		"an old version":           {kit.ExitUsage, []string{"--nv", "17"}, "17"},
		"an engine":                {kit.ExitUsage, []string{"--engine", "wazer"}, "did you mean wazero"},
		"a balance below nothing":  {kit.ExitUsage, []string{"--balance", "-1"}, "--balance"},
		"too much for all":         {kit.ExitUsage, []string{"--balance", "3000000000"}, ""},
		"too many miners":          {kit.ExitUsage, []string{"--miners", "100000000"}, ""},
		"too many accounts":        {kit.ExitUsage, []string{"--accounts", "100000000"}, ""},
		"silent and a log":         {kit.ExitUsage, []string{"--silent", "--json-log"}, "exclude each other"},
		"an argument":              {kit.ExitUsage, []string{"now"}, `"now" is one`},
	} {
		t.Run(name, func(t *testing.T) {
			edgefvm.Fails(t, c.code, append([]string{"dev", "--port", "0"}, c.args...), c.want)
		})
	}
	if data := clitest.ReadFrom(t, file); !bytes.Equal(data, []byte("x")) {
		t.Errorf("the file is another: %q", data)
	}
}
