package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	netver "github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/network"
)

// Fork is a real chain that a node goes on from: its first block is a tipset of that chain, and its states are that chain's. Package
// dev/fork opens one. It is not changed once it is made.
type Fork struct {
	// URL of the node that it is read from, without a token, or the name of a file: for people and for anvil_nodeInfo.
	URL string
	// Network of the chain, with the genesis' time.
	Network *network.Network
	// Tipset is the last one of the chain; Root the state after it, Receipts the root of its receipts and NextBaseFee that of the tipset
	// upon it, in attoFIL a unit of gas.
	Tipset         *chain.Tipset
	Root, Receipts cid.Cid
	NextBaseFee    abi.TokenAmount
	// GenesisPledge is that of chain.Rules, for chains that need it.
	GenesisPledge abi.TokenAmount
	// Blocks has headers, messages and states of the chain, the actors' code included. What cannot be had is an error that is not
	// "not found": to a machine that would be an answer of the chain. It must be safe for concurrent use; nothing is written to it.
	Blocks blockstore.Blockstore
	// Past answers what lies below Tipset.
	Past Past
	// Begin changes the state that the node begins with, such as by funding its accounts. Default: nothing.
	Begin EditFunc
	// Ahead is called before a block is made, with the setting of its machine for each epoch that it has: what will be read can be fetched
	// ahead. Its failures do not matter. Default: nothing.
	Ahead func(ctx context.Context, cfg fvm.Config)
	// Touch is called before a message is executed on a state: what is read first of its sender and its receiver can be fetched ahead.
	// Default: nothing.
	Touch func(ctx context.Context, states blockstore.Blockstore, root cid.Cid, who ...address.Address)
	// Stats says what was read, as JSON. Default: nothing.
	Stats func() any
}

// oldestFork is the least network version of a fork: what edits states, and what shows them to Ethereum's tools, begins with it.
const oldestFork = netver.Version18

// check finds what a node cannot go on from.
func (f *Fork) check() error {
	switch {
	case f.Network == nil || f.Tipset == nil || f.Blocks == nil || f.Past == nil || !f.Root.Defined() || !f.Receipts.Defined() || f.NextBaseFee.Int == nil:
		return fmt.Errorf("%w: a fork needs a network, a tipset with what came of it, blocks and a past", ErrOptions)
	case f.Network.GenesisTime == 0:
		return fmt.Errorf("%w: a fork needs a network with the time of its genesis", ErrOptions)
	}
	if v := f.Network.VersionAt(f.Tipset.Height()); v < oldestFork {
		return fmt.Errorf("%w: epoch %d of %s has network version %d: a fork is of version %d at least", ErrOptions, f.Tipset.Height(), f.Network.Name, v, oldestFork)
	}
	return nil
}

// frozen is the network with the upgrades that it had at the fork: no migration runs on a fork.
func (f *Fork) frozen(chainID uint64) *network.Network {
	n := *f.Network
	n.Upgrades = slices.DeleteFunc(slices.Clone(n.Upgrades), func(u network.Upgrade) bool { return u.Height >= f.Tipset.Height() })
	if chainID != 0 {
		n.ChainID = chainID
	}
	return &n
}

// Fork is what the chain goes on from; nil if it begins with a genesis of its own.
func (n *Node) Fork() *Fork { return n.forked.Load() }

// source is where blocks are that the node did not make. Another takes its place when the chain is reset to a fork.
type source struct {
	now atomic.Pointer[blockstore.Blockstore]
}

func (s *source) set(b blockstore.Blockstore)                   { s.now.Store(&b) }
func (s *source) blocks() blockstore.Blockstore                 { return *s.now.Load() }
func (s *source) Put(context.Context, blocks.Block) error       { return errSource }
func (s *source) PutMany(context.Context, []blocks.Block) error { return errSource }

func (s *source) Has(ctx context.Context, c cid.Cid) (bool, error) { return s.blocks().Has(ctx, c) }

func (s *source) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	return s.blocks().Get(ctx, c)
}

var errSource = errors.New("what a chain begins with is only read")

// beginFork makes the first block of a node that forks.
func (n *Node) beginFork(ctx context.Context) error {
	f := n.o.Fork
	if err := f.check(); err != nil {
		return err
	}
	if n.o.Store != nil {
		n.own = &gathered{base: n.o.Store}
	} else {
		n.own = newMemory()
	}
	n.base.set(f.Blocks)
	n.plain = n.own
	n.states = &blockstore.Overlay{Top: n.own, Base: &n.base}
	keys, err := genesis.KeysOf(n.o.Genesis.Mnemonic, n.o.Genesis.Accounts)
	if err != nil {
		return err
	}
	n.genesis = &genesis.Genesis{Root: f.Root, Store: n.states}
	for _, k := range keys {
		n.genesis.Accounts = append(n.genesis.Accounts, genesis.Account{Key: k})
	}
	first, err := n.fork(ctx, f)
	if err != nil {
		return err
	}
	t, err := n.Tree(ctx, first)
	if err != nil {
		return err
	}
	list, err := t.Builtin(ctx)
	if err != nil {
		return err
	}
	n.genesis.Bundle, n.genesis.Manifest = bundle.NameOf(list), list
	desc := n.Network()
	n.genesis.Network, n.genesis.ChainID, n.genesis.NetworkVersion = desc, desc.ChainID, desc.VersionAt(first.Epoch()+1)
	return n.restore(ctx)
}

// fork makes a fork's tipset the only block of the chain.
func (n *Node) fork(ctx context.Context, f *Fork) (*Block, error) {
	first, err := n.realBlock(f.Tipset, result{f.Root, f.Receipts, f.NextBaseFee})
	if err != nil {
		return nil, err
	}
	if f.Begin != nil {
		n.own.begin(0)
		if first.Root, err = edited(ctx, n.states, f.Root, f.Begin); err != nil {
			return nil, fmt.Errorf("preparing the state at epoch %d: %w", first.Epoch(), err)
		}
		first.Executed = first.Root
	}
	if err := n.own.commit(ctx); err != nil {
		return nil, err
	}
	n.forked.Store(f)
	n.described.Store(f.frozen(n.o.ChainID))
	n.past.forget()
	n.change(func(s *settings) { s.clock.offset = int64(first.Timestamp()) - n.now().Unix() })
	n.index.init()
	n.index.add(first, 0)
	n.line.Store(&line{blocks: []*Block{first}})
	return first, nil
}

// ResetTo begins the chain anew, upon a tipset of a real chain: as Reset, with that for its first block. The accounts stay. A chain that
// is kept on disk goes on from what it was begun with, so that is an error.
func (n *Node) ResetTo(ctx context.Context, f *Fork) error {
	if err := f.check(); err != nil {
		return err
	}
	if n.o.Journal != nil {
		return fmt.Errorf("%w: a chain that is kept on disk goes on from what it was begun with: begin another one", ErrOptions)
	}
	if n.o.BlockTime != f.Network.BlockDelay {
		return fmt.Errorf("%w: epochs of this chain last %d seconds, and those of %s %d", ErrOptions, n.o.BlockTime, f.Network.Name, f.Network.BlockDelay)
	}
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	// What can fail comes first: the state that the accounts are funded in is read through the source.
	was := n.base.blocks()
	n.base.set(f.Blocks)
	gone := n.line.Load().blocks
	if _, err := n.fork(ctx, f); err != nil {
		n.base.set(was)
		return err
	}
	n.heads.forget(func() { n.own.cut(0) })
	n.pool.touch()
	n.cleared()
	for _, b := range slices.Backward(gone[1:]) {
		n.subs.tell(Event{Reverted: b})
	}
	return nil
}

// ForkedAt is where a chain of a journal began, if that was a fork: its tipset's blocks.
func ForkedAt(ctx context.Context, j Journal) (tipset []cid.Cid, err error) {
	n := &Node{o: Options{Journal: j}}
	first, err := n.began(ctx)
	if err != nil || first == nil {
		return nil, err
	}
	return first.Fork, nil
}

// ErrPast is wrapped by errors about what lies before a fork and cannot be had.
var ErrPast = errors.New("before the fork")

// StatsOf is what Fork.Stats says; null of a chain that is no fork.
func (n *Node) StatsOf() json.RawMessage {
	f := n.Fork()
	if f == nil || f.Stats == nil {
		return json.RawMessage("null")
	}
	data, err := json.Marshal(f.Stats())
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}
