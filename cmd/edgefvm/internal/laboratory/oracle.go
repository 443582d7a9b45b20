package laboratory

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

func newOracle() *cobra.Command {
	return kit.Group("oracle", "The reference implementation, as a program beside ours", newOracleBuild(), newOraclePath(), newOracleApply())
}

// oracleDir is where built oracles are kept.
func oracleDir() (string, error) {
	dir, err := fvm.DefaultCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Abs(filepath.Join(dir, "oracle"))
}

// findOracle is the program that a flag names, or the one that was built.
func findOracle(flag string) (string, error) {
	if flag != "" {
		return kit.Program("--oracle", flag)
	}
	if path := os.Getenv(oracle.Environment); path != "" {
		return kit.Program("$"+oracle.Environment, path)
	}
	dir, err := oracleDir()
	if err != nil {
		return "", err
	}
	return oracle.Find(dir)
}

func oracleFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "oracle", "", "path of the reference's `program` (default: $"+oracle.Environment+", else the one that 'edgefvm oracle build' made)")
}

func newOracleBuild() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the reference's program with cargo",
		Long: `Builds the reference (ref-fvm's published crates, behind a protocol of JSON lines) from the
sources in this command, and prints the program's path. It is kept by the hash of these
sources and not built twice. It needs cargo and the network, and takes some eight minutes
on two cores.`,
		Example: "  edgefvm oracle build",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if dir == "" {
				if dir, err = oracleDir(); err != nil {
					return err
				}
			}
			path, err := oracle.Build(cmd.Context(), dir, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "to", "", "`folder` of built oracles (default: oracle in the cache folder)")
	return cmd
}

func newOraclePath() *cobra.Command {
	var program string
	cmd := &cobra.Command{
		Use:     "path",
		Short:   "Print the path of the program that would be asked",
		Example: "  edgefvm oracle path",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := findOracle(program)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
	oracleFlag(cmd, &program)
	return cmd
}

func newOracleApply() *cobra.Command {
	var set kit.Setting
	var program string
	var variant int
	var asJSON, traced bool
	cmd := &cobra.Command{
		Use:   "apply VECTOR",
		Short: "Run a vector's messages on the reference",
		Long: `Runs the messages of a vector on the reference and prints what it says: receipts, fees, and
the new state root. What the vector expects plays no part. With --json --trace the traces are there too.`,
		Example: "  edgefvm oracle apply lab/conformance/testdata/nv28-multisig-007.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := findOracle(program)
			if err != nil {
				return err
			}
			v, err := conformance.Load(args[0])
			if err != nil {
				return err
			}
			answer, err := askOracle(cmd.Context(), path, v, variant, traced, set.Actors(cmd))
			if err != nil {
				return err
			}
			if asJSON {
				return kit.WriteJSON(cmd, answer)
			}
			return printAnswer(term.NewPage(cmd.OutOrStdout()), answer)
		},
	}
	oracleFlag(cmd, &program)
	f := cmd.Flags()
	f.IntVar(&variant, "variant", 0, "index of the variant")
	f.BoolVar(&traced, "trace", false, "ask for traces (with --json)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	set.BundleFlags(cmd)
	set.CARFlag(cmd)
	return cmd
}

func askOracle(ctx context.Context, program string, v *vector.Vector, variant int, traced bool, actors *vector.Actors) (*oracle.Answer, error) {
	c, err := duel.OfVector(ctx, v, variant, actors)
	if err != nil {
		return nil, err
	}
	p := duel.NewPeer(program)
	defer p.Close()
	c.Request.Trace = traced
	return p.Apply(ctx, c.Bases, c.Scope, c.Request)
}

func printAnswer(g *layout.Page, a *oracle.Answer) error {
	for i, r := range a.Results {
		if r.Error != "" {
			g.Line("message %d: no receipt: %s", i, layout.Clean(r.Error))
			continue
		}
		g.Line("message %d: exit code %d, %s gas used, return %x", i, r.ExitCode, layout.Grouped(uint64(r.GasUsed)), r.Return)
		root := r.EventsRoot
		if root == "" {
			root = "none"
		}
		g.Line("  events root %s", root)
		g.Line("  penalty %s, miner tip %s, base fee burn %s, over-estimation burn %s, refund %s", r.Penalty, r.MinerTip, r.BaseFeeBurn, r.OverEstimationBurn, r.Refund)
		if r.Failure != "" {
			g.Line("  %s", term.OneLine(r.Failure))
		}
	}
	if a.Root == "" {
		g.Line("no state root: the reference lost its machine")
	} else {
		g.Line("state root %s", a.Root)
	}
	return g.Err
}
