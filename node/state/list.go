package state

import (
	"context"
	"fmt"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// ListOptions say what Actors does. The zero value lists all actors and stops at what is missing.
type ListOptions struct {
	// Unsorted gives actors as they come, in the order of the map's nodes, without waiting for the last.
	Unsorted bool
	// Missing hears of nodes of the map of actors that are not there; nil goes on. Default: they are errors.
	Missing func(*MissingError) error
	// Progress hears the number of actors read, now and then. Default: nobody.
	Progress func(actors int)
}

// Actors calls fn for each actor of the state, in the order of ids. It takes little memory: what does not fit 24 MiB is
// sorted in a temporary file.
func (t *Tree) Actors(ctx context.Context, o ListOptions, fn func(*Actor) error) error {
	m := *t.actors
	m.Source = t.source("/actors", o.Missing)
	s := &sorter{}
	defer s.close()
	count := 0
	read := func(key, value []byte) error {
		if count++; o.Progress != nil && count%1000 == 0 {
			o.Progress(count)
		}
		if o.Unsorted {
			return t.give(key, value, fn)
		}
		where, err := addr.ParseAddress(key)
		id, ok := addr.ID(where)
		if err != nil || !ok {
			return fmt.Errorf("/actors: the key %x is not an id", key)
		}
		return s.add(id, value)
	}
	if err := m.ForEach(ctx, read); err != nil {
		return located("/actors", err)
	}
	return s.each(ctx, func(id uint64, value []byte) error {
		return t.give(addr.NewID(id).Bytes(), value, fn)
	})
}

func (t *Tree) give(key, value []byte, fn func(*Actor) error) error {
	a, err := t.actor(key, value)
	if err != nil {
		return err
	}
	return fn(a)
}
