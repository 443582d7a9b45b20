package chain

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// ErrMalformed is wrapped by errors about blocks that are not what they should be.
var ErrMalformed = errors.New("malformed block")

// Header is a block's header as it is on the chain: a list of 16 fields, whose hash is the block's CID (Filecoin
// specification, "Block Structure"). Reading one checks its form and nothing else: anybody may have made it.
type Header struct {
	Miner                 address.Address
	Ticket                *Ticket        // nil in no block of a chain but possible in a report of a fault
	ElectionProof         *ElectionProof // as Ticket
	BeaconEntries         []BeaconEntry
	WinPoStProof          []proof.PoStProof
	Parents               []cid.Cid // the blocks of the parent tipset in its order
	ParentWeight          big.Int
	Height                abi.ChainEpoch
	ParentStateRoot       cid.Cid           // the state after the parent tipset
	ParentMessageReceipts cid.Cid           // the receipts of the parent tipset's messages
	Messages              cid.Cid           // of a MsgMeta
	BLSAggregate          *crypto.Signature // of the messages without signatures of their own; nil as Ticket
	Timestamp             uint64            // in seconds since 1970
	BlockSig              *crypto.Signature // by the miner's worker key; nil as Ticket
	ForkSignaling         uint64
	ParentBaseFee         abi.TokenAmount // for this block's messages, derived from the parent tipset; in attoFIL a unit of gas
}

// Ticket of a block: its hash orders blocks in a tipset, and is the chain's own randomness.
type Ticket struct{ VRFProof []byte }

// ElectionProof says how many times a block's miner won its epoch.
type ElectionProof struct {
	WinCount int64
	VRFProof []byte
}

// BeaconEntry is a round of the randomness beacon.
type BeaconEntry struct {
	Round uint64
	Data  []byte
}

const headerFields = 16

// MarshalCBOR writes the header as the chain has it.
func (h *Header) MarshalCBOR(out io.Writer) error {
	w := newWriter(out)
	w.list("header", headerFields)
	w.item(&h.Miner)
	w.item(h.Ticket)
	w.item(h.ElectionProof)
	w.list("BeaconEntries", len(h.BeaconEntries))
	for i := range h.BeaconEntries {
		w.item(&h.BeaconEntries[i])
	}
	w.list("WinPoStProof", len(h.WinPoStProof))
	for i := range h.WinPoStProof {
		w.item(&h.WinPoStProof[i])
	}
	w.list("Parents", len(h.Parents))
	for _, p := range h.Parents {
		w.cid(p)
	}
	w.item(&h.ParentWeight)
	w.int(int64(h.Height))
	w.cid(h.ParentStateRoot)
	w.cid(h.ParentMessageReceipts)
	w.cid(h.Messages)
	w.item(h.BLSAggregate)
	w.uint(h.Timestamp)
	w.item(h.BlockSig)
	w.uint(h.ForkSignaling)
	w.item(&h.ParentBaseFee)
	return w.err
}

// UnmarshalCBOR reads a header as nodes do: what they refuse it refuses, what they take it takes.
func (h *Header) UnmarshalCBOR(in io.Reader) error {
	*h = Header{}
	r := newReader(in)
	r.tuple("header", headerFields)
	r.item("Miner", &h.Miner)
	if !r.null("Ticket") {
		h.Ticket = new(Ticket)
		r.item("Ticket", h.Ticket)
	}
	if !r.null("ElectionProof") {
		h.ElectionProof = new(ElectionProof)
		r.item("ElectionProof", h.ElectionProof)
	}
	h.BeaconEntries = readList[BeaconEntry](r, "BeaconEntries")
	h.WinPoStProof = readList[proof.PoStProof](r, "WinPoStProof")
	for n := r.list("Parents"); n > 0 && r.err == nil; n-- {
		h.Parents = append(h.Parents, r.cid("Parents"))
	}
	r.item("ParentWeight", &h.ParentWeight)
	h.Height = abi.ChainEpoch(r.int("Height"))
	h.ParentStateRoot = r.cid("ParentStateRoot")
	h.ParentMessageReceipts = r.cid("ParentMessageReceipts")
	h.Messages = r.cid("Messages")
	h.BLSAggregate = readSignature(r, "BLSAggregate")
	h.Timestamp = r.uint("Timestamp")
	h.BlockSig = readSignature(r, "BlockSig")
	h.ForkSignaling = r.uint("ForkSignaling")
	r.item("ParentBaseFee", &h.ParentBaseFee)
	return r.err
}

func readList[T any, P interface {
	*T
	cbg.CBORUnmarshaler
}](r *reader, what string) []T {
	var list []T
	for n := r.list(what); n > 0 && r.err == nil; n-- {
		var v T
		r.item(what, P(&v))
		list = append(list, v)
	}
	return list
}

func readSignature(r *reader, what string) *crypto.Signature {
	if r.null(what) {
		return nil
	}
	s := new(crypto.Signature)
	r.item(what, s)
	return s
}

// MarshalCBOR writes [VRFProof], or null for nil.
func (t *Ticket) MarshalCBOR(out io.Writer) error {
	w := newWriter(out)
	if t == nil {
		_, err := w.cw.Write(cbg.CborNull)
		return err
	}
	w.list("Ticket", 1)
	w.bytes("VRFProof", t.VRFProof)
	return w.err
}

// UnmarshalCBOR reads what MarshalCBOR writes of a ticket.
func (t *Ticket) UnmarshalCBOR(in io.Reader) error {
	r := newReader(in)
	r.tuple("Ticket", 1)
	*t = Ticket{VRFProof: r.bytes("VRFProof")}
	return r.err
}

// MarshalCBOR writes [WinCount, VRFProof], or null for nil.
func (e *ElectionProof) MarshalCBOR(out io.Writer) error {
	w := newWriter(out)
	if e == nil {
		_, err := w.cw.Write(cbg.CborNull)
		return err
	}
	w.list("ElectionProof", 2)
	w.int(e.WinCount)
	w.bytes("VRFProof", e.VRFProof)
	return w.err
}

// UnmarshalCBOR reads what MarshalCBOR writes of an election proof.
func (e *ElectionProof) UnmarshalCBOR(in io.Reader) error {
	r := newReader(in)
	r.tuple("ElectionProof", 2)
	*e = ElectionProof{WinCount: r.int("WinCount"), VRFProof: r.bytes("VRFProof")}
	return r.err
}

// MarshalCBOR writes [Round, Data].
func (e *BeaconEntry) MarshalCBOR(out io.Writer) error {
	w := newWriter(out)
	w.list("BeaconEntry", 2)
	w.uint(e.Round)
	w.bytes("Data", e.Data)
	return w.err
}

// UnmarshalCBOR reads what MarshalCBOR writes.
func (e *BeaconEntry) UnmarshalCBOR(in io.Reader) error {
	r := newReader(in)
	r.tuple("BeaconEntry", 2)
	*e = BeaconEntry{Round: r.uint("Round"), Data: r.bytes("Data")}
	return r.err
}

// DecodeHeader reads a header of a chain from a block's bytes: they hold nothing else, and are what MarshalCBOR writes of it.
// The error wraps ErrMalformed.
func DecodeHeader(data []byte) (*Header, error) {
	h := new(Header)
	if err := decode(data, h); err != nil {
		return nil, fmt.Errorf("%w: no block header: %w", ErrMalformed, err)
	}
	again, err := encode(h)
	if err != nil {
		return nil, fmt.Errorf("%w: no block header: %w", ErrMalformed, err)
	}
	if !bytes.Equal(again, data) {
		return nil, fmt.Errorf("%w: a block header that is not in the form which has its hash", ErrMalformed)
	}
	return h, nil
}

// CID is the block's: the hash of all of the header.
func (h *Header) CID() (cid.Cid, error) {
	data, err := encode(h)
	if err != nil {
		return cid.Undef, err
	}
	return sum(data)
}

// SigningBytes are what the miner signs: the header without its signature.
func (h *Header) SigningBytes() ([]byte, error) {
	unsigned := *h
	unsigned.BlockSig = nil
	return encode(&unsigned)
}

func encode(v cbg.CBORMarshaler) ([]byte, error) {
	var b bytes.Buffer
	if err := v.MarshalCBOR(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// sum is the CID of a chain's object.
func sum(data []byte) (cid.Cid, error) { return abi.CidBuilder.Sum(data) }
