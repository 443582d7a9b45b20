package textform

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// EthHash is the hash by which Ethereum's tools know a message of the chain: of one with a delegated signature that of the
// transaction which its sender signed, on the chain with the id; of all others the digest of c, their CID, which has the signature
// in it unless that is a BLS one (Lotus v1.36.3, chain/types/ethtypes). sig is nil of a message that a block's aggregate signs. An
// error is a delegated signature on something that is no transaction: nodes let no such message onto a chain.
func EthHash(c cid.Cid, m *fvm.Message, sig *crypto.Signature, chainID uint64) (hash [32]byte, err error) {
	if sig != nil && sig.Type == crypto.SigTypeDelegated {
		t, err := transactionOf(m, sig.Data, chainID)
		if err != nil {
			return hash, fmt.Errorf("it has a delegated signature but is no transaction: %w", err)
		}
		return [32]byte(keccak(t.signed())), nil
	}
	p, ok := cbor.Split(c)
	if !ok || len(p.Digest) != len(hash) {
		return hash, fmt.Errorf("the CID %s has no hash of 32 bytes", c)
	}
	copy(hash[:], p.Digest)
	return hash, nil
}

// transactionOf finds the transaction in the message that nodes made of it: what message does, backwards.
func transactionOf(m *fvm.Message, sig []byte, chainID uint64) (*ethTransaction, error) {
	if m.GasLimit < 0 || m.Version != 0 {
		return nil, errors.New("its gas limit or version is absurd")
	}
	t := &ethTransaction{
		nonce: m.Nonce, gasLimit: uint64(m.GasLimit), feeCap: m.GasFeeCap.Int, premium: m.GasPremium.Int, value: m.Value.Int,
	}
	if len(m.Params) > 0 {
		r := bytes.NewReader(m.Params)
		var err error
		if t.input, err = cbg.ReadByteArray(r, uint64(len(m.Params))); err != nil || r.Len() > 0 {
			return nil, errors.New("its parameters are not a byte string")
		}
	}
	switch {
	case m.To == builtin.EthereumAddressManagerActorAddr && m.Method == builtin.MethodsEAM.CreateExternal:
	case m.Method == builtin.MethodsEVM.InvokeContract:
		to, ok := ToEth(m.To)
		if !ok {
			return nil, errors.New("its receiver has no address of Ethereum")
		}
		t.to, _ = hex.DecodeString(to[2:])
	default:
		return nil, fmt.Errorf("transactions do not call method %d of %s", m.Method, m.To)
	}
	return t, t.readSignature(sig, chainID)
}

// readSignature takes v, r and s from a message's signature: 65 bytes of an EIP-1559 transaction; of a legacy one a mark before
// them, and v may be longer.
func (t *ethTransaction) readSignature(sig []byte, chainID uint64) error {
	const numbers = 64
	switch {
	case len(sig) == numbers+1:
		t.dynamic, t.chainID = true, chainID
	case len(sig) >= 1+numbers+1 && len(sig) <= 1+numbers+9 && (sig[0] == markLegacy || sig[0] == markEIP155):
		sig = sig[1:]
	default:
		return fmt.Errorf("its signature has %d bytes", len(sig))
	}
	t.r, t.s, t.v = new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:numbers]), new(big.Int).SetBytes(sig[numbers:])
	return nil
}

// signed is the transaction as it is sent.
func (t *ethTransaction) signed() []byte {
	var body []byte
	add := func(parts ...[]byte) {
		for _, p := range parts {
			body = appendRLP(body, false, p)
		}
	}
	number := func(v uint64) []byte { return new(big.Int).SetUint64(v).Bytes() }
	if t.dynamic {
		add(number(t.chainID), number(t.nonce), t.premium.Bytes(), t.feeCap.Bytes(), number(t.gasLimit), t.to, t.value.Bytes(), t.input)
		body = appendRLP(body, true, nil) // no access list
		add(t.v.Bytes(), t.r.Bytes(), t.s.Bytes())
		return appendRLP([]byte{2}, true, body)
	}
	add(number(t.nonce), t.feeCap.Bytes(), number(t.gasLimit), t.to, t.value.Bytes(), t.input, t.v.Bytes(), t.r.Bytes(), t.s.Bytes())
	return appendRLP(nil, true, body)
}
