package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/conformance"
	"github.com/edgefvm/fvm/oracle"
)

// timing is what one message took, the least of all rounds.
type timing struct {
	Vector  string        `json:"vector"`
	Message int           `json:"message"`
	Ours    time.Duration `json:"ns"`
	Theirs  time.Duration `json:"against_ns,omitempty"`
	Allocs  uint64        `json:"allocs"`
	Bytes   uint64        `json:"alloc_bytes"`
}

func newBench() *cobra.Command {
	var set setting
	var against string
	var rounds int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench PATH...",
		Short: "Time the messages of vectors, also against the reference",
		Long: `Runs every message of the vectors and prints how long applying one takes, with blocks in
memory and no tracing. A first round warms up, a second counts allocations, and the rest
are timed: a message's time is the least of these. With --against PROGRAM (an fvm-oracle,
which speaks JSON lines) the same vectors run there in the same rounds, one after the
other, and the last line is

  ratio p50 X p90 Y total Z

where X and Y are the median and the 90th percentile of our time / its time over the
messages, and Z is the sum of our times / the sum of its times. Without it the last line
says what was measured.`,
		Example: `  edgefvm bench conformance/testdata
  edgefvm bench --against ./fvm-oracle --rounds 5 conformance/testdata`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rounds < 1 {
				return usagef("--rounds must be at least 1")
			}
			files, err := findVectors(args)
			if err != nil {
				return err
			}
			engine, err := set.start()
			if err != nil {
				return err
			}
			defer engine.Close(context.WithoutCancel(cmd.Context()))
			b := &bench{cmd: cmd, actors: set.actors(cmd), engine: engine}
			if against != "" {
				if b.peer, err = oracle.Start(cmd.Context(), against); err != nil {
					return fmt.Errorf("--against: %w", err)
				}
				defer b.peer.Close()
				if err := b.giveBundles(&set, files); err != nil {
					return err
				}
			}
			if err := b.run(cmd.Context(), files, rounds); err != nil {
				return err
			}
			if asJSON {
				for _, s := range b.skipped {
					fmt.Fprintln(cmd.ErrOrStderr(), "left out:", s)
				}
				return writeJSON(cmd, b.timings)
			}
			return b.print(rounds)
		},
	}
	f := cmd.Flags()
	f.StringVar(&against, "against", "", "`program` of the reference to run the same vectors on")
	f.IntVar(&rounds, "rounds", 5, "rounds to time, after one to warm up and one to count")
	f.BoolVar(&asJSON, "json", false, "print each message's times as JSON, without the summary")
	set.flags(cmd)
	return cmd
}

type bench struct {
	cmd     *cobra.Command
	actors  *conformance.Actors
	engine  *fvm.Engine
	peer    *oracle.Client
	timings []timing
	vectors int      // that ran
	skipped []string // with the reason
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
	if len(b.timings) == 0 {
		for _, s := range b.skipped {
			fmt.Fprintln(b.cmd.ErrOrStderr(), "left out:", s)
		}
		return errors.New("nothing ran: name vector files, or folders with .json files")
	}
	return nil
}

// vector does a round to warm up, which compiles actors, one that counts allocations, then the timed ones.
func (b *bench) vector(ctx context.Context, v *conformance.Vector, rounds int) error {
	list := make([]timing, len(v.Receipts()))
	for round := range rounds + 1 {
		if round == 1 {
			if _, err := b.ours(ctx, v, list); err != nil {
				return err
			}
		}
		ours, err := b.ours(ctx, v, nil)
		if err != nil {
			return err
		}
		var theirs []time.Duration
		if b.peer != nil {
			if theirs, err = b.theirs(ctx, v.Path); err != nil {
				return err
			}
			if len(theirs) != len(ours) {
				return fmt.Errorf("the reference ran %d of %d messages", len(theirs), len(ours))
			}
		}
		if round == 0 {
			continue
		}
		for i := range list {
			least(&list[i].Ours, ours[i], round)
			if theirs != nil {
				least(&list[i].Theirs, theirs[i], round)
			}
		}
	}
	for i := range list {
		list[i].Vector, list[i].Message = v.Name, i
	}
	b.timings = append(b.timings, list...)
	b.vectors++
	return nil
}

func least(into *time.Duration, d time.Duration, round int) {
	if round == 1 || d < *into {
		*into = d
	}
}

// ours runs a vector once. If count is not nil it gets the allocations; times of such a round are no good, because counting stops the world.
func (b *bench) ours(ctx context.Context, v *conformance.Vector, count []timing) ([]time.Duration, error) {
	s, err := conformance.Prepare(ctx, v, 0, b.actors, b.engine, nil)
	if err != nil {
		return nil, err
	}
	times := make([]time.Duration, s.Len())
	var before, after runtime.MemStats
	for i := range times {
		if count != nil {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		_, err := s.Apply(ctx, i)
		times[i] = time.Since(start)
		if err != nil && !errors.Is(err, conformance.ErrNoReceipt) {
			return nil, err
		}
		if count != nil {
			runtime.ReadMemStats(&after)
			count[i].Allocs, count[i].Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
		}
	}
	return times, nil
}

func (b *bench) print(rounds int) error {
	g := newPage(b.cmd.OutOrStdout())
	for _, s := range b.skipped {
		g.line("left out: %s", clean(s))
	}
	var ours, theirs []time.Duration
	var allocs, bytes []uint64
	var ratios []float64
	var sumOurs, sumTheirs time.Duration
	var sumAllocs, sumBytes uint64
	for _, t := range b.timings {
		ours, allocs, bytes = append(ours, t.Ours), append(allocs, t.Allocs), append(bytes, t.Bytes)
		sumOurs, sumAllocs, sumBytes = sumOurs+t.Ours, sumAllocs+t.Allocs, sumBytes+t.Bytes
		if b.peer != nil && t.Theirs > 0 {
			theirs = append(theirs, t.Theirs)
			sumTheirs += t.Theirs
			ratios = append(ratios, float64(t.Ours)/float64(t.Theirs))
		}
	}
	row := func(name string, cells ...string) {
		line := padRight(name, 22)
		for _, c := range cells {
			line += padLeft(c, 14)
		}
		g.line("%s", line)
	}
	times := func(name string, list []time.Duration, sum time.Duration) {
		row(name, short(at(list, 50)), short(at(list, 90)), short(at(list, 100)), short(sum))
	}
	counts := func(name string, list []uint64, sum uint64) {
		row(name, grouped(at(list, 50)), grouped(at(list, 90)), grouped(at(list, 100)), grouped(sum))
	}
	row("a message", "p50", "p90", "max", "total")
	times("time", ours, sumOurs)
	if len(theirs) > 0 {
		times("time of the reference", theirs, sumTheirs)
	}
	counts("allocations", allocs, sumAllocs)
	counts("bytes allocated", bytes, sumBytes)
	what := fmt.Sprintf("%d %s of %d %s on %s, least of %d %s", len(b.timings), plural(len(b.timings), "message"), b.vectors, plural(b.vectors, "vector"), b.engine.Name(), rounds, plural(rounds, "round"))
	if len(ratios) == 0 {
		g.line("measured %s: p50 %s, total %s", what, short(at(ours, 50)), short(sumOurs))
		return g.err
	}
	g.line("measured %s", what)
	g.line("ratio p50 %.2f p90 %.2f total %.2f", at(ratios, 50), at(ratios, 90), float64(sumOurs)/float64(sumTheirs))
	return g.err
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
