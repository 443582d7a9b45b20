package pprof_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/google/pprof/profile"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/pprof"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// write makes a profile, checks that it is one and that it is the same each time, and reads it.
func write(t *testing.T, x *explain.Explanation, o pprof.Options) *profile.Profile {
	t.Helper()
	var out, again bytes.Buffer
	if err := errors.Join(pprof.Write(&out, x, o), pprof.Write(&again, x, o)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("two profiles of one explanation differ")
	}
	p, err := profile.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckValid(); err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the samples: the stack from the outermost on, the labels, and both values.
func lines(p *profile.Profile) []string {
	var list []string
	for _, s := range p.Sample {
		var stack []string
		for _, l := range s.Location {
			f := l.Line[0].Function
			stack = append(stack, strings.TrimSuffix(f.Name+"@"+f.Filename, "@"))
		}
		slices.Reverse(stack)
		line := strings.Join(stack, " > ")
		for _, label := range []string{"message", "exit", "charge"} {
			if v := s.Label[label]; len(v) > 0 {
				line += fmt.Sprintf(" %s=%q", label, v)
			}
		}
		list = append(list, fmt.Sprintf("%s: %d %d", line, s.Value[0], s.Value[1]))
	}
	return list
}

var code = cid.MustParse("bafkqaaa")

func traced(t *testing.T, traces ...trace.Events) *explain.Explanation {
	t.Helper()
	x := &explain.Explanation{Vector: "made up", Comment: "two\nlines"}
	for _, events := range traces {
		m, err := explain.Trace(explain.Applied{Trace: events}, explain.Options{ActorName: func(cid.Cid) (string, bool) { return "multisig", true }})
		if err != nil {
			t.Fatal(err)
		}
		x.Messages = append(x.Messages, *m)
	}
	return x
}

func call(to uint64) trace.Event { return &trace.Call{From: 1, To: addr.NewID(to), Method: 2} }

func invoke(id uint64) trace.Event { return &trace.Invoke{ID: abi.ActorID(id), Code: code} }

func gas(name string, milli int64) trace.Event {
	return &trace.GasCharge{Name: name, Compute: uint64(milli)}
}

var small = trace.Events{
	gas("OnChainMessage", 1500), call(5), invoke(5), gas("OnBlockLink", 2000), gas("OnBlockCreate", 700), call(6), gas("OnDeleteActor", -400), &trace.Error{Errno: 6},
	call(6), gas("OnDeleteActor", -100), &trace.Error{Errno: 6}, gas("wasm_exec", 100), &trace.Return{ExitCode: 16},
}

func TestSamples(t *testing.T) {
	p := write(t, traced(t, small), pprof.Options{})
	want := []string{
		`message > chain inclusion charge=["OnChainMessage"]: 2 1500`,
		`message > multisig·Propose@f05 > block writes exit=["16 illegal argument"] charge=["OnBlockLink"]: 2 2000`,
		`message > multisig·Propose@f05 > block writes exit=["16 illegal argument"] charge=["OnBlockCreate"]: 1 700`,
		`message > multisig·Propose@f05 > Wasm execution exit=["16 illegal argument"] charge=["wasm_exec"]: 0 100`,
		// Both calls are one sample, as they are of one kind to one actor with one end.
		`message > multisig·Propose@f05 > nobody·method 2@f06 > actor creation exit=["not run: not found"] charge=["OnDeleteActor"]: -1 -500`,
	}
	if got := lines(p); !slices.Equal(got, want) {
		t.Errorf("the samples are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.SampleType[0].Type != "gas" || p.SampleType[1].Unit != "milligas" || p.DefaultSampleType != "gas" || p.TimeNanos != 0 {
		t.Errorf("types %v, default %s, time %d", p.SampleType, p.DefaultSampleType, p.TimeNanos)
	}
	if p.Mapping[0].File != "made up" || !slices.Equal(p.Comments, []string{`two\nlines`}) {
		t.Errorf("of %q: %q", p.Mapping[0].File, p.Comments)
	}
}

func TestMessages(t *testing.T) {
	x := traced(t, trace.Events{gas("wasm_exec", 1000)}, trace.Events{gas("wasm_exec", 2000)}, nil)
	want := []string{`message 1 > Wasm execution message=["1"] charge=["wasm_exec"]: 1 1000`, `message 2 > Wasm execution message=["2"] charge=["wasm_exec"]: 2 2000`}
	if got := lines(write(t, x, pprof.Options{})); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := lines(write(t, x, pprof.Options{Message: 2})); !slices.Equal(got, want[1:]) {
		t.Errorf("message 2: %q, want %q", got, want[1:])
	}
	if got := lines(write(t, x, pprof.Options{Message: 3})); len(got) != 0 {
		t.Errorf("message 3 took no gas: %q", got)
	}
	if got := lines(write(t, &explain.Explanation{}, pprof.Options{})); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
}

// A call that has no end, and calls deeper than a stack is shown: their gas is not lost.
func TestDeep(t *testing.T) {
	var events trace.Events
	for range 1024 {
		events = append(events, call(5), invoke(5), gas("wasm_exec", 1000))
	}
	p := write(t, traced(t, events), pprof.Options{})
	var sum int64
	deepest := 0
	for _, s := range p.Sample {
		sum += s.Value[0]
		deepest = max(deepest, len(s.Location))
		if !slices.Equal(s.Label["exit"], []string{"no exit code"}) {
			t.Errorf("it ended: %q", s.Label)
		}
	}
	if sum != 1024 || deepest != 129 || len(p.Sample) != 127 {
		t.Errorf("%d gas in %d samples, the deepest of %d", sum, len(p.Sample), deepest)
	}
}

func explained(t *testing.T, name string) *explain.Explanation {
	t.Helper()
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	v, err := vector.Load(filepath.Join("..", "..", "lab", "conformance", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := explain.Vector(t.Context(), v, explain.VectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The samples of a real vector sum to the gas of its receipt.
func TestVectors(t *testing.T) {
	for _, name := range []string{"nv28-onboard-035", "nv28-script-exit-003", "nv17-script-destroy-001"} {
		x := explained(t, name)
		for i, m := range x.Messages {
			var gas, milli int64
			for _, s := range write(t, x, pprof.Options{Message: i + 1}).Sample {
				gas, milli = gas+s.Value[0], milli+s.Value[1]
			}
			if milli != m.Calls.Total || gas != (milli+999)/1000 || m.GasUsed != gas {
				t.Errorf("%s, message %d: %d gas used, %d gas and %d milligas in the profile", name, i+1, m.GasUsed, gas, milli)
			}
		}
	}
}

// The tool that everybody has reads it.
func TestTool(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil || testing.Short() {
		t.Skip("NOT RUN: it needs the go command")
	}
	path := filepath.Join(t.TempDir(), "gas.pb.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pprof.Write(f, traced(t, small, small), pprof.Options{}), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(goTool, "tool", "pprof", "-top", "-cum", "-nodecount=5", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"Type: gas", "multisig·Propose", "block writes", "message 2"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

type broken struct{}

var errPipe = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errPipe }

func TestWriterFails(t *testing.T) {
	if err := pprof.Write(broken{}, traced(t, small), pprof.Options{}); !errors.Is(err, errPipe) {
		t.Error(err)
	}
}
