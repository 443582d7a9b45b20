package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ipfs/go-cid"
	cbor "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	blockadt "github.com/filecoin-project/specs-actors/actors/util/adt"

	"github.com/filecoin-project/lotus/blockstore"
	"github.com/filecoin-project/lotus/build"
	"github.com/filecoin-project/lotus/chain/consensus"
	"github.com/filecoin-project/lotus/chain/consensus/filcns"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/storage/sealer/ffiwrapper"
)

// line is a block with a damage, and what Lotus says of it.
type line struct {
	Chain   string         `json:"chain"`
	Epoch   abi.ChainEpoch `json:"epoch"` // of the block that was damaged
	Damage  string         `json:"damage"`
	Header  []byte         `json:"header"`
	BLS     [][]byte       `json:"bls"`
	Secp    [][]byte       `json:"secp"`
	Verdict string         `json:"verdict"` // Lotus's error; "" if it takes the block
}

// validate has Lotus validate each block, and of some tipsets the first with each damage.
func (x *check) validate(ctx context.Context, ts *types.TipSet) error {
	ec := filcns.NewFilecoinExpectedConsensus(x.sm, x.beacons, ffiwrapper.ProofVerifier, nil)
	for i, h := range ts.Blocks() {
		b, err := x.full(ctx, h)
		if err != nil {
			return err
		}
		if err := ec.ValidateBlock(ctx, b); err != nil {
			return fmt.Errorf("epoch %d: block %s: %w", ts.Height(), h.Cid(), err)
		}
		x.blocks++
		if x.damageEvery > 1 && int(ts.Height())%x.damageEvery != 0 {
			continue
		}
		if i > 0 && len(b.BlsMessages)+len(b.SecpkMessages) == 0 {
			continue
		}
		for _, d := range damages {
			if err := x.damage(ctx, ec, h, d); err != nil {
				return fmt.Errorf("epoch %d: block %s: %s: %w", ts.Height(), h.Cid(), d.name, err)
			}
		}
	}
	return nil
}

// full is a copy of a block that may be changed, with its messages. Lotus remembers of a header that its signature was checked, and so
// it is read anew.
func (x *check) full(ctx context.Context, h *types.BlockHeader) (*types.FullBlock, error) {
	data, err := h.Serialize()
	if err != nil {
		return nil, err
	}
	again, err := types.DecodeBlock(data)
	if err != nil {
		return nil, err
	}
	b := &types.FullBlock{Header: again}
	bls, secp, err := x.cs.MessagesForBlock(ctx, h)
	if err != nil {
		return nil, err
	}
	for _, m := range bls {
		copied := *m
		b.BlsMessages = append(b.BlsMessages, &copied)
	}
	for _, m := range secp {
		copied := *m
		copied.Signature.Data = bytes.Clone(m.Signature.Data)
		b.SecpkMessages = append(b.SecpkMessages, &copied)
	}
	return b, nil
}

func (x *check) damage(ctx context.Context, ec consensus.Consensus, h *types.BlockHeader, d damage) error {
	b, err := x.full(ctx, h)
	if err != nil {
		return err
	}
	if !d.do(b) {
		return nil // nothing in it that this could damage
	}
	if d.messages {
		was := b.Header.Messages
		if b.Header.Messages, err = x.root(ctx, b); err != nil {
			return err
		}
		if was == b.Header.Messages {
			return nil // it was so before
		}
	}
	out := line{Chain: x.name, Epoch: h.Height, Damage: d.name}
	if out.Header, err = b.Header.Serialize(); err != nil {
		return nil // it cannot be written: nobody can send it
	}
	for _, m := range b.BlsMessages {
		data, err := m.Serialize()
		if err != nil {
			return nil
		}
		out.BLS = append(out.BLS, data)
	}
	for _, m := range b.SecpkMessages {
		data, err := m.Serialize()
		if err != nil {
			return nil
		}
		out.Secp = append(out.Secp, data)
	}
	if err := ec.ValidateBlock(ctx, b); err != nil {
		out.Verdict = err.Error()
		x.refused++
	} else if !d.harmless {
		return fmt.Errorf("it is taken")
	}
	return x.damagedTo.Encode(out)
}

// root is that of a block's messages.
func (x *check) root(ctx context.Context, b *types.FullBlock) (cid.Cid, error) {
	s := blockadt.WrapStore(ctx, cbor.NewCborStore(blockstore.NewMemorySync()))
	list := func(n int, at func(int) cid.Cid) (cid.Cid, error) {
		a := blockadt.MakeEmptyArray(s)
		for i := range n {
			c := cbg.CborCid(at(i))
			if err := a.Set(uint64(i), &c); err != nil {
				return cid.Undef, err
			}
		}
		return a.Root()
	}
	bls, err := list(len(b.BlsMessages), func(i int) cid.Cid { return b.BlsMessages[i].Cid() })
	if err != nil {
		return cid.Undef, err
	}
	secp, err := list(len(b.SecpkMessages), func(i int) cid.Cid { return b.SecpkMessages[i].Cid() })
	if err != nil {
		return cid.Undef, err
	}
	return s.Put(ctx, &types.MsgMeta{BlsMessages: bls, SecpkMessages: secp})
}

// damage spoils a block, and tells whether it could.
type damage struct {
	name     string
	messages bool // the root of the messages is made anew
	harmless bool // Lotus may take it
	do       func(*types.FullBlock) bool
}

func header(name string, do func(h *types.BlockHeader) bool) damage {
	return damage{name: name, do: func(b *types.FullBlock) bool { return do(b.Header) }}
}

func flip(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at%len(out)] ^= 1
	return out
}

func id(n uint64) address.Address {
	a, err := address.NewIDAddress(n)
	if err != nil {
		panic(err)
	}
	return a
}

// first applies a change to the first message without signature.
func first(name string, do func(m *types.Message)) damage {
	return damage{name: "bls: " + name, messages: true, do: func(b *types.FullBlock) bool {
		if len(b.BlsMessages) == 0 {
			return false
		}
		do(b.BlsMessages[0])
		return true
	}}
}

// signed applies a change to the first message with a signature of a type.
func signed(kind string, typ crypto.SigType, name string, do func(m *types.SignedMessage)) damage {
	return damage{name: kind + ": " + name, messages: true, do: func(b *types.FullBlock) bool {
		for _, m := range b.SecpkMessages {
			if m.Signature.Type == typ {
				do(m)
				return true
			}
		}
		return false
	}}
}

// fields are changes to what all messages have.
var fields = []struct {
	name string
	do   func(m *types.Message)
}{
	{"nonce up", func(m *types.Message) { m.Nonce++ }},
	{"gas limit 0", func(m *types.Message) { m.GasLimit = 0 }},
	{"gas limit below 0", func(m *types.Message) { m.GasLimit = -5 }},
	{"gas limit too small", func(m *types.Message) { m.GasLimit = 50_000 }},
	{"gas limit above the block's", func(m *types.Message) { m.GasLimit = 10_000_000_001 }},
	{"gas limit the block's", func(m *types.Message) { m.GasLimit = 10_000_000_000 }},
	{"value below 0", func(m *types.Message) { m.Value = big.NewInt(-1) }},
	{"value above all", func(m *types.Message) { m.Value = big.Add(types.TotalFilecoinInt, big.NewInt(1)) }},
	{"fee cap below 0", func(m *types.Message) { m.GasFeeCap, m.GasPremium = big.NewInt(-1), big.NewInt(-1) }},
	{"premium below 0", func(m *types.Message) { m.GasPremium = big.NewInt(-1) }},
	{"premium above the fee cap", func(m *types.Message) { m.GasPremium = big.Add(m.GasFeeCap, big.NewInt(1)) }},
	{"version 1", func(m *types.Message) { m.Version = 1 }},
	{"sender that is not there", func(m *types.Message) { m.From = id(987654321) }},
	{"sender that is an actor", func(m *types.Message) { m.From = id(4) }},
	{"sender that is a miner", func(m *types.Message) { m.From = id(1000) }},
	{"other receiver", func(m *types.Message) { m.To = id(99) }},
	{"receiver without a key", func(m *types.Message) { m.To = build.ZeroAddress }},
	{"other parameters", func(m *types.Message) { m.Params = append(bytes.Clone(m.Params), 0) }},
	{"other method", func(m *types.Message) { m.Method++ }},
}

var damages = makeDamages()

func makeDamages() []damage {
	list := []damage{
		header("ticket of another", func(h *types.BlockHeader) bool {
			h.Ticket = &types.Ticket{VRFProof: bytes.Clone(h.ElectionProof.VRFProof)}
			return true
		}),
		header("ticket damaged", func(h *types.BlockHeader) bool {
			h.Ticket = &types.Ticket{VRFProof: flip(h.Ticket.VRFProof, 50)}
			return true
		}),
		header("no ticket", func(h *types.BlockHeader) bool { h.Ticket = nil; return true }),
		header("election proof of another", func(h *types.BlockHeader) bool {
			h.ElectionProof = &types.ElectionProof{WinCount: h.ElectionProof.WinCount, VRFProof: bytes.Clone(h.Ticket.VRFProof)}
			return true
		}),
		header("no election proof", func(h *types.BlockHeader) bool { h.ElectionProof = nil; return true }),
		header("a win more", func(h *types.BlockHeader) bool { h.ElectionProof.WinCount++; return true }),
		header("no win", func(h *types.BlockHeader) bool { h.ElectionProof.WinCount = 0; return true }),
		header("wins below 0", func(h *types.BlockHeader) bool { h.ElectionProof.WinCount = -1; return true }),
		header("more weight", func(h *types.BlockHeader) bool {
			h.ParentWeight = big.Add(h.ParentWeight, big.NewInt(1))
			return true
		}),
		header("no weight", func(h *types.BlockHeader) bool { h.ParentWeight = big.Zero(); return true }),
		header("base fee up", func(h *types.BlockHeader) bool {
			h.ParentBaseFee = big.Add(h.ParentBaseFee, big.NewInt(1))
			return true
		}),
		header("a second later", func(h *types.BlockHeader) bool { h.Timestamp++; return true }),
		header("an epoch later", func(h *types.BlockHeader) bool {
			h.Height++
			h.Timestamp += build.BlockDelaySecs
			return true
		}),
		header("its parents' epoch", func(h *types.BlockHeader) bool { h.Height = 0; return true }),
		header("no beacon entries", func(h *types.BlockHeader) bool { h.BeaconEntries = nil; return true }),
		header("beacon data damaged", func(h *types.BlockHeader) bool {
			if len(h.BeaconEntries) == 0 {
				return false
			}
			h.BeaconEntries[0].Data = flip(h.BeaconEntries[0].Data, 3)
			return true
		}),
		header("beacon round up", func(h *types.BlockHeader) bool {
			if len(h.BeaconEntries) == 0 {
				return false
			}
			h.BeaconEntries[len(h.BeaconEntries)-1].Round++
			return true
		}),
		header("beacon entry twice", func(h *types.BlockHeader) bool {
			if len(h.BeaconEntries) == 0 {
				return false
			}
			h.BeaconEntries = append(h.BeaconEntries, h.BeaconEntries[len(h.BeaconEntries)-1])
			return true
		}),
		header("first beacon entry gone", func(h *types.BlockHeader) bool {
			if len(h.BeaconEntries) < 2 {
				return false
			}
			h.BeaconEntries = h.BeaconEntries[1:]
			return true
		}),
		header("beacon entries turned", func(h *types.BlockHeader) bool {
			if len(h.BeaconEntries) < 2 {
				return false
			}
			h.BeaconEntries[0], h.BeaconEntries[1] = h.BeaconEntries[1], h.BeaconEntries[0]
			return true
		}),
		header("block signature of another", func(h *types.BlockHeader) bool {
			h.BlockSig = &crypto.Signature{Type: crypto.SigTypeBLS, Data: bytes.Clone(h.Ticket.VRFProof)}
			return true
		}),
		header("block signature of another type", func(h *types.BlockHeader) bool {
			h.BlockSig = &crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: bytes.Clone(h.BlockSig.Data[:65])}
			return true
		}),
		header("no block signature", func(h *types.BlockHeader) bool { h.BlockSig = nil; return true }),
		header("no aggregate", func(h *types.BlockHeader) bool { h.BLSAggregate = nil; return true }),
		header("aggregate of another", func(h *types.BlockHeader) bool {
			h.BLSAggregate = &crypto.Signature{Type: crypto.SigTypeBLS, Data: bytes.Clone(h.Ticket.VRFProof)}
			return true
		}),
		header("winning PoSt damaged", func(h *types.BlockHeader) bool {
			h.WinPoStProof = []proof.PoStProof{{PoStProof: h.WinPoStProof[0].PoStProof, ProofBytes: negated(h.WinPoStProof[0].ProofBytes)}}
			return true
		}),
		header("no winning PoSt", func(h *types.BlockHeader) bool { h.WinPoStProof = nil; return true }),
		header("other state", func(h *types.BlockHeader) bool { h.ParentStateRoot = h.Messages; return true }),
		header("other receipts", func(h *types.BlockHeader) bool { h.ParentMessageReceipts = h.Messages; return true }),
		header("other messages", func(h *types.BlockHeader) bool { h.Messages = h.ParentStateRoot; return true }),
		header("another miner", func(h *types.BlockHeader) bool {
			other := id(1000)
			if h.Miner == other {
				other = id(1001)
			}
			h.Miner = other
			return true
		}),
		header("a miner that is not there", func(h *types.BlockHeader) bool { h.Miner = id(987654321); return true }),
		header("a miner that is none", func(h *types.BlockHeader) bool { h.Miner = id(4); return true }),
		header("fork signalling", func(h *types.BlockHeader) bool { h.ForkSignaling = 1; return true }),
		{name: "first bls message gone", messages: true, do: func(b *types.FullBlock) bool {
			if len(b.BlsMessages) == 0 {
				return false
			}
			b.BlsMessages = b.BlsMessages[1:]
			return true
		}},
		{name: "last message gone", messages: true, do: func(b *types.FullBlock) bool {
			n := len(b.SecpkMessages)
			if n == 0 {
				return false
			}
			b.SecpkMessages = b.SecpkMessages[:n-1]
			return true
		}},
		{name: "last message gone, not from the root", do: func(b *types.FullBlock) bool {
			n := len(b.SecpkMessages)
			if n == 0 {
				return false
			}
			b.SecpkMessages = b.SecpkMessages[:n-1]
			return true
		}},
		{name: "first message twice", messages: true, do: func(b *types.FullBlock) bool {
			if len(b.SecpkMessages) == 0 {
				return false
			}
			b.SecpkMessages = append(b.SecpkMessages, b.SecpkMessages[0])
			return true
		}},
		{name: "bls message twice", messages: true, do: func(b *types.FullBlock) bool {
			if len(b.BlsMessages) == 0 {
				return false
			}
			b.BlsMessages = append(b.BlsMessages, b.BlsMessages[0])
			return true
		}},
		{name: "messages turned", messages: true, harmless: true, do: func(b *types.FullBlock) bool {
			n := len(b.SecpkMessages)
			if n < 2 {
				return false
			}
			b.SecpkMessages[0], b.SecpkMessages[n-1] = b.SecpkMessages[n-1], b.SecpkMessages[0]
			return true
		}},
		{name: "bls messages turned", messages: true, harmless: true, do: func(b *types.FullBlock) bool {
			n := len(b.BlsMessages)
			if n < 2 {
				return false
			}
			b.BlsMessages[0], b.BlsMessages[n-1] = b.BlsMessages[n-1], b.BlsMessages[0]
			return true
		}},
	}
	for _, f := range fields {
		list = append(list, first(f.name, f.do))
	}
	for _, kind := range []struct {
		name string
		typ  crypto.SigType
	}{{"secp", crypto.SigTypeSecp256k1}, {"delegated", crypto.SigTypeDelegated}} {
		for _, f := range fields {
			list = append(list, signed(kind.name, kind.typ, f.name, func(m *types.SignedMessage) { f.do(&m.Message) }))
		}
		list = append(list,
			signed(kind.name, kind.typ, "signature damaged", func(m *types.SignedMessage) { m.Signature.Data = flip(m.Signature.Data, 40) }),
			signed(kind.name, kind.typ, "recovery number damaged", func(m *types.SignedMessage) { m.Signature.Data = flip(m.Signature.Data, len(m.Signature.Data)-1) }),
			signed(kind.name, kind.typ, "signature of another type", func(m *types.SignedMessage) {
				m.Signature.Type = crypto.SigTypeSecp256k1 + crypto.SigTypeDelegated - kind.typ
			}),
		)
	}
	return list
}

// negated is another valid point in the place of a proof's first, if it is one: its negative.
func negated(data []byte) []byte {
	out := bytes.Clone(data)
	if len(out) > 0 {
		out[0] ^= 0x20
	}
	return out
}
