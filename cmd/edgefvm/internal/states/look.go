package states

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/state"
)

// Look shows states that another command has found, as the commands of this package show those of archives. One belongs to
// one command: its flags are set before it shows.
type Look struct {
	s      source
	v      view
	l      listing
	d      differing
	asJSON bool // of Actor; the others have their own
}

// common adds the flags of all.
func (k *Look) common(cmd *cobra.Command) {
	cmd.Flags().IntVar(&k.s.actors, "actors-version", 0, "`version` of the actors, 8 to 19 (default: as the state's code says)")
	k.s.partialFlag(cmd)
}

// ActorFlags adds the flags of Actor.
func (k *Look) ActorFlags(cmd *cobra.Command) {
	k.v.flags(cmd)
	cmd.Flags().BoolVar(&k.asJSON, "json", false, "print JSON")
	k.common(cmd)
}

// ActorsFlags adds the flags of Actors.
func (k *Look) ActorsFlags(cmd *cobra.Command) {
	k.l.flags(cmd)
	k.common(cmd)
}

// DiffFlags adds the flags of Diff.
func (k *Look) DiffFlags(cmd *cobra.Command) {
	k.d.flags(cmd)
	k.common(cmd)
}

// open opens a state.
func (k *Look) open(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (*state.Tree, error) {
	if err := k.s.check(); err != nil {
		return nil, err
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
	return showActor(cmd, &k.s, t, arg, k.v, k.asJSON)
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
	return k.d.compare(cmd, &k.s, a, b)
}
