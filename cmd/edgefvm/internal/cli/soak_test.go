package cli

import (
	"context"
	"errors"
	"io"
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

func newTestSoak(t testing.TB, names ...string) *soak {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("soak needs /proc")
	}
	needBundles(t)
	e, err := fvm.NewEngine(fvm.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	s := &soak{opts: conformance.Options{Engine: e, Actors: vector.NewActors(bundle.Options{})}, machines: 4, every: 20 * time.Millisecond, show: newSoakShow(io.Discard)}
	for _, name := range names {
		s.files = append(s.files, golden(name))
	}
	return s
}

func TestSoak(t *testing.T) {
	s := newTestSoak(t, "nv28-send-001", "nv28-multisig-007", "nv28-script-send-014")
	if err := s.run(t.Context(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
	// Too short to say whether memory grows.
	if v := s.verdict(); len(s.failures) > 0 || v.Messages < 10 || v.Faults == 0 || v.Derefs == 0 || len(v.Samples) < 8 || v.RSS[0] == 0 || v.Threads[1] == 0 {
		t.Errorf("%q, %d messages, %d faults, %d dereferences, %d samples, memory %d, threads %d", s.failures, v.Messages, v.Faults, v.Derefs, len(v.Samples), v.RSS, v.Threads)
	}
}

// What differs ends the soak and is told.
func TestSoakFindsADifference(t *testing.T) {
	s := newTestSoak(t, "nv28-multisig-007")
	s.opts.Open = func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		cfg.BaseFee = big.Add(cfg.BaseFee, big.NewInt(1))
		return fvm.New(ctx, cfg)
	}
	if err := s.run(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if v := s.verdict(); v.OK || len(v.Failures) == 0 || !strings.Contains(v.Failures[0], "nv28-multisig-007.json; ") {
		t.Errorf("%q", v.Failures)
	}
}

// A store that fails is an error of the node; an engine that makes a receipt of it is found.
func TestSoakFindsAReceiptOfAFault(t *testing.T) {
	s := newTestSoak(t, "nv28-multisig-007")
	s.opts.Open = func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		m, err := fvm.New(ctx, cfg)
		if errors.Is(err, errSoak) {
			return nil, errors.New("another error")
		}
		return m, err
	}
	s.next.Store(2) // this one's store fails at once
	s.vector(t.Context(), 2)
	if len(s.failures) != 1 || !strings.HasSuffix(s.failures[0], "another error") {
		t.Errorf("failures %q", s.failures)
	}
}

func TestSoakVerdict(t *testing.T) {
	series := func(rss, grow int64, threads, more int) *soak {
		s := &soak{every: time.Second}
		s.messages.Store(1)
		for i := range 40 {
			s.samples = append(s.samples, sample{RSS: rss + grow*int64(i), Threads: threads + more*i/10})
		}
		return s
	}
	for name, c := range map[string]struct {
		s    *soak
		want string
	}{
		"flat":        {series(400<<20, 0, 10, 0), ""},
		"noise":       {series(400<<20, 1<<20, 10, 1), ""},
		"memory":      {series(400<<20, 4<<20, 10, 0), "memory grew from 420 MB to 540 MB"},
		"threads":     {series(400<<20, 0, 10, 3), "threads grew from 11 to 20"},
		"too short":   {&soak{every: time.Second}, "8s or more are needed"},
		"no messages": {&soak{samples: make([]sample, 40)}, "no message ran"},
	} {
		v := c.s.verdict()
		if got := strings.Join(v.Failures, "; "); v.OK != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: ok %t, %q", name, v.OK, got)
		}
	}
}

func TestSoakUsage(t *testing.T) {
	v := golden("nv28-send-001")
	fails(t, exitUsage, []string{"soak", "--minutes", "0", v}, "--minutes must be more than 0")
	fails(t, exitUsage, []string{"soak", "--machines", "0", v}, "--machines must be at least 1")
	fails(t, exitFailed, []string{"soak", "missing.json"}, "missing.json")
	fails(t, exitFailed, []string{"soak", t.TempDir()}, "nothing to run")
}
