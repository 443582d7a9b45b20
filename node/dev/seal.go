package dev

import (
	"bytes"
	"context"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/amt"
)

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
	if b.Receipts, err = chain.ReceiptsRoot(n.Network().VersionAt(h.Height), results, put); err != nil {
		return err
	}
	c, err := object(h)
	if err != nil {
		return err
	}
	if err := b.identify(c); err != nil {
		return err
	}
	b.NextBaseFee = n.rules().BaseFeeRules().NextBaseFee(b.Tipset, []*chain.BlockMessages{b.messages()})
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
	n.described.Store(n.genesis.Network)
	receipts := b.Receipts
	if err := n.seal(ctx, b, &plan{states: n.states}); err != nil { // of the header alone
		return err
	}
	b.NextBaseFee, b.Receipts = fee, receipts
	return nil
}

// idOf is the ID address of an actor.
func idOf(id abi.ActorID) address.Address { return addr.NewID(uint64(id)) }
