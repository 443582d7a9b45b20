package duel_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	engines "github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/trace"
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

// Where the reference's native stack ended there is nothing to compare, whether ours ended too or not; the words of an actor that says the
// same, and another end of ours, are no excuse.
func TestNative(t *testing.T) {
	failure := "message failed with backtrace:\n00: f02000 (method 2) -- wasm trap: call stack exhausted (4)"
	var began trace.Events
	if err := began.UnmarshalJSON([]byte(`[["call",1,"f01",2,"0",5,false,null,null],["gas","x",1,5]]`)); err != nil {
		t.Fatal(err)
	}
	deep := func(code string) []byte {
		return fmt.Appendf(nil, `[["call",1,"f01",2,"0",5,false,null,null],["gas","x",1,2],["return",%s,null,null]]`, code)
	}
	overflow := fmt.Errorf("message: %w", &engines.Trap{Kind: engines.TrapStackOverflow})
	receipt := oracle.Result{ExitCode: 4, Failure: failure, Penalty: "0", MinerTip: "0", BaseFeeBurn: "0", OverEstimationBurn: "0", Refund: "0", Trace: []byte("[]")}
	for name, tt := range map[string]struct {
		ours   *fvm.Result
		err    error
		trace  trace.Events
		change func(*oracle.Result)
		native bool
	}{
		"both":                   {err: overflow, native: true},
		"ours has a receipt":     {ours: &fvm.Result{}, native: true},
		"another node's error":   {err: errors.New("the disk")},
		"another trap of theirs": {err: overflow, change: func(r *oracle.Result) { r.Failure = "" }},
		"below a caller":         {err: overflow, trace: began, native: true, change: func(r *oracle.Result) { r.Failure, r.ExitCode, r.Trace = "", 0, deep("4") }},
		"a callee that exits":    {err: overflow, trace: began, change: func(r *oracle.Result) { r.Failure, r.ExitCode, r.Trace = "", 0, deep("16") }},
		"elsewhere":              {err: overflow, trace: trace.Events{&trace.Invoke{}}, change: func(r *oracle.Result) { r.Failure, r.Trace = "", deep("4") }},
	} {
		r := receipt
		if tt.change != nil {
			tt.change(&r)
		}
		o := &duel.Ours{Results: []*fvm.Result{tt.ours}, Traces: []trace.Events{tt.trace}, Err: tt.err, Broken: tt.err != nil}
		v, err := duel.Judge(o, &duel.Theirs{Answer: &oracle.Answer{Results: []oracle.Result{r}}})
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

// A reference that panics is started anew, and ours with a receipt differs from it.
func TestPanic(t *testing.T) {
	_, c := caseOf(t, "nv18-send-001")
	p := duel.NewPeer(dueltest.Program(t, dueltest.Panics))
	defer p.Close()
	for range 2 {
		v, err := duel.Run(t.Context(), c, []*fvm.Engine{engine(t)}, p)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Differences) != 1 || !strings.Contains(v.Differences[0].Want, "panic") {
			t.Errorf("%v", v.Differences)
		}
	}
	if p.Starts != 2 {
		t.Errorf("%d processes", p.Starts)
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
