package proving

import (
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/proofvectors"
)

func newVectors() *cobra.Command {
	var keys string
	var asJSON bool
	var most int
	cmd := &cobra.Command{
		Use: "vectors PATH...", Short: "Run vectors of proofs, files and folders of .json files",
		Long: `Judges the proofs of vectors and compares verdicts (valid, invalid, error), and, where vectors
give them, the values on the way: replica ids, challenges, parents, public inputs. The last
line is "N passed, N failed, N skipped" (with --json on standard error). Keys are taken as they
are, whatever their digests: each file names a folder, which is looked for in the folder of
--keys, else beside the file's folder; --keys may also be the folder itself. A vector whose
key is not there is skipped. Running nothing is a failure.`,
		Example: `  edgefvm proofs vectors proofs/testdata
  edgefvm proofs vectors --keys ../shared/proofs ../shared/proofs/vectors/simulated-seal.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := proofvectors.Find(args)
			if err != nil {
				return kit.AsUsage(err)
			}
			bar := term.NewProgress(cmd.ErrOrStderr())
			var all []proofvectors.Result
			done := 0
			count, err := proofvectors.Run(cmd.Context(), files, proofvectors.Options{Keys: keys, Each: func(r proofvectors.Result) {
				if done++; asJSON || r.State != proofvectors.Passed {
					all = append(all, r)
				}
				bar.Line(term.Count(done, "vector") + ", " + r.Name)
			}})
			bar.End()
			stopped := err != nil && cmd.Context().Err() != nil
			if err != nil && !stopped {
				return err
			}
			g := term.NewPage(cmd.OutOrStdout())
			if asJSON {
				if err := kit.WriteJSON(cmd, all); err != nil {
					return err
				}
				g = term.NewPage(cmd.ErrOrStderr())
			} else {
				printResults(g, all, most)
			}
			switch {
			case stopped:
				g.Line("Interrupted.")
			case count.Passed+count.Failed == 0:
				g.Line("Nothing ran.")
			}
			g.Line("%s", count)
			return kit.Verdict(g.Err, stopped, count.Failed == 0 && count.Passed > 0)
		},
	}
	cmd.Flags().StringVar(&keys, "keys", "", keysUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, of every vector")
	cmd.Flags().IntVar(&most, "failures", 50, "failures and skips to print")
	return cmd
}

func printResults(g *layout.Page, all []proofvectors.Result, most int) {
	for i, r := range all {
		if i == most {
			g.Line("… and %d more", len(all)-most)
			return
		}
		word := g.P.Red("FAIL")
		if r.State == proofvectors.Skipped {
			word = "SKIP"
		}
		g.Line("%s %s", word, layout.Clean(r.Name))
		g.Line("  %s", layout.Clean(term.OneLine(r.Detail)))
	}
}
