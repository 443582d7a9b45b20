package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ExportOptions say what Export writes.
type ExportOptions struct {
	// States of all blocks. Default: that of the genesis and that after the latest block.
	States bool
	// Progress hears now and then how many blocks were written. Default: nobody.
	Progress func(blocks int64)
}

// Export writes the chain as an archive (CARv1), whose root is the head (Node.Head): headers and messages down to the genesis, and states.
// The actors' code is not in it: it is in the bundle. edgefvm replay reads it, with the network's description (Node.Network).
func (n *Node) Export(ctx context.Context, w io.Writer, o ExportOptions) error {
	if n.Fork() != nil {
		return errExportFork
	}
	head, err := n.Head(ctx)
	if err != nil {
		return err
	}
	l := n.line.Load()
	x := &exporter{n: n, o: o, seen: cid.NewSet()}
	return blockstore.WriteCAR(w, head.CIDs, func(yield func(blocks.Block, error) bool) {
		x.walk(ctx, head.CIDs[0], yield)
		x.walk(ctx, head.Blocks[0].Messages, yield)
		for i, b := range l.blocks {
			h := b.Tipset.Blocks[0]
			x.walk(ctx, b.CID(), yield)
			x.walk(ctx, h.Messages, yield)
			x.loose = true // of events nobody keeps the blocks
			x.walk(ctx, h.ParentMessageReceipts, yield)
			x.loose = false
			if o.States || i == 0 {
				x.walk(ctx, h.ParentStateRoot, yield)
			}
		}
		x.walk(ctx, l.last().Root, yield)
		x.loose = true
		x.walk(ctx, l.last().Receipts, yield)
	})
}

// ExportState writes a state as an archive (CARv1), without the actors' code.
func (n *Node) ExportState(ctx context.Context, w io.Writer, b *Block) error {
	if n.Fork() != nil {
		return errExportFork
	}
	x := &exporter{n: n, seen: cid.NewSet()}
	return blockstore.WriteCAR(w, []cid.Cid{b.Root}, iter.Seq2[blocks.Block, error](func(yield func(blocks.Block, error) bool) {
		x.walk(ctx, b.Root, yield)
	}))
}

// errExportFork is of states that are on the chain that was forked, and here only in part.
var errExportFork = errors.New("a fork cannot be exported: the most of its state was never read, and would all have to be fetched")

type exporter struct {
	n    *Node
	o    ExportOptions
	seen *cid.Set
	over bool
	// loose passes over what is not there.
	loose bool
}

// walk gives a block and all that it links to. Headers' parents and states are not followed from headers.
func (x *exporter) walk(ctx context.Context, root cid.Cid, yield func(blocks.Block, error) bool) {
	open := []cid.Cid{root}
	for len(open) > 0 && !x.over {
		c := open[len(open)-1]
		open = open[:len(open)-1]
		if !x.seen.Visit(c) {
			continue
		}
		blk, err := x.get(ctx, c)
		if err != nil {
			yield(nil, err)
			x.over = true
			return
		}
		if blk == nil {
			continue
		}
		if !yield(blk, nil) {
			x.over = true
			return
		}
		if n := int64(x.seen.Len()); x.o.Progress != nil && n%4096 == 0 {
			x.o.Progress(n)
		}
		if p, ok := cbor.Split(c); !ok || p.Codec != cbor.CodecDagCBOR || x.isHeader(c) {
			continue
		}
		err = cbor.Links(blk.RawData(), &cbor.LinkRules{}, func(raw []byte) error {
			p, _, err := cbor.SplitCID(raw)
			if err != nil {
				return err
			}
			if p.Linkable() {
				open = append(open, p.CID(raw))
			}
			return nil
		})
		if err != nil {
			yield(nil, fmt.Errorf("the links of %s: %w", c, err))
			x.over = true
		}
	}
}

func (x *exporter) isHeader(c cid.Cid) bool {
	if x.n.index.header(hashOf(c)) >= 0 {
		return true
	}
	x.n.heads.mu.Lock()
	defer x.n.heads.mu.Unlock()
	return x.n.heads.last != nil && x.n.heads.last.ts.CIDs[0] == c
}

// get reads a block; nil of the actors' code.
func (x *exporter) get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p, ok := cbor.Split(c); ok && p.Codec == cbor.CodecRaw {
		blk, err := x.n.plain.Get(ctx, c)
		if ipld.IsNotFound(err) {
			return nil, nil
		}
		return blk, err
	}
	blk, err := x.n.states.Get(ctx, c)
	if x.loose && ipld.IsNotFound(err) {
		return nil, nil
	}
	return blk, err
}
