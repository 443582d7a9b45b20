package chain

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/amt"
)

// maxMessages bounds each list of a block. Gas for so many to be included is more than a block has.
const maxMessages = 1 << 18

// MsgMeta is what a header's Messages is the CID of: the roots of two arrays of CIDs.
type MsgMeta struct {
	BLS  cid.Cid // of messages whose signatures are one, the header's BLSAggregate
	Secp cid.Cid // of messages with a signature of their own
}

// MarshalCBOR writes [BLS, Secp].
func (m *MsgMeta) MarshalCBOR(out io.Writer) error {
	w := newWriter(out)
	w.list("MsgMeta", 2)
	w.cid(m.BLS)
	w.cid(m.Secp)
	return w.err
}

// UnmarshalCBOR reads what MarshalCBOR writes.
func (m *MsgMeta) UnmarshalCBOR(in io.Reader) error {
	r := newReader(in)
	r.tuple("MsgMeta", 2)
	*m = MsgMeta{BLS: r.cid("BLS"), Secp: r.cid("Secp")}
	return r.err
}

// Message is a message as a block has it.
type Message struct {
	// CID as the block names it: of the message and its signature, or without one of the message alone.
	CID     cid.Cid
	Message *fvm.Message
	// Signature is nil of a message that the block's aggregate signs.
	Signature *crypto.Signature
	// Length on the chain in bytes, which the sender pays for.
	Length int
	// bare is the CID of the message without its signature, of one that has a BLS signature of its own.
	bare cid.Cid
}

// feeCID is what a message is known by where base fees are computed.
//
// Quirk: of a BLS signature nobody takes note, wherever it stands.
func (m *Message) feeCID() cid.Cid {
	if m.bare.Defined() {
		return m.bare
	}
	return m.CID
}

// BlockMessages are the messages of a block, each list in the block's order.
type BlockMessages struct {
	BLS, Secp []Message
}

// All are the messages in the order in which they are executed.
func (b *BlockMessages) All() []Message {
	return append(append(make([]Message, 0, len(b.BLS)+len(b.Secp)), b.BLS...), b.Secp...)
}

// DecodeUnsigned reads a message without signature from a block's bytes. The error wraps ErrMalformed.
func DecodeUnsigned(c cid.Cid, data []byte) (Message, error) {
	m, err := decodeMessage(data)
	if err != nil {
		return Message{}, fmt.Errorf("%w: message %s: %w", ErrMalformed, c, err)
	}
	return Message{CID: c, Message: m, Length: len(data)}, nil
}

// DecodeSigned reads [message, signature] from a block's bytes. The error wraps ErrMalformed.
func DecodeSigned(c cid.Cid, data []byte) (Message, error) {
	bad := func(err error) (Message, error) {
		return Message{}, fmt.Errorf("%w: signed message %s: %w", ErrMalformed, c, err)
	}
	r := cbor.NewReader(data)
	r.Tuple(2)
	inner, sig := r.Raw(), r.Raw()
	if err := r.End(); err != nil {
		return bad(err)
	}
	m, err := decodeMessage(inner)
	if err != nil {
		return bad(err)
	}
	s := new(crypto.Signature)
	if err := decode(sig, s); err != nil {
		return bad(fmt.Errorf("its signature: %w", err))
	}
	out := Message{CID: c, Message: m, Signature: s, Length: len(data)}
	if s.Type == crypto.SigTypeBLS {
		out.Length = len(inner) // Quirk: for the length of a BLS signature nobody pays
		if out.bare, err = sum(inner); err != nil {
			return bad(err)
		}
	}
	return out, nil
}

func decodeMessage(data []byte) (*fvm.Message, error) {
	m, err := fvm.DecodeMessage(data)
	if err != nil {
		return nil, err
	}
	again, err := encode(m)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, fmt.Errorf("it is not in the form that has its hash")
	}
	return m, nil
}

// Messages reads the messages of a block.
func (s *Store) Messages(ctx context.Context, h *Header) (*BlockMessages, error) {
	data, err := s.raw(ctx, h.Messages)
	if err != nil {
		return nil, fmt.Errorf("the lists of messages: %w", err)
	}
	var meta MsgMeta
	if err := decode(data, &meta); err != nil {
		return nil, fmt.Errorf("%w: the lists of messages, %s: %w", ErrMalformed, h.Messages, err)
	}
	bls, err := s.list(ctx, meta.BLS, DecodeUnsigned)
	if err != nil {
		return nil, fmt.Errorf("messages that the block's aggregate signs: %w", err)
	}
	secp, err := s.list(ctx, meta.Secp, DecodeSigned)
	if err != nil {
		return nil, fmt.Errorf("messages with signatures: %w", err)
	}
	return &BlockMessages{BLS: bls, Secp: secp}, nil
}

func (s *Store) list(ctx context.Context, root cid.Cid, read func(cid.Cid, []byte) (Message, error)) ([]Message, error) {
	items, err := amt.Values(ctx, s.raw, root, maxMessages)
	if err != nil {
		return nil, err
	}
	list := make([]Message, 0, len(items))
	for i, item := range items {
		r := cbor.NewReader(item)
		c := r.CID()
		if err := r.End(); err != nil {
			return nil, fmt.Errorf("%w: item %d of %s: %w", ErrMalformed, i, root, err)
		}
		data, err := s.raw(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		m, err := read(c, data)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// TipsetMessages reads the messages of each block.
func (s *Store) TipsetMessages(ctx context.Context, t *Tipset) ([]*BlockMessages, error) {
	out := make([]*BlockMessages, len(t.Blocks))
	for i, h := range t.Blocks {
		m, err := s.Messages(ctx, h)
		if err != nil {
			return nil, fmt.Errorf("block %s at epoch %d: %w", t.CIDs[i], h.Height, err)
		}
		out[i] = m
	}
	return out, nil
}
