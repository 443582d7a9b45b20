package gasreport_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/node/gasreport"
	"github.com/edgefvm/fvm/vector"
)

// All sums of a report are the gas of the receipts, which vectors say, to the milligas.
func TestSums(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nv28-onboard-035", "nv28-evmcalls-027"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := vector.Load("../../lab/conformance/testdata/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			actors := vector.NewActors(bundle.Options{})
			x, err := explain.Vector(t.Context(), v, explain.VectorOptions{Actors: actors})
			if err != nil {
				t.Fatal(err)
			}
			b := gasreport.New(gasreport.Options{Title: name})
			for i := range x.Messages {
				b.Add(&x.Messages[i])
			}
			watch := evmtrace.New(evmtrace.Options{})
			s, err := vector.Prepare(t.Context(), v, 0, actors, nil, watch.Hooks(nil))
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Len() {
				res, err := s.Apply(t.Context(), i)
				if err != nil {
					t.Fatal(err)
				}
				b.AddOpcodes(watch.Take(uint64(res.GasUsed)))
			}
			r := b.Report()
			var want int64
			for _, receipt := range v.Receipts() {
				want += *receipt.GasUsed
			}
			if r.GasUsed != want || r.Messages != len(v.Receipts()) {
				t.Fatalf("%d gas, the receipts say %d", r.GasUsed, want)
			}
			for name, rows := range map[string][]gasreport.Row{"contracts": r.Contracts, "functions": r.Functions, "kinds": r.Kinds, "charges": r.Charges} {
				sum := r.Rounding
				for _, row := range rows {
					sum += row.Milli
				}
				if sum != 1000*want {
					t.Errorf("%s: %d milligas with rounding, the receipts say %d", name, sum, 1000*want)
				}
			}
			if r.Rounding < 0 || r.Rounding >= int64(1000*r.Messages) {
				t.Errorf("rounding %d", r.Rounding)
			}
			var opcodes int64
			for _, row := range r.Opcodes {
				opcodes += row.Milli
			}
			if opcodes != 1000*want && opcodes != 1000*want-r.Rounding {
				t.Errorf("opcodes %d milligas, the receipts say %d", opcodes, 1000*want)
			}
		})
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	s := gasreport.Snapshot{"total": 12, "a.b(uint256) (gas: 1)": 3, "gone": 0}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	if want := "a.b(uint256) (gas: 1) (gas: 3)\ngone (gas: 0)\ntotal (gas: 12)\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
	back, err := gasreport.ReadSnapshot(&b)
	if err != nil || !reflect.DeepEqual(s, back) {
		t.Errorf("%v %v", back, err)
	}
	for name, text := range map[string]string{
		"no gas": "a", "no name": " (gas: 1)", "no number": "a (gas: x)", "too large": "a (gas: 99999999999999999999)", "twice": "a (gas: 1)\na (gas: 2)",
		"a long line": strings.Repeat("a", 100<<10),
	} {
		if _, err := gasreport.ReadSnapshot(strings.NewReader(text)); !errors.Is(err, gasreport.ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before := gasreport.Snapshot{"same": 5, "one percent": 100, "more": 100, "less": 100, "gone": 7, "from nothing": 0}
	after := gasreport.Snapshot{"same": 5, "one percent": 101, "more": 102, "less": 10, "new": 9, "from nothing": 1}
	beyond := map[string]bool{}
	for _, d := range gasreport.Diff(before, after, 1) {
		beyond[d.Name] = d.Beyond
	}
	want := map[string]bool{"one percent": false, "more": true, "less": false, "gone": false, "new": false, "from nothing": true}
	if !reflect.DeepEqual(beyond, want) {
		t.Errorf("%v, want %v", beyond, want)
	}
	if first := gasreport.Diff(before, after, 1)[0]; first.Name != "less" || first.Delta() != -90 || first.Percent() != -90 {
		t.Errorf("%+v", first)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := &gasreport.Report{Title: "a|b\n`c`", GasUsed: 2, Functions: []gasreport.Row{{Name: "f|g", Calls: 1, Milli: 1500, Total: 2000}}}
	one, two := int64(1), int64(2)
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b, []gasreport.Difference{{Name: "total", Before: &one, After: &two, Beyond: true}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### Gas: `a\\|b 'c'`", "| `total` | 1 | 2 | +1 | **+100.00%** |", "| `f\\|g` | 1 | 2 | 75.0% | 2 |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s\nlacks %s", b.String(), want)
		}
	}
}

func FuzzReadSnapshot(f *testing.F) {
	f.Add("total (gas: 12)\n")
	f.Add("a (gas: 1) (gas: -3)\n\nb (gas: 0)")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := gasreport.ReadSnapshot(strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		if back, err := gasreport.ReadSnapshot(&b); err != nil || len(back) != len(s) {
			t.Fatalf("%q: %v", b.String(), err)
		}
	})
}
