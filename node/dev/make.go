package dev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/amt"
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
		if root, err = n.nullRound(ctx, b, e, root); err != nil {
			return nil, nil, fmt.Errorf("the null round at epoch %d: %w", e, err)
		}
	}
	b.begin = root
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
	parts, err := supply.Rules{Network: n.network}.At(ctx, epoch, st)
	return parts.Circulating, err
}

// config is the setting of a block's own machine.
func (n *Node) config(b *Block) fvm.Config {
	return fvm.Config{
		NetworkVersion: n.network.VersionAt(b.Epoch()), Epoch: b.Epoch(), Timestamp: b.Timestamp(), ChainID: n.network.ChainID, BaseFee: b.BaseFee(),
		CircSupply: b.supply, StateRoot: b.begin, Blockstore: b.states, Engine: n.engine, ActorDebugging: n.network.Constants.ActorDebugging,
		Externs: &world{n: n, block: b, epoch: b.Epoch(), root: b.begin}, Proofs: n.o.Proofs,
	}
}

// nullRound runs cron at an epoch without a block.
func (n *Node) nullRound(ctx context.Context, b *Block, e abi.ChainEpoch, root cid.Cid) (cid.Cid, error) {
	cfg := n.config(b)
	time, err := n.network.TimestampAt(e)
	if err != nil {
		return cid.Undef, err
	}
	cfg.NetworkVersion, cfg.Epoch, cfg.Timestamp, cfg.StateRoot = n.network.VersionAt(e), e, time, root
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

// seal completes the header, and writes what the block is made of.
func (n *Node) seal(ctx context.Context, b *Block, p *plan) error {
	var list []blocks.Block
	put := func(c cid.Cid, data []byte) error {
		blk, err := blocks.NewBlockWithCid(data, c)
		list = append(list, blk)
		return err
	}
	object := func(v cbg.CBORMarshaler) (cid.Cid, error) {
		data, err := encode(v)
		if err != nil {
			return cid.Undef, err
		}
		c := digestOf(data)
		return c, put(c, data)
	}
	var bls, secp [][]byte
	var results []*fvm.Result
	for _, m := range b.Messages {
		results = append(results, m.Result)
		to := &bls
		v := cbg.CBORMarshaler(m.Message.Message)
		if m.Signature != nil {
			to, v = &secp, &signed{m.Message.Message, m.Signature}
		}
		c, err := object(v)
		if err != nil {
			return err
		}
		*to = append(*to, cbor.AppendCID(nil, c))
	}
	var meta chain.MsgMeta
	var err error
	if meta.BLS, err = amt.Build(bls, put); err != nil {
		return err
	}
	if meta.Secp, err = amt.Build(secp, put); err != nil {
		return err
	}
	h := b.Tipset.Blocks[0]
	if h.Messages, err = object(&meta); err != nil {
		return err
	}
	if b.Receipts, err = chain.ReceiptsRoot(n.network.VersionAt(h.Height), results, put); err != nil {
		return err
	}
	c, err := object(h)
	if err != nil {
		return err
	}
	if err := b.identify(c); err != nil {
		return err
	}
	b.NextBaseFee = n.rules.BaseFeeRules().NextBaseFee(b.Tipset, []*chain.BlockMessages{b.messages()})
	return p.states.PutMany(ctx, list)
}

// identify sets what follows from the header's CID.
func (b *Block) identify(c cid.Cid) (err error) {
	b.Tipset.CIDs = []cid.Cid{c}
	if b.Key, err = b.Tipset.Key().CID(); err != nil {
		return err
	}
	b.Hash = hashOf(b.Key)
	return nil
}

// signed is a message with its signature, as the chain has it.
type signed struct {
	msg *fvm.Message
	sig *crypto.Signature
}

func (s *signed) MarshalCBOR(w io.Writer) error {
	if _, err := w.Write(cbor.AppendArray(nil, 2)); err != nil {
		return err
	}
	if err := s.msg.MarshalCBOR(w); err != nil {
		return err
	}
	return s.sig.MarshalCBOR(w)
}

func encode(v cbg.CBORMarshaler) ([]byte, error) {
	var b bytes.Buffer
	if err := v.MarshalCBOR(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// bareCID is a message's without its signature.
func bareCID(m *fvm.Message) cid.Cid {
	data, err := encode(m)
	if err != nil {
		return cid.Undef
	}
	return digestOf(data)
}

// genesisBlock is the block at epoch 0, of a chain that begins with the genesis' state.
func (n *Node) genesisBlock(ctx context.Context, time uint64) (*Block, error) {
	g := n.genesis
	miner, err := n.minerAt(0)
	if err != nil {
		return nil, err
	}
	entry, err := n.beaconEntry(0)
	if err != nil {
		return nil, err
	}
	empty, err := amt.Build(nil, nobody)
	if err != nil {
		return nil, err
	}
	proof := ticketOf(g.Root, 0, nil)
	b := &Block{
		Root: g.Root, Executed: g.Root, begin: g.Root, Receipts: empty, NextBaseFee: big.NewInt(100), states: n.states, cache: new(cache),
		Tipset: &chain.Tipset{Blocks: []*chain.Header{{
			Miner: miner, Ticket: &chain.Ticket{VRFProof: proof}, ElectionProof: &chain.ElectionProof{WinCount: 0, VRFProof: proof},
			BeaconEntries: []chain.BeaconEntry{entry}, ParentWeight: big.Zero(), ParentStateRoot: g.Root, ParentMessageReceipts: empty,
			BLSAggregate: noSignature, BlockSig: noSignature, Timestamp: time, ParentBaseFee: big.NewInt(100),
		}}},
	}
	return b, n.sealGenesis(ctx, b)
}

// nobody wants the blocks of an array.
func nobody(cid.Cid, []byte) error { return nil }

func (n *Node) sealGenesis(ctx context.Context, b *Block) error {
	fee := b.NextBaseFee
	n.rules.Network, n.network = n.genesis.Network, n.genesis.Network
	receipts := b.Receipts
	if err := n.seal(ctx, b, &plan{states: n.states}); err != nil { // of the header alone
		return err
	}
	b.NextBaseFee, b.Receipts = fee, receipts
	return nil
}

// idOf is the ID address of an actor.
func idOf(id abi.ActorID) address.Address { return addr.NewID(uint64(id)) }
