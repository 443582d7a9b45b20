package dev

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/trace"
)

// callGas is the most gas a call has: that of a block.
const callGas = chain.BlockGasLimit

// CallOptions say how Call executes. The zero value is a call in the setting of the block itself.
type CallOptions struct {
	// Next: in the setting of the block that would be made upon it now, whose number, time and base fee contracts then see. Default: in
	// the block's own.
	Next bool
	// Explicit: as a message of the chain, that pays for inclusion at Length, by its fee cap. Default: as an implicit one, from whomever.
	Explicit bool
	// Length of an explicit one on the chain, in bytes. Default: what a signature of the sender's kind makes it.
	Length int
	// Edit changes the state first.
	Edit EditFunc
	// Trace keeps what happens.
	Trace bool
	// Hooks hear what happens, if Trace is not set.
	Hooks *trace.Hooks
	// States makes the result have the states before and after.
	States bool
	// On is the state to execute upon, instead of the block's: one that a call with States left.
	On *CallState
	// Epoch, Timestamp and BaseFee that contracts see, where they are set, instead of the setting's.
	Epoch     *abi.ChainEpoch
	Timestamp *uint64
	BaseFee   *abi.TokenAmount
	// MaxGas is the message's gas limit at most; 0: its own.
	MaxGas int64
	// Random is the randomness of the epoch that contracts see, as SetRandomness forces it.
	Random *[32]byte
}

// CallState is a state that a call left, with the blocks that it made.
type CallState struct {
	Root  cid.Cid
	Store blockstore.Blockstore
}

// CallResult is what a call gave.
type CallResult struct {
	*fvm.Result
	// Before and After are the states around the message, of a call with States.
	Before, After *CallState
	Trace         trace.Events
	// Console is the calldata of calls to the console of Hardhat.
	Console [][]byte
}

// Call executes a message upon the state after a block, and changes nothing. Its nonce does not count, and a sender that the state
// does not have is there for the call. Where the network would refuse the message the result says so, as the receipt of the refusal.
func (n *Node) Call(ctx context.Context, at *Block, msg *fvm.Message, o CallOptions) (*CallResult, error) {
	if err := callable(msg); err != nil {
		return nil, err
	}
	if f := n.Fork(); f != nil && f.Touch != nil {
		f.Touch(ctx, at.states, at.Root, msg.From, msg.To)
	}
	b, err := n.setting(ctx, at, o.Next)
	if err != nil {
		return nil, err
	}
	cfg := n.config(b)
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: at.states}
	if o.On != nil {
		cfg.Blockstore, cfg.StateRoot = o.On.Store, o.On.Root
	}
	if o.Epoch != nil {
		cfg.Epoch = max(*o.Epoch, 0)
	}
	if o.Epoch != nil || o.Random != nil {
		cfg.Externs = &moved{&world{n: n, block: b, epoch: cfg.Epoch, root: b.begin}, cfg.Epoch, o.Random}
	}
	if o.Timestamp != nil {
		cfg.Timestamp = *o.Timestamp
	}
	if o.BaseFee != nil {
		cfg.BaseFee = *o.BaseFee
	}
	if o.Edit != nil {
		if cfg.StateRoot, err = edited(ctx, cfg.Blockstore, cfg.StateRoot, o.Edit); err != nil {
			return nil, err
		}
	}
	res, err := n.call(ctx, cfg, msg, o)
	return res, n.lost(at, err)
}

func (n *Node) call(ctx context.Context, cfg fvm.Config, msg *fvm.Message, o CallOptions) (*CallResult, error) {
	with := *msg
	root, nonce, err := n.present(ctx, cfg.Blockstore, cfg.StateRoot, msg.From)
	if err != nil {
		return nil, err
	}
	cfg.StateRoot, with.Nonce = root, nonce
	if o.MaxGas > 0 {
		with.GasLimit = min(with.GasLimit, o.MaxGas)
	}
	out := &CallResult{}
	var rec trace.Recorder
	cfg.Hooks = new(trace.Hooks)
	switch {
	case o.Trace:
		cfg.Hooks = rec.Hooks()
	case o.Hooks != nil:
		*cfg.Hooks = *o.Hooks
	}
	record := cfg.Hooks.OnCall
	cfg.Hooks.OnCall = func(c *trace.Call) {
		if record != nil {
			record(c)
		}
		if data, ok := toConsole(c); ok {
			out.Console = append(out.Console, data)
		}
	}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if o.Explicit {
		length := o.Length
		if length == 0 {
			if length, err = usualLength(&with); err != nil {
				return nil, err
			}
		}
		out.Result, err = m.Apply(ctx, &with, fvm.Explicit, length)
	} else {
		out.Result, err = m.ApplyImplicit(ctx, &with)
	}
	if err != nil {
		return nil, err
	}
	if o.Trace {
		out.Trace = rec.Take()
	}
	if o.States {
		after, err := m.Flush(ctx)
		if err != nil {
			return nil, err
		}
		out.Before, out.After = &CallState{cfg.StateRoot, cfg.Blockstore}, &CallState{after, cfg.Blockstore}
	}
	return out, nil
}

func callable(m *fvm.Message) error {
	switch {
	case m == nil:
		return fmt.Errorf("%w: there is none", fvm.ErrInvalidMessage)
	case m.To == address.Undef || m.From == address.Undef:
		return fmt.Errorf("%w: it has no receiver, or no sender", fvm.ErrInvalidMessage)
	}
	return nil
}

// setting is a block whose config is that of a call: its machine begins with the state after at.
func (n *Node) setting(ctx context.Context, at *Block, next bool) (*Block, error) {
	supply, err := n.supplyAfter(ctx, at)
	if err != nil {
		return nil, n.lost(at, err)
	}
	if !next {
		b := *at
		b.begin, b.supply = at.Root, supply
		return &b, nil
	}
	set := n.settings()
	when := n.next(&set, at)
	p := &plan{parent: at, epoch: at.Epoch() + abi.ChainEpoch(min(when.up, maxNull+1)), time: when.time, baseFee: at.NextBaseFee}
	if set.baseFee != nil {
		p.baseFee = *set.baseFee
	}
	h, err := n.header(p)
	if err != nil {
		return nil, err
	}
	return &Block{Tipset: &chain.Tipset{Blocks: []*chain.Header{h}}, parent: at, states: at.states, begin: at.Root, supply: supply}, nil
}

// supplyAfter is the circulating supply after a block.
func (n *Node) supplyAfter(ctx context.Context, b *Block) (abi.TokenAmount, error) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if b.cache.supply == nil {
		s, err := n.supplyAt(ctx, b.Epoch()+1, b.Root, b.states)
		if err != nil {
			return s, err
		}
		b.cache.supply = &s
	}
	return *b.cache.supply, nil
}

// present makes a sender that the state does not have, and gives its nonce.
func (n *Node) present(ctx context.Context, store blockstore.Blockstore, root cid.Cid, from address.Address) (cid.Cid, uint64, error) {
	t, err := tree.Load(ctx, store, root)
	if err != nil {
		return root, 0, err
	}
	_, st, err := actorIn(ctx, t, from)
	if err != nil || from.Protocol() == address.ID || st != nil {
		if st != nil {
			return root, st.Nonce, err
		}
		return root, 0, err
	}
	kind := "account"
	if from.Protocol() == address.Delegated {
		kind = "placeholder"
	}
	code, err := codeOf(ctx, t, kind)
	if err != nil {
		return root, 0, err
	}
	root, err = edited(ctx, store, root, func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		t, err := state.Load(ctx, b, root)
		if err != nil {
			return root, err
		}
		id, err := t.RegisterNewAddress(ctx, from)
		if err != nil {
			return root, err
		}
		a := state.ActorState{Code: code, Balance: big.Zero()}
		data := emptyList
		if kind == "account" {
			data = accountState(from)
		} else {
			a.Delegated = &from
		}
		a.Head = digestOf(data)
		b.PutRaw(a.Head, data)
		if err := t.SetActor(id, a); err != nil {
			return root, err
		}
		return t.Flush(ctx)
	})
	return root, 0, err
}

// codeOf is the code of a builtin actor in a state.
func codeOf(ctx context.Context, t *tree.Tree, kind string) (cid.Cid, error) {
	codes, err := t.Codes(ctx)
	if err != nil {
		return cid.Undef, err
	}
	for _, c := range codes {
		if name, err := t.Name(ctx, c); err != nil {
			return cid.Undef, err
		} else if name == kind {
			return c, nil
		}
	}
	return cid.Undef, fmt.Errorf("the state has no actor %q", kind)
}
