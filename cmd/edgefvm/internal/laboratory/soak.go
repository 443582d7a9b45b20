package laboratory

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/soak"
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
				return kit.Usagef("--minutes must be more than 0")
			}
			if machines < 1 {
				return kit.Usagef("--machines must be at least 1")
			}
			files, err := kit.FindVectors(args)
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
			length := time.Duration(minutes * float64(time.Minute))
			progress := term.NewProgress(cmd.ErrOrStderr())
			r, err := soak.Run(cmd.Context(), files, soak.Options{
				Conformance: opts, For: length, Machines: machines,
				Progress: func(p soak.Progress) { showSoak(progress, p, len(files), length) },
			})
			progress.End()
			if err != nil {
				return err
			}
			r.Engine = set.Engine
			if asJSON {
				err = kit.WriteJSON(cmd, r)
			} else {
				err = printSoak(cmd.OutOrStdout(), r)
			}
			return kit.Verdict(err, cmd.Context().Err() != nil, r.OK)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&minutes, "minutes", 10, "how long, after the round that warms up")
	f.IntVar(&machines, "machines", 4, "machines that run at once")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	set.flags(cmd)
	return cmd
}

// shows is a term.Progress.
type shows interface {
	Bar(done, all int, text string)
	Line(text string)
}

// showSoak tells how far a soak of files is that lasts so long.
func showSoak(to shows, p soak.Progress, files int, length time.Duration) {
	if p.Warming {
		to.Bar(min(int(p.Begun), files), files, "warming up")
		return
	}
	at := p.Sample.At.Round(time.Second)
	to.Line(fmt.Sprintf("%s of %s: %s, %d MB, %d threads", min(at, length), length.Round(time.Second), term.Count(int(p.Messages), "message"), p.Sample.RSS>>20, p.Sample.Threads))
}

func printSoak(w io.Writer, r *soak.Report) error {
	g := term.NewPage(w)
	const most = 20
	for i, f := range r.Failures {
		if i == most {
			g.Line("and %d more", len(r.Failures)-most)
			break
		}
		g.Line("%s %s", g.P.Red("FAIL"), layout.Clean(f))
	}
	g.Line("engine            %s", r.Engine)
	g.Line("warm-up           %s", term.Short(r.Warm))
	g.Line("measured          %s", term.Short(r.Took))
	g.Line("messages          %s", layout.Grouped(r.Messages))
	g.Line("failed stores     %s, each an error of the node and no receipt", layout.Grouped(r.Faults))
	g.Line("nil dereferences  %s, each recovered", layout.Grouped(r.Derefs))
	if r.RSS[0] > 0 {
		g.Line("memory            %d MB in the first quarter, %d MB in the last", r.RSS[0]>>20, r.RSS[1]>>20)
		g.Line("threads           %d in the first quarter, %d in the last", r.Threads[0], r.Threads[1])
	}
	if r.OK {
		g.Line("nothing leaks, nothing differs")
	}
	return g.Err
}
