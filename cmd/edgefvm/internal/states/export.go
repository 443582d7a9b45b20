package states

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/state"
)

func newExport() *cobra.Command {
	var s source
	var out string
	var withTree, asJSON bool
	cmd := &cobra.Command{
		Use:   "export ADDRESS... --car STATE.car --out FILE.car",
		Short: "Write actors' states to an archive",
		Long: `Writes all blocks of actors' states to a CAR file whose roots are the actors' heads.

With --with-tree the root is a new, small state that has these actors as they are, and
what 'edgefvm exec' needs besides: the system actor, the init actor with the addresses of
these actors, the reward actor, and f099. Name sender and receiver, and a message between
them runs on it. Its root is not the root of the state it was taken from. The code of
builtin actors is not written.`,
		Example: `  edgefvm state export f01000 --car state.car --out miner.car
  edgefvm state export f0114 f0119 --with-tree --car snapshot.car --out small.car`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return kit.Usagef("where to? Give --out FILE.car")
			}
			for _, c := range s.cars {
				if sameFile(c, out) { // what is not exported would be lost
					return kit.Usagef("--out %s is the archive that is read: name another file", out)
				}
			}
			defer s.close()
			t, err := s.openTree(cmd)
			if err != nil {
				return err
			}
			list, err := ids(cmd.Context(), t, args)
			if err != nil {
				return err
			}
			p := term.NewProgress(cmd.ErrOrStderr())
			defer p.End()
			o := state.ExportOptions{WithTree: withTree, Missing: s.missing(), Progress: func(blocks, bytes int64) {
				p.Line(fmt.Sprintf("%s blocks, %s bytes", layout.Grouped(blocks), layout.Grouped(bytes)))
			}}
			var done *state.Exported
			var unread error
			err = wholefile.Write(out, func(w io.Writer) error {
				done, unread = t.Export(cmd.Context(), w, list, o)
				return unread
			})
			if err != nil && unread == nil {
				return fmt.Errorf("--out %s: %w", out, err)
			}
			if err != nil {
				return s.hint(err, true)
			}
			p.End()
			s.tellMissing(cmd)
			return printExport(cmd, &s, out, done, asJSON)
		},
	}
	s.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "write this CAR `file`")
	f.BoolVar(&withTree, "with-tree", false, "make a state of the actors, on which messages run")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	s.partialFlag(cmd)
	return cmd
}

// sameFile tells whether two paths are of one file that is there.
func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

func printExport(cmd *cobra.Command, s *source, out string, done *state.Exported, asJSON bool) error {
	roots := make([]string, len(done.Roots))
	for i, c := range done.Roots {
		roots[i] = c.String()
	}
	if asJSON {
		return kit.WriteJSON(cmd, map[string]any{"roots": roots, "blocks": done.Blocks, "bytes": done.Bytes, "missing": s.missed, "out": out})
	}
	g := term.NewPage(cmd.OutOrStdout())
	for _, r := range roots {
		g.Line("root %s", r)
	}
	g.Line("%s %s, %s %s in %s", layout.Grouped(done.Blocks), layout.Plural(int(done.Blocks), "block"), layout.Grouped(done.Bytes), layout.Plural(int(done.Bytes), "byte"), out)
	return g.Err
}
