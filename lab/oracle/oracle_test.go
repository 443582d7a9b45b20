package oracle_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

const environment = "EDGEFVM_TEST_CHILD"

// TestMain is the child process too: it says back what it was asked, or does as the question says.
func TestMain(m *testing.M) {
	if os.Getenv(environment) == "" {
		os.Exit(m.Run())
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			os.Exit(0)
		}
		var q struct {
			Op    string
			Root  string
			Path  string
			NV    int
			Trace bool
		}
		if err := json.Unmarshal(line, &q); err != nil {
			fmt.Printf("{\"error\":%q}\n", err)
			continue
		}
		switch q.Root {
		case "end":
			os.Exit(0)
		case "hang":
			time.Sleep(time.Minute)
		case "panic":
			fmt.Println(`{"error":"panic: locked"}`)
		case "garbage":
			fmt.Println(`{"results":`)
		default:
			fmt.Printf("{\"results\":[{\"exit_code\":%d,\"return\":\"YWI=\",\"return_codec\":null}],\"root\":%q,\"why\":%q,\"pass\":%v,\"blocks\":7}\n", q.NV, q.Root, q.Op+q.Path, q.Trace)
		}
	}
}

func start(t *testing.T) *oracle.Client {
	t.Helper()
	t.Setenv(environment, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := oracle.Start(t.Context(), self)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestApply(t *testing.T) {
	c := start(t)
	for i := range 3 {
		a, err := c.Apply(t.Context(), &oracle.Request{NV: 21, Root: fmt.Sprint("root", i), Trace: i == 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Results) != 1 || a.Results[0].ExitCode != 21 || string(a.Results[0].Return) != "ab" || a.Results[0].ReturnCodec != nil || a.Root != fmt.Sprint("root", i) || a.Why != "apply" || a.Pass != (i == 1) {
			t.Errorf("%+v", a)
		}
	}
	if n, err := c.LoadCAR(t.Context(), "x.car"); err != nil || n != 7 {
		t.Errorf("%d blocks, %v", n, err)
	}
	if a, err := c.Vector(t.Context(), "v.json", 2); err != nil || a.Why != "vectorv.json" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, f := range []func(context.Context) error{c.Push, c.Pop} {
		if err := f(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestErrors(t *testing.T) {
	c := start(t)
	_, err := c.Apply(t.Context(), &oracle.Request{Root: "panic"})
	var e *oracle.Error
	if !errors.As(err, &e) || !e.Panicked() || e.Text != "panic: locked" {
		t.Errorf("a panic is %v", err)
	}
	if _, err := c.Apply(t.Context(), &oracle.Request{Root: "garbage"}); err == nil || errors.As(err, &e) && e.Panicked() && e.Text == "" {
		t.Errorf("garbage is %v", err)
	}
	if _, err := c.Apply(t.Context(), &oracle.Request{Root: "end"}); !errors.Is(err, oracle.ErrGone) {
		t.Errorf("the end is %v", err)
	}
	if _, err := c.Apply(t.Context(), &oracle.Request{Root: "again"}); !errors.Is(err, oracle.ErrGone) {
		t.Errorf("after the end it is %v", err)
	}
}

func TestCancelled(t *testing.T) {
	c := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := c.Apply(ctx, &oracle.Request{Root: "hang"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it is %v", err)
	}
	if time.Since(began) > 30*time.Second {
		t.Error("it waited for the process")
	}
}

func TestNoProgram(t *testing.T) {
	if _, err := oracle.Start(t.Context(), filepath.Join(t.TempDir(), "missing")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("it is %v", err)
	}
	t.Setenv(oracle.Environment, "")
	if _, err := oracle.Find(t.TempDir()); !errors.Is(err, oracle.ErrNotBuilt) {
		t.Errorf("nothing built is %v", err)
	}
	t.Setenv(oracle.Environment, "/some/where")
	if path, err := oracle.Find(t.TempDir()); err != nil || path != "/some/where" {
		t.Errorf("the environment's is %q, %v", path, err)
	}
}

func TestJSON(t *testing.T) {
	c := cid.MustParse("bafy2bzacedhkszqxvvtxuqy4ddbgrowj4abvelcpoqv4kcp3s3kiv4mgb5jwa")
	want := oracle.Request{
		NV: 18, Facts: vector.Facts{Randomness: []oracle.Randomness{{On: oracle.Round{Beacon: true, Epoch: -3}, Ret: []byte{1}}, {On: oracle.Round{Epoch: 9}}}},
		Blocks: []oracle.Block{{CID: c, Data: []byte("x")}},
	}
	text, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"on":["beacon",-3]`, `"on":["chain",9]`, `{"cid":"` + c.String() + `","data":"eA=="}`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s lacks %s", text, part)
		}
	}
	var got oracle.Request
	if err := json.Unmarshal(text, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{`["moon",1]`, `["chain"]`, `3`, `["chain",1,2]`} {
		if err := json.Unmarshal([]byte(bad), new(oracle.Round)); err == nil {
			t.Errorf("%s is a round", bad)
		}
	}
}
