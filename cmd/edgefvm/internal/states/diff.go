package states

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

func newDiff() *cobra.Command {
	var s source
	var x differing
	cmd := &cobra.Command{
		Use:   "diff ROOT1 ROOT2 [--car STATE.car]",
		Short: "Tell what differs between two states",
		Long: `Tells what differs from one state to another: actors that came, went or changed, their
balances and nonces, each field of their states, each entry of their maps and arrays.
ROOT is a state root, or an archive, whose root is meant; blocks come from these archives
and from --car. Only what differs is read, and printed as it is found, actors in the order
of ids. The exit code is 0 if nothing differs, 1 if something does.

With --json each change is an object on a line of its own.`,
		Example: `  edgefvm state diff before.car after.car
  edgefvm state diff bafy2bz... bafy2bz... --car chain.car
  edgefvm state diff before.car after.car --actor f01000 --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer s.close()
			a, b, err := bothTrees(cmd, &s, args)
			if err != nil {
				return err
			}
			return x.compare(cmd, &s, a, b)
		},
	}
	s.names = "ROOT"
	f := cmd.Flags()
	f.StringArrayVar(&s.cars, "car", nil, "archive `file` with blocks of the states, or a folder of a store (may be repeated)")
	f.IntVar(&s.actors, "actors-version", 0, "`version` of the actors, 8 to 19 (default: as the states' code says)")
	x.flags(cmd)
	s.partialFlag(cmd)
	return cmd
}

// differing are the flags that say what is compared, and how it is told.
type differing struct {
	only            []string
	shallow, asJSON bool
}

func (x *differing) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&x.only, "actor", nil, "`address` of an actor to compare (may be repeated; default: all)")
	cmd.Flags().BoolVar(&x.shallow, "shallow", false, "only say that an actor's state differs, not how")
	cmd.Flags().BoolVar(&x.asJSON, "json", false, linesOfJSON)
}

// bothTrees opens the two states, each a CID or an archive.
func bothTrees(cmd *cobra.Command, s *source, args []string) (a, b *state.Tree, err error) {
	ctx := cmd.Context()
	roots := make([]string, len(args))
	for i, arg := range args {
		if c, err := textform.CID(arg); err == nil {
			roots[i] = c.String()
			continue
		}
		if _, err := os.Stat(arg); err != nil {
			return nil, nil, kit.Usagef("%q is neither a CID nor an archive that is there", arg)
		}
		one, err := kit.OpenState(ctx, []string{arg}, kit.StateOptions{Flag: "the archive", Messages: cmd.ErrOrStderr()})
		if err != nil {
			return nil, nil, err
		}
		root, _, err := one.StateRoot(ctx, "")
		_ = one.Close() // it was only read
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", arg, err)
		}
		roots[i] = root.String()
		s.cars = append(s.cars, arg)
	}
	if err := s.open(cmd); err != nil {
		return nil, nil, err
	}
	if a, err = s.tree(ctx, roots[0]); err != nil {
		return nil, nil, err
	}
	b, err = s.tree(ctx, roots[1])
	return a, b, err
}

// either looks addresses up in either state.
func either(ctx context.Context, a, b *state.Tree, args []string) (list []abi.ActorID, err error) {
	for _, arg := range args {
		found, err := ids(ctx, a, []string{arg})
		if err != nil {
			if found, err = ids(ctx, b, []string{arg}); err != nil {
				return nil, err
			}
		}
		list = append(list, found...)
	}
	return list, nil
}

// changeLine is a change as JSON has it.
type changeLine struct {
	Actor  string   `json:"actor"`
	Kind   string   `json:"kind"`
	Op     state.Op `json:"op"`
	Path   string   `json:"path"`
	Type   string   `json:"type,omitempty"`
	Before any      `json:"before"`
	After  any      `json:"after"`
	Fields []string `json:"fields,omitempty"`
	More   string   `json:"more,omitempty"`
	Less   string   `json:"less,omitempty"`
}

// compare tells what differs. The error is kit.ErrFailed if something does.
func (x *differing) compare(cmd *cobra.Command, s *source, a, b *state.Tree) (err error) {
	ctx := cmd.Context()
	o := state.DiffOptions{Shallow: x.shallow, Missing: s.missing()}
	if o.Only, err = either(ctx, a, b, x.only); err != nil {
		return err
	}
	p := term.NewProgress(cmd.ErrOrStderr())
	defer p.End()
	o.Progress = func(found, compared int) {
		if compared == 0 {
			p.Line(fmt.Sprintf("actors that differ: %s", layout.Grouped(found)))
		}
	}
	d := differences{page: term.NewPage(cmd.OutOrStdout()), count: map[state.Op]int{}}
	err = state.Diff(ctx, a, b, o, func(c *state.Change) error {
		p.End()
		first := d.note(c)
		if !x.asJSON {
			return d.print(c, first)
		}
		id := addr.String(addr.NewID(uint64(c.ID)))
		return writeLine(cmd.OutOrStdout(), changeLine{id, c.Kind, c.Op, c.Path, c.Type, c.Before, c.After, c.Fields, c.More, c.Less})
	})
	if err != nil {
		return s.hint(err, true)
	}
	s.tellMissing(cmd)
	out := cmd.OutOrStdout()
	if x.asJSON {
		out = cmd.ErrOrStderr()
	}
	if _, err := fmt.Fprintln(out, d.summary()); err != nil {
		return err
	}
	if d.all > 0 {
		return kit.ErrFailed
	}
	return nil
}

// differences prints changes, those of an actor together.
type differences struct {
	page  *layout.Page
	at    *abi.ActorID
	all   int
	count map[state.Op]int // of actors
}

// note counts a change, and tells whether it is the first of its actor.
func (d *differences) note(c *state.Change) (first bool) {
	d.all++
	if d.at != nil && *d.at == c.ID {
		return false
	}
	id := c.ID
	d.at = &id
	op := state.Changed
	if isActor(c) {
		op = c.Op
	}
	d.count[op]++
	return true
}

// isActor tells whether the change is that of an actor that came or went.
func isActor(c *state.Change) bool {
	return c.Path == "/actors/"+addr.String(addr.NewID(uint64(c.ID)))
}

func (d *differences) summary() string {
	if d.all == 0 {
		return "nothing differs"
	}
	return fmt.Sprintf("%s changed, %d added, %d removed; %s %s",
		layout.Grouped(d.count[state.Changed])+" "+layout.Plural(d.count[state.Changed], "actor"), d.count[state.Added], d.count[state.Removed],
		layout.Grouped(d.all), layout.Plural(d.all, "difference"))
}

func (d *differences) print(c *state.Change, first bool) error {
	g := d.page
	id := addr.String(addr.NewID(uint64(c.ID)))
	if first {
		head := id
		if c.Kind != "" {
			head += " " + c.Kind
		}
		switch {
		case isActor(c) && c.Op == state.Added:
			head += " " + g.P.Green("added")
		case isActor(c):
			head += " " + g.P.Red("removed")
		}
		g.Line("%s", g.P.Bold(head))
	}
	if isActor(c) {
		d.actor(c)
		return g.Err
	}
	path := c.Path[len("/actors/"+id+"/"):]
	switch c.Op {
	case state.Added:
		g.Line("  %s %s  %s", g.P.Green("+"), path, oneLine(c.After))
	case state.Removed:
		g.Line("  %s %s  %s", g.P.Red("-"), path, oneLine(c.Before))
	default:
		d.changed(c, path)
	}
	return g.Err
}

// actor prints the fields of an actor that came or went.
func (d *differences) actor(c *state.Change) {
	view := c.After
	if c.Op == state.Removed {
		view = c.Before
	}
	o, _ := view.(jsonview.Object)
	for _, f := range o {
		switch f.Name {
		case "code", "head":
		case "balance":
			d.page.Line("    balance  %s", amount(f.Value))
		default:
			if f.Value != nil && f.Value != json.Number("0") {
				d.page.Line("    %s  %s", f.Name, oneLine(f.Value))
			}
		}
	}
}

// changed prints what changed: of a value with fields those that did.
func (d *differences) changed(c *state.Change, path string) {
	g := d.page
	before, isA := c.Before.(jsonview.Object)
	after, isB := c.After.(jsonview.Object)
	switch {
	case path == "balance":
		g.Line("    balance  %s → %s (%s)", amount(c.Before), amount(c.After), gained(c.Before, c.After))
	case c.More != "" || c.Less != "":
		text := ""
		if c.More != "" {
			text += "  " + g.P.Green("+"+c.More)
		}
		if c.Less != "" {
			text += "  " + g.P.Red("-"+c.Less)
		}
		g.Line("    %s%s", path, text)
	case isA && isB:
		for _, name := range c.Fields {
			x, _ := before.Get(name)
			y, _ := after.Get(name)
			g.Line("    %s/%s  %s → %s", path, name, oneLine(x), oneLine(y))
		}
	default:
		g.Line("    %s  %s → %s", path, oneLine(c.Before), oneLine(c.After))
	}
}

// amount is attoFIL in FIL, for people.
func amount(v any) string {
	text, _ := v.(string)
	n, err := big.FromString(text)
	if err != nil {
		return oneLine(v)
	}
	return layout.FIL(n)
}

// gained is the difference of two amounts with its sign.
func gained(before, after any) string {
	x, _ := before.(string)
	y, _ := after.(string)
	a, err1 := big.FromString(x)
	b, err2 := big.FromString(y)
	if err1 != nil || err2 != nil {
		return "?"
	}
	if b.GreaterThanEqual(a) {
		return "+" + layout.FIL(big.Sub(b, a))
	}
	return "-" + layout.FIL(big.Sub(a, b))
}
