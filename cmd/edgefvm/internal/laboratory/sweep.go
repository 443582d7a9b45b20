package laboratory

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/sweep"
)

// sweepReport is the outcome of a sweep, for JSON.
type sweepReport struct {
	Vectors  []sweep.Outcome `json:"vectors"`
	Messages int             `json:"messages"`
	Charges  int             `json:"charges"`
	Runs     int             `json:"runs"`
	Passed   int             `json:"passed"`
	Failed   int             `json:"failed"`
	Unjudged int             `json:"unjudged"`
	Skipped  int             `json:"skipped"`
	// Partly are messages of which not every charge was swept.
	Partly int `json:"partly"`
	// Gone are runs without a receipt on both sides.
	Gone int `json:"gone"`
}

func newSweep() *cobra.Command {
	var set kit.Setting
	var program, dir string
	var most, jobs, failures int
	var asJSON, alone, faults bool
	cmd := &cobra.Command{
		Use:   "sweep PATH...",
		Short: "Run messages again with the gas cut at every charge, and compare with the reference",
		Long: `Takes each message of the vectors, on the state before it, and runs it again with its gas
limit one below, at, and one above each charge point of its trace, on every engine and on
the reference. Receipts, fees, events and state roots must be equal. The last line is
"N passed, N failed, N skipped", which counts runs, and vectors that cannot be swept. Runs that
need a block which a vector lacks, and then differ, have no right answer: they count as skipped too.

With --faults the node fails instead: its blockstore, its externs, its verifier of proofs, at the
first call, the second, and so on. Each must end in an error that names the failure and in no
receipt, with a machine that refuses further use and a store as good as before. This needs no
reference.`,
		Example: `  edgefvm sweep lab/conformance/testdata/nv28-multisig-007.json
  edgefvm sweep --most 20 --dir sweep lab/conformance/testdata
  edgefvm sweep --faults lab/conformance/testdata/nv28-onboard-035.json
  edgefvm sweep --no-oracle --engine wazero,wazero-interpreter lab/conformance/testdata/nv18-send-001.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if jobs < 1 || most < 0 {
				return kit.Usagef("--jobs must be at least 1, and --most at least 0")
			}
			files, err := kit.FindVectors(args)
			if err != nil {
				return err
			}
			opts := sweep.Options{Actors: set.Actors(cmd), Most: most, Jobs: jobs, Dir: dir}
			if !alone && !faults {
				if opts.Oracle, err = findOracle(program); err != nil {
					return err
				}
			}
			var end func()
			if opts.Engines, end, err = set.StartAll(cmd.Context()); err != nil {
				return err
			}
			defer end()
			if alone && len(opts.Engines) < 2 {
				return kit.Usagef("--no-oracle needs two engines, with a comma between them")
			}
			progress := term.NewProgress(cmd.ErrOrStderr())
			opts.Progress = showSweep(progress)
			run := sweep.Run
			if faults {
				run = sweep.Faults
			}
			list, err := run(cmd.Context(), files, opts)
			stopped := err != nil
			if stopped && cmd.Context().Err() == nil {
				return err
			}
			rep := sumSweep(list)
			progress.End()
			out := term.NewPage(cmd.OutOrStdout())
			if asJSON {
				if err := kit.WriteJSON(cmd, rep); err != nil {
					return err
				}
				out = term.NewPage(cmd.ErrOrStderr())
			} else {
				rep.print(out, failures)
			}
			out.Line("%d passed, %d failed, %d skipped", rep.Passed, rep.Failed, rep.Skipped+rep.Unjudged)
			return kit.Verdict(out.Err, stopped, rep.Failed == 0 && rep.Passed > 0)
		},
	}
	oracleFlag(cmd, &program)
	f := cmd.Flags()
	f.BoolVar(&alone, "no-oracle", false, "compare engines with each other only")
	f.BoolVar(&faults, "faults", false, "let the node fail at each of its calls")
	f.IntVar(&most, "most", 0, "cut at so many charges of a message at most, or fail so many calls of a vector, spread over all (0: every one)")
	f.IntVarP(&jobs, "jobs", "j", runtime.GOMAXPROCS(0), "vectors to sweep at once, each with a reference of its own")
	f.IntVar(&failures, "failures", 20, "failures to print")
	f.StringVar(&dir, "dir", "", "`folder` that keeps the outcomes, so that a sweep goes on where it stopped, and a vector of each difference")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	set.Flags(cmd)
	f.Lookup("engine").Usage += "; several, with commas between them, must agree"
	return cmd
}

// showSweep tells of each vector that ended.
func showSweep(to *term.Progress) func(done, files int, o *sweep.Outcome) {
	runs := 0
	return func(done, files int, o *sweep.Outcome) {
		runs += o.Runs
		to.Line(fmt.Sprintf("%d/%d vectors, %d runs %s", done, files, runs, o.Path))
	}
}

func sumSweep(list []sweep.Outcome) *sweepReport {
	r := &sweepReport{Vectors: list}
	for _, o := range list {
		r.Messages += o.Messages
		r.Charges += o.Charges
		r.Runs += o.Runs
		r.Unjudged += o.Unjudged
		r.Partly += o.Partly
		r.Gone += o.Gone
		r.Failed += o.Failures
		r.Passed += o.Runs - o.Failures - o.Unjudged
		if o.Error != "" {
			r.Failed++
		}
		if o.Skipped != "" {
			r.Skipped++
		}
	}
	return r
}

func (r *sweepReport) print(g *layout.Page, most int) {
	shown := 0
	for _, o := range r.Vectors {
		if o.Failures == 0 && o.Error == "" {
			continue
		}
		if shown++; shown > most {
			continue
		}
		g.Line("%s %s", g.P.Red("FAIL"), layout.Clean(o.Path))
		if o.Error != "" {
			g.Line("     %s", term.OneLine(o.Error))
		}
		if o.Failures > 0 {
			g.Line("     %d of %d runs fail", o.Failures, o.Runs)
		}
		if o.Limit > 0 {
			g.Line("     first with gas limit %d", o.Limit)
		}
		for _, d := range o.Differences {
			g.Line("     %s", layout.Clean(d.String()))
		}
		if o.Saved != "" {
			g.Line("     saved as %s", layout.Clean(o.Saved))
		}
	}
	if shown > most {
		g.Line("and %d more", shown-most)
	}
	line := fmt.Sprintf("%s of %s, cut or failed at %s", term.Count(r.Messages, "message"), term.Count(len(r.Vectors), "vector"), term.Count(r.Charges, "place"))
	if r.Partly > 0 {
		line += fmt.Sprintf(", %d of them not at every charge", r.Partly)
	}
	if r.Gone > 0 {
		line += fmt.Sprintf("; %s without a receipt on either side", term.Count(r.Gone, "run"))
	}
	g.Line("%s", line)
}
