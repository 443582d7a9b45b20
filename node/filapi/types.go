package filapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
)

// The structs of this file have the names of Lotus's fields, in their order. What is empty on the chain is null, as Lotus's readers of
// CBOR leave it.

type tipsetJSON struct {
	Cids   []cid.Cid
	Blocks []*chain.Header
	Height abi.ChainEpoch
}

func tipsetOut(ts *chain.Tipset) *tipsetJSON {
	if ts == nil {
		return nil
	}
	t := &tipsetJSON{Cids: ts.CIDs, Height: ts.Height()}
	for _, h := range ts.Blocks {
		t.Blocks = append(t.Blocks, headerOut(h))
	}
	return t
}

// headerOut is a header whose fields have Lotus's names as they are.
func headerOut(h *chain.Header) *chain.Header {
	c := *h
	c.BeaconEntries, c.WinPoStProof, c.Parents = none(c.BeaconEntries), none(c.WinPoStProof), none(c.Parents)
	if c.BLSAggregate != nil {
		c.BLSAggregate = &crypto.Signature{Type: c.BLSAggregate.Type, Data: none(c.BLSAggregate.Data)}
	}
	if c.BlockSig != nil {
		c.BlockSig = &crypto.Signature{Type: c.BlockSig.Type, Data: none(c.BlockSig.Data)}
	}
	return &c
}

// none makes what is empty nil.
func none[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

type messageJSON struct {
	Version    uint64
	To         address.Address
	From       address.Address
	Nonce      uint64
	Value      big.Int
	GasLimit   int64
	GasFeeCap  big.Int
	GasPremium big.Int
	Method     abi.MethodNum
	Params     []byte
	CID        cid.Cid
}

func messageOut(m *fvm.Message) (*messageJSON, error) {
	c, err := messageCID(m)
	if err != nil {
		return nil, err
	}
	return &messageJSON{m.Version, m.To, m.From, m.Nonce, m.Value, m.GasLimit, m.GasFeeCap, m.GasPremium, m.Method, none(m.Params), c}, nil
}

// messageCID is the CID of a message without a signature.
func messageCID(m *fvm.Message) (cid.Cid, error) {
	var b bytes.Buffer
	if err := m.MarshalCBOR(&b); err != nil {
		return cid.Undef, err
	}
	return sum(b.Bytes())
}

// sum is the CID of a block of the chain.
func sum(data []byte) (cid.Cid, error) {
	return cid.V1Builder{Codec: cid.DagCBOR, MhType: mh.BLAKE2B_MIN + 31}.Sum(data)
}

type signedJSON struct {
	Message   *messageJSON
	Signature crypto.Signature
	CID       cid.Cid
}

func signedOut(m chain.Message) (*signedJSON, error) {
	inner, err := messageOut(m.Message)
	if err != nil {
		return nil, err
	}
	s := &signedJSON{Message: inner, CID: m.CID}
	if m.Signature != nil {
		s.Signature = crypto.Signature{Type: m.Signature.Type, Data: none(m.Signature.Data)}
	} else {
		s.Signature.Type = crypto.SigTypeBLS // the block's aggregate signs it
	}
	return s, nil
}

// listedJSON is a message with its CID on the chain.
type listedJSON struct {
	Cid     cid.Cid
	Message *messageJSON
}

func listedOut(list []chain.Message) ([]listedJSON, error) {
	var out []listedJSON
	for _, m := range list {
		inner, err := messageOut(m.Message)
		if err != nil {
			return nil, err
		}
		out = append(out, listedJSON{m.CID, inner})
	}
	return out, nil
}

type receiptJSON struct {
	ExitCode   exitcode.ExitCode
	Return     []byte
	GasUsed    int64
	EventsRoot *cid.Cid
}

func receiptOut(r *fvm.Result) *receiptJSON {
	return &receiptJSON{r.ExitCode, none(r.Return), r.GasUsed, r.EventsRoot}
}

// readReceipt reads a receipt as it is on the chain.
func readReceipt(data []byte) (*receiptJSON, error) {
	r := cbor.NewReader(data)
	n := r.Len()
	exit, err := signed(r.Raw())
	if err != nil {
		return nil, err
	}
	out := &receiptJSON{ExitCode: exitcode.ExitCode(exit), Return: none(r.Bytes())}
	if out.GasUsed, err = signed(r.Raw()); err != nil {
		return nil, err
	}
	switch n {
	case 3:
	case 4:
		if !r.Null() {
			c := r.CID()
			out.EventsRoot = &c
		}
	default:
		return nil, fmt.Errorf("a receipt of %d fields", n)
	}
	return out, r.End()
}

// signed reads an integer's CBOR.
func signed(item []byte) (int64, error) {
	var v cbg.CborInt
	err := v.UnmarshalCBOR(bytes.NewReader(item))
	return int64(v), err
}

// Message is a message as a parameter.
type Message struct {
	Version    uint64
	To         Address
	From       Address
	Nonce      uint64
	Value      amount
	GasLimit   int64
	GasFeeCap  amount
	GasPremium amount
	Method     abi.MethodNum
	Params     []byte
}

// message is the parameter as a machine takes it.
func (p *Message) message() (*fvm.Message, error) {
	switch {
	case p == nil:
		return nil, errors.New("the message is missing")
	case p.To.Address == address.Undef:
		return nil, errors.New("message To address is undefined")
	case p.From.Address == address.Undef:
		return nil, errors.New("message From address is undefined")
	}
	for _, v := range []amount{p.Value, p.GasFeeCap, p.GasPremium} {
		if v.orZero().Sign() < 0 {
			return nil, errors.New("an amount of the message is negative")
		}
	}
	return &fvm.Message{
		Version: p.Version, To: p.To.Address, From: p.From.Address, Nonce: p.Nonce, Value: p.Value.orZero(), GasLimit: p.GasLimit,
		GasFeeCap: p.GasFeeCap.orZero(), GasPremium: p.GasPremium.orZero(), Method: p.Method, Params: p.Params,
	}, nil
}

// amount is an amount in attoFIL as a parameter: decimal text, or a whole number.
type amount struct{ v big.Int }

// UnmarshalJSON reads an amount. Null and "" are none.
func (v *amount) UnmarshalJSON(b []byte) error {
	const most = 100 // digits; 2^256 has 78
	s := string(bytes.Trim(b, `"`))
	if s == "null" || s == "" {
		return nil
	}
	if len(s) > most {
		return fmt.Errorf("an amount of %d digits", len(s))
	}
	n, err := big.FromString(s)
	if err != nil {
		return fmt.Errorf("%q is no amount in attoFIL: want whole numbers, as text", s)
	}
	v.v = n
	return nil
}

// MarshalJSON writes decimal text.
func (v amount) MarshalJSON() ([]byte, error) { return json.Marshal(v.orZero()) }

func (v amount) orZero() big.Int {
	if v.v.Int == nil {
		return big.Zero()
	}
	return v.v
}

// SignedMessage is a message with its signature as a parameter.
type SignedMessage struct {
	Message   Message
	Signature crypto.Signature
}

// onChain is a message with its signature as the chain has it: of a BLS one the CID is that of the message alone.
func onChain(m *fvm.Message, s *crypto.Signature) (chain.Message, error) {
	var b bytes.Buffer
	if err := m.MarshalCBOR(&b); err != nil {
		return chain.Message{}, err
	}
	if s.Type == crypto.SigTypeBLS {
		c, err := sum(b.Bytes())
		if err != nil {
			return chain.Message{}, err
		}
		out, err := chain.DecodeUnsigned(c, b.Bytes())
		out.Signature = s
		return out, err
	}
	whole := bytes.NewBuffer(append([]byte{0x82}, b.Bytes()...))
	if err := s.MarshalCBOR(whole); err != nil {
		return chain.Message{}, err
	}
	c, err := sum(whole.Bytes())
	if err != nil {
		return chain.Message{}, err
	}
	return chain.DecodeSigned(c, whole.Bytes())
}

type eventJSON struct {
	Emitter abi.ActorID
	Entries []eventEntryJSON
}

type eventEntryJSON struct {
	Flags uint8
	Key   string
	Codec uint64
	Value []byte
}

func eventsOut(list []fvm.Event) []eventJSON {
	var out []eventJSON
	for _, e := range list {
		var entries []eventEntryJSON
		for _, x := range e.Entries {
			entries = append(entries, eventEntryJSON{uint8(x.Flags), x.Key, x.Codec, none(x.Value)})
		}
		out = append(out, eventJSON{e.Emitter, entries})
	}
	return out
}

type actorJSON struct {
	Code             cid.Cid
	Head             cid.Cid
	Nonce            uint64
	Balance          big.Int
	DelegatedAddress *address.Address
}
