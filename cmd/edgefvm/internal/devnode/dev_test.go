package devnode_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
)

// running is a command at work.
type running struct {
	t      *testing.T
	url    string
	first  map[string]any
	lines  chan string
	stderr bytes.Buffer
	stop   func() int
}

// start runs edgefvm dev with a log in JSON until the test ends, or stop is called, which gives the exit code.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	r := begin(t, append([]string{"--json-log"}, args...)...)
	first, ok := <-r.lines
	if !ok {
		t.Fatalf("the command ended with %d: %s", r.stop(), r.stderr.String())
	}
	r.first = clitest.FromJSON[map[string]any](t, first)
	r.url, _ = r.first["url"].(string)
	return r
}

// begin runs edgefvm dev so.
func begin(t *testing.T, args ...string) *running {
	t.Helper()
	clitest.NeedBundles(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	code := make(chan int, 1)
	r := &running{t: t, lines: make(chan string, 1000)}
	go func() {
		code <- cli.Run(ctx, append([]string{"dev", "--port", "0"}, args...), in, &r.stderr)
		in.Close()
	}()
	r.stop = func() int {
		cancel()
		select {
		case c := <-code:
			code <- c
			return c
		case <-time.After(time.Minute):
			t.Fatal("the command does not end")
			return -1
		}
	}
	t.Cleanup(func() { r.stop() })
	go func() {
		s := bufio.NewScanner(out)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			r.lines <- s.Text()
		}
		close(r.lines)
	}()
	return r
}

// tryAsk is ask of a node that may not be there yet: nil.
func (r *running) tryAsk(method string) (answer map[string]any) {
	resp, err := http.Post(r.url, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":[]}`))
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if json.NewDecoder(resp.Body).Decode(&answer) != nil {
		return nil
	}
	return answer
}

// ask makes a request and gives the answer whole.
func (r *running) ask(method string, params ...any) map[string]any {
	r.t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.Post(r.url, "application/json", bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		r.t.Fatalf("%s: %v", method, err)
	}
	return answer
}

// line is the next line of the log about a method.
func (r *running) line(method string) map[string]any {
	r.t.Helper()
	for {
		select {
		case s := <-r.lines:
			v := clitest.FromJSON[map[string]any](r.t, s)
			if v["method"] == method {
				return v
			}
		case <-time.After(time.Minute):
			r.t.Fatalf("no line about %s", method)
		}
	}
}

func keysOf(v map[string]any) map[string]bool {
	keys := map[string]bool{}
	for k := range v {
		keys[k] = true
	}
	return keys
}

const me, other = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x00000000000000000000000000000000000000aa"

// The command serves a chain with accounts, says so in its first line, tells of a transaction in its log, and ends well when it is
// interrupted.
func TestDev(t *testing.T) {
	r := start(t, "--accounts", "2", "--balance", "7.5", "--chain-id", "1234", "--miners", "1")
	for _, k := range []string{"event", "url", "websocket", "chain_id", "network_version", "bundle", "epoch", "accounts", "miners"} {
		if _, ok := r.first[k]; !ok {
			t.Errorf("the first line has no %s: %v", k, r.first)
		}
	}
	accounts, _ := r.first["accounts"].([]any)
	if len(accounts) != 2 {
		t.Fatalf("accounts %v", accounts)
	}
	account := accounts[0].(map[string]any)
	// The first key of the test mnemonic, as Hardhat and Anvil print it.
	if account["address"] != me || account["private_key"] != "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" {
		t.Errorf("account %v", account)
	}
	if f4, f1 := account["f4"].(string), account["f1"].(string); !strings.HasPrefix(f4, "t410f") || !strings.HasPrefix(f1, "t1") {
		t.Errorf("addresses %s %s", f4, f1)
	}
	if got := r.ask("eth_chainId")["result"]; got != "0x4d2" {
		t.Errorf("chain id %v", got)
	}
	if got := r.ask("eth_getBalance", me, "latest")["result"]; got != "0x68155a43676e0000" { // 7.5 times 10^18
		t.Errorf("balance %v", got)
	}
	hash := r.ask("eth_sendTransaction", map[string]any{"from": me, "to": other, "value": "0x5"})["result"]
	entry := r.line("eth_sendTransaction")
	tx, _ := entry["transaction"].(map[string]any)
	for _, k := range []string{"hash", "block", "from", "to", "value", "gas_used", "gas_limit", "exit_code"} {
		if _, ok := tx[k]; !ok {
			t.Errorf("the log has no %s of the transaction: %v", k, entry)
		}
	}
	if tx["hash"] != hash || tx["block"] != 1.0 || tx["value"] != "5" || tx["exit_code"] != 0.0 {
		t.Errorf("log %v", entry)
	}
	for _, k := range []string{"time", "method", "ms", "remote"} {
		if !keysOf(entry)[k] {
			t.Errorf("the log has no %s: %v", k, entry)
		}
	}
	if got := r.ask("Filecoin.StateNetworkName")["result"]; got == nil {
		t.Error("Filecoin's methods are not served")
	}
	if got := r.ask("eth_nope")["error"]; got == nil {
		t.Error("an unknown method has a result")
	}
	if e := r.line("eth_nope")["error"].(map[string]any); e["code"] != -32601.0 || e["message"] == "" {
		t.Errorf("the log of an error: %v", e)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("interrupted it ended with %d", code)
	}
}

// What contracts write by console.log is in the log: of a deployment whose init code calls the console with log(uint256) of 42.
func TestConsole(t *testing.T) {
	r := start(t)
	// PUSH4 f82c50f1, PUSH0, MSTORE (selector at 28), PUSH1 42, PUSH1 32, MSTORE, then STATICCALL(gas, console, 28, 36, 0, 0), STOP.
	const code = "63f82c50f15f52602a6020525f5f6024601c6a636f6e736f6c652e6c6f675afa00"
	r.ask("eth_call", map[string]any{"from": me, "data": "0x" + code}, "latest")
	if lines := fmt.Sprint(r.line("eth_call")["console"]); lines != "[42]" {
		t.Errorf("of a call: %s", lines)
	}
	r.ask("eth_sendTransaction", map[string]any{"from": me, "data": "0x" + code})
	tx, _ := r.line("eth_sendTransaction")["transaction"].(map[string]any)
	if lines := fmt.Sprint(tx["console"]); lines != "[42]" || tx["contract_address"] == nil {
		t.Errorf("of a transaction: %v", tx)
	}
}

// A page of a website cannot use the node, and a name that is not this machine's neither.
func TestStrangers(t *testing.T) {
	r := start(t)
	for name, c := range map[string]struct{ header, value string }{
		"a page": {"Origin", "https://evil.example"},
		"a name": {"Host", "evil.example"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}`))
		if err != nil {
			t.Fatal(err)
		}
		if c.header == "Host" {
			req.Host = c.value
		} else {
			req.Header.Set(c.header, c.value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s got status %d", name, resp.StatusCode)
		}
	}
}

// With --state a chain goes on where it ended; with --strict there are neither accounts nor cheats.
func TestStateAndStrict(t *testing.T) {
	folder := t.TempDir()
	r := start(t, "--state", folder)
	r.ask("eth_sendTransaction", map[string]any{"from": me, "to": other, "value": "0x5"})
	r.stop()
	r = start(t, "--state", folder, "--strict")
	if r.first["epoch"] != 1.0 {
		t.Errorf("it goes on at %v", r.first["epoch"])
	}
	if got := r.ask("eth_getBalance", other, "latest")["result"]; got != "0x5" {
		t.Errorf("balance %v", got)
	}
	if got := r.ask("eth_accounts")["result"]; fmt.Sprint(got) != "[]" {
		t.Errorf("accounts %v", got)
	}
	if e, _ := r.ask("eth_getBlockByNumber", "0xffff", false)["error"].(map[string]any); e["code"] != 1.0 {
		t.Errorf("a block to come: %v", e)
	}
	if e, _ := r.ask("evm_mine")["error"].(map[string]any); e["code"] != -32601.0 {
		t.Errorf("evm_mine: %v", e)
	}
}

// Keys that are not the test mnemonic's are not printed.
func TestKeysStaySecret(t *testing.T) {
	r := start(t, "--mnemonic", "legal winner thank year wave sausage worth useful legal winner thank yellow")
	account := r.first["accounts"].([]any)[0].(map[string]any)
	if account["private_key"] != nil || account["address"] == me {
		t.Errorf("account %v", account)
	}
}

func TestWrongFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"port":       {[]string{"--port", "70000"}, "--port 70000"},
		"balance":    {[]string{"--balance", "lots"}, "--balance"},
		"mnemonic":   {[]string{"--port", "0", "--mnemonic", "one two"}, "--mnemonic"},
		"version":    {[]string{"--port", "0", "--nv", "3"}, "3"},
		"block time": {[]string{"--block-time", "soon"}, "--block-time soon"},
		"both":       {[]string{"--block-time", "2", "--no-mining"}, "exclude"},
		"chain id":   {[]string{"--chain-id", "0"}, "--chain-id 0"},
	} {
		t.Run(name, func(t *testing.T) {
			clitest.NeedBundles(t)
			edgefvm.Fails(t, 2, append([]string{"dev"}, c.args...), c.want)
		})
	}
}

func TestPortTaken(t *testing.T) {
	r := start(t)
	port := r.url[strings.LastIndex(r.url, ":")+1:]
	edgefvm.Fails(t, 1, []string{"dev", "--port", port}, "is taken", "--port 0")
}
