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
		Long: `Runs every message of the vectors and prints how long applying one takes, after a
round for warming up, with blocks in memory and no tracing. A message's time is the
least of all rounds. With --against PROGRAM (an fvm-oracle, which speaks JSON lines)
the same vectors run there in the same rounds, one after the other, and the last line is

  ratio p50 X p90 Y total Z

where X and Y are the median and the 90th percentile of our time / its time over the
messages, and Z is the sum of our times / the sum of its times.`,
		Example: `  edgefvm bench conformance/testdata
  edgefvm bench --against ./fvm-oracle --rounds 5 conformance/testdata`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rounds < 1 {
				return usagef("--rounds must be at least 1")
			}
			files, err := conformance.Find(args...)
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
				if b.peer, err = startPeer(cmd.Context(), against); err != nil {
					return err
				}
				defer b.peer.close()
				if err := b.giveBundles(&set, files); err != nil {
					return err
				}
			}
			if err := b.run(cmd.Context(), files, rounds); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd, b.timings)
			}
			return b.print()
		},
	}
	f := cmd.Flags()
	f.StringVar(&against, "against", "", "`program` of the reference to run the same vectors on")
	f.IntVar(&rounds, "rounds", 5, "rounds to time, after one to warm up")
	f.BoolVar(&asJSON, "json", false, "print each message's times as JSON, without the summary")
	set.flags(cmd)
	return cmd
}

type bench struct {
	cmd     *cobra.Command
	actors  *conformance.Actors
	engine  *fvm.Engine
	peer    *peer
	timings []timing
	skipped []string
}

// run does a round to warm up, which also counts allocations, then the timed ones.
func (b *bench) run(ctx context.Context, files []string, rounds int) error {
	tty := isTerminal(b.cmd.ErrOrStderr())
	for i, path := range files {
		if tty {
			fmt.Fprintf(b.cmd.ErrOrStderr(), "\r\x1b[K%d/%d %s", i+1, len(files), cut(path, 60))
		}
		v, err := conformance.Load(path)
		if err != nil {
			return err
		}
		if err := b.vector(ctx, v, rounds); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.skipped = append(b.skipped, fmt.Sprintf("%s: %v", path, err))
		}
	}
	if tty {
		fmt.Fprint(b.cmd.ErrOrStderr(), "\r\x1b[K")
	}
	if len(b.timings) == 0 {
		for _, s := range b.skipped {
			fmt.Fprintln(b.cmd.ErrOrStderr(), s)
		}
		return errors.New("nothing ran")
	}
	return nil
}

func (b *bench) vector(ctx context.Context, v *conformance.Vector, rounds int) error {
	list := make([]timing, len(v.Receipts()))
	for round := range rounds + 1 {
		ours, err := b.ours(ctx, v, list, round == 0)
		if err != nil {
			return err
		}
		var theirs []time.Duration
		if b.peer != nil {
			if theirs, err = b.peer.run(v.Path); err != nil {
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
	return nil
}

func least(into *time.Duration, d time.Duration, round int) {
	if round == 1 || d < *into {
		*into = d
	}
}

// ours runs a vector once. Counting stops the world, so counted rounds are not timed.
func (b *bench) ours(ctx context.Context, v *conformance.Vector, list []timing, count bool) ([]time.Duration, error) {
	s, err := conformance.Prepare(ctx, v, 0, b.actors, b.engine, nil)
	if err != nil {
		return nil, err
	}
	times := make([]time.Duration, s.Len())
	var before, after runtime.MemStats
	for i := range times {
		if count {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		_, err := s.Apply(ctx, i)
		times[i] = time.Since(start)
		if err != nil && !errors.Is(err, conformance.ErrNoReceipt) {
			return nil, err
		}
		if count {
			runtime.ReadMemStats(&after)
			list[i].Allocs, list[i].Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
		}
	}
	return times, nil
}

func (b *bench) print() error {
	g := &page{w: b.cmd.OutOrStdout(), p: newPainter(b.cmd.OutOrStdout())}
	for _, s := range b.skipped {
		g.line("left out: %s", s)
	}
	var ours, theirs []time.Duration
	var allocs, bytes []uint64
	var ratios []float64
	var sumOurs, sumTheirs time.Duration
	for _, t := range b.timings {
		ours, allocs, bytes = append(ours, t.Ours), append(allocs, t.Allocs), append(bytes, t.Bytes)
		sumOurs += t.Ours
		if b.peer != nil && t.Theirs > 0 {
			theirs = append(theirs, t.Theirs)
			sumTheirs += t.Theirs
			ratios = append(ratios, float64(t.Ours)/float64(t.Theirs))
		}
	}
	g.line("%d messages on %s", len(b.timings), b.engine.Name())
	times := func(name string, list []time.Duration, sum time.Duration) {
		g.line("%s p50 %s  p90 %s  max %s  total %s", padRight(name, 22), padLeft(short(at(list, 50)), 9), padLeft(short(at(list, 90)), 9), padLeft(short(at(list, 100)), 9), short(sum))
	}
	times("time", ours, sumOurs)
	if len(theirs) > 0 {
		times("time of the reference", theirs, sumTheirs)
	}
	g.line("%s p50 %s  p90 %s  max %s", padRight("allocations", 22), padLeft(grouped(at(allocs, 50)), 9), padLeft(grouped(at(allocs, 90)), 9), padLeft(grouped(at(allocs, 100)), 9))
	g.line("%s p50 %s  p90 %s  max %s", padRight("bytes allocated", 22), padLeft(grouped(at(bytes, 50)), 9), padLeft(grouped(at(bytes, 90)), 9), padLeft(grouped(at(bytes, 100)), 9))
	if len(ratios) > 0 {
		g.line("ratio p50 %.2f p90 %.2f total %.2f", at(ratios, 50), at(ratios, 90), float64(sumOurs)/float64(sumTheirs))
	}
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
