package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

func newSoak() *cobra.Command {
	var set lockStep
	var minutes float64
	var machines int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "soak PATH...",
		Short: "Run vectors for a long time under mixed load, and look for leaks",
		Long: `Runs vectors over and over, on several machines at once that share the engine, and compares
every result as 'vectors run' does. Meanwhile blockstores fail in the middle of messages,
other goroutines dereference nil pointers and recover, and the garbage collector runs all
the time: what goes wrong only in a busy process goes wrong here.

A first round warms up, and the minutes count after it. The verdict is about the rest:
memory (the resident set) and threads must be in the last quarter what they were in the
first, and nothing may differ. Compile ahead ('edgefvm cache build'), or what an engine
makes in the background is part of what is measured.`,
		Example: `  edgefvm soak --engine wasmedge --minutes 10 lab/conformance/testdata
  edgefvm soak --engine wasmedge-o0,wazero --minutes 1 --machines 8 nv28-evm-*.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if minutes <= 0 || math.IsNaN(minutes) || minutes > 1e6 {
				return usagef("--minutes must be more than 0")
			}
			if machines < 1 {
				return usagef("--machines must be at least 1")
			}
			files, err := findVectors(args)
			if err != nil {
				return err
			}
			if len(files) == 0 {
				return errors.New("nothing to run: name vector files, or folders with .json files")
			}
			opts, end, err := set.options(cmd)
			if err != nil {
				return err
			}
			defer end()
			s := &soak{opts: opts, files: files, machines: machines, every: time.Second, show: newSoakShow(cmd.ErrOrStderr())}
			if err := s.run(cmd.Context(), time.Duration(minutes*float64(time.Minute))); err != nil {
				return err
			}
			v := s.verdict()
			v.Engine = set.engine
			if asJSON {
				err = writeJSON(cmd, v)
			} else {
				err = v.print(cmd.OutOrStdout())
			}
			switch {
			case err != nil:
				return err
			case cmd.Context().Err() != nil:
				return errInterrupted
			case !v.OK:
				return errFailed
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.Float64Var(&minutes, "minutes", 10, "how long, after the round that warms up")
	f.IntVar(&machines, "machines", 4, "machines that run at once")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	set.flags(cmd)
	return cmd
}

// sample is what the process used at a time.
type sample struct {
	At      time.Duration `json:"at_ns"` // after the warm-up
	RSS     int64         `json:"rss_bytes"`
	Threads int           `json:"threads"`
}

// soak is a run under load.
type soak struct {
	opts     conformance.Options
	files    []string
	machines int
	every    time.Duration // between samples
	show     *soakShow

	next     atomic.Int64 // vectors that were begun
	messages atomic.Int64
	faults   atomic.Int64 // stores that failed in the middle of a message
	derefs   atomic.Int64
	warm     time.Duration
	took     time.Duration
	samples  []sample

	mu       sync.Mutex
	failures []string
}

// run warms up, and then runs for a while. The error is a failure of the set-up.
func (s *soak) run(ctx context.Context, d time.Duration) error {
	if _, err := measure(); err != nil {
		return err
	}
	begin := time.Now()
	s.load(ctx, func(begun int64) bool { return begun < int64(len(s.files)) }, func() { s.show.warming(s.next.Load(), len(s.files)) })
	s.warm = time.Since(begin)
	if s.failed() || ctx.Err() != nil {
		return nil
	}
	begin = time.Now()
	s.load(ctx, func(int64) bool { return time.Since(begin) < d }, func() {
		m, err := measure()
		if err != nil {
			s.fail(err.Error())
			return
		}
		m.At = time.Since(begin)
		s.samples = append(s.samples, m)
		s.show.running(m, d, s.messages.Load())
	})
	s.took = time.Since(begin)
	return nil
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
	for range s.machines {
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
	every(s.every, tick)
	machines.Wait()
	stop()
	beside.Wait()
	s.show.end()
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
		opts := s.opts
		faulty := n%3 == 2
		opts.NoTrace = n%2 == 0 || faulty // such a trace ends early
		if faulty {
			opts.Open = failing(s.opts, n/3%200)
		}
		o := conformance.RunVector(ctx, v, i, &opts)
		s.messages.Add(int64(o.Messages))
		switch {
		case ctx.Err() != nil, o.Status == conformance.Skipped:
		case faulty && strings.Contains(o.Error, errSoak.Error()) && len(o.Differences) == 0:
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
	var p *sample
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

var errSoak = errors.New("a store that fails on purpose")

// failing opens machines whose stores fail after some reads.
func failing(opts conformance.Options, reads int64) func(context.Context, fvm.Config) (vector.Machine, error) {
	return func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		store := &failingStore{Blockstore: cfg.Blockstore}
		store.left.Store(reads)
		cfg.Blockstore = store
		if opts.Open != nil {
			return opts.Open(ctx, cfg)
		}
		cfg.Engine = opts.Engine
		m, err := fvm.New(ctx, cfg)
		if err != nil {
			return nil, err // not a nil machine in an interface
		}
		return m, nil
	}
}

type failingStore struct {
	blockstore.Blockstore
	left atomic.Int64
}

func (s *failingStore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if s.left.Add(-1) < 0 {
		return nil, errSoak
	}
	return s.Blockstore.Get(ctx, c)
}

// measure asks the system what this process uses.
func measure() (m sample, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return m, fmt.Errorf("soak needs a system that tells a process's memory and threads, such as Linux: %w", err)
	}
	number := func(name string) int64 {
		_, rest, _ := strings.Cut(string(status), "\n"+name+":")
		words := strings.Fields(rest)
		if len(words) == 0 {
			return 0
		}
		n, _ := strconv.ParseInt(words[0], 10, 64)
		return n
	}
	m.RSS, m.Threads = number("VmRSS")<<10, int(number("Threads"))
	if m.RSS == 0 || m.Threads == 0 {
		return m, errors.New("soak: /proc/self/status tells neither memory nor threads")
	}
	return m, nil
}

// What may grow without being a leak: the collector's whims, and threads that wait for system calls.
const (
	spareRSS     = 32 << 20
	sparePercent = 10
	spareThreads = 4
)

// soakView is the verdict, for JSON.
type soakView struct {
	Engine   string        `json:"engine"`
	OK       bool          `json:"ok"`
	Warm     time.Duration `json:"warm_up_ns"`
	Took     time.Duration `json:"ns"`
	Messages int64         `json:"messages"`
	Faults   int64         `json:"failed_stores"`
	Derefs   int64         `json:"nil_dereferences"`
	// RSS in bytes, and threads: the medians of the first and of the last quarter.
	RSS      [2]int64 `json:"rss_bytes"`
	Threads  [2]int64 `json:"threads"`
	Failures []string `json:"failures,omitempty"`
	Samples  []sample `json:"samples"`
}

func (s *soak) verdict() *soakView {
	v := &soakView{
		Warm: s.warm, Took: s.took, Messages: s.messages.Load(), Faults: s.faults.Load(), Derefs: s.derefs.Load(),
		Samples: s.samples, Failures: slices.Clone(s.failures),
	}
	const least = 8
	switch {
	case len(v.Failures) > 0:
		return v
	case len(s.samples) < least:
		v.Failures = append(v.Failures, fmt.Sprintf("%d samples are too few to tell whether memory grows: %s or more are needed", len(s.samples), least*s.every))
		return v
	case v.Messages == 0:
		v.Failures = append(v.Failures, "no message ran")
		return v
	}
	quarter := len(s.samples) / 4
	for i, part := range [][]sample{s.samples[:quarter], s.samples[len(s.samples)-quarter:]} {
		var rss, threads []int64
		for _, m := range part {
			rss, threads = append(rss, m.RSS), append(threads, int64(m.Threads))
		}
		slices.Sort(rss)
		slices.Sort(threads)
		v.RSS[i], v.Threads[i] = rss[len(rss)/2], threads[len(threads)/2]
	}
	if v.RSS[1] > v.RSS[0]+v.RSS[0]*sparePercent/100+spareRSS {
		v.Failures = append(v.Failures, fmt.Sprintf("memory grew from %d MB to %d MB", v.RSS[0]>>20, v.RSS[1]>>20))
	}
	if v.Threads[1] > v.Threads[0]+spareThreads {
		v.Failures = append(v.Failures, fmt.Sprintf("threads grew from %d to %d", v.Threads[0], v.Threads[1]))
	}
	v.OK = len(v.Failures) == 0
	return v
}

func (v *soakView) print(w io.Writer) error {
	g := newPage(w)
	const most = 20
	for i, f := range v.Failures {
		if i == most {
			g.line("and %d more", len(v.Failures)-most)
			break
		}
		g.line("%s %s", g.p.red("FAIL"), clean(f))
	}
	g.line("engine            %s", v.Engine)
	g.line("warm-up           %s", short(v.Warm))
	g.line("measured          %s", short(v.Took))
	g.line("messages          %s", grouped(v.Messages))
	g.line("failed stores     %s, each an error of the node and no receipt", grouped(v.Faults))
	g.line("nil dereferences  %s, each recovered", grouped(v.Derefs))
	if v.RSS[0] > 0 {
		g.line("memory            %d MB in the first quarter, %d MB in the last", v.RSS[0]>>20, v.RSS[1]>>20)
		g.line("threads           %d in the first quarter, %d in the last", v.Threads[0], v.Threads[1])
	}
	if v.OK {
		g.line("nothing leaks, nothing differs")
	}
	return g.err
}

// soakShow tells how a soak goes: on one line of a terminal, elsewhere with a line a minute.
type soakShow struct {
	w     io.Writer
	meter *meter
	said  time.Duration
}

func newSoakShow(w io.Writer) *soakShow {
	return &soakShow{w: w, meter: newMeter(w, 0), said: -time.Minute}
}

func (s *soakShow) warming(begun int64, files int) {
	s.meter.all = files
	s.meter.draw(int(begun), "warming up")
}

func (s *soakShow) running(m sample, of time.Duration, messages int64) {
	text := fmt.Sprintf("%s messages, %d MB, %d threads", grouped(messages), m.RSS>>20, m.Threads)
	if s.meter.on {
		s.meter.all = int(of.Seconds())
		s.meter.draw(min(int(m.At.Seconds()), s.meter.all), text)
	} else if m.At-s.said >= time.Minute {
		s.said = m.At
		fmt.Fprintf(s.w, "%s of %s: %s\n", m.At.Round(time.Second), of, text)
	}
}

func (s *soakShow) end() { s.meter.end() }
