package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/trace"
)

const burntFunds = 99

// plan is a block to be made.
type plan struct {
	parent  *Block
	epoch   abi.ChainEpoch
	time    uint64
	baseFee abi.TokenAmount
	take    []*pooled // in the order in which they came
	states  blockstore.Blockstore
	preview bool
	some    bool   // without messages it is not wanted
	salt    []byte // makes it differ from another in its place
	idle    bool   // of the null rounds before only those have cron in which something is due
}

// refused is a message that did not come into a block.
type refused struct {
	*pooled
	why error
}

// make executes a plan: the null rounds before, its messages, reward, cron. Messages that the network would refuse, of which the miner
// pays the fine, are left out. An error means that there is no block.
func (n *Node) make(ctx context.Context, p *plan) (*Block, []refused, error) {
	h, err := n.header(p)
	if err != nil {
		return nil, nil, err
	}
	b := &Block{Tipset: &chain.Tipset{Blocks: []*chain.Header{h}}, parent: p.parent, states: p.states, Preview: p.preview, cache: new(cache)}
	root := p.parent.Root
	for e := p.parent.Epoch() + 1; e < p.epoch; e++ {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if p.idle {
			first, err := due(ctx, p.states, root)
			if err != nil {
				return nil, nil, err
			}
			if e = max(e, first); e >= p.epoch {
				break
			}
		}
		if root, err = n.nullRound(ctx, b, e, root); err != nil {
			return nil, nil, fmt.Errorf("the null round at epoch %d: %w", e, err)
		}
	}
	b.begin = root
	n.ahead(ctx, b, n.config(b), p.take)
	if b.supply, err = n.supplyAt(ctx, p.epoch, root, p.states); err != nil {
		return nil, nil, err
	}
	out, err := n.execute(ctx, b, p)
	if err != nil {
		return nil, nil, err
	}
	if err := n.seal(ctx, b, p); err != nil {
		return nil, nil, err
	}
	return b, out, nil
}

// header is a block's without the root of its messages.
func (n *Node) header(p *plan) (*chain.Header, error) {
	miner, err := n.minerAt(p.epoch)
	if err != nil {
		return nil, err
	}
	parent := p.parent.Tipset.Blocks[0]
	proof := ticketOf(p.parent.CID(), p.epoch, p.salt)
	h := &chain.Header{
		Miner: miner, Ticket: &chain.Ticket{VRFProof: proof}, ElectionProof: &chain.ElectionProof{WinCount: 1, VRFProof: proof},
		Parents: p.parent.Tipset.CIDs, ParentWeight: big.Add(parent.ParentWeight, big.NewInt(1)), Height: p.epoch,
		ParentStateRoot: p.parent.Root, ParentMessageReceipts: p.parent.Receipts, Timestamp: p.time, ParentBaseFee: p.baseFee,
		BLSAggregate: noSignature, BlockSig: noSignature,
	}
	for e := p.parent.Epoch() + 1; e <= p.epoch; e++ {
		entry, err := n.beaconEntry(e)
		if err != nil {
			return nil, err
		}
		h.BeaconEntries = append(h.BeaconEntries, entry)
	}
	return h, nil
}

// noSignature stands where nobody signs: the infinite point of BLS, which is what nodes write for the aggregate of no signatures.
var noSignature = &crypto.Signature{Type: crypto.SigTypeBLS, Data: append([]byte{0xc0}, make([]byte, 95)...)}

// minerAt is who makes the block at an epoch. Without miners it is the address of burnt funds: the reward is burnt.
func (n *Node) minerAt(epoch abi.ChainEpoch) (address.Address, error) {
	id := uint64(burntFunds)
	if m := n.genesis.Miners; len(m) > 0 {
		id = uint64(m[int(epoch)%len(m)].ID)
	}
	return address.NewIDAddress(id)
}

func (n *Node) supplyAt(ctx context.Context, epoch abi.ChainEpoch, root cid.Cid, states blockstore.Blockstore) (abi.TokenAmount, error) {
	st, err := tree.Load(ctx, states, root)
	if err != nil {
		return abi.TokenAmount{}, err
	}
	parts, err := n.supplyRules().At(ctx, epoch, st)
	return parts.Circulating, err
}

func (n *Node) supplyRules() supply.Rules {
	r := supply.Rules{Network: n.Network()}
	if f := n.Fork(); f != nil {
		r.GenesisPledge = f.GenesisPledge
	}
	return r
}

// config is the setting of a block's own machine.
func (n *Node) config(b *Block) fvm.Config {
	return fvm.Config{
		NetworkVersion: n.Network().VersionAt(b.Epoch()), Epoch: b.Epoch(), Timestamp: b.Timestamp(), ChainID: n.Network().ChainID, BaseFee: b.BaseFee(),
		CircSupply: b.supply, StateRoot: b.begin, Blockstore: b.states, Engine: n.engine, ActorDebugging: n.Network().Constants.ActorDebugging,
		Externs: &world{n: n, block: b, epoch: b.Epoch(), root: b.begin}, Proofs: n.o.Proofs,
	}
}

// nullRound runs cron at an epoch without a block.
func (n *Node) nullRound(ctx context.Context, b *Block, e abi.ChainEpoch, root cid.Cid) (cid.Cid, error) {
	cfg := n.config(b)
	time, err := n.Network().TimestampAt(e)
	if err != nil {
		return cid.Undef, err
	}
	cfg.NetworkVersion, cfg.Epoch, cfg.Timestamp, cfg.StateRoot = n.Network().VersionAt(e), e, time, root
	n.ahead(ctx, b, cfg, nil)
	if cfg.CircSupply, err = n.supplyAt(ctx, e, root, b.states); err != nil {
		return cid.Undef, err
	}
	cfg.Externs = &world{n: n, block: b, epoch: e, root: root}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return cid.Undef, err
	}
	if err := system(ctx, m, "cron", executor.CronMessage(e)); err != nil {
		return cid.Undef, err
	}
	return m.Flush(ctx)
}

// ahead has fetched what a machine will read, upon a fork.
func (n *Node) ahead(ctx context.Context, b *Block, cfg fvm.Config, take []*pooled) {
	f := n.Fork()
	if f == nil || f.Ahead == nil || b.Preview {
		return
	}
	cfg.CircSupply = abi.NewTokenAmount(0)
	if cfg.Epoch < b.Epoch() {
		cfg.Externs = &world{n: n, block: b, epoch: cfg.Epoch, root: cfg.StateRoot}
	}
	for _, t := range take {
		if f.Touch == nil {
			break
		}
		f.Touch(ctx, cfg.Blockstore, cfg.StateRoot, t.Message.Message.From, t.Message.Message.To)
	}
	f.Ahead(ctx, cfg)
}

// system applies a message of the system's own, which must succeed.
func system(ctx context.Context, m *fvm.Machine, what string, msg *executor.Message) error {
	res, err := m.ApplyImplicit(ctx, (*fvm.Message)(msg))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !ok(res.ExitCode) {
		return fmt.Errorf("%s: exit code %d: %s", what, res.ExitCode, res.Failure)
	}
	return nil
}

// execute runs the messages of a plan, first those without a signature of their own, as nodes do.
func (n *Node) execute(ctx context.Context, b *Block, p *plan) (out []refused, err error) {
	cfg := n.config(b)
	var console [][]byte
	cfg.Hooks = &trace.Hooks{OnCall: func(c *trace.Call) {
		if data, ok := toConsole(c); ok {
			console = append(console, data)
		}
	}}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	penalty, tip := big.Zero(), big.Zero()
	for _, signed := range []bool{false, true} {
		for _, t := range p.take {
			if (t.Signature != nil) != signed {
				continue
			}
			console = nil
			res, why, err := apply(ctx, m, t)
			if err != nil {
				return nil, &messageError{t, err}
			}
			if why != nil {
				out = append(out, refused{t, why})
				continue
			}
			e := &Executed{Message: t.Message, Hash: t.hash, Result: res, Implicit: t.implicit, Raised: t.raised, Console: console}
			b.Messages = append(b.Messages, e)
			penalty, tip = big.Add(penalty, res.Penalty), big.Add(tip, res.MinerTip)
		}
	}
	h := b.Tipset.Blocks[0]
	reward, err := executor.RewardMessage(h.Height, h.Miner, penalty, tip, h.ElectionProof.WinCount)
	if err != nil {
		return nil, err
	}
	if err := system(ctx, m, "the block reward", reward); err != nil {
		return nil, err
	}
	if err := system(ctx, m, "cron", executor.CronMessage(h.Height)); err != nil {
		return nil, err
	}
	b.Executed, err = m.Flush(ctx)
	b.Root = b.Executed
	return out, err
}

// messageError is of a message that leaves no block: it is this message that must go.
type messageError struct {
	*pooled
	err error
}

func (e *messageError) Error() string { return fmt.Sprintf("message %s: %v", e.CID, e.err) }
func (e *messageError) Unwrap() error { return e.err }

// apply executes a message. why is why the network would refuse it.
func apply(ctx context.Context, m *fvm.Machine, t *pooled) (res *fvm.Result, why, err error) {
	msg := t.Message.Message
	if t.raised > 0 {
		with := *msg
		with.GasLimit = t.raised
		msg = &with
	}
	if t.implicit {
		if res, err = m.ApplyImplicit(ctx, msg); errors.Is(err, fvm.ErrInvalidMessage) {
			return nil, err, nil
		}
		return res, nil, err
	}
	if res, err = m.Apply(ctx, msg, fvm.Explicit, t.Length); errors.Is(err, fvm.ErrInvalidMessage) {
		return nil, err, nil
	}
	if err == nil && res.GasUsed == 0 {
		return nil, fmt.Errorf("exit code %d: %s", res.ExitCode, res.Failure), nil // refused before it ran
	}
	return res, nil, err
}
