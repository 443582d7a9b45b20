package devnode_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
)

const chains = "../../../../node/replay/testdata"

// copied is an archive where a program may write beside it.
func copied(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(chains, name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// result is an answer's, and must be there.
func (r *running) result(method string, params ...any) any {
	r.t.Helper()
	a := r.ask(method, params...)
	if a["error"] != nil {
		r.t.Fatalf("%s: %v", method, a["error"])
	}
	return a["result"]
}

// dev --fork goes on from an archive, is reset to another epoch of it, and forks what another of the kind serves; offline it does so again.
func TestForkCommand(t *testing.T) {
	t.Parallel()
	chain, cache := copied(t, "two29.car.zst"), t.TempDir()
	of := []string{"--fork-network", filepath.Join(chains, "two29.json")}
	a := start(t, append(of, "--fork", chain)...)
	fork, _ := a.first["fork"].(map[string]any)
	if fork["network"] != "two29" || a.first["chain_id"] != float64(31415926) || a.first["bundle"] != "v18/testing-fake-proofs" {
		t.Fatalf("%v", a.first)
	}
	begin, _ := a.result("eth_blockNumber").(string)
	tx := map[string]any{"from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "value": "0x5"}
	hash := a.result("eth_sendTransaction", tx)
	if r, _ := a.result("eth_getTransactionReceipt", hash).(map[string]any); r["status"] != "0x1" {
		t.Errorf("%v", r)
	}
	info, _ := a.result("anvil_nodeInfo").(map[string]any)
	if f, _ := info["forkConfig"].(map[string]any); f["forkUrl"] != chain || f["forkBlockNumber"] != fork["epoch"] {
		t.Errorf("%v", f)
	}
	if b, _ := a.result("eth_getBlockByNumber", "earliest", false).(map[string]any); b["number"] != "0x0" {
		t.Errorf("%v", b)
	}
	a.result("anvil_reset")
	if now := a.result("eth_blockNumber"); now != begin {
		t.Errorf("after a reset at %v, want %s", now, begin)
	}
	// Another one forks what this one serves, by hardhat_reset from a chain of its own too.
	more := append(of, "--fork-cache", cache)
	b := start(t, append(more, "--fork", a.url)...)
	if now := b.result("eth_blockNumber"); now != begin {
		t.Errorf("it is at %v, want %s", now, begin)
	}
	want := b.result("eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "latest")
	b.result("hardhat_reset", map[string]any{"forking": map[string]any{"jsonRpcUrl": a.url}})
	if answer := b.ask("anvil_reset", map[string]any{"forking": map[string]any{"blockNumber": int64(1) << 40}}); answer["error"] == nil {
		t.Errorf("%v", answer)
	}
	if code := b.stop(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	url := a.url
	a.stop()
	c := start(t, append(more, "--fork", url, "--offline")...)
	if now := c.result("eth_blockNumber"); now != begin {
		t.Errorf("offline it is at %v, want %s", now, begin)
	}
	if got := c.result("eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "latest"); got != want {
		t.Errorf("offline the balance is %v, want %v", got, want)
	}
}

func TestForkFlags(t *testing.T) {
	t.Parallel()
	clitest.NeedBundles(t)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no file, no address":   {[]string{"--fork", "nowhere.car"}, "neither a file"},
		"a scheme of nobody's":  {[]string{"--fork", "ftp://127.0.0.1:1"}, "address"},
		"nobody there":          {[]string{"--fork", "http://127.0.0.1:1", "--fork-cache", t.TempDir()}, "does not answer"},
		"an epoch without fork": {[]string{"--fork-epoch", "5"}, "--fork-epoch"},
		"offline without fork":  {[]string{"--offline"}, "--offline"},
		"another version":       {[]string{"--fork", "x.car", "--nv", "28"}, "--nv"},
		"a negative epoch":      {[]string{"--fork", "x.car", "--fork-epoch", "-7"}, "--fork-epoch"},
		"never forked":          {[]string{"--fork", "http://127.0.0.1:1", "--fork-cache", t.TempDir(), "--offline"}, "never forked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := edgefvm.Run(t, append([]string{"dev", "--port", "0"}, c.args...)...)
			if r.Code == 0 || !strings.Contains(r.Err, c.says) {
				t.Errorf("it ended with %d: %s", r.Code, r.Err)
			}
		})
	}
}
