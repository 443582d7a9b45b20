// Package parallel executes the messages of a tipset on several cores, with the results of executing them one after the
// other: receipts, gas, events, traces and state.
//
// fvm calls it; it calls executor, on forks of a machine. What a message does is not decided here, only when it runs and
// whether a result is still true.
//
// A window of messages runs speculatively, each on a fork of the state as it is when the window begins, which records all
// that it reads. Then they are taken in order: if all that a message has read is still so, its changes are merged; else they
// are thrown away and the message runs again on the true state. Messages that name one another's sender or receiver are a
// chain: one goroutine runs them, each on the fork of the one before. If speculation is wrong too often, or all is one
// chain, messages run one after the other for a while.
//
// # What a message can observe
//
// Nothing else than this decides a receipt, so nothing else has to be compared:
//
//   - Actors (code, head, nonce, balance, delegated address) and that there are none: recorded by ID at the state tree, also
//     in calls that were reverted, and compared by value.
//   - Which actor an address belongs to, and that it belongs to none: recorded by address. A fork that has changed the init
//     actor has read it whole, and looks in its own map.
//   - The next actor ID: it is in the init actor's state, so that two messages that make actors conflict. The address of a
//     new actor comes from the message alone.
//   - Blocks: the same bytes wherever they are found, since their CID says them. That one is missing can be observed (E2,
//     E3) and may be otherwise in order, so that a read that fails spoils the speculation. What one chain has written is
//     only relied on while all of the chain is merged.
//   - The balances of the burnt funds and reward actors, when fees are paid: not observed but added to; the addition is
//     merged. A message that reads them reads actors, as above.
//   - Gas: what is charged once a message (access of actors and addresses) is kept by message. Caches (HAMT nodes, compiled
//     code) charge nothing.
//   - Epoch, time, base fee, circulating supply, network version, prices, manifest: fixed for the machine. A message cannot see
//     the state root, other messages, or how much gas a block has left.
//   - Randomness, tipset CIDs, consensus faults, proofs: the node's answers, which depend on what is asked.
//   - Code of actors: by CID, see blocks. Compiled code is shared by all machines of an engine, as it is without this package.
//
// A failure of the node, a message that can have no receipt, or a panic while speculating is none: the message runs again in its
// turn, and fails there or not.
package parallel

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/call"
	"github.com/edgefvm/fvm/internal/executor"
	"github.com/edgefvm/fvm/internal/machine"
	"github.com/edgefvm/fvm/internal/state"
	"github.com/edgefvm/fvm/trace"
)

// Message is a message on the chain.
type Message struct {
	*executor.Message
	ChainLength int // bytes
}

// Stats count how messages ran.
type Stats struct {
	Merged   int // speculations that held
	Repeated int // speculations that did not hold; the messages ran again
	Serial   int // messages that ran once, in their turn
}

// The size of windows, in messages, and how long none are made after one that failed. They decide only time.
const (
	firstWindow = 16
	maxWindow   = 96
	firstRest   = 32
	maxRest     = 512
)

// holds is the comparison on which all stands; a test replaces it.
var holds = (*state.Tree).Holds

// Pool executes messages on one machine. It belongs to one goroutine at a time, which must not use the machine meanwhile.
type Pool struct {
	Machine *machine.Machine
	Modules *call.Modules
	Workers int // goroutines; below 2, all messages run in their turn
	Stats   Stats

	window, rest, resting int
}

// Apply executes messages as if one after the other. Done hears of each result in order. The first error, of a message or of
// done, ends it; the messages before are then executed. Externs, proof verifier and base store must be safe for several goroutines.
func (p *Pool) Apply(ctx context.Context, msgs []Message, done func(i int, r *executor.Result) error) error {
	if p.window == 0 {
		p.window, p.rest = firstWindow, firstRest
	}
	for i := 0; i < len(msgs); {
		if p.Workers < 2 || p.resting > 0 || len(msgs)-i < 2 {
			if err := p.inTurn(ctx, msgs[i], i, done); err != nil {
				return err
			}
			p.resting--
			i++
			continue
		}
		n := min(p.window, len(msgs)-i)
		if err := p.applyWindow(ctx, msgs[i:i+n], i, done); err != nil {
			return err
		}
		i += n
	}
	return nil
}

func (p *Pool) inTurn(ctx context.Context, msg Message, i int, done func(int, *executor.Result) error) error {
	p.Stats.Serial++
	return p.execute(ctx, msg, i, done)
}

func (p *Pool) execute(ctx context.Context, msg Message, i int, done func(int, *executor.Result) error) error {
	r, err := executor.Execute(ctx, p.Machine, p.Modules, msg.Message, executor.Explicit, msg.ChainLength)
	if err != nil {
		return err
	}
	return done(i, r)
}

func (p *Pool) applyWindow(ctx context.Context, msgs []Message, first int, done func(int, *executor.Result) error) error {
	list := chains(msgs)
	if longest(list)*4 > len(msgs)*3 { // little would run at the same time
		for i, msg := range msgs {
			if err := p.inTurn(ctx, msg, first+i, done); err != nil {
				return err
			}
		}
		return nil
	}
	specs := p.speculate(ctx, msgs, list)
	repeated := 0
	for i := range specs {
		merged, err := p.merge(ctx, &specs[i])
		if err != nil {
			return err
		}
		if !merged {
			repeated++
			p.Stats.Repeated++
			specs[i].chain.broken = true
			err = p.execute(ctx, msgs[i], first+i, done)
		} else {
			p.Stats.Merged++
			p.replay(specs[i].events)
			err = done(first+i, specs[i].result)
		}
		if err != nil {
			return err
		}
	}
	p.adapt(repeated, len(msgs))
	return nil
}

// adapt makes windows longer while speculation holds, and rests when it does not.
func (p *Pool) adapt(repeated, n int) {
	if repeated*4 > n {
		p.window, p.resting = firstWindow, p.rest
		p.rest = min(2*p.rest, maxRest)
		return
	}
	p.window, p.rest = min(2*p.window, maxWindow), firstRest
}

// chain is the messages of a window that one goroutine runs, in order.
type chain struct {
	members []int
	broken  bool // one of them was not merged
}

// chains groups messages that share a sender or receiver, by the addresses as written, longest first.
func chains(msgs []Message) []*chain {
	var list []*chain
	of := map[address.Address]*chain{}
	into := map[*chain]*chain{}
	find := func(a address.Address) *chain {
		c := of[a]
		for c != nil && into[c] != nil {
			c = into[c]
		}
		return c
	}
	for i, m := range msgs {
		a, b := find(m.From), find(m.To)
		switch {
		case a == nil && b == nil:
			a = &chain{}
			list = append(list, a)
		case a == nil:
			a = b
		case b != nil && a != b:
			into[b] = a
			a.members = merged(a.members, b.members)
			b.members = nil
		}
		a.members = append(a.members, i)
		of[m.From], of[m.To] = a, a
	}
	return byLength(list)
}

// speculation is a message that ran on a fork.
type speculation struct {
	chain  *chain
	fork   *machine.Machine
	result *executor.Result // nil: the message is to run in its turn
	events trace.Events
	missed bool // a block was not there
}

// speculate runs the chains on p.Workers goroutines. The machine's state stays as it is.
func (p *Pool) speculate(ctx context.Context, msgs []Message, list []*chain) []speculation {
	specs := make([]speculation, len(msgs))
	for _, c := range list {
		for _, i := range c.members {
			specs[i].chain = c
		}
	}
	root := &locked{tree: p.Machine.Tree}
	var next atomic.Int64
	var workers sync.WaitGroup
	work := func() {
		for {
			n := int(next.Add(1)) - 1
			if n >= len(list) {
				return
			}
			p.runChain(ctx, msgs, specs, list[n], root)
		}
	}
	for range min(p.Workers, len(list)) - 1 {
		workers.Go(work)
	}
	work()
	workers.Wait()
	return specs
}

func (p *Pool) runChain(ctx context.Context, msgs []Message, specs []speculation, c *chain, root state.Below) {
	below, store := root, p.Machine.Store
	for _, i := range c.members {
		s := &specs[i]
		p.runOne(ctx, msgs[i], s, below, store)
		if s.result == nil {
			return
		}
		below, store = s.fork.Tree.After(), s.fork.Store
	}
}

func (p *Pool) runOne(ctx context.Context, msg Message, s *speculation, below state.Below, store *blockstore.Buffered) {
	defer func() {
		if recover() != nil {
			s.result = nil // in its turn it panics again, or it was a guess that cannot be
		}
	}()
	var rec trace.Recorder
	var hooks *trace.Hooks
	if p.Machine.Hooks != nil {
		hooks = rec.Hooks()
	}
	s.fork = p.Machine.Fork(below, &watched{store, &s.missed}, hooks)
	r, err := executor.Execute(ctx, s.fork, p.Modules, msg.Message, executor.Explicit, msg.ChainLength)
	if err == nil && !s.missed {
		s.result, s.events = r, rec.Take()
	}
}

// merge makes a speculation's changes if all that it read is still so.
func (p *Pool) merge(ctx context.Context, s *speculation) (bool, error) {
	if s.result == nil || s.missed || s.chain.broken {
		return false, nil
	}
	ok, err := holds(p.Machine.Tree, ctx, s.fork.Tree)
	if err != nil || !ok {
		return false, nil // an error is that of the message, in its turn
	}
	return true, p.Machine.Tree.Merge(ctx, s.fork.Tree)
}

// replay tells the machine's hooks what a speculation recorded.
func (p *Pool) replay(events trace.Events) {
	if h := p.Machine.Hooks; h != nil {
		for _, e := range events {
			h.Tell(e)
		}
	}
}

// locked is the machine's tree for several goroutines that read it: reading fills its caches.
type locked struct {
	mu   sync.Mutex
	tree *state.Tree
}

func (l *locked) Actor(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tree.Actor(ctx, id)
}

func (l *locked) LookupID(ctx context.Context, a address.Address) (abi.ActorID, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tree.LookupID(ctx, a)
}

// watched notes that a block could not be read.
type watched struct {
	*blockstore.Buffered
	missed *bool
}

func (w *watched) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Buffered.Get(ctx, c)
	if err != nil {
		*w.missed = true
	}
	return b, err
}
