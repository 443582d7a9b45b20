package states

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"

	"github.com/filecoin-project/go-state-types/abi"
)

// source is where a state comes from, as the flags say.
type source struct {
	cars    []string
	root    string
	actors  int
	partial bool

	names   string // what of the command line names the root
	files   *kit.State
	store   blockstore.Blockstore // files, or what another command has
	notes   io.Writer             // standard error
	missed  int
	example *state.MissingError // the first block that was missing
}

// flags adds those that name archives and root.
func (s *source) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&s.cars, "car", nil, "archive `file` with the state, or a folder of a store (may be repeated)")
	s.names = "--root"
	f.StringVar(&s.root, "root", "", "state root `CID` (default: what the first archive's roots say)")
	f.IntVar(&s.actors, "actors-version", 0, "`version` of the actors, 8 to 19 (default: as the state's code says)")
}

// partialFlag adds the one that goes on past what is missing.
func (s *source) partialFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.partial, "partial", false, "go on past blocks that are missing, and say how many there are")
}

// check refuses versions of actors that are not known.
func (s *source) check() error {
	if first, last := state.Versions(); s.actors != 0 && (s.actors < first || s.actors > last) {
		return kit.Usagef("--actors-version %d: versions %d to %d are known", s.actors, first, last)
	}
	return nil
}

// open opens the archives. The caller closes s.files.
func (s *source) open(cmd *cobra.Command) error {
	if len(s.cars) == 0 {
		return kit.Usagef("which state? Give --car FILE")
	}
	if err := s.check(); err != nil {
		return err
	}
	s.notes = cmd.ErrOrStderr()
	var err error
	if s.files, err = kit.OpenState(cmd.Context(), s.cars, kit.StateOptions{Messages: cmd.ErrOrStderr()}); err != nil {
		return err
	}
	s.store = s.files
	for _, note := range s.files.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: note: %s\n", term.OneLine(note))
	}
	return nil
}

func (s *source) close() {
	if s.files != nil {
		_ = s.files.Close() // they were only read
	}
}

// options are how states are read.
func (s *source) options() state.Options {
	return state.Options{ActorsVersion: s.actors, Bundle: kit.NameOfAdded}
}

// tree opens the state with a root, "" for that of the archives.
func (s *source) tree(ctx context.Context, root string) (*state.Tree, error) {
	c, head, err := s.files.StateRoot(ctx, root)
	if err != nil {
		return nil, err
	}
	t, err := state.Open(ctx, s.store, c, s.options())
	var missing *state.MissingError
	if errors.As(err, &missing) && head != nil {
		return nil, fmt.Errorf("the archive's head is a %s; that state, %s, is not in it: name another by --root", head, c)
	}
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("the archive does not hold the state root %s: give the right %s or --car", c, s.names)
	}
	if err == nil && head != nil {
		fmt.Fprintf(s.notes, "edgefvm: note: %s\n", head)
	}
	return t, err
}

// openTree opens the archives and the state that the flags name.
func (s *source) openTree(cmd *cobra.Command) (*state.Tree, error) {
	if err := s.open(cmd); err != nil {
		return nil, err
	}
	return s.tree(cmd.Context(), s.root)
}

// missing is what hears of blocks that are not there; nil if they are errors.
func (s *source) missing() func(*state.MissingError) error {
	if !s.partial {
		return nil
	}
	return func(m *state.MissingError) error {
		if s.missed++; s.example == nil {
			s.example = m
		}
		return nil
	}
}

// hint adds what to do to errors of a library.
func (s *source) hint(err error, partial bool) error {
	var missing *state.MissingError
	var path *state.PathError
	switch {
	case errors.As(err, &missing) && partial && !s.partial:
		return fmt.Errorf("%w; --partial goes on without it", err)
	case errors.As(err, &path) && len(path.Known) > 0 && !path.More:
		if like := kit.DidYouMean(path.Name, path.Known); strings.HasPrefix(like, "; did you mean") {
			return fmt.Errorf("%w%s", err, like)
		}
	}
	return err
}

// tellMissing says, on standard error, how many blocks were missing.
func (s *source) tellMissing(cmd *cobra.Command) {
	if s.missed > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s missing; the first is %s, at %s\n",
			layout.Choose(s.missed, "1 block is", layout.Grouped(s.missed)+" blocks are"), s.example.CID, term.OneLine(s.example.Path))
	}
}

// ids reads addresses and looks their actors' ids up.
func ids(ctx context.Context, t *state.Tree, args []string) (list []abi.ActorID, err error) {
	for _, arg := range args {
		a, err := textform.Address(arg)
		if err != nil {
			return nil, kit.Usagef("address %q: %w", arg, err)
		}
		id, err := t.Resolve(ctx, a)
		if err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, nil
}
