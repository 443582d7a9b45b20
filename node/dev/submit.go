package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/textform"
)

const (
	// maxMessage is how long a message of the chain is at most, with its signature, in bytes (Lotus, chain/messagepool).
	maxMessage = 64 << 10
	minFeeCap  = 100 // attoFIL, the least base fee; less is taken where the next base fee is forced to be less
)

// Sent is a message that was taken.
type Sent struct {
	CID  cid.Cid  // of the signed message; of one without a signature, and of a BLS one, of the message alone
	Hash eth.Hash // as Ethereum knows it
}

// ErrSignature is wrapped by errors about a signature that is not the sender's.
var ErrSignature = errors.New("the signature is not the sender's")

// Errors of the pool that Ethereum's nodes know under other words than package eth has.
var (
	errBaseFee = &eth.Error{Code: eth.CodeRejected, Message: "max fee per gas less than block base fee"}
	errFull    = &eth.Error{Code: eth.CodeServer, Message: "txpool is full"}
	errTooFar  = &eth.Error{Code: eth.CodeRejected, Message: "nonce too high"}
	errTooLong = &eth.Error{Code: eth.CodeRejected, Message: "oversized data: a message of the chain has at most 65536 bytes, its signature included"}
)

// SubmitTransaction takes a signed transaction of Ethereum, as eth.ReadRaw gives it. See Submit.
func (n *Node) SubmitTransaction(ctx context.Context, tx *ethtx.Transaction) (Sent, error) {
	nat, err := tx.Native()
	if err != nil {
		return Sent{}, &eth.Error{Code: eth.CodeServer, Message: "invalid sender: " + err.Error()}
	}
	switch {
	case nat.GasLimit > chain.BlockGasLimit:
		return Sent{}, eth.ErrGasLimit
	case tx.ChainID != 0 && tx.ChainID != n.ChainID():
		return Sent{}, &eth.Error{Code: eth.CodeServer, Message: fmt.Sprintf("invalid chain id for signer: have %d, want %d", tx.ChainID, n.ChainID())}
	}
	// The sender is who signed: there is nothing more to check.
	return n.submit(ctx, &fvm.Message{
		From: nat.From, To: nat.To, Nonce: nat.Nonce, Value: big.Int{Int: nat.Value}, GasLimit: int64(nat.GasLimit),
		GasFeeCap: big.Int{Int: nat.FeeCap}, GasPremium: big.Int{Int: nat.Premium}, Method: nat.Method, Params: nat.Params,
	}, &crypto.Signature{Type: crypto.SigTypeDelegated, Data: nat.Signature}, true)
}

// Submit takes a message: with automine it has been executed when Submit returns, if its nonce is the next one and nothing failed
// but the message itself; else it is in the pool. Without a signature the sender must be impersonated.
//
// What the pool refuses is an *eth.Error with words that clients of Ethereum look for, or wraps ErrSignature or fvm.ErrInvalidMessage.
func (n *Node) Submit(ctx context.Context, msg *fvm.Message, sig *crypto.Signature) (Sent, error) {
	return n.submit(ctx, msg, sig, false)
}

// SubmitUnsigned is Submit without a signature, from whomever.
func (n *Node) SubmitUnsigned(ctx context.Context, msg *fvm.Message) (Sent, error) {
	return n.submit(ctx, msg, nil, true)
}

func (n *Node) submit(ctx context.Context, msg *fvm.Message, sig *crypto.Signature, trusted bool) (Sent, error) {
	t, err := n.pooledOf(ctx, msg, sig, trusted)
	if err != nil {
		return Sent{}, err
	}
	if err := n.lock(ctx); err != nil {
		return Sent{}, err
	}
	defer n.unlock()
	if err := n.admit(ctx, t); err != nil {
		return Sent{}, err
	}
	n.pool.add(t)
	sent := Sent{t.CID, t.hash}
	n.subs.tell(Event{Pending: &sent})
	if !n.Automine() {
		return sent, nil
	}
	err = n.mineReady(ctx)
	if _, _, done := n.Transaction(t.hash); done {
		return sent, nil
	}
	if err == nil {
		err = t.why // nil: it waits
	}
	if err != nil {
		n.pool.remove(t.hash)
		return Sent{}, err
	}
	return sent, nil
}

// mineReady makes a block of each message that is ready.
func (n *Node) mineReady(ctx context.Context) error {
	for {
		take := n.pool.ready(n, 1)
		if len(take) == 0 {
			return nil
		}
		if err := n.mine(ctx, take, 0, true); err != nil {
			return err
		}
	}
}

// pooledOf reads a message as the chain would have it, and checks its signature.
func (n *Node) pooledOf(ctx context.Context, msg *fvm.Message, sig *crypto.Signature, trusted bool) (*pooled, error) {
	if err := plausible(msg); err != nil {
		return nil, err
	}
	bare, err := encode(msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fvm.ErrInvalidMessage, err)
	}
	m, err := chain.DecodeUnsigned(digestOf(bare), bare)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fvm.ErrInvalidMessage, err)
	}
	t := &pooled{Message: m}
	if sig != nil {
		if sig.Type != crypto.SigTypeBLS {
			data, err := encode(&signed{msg, sig})
			if err != nil {
				return nil, fmt.Errorf("%w: %w", fvm.ErrInvalidMessage, err)
			}
			if t.Message, err = chain.DecodeSigned(digestOf(data), data); err != nil {
				return nil, fmt.Errorf("%w: %w", fvm.ErrInvalidMessage, err)
			}
		}
		if len(bare)+len(sig.Data) > maxMessage {
			return nil, errTooLong
		}
	} else if len(bare) > maxMessage {
		return nil, errTooLong
	}
	if !trusted {
		if err := n.verify(ctx, m.CID, msg, sig); err != nil {
			return nil, err
		}
	}
	if t.hash, err = n.ethHash(&t.Message); err != nil {
		return nil, fmt.Errorf("%w: %w", fvm.ErrInvalidMessage, err)
	}
	return t, nil
}

// plausible refuses what no block holds, whatever the state.
func plausible(m *fvm.Message) error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: %s", fvm.ErrInvalidMessage, fmt.Sprintf(format, a...))
	}
	switch {
	case m == nil:
		return bad("there is none")
	case m.Version != 0:
		return bad("its version is %d, not 0", m.Version)
	case m.To == address.Undef || m.From == address.Undef:
		return bad("it has no receiver, or no sender")
	case m.Value.Int == nil || m.GasFeeCap.Int == nil || m.GasPremium.Int == nil:
		return bad("its value, fee cap or premium is not set")
	case m.Value.Sign() < 0 || m.GasFeeCap.Sign() < 0 || m.GasPremium.Sign() < 0:
		return bad("its value, fee cap or premium is negative")
	case m.GasPremium.GreaterThan(m.GasFeeCap):
		return bad("its premium %s is above its fee cap %s", m.GasPremium, m.GasFeeCap)
	case max(m.Value.BitLen(), m.GasFeeCap.BitLen()) > 127*8:
		return bad("an amount of it is too large for the chain")
	case m.GasLimit > chain.BlockGasLimit:
		return eth.ErrGasLimit
	case m.GasLimit <= 0:
		return eth.ErrIntrinsicGas
	case len(m.Params) > maxMessage:
		return errTooLong
	}
	return nil
}

// verify checks a signature of a message; none is that of an impersonated sender.
func (n *Node) verify(ctx context.Context, bare cid.Cid, m *fvm.Message, sig *crypto.Signature) error {
	if sig == nil {
		if !n.Impersonated(m.From) {
			return eth.ErrUnknownSender
		}
		return nil
	}
	switch sig.Type {
	case crypto.SigTypeDelegated:
		tx, err := textform.EthTransaction(m, sig, n.ChainID())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		from, err := tx.Sender()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		if m.From != addr.FromEthereum(from) {
			return fmt.Errorf("%w: it is of %s, and the sender is %s", ErrSignature, addr.FromEthereum(from), m.From)
		}
		return nil
	case crypto.SigTypeSecp256k1, crypto.SigTypeBLS:
		key, err := n.keyOf(ctx, m.From)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		good := false
		if sig.Type == crypto.SigTypeBLS {
			good = key.Protocol() == address.BLS && vmcrypto.VerifyBLS(sig.Data, key, bare.Bytes())
		} else {
			good = key.Protocol() == address.SECP256K1 && vmcrypto.VerifySecp(sig.Data, key, bare.Bytes())
		}
		if !good {
			return fmt.Errorf("%w, %s", ErrSignature, key)
		}
		return nil
	}
	return fmt.Errorf("%w: it is of the unknown type %d", ErrSignature, sig.Type)
}

// ethHash is how Ethereum knows a message.
func (n *Node) ethHash(m *chain.Message) (eth.Hash, error) {
	return textform.EthHash(m.CID, m.Message, m.Signature, n.ChainID())
}
