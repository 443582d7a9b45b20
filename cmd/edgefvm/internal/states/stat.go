package states

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/state"
)

func newStat() *cobra.Command {
	var s source
	var fields, asJSON bool
	cmd := &cobra.Command{
		Use:   "stat --car STATE.car",
		Short: "Count a state's blocks and bytes by kind",
		Long: `Counts the blocks of a state and their bytes: by kind of block (nodes of HAMTs, AMTs and
KAMTs, actors' own states, code), and by kind of actor; with --fields also by the field
of the actor's state below which they lie. A block that is shared counts once. Code of
builtin actors counts where the archive has it.`,
		Example: "  edgefvm state stat --car state.car\n  edgefvm state stat --car state.car --fields\n  edgefvm state stat --car state.car --json | jq .by",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer s.close()
			t, err := s.openTree(cmd)
			if err != nil {
				return err
			}
			p := term.NewProgress(cmd.ErrOrStderr())
			defer p.End()
			st, err := t.Stat(cmd.Context(), state.StatOptions{Missing: s.missing(), Progress: func(actors int, blocks int64) {
				p.Line(fmt.Sprintf("%s actors, %s blocks", layout.Grouped(actors), layout.Grouped(blocks)))
			}})
			if err != nil {
				return s.hint(err, true)
			}
			p.End()
			if asJSON {
				err = statJSON(cmd, &s, t, st)
			} else {
				err = printStat(cmd, t, st, fields)
			}
			s.tellMissing(cmd)
			return err
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&fields, "fields", false, "tell the fields of actors' states apart")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	s.partialFlag(cmd)
	return cmd
}

// statRow is a row as JSON has it.
type statRow struct {
	Actor  string     `json:"actor,omitempty"`
	Field  string     `json:"field,omitempty"`
	What   state.What `json:"what"`
	Blocks int64      `json:"blocks"`
	Bytes  int64      `json:"bytes"`
}

func statJSON(cmd *cobra.Command, s *source, t *state.Tree, st *state.Stat) error {
	name, version, _ := t.Manifest(cmd.Context())
	blocks, bytes := st.Total(nil)
	rows := make([]statRow, len(st.Rows))
	for i, r := range st.Rows {
		rows[i] = statRow{r.Actor, r.Field, r.What, r.Blocks, r.Bytes}
	}
	return kit.WriteJSON(cmd, struct {
		Root     string         `json:"root"`
		Version  int            `json:"tree_version"`
		Bundle   string         `json:"bundle,omitempty"`
		Actors   int            `json:"actors_version,omitempty"`
		Blocks   int64          `json:"blocks"`
		Bytes    int64          `json:"bytes"`
		Missing  int            `json:"missing"`
		ByActors map[string]int `json:"actors"`
		By       []statRow      `json:"by"`
	}{t.Root().String(), t.Version(), name, version, blocks, bytes, s.missed, st.Actors, rows})
}

func printStat(cmd *cobra.Command, t *state.Tree, st *state.Stat, fields bool) error {
	g := term.NewPage(cmd.OutOrStdout())
	name, _, _ := t.Manifest(cmd.Context())
	g.Line("state %s · tree version %d · actors %s", t.Root(), t.Version(), cmp.Or(name, "of no known bundle"))
	g.Line("")
	head := func(what string) {
		g.Line("%s %s %s %s", g.P.Bold(layout.PadRight(what, 44)), layout.PadLeft("actors", 12), layout.PadLeft("blocks", 14), layout.PadLeft("bytes", 18))
	}
	row := func(name, actors string, blocks, bytes int64) {
		g.Line("%s %s %s %s", layout.PadRight(name, 44), layout.PadLeft(actors, 12), layout.PadLeft(layout.Grouped(blocks), 14), layout.PadLeft(layout.Grouped(bytes), 18))
	}
	sums := func(key func(state.StatRow) string) (names []string, total map[string][2]int64) {
		total = map[string][2]int64{}
		for _, r := range st.Rows {
			v := total[key(r)]
			total[key(r)] = [2]int64{v[0] + r.Blocks, v[1] + r.Bytes}
		}
		names = slices.SortedFunc(maps.Keys(total), func(a, b string) int { return cmp.Or(cmp.Compare(total[b][1], total[a][1]), cmp.Compare(a, b)) })
		return names, total
	}
	head("by kind of block")
	names, total := sums(func(r state.StatRow) string { return string(r.What) })
	for _, n := range names {
		row(n, "", total[n][0], total[n][1])
	}
	g.Line("")
	head("by kind of actor")
	names, total = sums(func(r state.StatRow) string { return r.Actor })
	for _, n := range names {
		label, actors := n, layout.Grouped(st.Actors[n])
		if n == "" {
			label, actors = "(the tree of actors, code)", ""
		}
		row(label, actors, total[n][0], total[n][1])
		if fields && n != "" {
			for _, r := range st.Rows {
				if r.Actor == n {
					row("  "+cmp.Or(r.Field, "(itself)")+", "+string(r.What), "", r.Blocks, r.Bytes)
				}
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(st.Actors)) {
		if _, ok := total[n]; !ok { // what they store is another's too, and counted there
			row(n, layout.Grouped(st.Actors[n]), 0, 0)
		}
	}
	g.Line("")
	all := 0
	for _, n := range st.Actors {
		all += n
	}
	blocks, bytes := st.Total(nil)
	row("all", layout.Grouped(all), blocks, bytes)
	return g.Err
}
