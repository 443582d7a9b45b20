package messages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	gst "github.com/filecoin-project/go-state-types/network"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/node/textform"
)

// signature is what a message's signature adds to its length on the chain.
type signature struct {
	Of    string `json:"type"`  // "secp256k1", "bls", "delegated", "none"; "" is not looked up yet
	Bytes int    `json:"bytes"` // on the chain
	Gas   int64  `json:"gas"`   // of the gas used, for these bytes
	Why   string `json:"why"`

	byKey bool // nobody said it: the sender's key decided
}

// String says it: "secp256k1, 69 bytes counted: the key of f0100".
func (s signature) String() string {
	switch {
	case s.Of == "none":
		return "none counted: " + s.Why
	case s.Bytes == 0:
		return fmt.Sprintf("%s, 0 bytes counted, it is not on the chain with the message: %s", s.Of, s.Why)
	}
	return fmt.Sprintf("%s, %d bytes counted, as on the chain: %s", s.Of, s.Bytes, s.Why)
}

// usualSignature is the one that the sender's key makes.
func (x *execFlags) usualSignature(ctx context.Context, on *onState, from address.Address) (signature, error) {
	switch {
	case x.implicit:
		return signature{Of: "none", Why: "the system sends without"}, nil
	case x.signatureType == "none":
		return signature{Of: "none", Why: "--signature-type"}, nil
	case x.signatureType != "":
		t, err := textform.SignatureType(x.signatureType)
		return usual(t, "--signature-type"), err
	}
	return signer(ctx, on, from)
}

func usual(t crypto.SigType, why string) signature {
	return signature{Of: textform.SignatureName(t), Bytes: textform.UsualSignatureLength(t), Why: why}
}

// signer finds the signature that a sender makes: by the key of its account in the state, however it is addressed.
func signer(ctx context.Context, on *onState, from address.Address) (signature, error) {
	name := addr.String(from)
	_, st, err := on.m.Actor(ctx, from)
	if format.IsNotFound(err) { // a state that was cut down to what a message read need not have it
		if t, ok := keyType(from); ok {
			return keyed(t, "by the address "+name+"; the state lacks what tells its actor"), nil
		}
		return signature{Of: "none", Why: "the state lacks what tells the actor of " + name}, nil
	}
	if err != nil {
		return signature{}, fmt.Errorf("looking up the sender %s: %w", name, err)
	}
	if st == nil {
		if t, ok := keyType(from); ok {
			return keyed(t, "by the address "+name+", which the state does not have"), nil
		}
		return signature{Of: "none", Why: "the state has no " + name}, nil
	}
	kind, _ := on.m.ActorName(st.Code)
	key := from
	switch kind {
	case "account":
		if _, is := keyType(from); is { // the address is the key's
			break
		}
		if key, err = accountKey(ctx, on, st); format.IsNotFound(err) {
			return signature{Of: "none", Why: "the state lacks the account " + name + ", which has the key"}, nil
		} else if err != nil {
			return signature{}, fmt.Errorf("looking up the key of %s: %w", name, err)
		}
	case "ethaccount", "placeholder":
		if st.Delegated != nil {
			key = *st.Delegated
		}
	case "":
		return signature{Of: "none", Why: name + " is no account"}, nil
	default:
		return signature{Of: "none", Why: fmt.Sprintf("%s is of kind %s, which cannot sign", name, layout.OneLine(kind))}, nil
	}
	t, ok := keyType(key)
	if !ok {
		return signature{Of: "none", Why: name + " has no key that can sign"}, nil
	}
	why := "the key of " + name
	if key != from {
		why += " is " + addr.String(key)
	}
	return keyed(t, why), nil
}

func keyed(t crypto.SigType, why string) signature {
	s := usual(t, why)
	s.byKey = true
	return s
}

// keyType is which signatures are of an address; ok is false if none are.
func keyType(a address.Address) (t crypto.SigType, ok bool) {
	switch a.Protocol() {
	case address.SECP256K1:
		return crypto.SigTypeSecp256k1, true
	case address.BLS:
		return crypto.SigTypeBLS, true
	case address.Delegated:
		namespace, _, _ := addr.Delegated(a)
		return crypto.SigTypeDelegated, namespace == textform.EthNamespace
	}
	return 0, false
}

// accountKey reads the state of an account, a list of its address.
func accountKey(ctx context.Context, on *onState, st *fvm.ActorState) (address.Address, error) {
	b, err := on.store.Get(ctx, st.Head)
	if err != nil {
		return address.Undef, err
	}
	r := cbor.NewReader(b.RawData())
	r.Tuple(1)
	raw := r.Bytes()
	if err := r.End(); err != nil {
		return address.Undef, fmt.Errorf("its state is not a list of one address: %w", err)
	}
	return addr.ParseAddress(raw)
}

// length is the message's length on the chain in bytes.
func (x *execFlags) length(msg *fvm.Message) (int, error) {
	if x.chainLen >= 0 {
		return x.chainLen, nil
	}
	var buf bytes.Buffer
	if err := msg.MarshalCBOR(&buf); err != nil {
		return 0, err
	}
	return buf.Len() + x.sig.Bytes, nil
}

// initCode finds the init code in what compilers write: {"bytecode": "0x..."} or {"bytecode": {"object": "0x..."}}.
func initCode(text []byte) ([]byte, error) {
	var artifact struct {
		Bytecode json.RawMessage `json:"bytecode"`
	}
	_ = json.Unmarshal(text, &artifact) // a list has none
	var object struct {
		Object string `json:"object"`
	}
	digits := ""
	if json.Unmarshal(artifact.Bytecode, &digits) != nil {
		if err := json.Unmarshal(artifact.Bytecode, &object); err != nil {
			return nil, errors.New("it has no bytecode, as the JSON of solc, Hardhat and Foundry has")
		}
		digits = object.Object
	}
	if digits == "" || digits == "0x" {
		return nil, errors.New("its bytecode is empty: is it an interface, or abstract?")
	}
	d, err := textform.Parse("hex:" + digits)
	if err != nil {
		return nil, fmt.Errorf("its bytecode: %w; is a library not linked?", err)
	}
	return d.Bytes, nil
}

// price is the gas that the signature's bytes took of what a message used.
func (s signature) price(v gst.Version, length int, used int64) int64 {
	prices, err := gas.PricesFor(v, true)
	if err != nil { // a message has run by them
		return 0
	}
	g := prices.OnChainMessage(length).Total().Sub(prices.OnChainMessage(length - s.Bytes).Total()).RoundUp()
	return min(int64(g), used)
}

// tellRead adds to a receipt what was read, and which signature was counted.
func (x *execFlags) tellRead(r *receipt) {
	x.sig.Gas = x.sig.price(r.NV, r.Message.ChainLen, r.GasUsed)
	r.Read, r.Signature = []string{}, x.sig
	for _, l := range x.read {
		r.Read = append(r.Read, l.what+": "+l.as)
	}
}

// printRead prints what tellRead added.
func (r *receipt) printRead(g *layout.Page) {
	for _, l := range r.Read {
		what, as, _ := strings.Cut(l, ": ")
		g.Line("%s%s", layout.PadRight(what, 13), layout.OneLine(as))
	}
	if !r.implicit {
		g.Line("signature    %s", layout.OneLine(r.Signature.String()))
		if r.Signature.byKey && r.Signature.Bytes > 0 {
			g.Line("             (%s gas; without it: --signature-type none)", layout.Grouped(r.Signature.Gas))
		}
	}
}
