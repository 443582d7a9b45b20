package states

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

func newGet() *cobra.Command {
	var s source
	var v view
	var as string
	var lines, asJSON bool
	cmd := &cobra.Command{
		Use:   "get PATH --car STATE.car",
		Short: "Follow a path through a state, or through any block",
		Long: `Follows a path and prints what is there. PATH begins with a CID (bafy..., /ipfs/bafy...), or
else at the state's root. Its parts are names of fields, keys of maps and arrays (addresses, sectors, deals,
epochs, slots ...), and indexes of lists; links are followed. Below a CID that is no state
root, data have no types, unless --as says whose state it is: parts are then indexes and
keys of the data as they are.

A map or array shows its first entries; with --lines all of them, an object a line.`,
		Example: `  edgefvm state get actors/f01000/state/Sectors/17 --car state.car
  edgefvm state get actors/f01000/state/Info/Owner --car state.car
  edgefvm state get actors/f05/state/Proposals --lines --car state.car
  edgefvm state get actors/f0119/state/ContractState/0x0 --car state.car
  edgefvm state get bafy2bz.../1/0 --car state.car
  edgefvm state get bafy2bz.../Deadlines/Due/3 --as v18/storageminer --car state.car`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer s.close()
			if err := s.open(cmd); err != nil {
				return err
			}
			n, err := find(cmd, &s, args[0], as)
			if err != nil {
				return s.hint(err, false)
			}
			return s.hint(show(cmd, &s, n, shown{v, lines, asJSON}), true)
		},
	}
	s.flags(cmd)
	v.flags(cmd)
	cmd.Flags().StringVar(&as, "as", "", "read the CID as the state of `VERSION/ACTOR`, such as v18/storageminer; or as data")
	cmd.Flags().BoolVar(&lines, "lines", false, "print all entries of a map or array, an object of JSON a line")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, also of a text alone")
	s.partialFlag(cmd)
	return cmd
}

// find walks a path.
func find(cmd *cobra.Command, s *source, path, as string) (*state.Node, error) {
	ctx := cmd.Context()
	first, rest, c, err := beginning(path)
	if err != nil {
		if strings.HasPrefix(first, "bafy") || strings.HasPrefix(first, "bafk") { // no field is called so
			return nil, kit.Usagef("%q is no CID: is it cut, or was a letter changed?", first)
		}
		if as != "" {
			return nil, kit.Usagef("--as is for a path that begins with a CID")
		}
		t, err := s.tree(ctx, s.root)
		if err != nil {
			return nil, err
		}
		return t.Get(ctx, path)
	}
	if as == "" {
		t, err := state.Open(ctx, s.store, c, s.options())
		if err == nil && t.Version() > 0 { // a bare map of actors looks like any other map: --root names it
			return t.Get(ctx, rest)
		}
		var missing *state.MissingError
		if errors.As(err, &missing) {
			return nil, fmt.Errorf("the archive does not hold %s", c)
		}
	}
	kind, err := kindOf(as)
	if err != nil {
		return nil, err
	}
	n, err := state.OpenData(ctx, s.store, c, kind)
	if err != nil {
		return nil, err
	}
	return n.Get(ctx, rest)
}

// beginning takes a CID from the beginning of a path, alone or behind what IPFS and nodes put before it; err says that none is there.
func beginning(path string) (first, rest string, c cid.Cid, err error) {
	if c, err := textform.CID(path); err == nil { // in JSON, which has a / in it
		return path, "", c, nil
	}
	for _, prefix := range []string{"ipfs://", "/ipfs/", "/ipld/"} {
		if below, is := strings.CutPrefix(path, prefix); is {
			path = below
			break
		}
	}
	first, rest, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	c, err = cid.Decode(first)
	return first, rest, c, err
}

// kindOf reads --as.
func kindOf(as string) (kind state.Kind, err error) {
	if as == "" || as == "data" {
		return kind, nil
	}
	version, name, ok := strings.Cut(as, "/")
	if kind.Version, _, err = bundle.ParseName(version); err != nil || !ok {
		return kind, kit.Usagef("--as %q: want VERSION/ACTOR, such as v18/storageminer, or data", as)
	}
	kind.Name = name
	if names := state.Names(kind.Version); !kind.Known() {
		first, last := state.Versions()
		if len(names) == 0 {
			return kind, kit.Usagef("--as %q: versions v%d to v%d are known", as, first, last)
		}
		return kind, kit.Usagef("--as %q: there are no types for %q%s", as, name, kit.DidYouMean(name, names))
	}
	return kind, nil
}

type shown struct {
	view
	lines, asJSON bool
}

func show(cmd *cobra.Command, s *source, n *state.Node, w shown) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	o, err := w.options(s)
	if err != nil {
		return err
	}
	if w.lines {
		if !n.Collection() {
			return kit.Usagef("--lines is for maps and arrays, and %s is %s", term.OneLine(n.Path()), n.Shape())
		}
		err := n.EachView(ctx, o, func(entry any) error { return writeLine(out, entry) })
		s.tellMissing(cmd)
		return err
	}
	view, err := n.View(ctx, o)
	if err != nil {
		return err
	}
	if text, ok := view.(string); ok && !w.asJSON {
		_, err = fmt.Fprintln(out, jsonOrText(text))
	} else {
		err = kit.WriteJSON(cmd, view)
	}
	s.tellMissing(cmd)
	return err
}

// jsonLines is JSON over several lines.
func jsonLines(v any) []string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("  ", "  ")
	if err := enc.Encode(v); err != nil {
		return []string{err.Error()}
	}
	return strings.Split("  "+strings.TrimSuffix(b.String(), "\n"), "\n")
}
