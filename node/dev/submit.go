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
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/textform"
)

const (
	// maxMessage is how long a message of the chain is at most, with its signature, in bytes (Lotus, chain/messagepool).
	maxMessage = 64 << 10
	minFeeCap  = 100 // attoFIL, the least base fee
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
	if nat.GasLimit > chain.BlockGasLimit {
		return Sent{}, eth.ErrGasLimit
	}
	return n.Submit(ctx, &fvm.Message{
		From: nat.From, To: nat.To, Nonce: nat.Nonce, Value: big.Int{Int: nat.Value}, GasLimit: int64(nat.GasLimit),
		GasFeeCap: big.Int{Int: nat.FeeCap}, GasPremium: big.Int{Int: nat.Premium}, Method: nat.Method, Params: nat.Params,
	}, &crypto.Signature{Type: crypto.SigTypeDelegated, Data: nat.Signature})
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

// admit looks at a message as the pool does, upon the latest state. The caller has the lock.
func (n *Node) admit(ctx context.Context, t *pooled) error {
	m := t.Message.Message
	if n.pool.get(t.hash) != nil {
		return eth.ErrAlreadyKnown
	}
	who, err := n.senderOf(ctx, m.From)
	if err != nil {
		return err
	}
	t.sender, t.implicit = who.key, !who.account
	if t.implicit {
		if t.Signature != nil {
			return &eth.Error{Code: eth.CodeRejected, Message: fmt.Sprintf("the sender %s is no account: contracts and other actors send nothing by themselves", m.From)}
		}
		return n.admitImplicit(t)
	}
	if who.balance.Int == nil {
		who.balance = big.Zero()
	}
	if inclusion := n.inclusion(t.Length); m.GasLimit < inclusion && !n.o.LenientGas {
		return &eth.Error{Code: eth.ErrIntrinsicGas.Code, Message: fmt.Sprintf("%s: gas %d, inclusion of this message costs %d", eth.ErrIntrinsicGas.Message, m.GasLimit, inclusion)}
	}
	if m.GasFeeCap.LessThan(big.NewInt(minFeeCap)) {
		return eth.ErrFeeTooLow
	}
	if m.Nonce < who.nonce {
		return eth.ErrNonceTooLow
	}
	if err := n.room(t, who.nonce); err != nil {
		return err
	}
	if n.Automine() && m.Nonce == who.nonce && m.GasFeeCap.LessThan(n.baseFee()) {
		return errBaseFee
	}
	if n.o.LenientGas {
		if err := n.raise(ctx, t); err != nil {
			return err
		}
	}
	limit := max(m.GasLimit, t.raised)
	if cost := big.Add(m.Value, big.Mul(m.GasFeeCap, big.NewInt(limit))); who.balance.LessThan(cost) {
		return eth.ErrFunds
	}
	return nil
}

// room looks whether the pool has place for a message at its nonce.
func (n *Node) room(t *pooled, next uint64) error {
	m := t.Message.Message
	if old := n.pool.same(t.sender, m.Nonce); old != nil {
		return replaces(m, old.Message.Message)
	}
	all, own := n.pool.sizes(t.sender)
	switch {
	case m.Nonce-next > n.o.Pool.Gap:
		return errTooFar
	case all >= n.o.Pool.Messages || own >= n.o.Pool.PerSender:
		return errFull
	}
	return nil
}

// replaces tells whether a message pays enough more to stand in another's place: a tenth more of fee cap and of premium, and more of one
// of them. Premiums are often 0 here, and clients raise the fee cap alone.
func replaces(m, old *fvm.Message) error {
	enough := func(now, before big.Int) bool {
		return big.Mul(now, big.NewInt(10)).GreaterThanEqual(big.Mul(before, big.NewInt(11)))
	}
	if !enough(m.GasFeeCap, old.GasFeeCap) || !enough(m.GasPremium, old.GasPremium) {
		return eth.ErrUnderpriced
	}
	return nil
}

// admitImplicit makes a message of a sender that is no account one that costs nothing.
func (n *Node) admitImplicit(t *pooled) error {
	m := *t.Message.Message
	m.GasFeeCap, m.GasPremium = big.Zero(), big.Zero()
	m.Nonce = n.fake.take(t.sender)
	data, err := encode(&m)
	if err != nil {
		return err
	}
	if t.Message, err = chain.DecodeUnsigned(digestOf(data), data); err != nil {
		return err
	}
	if t.hash, err = n.ethHash(&t.Message); err != nil {
		return err
	}
	if all, own := n.pool.sizes(t.sender); all >= n.o.Pool.Messages || own >= n.o.Pool.PerSender {
		return errFull
	}
	return nil
}

// inclusion is what a message of a length costs to stand on the chain, in units of gas.
func (n *Node) inclusion(length int) int64 {
	prices, err := gas.PricesFor(n.network.VersionAt(n.Latest().Epoch()+1), false)
	if err != nil {
		return 0 // the machine says so
	}
	return int64(prices.OnChainMessage(length).Total().RoundUp())
}

// raise sets the limit that a message is executed with, where its own is below what it needs.
func (n *Node) raise(ctx context.Context, t *pooled) error {
	m := t.Message.Message
	next := *m
	need, _, err := n.Estimate(ctx, n.Latest(), &next, EstimateOptions{Length: t.Length})
	if err != nil || need <= m.GasLimit {
		return ctx.Err() // it fails whatever its limit is, which its receipt will say
	}
	t.raised = need
	n.o.Logger.Warn("a gas limit was raised", "hash", t.hash, "from", m.GasLimit, "to", need)
	return nil
}
