package chains_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/follow/standin"
)

// standing is a node with the chain two29, all of whose states it has.
var standing = sync.OnceValue(func() func(t *testing.T) *standin.Chain {
	var once sync.Once
	var c *standin.Chain
	return func(t *testing.T) *standin.Chain {
		once.Do(func() {
			e, err := fvm.NewEngine(fvm.EngineConfig{})
			if err != nil {
				t.Fatal(err)
			}
			c = standin.Load(t, testdata, "two29", e)
		})
		of := *c
		return &of
	}
})

func followed(t *testing.T) (*standin.Chain, *standin.Node) {
	t.Helper()
	clitest.NeedBundles(t)
	c := standing()(t)
	return c, standin.Start(t, c, c.Tipsets[len(c.Tipsets)-1])
}

type followReport struct {
	Status struct {
		Network string
		Passed  int
		Differs int
		Head    int64 `json:"head_epoch"`
		Judged  int64 `json:"judged_to_epoch"`
	}
	Findings []struct {
		Epoch  int64
		Result string
		Vector string
	}
	Error string
}

// A chain is followed to an epoch, and on from there, by both transports, and a token comes from a file or from the address.
func TestFollowTo(t *testing.T) {
	_, node := followed(t)
	node.Down()
	node.Token = "ab.cd.ef"
	node.Up()
	dir := t.TempDir()
	token := clitest.WriteTo(t, filepath.Join(dir, "token"), []byte("ab.cd.ef\n"))
	report := filepath.Join(dir, "report.json")
	args := []string{"follow", "--network", testdata + "two29.json", "--store", filepath.Join(dir, "store"), "--differences", filepath.Join(dir, "differences"), "--report", report}
	out := edgefvm.OK(t, append(args, "--node", node.URL("http"), "--token-file", token, "--from", "1", "--to", "20", "--parallel", "2")...)
	if last(out) != "9 passed, 0 failed, 0 skipped" || !strings.Contains(out, "network two29, judged up to epoch 20") {
		t.Errorf("%s", out)
	}
	t.Setenv("FULLNODE_API_INFO", "ab.cd.ef:"+strings.Replace(strings.Replace(strings.TrimSuffix(node.URL("/ip4"), "/rpc/v1"), "://", "/", 1), ":", "/tcp/", 1)+"/http")
	r := edgefvm.Run(t, append(args, "--to", "36", "--log", "json", "--json")...)
	if r.Code != kit.ExitOK {
		t.Fatalf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	for _, text := range []string{r.Out, string(clitest.ReadFrom(t, report))} {
		if got := clitest.FromJSON[followReport](t, text); got.Status.Passed != 12 || got.Status.Network != "two29" || len(got.Findings) != 0 || got.Error != "" {
			t.Errorf("%s", text)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(r.Err), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
	if strings.Contains(r.Err, "ab.cd.ef") {
		t.Error("the token is in the log")
	}
	if _, err := os.Stat(filepath.Join(dir, "differences")); err == nil {
		t.Error("a folder for differences was made, but there were none")
	}
}

// A difference is a vector that explain takes, an alarm in the log, and exit code 1.
func TestFollowDifference(t *testing.T) {
	c, node := followed(t)
	at := c.Tipsets[6]
	lie := *c.Tipsets[7].Blocks[0]
	lie.Ticket = &chain.Ticket{VRFProof: []byte("a lie")}
	lie.ParentStateRoot = at.ParentStateRoot()
	node.SetHead(node.Add(&lie))
	dir := t.TempDir()
	for _, halt := range []bool{true, false} {
		args := []string{"follow", "--node", node.URL("http"), "--network", testdata + "two29.json", "--store", filepath.Join(t.TempDir(), "store"), "--differences", dir, "--json"}
		if halt {
			args = append(args, "--halt")
		} else {
			args = append(args, "--to", at.Height().String())
		}
		r := edgefvm.Run(t, args...)
		got := clitest.FromJSON[followReport](t, r.Out)
		if r.Code != kit.ExitFailed || got.Status.Differs != 1 || len(got.Findings) != 1 || got.Findings[0].Epoch != int64(at.Height()) || !strings.Contains(r.Err, "TIPSET DIFFERS") {
			t.Fatalf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
		}
		// The vector expects the root that the block says, so explain says what differs.
		if x := edgefvm.Run(t, "explain", got.Findings[0].Vector); x.Code != kit.ExitFailed || !strings.Contains(x.Out, "state_root: want "+lie.ParentStateRoot.String()) {
			t.Errorf("explain: exit code %d\n%s", x.Code, x.Err)
		}
	}
}

// What is served says how it stands, and a signal ends the command with 0.
func TestFollowServes(t *testing.T) {
	_, node := followed(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan clitest.Result)
	go func() {
		done <- edgefvm.RunWith(ctx, "follow", "--node", node.URL("ws"), "--network", testdata+"two29.json", "--store", filepath.Join(t.TempDir(), "store"), "--listen", at, "--from", "1", "--ready-lag", "0")
	}()
	get := func(path string) (int, string) {
		res, err := http.Get("http://" + at + path)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		if err != nil {
			return 0, err.Error()
		}
		return res.StatusCode, string(data)
	}
	until := func(path string, code int, want string) string {
		t.Helper()
		var got int
		var text string
		for range 6000 {
			if got, text = get(path); got == code && strings.Contains(text, want) {
				return text
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatalf("%s: %d\n%s", path, got, text)
		return ""
	}
	until("/readyz", 200, "ok")
	until("/healthz", 200, "ok")
	if text := until("/metrics", 200, `edgefvm_follow_tipsets_total{result="passed"}`); !regexp.MustCompile(`(?m)^edgefvm_follow_connected 1$`).MatchString(text) {
		t.Error(text)
	}
	until("/status", 200, `"connected": true`)
	node.Down()
	until("/readyz", 503, "does not answer")
	until("/healthz", 200, "ok")
	until("/metrics", 200, "edgefvm_follow_connected 0")
	cancel()
	select {
	case r := <-done:
		if r.Code != kit.ExitOK || last(r.Out) != "22 passed, 0 failed, 0 skipped" {
			t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it did not end")
	}
}

// The command is killed while it works, over and over, and what was judged is judged once.
func TestFollowKilled(t *testing.T) {
	c, node := followed(t)
	node.Delay = 2 * time.Millisecond
	dir := t.TempDir()
	args := []string{"follow", "--node", node.URL("http"), "--network", testdata + "two29.json", "--store", filepath.Join(dir, "store"), "--from", "1", "--to", "36", "--store-limit", "64"}
	journal := filepath.Join(dir, "store", "journal.jsonl")
	lines := func() int {
		data, err := os.ReadFile(journal)
		if err != nil {
			return 0
		}
		return bytes.Count(data, []byte(`"result"`))
	}
	const kills = 5
	for i := range kills + 1 {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		if i < kills { // after two or three more were judged
			for before, k := lines(), 0; lines() < before+2 && k < 6000; k++ {
				time.Sleep(10 * time.Millisecond)
			}
			_ = cmd.Process.Kill()
		}
		err := <-done
		if i == kills && err != nil || i < kills && cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("start %d: it ended by itself: %v\n%s", i, err, out.String())
		}
	}
	judged := map[string]int{}
	for _, line := range strings.Split(string(clitest.ReadFrom(t, journal)), "\n") {
		var d struct{ Tipset, Result string }
		if json.Unmarshal([]byte(line), &d) == nil && d.Tipset != "" {
			judged[d.Tipset]++
			if d.Result != "passed" {
				t.Error(line)
			}
		}
	}
	want := 0
	for _, ts := range c.Tipsets {
		if e := ts.Height(); e > 0 && e <= 36 {
			want++
		}
	}
	if len(judged) != want {
		t.Errorf("%d tipsets were judged, of %d", len(judged), want)
	}
	for name, n := range judged {
		if n > 1 {
			t.Errorf("%s was judged %d times", name, n)
		}
	}
}

// What is wrong with a command line or a node is one line that says so.
func TestFollowErrors(t *testing.T) {
	t.Setenv("FULLNODE_API_INFO", "")
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	usage := func(want string, args ...string) {
		t.Helper()
		edgefvm.Fails(t, kit.ExitUsage, append([]string{"follow", "--store", store}, args...), want)
	}
	usage("--node")
	usage("want http://", "--node", "127.0.0.1:1234")
	usage(`"nowhere"`, "--node", "http://127.0.0.1:1", "--network", "nowhere")
	usage("--from 9", "--node", "http://127.0.0.1:1", "--from", "9", "--to", "3")
	usage("--confidence -1", "--node", "http://127.0.0.1:1", "--confidence", "-1")
	usage("--store-limit 3", "--node", "http://127.0.0.1:1", "--store-limit", "3")
	usage(`--log "xml"`, "--node", "http://127.0.0.1:1", "--log", "xml")
	usage("--requests 0", "--node", "http://127.0.0.1:1", "--requests", "0")
	usage("no folder", "--node", "http://127.0.0.1:1", "--report", filepath.Join(dir, "none", "r.json"))
	usage(`"maybe"`, "--node", "http://127.0.0.1:1", "--proofs", "maybe")
	fails := func(want string, args ...string) {
		t.Helper()
		edgefvm.Fails(t, kit.ExitFailed, append([]string{"follow", "--store", store}, args...), want)
	}
	fails("--token-file", "--node", "http://127.0.0.1:1", "--token-file", filepath.Join(dir, "none"))
	fails("no token", "--node", "http://127.0.0.1:1", "--token-file", clitest.WriteTo(t, filepath.Join(dir, "empty"), []byte(" \n")))
	fails("--listen", "--node", "http://127.0.0.1:1", "--listen", "127.0.0.1:99999")
	_, node := followed(t)
	fails("--network", "--node", node.URL("http"))
	fails("mainnet", "--node", node.URL("ws"), "--network", "mainnet")
	node.Down()
	node.Token = "ab.cd.ef"
	node.Up()
	fails("refuses the token", "--node", node.URL("http"), "--network", testdata+"two29.json")
}
