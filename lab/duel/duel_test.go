package duel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	engines "github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

func TestMain(m *testing.M) {
	dueltest.RunIfChild()
	os.Exit(m.Run())
}

var actors = vector.NewActors(bundle.Options{})

func testdata(name string) string {
	return filepath.Join("..", "conformance", "testdata", name+".json")
}

// caseOf is a golden vector as a case.
func caseOf(t *testing.T, name string) (*vector.Vector, *duel.Case) {
	t.Helper()
	v, err := conformance.Load(testdata(name))
	if err != nil {
		t.Fatal(err)
	}
	r, err := oracle.RequestOf(v, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.BundleFor(v.Variants()[0])
	if err != nil {
		t.Fatal(err)
	}
	code, err := actors.Store(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	state := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(t.Context(), bytes.NewReader(v.CAR()), state, blockstore.CAROptions{}); err != nil {
		t.Fatal(err)
	}
	return v, &duel.Case{Request: r, Bundle: b, Bases: []duel.Base{{Name: b, Store: code}}, Scope: &duel.Base{Name: name, Store: state}}
}

func engine(t *testing.T) *fvm.Engine {
	t.Helper()
	e, err := fvm.NewEngine(fvm.EngineConfig{Name: "wazero"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// What the reference said when the vector was made, as its answer now.
func answerOf(t *testing.T, v *vector.Vector) *oracle.Answer {
	t.Helper()
	a := &oracle.Answer{Root: v.PostRoot().String()}
	for _, r := range v.Receipts() {
		var root struct {
			CID string `json:"/"`
		}
		if err := json.Unmarshal(r.EventsRoot, &root); err != nil {
			t.Fatal(err)
		}
		a.Results = append(a.Results, oracle.Result{
			ExitCode: uint32(*r.ExitCode), Return: r.Return, GasUsed: *r.GasUsed, EventsRoot: root.CID, Penalty: *r.Penalty, MinerTip: *r.MinerTip,
			BaseFeeBurn: *r.BaseFeeBurn, OverEstimationBurn: *r.OverEstimationBurn, Refund: *r.Refund, GasRefund: *r.GasRefund, GasBurned: *r.GasBurned,
		})
	}
	return a
}

// Each thing that the reference says is compared.
func TestCompares(t *testing.T) {
	v, c := caseOf(t, "nv28-onboard-035")
	o, err := duel.RunOurs(t.Context(), c, engine(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := o.Traces[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	codec := o.Results[0].ReturnCodec
	for want, change := range map[string]func(*oracle.Answer){
		"":                     func(*oracle.Answer) {},
		"exit_code":            func(a *oracle.Answer) { a.Results[0].ExitCode++ },
		"return":               func(a *oracle.Answer) { a.Results[0].Return = []byte("other") },
		"return_codec":         func(a *oracle.Answer) { x := codec + 1; a.Results[0].ReturnCodec = &x },
		"gas_used":             func(a *oracle.Answer) { a.Results[0].GasUsed++ },
		"events_root":          func(a *oracle.Answer) { a.Results[0].EventsRoot = "" },
		"penalty":              func(a *oracle.Answer) { a.Results[0].Penalty = "7" },
		"miner_tip":            func(a *oracle.Answer) { a.Results[0].MinerTip = "987654321" },
		"base_fee_burn":        func(a *oracle.Answer) { a.Results[0].BaseFeeBurn = "1" },
		"over_estimation_burn": func(a *oracle.Answer) { a.Results[0].OverEstimationBurn = "1" },
		"refund":               func(a *oracle.Answer) { a.Results[0].Refund = "1" },
		"gas_refund":           func(a *oracle.Answer) { a.Results[0].GasRefund++ },
		"gas_burned":           func(a *oracle.Answer) { a.Results[0].GasBurned++ },
		"trace":                func(a *oracle.Answer) { a.Results[0].Trace = []byte(`[["gas","OnChainMessage",1,2]]`) },
		"receipt":              func(a *oracle.Answer) { a.Results[0].Error = "refused" },
		"state_root":           func(a *oracle.Answer) { a.Root = v.PreRoot().String() },
	} {
		a := answerOf(t, v)
		a.Results[0].Trace = text
		change(a)
		d, err := duel.Judge(o, &duel.Theirs{Answer: a})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(d.Differences) > 0 || want != "" && (len(d.Differences) != 1 || d.Differences[0].Field != want) {
			t.Errorf("%q: %v", want, d.Differences)
		}
	}
}

// Where the reference's native stack ended there is nothing to compare; the words of an actor that says the same are no excuse, nor is a
// node of ours that failed.
func TestNative(t *testing.T) {
	receipt := func(code uint32, failure string) oracle.Result {
		return oracle.Result{ExitCode: code, Failure: failure, Penalty: "0", MinerTip: "0", BaseFeeBurn: "0", OverEstimationBurn: "0", Refund: "0"}
	}
	const failure = "message failed with backtrace:\n00: f02000 (method 2) -- wasm trap: call stack exhausted (4)"
	for name, tt := range map[string]struct {
		theirs oracle.Result
		err    error
		native bool
	}{
		"its stack ended":      {theirs: receipt(4, failure), native: true},
		"another trap":         {theirs: receipt(4, "")},
		"another exit code":    {theirs: receipt(16, failure)},
		"another node's error": {theirs: receipt(4, failure), err: errors.New("the disk")},
	} {
		o := &duel.Ours{Results: []*fvm.Result{{}}, Err: tt.err, Broken: tt.err != nil}
		if tt.err != nil {
			o.Results[0] = nil
		}
		v, err := duel.Judge(o, &duel.Theirs{Answer: &oracle.Answer{Results: []oracle.Result{tt.theirs}}})
		if err != nil {
			t.Fatal(err)
		}
		if v.Native != tt.native || tt.native != (len(v.Differences) == 0) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A difference is saved as a vector that expects what the other side gave, and that runs as any vector does.
func TestSave(t *testing.T) {
	_, c := caseOf(t, "nv28-onboard-035")
	e := engine(t)
	p := duel.NewPeer(dueltest.Program(t, dueltest.Gas))
	defer p.Close()
	v, err := duel.Run(t.Context(), c, []*fvm.Engine{e}, p)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Differences) != 1 || v.Differences[0].Field != "gas_used" {
		t.Fatalf("%v", v.Differences)
	}
	path, err := duel.Save(t.Context(), c, e, p, t.TempDir(), "a test")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := conformance.Run(t.Context(), []string{path}, conformance.Options{Actors: actors, Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	o := rep.Outcomes[0]
	if o.Status != conformance.Failed || o.Error != "" || !o.Traced || len(o.Differences) != 1 || o.Differences[0].Field != "gas_used" {
		t.Errorf("%+v", o)
	}
}

func TestSound(t *testing.T) {
	_, c := caseOf(t, "nv18-send-001")
	e := engine(t)
	p := duel.NewPeer(dueltest.Program(t, dueltest.Sound))
	defer p.Close()
	for range 3 { // the stores are loaded once
		v, err := duel.Run(t.Context(), c, []*fvm.Engine{e, e}, p)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Differences) > 0 || v.Gone || v.Unjudged {
			t.Errorf("%+v", v)
		}
	}
	if p.Starts != 1 {
		t.Errorf("%d processes", p.Starts)
	}
}

// A reference that panics is started anew, and ours with a receipt differs from it. No file is made of that.
func TestPanic(t *testing.T) {
	_, c := caseOf(t, "nv18-send-001")
	p := duel.NewPeer(dueltest.Program(t, dueltest.Panics))
	defer p.Close()
	for range 2 {
		v, err := duel.Run(t.Context(), c, []*fvm.Engine{engine(t)}, p)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Differences) != 1 || !strings.Contains(v.Differences[0].Want, "panic") || !v.GaveWay() || v.Spared != "" {
			t.Errorf("%+v", v)
		}
	}
	if p.Starts != 2 {
		t.Errorf("%d processes", p.Starts)
	}
	dir := t.TempDir()
	if path, err := duel.Save(t.Context(), c, engine(t), p, dir, "a test"); !errors.Is(err, duel.ErrNotKept) || path != "" {
		t.Errorf("saved as %q, %v", path, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%v, %v", files, err)
	}
}

// failing is an engine whose guests fail at some of their calls. Its owner counts them.
type failing struct {
	engines.Engine
	calls int
	at    func(call int) error
}

type failingEnv struct {
	engines.Env
	f *failing
}

type failingModule struct {
	engines.Module
	f *failing
}

type failingInstance struct {
	engines.Instance
	f *failing
}

func (f *failing) Env(ctx context.Context, cfg engines.EnvConfig) (engines.Env, error) {
	env, err := f.Engine.Env(ctx, cfg)
	return &failingEnv{env, f}, err
}

func (e *failingEnv) Compile(ctx context.Context, wasm []byte) (engines.Module, error) {
	m, err := e.Env.Compile(ctx, wasm)
	return &failingModule{m, e.f}, err
}

func (m *failingModule) Instantiate(ctx context.Context, data any) (engines.Instance, error) {
	in, err := m.Module.Instantiate(ctx, data)
	if err != nil {
		return nil, err
	}
	return &failingInstance{in, m.f}, nil
}

func (in *failingInstance) Call(ctx context.Context, export string, stack []uint64) error {
	in.f.calls++
	if err := in.f.at(in.f.calls); err != nil {
		return err
	}
	return in.Instance.Call(ctx, export, stack)
}

func failingEngine(t *testing.T, at func(call int) error) (*failing, *fvm.Engine) {
	t.Helper()
	f := &failing{at: at}
	return f, engine(t).Around(func(e engines.Engine) engines.Engine {
		f.Engine = e
		return f
	})
}

// A fault of each kind is injected into an ordinary message: the reference is asked, or spared.
func TestSparesTheReference(t *testing.T) {
	_, c := caseOf(t, "nv28-onboard-035")
	fine := engine(t)
	for name, tt := range map[string]struct {
		err    error
		spared bool
	}{
		"nothing to agree on": {execerr.Nodef("an actor: %w", execerr.ErrNoReference), true},
		"the engine's stack":  {&engines.Trap{Kind: engines.TrapStackOverflow}, true},
		"the node":            {execerr.Nodef("the disk is full"), false},
		"a trap":              {&engines.Trap{Kind: engines.TrapUnreachable}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, e := failingEngine(t, func(int) error { return tt.err })
			p := duel.NewPeer(dueltest.Program(t, dueltest.Sound))
			defer p.Close()
			v, err := duel.Run(t.Context(), c, []*fvm.Engine{e, e}, p)
			if err != nil {
				t.Fatal(err)
			}
			if (v.Spared != "") != tt.spared || (v.Theirs == nil) != tt.spared || (p.Starts == 0) != tt.spared || (len(v.Differences) == 0) != tt.spared {
				t.Errorf("%+v, %d processes", v, p.Starts)
			}
			if _, err := duel.Save(t.Context(), c, e, p, t.TempDir(), "a test"); errors.Is(err, duel.ErrNotKept) != tt.spared {
				t.Errorf("saving it: %v", err)
			}
			// An engine that has a result where the first has none differs, but for where stacks end.
			v, err = duel.Run(t.Context(), c, []*fvm.Engine{e, fine}, p)
			if err != nil {
				t.Fatal(err)
			}
			if deep := name == "the engine's stack"; (len(v.Differences) == 0) != deep {
				t.Errorf("%+v", v.Differences)
			}
		})
	}
}

// Of several gas limits the reference is asked for all but those that it is spared.
func TestLimitsSpareTheReference(t *testing.T) {
	_, c := caseOf(t, "nv28-onboard-035")
	msg, _, _, err := c.Request.Messages[0].Decode()
	if err != nil {
		t.Fatal(err)
	}
	bad := func(call int) bool { return false }
	f, e := failingEngine(t, func(call int) error {
		if bad(call) {
			return execerr.Nodef("an actor: %w", execerr.ErrNoReference)
		}
		return nil
	})
	if _, err := duel.RunOurs(t.Context(), c, e); err != nil {
		t.Fatal(err)
	}
	second := f.calls + 1 // the first call of the second run
	for name, tt := range map[string]struct {
		mode string
		bad  func(call int) bool
		want string // of each verdict: agrees, spared, or gave way
	}{
		"sound, none":  {dueltest.Sound, func(int) bool { return false }, "aaaa"},
		"sound, one":   {dueltest.Sound, func(call int) bool { return call == second }, "asaa"},
		"sound, all":   {dueltest.Sound, func(int) bool { return true }, "ssss"},
		"panics, one":  {dueltest.Panics, func(call int) bool { return call == second }, "gs"},
		"panics, two":  {dueltest.Panics, func(call int) bool { return call <= 2 }, "ssg"},
		"panics, all":  {dueltest.Panics, func(int) bool { return true }, "ssss"},
		"panics, none": {dueltest.Panics, func(int) bool { return false }, "g"},
	} {
		t.Run(name, func(t *testing.T) {
			f.calls, bad = 0, tt.bad
			p := duel.NewPeer(dueltest.Program(t, tt.mode))
			defer p.Close()
			limits := []int64{msg.GasLimit, msg.GasLimit, msg.GasLimit, msg.GasLimit}
			list, err := duel.RunLimits(t.Context(), c, limits, []*fvm.Engine{e}, p)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, v := range list {
				switch {
				case v.GaveWay() && len(v.Differences) > 0 && v.Spared == "":
					got += "g"
				case v.Spared != "" && v.Theirs == nil && len(v.Differences) == 0:
					got += "s"
				case v.Theirs != nil && len(v.Differences) == 0 && v.Spared == "":
					got += "a"
				default:
					got += "?"
				}
			}
			if got != tt.want || (p.Starts == 0) != (tt.want == "ssss") {
				t.Errorf("%s, want %s; %d processes", got, tt.want, p.Starts)
			}
		})
	}
}

func TestEnds(t *testing.T) {
	_, c := caseOf(t, "nv18-send-001")
	p := duel.NewPeer(dueltest.Program(t, dueltest.Ends))
	defer p.Close()
	if _, err := duel.Run(t.Context(), c, []*fvm.Engine{engine(t)}, p); !errors.Is(err, oracle.ErrGone) {
		t.Errorf("it is %v", err)
	}
}

// The reference itself, where it is.
func TestReference(t *testing.T) {
	path := os.Getenv(oracle.Environment)
	if path == "" {
		t.Skip(oracle.Environment + " names no oracle: 'edgefvm oracle build' makes one")
	}
	p := duel.NewPeer(path)
	defer p.Close()
	_, c := caseOf(t, "nv18-send-001")
	v, err := duel.Run(t.Context(), c, []*fvm.Engine{engine(t)}, p)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Differences) > 0 || v.Gone || v.Unjudged {
		t.Errorf("%+v", v)
	}
}
