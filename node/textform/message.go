package textform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/filecoin-project/go-state-types/crypto"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/ethtx"
)

// Message is a message that was read, with what else was said of it.
type Message struct {
	*fvm.Message
	// Signature is the sender's; nil: the message came without one.
	Signature *crypto.Signature
	// Form says what it was: "a signed message's CBOR".
	Form string
	// MethodName is the method where JSON names it and gives no number, and then Method is 0. What it means depends on
	// the receiver.
	MethodName string
	// ParamsJSON are the parameters where JSON has them decoded, and then Params is nil.
	ParamsJSON []byte
	// ChainID is for which chain an Ethereum transaction was signed (EIP-155); 0: for any, or no such transaction.
	ChainID uint64
	// Notes are what a reader should know, such as fields that were passed over.
	Notes []string
}

// ChainLength is how many bytes the message has on the chain, which its inclusion is paid by: with its signature, but a
// BLS signature is not there (blocks have one of all messages).
func (m *Message) ChainLength() (int, error) {
	var buf bytes.Buffer
	if err := m.MarshalCBOR(&buf); err != nil {
		return 0, err
	}
	return buf.Len() + SignatureLength(m.Signature), nil
}

// SignatureLength is by how many bytes a signature makes a message longer on the chain: 69 of an ordinary secp256k1 or
// delegated one, 0 of a BLS one and of none.
func SignatureLength(s *crypto.Signature) int {
	if s == nil || s.Type == crypto.SigTypeBLS {
		return 0
	}
	n := len(s.Data) + 1
	return len(cbg.CborEncodeMajorType(cbg.MajArray, 2)) + len(cbg.CborEncodeMajorType(cbg.MajByteString, uint64(n))) + n
}

// UsualSignatureLength is SignatureLength of the signatures that wallets make: of EIP-1559 transactions, where they are delegated.
func UsualSignatureLength(t crypto.SigType) int {
	const recoverable = 65 // bytes
	return SignatureLength(&crypto.Signature{Type: t, Data: make([]byte, recoverable)})
}

// ReadMessage makes a message of what was read: the CBOR of a message or of a message and its signature, a raw
// Ethereum transaction, or JSON (see MessageFromJSON).
func ReadMessage(d *Data) (*Message, error) {
	if d.Form == JSON {
		return MessageFromJSON(d.Bytes)
	}
	return DecodeMessage(d.Bytes)
}

// Messages decides for hex that is a message, if the base64 is none.
func Messages(hex, base64 []byte) (isHex bool, why string) {
	_, h := DecodeMessage(hex)
	_, b := DecodeMessage(base64)
	return h == nil && b != nil, "as base64 it is no message"
}

// DecodeMessage makes a message of bytes: a message's CBOR, a list of the message and its signature, a raw
// Ethereum transaction as a wallet signed it, or the text of JSON. Which one it is can be told by the first byte.
func DecodeMessage(data []byte) (*Message, error) {
	if len(data) == 0 {
		return nil, errors.New("no bytes, and so no message")
	}
	const unsigned, signed = 0x8a, 0x82 // lists of 10 and of 2
	switch b := data[0]; {
	case b == unsigned:
		msg, err := fvm.DecodeMessage(data)
		if err != nil {
			return nil, early(err)
		}
		return &Message{Message: msg, Form: "a message's CBOR"}, nil
	case b == signed:
		return decodeSigned(data)
	case b >= 1 && b <= 4 || b >= 0xc0:
		t, err := ethtx.Decode(data)
		if err == nil {
			var m *Message
			if m, err = ethMessage(t); err == nil {
				return m, nil
			}
		}
		return nil, fmt.Errorf("its first byte is an Ethereum transaction's: %w", err)
	case b == '{' || b == '[':
		return MessageFromJSON(data)
	}
	return nil, fmt.Errorf("no message: the first byte is 0x%02x; a message's CBOR begins with 8a, a signed one's with 82, an Ethereum transaction with 02 or f8", data[0])
}

func decodeSigned(data []byte) (*Message, error) {
	r := bytes.NewReader(data[1:])
	m := &Message{Message: new(fvm.Message), Signature: new(crypto.Signature), Form: "a signed message's CBOR"}
	if err := m.Message.UnmarshalCBOR(r); err != nil {
		return nil, early(err)
	}
	raw, err := cbg.ReadByteArray(r, crypto.SignatureMaxLength)
	switch {
	case err != nil:
		return nil, early(fmt.Errorf("reading a message's signature: %w", err))
	case len(raw) == 0:
		return nil, errors.New("reading a message's signature: it is empty")
	case r.Len() > 0:
		return nil, fmt.Errorf("reading a signed message: %s follow it", countBytes(data[len(data)-r.Len():]))
	}
	m.Signature.Type, m.Signature.Data = crypto.SigType(raw[0]), raw[1:]
	return m, m.checkSignature()
}

// early says in words that data end before they should.
func early(err error) error {
	for _, end := range []error{io.ErrUnexpectedEOF, io.EOF} {
		if text, is := strings.CutSuffix(err.Error(), end.Error()); is && errors.Is(err, end) {
			return fmt.Errorf("%sit ends early", text)
		}
	}
	return err
}

// checkSignature refuses kinds of signatures that do not exist, and tells of lengths that no signature has.
func (m *Message) checkSignature() error {
	s := m.Signature
	if _, known := signatureLengths[s.Type]; !known {
		return fmt.Errorf("there is no signature of type %d: want 1 (secp256k1), 2 (bls) or 3 (delegated)", s.Type)
	}
	if fits(s.Type, len(s.Data)) {
		return nil
	}
	m.Notes = append(m.Notes, fmt.Sprintf("no %s signature has %s", SignatureName(s.Type), countBytes(s.Data)))
	return nil
}

// signatureLengths are the least and the most bytes that signatures of a type have.
var signatureLengths = map[crypto.SigType][2]int{crypto.SigTypeSecp256k1: {65, 65}, crypto.SigTypeBLS: {96, 96}, crypto.SigTypeDelegated: {65, 74}}

func fits(t crypto.SigType, n int) bool {
	want := signatureLengths[t]
	return n >= want[0] && n <= want[1]
}

// SignatureName is a type of signatures in words: "secp256k1", "bls", "delegated".
func SignatureName(t crypto.SigType) string {
	name, err := t.Name()
	if err != nil {
		return fmt.Sprintf("type %d", t)
	}
	return name
}

// SignatureType reads what SignatureName writes, or the number 1, 2 or 3.
func SignatureType(s string) (crypto.SigType, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "secp256k1", "secp", "1":
		return crypto.SigTypeSecp256k1, nil
	case "bls", "2":
		return crypto.SigTypeBLS, nil
	case "delegated", "3":
		return crypto.SigTypeDelegated, nil
	}
	return crypto.SigTypeUnknown, noReading("want secp256k1, bls or delegated")
}
