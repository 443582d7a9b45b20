package dev

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// beaconSearch is how many tipsets nodes look through for a round of the beacon.
const beaconSearch = 20

// world answers a machine's questions from the chain that a block stands on. It is what chain.Externs is, on blocks in memory.
type world struct {
	n     *Node
	block *Block         // the chain is seen from it; it may be in the making
	epoch abi.ChainEpoch // the machine's
	root  cid.Cid        // of the state that the machine began with
}

var _ externs.Externs = (*world)(nil)

// beaconEntry is an epoch's of the mock beacon; upon a fork it has the rounds of the network's, and data that nobody signed.
func (n *Node) beaconEntry(epoch abi.ChainEpoch) (chain.BeaconEntry, error) {
	round, err := n.Network().BeaconRound(epoch)
	if err != nil {
		return chain.BeaconEntry{}, err
	}
	data := crypto.Blake2b256(binary.BigEndian.AppendUint64(nil, round))
	return chain.BeaconEntry{Round: round, Data: data[:]}, nil
}

// below is the tipset of the chain below b, b included, at an epoch, or the last one under it.
func (n *Node) below(ctx context.Context, b *Block, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	if epoch < 0 {
		return nil, fmt.Errorf("%w: epoch %d is negative", chain.ErrTipset, epoch)
	}
	if f := n.Fork(); f != nil && epoch < f.Tipset.Height() {
		return pastUntil(ctx, f, epoch)
	}
	at, err := n.belowHere(b, epoch)
	if err != nil {
		return nil, err
	}
	return at.Tipset, nil
}

// belowHere is below of what the node made itself, and of what it begins with.
func (n *Node) belowHere(b *Block, epoch abi.ChainEpoch) (*Block, error) {
	l := n.line.Load()
	for at := b; at != nil; at = at.parent {
		if at.Epoch() <= epoch {
			return at, nil
		}
		if i := l.until(at.Epoch()); i >= 0 && l.blocks[i].Hash == at.Hash && at.Key.Defined() {
			if i = l.until(epoch); i >= 0 {
				return l.blocks[i], nil // what is on the line stands on the line
			}
			break
		}
	}
	return nil, fmt.Errorf("no block is at epoch %d or below", epoch)
}

// from is the tipset at an epoch or the next one above it, seen from the world's.
func (w *world) from(ctx context.Context, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	head := w.block.Epoch()
	if epoch > head {
		return nil, fmt.Errorf("%w: the epoch is in the future: %d, from %d", chain.ErrTipset, epoch, head)
	}
	epoch = max(epoch, 0)
	if epoch == head {
		return w.block.Tipset, nil
	}
	if f := w.n.Fork(); f != nil && epoch <= f.Tipset.Height() {
		return f.Past.From(ctx, epoch)
	}
	at, err := w.n.belowHere(w.block, epoch)
	if err != nil {
		return nil, err
	}
	if at.Epoch() == epoch {
		return at.Tipset, nil
	}
	return w.n.above(w.block, at).Tipset, nil
}

// above is the block above one that is below b.
func (n *Node) above(b, at *Block) *Block {
	l := n.line.Load()
	if i := l.until(at.Epoch()); l.blocks[i].Hash == at.Hash && i+1 < len(l.blocks) && l.blocks[i+1].Epoch() <= b.Epoch() {
		if next := l.blocks[i+1]; next.Epoch() < b.Epoch() || next.Hash == b.Hash {
			return next
		}
	}
	for b.parent != nil && b.parent.Hash != at.Hash {
		b = b.parent
	}
	return b
}

// ChainRandomness is that of externs.Externs: the digest of the ticket at an epoch, or of the next one above it if its round was null.
func (w *world) ChainRandomness(ctx context.Context, epoch abi.ChainEpoch) (digest [32]byte, err error) {
	if forced, ok := w.n.forced(epoch); ok {
		return forced, nil
	}
	t, err := w.from(ctx, epoch)
	if err != nil {
		return digest, answer(err)
	}
	return t.TicketDigest(), nil
}

// BeaconRandomness is that of externs.Externs: the digest of the beacon's entry for an epoch.
func (w *world) BeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) (digest [32]byte, err error) {
	if forced, ok := w.n.forced(epoch); ok {
		return forced, nil
	}
	t, err := w.from(ctx, epoch)
	if err != nil {
		return digest, answer(err)
	}
	want, err := w.n.Network().BeaconRound(max(epoch, 0))
	if err != nil {
		return digest, answer(err)
	}
	for range beaconSearch {
		entries := t.Blocks[0].BeaconEntries
		if epoch < 0 && len(entries) > 0 {
			return crypto.Blake2b256(entries[len(entries)-1].Data), nil
		}
		for _, e := range entries {
			if e.Round == want {
				return crypto.Blake2b256(e.Data), nil
			}
		}
		if t.Height() == 0 {
			break
		}
		if t, err = w.n.below(ctx, w.block, t.Height()-1); err != nil {
			return digest, answer(err)
		}
	}
	return digest, fmt.Errorf("%w: no block has round %d of the beacon, which is epoch %d's", chain.ErrTipset, want, epoch)
}

// TipsetCID is that of externs.Externs: the key of the tipset at an epoch, or of the last one below it.
func (w *world) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	if head := w.block.Epoch(); epoch > head {
		return cid.Undef, fmt.Errorf("%w: the epoch %d is in the future, from %d", externs.ErrNodeFailure, epoch, head)
	}
	if epoch == w.block.Epoch() {
		return w.block.Key, nil
	}
	t, err := w.n.below(ctx, w.block, epoch)
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
	}
	return t.Key().CID()
}

// VerifyConsensusFault is that of externs.Externs.
func (w *world) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	states, ts := w.block.states, w.block.Tipset
	if !w.block.Key.Defined() {
		// In the making: the header stands for itself without its messages, which no question about faults looks at.
		h := *ts.Blocks[0]
		h.Messages = w.block.parent.Tipset.Blocks[0].Messages
		data, err := encode(&h)
		if err != nil {
			return nil, answer(err)
		}
		c := digestOf(data)
		blk, err := blocks.NewBlockWithCid(data, c)
		if err != nil {
			return nil, answer(err)
		}
		top := blockstore.NewMemory()
		if err := top.Put(ctx, blk); err != nil {
			return nil, answer(err)
		}
		states, ts = &blockstore.Overlay{Top: top, Base: states}, &chain.Tipset{Blocks: []*chain.Header{&h}, CIDs: []cid.Cid{c}}
	}
	view := chain.NewLine(chain.NewStore(states), ts).View(ts)
	x := &chain.Externs{View: view, Network: w.n.Network(), State: states, Epoch: w.epoch, Root: w.root}
	return x.VerifyConsensusFault(ctx, h1, h2, extra)
}

// answer makes errors failures of this node, but for those that the chain itself gives to every node.
func answer(err error) error {
	if errors.Is(err, chain.ErrTipset) || tree.IsAnswer(err) {
		return err
	}
	return fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
}
