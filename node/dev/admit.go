package dev

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
)

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
	if m.GasFeeCap.LessThan(big.Min(big.NewInt(minFeeCap), n.baseFee())) {
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
	if n.o.LenientGas && m.Nonce == who.nonce {
		n.raise(ctx, t)
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
	prices, err := gas.PricesFor(n.Network().VersionAt(n.Latest().Epoch()+1), false)
	if err != nil {
		return 0 // the machine says so
	}
	return int64(prices.OnChainMessage(length).Total().RoundUp())
}

// raise sets the limit that a message is executed with, where its own is below what it needs upon the latest state.
func (n *Node) raise(ctx context.Context, t *pooled) {
	t.tried = true
	m := t.Message.Message
	need, _, err := n.Estimate(ctx, n.Latest(), m, EstimateOptions{Length: t.Length})
	if err != nil || need <= m.GasLimit {
		return // it fails whatever its limit is, which its receipt will say
	}
	t.raised = need
	n.o.Logger.Warn("a gas limit was raised", "hash", t.hash, "from", m.GasLimit, "to", need)
}

// raiseAll is raise of those that waited for a nonce before theirs. The pool gets others in their place, since readers have these.
func (n *Node) raiseAll(ctx context.Context, take []*pooled) {
	for i, t := range take {
		if t.tried || t.implicit {
			continue
		}
		again := *t
		n.raise(ctx, &again)
		n.pool.add(&again)
		take[i] = &again
	}
}
