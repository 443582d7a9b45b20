package states

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/state"
)

// Look shows states that another command has found, as the commands of this package show those of archives. One belongs to
// one command: its flags are set before it shows.
type Look struct {
	s       source
	v       view
	l       listing
	only    []string
	shallow bool
}

// common adds the flags of all.
func (k *Look) common(cmd *cobra.Command, json string) {
	cmd.Flags().IntVar(&k.s.actors, "actors-version", 0, "`version` of the actors, 8 to 19 (default: as the state's code says)")
	cmd.Flags().BoolVar(&k.l.asJSON, "json", false, json)
	k.s.partialFlag(cmd)
}

const linesOfJSON = "print JSON, an object a line"

// ActorFlags adds the flags of Actor.
func (k *Look) ActorFlags(cmd *cobra.Command) {
	k.v.flags(cmd, 0)
	k.common(cmd, "print JSON")
}

// ActorsFlags adds the flags of Actors.
func (k *Look) ActorsFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&k.l.kinds, "kind", nil, "`kinds` to list, such as storageminer,evm (default: all)")
	cmd.Flags().BoolVar(&k.l.unsorted, "unsorted", false, "print actors as they are found")
	k.common(cmd, linesOfJSON)
}

// DiffFlags adds the flags of Diff.
func (k *Look) DiffFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&k.only, "actor", nil, "`address` of an actor to compare (may be repeated; default: all)")
	cmd.Flags().BoolVar(&k.shallow, "shallow", false, "only say that an actor's state differs, not how")
	k.common(cmd, linesOfJSON)
}

// open opens a state.
func (k *Look) open(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (*state.Tree, error) {
	if first, last := state.Versions(); k.s.actors != 0 && (k.s.actors < first || k.s.actors > last) {
		return nil, kit.Usagef("--actors-version %d: versions %d to %d are known", k.s.actors, first, last)
	}
	k.s.store = store
	t, err := state.Open(ctx, store, root, k.s.options())
	var missing *state.MissingError
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("the state %s: %w", root, err)
	}
	return t, err
}

// Actor shows an actor, by any of its addresses, with its state.
func (k *Look) Actor(cmd *cobra.Command, store blockstore.Blockstore, root cid.Cid, arg string) error {
	t, err := k.open(cmd.Context(), store, root)
	if err != nil {
		return err
	}
	return showActor(cmd, &k.s, t, arg, k.v, k.l.asJSON)
}

// Actors lists them.
func (k *Look) Actors(cmd *cobra.Command, store blockstore.Blockstore, root cid.Cid) error {
	t, err := k.open(cmd.Context(), store, root)
	if err != nil {
		return err
	}
	return list(cmd, &k.s, t, k.l)
}

// Diff tells what differs from one state to the other. The error is kit.ErrFailed if something does.
func (k *Look) Diff(cmd *cobra.Command, store blockstore.Blockstore, from, to cid.Cid) error {
	a, err := k.open(cmd.Context(), store, from)
	if err != nil {
		return err
	}
	b, err := k.open(cmd.Context(), store, to)
	if err != nil {
		return err
	}
	o := state.DiffOptions{Shallow: k.shallow, Missing: k.s.missing()}
	if o.Only, err = either(cmd.Context(), a, b, k.only); err != nil {
		return err
	}
	return k.s.hint(compare(cmd, &k.s, a, b, o, k.l.asJSON), true)
}
