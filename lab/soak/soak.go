package soak

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgefvm/fvm/lab/conformance"
)

// Options say what runs, and for how long.
type Options struct {
	// Conformance says on what engine and actors the vectors run, and how results are compared. Its NoTrace and
	// Open are changed for some runs: every second one compares traces, every third has a store that fails.
	Conformance conformance.Options
	// For is how long the load lasts, after a first round of all vectors. Required.
	For time.Duration
	// Machines run at once. Default: 4.
	Machines int
	// Every is the time between samples. Default: a second.
	Every time.Duration
	// Progress hears at each sample, and in the first round as often, from a goroutine of its own. Default: nobody.
	Progress func(Progress)
}

// Progress is how far a soak is.
type Progress struct {
	// Warming is the first round, of which Begun vectors were begun.
	Warming  bool
	Begun    int64
	Messages int64 // that ran
	Sample   Sample
}

// Sample is what the process used at a time.
type Sample struct {
	At      time.Duration `json:"at_ns"` // after the first round
	RSS     int64         `json:"rss_bytes"`
	Threads int           `json:"threads"`
}

// ErrNoMeasure is of a system that does not tell a process's memory and threads.
var ErrNoMeasure = errors.New("soak needs a system that tells a process's memory and threads, such as Linux")

// errFault is what a store that fails says.
var errFault = errors.New("a store that fails on purpose")

// Run runs vectors until the time is over, ctx ends, or something differs, and says what came of it. The error is a
// failure of the set-up: no vectors, or ErrNoMeasure.
func Run(ctx context.Context, files []string, opts Options) (*Report, error) {
	if len(files) == 0 {
		return nil, errors.New("soak: no vectors")
	}
	if opts.Machines == 0 {
		opts.Machines = 4
	}
	if opts.Every == 0 {
		opts.Every = time.Second
	}
	if _, err := measure(); err != nil {
		return nil, err
	}
	s := &soak{opts: opts, files: files}
	s.run(ctx)
	r := Judge(s.samples, opts.Every)
	r.Warm, r.Took, r.Messages, r.Faults, r.Derefs = s.warm, s.took, s.messages.Load(), s.faults.Load(), s.derefs.Load()
	switch {
	case len(s.failures) > 0:
		r.fail(s.failures...) // what differs says more than what leaks
	case r.Messages == 0:
		r.fail("no message ran")
	}
	return r, nil
}

// soak is a run under load.
type soak struct {
	opts  Options
	files []string

	next     atomic.Int64 // vectors that were begun
	messages atomic.Int64
	faults   atomic.Int64 // stores that failed in the middle of a message
	derefs   atomic.Int64
	warm     time.Duration
	took     time.Duration
	samples  []Sample

	mu       sync.Mutex
	failures []string
}

// run warms up, and then runs for a while.
func (s *soak) run(ctx context.Context) {
	begin := time.Now()
	s.load(ctx, func(begun int64) bool { return begun < int64(len(s.files)) }, func() { s.tell(Sample{}, true) })
	s.warm = time.Since(begin)
	if s.failed() || ctx.Err() != nil {
		return
	}
	begin = time.Now()
	s.load(ctx, func(int64) bool { return time.Since(begin) < s.opts.For }, func() {
		m, err := measure()
		if err != nil {
			s.fail(err.Error())
			return
		}
		m.At = time.Since(begin)
		s.samples = append(s.samples, m)
		s.tell(m, false)
	})
	s.took = time.Since(begin)
}

func (s *soak) tell(m Sample, warming bool) {
	if s.opts.Progress != nil {
		s.opts.Progress(Progress{Warming: warming, Begun: s.next.Load(), Messages: s.messages.Load(), Sample: m})
	}
}

// load runs machines and all that disturbs them, as long as more says so. It calls tick now and then.
func (s *soak) load(ctx context.Context, more func(begun int64) bool, tick func()) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var beside, machines sync.WaitGroup
	every := func(d time.Duration, f func()) {
		beside.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(d):
					f()
				}
			}
		})
	}
	for range s.opts.Machines {
		machines.Go(func() {
			for ctx.Err() == nil && !s.failed() {
				n := s.next.Load()
				if !more(n) {
					return
				}
				if s.next.CompareAndSwap(n, n+1) {
					s.vector(ctx, n)
				}
			}
		})
	}
	every(200*time.Millisecond, runtime.GC)
	every(5*time.Millisecond, func() { s.deref(false) })
	every(20*time.Millisecond, func() { s.deref(true) })
	every(s.opts.Every, tick)
	machines.Wait()
	stop()
	beside.Wait()
}

// vector runs the n-th vector; in every third run of one its store fails on the way.
func (s *soak) vector(ctx context.Context, n int64) {
	path := s.files[n%int64(len(s.files))]
	v, err := conformance.Load(path)
	if err != nil {
		s.fail(err.Error())
		return
	}
	for i := range v.Variants() {
		opts := s.opts.Conformance
		faulty := n%3 == 2
		opts.NoTrace = n%2 == 0 || faulty // such a trace ends early
		if faulty {
			opts.Open = failing(s.opts.Conformance, n/3%200)
		}
		o := conformance.RunVector(ctx, v, i, &opts)
		s.messages.Add(int64(o.Messages))
		switch {
		case ctx.Err() != nil, o.Status == conformance.Skipped:
		case faulty && strings.Contains(o.Error, errFault.Error()) && len(o.Differences) == 0:
			s.faults.Add(1)
		case o.Status != conformance.Passed:
			text := path
			for _, d := range o.Differences {
				text += "; " + d.String()
			}
			s.fail(strings.TrimSuffix(text+"; "+o.Error, "; "))
		}
	}
}

// deref dereferences a nil pointer, on a thread of its own if asked to.
func (s *soak) deref(locked bool) {
	if locked {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	defer func() {
		if err, ok := recover().(runtime.Error); !ok {
			s.fail(fmt.Sprintf("a nil dereference was no runtime error: %v", err))
		}
		s.derefs.Add(1)
	}()
	var p *Sample
	p.Threads++
}

func (s *soak) fail(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, text)
}

func (s *soak) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures) > 0
}
