package proving

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/proofduel"
	"github.com/edgefvm/fvm/lab/proofvectors"
)

// dueling is the command line of duel.
type dueling struct {
	proofduel.Options
	bench  []string
	rounds int
	asJSON bool
}

func newDuel() *cobra.Command {
	var d dueling
	cmd := &cobra.Command{
		Use: "duel --judge PROGRAM PATH...", Short: "Compare verdicts, or times, with the published crates",
		Long: `Spoils the valid vectors of PATH by chance, asks this program and the published crates about
each, and compares the verdicts; the same --seed spoils the same way. With --bench NAME,
which may be given several times, both judge that vector in turns instead, and the least
times and the median of the ratios are printed. PROGRAM is built by

  cargo build --release --manifest-path lab/proofduel/judge/Cargo.toml`,
		Example: `  edgefvm proofs duel --judge ./proof-judge --keys proofs/testdata/keys-real --count 1000 proofs/testdata/seal.json
  edgefvm proofs duel --judge ./proof-judge --keys ./keys-simulated --bench simulated-seal/32GiB-s-v11-0/good simulated-seal.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if d.Files, err = proofvectors.Find(args); err != nil {
				return kit.AsUsage(err)
			}
			switch {
			case d.Count < 1 || d.rounds < 1:
				return kit.Usagef("--count and --rounds must be at least 1")
			case len(d.bench) > 0:
				return d.time(cmd)
			}
			return d.compare(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.Program, "judge", "", "`program` of the published crates")
	f.StringVar(&d.Keys, "keys", kit.DefaultKeys(), keysUsage)
	f.IntVar(&d.Count, "count", 1000, "inputs to compare")
	f.Uint64Var(&d.Seed, "seed", 1, "`number` that chooses them")
	f.IntVar(&d.Largest, "largest", 0, "leave out vectors whose input is longer, in `bytes`")
	f.StringArrayVar(&d.bench, "bench", nil, "time the `vector` of this name instead")
	f.IntVar(&d.rounds, "rounds", 20, "rounds of --bench, after one to warm up")
	f.BoolVar(&d.asJSON, "json", false, "print JSON")
	if err := cmd.MarkFlagRequired("judge"); err != nil {
		panic(err)
	}
	return cmd
}

func (d *dueling) compare(cmd *cobra.Command) error {
	bar := term.NewProgress(cmd.ErrOrStderr())
	d.Progress = func(r proofduel.Report) {
		bar.Bar(r.Inputs, d.Count, fmt.Sprintf("%d differences", len(r.Differences)))
	}
	rep, err := proofduel.Run(cmd.Context(), d.Options)
	bar.End()
	stopped := err != nil && cmd.Context().Err() != nil && rep != nil
	if err != nil && !stopped {
		return err
	}
	good := len(rep.Differences) == 0
	if d.asJSON {
		return kit.Verdict(kit.WriteJSON(cmd, rep), stopped, good)
	}
	g := term.NewPage(cmd.OutOrStdout())
	for _, x := range rep.Differences {
		g.Line("%s %s: %s here, %s by the crates %s", g.P.Red("DIFFERENT"), layout.Clean(x.From), x.Ours, x.Their.Verdict, layout.Clean(x.Their.Error))
		g.Line("  %s", x.Input)
	}
	words := []string{"valid", "invalid", "error", "panic"}
	for _, w := range words {
		g.Line("%s %s", layout.PadRight(w, 8), layout.Grouped(rep.Verdicts[w]))
	}
	g.Line("%s, %s", term.Count(rep.Inputs, "input"), term.Count(len(rep.Differences), "difference"))
	return kit.Verdict(g.Err, stopped, good)
}

func (d *dueling) time(cmd *cobra.Command) error {
	var all []proofduel.Timing
	g := term.NewPage(cmd.OutOrStdout())
	err := proofduel.Bench(cmd.Context(), d.Options, d.bench, d.rounds, func(t proofduel.Timing) {
		if all = append(all, t); !d.asJSON {
			g.Line("%s here %s ms, crates %s ms, ratio %.2f", layout.PadRight(t.Name, 52), millis(t.Ours), millis(t.Theirs), t.Ratio)
		}
	})
	if err != nil {
		return err
	}
	if d.asJSON {
		return kit.WriteJSON(cmd, all)
	}
	return g.Err
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%7.2f", float64(d)/float64(time.Millisecond))
}
