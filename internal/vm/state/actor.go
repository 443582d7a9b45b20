package state

import (
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ActorState is an actor's entry in the state tree. Balance is never changed in place.
type ActorState struct {
	Code      cid.Cid
	Head      cid.Cid // the root of the actor's own state
	Nonce     uint64  // messages sent, or actors created by other means
	Balance   abi.TokenAmount
	Delegated *address.Address // set when the actor is made; nil: none
}

// maxBalance is how many bytes a balance's encoding has at most.
const maxBalance = 128

var errBalance = errors.New("an actor's balance is no integer of the network's")

// encode is the actor's CBOR, a tuple of version's fields. The address is left out where it has no place.
func (a *ActorState) encode(v *version) ([]byte, error) {
	if !a.Code.Defined() || !a.Head.Defined() {
		return nil, errors.New("an actor without code or head cannot be stored")
	}
	balance, err := encodeBalance(a.Balance)
	if err != nil {
		return nil, err
	}
	dst := cbor.AppendArray(make([]byte, 0, 160), v.actorFields)
	dst = cbor.AppendCID(cbor.AppendCID(dst, a.Code), a.Head)
	dst = cbor.AppendBytes(cbor.AppendUint(dst, a.Nonce), balance)
	switch {
	case v.actorFields < delegatedField:
	case a.Delegated == nil:
		dst = append(dst, cbor.Null)
	default:
		dst = cbor.AppendBytes(dst, a.Delegated.Bytes())
	}
	return dst, nil
}

// encodeBalance is a sign byte and the magnitude; nothing for zero.
func encodeBalance(b abi.TokenAmount) ([]byte, error) {
	if b.Int == nil || b.Sign() == 0 {
		return nil, nil
	}
	var sign byte
	if b.Sign() < 0 {
		sign = 1
	}
	size := (b.BitLen() + 7) / 8
	if 1+size > maxBalance {
		return nil, errBalance
	}
	dst := make([]byte, 1+size)
	dst[0] = sign
	b.FillBytes(dst[1:])
	return dst, nil
}

func decodeBalance(b []byte) (abi.TokenAmount, error) {
	if len(b) == 0 {
		return big.Zero(), nil
	}
	if b[0] > 1 || len(b) > maxBalance {
		return abi.TokenAmount{}, errBalance
	}
	v := big.Zero()
	v.SetBytes(b[1:])
	if b[0] == 1 {
		v.Int.Neg(v.Int)
	}
	return v, nil
}

func decodeActor(data []byte, v *version) (*ActorState, error) {
	r := cbor.NewReader(data)
	r.Tuple(v.actorFields)
	a := &ActorState{Code: r.CID(), Head: r.CID(), Nonce: r.Uint()}
	balance := r.Bytes()
	if v.actorFields >= delegatedField && !r.Null() {
		raw := r.Bytes()
		if r.Failed() {
			return nil, r.Err()
		}
		d, err := addr.ParseAddress(raw)
		if err != nil {
			return nil, fmt.Errorf("its delegated address %x: %w", raw, err)
		}
		a.Delegated = &d
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	var err error
	a.Balance, err = decodeBalance(balance)
	return a, err
}
