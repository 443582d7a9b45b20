package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

// timing is what one message took on one engine: the least and the median of all rounds.
type timing struct {
	Engine       string          `json:"engine"`
	Vector       string          `json:"vector"`
	Scenario     string          `json:"scenario"`
	NV           network.Version `json:"nv"`
	Message      int             `json:"message"`
	ExitCode     int64           `json:"exit_code"`
	Gas          int64           `json:"gas"`
	Ours         time.Duration   `json:"ns"`
	Median       time.Duration   `json:"median_ns"`
	Theirs       time.Duration   `json:"against_ns,omitempty"`
	TheirsMedian time.Duration   `json:"against_median_ns,omitempty"`
	Allocs       uint64          `json:"allocs"`
	Bytes        uint64          `json:"alloc_bytes"`
	// Phases are of a run with clocks in it. Flush, once a vector, is with the vector's last message.
	Phases phases `json:"phases_ns,omitempty"`
	// Hashing of the blocks that the message's actors made, not of those of the flush. It is in other phases too.
	Hashing time.Duration `json:"hashing_ns,omitempty"`
}

// ratio is our least time over that of the reference; 0 if it gave none.
func (t *timing) ratio() float64 {
	if t.Theirs <= 0 {
		return 0
	}
	return float64(t.Ours) / float64(t.Theirs)
}

type benchFlags struct {
	set     setting
	against string
	rounds  int
	json    bool
	phases  bool
	svg     string
	cold    bool
}

func newBench() *cobra.Command {
	var fl benchFlags
	cmd := &cobra.Command{
		Use:   "bench PATH...",
		Short: "Time the messages of vectors, also against the reference",
		Long: `Runs every message of the vectors and prints how long applying one takes, with blocks in
memory and no tracing. A first round warms up, a second counts allocations, and the rest
are timed: a message's time is the least of these. --engine may name several engines, with
commas between them. With --against PROGRAM (an fvm-oracle, which speaks JSON lines) the
same vectors run there too. All of them take turns in every round. It prints, by scenario
and by network version, our time / its time, gas a nanosecond (the network's prices are
made for 10) and allocations; then where the time goes by phase, from further rounds with
clocks in them, which the ratios do not come from (--phases=false leaves these out). The
last line of each engine is

  ratio p50 X p90 Y total Z

where X and Y are the median and the 90th percentile of our time / its time over the
messages, and Z is the sum of our times / the sum of its times. Without --against the last
line says what was measured.

With --cold it starts a process for each engine, vector and round instead, and times it from
its start to the first receipt; a first round warms the caches of compiled code.`,
		Example: `  edgefvm bench lab/conformance/testdata
  edgefvm bench --cold --engine wazero lab/conformance/testdata/nv28-send-001.json
  edgefvm bench --against ./fvm-oracle --rounds 5 --svg ratio.svg lab/conformance/testdata`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if fl.rounds < 1 {
				return usagef("--rounds must be at least 1")
			}
			if fl.svg != "" && fl.against == "" {
				return usagef("--svg draws ratios: it needs --against")
			}
			if fl.svg != "" && fl.cold {
				return usagef("--svg draws no cold processes")
			}
			files, err := findVectors(args)
			if err != nil {
				return err
			}
			if fl.cold {
				return benchCold(cmd, &fl, files)
			}
			return benchWarm(cmd, &fl, files)
		},
	}
	f := cmd.Flags()
	f.StringVar(&fl.against, "against", "", "`program` of the reference to run the same vectors on")
	f.IntVar(&fl.rounds, "rounds", 5, "rounds to time, after one to warm up and one to count")
	f.BoolVar(&fl.json, "json", false, "print each message's times as JSON, without the summary")
	f.BoolVar(&fl.phases, "phases", true, "tell where the time goes, by further rounds with clocks in them")
	f.StringVar(&fl.svg, "svg", "", "`file` for a chart of the ratio by message")
	f.BoolVar(&fl.cold, "cold", false, "time new processes instead: from their start to the first receipt of each vector")
	fl.set.flags(cmd)
	f.Lookup("engine").Usage += "; several with commas between them take turns"
	return cmd
}

// contender is an engine that takes part.
type contender struct {
	name   string
	engine *fvm.Engine
	// The same engine with a probe around it; nil if phases are not asked for.
	probe   *probe
	probed  *fvm.Engine
	timings []timing
}

type bench struct {
	cmd     *cobra.Command
	actors  *vector.Actors
	engines []*contender
	peer    *oracle.Client
	vectors int      // that ran
	skipped []string // with the reason
}

func benchWarm(cmd *cobra.Command, fl *benchFlags, files []string) (err error) {
	b := &bench{cmd: cmd, actors: fl.set.actors(cmd)}
	defer b.close()
	for _, name := range strings.Split(fl.set.engine, ",") {
		if err := b.open(fl, name); err != nil {
			return err
		}
	}
	if fl.against != "" {
		if b.peer, err = oracle.Start(cmd.Context(), fl.against); err != nil {
			return fmt.Errorf("--against: %w", err)
		}
		defer b.peer.Close()
		if err := b.giveBundles(&fl.set, files); err != nil {
			return err
		}
	}
	if err := b.run(cmd.Context(), files, fl.rounds); err != nil {
		return err
	}
	if fl.svg != "" {
		if err := b.draw(fl.svg); err != nil {
			return err
		}
	}
	if fl.json {
		for _, s := range b.skipped {
			fmt.Fprintln(cmd.ErrOrStderr(), "left out:", s)
		}
		var all []timing
		for _, c := range b.engines {
			all = append(all, c.timings...)
		}
		return writeJSON(cmd, all)
	}
	return b.print(fl.rounds)
}

func (b *bench) open(fl *benchFlags, name string) error {
	if slices.ContainsFunc(b.engines, func(c *contender) bool { return c.name == name }) {
		return usagef("--engine names %s twice", name)
	}
	one := fl.set
	one.engine = name
	e, err := one.start()
	if err != nil {
		return err
	}
	c := &contender{name: name, engine: e}
	if fl.phases {
		c.probe = newProbe()
		c.probed = e.Around(c.probe.engine)
	}
	b.engines = append(b.engines, c)
	return nil
}

func (b *bench) close() {
	for _, c := range b.engines {
		_ = c.engine.Close(context.WithoutCancel(b.cmd.Context()))
	}
}

// run measures one vector after the other.
func (b *bench) run(ctx context.Context, files []string, rounds int) error {
	tty := isTerminal(b.cmd.ErrOrStderr())
	for i, path := range files {
		if tty {
			fmt.Fprintf(b.cmd.ErrOrStderr(), "\r\x1b[K%d/%d %s", i+1, len(files), cut(clean(path), 60))
		}
		v, err := conformance.Load(path)
		if err != nil {
			return err
		}
		if err := b.vector(ctx, v, rounds); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%w after %d of %d vectors", ctx.Err(), i, len(files))
			}
			b.skipped = append(b.skipped, fmt.Sprintf("%s: %v", path, err))
		}
	}
	if tty {
		fmt.Fprint(b.cmd.ErrOrStderr(), "\r\x1b[K")
	}
	if b.vectors == 0 {
		for _, s := range b.skipped {
			fmt.Fprintln(b.cmd.ErrOrStderr(), "left out:", s)
		}
		return errors.New("nothing ran: name vector files, or folders with .json files")
	}
	return nil
}

// vector does a round to warm up, which compiles actors, one that counts allocations, then the timed ones, and
// then those with clocks in them.
func (b *bench) vector(ctx context.Context, v *vector.Vector, rounds int) error {
	lists := make([][]timing, len(b.engines))
	ours := make([][][]time.Duration, len(b.engines)) // by engine, round, message
	var theirs [][]time.Duration
	for i, c := range b.engines {
		lists[i] = make([]timing, len(v.Receipts()))
		if _, err := b.ours(ctx, v, c.engine, nil); err != nil { // a message's allocations are not those of compiling
			return err
		}
		if _, err := b.ours(ctx, v, c.engine, lists[i]); err != nil {
			return err
		}
	}
	for round := range rounds + 1 {
		for i, c := range b.engines {
			times, err := b.ours(ctx, v, c.engine, nil)
			if err != nil {
				return err
			}
			if round > 0 {
				ours[i] = append(ours[i], times)
			}
		}
		if b.peer == nil {
			continue
		}
		times, err := b.theirs(ctx, v.Path)
		if err != nil {
			return err
		}
		if len(times) != len(v.Receipts()) {
			return fmt.Errorf("the reference ran %d of %d messages", len(times), len(v.Receipts()))
		}
		if round > 0 {
			theirs = append(theirs, times)
		}
	}
	for i, c := range b.engines {
		for m := range lists[i] {
			t := &lists[i][m]
			t.Engine, t.Vector, t.Scenario, t.NV, t.Message = c.name, v.Name, v.Scenario(), v.Variants()[0].NV, m
			t.Ours, t.Median = ofRounds(ours[i], m)
			if theirs != nil {
				t.Theirs, t.TheirsMedian = ofRounds(theirs, m)
			}
		}
		if c.probe != nil {
			if err := b.phases(ctx, v, c, lists[i]); err != nil {
				return err
			}
		}
	}
	for i, c := range b.engines {
		c.timings = append(c.timings, lists[i]...)
	}
	b.vectors++
	return nil
}

// ofRounds is the least and the median of what a message took.
func ofRounds(rounds [][]time.Duration, message int) (least, median time.Duration) {
	var list []time.Duration
	for _, r := range rounds {
		list = append(list, r[message])
	}
	return slices.Min(list), at(list, 50)
}

// ours runs a vector once. If count is not nil it gets gas and the allocations; times of such a round are no good, because counting stops the world.
func (b *bench) ours(ctx context.Context, v *vector.Vector, e *fvm.Engine, count []timing) ([]time.Duration, error) {
	s, err := vector.Prepare(ctx, v, 0, b.actors, e, nil)
	if err != nil {
		return nil, err
	}
	times := make([]time.Duration, s.Len())
	var before, after runtime.MemStats
	for i := range times {
		msg, kind, length, err := s.Decode(i)
		if err != nil {
			continue // neither side has a time for it
		}
		if count != nil {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		res, err := s.Execute(ctx, msg, kind, length)
		times[i] = time.Since(start)
		if err != nil && !errors.Is(err, vector.ErrNoReceipt) {
			return nil, err
		}
		if count != nil {
			runtime.ReadMemStats(&after)
			count[i].Allocs, count[i].Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
			if res != nil {
				count[i].Gas, count[i].ExitCode = res.GasUsed, int64(res.ExitCode)
			}
		}
	}
	return times, nil
}

// probeRounds is how often a vector runs with clocks in it, after one round to warm up. The quickest counts.
const probeRounds = 3

// phases runs a vector with the probe.
func (b *bench) phases(ctx context.Context, v *vector.Vector, c *contender, into []timing) error {
	for round := range probeRounds + 1 {
		var made phasesOf
		if err := made.run(ctx, v, b.actors, c); err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		for i := range into {
			if got := made.messages[i]; into[i].Phases == nil || got.total() < into[i].Phases.total() {
				into[i].Phases, into[i].Hashing = got, made.hashing[i]
			}
		}
	}
	return nil
}

// phasesOf is one run of a vector with a probe.
type phasesOf struct {
	messages []phases
	hashing  []time.Duration
}

func (r *phasesOf) run(ctx context.Context, v *vector.Vector, actors *vector.Actors, c *contender) error {
	p := c.probe
	opts := conformance.Options{Actors: actors, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		cfg.Engine, cfg.Blockstore = c.probed, newProbedStore(cfg.Blockstore, p)
		return fvm.New(ctx, cfg)
	}}
	s, err := opts.Prepare(ctx, v, 0, p.hooks())
	if err != nil {
		return err
	}
	for i := range s.Len() {
		p.made = p.made[:0]
		msg, kind, length, err := s.Decode(i)
		if err != nil {
			r.messages = append(r.messages, phases{})
			r.hashing = append(r.hashing, 0)
			continue
		}
		r.messages = append(r.messages, p.measure(phasePreflight, func() { _, err = s.Execute(ctx, msg, kind, length) }))
		if err != nil && !errors.Is(err, vector.ErrNoReceipt) {
			return err
		}
		r.hashing = append(r.hashing, hashing(p.made))
	}
	flush := p.measure(phaseFlush, func() { _, err = s.Flush(ctx) })
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	r.messages[s.Len()-1].add(flush)
	return nil
}

// at is a percentile of a list, by the nearest rank.
func at[T int | uint64 | float64 | time.Duration](list []T, percent int) T {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// draw writes the chart.
func (b *bench) draw(path string) error {
	var lines []ratios
	for _, c := range b.engines {
		l := ratios{engine: c.name}
		for i := range c.timings {
			if r := c.timings[i].ratio(); r > 0 {
				l.points = append(l.points, ratioOf{&c.timings[i], r})
			}
		}
		lines = append(lines, l)
	}
	return os.WriteFile(path, drawRatios(lines, b.vectors), 0o644)
}
