package fvm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// setting is the example's state with its actors, and the message that runs on it.
type setting struct {
	store blockstore.Blockstore
	root  cid.Cid
	msg   *fvm.Message
}

const golden = "lab/conformance/testdata/nv28-multisig-007.json"

func newSetting(t testing.TB, withActors bool) setting {
	t.Helper()
	ctx := t.Context()
	store := blockstore.NewMemory()
	f, err := os.Open("testdata/multisig.car")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	roots, err := blockstore.LoadCAR(ctx, f, store, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	if withActors {
		set, err := bundle.Open(ctx, bundle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set.Load(ctx, 18, "mainnet", store); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile("testdata/multisig.msg")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := fvm.DecodeMessage(raw)
	if err != nil {
		t.Fatal(err)
	}
	return setting{store, roots[0], msg}
}

func (s setting) config() fvm.Config {
	return fvm.Config{
		NetworkVersion: 28, Epoch: 5800470, Timestamp: 1772320500, ChainID: 314, BaseFee: big.NewInt(100),
		StateRoot: s.root, Blockstore: s.store,
	}
}

func (s setting) machine(t testing.TB) *fvm.Machine {
	t.Helper()
	m, err := fvm.New(t.Context(), s.config())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const chainLength = 150 // bytes; any will do here

// A store that fails at its n-th read makes an error, never a receipt, and the
// machine refuses further use; the base store stays as it was. For every n.
func TestFailingStore(t *testing.T) {
	s := newSetting(t, true)
	cfg := s.config()
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	// Once beforehand: the engine reads and compiles each actor's code only once.
	if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil {
		t.Fatal(err)
	}
	whole := &failing{Blockstore: s.store}
	cfg.Blockstore = whole
	m, err = fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := whole.reads.Load()
	want, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
	if err != nil || !want.ExitCode.IsSuccess() {
		t.Fatalf("without failures: %v, %v", want, err)
	}
	reads := whole.reads.Load() - before
	if reads < 5 {
		t.Fatalf("only %d reads: nothing is tested", reads)
	}
	for n := range reads {
		store := &failing{Blockstore: s.store, at: before + n + 1}
		cfg.Blockstore = store
		m, err := fvm.New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		res, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
		if !errors.Is(err, errBroken) {
			t.Fatalf("read %d of %d failed: result %v, error %v", n, reads, res, err)
		}
		if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); !errors.Is(err, fvm.ErrPoisoned) {
			t.Fatalf("read %d: the machine was used again: %v", n, err)
		}
		if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
			t.Fatalf("read %d: the machine was flushed: %v", n, err)
		}
		if store.puts.Load() > 1 { // the empty array
			t.Fatalf("read %d: %d blocks were written", n, store.puts.Load())
		}
	}
}

var errBroken = errors.New("the disk is broken")

type failing struct {
	blockstore.Blockstore
	at          int64
	reads, puts atomic.Int64
}

func (f *failing) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if n := f.reads.Add(1); n == f.at {
		return nil, errBroken
	}
	return f.Blockstore.Get(ctx, c)
}

func (f *failing) Put(ctx context.Context, b blocks.Block) error {
	f.puts.Add(1)
	return f.Blockstore.Put(ctx, b)
}

func (f *failing) PutMany(ctx context.Context, bs []blocks.Block) error {
	f.puts.Add(int64(len(bs)))
	return f.Blockstore.PutMany(ctx, bs)
}

func TestWithoutActorCode(t *testing.T) {
	s := newSetting(t, false)
	engine, err := fvm.NewEngine(fvm.EngineConfig{NoCache: true}) // the shared one may have compiled the actor
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(context.Background())
	cfg := s.config()
	cfg.Engine = engine
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
	if err == nil || !strings.Contains(err.Error(), "multisig") || !strings.Contains(err.Error(), "bundle") {
		t.Fatalf("result %v, error %v: want one that names the actor and the bundle", res, err)
	}
}

// newestActors loads mainnet's actors of network version 28.
func newestActors(t *testing.T) (*bundle.Bundle, blockstore.Blockstore) {
	t.Helper()
	set, err := bundle.Open(t.Context(), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	code := blockstore.NewMemory()
	b, err := set.Load(t.Context(), 18, "mainnet", code)
	if err != nil {
		t.Fatal(err)
	}
	return b, code
}

// Code is made once for a cache folder, and looked up in memory after that.
func TestEngineStats(t *testing.T) {
	b, code := newestActors(t)
	i := slices.IndexFunc(b.Actors, func(a bundle.Actor) bool { return a.Name == "account" })
	if i < 0 {
		t.Fatal("no account actor")
	}
	dir := t.TempDir()
	for _, want := range []fvm.EngineStats{{Compiled: 1, Memory: 1}, {Disk: 1, Memory: 1}} {
		e, err := fvm.NewEngine(fvm.EngineConfig{CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Stats(); got != (fvm.EngineStats{}) {
			t.Errorf("at first %+v", got)
		}
		for range 2 {
			if err := e.Preload(t.Context(), code, 28, 1, b.Actors[i].Code); err != nil {
				t.Fatal(err)
			}
		}
		if got := e.Stats(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		e.Close(context.Background())
	}
}

// Code that is forgotten is made again when it is asked for, and only then; what nobody knows may be forgotten too.
func TestForget(t *testing.T) {
	s := newSetting(t, true)
	e, err := fvm.NewEngine(fvm.EngineConfig{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	apply := func() (gas int64, made uint64) {
		cfg := s.config()
		cfg.Engine = e
		m, err := fvm.New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		res, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
		if err != nil || !res.ExitCode.IsSuccess() {
			t.Fatalf("%+v, %v", res, err)
		}
		st := e.Stats()
		return res.GasUsed, st.Compiled + st.Disk
	}
	gas, made := apply()
	if again, n := apply(); again != gas || n != made {
		t.Errorf("the second time %d gas, and %d were made, want %d and %d", again, n, gas, made)
	}
	b, _ := newestActors(t)
	if err := e.Forget(t.Context(), append(b.Codes(), s.config().StateRoot)...); err != nil { // the last is no code
		t.Fatal(err)
	}
	if again, n := apply(); again != gas || n <= made {
		t.Errorf("after it was forgotten %d gas, and %d were made, want %d and more than %d", again, n, gas, made)
	}
	if n := e.Compiling(); n != 0 {
		t.Errorf("%d are being compiled", n)
	}
}

// What was preloaded, several at once, runs without its code in the machine's blockstore.
func TestPreload(t *testing.T) {
	s := newSetting(t, false)
	engine, err := fvm.NewEngine(fvm.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(context.Background())
	b, code := newestActors(t)
	var codes []cid.Cid
	for _, a := range b.Actors {
		codes = append(codes, a.Code)
	}
	if len(codes) < 16 {
		t.Fatalf("only %d actors", len(codes))
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := engine.Preload(stopped, code, 28, 4, codes...); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := engine.Preload(t.Context(), s.store, 28, 4, codes...); err == nil || !strings.Contains(err.Error(), "reading the code baf") {
		t.Errorf("without the code: %v", err)
	}
	if err := engine.Preload(t.Context(), code, 15, 4, codes...); err == nil || !strings.Contains(err.Error(), "network version 15") {
		t.Errorf("an unknown network version: %v", err)
	}
	if err := engine.Preload(t.Context(), code, 28, 4, codes...); err != nil {
		t.Fatal(err)
	}
	cfg := s.config()
	cfg.Engine = engine
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil || !res.ExitCode.IsSuccess() {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestCancelledContext(t *testing.T) {
	s := newSetting(t, true)
	m := s.machine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Apply(ctx, s.msg, fvm.Explicit, chainLength); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	// Nothing had begun: the machine is as it was.
	if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil {
		t.Fatal(err)
	}
}

// A context that is cancelled while a message runs stops it without a receipt.
func TestCancelledWhileRunning(t *testing.T) {
	s := newSetting(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	cfg := s.config()
	calls := 0
	cfg.Hooks = &trace.Hooks{OnInvoke: func(*trace.Invoke) {
		if calls++; calls == 2 {
			cancel()
		}
	}}
	cfg.Blockstore = obedient{s.store}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Apply(ctx, s.msg, fvm.Explicit, chainLength)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("result %v, error %v", res, err)
	}
	if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
		t.Fatalf("flushed after all: %v", err)
	}
}

// obedient fails when its context is done, as stores on a disk do.
type obedient struct{ blockstore.Blockstore }

func (o obedient) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Blockstore.Get(ctx, c)
}

func TestConcurrentUse(t *testing.T) {
	s := newSetting(t, true)
	cfg := s.config()
	var m *fvm.Machine
	var inner error
	cfg.Hooks = &trace.Hooks{OnCall: func(*trace.Call) { _, inner = m.Flush(t.Context()) }}
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, fvm.ErrConcurrentUse) {
		t.Fatalf("a second use at the same time gave %v", inner)
	}
}

// Many machines run at once on one engine and agree.
func TestManyMachines(t *testing.T) {
	s := newSetting(t, true)
	const n = 8
	roots := make(chan cid.Cid, n)
	errs := make(chan error, n)
	for range n {
		go func() {
			cfg := s.config()
			cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.store}
			m, err := fvm.New(t.Context(), cfg)
			if err == nil {
				_, err = m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
			}
			var root cid.Cid
			if err == nil {
				root, err = m.Flush(t.Context())
			}
			roots <- root
			errs <- err
		}()
	}
	first := <-roots
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	for range n - 1 {
		if r, err := <-roots, <-errs; err != nil || r != first {
			t.Fatalf("root %s, error %v; want %s", r, err, first)
		}
	}
}

// Flush can be called between messages, and what it wrote is a whole state.
func TestFlushMidStream(t *testing.T) {
	s := newSetting(t, true)
	m := s.machine(t)
	if root, err := m.Flush(t.Context()); err != nil || root != s.root {
		t.Fatalf("flush of nothing: %s, %v; want %s", root, err, s.root)
	}
	if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil {
		t.Fatal(err)
	}
	root, err := m.Flush(t.Context())
	if err != nil || root == s.root {
		t.Fatalf("flush: %s, %v", root, err)
	}
	again, err := m.Flush(t.Context())
	if err != nil || again != root {
		t.Fatalf("second flush: %s, %v; want %s", again, err, root)
	}
	cfg := s.config()
	cfg.StateRoot = root
	next, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	res, err := next.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
	if err != nil || res.ExitCode != 2 {
		t.Fatalf("the same message again: %v, %v; want exit code 2, its nonce is used", res, err)
	}
}

func TestRefusedMessages(t *testing.T) {
	s := newSetting(t, false)
	m := s.machine(t)
	for name, change := range map[string]func(*fvm.Message){
		"gas limit 0":        func(m *fvm.Message) { m.GasLimit = 0 },
		"negative gas limit": func(m *fvm.Message) { m.GasLimit = -1 },
		"no value":           func(m *fvm.Message) { m.Value = big.Int{} },
		"no receiver":        func(m *fvm.Message) { m.To = fvm.Message{}.To },
		"negative fee cap":   func(m *fvm.Message) { m.GasFeeCap = big.NewInt(-1) },
		"negative premium":   func(m *fvm.Message) { m.GasPremium = big.NewInt(-1) },
	} {
		msg := *s.msg
		change(&msg)
		if res, err := m.Apply(t.Context(), &msg, fvm.Explicit, chainLength); !errors.Is(err, fvm.ErrInvalidMessage) {
			t.Errorf("%s: result %v, error %v", name, res, err)
		}
	}
	if res, err := m.Apply(t.Context(), s.msg, fvm.Implicit+1, chainLength); !errors.Is(err, fvm.ErrInvalidMessage) {
		t.Errorf("of a kind that there is not: result %v, error %v", res, err)
	}
	if root, err := m.Flush(t.Context()); err != nil || root != s.root {
		t.Errorf("after refused messages: root %s, %v; want %s", root, err, s.root)
	}
}

func TestUnknownNetworkVersions(t *testing.T) {
	s := newSetting(t, false)
	for _, nv := range []network.Version{0, 15, 17, 30, 31, 1 << 20} {
		cfg := s.config()
		cfg.NetworkVersion = nv
		if _, err := fvm.New(t.Context(), cfg); err == nil {
			t.Errorf("network version %d was accepted", nv)
		}
	}
	cfg := s.config()
	cfg.NetworkVersion, cfg.Preview = 30, true
	if _, err := fvm.New(t.Context(), cfg); err != nil {
		t.Errorf("the preview: %v", err)
	}
}

// Two runs in one process give byte-equal traces.
func TestTracesRepeat(t *testing.T) {
	a, b := traceOf(t), traceOf(t)
	if a != b || len(a) < 1000 {
		t.Fatalf("two runs differ (%d and %d bytes)", len(a), len(b))
	}
	if os.Getenv(envPrintTrace) != "" {
		fmt.Println(tracePrefix + a)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip("NOT RUN: another process, because this one does not know its program: ", err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestTracesRepeat$", "-test.count=1")
	cmd.Env = append(os.Environ(), envPrintTrace+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the other process: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if other, ok := strings.CutPrefix(line, tracePrefix); ok {
			if strings.TrimSuffix(other, "\n") != a {
				t.Fatal("the trace of another process differs")
			}
			return
		}
	}
	t.Fatalf("the other process printed no trace:\n%s", out)
}

const (
	envPrintTrace = "EDGEFVM_TEST_PRINT_TRACE"
	tracePrefix   = "trace: "
)

func traceOf(t *testing.T) string {
	t.Helper()
	v, err := conformance.Load(golden)
	if err != nil {
		t.Fatal(err)
	}
	rec := &trace.Recorder{}
	s, err := vector.Prepare(t.Context(), v, 0, vector.NewActors(bundle.Options{}), nil, rec.Hooks())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	out, err := rec.Take().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
