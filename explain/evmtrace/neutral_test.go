package evmtrace

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

var engineNames = flag.String("engines", "wazero", "engines that must tell the same, separated by commas")

// outcome is all that a vector's messages leave behind.
type outcome struct {
	results []*fvm.Result
	events  trace.Events
	root    string
	steps   string
}

func runVector(t testing.TB, v *vector.Vector, engine *fvm.Engine, watched bool) (o outcome) {
	t.Helper()
	var rec trace.Recorder
	hooks := rec.Hooks()
	tr := New(Options{EnableMemory: true, EnableReturnData: true, MaxBytes: math.MaxInt})
	if watched {
		hooks = tr.Hooks(hooks)
	}
	s, err := vector.Prepare(t.Context(), v, 0, actorsCache, engine, hooks)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Len() {
		r, err := s.Apply(t.Context(), i)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		o.results = append(o.results, r)
		if watched {
			l := tr.Take(uint64(r.GasUsed))
			if r.GasUsed > 0 && !s.Implicit(i) {
				check(t, v.Name, l)
			}
			text, err := l.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			o.steps += string(text)
		}
	}
	o.events = rec.Take()
	root, err := s.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.root = root.String()
	return o
}

// same compares all but what only one of them has.
func (o outcome) same(p outcome) error {
	if d := trace.Diff(o.events, p.events); d != "" {
		return errors.New(d)
	}
	if o.root != p.root || !reflect.DeepEqual(o.results, p.results) {
		return fmt.Errorf("%v %+v, want %v %+v", p.root, p.results, o.root, o.results)
	}
	return nil
}

// Charges, receipts, events and state of a message are the same whether its opcodes are told or not; on every engine that is
// asked for, opcodes are the same as well.
func TestNeutral(t *testing.T) {
	var files []string
	for _, kind := range []string{"evm", "eam", "eth"} {
		some, err := filepath.Glob("../../lab/conformance/testdata/nv*-" + kind + "*.json")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	if len(files) < 60 {
		t.Fatalf("only %d vectors of contracts", len(files))
	}
	if testing.Short() {
		files = files[:12]
	}
	var engines []*fvm.Engine
	for name := range strings.SplitSeq(*engineNames, ",") {
		e, err := fvm.NewEngine(fvm.EngineConfig{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close(t.Context()) }) //nolint:errcheck // the test is over
		engines = append(engines, e)
	}
	steps := 0
	for _, file := range files {
		v, err := vector.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		want := runVector(t, v, engines[0], false)
		first := ""
		for i, e := range engines {
			got := runVector(t, v, e, true)
			if err := want.same(got); err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
			if i == 0 {
				first = got.steps
			} else if got.steps != first {
				t.Errorf("%s: engines tell different opcodes", filepath.Base(file))
			}
			steps += strings.Count(got.steps, `{"pc":`)
		}
	}
	if steps < 1000 {
		t.Errorf("%d vectors have %d opcodes", len(files), steps)
	}
	t.Logf("%d vectors, %d opcodes", len(files), steps)
}

// loop counts down from 2^16 and keeps a sum.
var loop = []byte{
	0x60, 0, 0x62, 1, 0, 0, // PUSH1 0, PUSH3 65536
	0x5b, 0x80, 0x91, 0x01, 0x90, // l: DUP1 SWAP2 ADD SWAP1
	0x60, 1, 0x90, 0x03, // PUSH1 1 SWAP1 SUB
	0x80, 0x60, 6, 0x57, // DUP1 PUSH1 l JUMPI
	0x00,
}

// initOf is code that creates a contract with a short code.
func initOf(code []byte) []byte {
	n := byte(len(code))
	return append([]byte{0x60, n, 0x60, 12, 0x60, 0, 0x39, 0x60, n, 0x60, 0, 0xf3}, code...)
}

// What tracing opcodes costs: without any, told to nobody, as struct logs without and with memory.
func BenchmarkLoop(b *testing.B) {
	nobody := &trace.Hooks{OnOpcode: func(*trace.Opcode) {}}
	for _, c := range []struct {
		name  string
		hooks func() *trace.Hooks
	}{
		{"off", func() *trace.Hooks { return nil }},
		{"told", func() *trace.Hooks { return nobody }},
		{"logs", nil},
		{"json", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			var tr *Tracer
			var hooks *trace.Hooks
			if c.hooks != nil {
				hooks = c.hooks()
			} else {
				tr = New(Options{MaxBytes: math.MaxInt})
				hooks = tr.Hooks(nil)
			}
			w := newWorld(b, 28, hooks)
			to := created(b, w.create(b, initOf(loop)))
			if tr != nil {
				tr.Take(0)
			}
			for b.Loop() {
				r := w.call(b, to, nil)
				if r.ExitCode != 0 {
					b.Fatal(r.ExitCode)
				}
				if tr == nil {
					continue
				}
				l := tr.Take(uint64(r.GasUsed))
				b.ReportMetric(float64(len(l.Steps)), "opcodes")
				if c.name == "json" {
					text, err := l.MarshalJSON()
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(len(text)), "bytes")
				}
			}
		})
	}
}
