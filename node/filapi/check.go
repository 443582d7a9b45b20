package filapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/node/chain"
)

// The checks of a message before it is sent, by Lotus's numbers (api/types.go).
const (
	checkSerialize = iota + 1
	checkSize
	checkValidity
	checkMinGas
	checkMinBaseFee
	checkBaseFee
	checkBaseFeeLower
	checkBaseFeeUpper
	checkStateNonce
	checkNonce
	checkStateBalance
	checkBalance
)

// What the checks compare with (chain/messagepool of Lotus).
const (
	mostMessage  = 64<<10 - 128 // bytes, with room for a signature
	leastFee     = 100          // attoFIL a unit of gas
	lowerBoundBy = 10           // the base fee divided by it is what it can fall to in 20 epochs
	upperBoundBy = 10           // and multiplied, what it can rise to
)

type checkJSON struct {
	Cid  cid.Cid
	Code int
	OK   bool
	Err  string
	Hint map[string]any
}

// prototype is a message that is not ready to be sent.
type prototype struct {
	Message    Message
	ValidNonce bool
}

type prototypeJSON struct {
	Message    *messageJSON
	ValidNonce bool
}

func (m v1) MpoolCheckMessages(ctx context.Context, list []*prototype) (json.RawMessage, error) {
	if len(list) > mostBatch {
		return m.out(nil, fmt.Errorf("%d messages at once: at most %d are checked", len(list), mostBatch))
	}
	out := [][]checkJSON{}
	c := &checker{API: m.API, next: map[address.Address]uint64{}, spent: map[address.Address]big.Int{}}
	for _, p := range list {
		if p == nil {
			return m.out(nil, fmt.Errorf("a message is missing"))
		}
		msg, err := p.Message.message()
		if err != nil {
			return m.out(nil, err)
		}
		checks, err := c.check(ctx, msg, p.ValidNonce)
		if err != nil {
			return m.out(nil, err)
		}
		out = append(out, checks)
	}
	return m.out(out, nil)
}

// MpoolCheckPendingMessages checks what an address has in the pool.
func (m v1) MpoolCheckPendingMessages(ctx context.Context, from Address) (json.RawMessage, error) {
	out := [][]checkJSON{}
	if m.o.Pool == nil {
		return m.out(out, nil)
	}
	list, err := m.o.Pool.Pending(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	c := &checker{API: m.API, next: map[address.Address]uint64{}, spent: map[address.Address]big.Int{}}
	for _, x := range list {
		if x.Message.From != from.Address {
			continue
		}
		if _, ok := c.next[from.Address]; !ok {
			c.next[from.Address] = x.Message.Nonce
		}
		checks, err := c.check(ctx, x.Message, true)
		if err != nil {
			return m.out(nil, err)
		}
		out = append(out, checks)
	}
	return m.out(out, nil)
}

// checker checks messages one after the other: what one spends the next has not.
type checker struct {
	*API
	next  map[address.Address]uint64
	spent map[address.Address]big.Int
}

func (c *checker) check(ctx context.Context, m *fvm.Message, fixedNonce bool) (out []checkJSON, err error) {
	head, err := c.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	id, err := messageCID(m)
	if err != nil {
		return nil, err
	}
	add := func(code int, ok bool, failure string, hint map[string]any) {
		if ok && code != checkBaseFeeUpper {
			failure = ""
		}
		out = append(out, checkJSON{id, code, ok, failure, hint})
	}
	next, ok := c.next[m.From]
	if !ok {
		pool, err := c.pool()
		if err == nil {
			next, err = pool.Nonce(ctx, m.From)
		}
		if err != nil {
			add(checkStateNonce, false, "error retrieving state nonce: "+err.Error(), nil)
			return out, nil
		}
	}
	add(checkStateNonce, true, "", map[string]any{"nonce": next})
	balance, err := c.balance(ctx, Address{m.From}, head)
	if err != nil {
		return nil, err
	}
	add(checkStateBalance, true, "", map[string]any{"balance": balance})
	add(checkSerialize, true, "", nil)
	length, err := usualLength(m)
	if err != nil {
		return nil, err
	}
	add(checkSize, length <= mostMessage, "message too big", nil)
	valid := m.GasLimit > 0 && m.GasLimit <= chain.BlockGasLimit && !m.GasPremium.GreaterThan(m.GasFeeCap)
	add(checkValidity, valid, "syntactically invalid message: the gas limit is not one of a block, or the premium is above the fee cap", nil)
	if !valid {
		return out, nil
	}
	prices, err := gas.PricesFor(c.o.Chain.Network().VersionAt(head.Height()), false)
	if err != nil {
		return nil, err
	}
	inclusion := int64(prices.OnChainMessage(length).Total().RoundUp())
	add(checkMinGas, m.GasLimit >= inclusion, "GasLimit less than epoch minimum gas", map[string]any{"minGas": inclusion})
	fee := head.BaseFee()
	add(checkMinBaseFee, m.GasFeeCap.GreaterThanEqual(big.NewInt(leastFee)), "GasFeeCap less than minimum base fee", nil)
	add(checkBaseFee, m.GasFeeCap.GreaterThanEqual(fee), "GasFeeCap less than current base fee", map[string]any{"baseFee": fee})
	low := big.Max(big.Div(fee, big.NewInt(lowerBoundBy)), big.NewInt(leastFee))
	add(checkBaseFeeLower, m.GasFeeCap.GreaterThanEqual(low), "GasFeeCap less than base fee lower bound for inclusion in next 20 epochs",
		map[string]any{"baseFee": fee, "baseFeeLowerBound": low})
	high, warning := big.Mul(fee, big.NewInt(upperBoundBy)), ""
	if m.GasFeeCap.LessThan(high) {
		warning = "GasFeeCap less than base fee upper bound for inclusion in next 20 epochs"
	}
	add(checkBaseFeeUpper, true, warning, map[string]any{"baseFee": fee, "baseFeeUpperBound": high})
	add(checkNonce, !fixedNonce || m.Nonce == next, fmt.Sprintf("message nonce doesn't match next nonce (%d)", next), map[string]any{"nextNonce": next})
	c.next[m.From] = next + 1
	spent, ok := c.spent[m.From]
	if !ok {
		spent = big.Zero()
	}
	spent = big.Add(spent, big.Add(m.Value, big.Mul(m.GasFeeCap, big.NewInt(m.GasLimit))))
	c.spent[m.From] = spent
	add(checkBalance, balance.GreaterThanEqual(spent), "insufficient balance", map[string]any{"requiredFunds": spent})
	return out, nil
}
