package sweep

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

func TestMain(m *testing.M) {
	dueltest.RunIfChild()
	os.Exit(m.Run())
}

func testdata(name string) string {
	return filepath.Join("..", "conformance", "testdata", name+".json")
}

func options(t *testing.T) Options {
	t.Helper()
	e, err := fvm.NewEngine(fvm.EngineConfig{Name: "wazero"})
	if err != nil {
		t.Fatal(err)
	}
	return Options{Actors: vector.NewActors(bundle.Options{}), Engines: []*fvm.Engine{e}, Jobs: 2}
}

func TestPoints(t *testing.T) {
	events := trace.Events{
		&trace.GasCharge{Compute: 1500, Other: 500}, &trace.Call{}, &trace.GasCharge{}, &trace.GasCharge{Compute: 999}, &trace.GasCharge{Compute: 1}, &trace.GasCharge{Other: 5000},
	}
	points := chargePoints(events, 0)
	if want := []int64{2, 3, 8}; !slices.Equal(points, want) {
		t.Errorf("%v, want %v", points, want)
	}
	if few := chargePoints(events, 2); !slices.Equal(few, []int64{2, 3}) {
		t.Errorf("two of them are %v", few)
	}
	if got, want := limits(points, 8), []int64{1, 2, 3, 4, 7, 8}; !slices.Equal(got, want) {
		t.Errorf("limits %v, want %v", got, want)
	}
}

func TestSound(t *testing.T) {
	opts := options(t)
	opts.Oracle = dueltest.Program(t, dueltest.Sound)
	var heard []string
	opts.Progress = func(done, files int, o *Outcome) { heard = append(heard, o.Path) }
	files := []string{testdata("nv18-send-001"), testdata("nv28-multisig-007")}
	list, err := Run(t.Context(), files, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || len(heard) != 2 || list[0].Path != files[0] || list[1].Path != files[1] {
		t.Fatalf("%+v, heard of %v", list, heard)
	}
	for _, o := range list {
		if o.Error != "" || o.Skipped != "" || o.Failures != 0 || o.Unjudged != 0 || o.Messages != 1 || o.Charges < 3 || o.Runs < 2*o.Charges {
			t.Errorf("%+v", o)
		}
	}
}

// With a folder a sweep goes on where it stopped; a line that was cut short counts as not written, and another sweep is refused.
func TestGoesOn(t *testing.T) {
	opts := options(t)
	opts.Oracle, opts.Dir, opts.Most, opts.Jobs = dueltest.Program(t, dueltest.Sound), t.TempDir(), 2, 1
	files := []string{testdata("nv18-send-001"), testdata("nv28-multisig-007")}
	first, err := Run(t.Context(), files[:1], opts)
	if err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(opts.Dir, journalFile)
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	// What the journal says is believed, so that another number shows that nothing ran again.
	whole = []byte(strings.Replace(string(whole), `"messages":1`, `"messages":77`, 1))
	if err := os.WriteFile(journal, append(whole, `{"path":"cut sho`...), 0o666); err != nil {
		t.Fatal(err)
	}
	list, err := Run(t.Context(), files, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Messages != 77 || list[0].Runs != first[0].Runs || list[1].Messages != 1 || list[1].Runs == 0 {
		t.Errorf("%+v", list)
	}
	if again, err := Run(t.Context(), files, opts); err != nil || again[1].Runs != list[1].Runs {
		t.Errorf("%+v, %v", again, err)
	}
	opts.Most = 3
	if _, err := Run(t.Context(), files, opts); err == nil || !strings.Contains(err.Error(), "another sweep") {
		t.Errorf("another sweep: %v", err)
	}
}

// A unit of gas is found, and saved as a vector that fails for it.
func TestFinds(t *testing.T) {
	opts := options(t)
	opts.Oracle, opts.Dir, opts.Most = dueltest.Program(t, dueltest.Gas), t.TempDir(), 4
	list, err := Run(t.Context(), []string{testdata("nv28-onboard-035")}, opts)
	if err != nil {
		t.Fatal(err)
	}
	o := list[0]
	if o.Failures == 0 || len(o.Differences) != 1 || o.Differences[0].Field != "gas_used" || o.Limit == 0 || o.Saved == "" {
		t.Fatalf("%+v", o)
	}
	v, err := conformance.Load(o.Saved)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(v.Comment(), "gas sweep of") {
		t.Errorf("comment %q", v.Comment())
	}
}

func TestOddFiles(t *testing.T) {
	opts := options(t)
	opts.Oracle = dueltest.Program(t, dueltest.Sound)
	list, err := Run(t.Context(), []string{filepath.Join(t.TempDir(), "missing.json")}, opts)
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Error, "no such file") {
		t.Errorf("%+v, %v", list, err)
	}
}

// Every call of the node may fail: reads, writes of the flush, randomness, proofs.
func TestFaults(t *testing.T) {
	opts := options(t)
	if testing.Short() {
		opts.Most = 20
	}
	files := []string{testdata("nv28-onboard-035"), testdata("nv18-send-001")}
	list, err := Faults(t.Context(), files, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if o.Error != "" || o.Skipped != "" || o.Failures != 0 || o.Runs < 5 {
			t.Errorf("%+v", o)
		}
	}
}

// A failure that nobody notices is one.
func TestFaultsCanBeFound(t *testing.T) {
	w := &worker{Options: options(t)}
	v, err := conformance.Load(testdata("nv18-send-001"))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := w.setting(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	x := &scene{w: w, s: s}
	if _, err := x.fail(t.Context(), 1_000_000); err == nil || !strings.Contains(err.Error(), "nobody noticed") {
		t.Errorf("a failure that does not come: %v", err)
	}
	if what, err := x.fail(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "the root is") || what == "" {
		t.Errorf("with another root: %v at %q", err, what)
	}
	if got := spread(10, 3); !slices.Equal(got, []int{1, 4, 7}) {
		t.Errorf("three of ten are %v", got)
	}
}
