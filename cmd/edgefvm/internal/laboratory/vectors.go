package laboratory

import (
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/conformance"
)

func newVectors() *cobra.Command {
	return kit.Group("vectors", "Run conformance vectors, and compare with what they expect", newVectorsRun())
}

// mostCompiled is how many modules vectors have compiled at a time: each takes up to half a gigabyte.
const mostCompiled = 4

func newVectorsRun() *cobra.Command {
	var set lockStep
	var asJSON, noTrace bool
	var jobs, most int
	var traces string
	cmd := &cobra.Command{
		Use:   "run PATH...",
		Short: "Run vector files, and all .json files below folders",
		Long: `Runs conformance vectors and compares exit code, return data, gas, events root, fees,
state root and, where a vector has one, the trace charge by charge. The last line is
"N passed, N failed, N skipped" (with --json on standard error). Vectors on the list of
skips are run too: one that passes is a failure. Running nothing is a failure. Traces
that are named are passed over; a vector finds its own. Interrupted, it says what it did.

With several engines each vector runs on all of them in lock-step, and result, gas, trace
and state root are compared after every message. A difference fails the vector and says
which engine differs, in which message, and in what; with --differences it leaves a bundle
that 'edgefvm explain' opens and that runs as any vector.`,
		Example: `  edgefvm vectors run lab/conformance/testdata
  edgefvm vectors run --jobs 4 --traces ../shared/vectors-traces ../shared/vectors/0002-hygge-01
  edgefvm vectors run --engine wazero,wazero-interpreter --differences found lab/conformance/testdata
  edgefvm vectors run --json nv28-multisig-007.json | jq .outcomes[0]`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if jobs < 1 {
				return kit.Usagef("--jobs must be at least 1")
			}
			files, err := kit.FindVectors(args)
			if err != nil {
				return err
			}
			// On an engine that waits for machine code each vector at work may wait for a module.
			set.Jobs = min(jobs, mostCompiled)
			opts, end, err := set.options(cmd)
			if err != nil {
				return err
			}
			defer end()
			bar := &verdicts{Progress: term.NewProgress(cmd.ErrOrStderr())}
			opts.Jobs, opts.TraceDir, opts.NoTrace, opts.Progress = jobs, traces, noTrace, bar.step
			rep, err := conformance.Run(cmd.Context(), files, opts)
			bar.End()
			stopped := err != nil
			if stopped && cmd.Context().Err() == nil {
				return err
			}
			if asJSON {
				if err := kit.WriteJSON(cmd, rep); err != nil {
					return err
				}
				g := term.NewPage(cmd.ErrOrStderr())
				g.Lines(set.tallies())
				printLast(g, rep, stopped)
				err = g.Err
			} else {
				err = printReport(cmd.OutOrStdout(), rep, most, stopped, set.tallies())
			}
			return kit.Verdict(err, stopped, rep.OK())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON instead of tables")
	f.BoolVar(&noTrace, "no-trace", false, "do not compare traces")
	f.IntVarP(&jobs, "jobs", "j", runtime.GOMAXPROCS(0), "vectors to run at once, and modules to compile at once, those at most 4")
	f.IntVar(&most, "failures", 50, "failures to print in full")
	f.StringVar(&traces, "traces", "", "`folder` with NAME.trace.json.gz for vectors that name no trace")
	set.flags(cmd)
	return cmd
}

// printReport ends with the line that scripts read.
func printReport(w io.Writer, rep *conformance.Report, most int, stopped bool, tallies []string) error {
	g := term.NewPage(w)
	printFailures(g, rep, most)
	printSkips(g, rep)
	printTable(g, rep)
	g.Lines(tallies)
	printLast(g, rep, stopped)
	return g.Err
}

// printLast is the verdict, after a word on why a run is no success although nothing failed.
func printLast(g *layout.Page, rep *conformance.Report, stopped bool) {
	switch {
	case stopped:
		paths := map[string]bool{}
		for _, o := range rep.Outcomes {
			paths[o.Path] = true
		}
		g.Line("Interrupted: %d of %d vectors ran.", len(paths), rep.Files)
	case len(rep.Outcomes) == 0:
		g.Line("Nothing ran: no vector was found. Name vector files, or folders with .json files.")
	case rep.Passed+rep.Failed == 0:
		g.Line("Nothing ran: every vector is on the list of skips.")
	}
	g.Line("%s", summary(rep))
}

func summary(rep *conformance.Report) string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", rep.Passed, rep.Failed, rep.Skipped)
}

func printFailures(g *layout.Page, rep *conformance.Report, most int) {
	shown := 0
	for _, o := range rep.Outcomes {
		if o.Status != conformance.Failed {
			continue
		}
		if shown++; shown > most {
			continue
		}
		variant := ""
		if o.Variant != "" {
			variant = " (" + o.Variant + ")"
		}
		g.Line("%s %s%s", g.P.Red("FAIL"), layout.Clean(o.Path), layout.Clean(variant))
		for _, d := range o.Differences {
			g.Line("     %s", layout.Clean(d.String()))
		}
		if o.Error != "" {
			g.Line("     %s", layout.Clean(o.Error))
		}
	}
	if shown > most {
		g.Line("and %d more %s (--failures N shows them)", shown-most, layout.Plural(shown-most, "failure"))
	}
	if shown > 0 {
		g.Line("")
	}
}

// printSkips tells why, once for each reason.
func printSkips(g *layout.Page, rep *conformance.Report) {
	counts := map[string]int{}
	var reasons []string
	for _, o := range rep.Outcomes {
		if o.Status == conformance.Skipped {
			if counts[o.Reason]++; counts[o.Reason] == 1 {
				reasons = append(reasons, o.Reason)
			}
		}
	}
	for _, r := range reasons {
		g.Line("skipped %d: %s", counts[r], r)
	}
	if len(reasons) > 0 {
		g.Line("")
	}
}

// printTable counts by scenario and network version: "12" all passed, "11/12" one failed, "-" skipped.
func printTable(g *layout.Page, rep *conformance.Report) {
	if len(rep.Outcomes) == 0 {
		return
	}
	type cell struct{ passed, failed, skipped int }
	cells := map[string]map[network.Version]*cell{}
	sums := map[network.Version]*cell{}
	var scenarios []string
	add := func(c *cell, s conformance.Status) {
		switch s {
		case conformance.Passed:
			c.passed++
		case conformance.Skipped:
			c.skipped++
		default:
			c.failed++
		}
	}
	for _, o := range rep.Outcomes {
		row := cells[o.Scenario]
		if row == nil {
			row = map[network.Version]*cell{}
			cells[o.Scenario] = row
			scenarios = append(scenarios, o.Scenario)
		}
		for _, m := range []map[network.Version]*cell{row, sums} {
			if m[o.NV] == nil {
				m[o.NV] = new(cell)
			}
			add(m[o.NV], o.Status)
		}
	}
	slices.Sort(scenarios)
	nvs := rep.NVs()
	first := 8
	for _, s := range scenarios {
		first = max(first, len(s))
	}
	wide := 8
	if first+wide*len(nvs) > g.Columns {
		wide = 6
	}
	show := func(c *cell) string {
		switch {
		case c == nil:
			return g.P.Dim("·")
		case c.failed > 0:
			return g.P.Red(fmt.Sprintf("%d/%d", c.passed, c.passed+c.failed))
		case c.passed == 0:
			return g.P.Dim("-")
		}
		return fmt.Sprint(c.passed)
	}
	row := func(name string, m map[network.Version]*cell) {
		line := layout.PadRight(name, first)
		for _, nv := range nvs {
			line += layout.PadLeft(show(m[nv]), wide)
		}
		g.Line("%s", line)
	}
	head := layout.PadRight("scenario", first)
	for _, nv := range nvs {
		name := fmt.Sprintf("nv%d", nv)
		if nv == 0 {
			name = "none" // of an unreadable file
		}
		head += layout.PadLeft(name, wide)
	}
	g.Line("%s", g.P.Bold(head))
	for _, s := range scenarios {
		row(s, cells[s])
	}
	row("all", sums)
	g.Line("")
}

// verdicts is a bar for vectors.
type verdicts struct {
	*term.Progress
	failed int
}

func (b *verdicts) step(done, files int, o *conformance.Outcome) {
	if o.Status == conformance.Failed {
		b.failed++
	}
	b.Bar(done, files, fmt.Sprintf("%d failed  %s", b.failed, o.Name))
}
