package ethapi

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// creation is where the init code of a call without a receiver runs.
var creation = func() (a eth.Address) {
	h := keccak([]byte("call without a receiver"))
	copy(a[:], h[12:])
	return a
}()

// deployless makes a call without a receiver one of a contract that has its data for code: what init code returns is the answer then, as
// on Ethereum, where Lotus gives nothing. viem reads contracts that are not there yet in this way, and many contracts at once.
func (a *API) deployless(args *eth.Call, state stateOverride) stateOverride {
	if a.manner == eth.Strict || args.To != nil || len(args.Input) == 0 {
		return state
	}
	with := stateOverride{}
	for at, o := range state {
		with[at] = o
	}
	code, to := args.Input, creation
	with[to] = accountOverride{Code: &code}
	args.To, args.Input = &to, nil
	return with
}

// freely takes the smallest tip for none. Hardhat sends it where a node asks for none, and with any tip gasUsed times effectiveGasPrice is
// not what was paid: on Filecoin the tip is by the gas limit.
func (a *API) freely(call *eth.Call) {
	if tip := call.MaxPriorityFeePerGas; a.manner != eth.Strict && tip != nil && tip.Big().Cmp(big.NewInt(1)) == 0 {
		call.MaxPriorityFeePerGas = &eth.Amount{Int: new(big.Int)}
	}
}

// How long the synchronous ways to send wait for a receipt (EIP-7966), and how often they look.
const (
	syncWait = 30 * time.Second
	syncMost = 5 * time.Minute
	syncLook = 10 * time.Millisecond
)

// sendRawSync is eth_sendRawTransactionSync (EIP-7966): it answers with the receipt.
func (a *API) sendRawSync(ctx context.Context, raw eth.Data, wait jsonrpc.Optional[eth.Quantity]) (*eth.Receipt, error) {
	h, err := a.sendRaw(ctx, raw)
	if err != nil {
		return nil, err
	}
	return a.mined(ctx, h, wait)
}

// sendTransactionSync is eth_sendTransactionSync, Anvil's.
func (a *API) sendTransactionSync(ctx context.Context, call eth.Call, wait jsonrpc.Optional[eth.Quantity]) (*eth.Receipt, error) {
	h, err := a.sendTransaction(ctx, call)
	if err != nil {
		return nil, err
	}
	return a.mined(ctx, h, wait)
}

// mined waits for the receipt of a transaction, as many milliseconds as are asked for.
func (a *API) mined(ctx context.Context, h eth.Hash, wait jsonrpc.Optional[eth.Quantity]) (*eth.Receipt, error) {
	most := syncWait
	if wait.Set && wait.Value > 0 {
		most = time.Duration(min(uint64(wait.Value), uint64(syncMost/time.Millisecond))) * time.Millisecond
	}
	end := time.After(most)
	look := time.NewTicker(syncLook)
	defer look.Stop()
	for {
		if r, err := a.receipt(ctx, h); r != nil || err != nil {
			return r, err
		}
		select {
		case <-look.C:
		case <-end:
			// The code and data of EIP-7966.
			return nil, &eth.Error{Code: 4, Message: fmt.Sprintf("the transaction is in the pool, but not in a block after %s", most), Data: h.String()}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
