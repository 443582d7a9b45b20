package filapi

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
)

// NodeOptions say how a development node is served. The zero value is ready.
type NodeOptions struct {
	// Strict estimates as Lotus does and waits for as many epochs as clients want. Default: estimates are exact, and who waits for a message
	// has it as soon as it was executed.
	Strict bool
	// Agent is the program's name and version. Default: "edgefvm".
	Agent string
}

// OfNode serves a development node, with the keys of its genesis.
func OfNode(n *dev.Node, o NodeOptions) (*API, error) {
	keys, err := GenesisKeys(n)
	if err != nil {
		return nil, err
	}
	c := Node(n)
	return New(Options{Chain: c, Pool: c, Keys: keys, Agent: o.Agent, ExactFees: !o.Strict, Settled: !o.Strict}), nil
}

// GenesisKeys are those of a node's accounts, of the verified registry's root, the faucet and the reserve, and of its miners' workers.
func GenesisKeys(n *dev.Node) (Keys, error) {
	var list []KeyInfo
	g := n.Genesis()
	for _, a := range g.Accounts {
		list = append(list, KeyInfo{KeySecp256k1, a.Private[:]})
	}
	for _, a := range g.Accounts {
		list = append(list, KeyInfo{KeyDelegated, a.Private[:]})
	}
	if n.Fork() == nil {
		list = append(list, KeyInfo{KeySecp256k1, g.RootKey.Private[:]}, KeyInfo{KeySecp256k1, g.Faucet.Private[:]}, KeyInfo{KeySecp256k1, g.Reserve.Private[:]})
	}
	for _, m := range g.Miners {
		list = append(list, KeyInfo{KeyBLS, m.Worker.Private[:]})
	}
	return NewKeys(list...)
}

// DevChain is a development node as a [Chain] whose head moves, with its pool.
type DevChain struct {
	n     *dev.Node
	store *chain.Store
}

var (
	_ Heads     = (*DevChain)(nil)
	_ Pool      = (*DevChain)(nil)
	_ Finder    = (*DevChain)(nil)
	_ Estimator = (*DevChain)(nil)
)

// Node is a development node as a Chain.
func Node(n *dev.Node) *DevChain { return &DevChain{n, chain.NewStore(n.Blocks())} }

// Network implements Chain.
func (c *DevChain) Network() *network.Network { return c.n.Network() }

// Genesis implements Chain.
func (c *DevChain) Genesis(ctx context.Context) (*chain.Tipset, error) {
	b, err := c.n.Until(ctx, 0)
	if err != nil {
		return nil, err
	}
	return b.Tipset, nil
}

// Head implements Chain: the tipset upon the latest block.
func (c *DevChain) Head(ctx context.Context) (*chain.Tipset, error) { return c.n.Head(ctx) }

// Store implements Chain.
func (c *DevChain) Store() *chain.Store { return c.store }

// States implements Chain.
func (c *DevChain) States() blockstore.Blockstore { return c.n.Blocks() }

// Reach implements Chain: all states are there.
func (c *DevChain) Reach(context.Context, *chain.Tipset) error { return nil }

// block is the block of a tipset; for a head the one that it stands on, and true.
func (c *DevChain) block(ctx context.Context, ts *chain.Tipset) (b *dev.Block, head bool, err error) {
	found, on, err := c.n.Tipset(ctx, ts.Key())
	if err != nil {
		return nil, false, err
	}
	return on, found.Height() > on.Epoch(), nil
}

// Executed implements Chain. A head has no messages.
func (c *DevChain) Executed(ctx context.Context, ts *chain.Tipset) (*Executed, error) {
	b, head, err := c.block(ctx, ts)
	if err != nil {
		return nil, err
	}
	out := &Executed{Root: b.Root}
	if !head {
		if b, err = c.n.Whole(ctx, b); err != nil {
			return nil, err
		}
		for _, m := range b.Messages {
			out.Messages, out.Results = append(out.Messages, m.Message), append(out.Results, m.Result)
		}
	}
	return out, nil
}

// Call implements Chain.
func (c *DevChain) Call(ctx context.Context, ts *chain.Tipset, m *fvm.Message, o CallOptions) (*CallResult, error) {
	b, head, err := c.block(ctx, ts)
	if err != nil {
		return nil, err
	}
	if !head || len(o.Prior) > 0 || o.Explicit || o.On.Defined() {
		return callAt(ctx, c, chain.NewLine(c.store, ts).View(ts), m, setting{CallOptions: o, engine: c.n.Engine()})
	}
	with := *m
	with.GasLimit = implicitGas
	res, err := c.n.Call(ctx, b, &with, dev.CallOptions{Next: true, Trace: o.Trace})
	if err != nil {
		return nil, err
	}
	_, from, err := c.n.Actor(ctx, b, m.From)
	if err != nil {
		return nil, err
	}
	if with.Nonce = 0; from != nil {
		with.Nonce = from.Nonce
	}
	return &CallResult{Message: &with, Result: res.Result, Trace: res.Trace}, nil
}

// Trace implements Chain.
func (c *DevChain) Trace(ctx context.Context, ts *chain.Tipset, message int) (*CallResult, error) {
	b, head, err := c.block(ctx, ts)
	if err != nil {
		return nil, err
	}
	if b, err = c.n.Whole(ctx, b); err != nil {
		return nil, err
	}
	if head || message < 0 || message >= len(b.Messages) {
		return nil, fmt.Errorf("the tipset at %s has no message %d", epochText(ts.Height()), message)
	}
	res, err := c.n.Trace(ctx, b, message)
	if err != nil {
		return nil, err
	}
	return &CallResult{Message: b.Messages[message].Message.Message, Result: res.Result, Trace: res.Trace}, nil
}

// Walk implements Walker. A head has no messages but its cron. Blocks with impersonated contracts, which the network would refuse, are an
// error, and so are upgrades that migrate.
func (c *DevChain) Walk(ctx context.Context, ts *chain.Tipset, into blockstore.Blockstore, fn func(*replay.Applied) error) (cid.Cid, error) {
	rules := chain.Rules{Network: c.Network(), State: &blockstore.Overlay{Top: into, Base: c.States()}}
	plan, err := rules.Plan(ctx, chain.NewLine(c.store, ts), ts)
	if err != nil {
		return cid.Undef, err
	}
	return replay.Walk(ctx, plan, replay.WalkOptions{Engine: c.n.Engine()}, fn)
}

// Find implements Finder.
func (c *DevChain) Find(ctx context.Context, message cid.Cid) (*chain.Tipset, bool, error) {
	b, _, ok, err := c.n.FindMessage(ctx, message)
	if err != nil || !ok {
		return nil, false, err
	}
	return b.Tipset, true, nil
}

// Estimate implements Estimator.
func (c *DevChain) Estimate(ctx context.Context, m *fvm.Message) (int64, *fvm.Result, error) {
	on, err := c.n.Pending(ctx)
	if err != nil {
		return 0, nil, err
	}
	limit, res, err := c.n.Estimate(ctx, on, m, dev.EstimateOptions{})
	if err != nil {
		return 0, nil, err
	}
	return limit, res.Result, nil
}

// Push implements Pool.
func (c *DevChain) Push(ctx context.Context, m *fvm.Message, s *crypto.Signature) (cid.Cid, error) {
	sent, err := c.n.Submit(ctx, m, s)
	return sent.CID, err
}

// Nonce implements Pool.
func (c *DevChain) Nonce(ctx context.Context, from address.Address) (uint64, error) {
	return c.n.PendingNonce(ctx, from)
}

// Pending implements Pool.
func (c *DevChain) Pending(context.Context) ([]chain.Message, error) {
	var out []chain.Message
	for _, w := range c.n.Pool() {
		out = append(out, w.Message)
	}
	return out, nil
}

// Clear implements Pool.
func (c *DevChain) Clear(context.Context) error {
	c.n.DropAll()
	return nil
}

// events hears of what happens until the context ends; done must be called then.
func (c *DevChain) events(ctx context.Context) (events <-chan dev.Event, done func()) {
	sub := c.n.Subscribe(0)
	stop := context.AfterFunc(ctx, sub.Close)
	return sub.Events(), func() { stop(); sub.Close() }
}

// Changes implements Pool.
func (c *DevChain) Changes(ctx context.Context) (<-chan PoolChange, error) {
	events, done := c.events(ctx)
	out := make(chan PoolChange)
	go func() {
		defer close(out)
		defer done()
		known := map[cid.Cid]chain.Message{} // what was told, and is not gone yet
		tell := func(p PoolChange) bool {
			select {
			case out <- p:
				return true
			case <-ctx.Done():
				return false
			}
		}
		gone := func(x cid.Cid) bool {
			m, ok := known[x]
			delete(known, x)
			return !ok || tell(PoolChange{m, true})
		}
		for e := range events {
			switch {
			case e.Pending != nil:
				m, ok := c.message(e.Pending)
				if !ok {
					continue // gone already
				}
				known[m.CID] = m
				if !tell(PoolChange{m, false}) {
					return
				}
			case e.Block != nil:
				for _, m := range e.Block.Messages {
					if !gone(m.CID) {
						return
					}
				}
			case e.Dropped != nil:
				if !gone(e.Dropped.CID) {
					return
				}
			}
		}
	}()
	return out, nil
}

// message is one that was sent, whether it waits or was executed since.
func (c *DevChain) message(sent *dev.Sent) (chain.Message, bool) {
	if w, ok := c.n.PoolMessage(sent.Hash); ok {
		return w.Message, true
	}
	if b, i, ok := c.n.Transaction(sent.Hash); ok {
		return b.Messages[i].Message, true
	}
	return chain.Message{}, false
}

// Heads implements Heads. The head upon a block leaves the chain when the next block comes.
func (c *DevChain) Heads(ctx context.Context) (<-chan []HeadChange, error) {
	events, done := c.events(ctx)
	told, err := c.n.Head(ctx)
	if err != nil {
		done()
		return nil, err
	}
	out := make(chan []HeadChange, 1)
	out <- []HeadChange{{Current, told}}
	go func() {
		defer close(out)
		defer done()
		for e := range events {
			if e.Block == nil && e.Reverted == nil {
				continue
			}
			now, err := c.n.Head(ctx)
			if err != nil {
				return
			}
			if now.Key() == told.Key() {
				continue
			}
			path, err := pathOf(ctx, c.store, told, now)
			if err != nil {
				return // the client connects again, and begins anew
			}
			told = now
			select {
			case out <- path:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
