package soak

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

func TestJudge(t *testing.T) {
	series := func(n int, rss, grow int64, threads, more int) (list []Sample) {
		for i := range n {
			list = append(list, Sample{RSS: rss + grow*int64(i), Threads: threads + more*i/10})
		}
		return list
	}
	spike := series(40, 400<<20, 0, 10, 0)
	spike[39] = Sample{RSS: 4 << 30, Threads: 500} // one sample decides nothing
	for _, c := range []struct {
		name    string
		samples []Sample
		want    string
	}{
		{"flat", series(40, 400<<20, 0, 10, 0), ""},
		{"noise", series(40, 400<<20, 1<<20, 10, 1), ""},
		{"shrinking", series(40, 400<<20, -1<<20, 50, -1), ""},
		{"a spike", spike, ""},
		{"memory", series(40, 400<<20, 4<<20, 10, 0), "memory grew from 420 MB to 540 MB"},
		{"threads", series(40, 400<<20, 0, 10, 3), "threads grew from 11 to 20"},
		{"both", series(40, 400<<20, 4<<20, 10, 3), "memory grew from 420 MB to 540 MB; threads grew from 11 to 20"},
		{"nothing", nil, "0 samples are too few to tell whether memory grows: 16s or more are needed"},
		{"too short", series(7, 1, 0, 1, 0), "7 samples are too few"},
		{"as short as can be", series(8, 400<<20, 0, 10, 0), ""},
	} {
		r := Judge(c.samples, 2*time.Second)
		if got := strings.Join(r.Failures, "; "); r.OK != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: ok %t, %q", c.name, r.OK, got)
		}
	}
	if r := Judge(series(40, 400<<20, 1<<20, 10, 1), 1); r.RSS != [2]int64{405 << 20, 435 << 20} || r.Threads != [2]int64{10, 13} || len(r.Samples) != 40 {
		t.Errorf("medians of the quarters: %v, %v", r.RSS, r.Threads)
	}
}

func TestParseStatus(t *testing.T) {
	m, err := parseStatus("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t7\n")
	if err != nil || m.RSS != 2<<20 || m.Threads != 7 {
		t.Errorf("%+v, %v", m, err)
	}
	for name, text := range map[string]string{"nothing": "", "no memory": "Threads: 7\n", "no threads": "VmRSS: 1 kB\n", "no number": "VmRSS: kB\nThreads:\n"} {
		if _, err := parseStatus(text); !errors.Is(err, ErrNoMeasure) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func options(t testing.TB) Options {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("NOT RUN: soak needs /proc")
	}
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	e, err := fvm.NewEngine(fvm.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return Options{Conformance: conformance.Options{Engine: e, Actors: vector.NewActors(bundle.Options{})}, For: 2 * time.Second, Every: 20 * time.Millisecond}
}

func files(names ...string) (list []string) {
	for _, n := range names {
		list = append(list, "../conformance/testdata/"+n+".json")
	}
	return list
}

func TestRun(t *testing.T) {
	opts := options(t)
	var warming, running int
	opts.Progress = func(p Progress) {
		if p.Warming {
			warming++
		} else if running++; p.Sample.RSS == 0 || p.Sample.Threads == 0 {
			t.Errorf("%+v", p)
		}
	}
	r, err := Run(t.Context(), files("nv28-send-001", "nv28-multisig-007", "nv28-script-send-014"), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Failures {
		if !strings.HasPrefix(f, "memory grew") && !strings.HasPrefix(f, "threads grew") { // too short to say
			t.Error(f)
		}
	}
	if r.Messages < 10 || r.Faults == 0 || r.Derefs == 0 || len(r.Samples) < 8 || r.RSS[0] == 0 || r.Threads[1] == 0 || r.Warm <= 0 || r.Took < opts.For {
		t.Errorf("%d messages, %d faults, %d dereferences, %d samples, memory %d, threads %d, %s after %s", r.Messages, r.Faults, r.Derefs, len(r.Samples), r.RSS, r.Threads, r.Took, r.Warm)
	}
	if running != len(r.Samples) {
		t.Errorf("told of %d samples of %d", running, len(r.Samples))
	}
}

// What differs ends the soak and is told.
func TestRunFindsADifference(t *testing.T) {
	opts := options(t)
	opts.For = time.Minute
	opts.Conformance.Open = func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		cfg.BaseFee = big.Add(cfg.BaseFee, big.NewInt(1))
		return fvm.New(ctx, cfg)
	}
	r, err := Run(t.Context(), files("nv28-multisig-007"), opts)
	if err != nil || r.OK || len(r.Failures) == 0 || !strings.Contains(r.Failures[0], "nv28-multisig-007.json; ") {
		t.Errorf("%+v, %v", r, err)
	}
	if r.Took != 0 {
		t.Errorf("it went on for %s", r.Took)
	}
}

// A store that fails is an error of the node; an engine that makes something else of it is found.
func TestRunFindsAHiddenFault(t *testing.T) {
	opts := options(t)
	opts.Conformance.Open = func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		m, err := fvm.New(ctx, cfg)
		if errors.Is(err, errFault) {
			return nil, errors.New("another error")
		}
		return m, err
	}
	r, err := Run(t.Context(), files("nv28-multisig-007"), opts)
	if err != nil || r.OK || len(r.Failures) == 0 || !strings.HasSuffix(r.Failures[0], "another error") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRunTrouble(t *testing.T) {
	if _, err := Run(t.Context(), nil, Options{}); err == nil || !strings.Contains(err.Error(), "no vectors") {
		t.Errorf("without vectors: %v", err)
	}
	opts := options(t)
	if r, err := Run(t.Context(), []string{"missing.json"}, opts); err != nil || r.OK || !strings.Contains(r.Failures[0], "missing.json") {
		t.Errorf("a file that is not: %+v, %v", r, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	r, err := Run(stopped, files("nv28-send-001"), opts)
	if err != nil || r.OK || r.Messages != 0 || len(r.Failures) != 1 || r.Failures[0] != "no message ran" {
		t.Errorf("interrupted: %+v, %v", r, err)
	}
}
