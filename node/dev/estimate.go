package dev

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// EstimateOptions say what is estimated.
type EstimateOptions struct {
	// Length on the chain, in bytes. Default: what a signature of the sender's kind makes it.
	Length int
	// Edit changes the state first.
	Edit EditFunc
	// Setting is what contracts see instead of the next block's setting: its Epoch, Timestamp, BaseFee and Random count.
	Setting CallOptions
}

// Estimate finds a gas limit for a message upon the state after a block, in the setting of the one that would come next: the gas that it
// uses and a twentieth, which the network does not charge for, or more where calls within it need it: they get 63 of 64 parts. It has run
// with the limit. If the message fails with the gas of a block the limit is 0, and the result says how it failed.
func (n *Node) Estimate(ctx context.Context, at *Block, msg *fvm.Message, o EstimateOptions) (int64, *CallResult, error) {
	if err := callable(msg); err != nil {
		return 0, nil, err
	}
	with := *msg
	with.GasFeeCap, with.GasPremium = big.Zero(), big.Zero()
	explicit := true
	if t, err := n.Tree(ctx, at); err != nil {
		return 0, nil, err
	} else if explicit, err = mayPay(ctx, t, msg.From); err != nil {
		return 0, nil, err
	}
	try := func(limit int64) (*CallResult, error) {
		with.GasLimit = limit
		call := o.Setting
		call.Next, call.Explicit, call.Length, call.Edit = true, explicit, o.Length, o.Edit
		return n.Call(ctx, at, &with, call)
	}
	res, err := try(callGas)
	if err != nil || !ok(res.ExitCode) {
		return 0, res, err
	}
	limit := min(max(res.GasUsed, 1)+res.GasUsed/20, callGas)
	low := res.GasUsed - 1
	for {
		again, err := try(limit)
		if err != nil {
			return 0, nil, err
		}
		if ok(again.ExitCode) {
			res = again
			break
		}
		if limit == callGas {
			return callGas, res, nil
		}
		low, limit = limit, min(limit+limit/4, callGas)
	}
	// Between a limit that is too small and one that works, to a hundredth.
	for first := res.GasUsed + res.GasUsed/20; limit > first && limit-low > limit/100; {
		mid := low + (limit-low)/2
		again, err := try(mid)
		if err != nil {
			return 0, nil, err
		}
		if ok(again.ExitCode) {
			limit, res = mid, again
		} else {
			low = mid
		}
	}
	return limit, res, nil
}

// mayPay tells whether a sender can have an explicit message: an account, or nobody yet.
func mayPay(ctx context.Context, t *tree.Tree, a address.Address) (bool, error) {
	_, st, err := actorIn(ctx, t, a)
	if err != nil || st == nil {
		return a.Protocol() != address.ID, err
	}
	name, err := t.Name(ctx, st.Code)
	return name == "account" || name == "ethaccount" || name == "placeholder" && st.Nonce == 0, err
}

// usualLength is how long a message is on the chain with a signature of the kind that its sender makes.
func usualLength(m *fvm.Message) (int, error) {
	data, err := encode(m)
	if err != nil {
		return 0, err
	}
	switch m.From.Protocol() {
	case address.SECP256K1, address.Delegated, address.ID:
		const list, signature = 1, 3 + 65 // and the length of the byte string, and the type
		return len(data) + list + signature, nil
	}
	return len(data), nil
}
