package textform

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/ethtx"
)

// EthHash is the hash by which Ethereum's tools know a message of the chain: of one with a delegated signature that of the
// transaction which its sender signed, on the chain with the id; of all others the digest of c, their CID, which has the signature
// in it unless that is a BLS one (Lotus v1.36.3, chain/types/ethtypes). sig is nil of a message that a block's aggregate signs. An
// error is a delegated signature on something that is no transaction: nodes let no such message onto a chain.
func EthHash(c cid.Cid, m *fvm.Message, sig *crypto.Signature, chainID uint64) (hash [32]byte, err error) {
	if sig != nil && sig.Type == crypto.SigTypeDelegated {
		t, err := EthTransaction(m, sig, chainID)
		if err != nil {
			return hash, fmt.Errorf("it has a delegated signature but is no transaction: %w", err)
		}
		return t.Hash(), nil
	}
	p, ok := cbor.Split(c)
	if !ok || len(p.Digest) != len(hash) {
		return hash, fmt.Errorf("the CID %s has no hash of 32 bytes", c)
	}
	copy(hash[:], p.Digest)
	return hash, nil
}

// EthTransaction puts the transaction together again of a message with a delegated signature, on the chain with the id. An error
// tells why there is none.
func EthTransaction(m *fvm.Message, sig *crypto.Signature, chainID uint64) (*ethtx.Transaction, error) {
	if m.GasLimit < 0 || m.Version != 0 {
		return nil, errors.New("its gas limit or version is absurd")
	}
	return ethtx.FromNative(&ethtx.Native{
		From: m.From, To: m.To, Nonce: m.Nonce, GasLimit: uint64(m.GasLimit), Value: number(m.Value), FeeCap: number(m.GasFeeCap), Premium: number(m.GasPremium),
		Method: m.Method, Params: m.Params, Signature: sig.Data,
	}, chainID)
}

// number is an amount as a number; one that was never set is 0.
func number(a abi.TokenAmount) *big.Int {
	if a.Int == nil {
		return new(big.Int)
	}
	return a.Int
}
