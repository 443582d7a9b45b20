package state

import (
	"cmp"
	"context"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/internal/collections"
)

// StatOptions say what Stat does. The zero value stops at what is missing.
type StatOptions struct {
	// Missing hears of blocks that are not there; nil goes on. Default: they are errors.
	Missing func(*MissingError) error
	// Progress hears, now and then, how many actors were looked at and how many blocks were counted. Default: nobody.
	Progress func(actors int, blocks int64)
}

// Stat is what a state consists of.
type Stat struct {
	Actors map[string]int // by kind; those of no known kind under "unknown"
	Rows   []StatRow      // by kind of actor, field and kind of block
}

// StatRow counts the blocks of one sort.
type StatRow struct {
	Part
	Blocks int64
	Bytes  int64 // of the blocks' data
}

// Total are all blocks, or those for which which says true.
func (s *Stat) Total(which func(StatRow) bool) (blocks, bytes int64) {
	for _, r := range s.Rows {
		if which == nil || which(r) {
			blocks += r.Blocks
			bytes += r.Bytes
		}
	}
	return blocks, bytes
}

// Stat counts the blocks of the state. One that is shared counts once, for what it was first seen as: actors go in the order
// of the map of actors. It keeps some 40 bytes for each block. Code of builtin actors counts where the store has it, and is
// not missed.
func (t *Tree) Stat(ctx context.Context, o StatOptions) (*Stat, error) {
	s := &Stat{Actors: map[string]int{}}
	rows := map[Part]*StatRow{}
	actors, blocks := 0, int64(0)
	count := func(p Part, size int) {
		if rows[p] == nil {
			rows[p] = &StatRow{Part: p}
		}
		rows[p].Blocks++
		rows[p].Bytes += int64(size)
		if blocks++; o.Progress != nil && blocks%1000 == 0 {
			o.Progress(actors, blocks)
		}
	}
	w := &walker{env: &t.env, seen: blockSet{}, missing: o.Missing, block: func(_ func() string, _ cid.Cid, data []byte, p Part) error {
		count(p, len(data))
		return nil
	}}
	err := t.walkAll(ctx, w, func(a *Actor) error {
		actors++
		s.Actors[t.Kind(ctx, a.Code).String()]++
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		s.Rows = append(s.Rows, *r)
	}
	slices.SortFunc(s.Rows, func(a, b StatRow) int {
		return cmp.Or(cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Field, b.Field), cmp.Compare(a.What, b.What))
	})
	return s, nil
}

// walkAll visits all blocks of a state; actor hears of each actor before its state is visited.
func (t *Tree) walkAll(ctx context.Context, w *walker, actor func(*Actor) error) error {
	top := t.Node()
	if t.version > 0 {
		if _, _, err := w.load(ctx, top.where, t.root, Part{What: RootBlock}); err != nil {
			return err
		}
		if err := w.walk(ctx, func() string { return "/info" }, unknown, t.info, Part{}); err != nil {
			return err
		}
	}
	codes := map[cid.Cid]bool{}
	m := *t.actors
	m.Source = w.source(func() string { return "/actors" }, Part{What: HAMTNode})
	err := m.ForEach(ctx, func(key, value []byte) error {
		a, err := t.actor(key, value)
		if err != nil {
			return err
		}
		kind := t.Kind(ctx, a.Code)
		if err := actor(a); err != nil {
			return err
		}
		if !codes[a.Code] {
			codes[a.Code] = true
			if err := w.code(ctx, a); err != nil {
				return err
			}
		}
		return w.walk(ctx, a.statePath, kind.state(), a.Head, Part{Actor: kind.String()})
	})
	return located("/actors", ignore(err, errPassed))
}

// source gives the nodes of a collection to the walk.
func (w *walker) source(path func() string, p Part) collections.Source {
	return collections.Source{
		Load: func(ctx context.Context, c cid.Cid) ([]byte, error) {
			data, ok, err := w.load(ctx, path, c, p)
			if err == nil && !ok {
				err = errPassed
			}
			return data, err
		},
		Skip:   w.seen.has,
		Failed: func(_ cid.Cid, err error) error { return ignore(err, errPassed) },
	}
}

// code visits an actor's code if it is there: states seldom bring it.
func (w *walker) code(ctx context.Context, a *Actor) error {
	was := w.missing
	defer func() { w.missing = was }()
	w.missing = func(*MissingError) error { return nil }
	_, _, err := w.load(ctx, func() string { return a.Path() + "/code" }, a.Code, Part{What: CodeBlock})
	return err
}
