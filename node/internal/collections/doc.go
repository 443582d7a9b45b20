// Package collections reads the maps and arrays of Filecoin's state: HAMTs, AMTs, and the KAMT in which contracts keep
// their slots. It looks keys up, walks all entries, and finds what differs between two versions.
//
// It knows nodes and keys as bytes; what they mean is package state's. The Go modules go-hamt-ipld and go-amt-ipld have
// these structures too and write them. They are not used for reading here, because a tool for people must do what they
// cannot: go on past a node that is missing and say where it is, leave out what was seen before, hand over differences
// one at a time instead of in one slice, and read KAMTs. Tests compare the results with theirs. KAMTs alone are written here too,
// by [Slots]: no Go module does.
//
// A walk holds the nodes on its way down and nothing else. Nothing here is cached. All functions may be called by several
// goroutines at once if the Source's functions may.
package collections

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
)

// ErrMalformed is wrapped by errors about nodes that are not such nodes. Other errors are the store's.
var ErrMalformed = errors.New("malformed")

// Source is where nodes come from.
type Source struct {
	// Load gives the data of a block.
	Load func(ctx context.Context, c cid.Cid) ([]byte, error)
	// Skip is asked before a node below the root is loaded; if it says true, the walk passes over all below. Default: no
	// node is passed over. Differences are looked for everywhere.
	Skip func(c cid.Cid) bool
	// Failed hears that a node below the root does not load; the walk goes on without what lies below if it returns nil.
	// Default: the error ends the walk.
	Failed func(c cid.Cid, err error) error
}

// load gives a node's data, nil if the walk is to go on without it.
func (s *Source) load(ctx context.Context, c cid.Cid, root bool) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !root && s.Skip != nil && s.Skip(c) {
		return nil, nil
	}
	data, err := s.Load(ctx, c)
	if err != nil && ctx.Err() == nil && !root && s.Failed != nil {
		return nil, s.Failed(c, err)
	}
	return data, err
}

func malformed(what string, c cid.Cid, err error) error {
	return fmt.Errorf("%w %s node %s: %w", ErrMalformed, what, c, err)
}
