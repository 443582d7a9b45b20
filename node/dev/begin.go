package dev

import (
	"context"
	"fmt"
	"sync"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// made are the geneses that this process made for nodes in memory: a test that begins many nodes makes one.
var made = struct {
	mu  sync.Mutex
	all map[genesis.Options]*frozen
}{all: map[genesis.Options]*frozen{}}

// frozen is a genesis that nobody writes to any more.
type frozen struct {
	once    sync.Mutex
	genesis *genesis.Genesis
	store   blockstore.Blockstore // without the actors' code
}

// maxMade is how many geneses are kept.
const maxMade = 16

// genesisOf is the genesis of a node, and the store of its blocks without the actors' code.
func (n *Node) genesisOf(ctx context.Context) (*genesis.Genesis, error) {
	if n.o.Store != nil {
		n.own = &gathered{base: n.o.Store}
		g, err := genesis.Make(ctx, n.own, n.o.Genesis)
		if err != nil {
			return nil, err
		}
		n.plain = n.own
		n.base.set(g.Store)
		return g, n.own.commit(ctx)
	}
	f, err := frozenOf(ctx, n.o.Genesis)
	if err != nil {
		return nil, err
	}
	n.own = newMemory()
	n.plain = &blockstore.Overlay{Top: n.own, Base: f.store}
	n.base.set(f.genesis.Store)
	g := *f.genesis
	g.Store = &blockstore.Overlay{Top: n.own, Base: f.genesis.Store}
	g.Network = g.Network.WithGenesis(g.Network.Genesis, n.o.Genesis.Timestamp)
	return &g, nil
}

func frozenOf(ctx context.Context, o genesis.Options) (*frozen, error) {
	key := o
	key.Timestamp = 0
	// Amounts are compared by what they point to.
	key.Mnemonic += fmt.Sprintf("\n%v %v", o.Balance, o.MinerBalance)
	key.Balance.Int, key.MinerBalance.Int = nil, nil
	made.mu.Lock()
	f := made.all[key]
	if f == nil {
		if len(made.all) >= maxMade {
			clear(made.all)
		}
		f = new(frozen)
		made.all[key] = f
	}
	made.mu.Unlock()
	f.once.Lock()
	defer f.once.Unlock()
	if f.genesis != nil {
		return f, nil
	}
	store := blockstore.NewMemory()
	g, err := genesis.Make(ctx, store, o)
	if err != nil {
		return nil, err
	}
	f.genesis, f.store = g, store
	return f, nil
}
