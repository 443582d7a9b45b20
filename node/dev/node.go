package dev

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/network"
)

// Node is a development chain and those who may change it.
type Node struct {
	o       Options
	genesis *genesis.Genesis
	// described is the chain's description, with the upgrades that came by Upgrade. It is replaced as a whole.
	described atomic.Pointer[network.Network]
	forked    atomic.Pointer[Fork]
	past      pasts
	base      source                // what the node did not make, of a genesis or of a fork
	own       keeper                // takes what the node makes
	plain     blockstore.Blockstore // all blocks but the actors' code
	states    blockstore.Blockstore // all blocks and the actors' code
	engine    *fvm.Engine
	writer    chan struct{} // held by whoever changes the chain
	line      atomic.Pointer[line]
	index     index
	pool      pool
	subs      subscribers
	heads     heads
	lately    lately
	pending   previews

	mu   sync.Mutex // guards set, and is never held for long
	set  settings
	fake impersonated

	snaps  snapshots // of the writer
	stop   context.CancelFunc
	closed atomic.Bool
	tasks  sync.WaitGroup
	wake   chan struct{} // the interval has changed
}

// ErrClosed is of a node after Close.
var ErrClosed = errors.New("the development node is closed")

// New makes a node with a genesis, or goes on with the chain of a journal. The context is for the making only.
func New(ctx context.Context, o Options) (*Node, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	n := &Node{o: o, engine: o.Engine, writer: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	n.index.init()
	n.pool.init()
	n.fake.init()
	n.set.automine, n.set.interval, n.set.jumps = !o.Manual, o.Interval, o.Jumps
	if err := n.begin(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.tasks.Add(1)
	go n.tick(run)
	return n, nil
}

// begin makes the genesis and its block.
func (n *Node) begin(ctx context.Context) error {
	if n.o.Fork != nil {
		return n.beginFork(ctx)
	}
	stamp, err := n.genesisTime(ctx)
	if err != nil {
		return err
	}
	n.o.Genesis.Timestamp = stamp
	g, err := n.genesisOf(ctx)
	if err != nil {
		return err
	}
	n.genesis, n.states = g, &blockstore.Overlay{Top: n.own, Base: &n.base}
	n.described.Store(g.Network)
	first, err := n.genesisBlock(ctx, stamp)
	if err != nil {
		return err
	}
	desc := g.Network.WithGenesis(first.CID(), stamp)
	desc.BlockDelay = n.o.BlockTime
	n.described.Store(desc)
	if first.supply, err = n.supplyAt(ctx, 0, first.Root, n.states); err != nil {
		return err
	}
	n.line.Store(&line{blocks: []*Block{first}})
	n.index.add(first, 0)
	if err := n.own.commit(ctx); err != nil {
		return err
	}
	return n.restore(ctx)
}

// Close ends the node: what runs is cancelled, subscriptions end. Blocks that were handed out stay valid.
func (n *Node) Close() error {
	if n.closed.Swap(true) {
		return nil
	}
	n.stop()
	n.tasks.Wait()
	n.writer <- struct{}{} // the last writer has left
	n.subs.close(ErrClosed)
	if c, ok := n.o.Journal.(interface{ Close() error }); ok {
		return c.Close()
	}
	return nil
}

// lock waits until nobody else changes the chain.
func (n *Node) lock(ctx context.Context) error {
	if n.closed.Load() {
		return ErrClosed
	}
	select {
	case n.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if n.closed.Load() {
		<-n.writer
		return ErrClosed
	}
	return nil
}

func (n *Node) unlock() { <-n.writer }

// Genesis tells accounts, keys, miners and contracts of the beginning. It is not to be changed.
func (n *Node) Genesis() *genesis.Genesis { return n.genesis }

func (n *Node) rules() *chain.Rules { return &chain.Rules{Network: n.Network(), State: n.states} }

// Network describes the chain, its genesis included. It is not to be changed.
func (n *Node) Network() *network.Network { return n.described.Load() }

// ChainID is the network's by EIP-155.
func (n *Node) ChainID() uint64 { return n.Network().ChainID }

// Version is the network version at an epoch.
func (n *Node) Version(epoch abi.ChainEpoch) netver.Version { return n.Network().VersionAt(epoch) }

// Engine runs the actors; nil: the one that the process shares.
func (n *Node) Engine() *fvm.Engine { return n.engine }

// Blocks has all blocks of the chain and of its states, the actors' code included. Writing to it is for the node.
func (n *Node) Blocks() blockstore.Blockstore { return n.states }

// line is a chain as it is at one moment: its blocks from the genesis on.
type line struct {
	blocks []*Block
}

func (l *line) last() *Block { return l.blocks[len(l.blocks)-1] }

// until is the place of the block at an epoch, or of the last one below it; -1 for an epoch below 0.
func (l *line) until(epoch abi.ChainEpoch) int {
	last := len(l.blocks) - 1
	if epoch >= l.blocks[last].Epoch() {
		return last
	}
	return sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].Epoch() > epoch }) - 1
}

// Latest is the last block of the chain.
func (n *Node) Latest() *Block { return n.line.Load().last() }

// First is the genesis, or the tipset of a real chain that a fork goes on from.
func (n *Node) First() *Block { return n.line.Load().blocks[0] }

// Len is how many blocks the chain has, the genesis counted.
func (n *Node) Len() int { return len(n.line.Load().blocks) }

// BlockAt is the block at an epoch; nil if that was a null round, or is not reached.
func (n *Node) BlockAt(epoch abi.ChainEpoch) *Block {
	b := n.BlockUntil(epoch)
	if b == nil || b.Epoch() != epoch {
		return nil
	}
	return b
}

// BlockUntil is the block at an epoch, or the last one below it; nil for an epoch below 0.
func (n *Node) BlockUntil(epoch abi.ChainEpoch) *Block {
	l := n.line.Load()
	i := l.until(epoch)
	if i < 0 {
		return nil
	}
	return l.blocks[i]
}

// BlockByHash is the block of the chain with a hash, or nil.
func (n *Node) BlockByHash(h eth.Hash) *Block { return n.at(n.index.block(h), h) }

// BlockByCID is the block of the chain whose header, or whose tipset's key, has a CID; nil if none has.
func (n *Node) BlockByCID(c cid.Cid) *Block {
	h, err := eth.HashOf(c)
	if err != nil {
		return nil
	}
	if b := n.BlockByHash(h); b != nil {
		return b
	}
	place := n.index.header(h)
	l := n.line.Load()
	if place < 0 || place >= len(l.blocks) || l.blocks[place].CID() != c {
		return nil
	}
	return l.blocks[place]
}

// at is the block at a place, if it has a hash.
func (n *Node) at(place int, h eth.Hash) *Block {
	l := n.line.Load()
	if place < 0 || place >= len(l.blocks) || l.blocks[place].Hash != h {
		return nil
	}
	return l.blocks[place]
}

// Parent is the block below one of the chain; nil of First.
func (n *Node) Parent(b *Block) *Block {
	if b.parent != nil || b.Epoch() == 0 {
		return b.parent
	}
	return n.BlockUntil(b.Epoch() - 1)
}

// Child is the block above one of the chain; nil of the latest, and of one that is not on the chain any more.
func (n *Node) Child(b *Block) *Block {
	l := n.line.Load()
	i := l.until(b.Epoch())
	if l.blocks[i].Hash != b.Hash || i+1 >= len(l.blocks) {
		return nil
	}
	return l.blocks[i+1]
}

// Transaction finds a message of the chain by the hash that Ethereum knows it by, or by the digest of its CID, with or without its
// signature.
func (n *Node) Transaction(h eth.Hash) (b *Block, i int, ok bool) {
	p, ok := n.index.message(h)
	if !ok {
		return nil, 0, false
	}
	l := n.line.Load()
	if p.block >= len(l.blocks) || p.message >= len(l.blocks[p.block].Messages) {
		return nil, 0, false
	}
	return l.blocks[p.block], p.message, true
}

// Message is Transaction by a message's CID.
func (n *Node) Message(c cid.Cid) (b *Block, i int, ok bool) {
	h, err := eth.HashOf(c)
	if err != nil {
		return nil, 0, false
	}
	return n.Transaction(h)
}

func (n *Node) now() time.Time { return n.o.Clock() }

// failed says what could not be made.
func failed(epoch abi.ChainEpoch, err error) error {
	return fmt.Errorf("the block at epoch %d: %w", epoch, err)
}
