package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/vector"
)

// asChild makes this program one of those that Cold measures, or the reference: what it says is its value.
const asChild = "EDGEFVM_TEST_SAYS"

func TestMain(m *testing.M) {
	switch said := os.Getenv(asChild); said {
	case "":
		os.Exit(m.Run())
	case "fails":
		os.Stderr.WriteString("no engine today\n")
		os.Exit(1)
	default:
		os.Stdout.WriteString(said)
	}
}

func golden(name string) string { return filepath.Join("../conformance/testdata", name+".json") }

func needBundles(t testing.TB) {
	t.Helper()
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
}

func newEngine(t testing.TB, name string) *fvm.Engine {
	t.Helper()
	e, err := fvm.NewEngine(fvm.EngineConfig{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return e
}

// scriptedReference is a reference that takes, by round, a list of times for a vector's only message.
type scriptedReference struct{ rounds [][]time.Duration }

func (r *scriptedReference) Times(context.Context, string) ([]time.Duration, error) {
	if len(r.rounds) == 0 {
		return nil, errors.New("out of order")
	}
	times := r.rounds[0]
	r.rounds = r.rounds[1:]
	return times, nil
}

func TestTime(t *testing.T) {
	needBundles(t)
	var told []int
	ref := &scriptedReference{[][]time.Duration{{1}, {5000}, {3000}, {4000}}} // the first warms up
	r, err := Time(t.Context(), []string{golden("nv28-multisig-007")}, Options{
		Engines: []Contender{{"ours", newEngine(t, "wazero")}, {"beside", newEngine(t, "wazero-interpreter")}}, Reference: ref, Rounds: 3, Phases: true,
		Progress: func(i, of int, path string) { told = append(told, i, of) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Vectors != 1 || r.Rounds != 3 || len(r.Left) != 0 || len(r.Engines) != 2 || len(ref.rounds) != 0 || !slices.Equal(told, []int{0, 1}) {
		t.Fatalf("%+v, told %v", r, told)
	}
	for i, name := range []string{"ours", "beside"} {
		e := &r.Engines[i]
		if e.Name != name || len(e.Timings) != 1 {
			t.Fatalf("%+v", e)
		}
		m := e.Timings[0]
		if m.Engine != name || m.Vector != "nv28-multisig-007" || m.Scenario != "multisig" || m.NV != 28 || m.Gas != 1868263 || m.ExitCode != 17 {
			t.Errorf("%+v", m)
		}
		if m.Theirs != 3000 || m.TheirsMedian != 4000 || m.Ours <= 0 || m.Median < m.Ours || m.Ratio() != float64(m.Ours)/3000 {
			t.Errorf("%s: ours %d and %d, theirs %d and %d", name, m.Ours, m.Median, m.Theirs, m.TheirsMedian)
		}
		if m.Allocs == 0 || m.Bytes == 0 || m.Phases[Guest] <= 0 || m.Phases[Flush] <= 0 || m.Phases[Compile] != 0 {
			t.Errorf("%s: %+v", name, m)
		}
		if all := e.All(); all.Ours != m.Ours || all.Name != name || all.Timings[0] != &e.Timings[0] {
			t.Errorf("%+v", all)
		}
	}
	if r.Engines[1].Engine != "wazero-interpreter" {
		t.Errorf("the engine calls itself %q", r.Engines[1].Engine)
	}
}

// A vector that cannot be measured is told, and the others are measured all the same.
func TestTimeLeavesOut(t *testing.T) {
	needBundles(t)
	opts := Options{Engines: []Contender{{"ours", newEngine(t, "")}}, Rounds: 1}
	opts.Reference = &scriptedReference{[][]time.Duration{{}, {7}, {7}}}
	files := []string{golden("nv28-multisig-007"), golden("nv28-send-001")}
	r, err := Time(t.Context(), files, opts)
	if err != nil || r.Vectors != 1 || len(r.Left) != 1 || !strings.Contains(r.Left[0].String(), files[0]+": the reference ran 0 of 1 messages") {
		t.Errorf("%+v, %v", r, err)
	}
	if len(r.Engines[0].Timings) != 1 || r.Engines[0].Timings[0].Vector != "nv28-send-001" || r.Engines[0].Timings[0].Theirs != 7 {
		t.Errorf("%+v", r.Engines)
	}
	opts.Reference = &scriptedReference{}
	if r, err := Time(t.Context(), files, opts); !errors.Is(err, ErrNothingRan) || len(r.Left) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	opts.Reference = nil
	if _, err := Time(t.Context(), []string{"missing.json"}, opts); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not: %v", err)
	}
	if _, err := Time(t.Context(), files, Options{}); err == nil {
		t.Error("it measures without an engine")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Time(stopped, files, opts); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 0 of 2 vectors") {
		t.Errorf("interrupted: %v", err)
	}
}

// Both ends of a cold measurement, without a process between.
func TestFirstReceipt(t *testing.T) {
	needBundles(t)
	var out bytes.Buffer
	actors := vector.NewActors(bundle.Options{})
	if err := FirstReceipt(t.Context(), &out, golden("nv28-multisig-007"), actors, newEngine(t, "")); err != nil {
		t.Fatal(err)
	}
	if code, gas, err := parseReceipt(out.String()); err != nil || code != 17 || gas != 1868263 {
		t.Errorf("%q: %d, %d, %v", out.String(), code, gas, err)
	}
	if err := FirstReceipt(t.Context(), io.Discard, "missing.json", actors, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not: %v", err)
	}
}

func TestCold(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	says := func(said string) ColdOptions {
		return ColdOptions{Engines: []string{"a", "b"}, Rounds: 1, Command: func(ctx context.Context, engine, path string) *exec.Cmd {
			asked = append(asked, engine+" "+filepath.Base(path))
			c := exec.CommandContext(ctx, self)
			c.Env = append(os.Environ(), asChild+"="+said)
			return c
		}}
	}
	opts, told := says("receipt 3 99\nand more\n"), 0
	opts.Progress = func(i, of int, path string) {
		if told++; i != 0 || of != 1 || path != golden("nv28-send-001") {
			t.Errorf("told of %d of %d, %s", i, of, path)
		}
	}
	list, err := Cold(t.Context(), []string{golden("nv28-send-001")}, opts)
	if err != nil || len(list) != 2 || told != 1 {
		t.Fatalf("%+v, %v, told %d times", list, err, told)
	}
	for i, engine := range []string{"a", "b"} {
		if l := list[i]; l.Engine != engine || l.Vector != "nv28-send-001" || l.ExitCode != 3 || l.Gas != 99 || l.Least <= 0 || l.Median != l.Least {
			t.Errorf("%+v", l)
		}
	}
	if want := []string{"a nv28-send-001.json", "b nv28-send-001.json", "a nv28-send-001.json", "b nv28-send-001.json"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v", asked)
	}
	for said, want := range map[string]string{"hello\n": `nv28-send-001: a: the process said "hello\n"`, "fails": "no engine today"} {
		if _, err := Cold(t.Context(), []string{golden("nv28-send-001")}, says(said)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", said, err)
		}
	}
	opts = says("receipt 3 99\n")
	opts.Reference = "./no-such-program"
	opts.Code.CARs = []string{"x.car"}
	if _, err := Cold(t.Context(), []string{golden("nv28-send-001")}, opts); err == nil || !strings.Contains(err.Error(), "the reference:") {
		t.Errorf("a reference that is not there: %v", err)
	}
}

// The files for the reference are written once, and nothing is left.
func TestShelf(t *testing.T) {
	needBundles(t)
	t.Setenv("TMPDIR", t.TempDir())
	s := &shelf{}
	files := []string{golden("nv28-send-001"), golden("nv28-multisig-007"), golden("nv27-deals-003")}
	cars, err := s.carsFor(t.Context(), files)
	if err != nil || len(cars) != 2 {
		t.Fatalf("%v, %v", cars, err)
	}
	for _, c := range cars {
		if info, err := os.Stat(c); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", c, err)
		}
	}
	if again, err := s.carsFor(t.Context(), files[2:]); err != nil || !slices.Equal(again, cars[1:]) {
		t.Errorf("again: %v, %v", again, err)
	}
	s.remove()
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	own := &shelf{code: Code{CARs: []string{"a.car"}}}
	if cars, err := own.carsFor(t.Context(), files); err != nil || !slices.Equal(cars, []string{"a.car"}) {
		t.Errorf("CARs of the caller: %v, %v", cars, err)
	}
}
