package states

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/state"
)

// view are the flags that say how much is shown.
type view struct {
	depth, entries int
}

func (v *view) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&v.depth, "depth", 0, "follow links so `many` times")
	cmd.Flags().IntVar(&v.entries, "entries", 20, "show so `many` entries of a map or array")
}

func (v *view) options(s *source) (state.ViewOptions, error) {
	if v.depth < 0 || v.entries < 0 {
		return state.ViewOptions{}, kit.Usagef("--depth and --entries are not negative")
	}
	return state.ViewOptions{Depth: v.depth, Entries: v.entries, Missing: s.missing()}, nil
}

func newActor() *cobra.Command {
	var s source
	var v view
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "actor ADDRESS --car STATE.car",
		Short: "Show an actor and its state, decoded",
		Long: `Shows an actor, by any of its addresses (f0 to f4, 0x), and its state, by the types of the
version of the actors that its code has. Maps and arrays are told by what they hold;
--depth follows them and other links, and shows the first entries of each. Amounts are in
attoFIL, bitfields are ranges such as 0-4,7.`,
		Example: `  edgefvm state actor f01000 --car state.car
  edgefvm state actor f01000 --car state.car --depth 2 --entries 5 --json
  edgefvm state actor 0xff00000000000000000000000000000000000004 --car state.car`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer s.close()
			t, err := s.openTree(cmd)
			if err != nil {
				return err
			}
			return showActor(cmd, &s, t, args[0], v, asJSON)
		},
	}
	s.flags(cmd)
	v.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	s.partialFlag(cmd)
	return cmd
}

// actorView is an actor with its state as JSON has it.
type actorView struct {
	actorRow
	Version   int    `json:"actors_version,omitempty"`
	StateType string `json:"state_type"`
	State     any    `json:"state"`
	Note      string `json:"note,omitempty"`
}

func showActor(cmd *cobra.Command, s *source, t *state.Tree, arg string, v view, asJSON bool) error {
	ctx := cmd.Context()
	o, err := v.options(s)
	if err != nil {
		return err
	}
	found, err := ids(ctx, t, []string{arg})
	if err != nil {
		return err
	}
	a, err := t.ActorByID(ctx, found[0])
	if err != nil {
		return s.hint(err, false)
	}
	kind := t.Kind(ctx, a.Code)
	out := actorView{actorRow: newActorRow(ctx, t, a), Version: kind.Version}
	n, err := t.Get(ctx, a.Path()+"/state")
	var form *state.FormError
	if errors.As(err, &form) {
		// What does not read as its type can be looked at all the same.
		out.Note = fmt.Sprintf("the state does not read as %s (%v): shown as data", form.What, form.Err)
		n, err = state.OpenData(ctx, s.store, a.Head, state.Kind{})
	}
	if err != nil {
		return s.hint(err, false)
	}
	out.StateType = n.Shape().String()
	if !n.Typed() && out.Note == "" && !kind.Stateless() {
		out.Note = "no types are known for this state: shown as data"
		if kind.Name != "" && kind.Version == 0 {
			out.Note = "the code is of no known bundle: shown as data; --actors-version says which types to take"
		}
	}
	if out.State, err = n.View(ctx, o); err != nil {
		return s.hint(err, true)
	}
	if asJSON {
		if err := kit.WriteJSON(cmd, out); err != nil {
			return err
		}
	} else if err := printActor(cmd, n, a, &out, v.depth); err != nil {
		return s.hint(err, false)
	}
	s.tellMissing(cmd)
	return nil
}

func printActor(cmd *cobra.Command, n *state.Node, a *state.Actor, out *actorView, depth int) error {
	g := term.NewPage(cmd.OutOrStdout())
	line := func(name, value string) { g.Line("%s %s", layout.PadRight(name, 12), value) }
	title := out.ID + " · " + out.Kind
	if out.Bundle != "" {
		title += " · " + out.Bundle
	}
	g.Line("%s", g.P.Bold(title))
	line("balance", layout.FIL(a.Balance))
	line("nonce", fmt.Sprint(a.Nonce))
	if out.Delegated != nil {
		line("address", *out.Delegated)
	}
	if out.Eth != "" {
		line("", out.Eth)
	}
	line("code", out.Code)
	line("head", out.Head)
	if out.Note != "" {
		line("note", out.Note)
	}
	fields, err := n.Fields(cmd.Context())
	if err != nil {
		return err
	}
	if fields == nil || depth > 0 {
		line("state", "")
		g.Lines(jsonLines(out.State))
		return g.Err
	}
	wide := 0
	for _, f := range fields {
		wide = max(wide, layout.Width(f.Name))
	}
	line("state", "")
	for _, f := range fields {
		g.Line("  %s  %s", layout.PadRight(f.Name, wide), fieldText(f))
	}
	return g.Err
}

// fieldText is a field for people.
func fieldText(f state.Field) string {
	if f.To == nil {
		return oneLine(f.Value)
	}
	text := f.To.String()
	if f.Count != nil {
		text += ", " + layout.Choose(int(min(*f.Count, 2)), "1 entry", layout.Grouped(*f.Count)+" entries")
	}
	return fmt.Sprintf("%s  %v", text, f.Value)
}
