package dev

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/trace"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// EditFunc changes a state: it writes new blocks to a buffer, which reads what was there before, and gives the new root. Blocks that the
// root does not reach are forgotten.
type EditFunc func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error)

// Edit changes the state after the latest block, which is replaced by one of the same hash with another Root. The next block stands on
// it. After an error nothing has changed.
func (n *Node) Edit(ctx context.Context, f EditFunc) error { return n.edit(ctx, 0, f) }

// Upgrade is Edit, and the blocks above the latest one are of another network version, which must be a later one: f migrates the state to
// its actors. What takes the block off the chain, or goes back to before, takes the upgrade back too.
func (n *Node) Upgrade(ctx context.Context, to netver.Version, f EditFunc) error {
	return n.edit(ctx, to, f)
}

func (n *Node) edit(ctx context.Context, to netver.Version, f EditFunc) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	b := n.Latest()
	if has := n.Version(b.Epoch() + 1); to != 0 && to <= has {
		return fmt.Errorf("the network version is %d: an upgrade to %d is none", has, to)
	}
	n.own.begin(n.Len() - 1)
	root, err := edited(ctx, n.states, b.Root, f)
	if err != nil {
		return err
	}
	if root == b.Root && to == 0 {
		return nil
	}
	if _, err := n.supplyAt(ctx, b.Epoch()+1, root, n.states); err != nil {
		return fmt.Errorf("the edited state cannot be executed on: %w", err)
	}
	return n.replace(ctx, b, root, to)
}

// replace gives the latest block another state, and the blocks above it another version unless it is 0.
func (n *Node) replace(ctx context.Context, b *Block, root cid.Cid, to netver.Version) error {
	next := *b
	next.Root, next.cache = root, new(cache)
	if to != 0 {
		next.upgrade = to
	}
	if err := n.recordEdit(ctx, &next); err != nil {
		return err
	}
	l := n.line.Load()
	last := len(l.blocks) - 1
	n.line.Store(&line{blocks: append(l.blocks[:last:last], &next)})
	n.describe(&next)
	n.pool.touch()
	n.prune()
	return nil
}

// describe makes the upgrades those of a chain that ends with a block.
func (n *Node) describe(last *Block) {
	next := *n.Network()
	next.Upgrades = slices.DeleteFunc(slices.Clone(next.Upgrades), func(u network.Upgrade) bool { return u.Height >= last.Epoch() })
	if last.upgrade != 0 {
		next.Upgrades = append(next.Upgrades, network.Upgrade{Height: last.Epoch(), Version: last.upgrade, Migrates: true})
	}
	n.described.Store(&next)
}

// edited is a state after an edit, which is written to a store.
func edited(ctx context.Context, store blockstore.Blockstore, root cid.Cid, f EditFunc) (cid.Cid, error) {
	b := blockstore.NewBuffered(store)
	next, err := f(ctx, b, root)
	if err != nil {
		return root, err
	}
	if !next.Defined() {
		return root, fmt.Errorf("an edit of the state gave no root")
	}
	return next, b.Flush(ctx, next)
}

// emptyList is the state of actors that keep nothing.
var emptyList = []byte{0x80}

// accountState is an account's: its key's address.
func accountState(key address.Address) []byte {
	return cbor.AppendBytes(cbor.AppendArray(nil, 1), key.Bytes())
}

// impersonated are the senders of whom messages are taken without a signature.
type impersonated struct {
	mu     sync.Mutex
	all    bool
	who    map[address.Address]bool
	nonces map[address.Address]uint64 // of those that are no accounts, so that their messages differ
}

func (i *impersonated) init() {
	i.who, i.nonces = map[address.Address]bool{}, map[address.Address]uint64{}
}

func (i *impersonated) take(a address.Address) uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.nonces[a]++
	return i.nonces[a] - 1
}

// Impersonate takes messages from an address without a signature.
func (n *Node) Impersonate(a address.Address) {
	n.fake.mu.Lock()
	defer n.fake.mu.Unlock()
	n.fake.who[a] = true
}

// StopImpersonating ends it. It reports whether there was something to end.
func (n *Node) StopImpersonating(a address.Address) bool {
	n.fake.mu.Lock()
	defer n.fake.mu.Unlock()
	was := n.fake.who[a]
	delete(n.fake.who, a)
	return was
}

// AutoImpersonate takes messages from everybody without a signature.
func (n *Node) AutoImpersonate(on bool) {
	n.fake.mu.Lock()
	defer n.fake.mu.Unlock()
	n.fake.all = on
}

// Impersonated tells whether messages are taken from an address without a signature.
func (n *Node) Impersonated(a address.Address) bool {
	n.fake.mu.Lock()
	defer n.fake.mu.Unlock()
	return n.fake.all || n.fake.who[a]
}

// console is the address that contracts log to under Hardhat and Foundry: "console.log" in ASCII.
var console = func() address.Address {
	var a [addr.EthLen]byte
	copy(a[9:], "console.log")
	return addr.FromEthereum(a)
}()

// toConsole is the calldata of a call to the console.
func toConsole(c *trace.Call) ([]byte, bool) {
	if c.To != console || c.Params == nil {
		return nil, false
	}
	if c.Params.Codec == cbor.CodecRaw { // as contracts send it
		return c.Params.Data, true
	}
	r := cbor.NewReader(c.Params.Data)
	data := r.Bytes()
	if r.End() != nil {
		return nil, false
	}
	return data, true
}

// Setting is that of a machine whose messages come before all others of the block that would be made now, upon the state after the latest
// one. An EditFunc may run messages of the system in it, on its own root and store.
func (n *Node) Setting(ctx context.Context) (fvm.Config, error) {
	b, err := n.setting(ctx, n.Latest(), true)
	if err != nil {
		return fvm.Config{}, err
	}
	return n.config(b), nil
}
