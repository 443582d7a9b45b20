package laboratory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/lab/bench"
	"github.com/edgefvm/fvm/lab/bench/chart"
)

// benching is the command line of bench.
type benching struct {
	kit.Setting
	against string
	rounds  int
	asJSON  bool
	phases  bool
	svg     string
	cold    bool
}

func newBench() *cobra.Command {
	var b benching
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
			switch {
			case b.rounds < 1:
				return kit.Usagef("--rounds must be at least 1")
			case b.svg != "" && b.against == "":
				return kit.Usagef("--svg draws ratios: it needs --against")
			case b.svg != "" && b.cold:
				return kit.Usagef("--svg draws no cold processes")
			}
			files, err := kit.FindVectors(args)
			if err != nil {
				return err
			}
			if b.cold {
				return b.runCold(cmd, files)
			}
			return b.runWarm(cmd, files)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.against, "against", "", "`program` of the reference to run the same vectors on")
	f.IntVar(&b.rounds, "rounds", 5, "rounds to time, after one to warm up and one to count")
	f.BoolVar(&b.asJSON, "json", false, "print each message's times as JSON, without the summary")
	f.BoolVar(&b.phases, "phases", true, "tell where the time goes, by further rounds with clocks in them")
	f.StringVar(&b.svg, "svg", "", "`file` for a chart of the ratio by message")
	f.BoolVar(&b.cold, "cold", false, "time new processes instead: from their start to the first receipt of each vector")
	b.Flags(cmd)
	f.Lookup("engine").Usage += "; several with commas between them take turns"
	return cmd
}

// code is where the reference has actors from.
func (b *benching) code(cmd *cobra.Command) bench.Code {
	return bench.Code{CARs: b.CARs, Bundles: b.BundleOptions(cmd)}
}

func (b *benching) runWarm(cmd *cobra.Command, files []string) error {
	opts := bench.Options{Actors: b.Actors(cmd), Rounds: b.rounds, Phases: b.phases}
	names := strings.Split(b.Engine, ",")
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return kit.Usagef("--engine names %s twice", name)
		}
	}
	engines, end, err := b.StartAll(cmd.Context())
	if err != nil {
		return err
	}
	defer end()
	for i, name := range names {
		opts.Engines = append(opts.Engines, bench.Contender{Name: name, Engine: engines[i]})
	}
	if b.against != "" {
		reference, err := bench.StartOracle(cmd.Context(), b.against, files, b.code(cmd))
		if err != nil {
			return fmt.Errorf("--against: %w", err)
		}
		defer reference.Close()
		opts.Reference = reference
	}
	progress := term.NewProgress(cmd.ErrOrStderr())
	opts.Progress = progress.Bar
	r, err := bench.Time(cmd.Context(), files, opts)
	progress.End()
	stopped := cmd.Context().Err() != nil && r.Vectors > 0 // what was measured is told
	if b.asJSON || err != nil && !stopped {
		for _, l := range r.Left {
			fmt.Fprintln(cmd.ErrOrStderr(), "left out:", term.OneLine(l.String()))
		}
	}
	switch {
	case errors.Is(err, bench.ErrNothingRan):
		return fmt.Errorf("%w: name vector files, or folders with .json files", err)
	case err != nil && !stopped:
		return err
	}
	if b.svg != "" {
		err := wholefile.Write(b.svg, func(w io.Writer) error {
			_, err := w.Write(chart.Draw(r))
			return err
		})
		if err != nil {
			return fmt.Errorf("--svg %s: %w", b.svg, err)
		}
	}
	g := term.NewPage(cmd.OutOrStdout())
	if b.asJSON {
		var all []bench.Timing
		for _, e := range r.Engines {
			all = append(all, e.Timings...)
		}
		if err := kit.WriteJSON(cmd, all); err != nil {
			return err
		}
		g = term.NewPage(cmd.ErrOrStderr())
	} else {
		printBench(g, r)
	}
	if stopped {
		g.Line("Interrupted: %d of %d vectors ran.", r.Vectors+len(r.Left), len(files))
	}
	return kit.Verdict(g.Err, stopped, true)
}

// firstReceiptUse names the hidden command that is a cold process: it ends with the first receipt of a vector.
const firstReceiptUse = "first-receipt"

// newFirstReceipt is the process that bench --cold starts and times.
func newFirstReceipt() *cobra.Command {
	var set kit.Setting
	cmd := &cobra.Command{
		Use: firstReceiptUse + " VECTOR", Hidden: true, Args: cobra.ExactArgs(1),
		Short:   "Run a vector up to its first receipt",
		Long:    "Runs a vector up to its first receipt and prints the exit code and the gas: the process\nthat bench --cold times.",
		Example: "  edgefvm first-receipt lab/conformance/testdata/nv28-send-001.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := set.Start()
			if err != nil {
				return err
			}
			defer e.Close(context.WithoutCancel(cmd.Context()))
			return bench.FirstReceipt(cmd.Context(), cmd.OutOrStdout(), args[0], set.Actors(cmd), e)
		},
	}
	set.Flags(cmd)
	return cmd
}

func (b *benching) runCold(cmd *cobra.Command, files []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	progress := term.NewProgress(cmd.ErrOrStderr())
	list, err := bench.Cold(cmd.Context(), files, bench.ColdOptions{
		Engines: strings.Split(b.Engine, ","), Rounds: b.rounds, Reference: b.against, Code: b.code(cmd), Progress: progress.Bar,
		Command: func(ctx context.Context, engine, path string) *exec.Cmd {
			return exec.CommandContext(ctx, self, b.coldArgs(engine, path)...)
		},
	})
	progress.End()
	if err != nil {
		return err
	}
	if b.asJSON {
		return kit.WriteJSON(cmd, list)
	}
	g := term.NewPage(cmd.OutOrStdout())
	printCold(g, list, b.rounds)
	return g.Err
}

// coldArgs are a cold process's: the same setting, on one engine and one vector.
func (b *benching) coldArgs(engine, path string) []string {
	args := []string{firstReceiptUse, "--engine", engine}
	for _, f := range []struct{ name, value string }{{"--cache", b.CacheDir}, {"--bundles", b.Bundles}} {
		if f.value != "" {
			args = append(args, f.name, f.value)
		}
	}
	if b.NoCache {
		args = append(args, "--no-cache")
	}
	for _, car := range b.CARs {
		args = append(args, "--bundle", car)
	}
	return append(args, path)
}
