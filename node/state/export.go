package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
)

// ExportOptions say what Export writes. The zero value writes the actors' states alone, and stops at what is missing.
type ExportOptions struct {
	// WithTree makes a state of the actors: see Export.
	WithTree bool
	// Missing hears of blocks that are not there; nil goes on without them. Default: they are errors.
	Missing func(*MissingError) error
	// Progress hears, now and then, how many blocks and bytes were written. Default: nobody.
	Progress func(blocks, bytes int64)
}

// Exported is what Export wrote.
type Exported struct {
	Roots  []cid.Cid // of the archive
	Blocks int64
	Bytes  int64 // of the blocks' data
}

// Export writes an archive (CARv1) with all blocks of some actors' states, the actors' heads its roots.
//
// With a tree the archive's root is a new state root instead, of a state that has these actors, each as it is, and what a
// machine needs: the system actor, the init actor with the addresses of the actors that are there, the reward actor, and
// f099, where fees go. The root is another than that of the state it was taken from, and so is the init actor's head. Code
// of builtin actors is not written.
func (t *Tree) Export(ctx context.Context, w io.Writer, ids []abi.ActorID, o ExportOptions) (*Exported, error) {
	x := &exporter{t: t, o: o, made: blockstore.NewBuffered(blockstore.NewMemory())}
	if err := x.choose(ctx, ids); err != nil {
		return nil, err
	}
	if o.WithTree {
		if err := x.makeTree(ctx); err != nil {
			return nil, err
		}
	} else {
		for _, a := range x.actors {
			x.done.Roots = append(x.done.Roots, a.Head)
		}
	}
	if err := blockstore.WriteCAR(w, x.done.Roots, x.all(ctx)); err != nil {
		return nil, err
	}
	return &x.done, nil
}

// What a machine needs besides the actors that a message is about.
const (
	rewardID = 2
	burntID  = 99
)

type exporter struct {
	t      *Tree
	o      ExportOptions
	actors []*Actor
	own    map[abi.ActorID]bool // actors whose state is made anew
	made   *blockstore.Buffered // blocks that the state has not
	news   []cid.Cid            // their CIDs, in the order in which they are written
	done   Exported
}

// choose looks the actors up, in the order of ids, each once.
func (x *exporter) choose(ctx context.Context, ids []abi.ActorID) error {
	asked := slices.Clone(ids)
	if x.o.WithTree {
		for _, id := range []abi.ActorID{systemID, initID, rewardID, burntID} {
			if !slices.Contains(ids, id) {
				ids = append(slices.Clone(ids), id)
			}
		}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		a, err := x.t.ActorByID(ctx, id)
		if errors.Is(err, ErrNotFound) && !slices.Contains(asked, id) && id != systemID && id != initID {
			continue // a chain of one's own may do without
		}
		if err != nil {
			return err
		}
		x.actors = append(x.actors, a)
	}
	x.own = map[abi.ActorID]bool{initID: x.o.WithTree && !slices.Contains(asked, initID)}
	return nil
}

// put keeps a block that is made.
func (x *exporter) put(data []byte) cid.Cid {
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(data))
	x.made.PutRaw(c, data)
	x.news = append(x.news, c)
	return c
}

// madeStore tells of the nodes that a map writes.
type madeStore struct{ x *exporter }

func (s madeStore) GetRaw(ctx context.Context, c cid.Cid) ([]byte, error) {
	return s.x.made.GetRaw(ctx, c)
}

func (s madeStore) PutRaw(c cid.Cid, data []byte) {
	s.x.made.PutRaw(c, data)
	s.x.news = append(s.x.news, c)
}

// makeTree makes the state root.
func (x *exporter) makeTree(ctx context.Context) error {
	m := hamt.New(madeStore{x})
	for i, a := range x.actors {
		if x.own[a.ID] {
			head, err := x.makeInit(ctx, a)
			if err != nil {
				return err
			}
			other := *a
			other.Head = head
			x.actors[i], a = &other, &other
		}
		entry, err := a.append(nil, x.t.version)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Path(), err)
		}
		if err := m.Set(ctx, a.Address().Bytes(), entry); err != nil {
			return err
		}
	}
	root, err := m.Flush(ctx)
	if err != nil {
		return err
	}
	if x.t.version > 0 {
		data, err := x.t.block(ctx, "/info", x.t.info)
		if err != nil {
			return err
		}
		info := x.put(data)
		if info != x.t.info {
			return fmt.Errorf("/info: the block %s is not DAG-CBOR with BLAKE2b-256", x.t.info)
		}
		root = x.put(cbor.AppendCID(cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 3), uint64(x.t.version)), root), info))
	}
	x.done.Roots = []cid.Cid{root}
	return nil
}

// makeInit is the init actor's state with those of its addresses that belong to the actors.
func (x *exporter) makeInit(ctx context.Context, a *Actor) (cid.Cid, error) {
	data, err := x.t.block(ctx, a.statePath(), a.Head)
	if err != nil {
		return cid.Undef, err
	}
	from, err := x.t.addressMap(ctx)
	if err != nil {
		return cid.Undef, err
	}
	from.Source = x.t.source(a.statePath()+"/AddressMap", x.o.Missing)
	to := hamt.New(madeStore{x})
	err = from.ForEach(ctx, func(key, value []byte) error {
		r := cbor.NewReader(value)
		id := r.Uint()
		if err := r.End(); err != nil {
			return err
		}
		if !slices.ContainsFunc(x.actors, func(a *Actor) bool { return uint64(a.ID) == id }) {
			return nil
		}
		return to.Set(ctx, key, value)
	})
	if err != nil {
		return cid.Undef, located(a.statePath()+"/AddressMap", err)
	}
	root, err := to.Flush(ctx)
	if err != nil {
		return cid.Undef, err
	}
	// The map's link is the first field; the others stay.
	r := cbor.NewReader(data)
	fields := r.Len()
	link := r.Raw()
	if err := r.Err(); err != nil {
		return cid.Undef, fmt.Errorf("%s: %w", a.statePath(), err)
	}
	rest := data[bytes.Index(data, link)+len(link):]
	return x.put(append(cbor.AppendCID(cbor.AppendArray(nil, fields), root), rest...)), nil
}

// all yields the blocks: the made ones, then the actors'.
func (x *exporter) all(ctx context.Context) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		err := x.each(ctx, func(c cid.Cid, data []byte) error {
			x.done.Blocks++
			x.done.Bytes += int64(len(data))
			if x.o.Progress != nil && x.done.Blocks%1000 == 0 {
				x.o.Progress(x.done.Blocks, x.done.Bytes)
			}
			b, err := blocks.NewBlockWithCid(data, c)
			if err != nil {
				return err
			}
			if !yield(b, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

func (x *exporter) each(ctx context.Context, fn func(cid.Cid, []byte) error) error {
	w := &walker{env: &x.t.env, seen: blockSet{}, missing: x.o.Missing, block: func(_ func() string, c cid.Cid, data []byte, _ Part) error { return fn(c, data) }}
	for _, c := range x.news {
		if w.seen.add(c) {
			data, err := x.made.GetRaw(ctx, c)
			if err == nil {
				err = fn(c, data)
			}
			if err != nil {
				return err
			}
		}
	}
	for _, a := range x.actors {
		if x.own[a.ID] {
			continue
		}
		if err := w.walk(ctx, a.statePath, x.t.Kind(ctx, a.Code).state(), a.Head, Part{}); err != nil {
			return err
		}
	}
	return nil
}
