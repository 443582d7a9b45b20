package ethapi

import (
	"context"
	"math/big"
	"time"

	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// sendRaw is eth_sendRawTransaction.
func (a *API) sendRaw(ctx context.Context, raw eth.Data) (eth.Hash, error) {
	tx, _, err := eth.ReadRaw(a.manner, raw, a.chain.ChainID())
	if err != nil {
		return eth.Hash{}, err
	}
	return a.submit(ctx, tx)
}

func (a *API) submit(ctx context.Context, tx *ethtx.Transaction) (eth.Hash, error) {
	sent, err := a.chain.SubmitTransaction(ctx, tx)
	if err == nil {
		a.told(ctx, sent.Hash)
	}
	return sent.Hash, err
}

// told waits until subscribers have heard of the block of a transaction, if it is in one.
func (a *API) told(ctx context.Context, h eth.Hash) {
	if !a.subscribers.any() {
		return
	}
	if b, _, ok := a.chain.Transaction(h); ok {
		a.news.await(ctx, b.Epoch())
		// ethers holds requests back for 10 ms to send them together: its listener that hears of the event takes itself away, and a program
		// that has the receipt by then closes the connection under that request.
		const ahead = 15 * time.Millisecond
		select {
		case <-time.After(ahead):
		case <-ctx.Done():
		}
	}
}

// sendTransaction is eth_sendTransaction: of a development account, or of an address that is impersonated.
func (a *API) sendTransaction(ctx context.Context, call eth.Call) (eth.Hash, error) {
	a.sending.Lock() // so that two of one sender have two nonces
	defer a.sending.Unlock()
	a.freely(&call)
	if call.From == nil && len(a.wallet.list) > 0 {
		call.From = &a.wallet.list[0]
	}
	if call.From != nil && a.wallet.keys[*call.From] == nil && a.chain.Impersonated(call.From.Filecoin()) {
		return a.sendAs(ctx, &call, func(ctx context.Context, msg *fvm.Message) (dev.Sent, error) { return a.chain.Submit(ctx, msg, nil) })
	}
	tx, err := a.fillAndSign(ctx, &call)
	if err != nil {
		return eth.Hash{}, err
	}
	return a.submit(ctx, tx)
}

// sendUnsigned is eth_sendUnsignedTransaction, Anvil's: of any sender, whether impersonated or not.
func (a *API) sendUnsigned(ctx context.Context, call eth.Call) (eth.Hash, error) {
	if call.From == nil {
		return eth.Hash{}, &eth.Error{Code: eth.CodeInvalidParams, Message: "the transaction has no from"}
	}
	a.sending.Lock()
	defer a.sending.Unlock()
	a.freely(&call)
	return a.sendAs(ctx, &call, a.chain.SubmitUnsigned)
}

// sendAs sends without a signature.
func (a *API) sendAs(ctx context.Context, call *eth.Call, submit func(context.Context, *fvm.Message) (dev.Sent, error)) (eth.Hash, error) {
	if err := a.fill(ctx, call); err != nil {
		return eth.Hash{}, err
	}
	msg, err := call.Message(a.manner)
	if err != nil {
		return eth.Hash{}, err
	}
	tx, err := call.Unsigned(a.chain.ChainID())
	if err != nil {
		return eth.Hash{}, err
	}
	msg.Nonce, msg.GasLimit = tx.Nonce, int64(min(tx.GasLimit, 1<<62))
	msg.GasFeeCap, msg.GasPremium = fbig.Int{Int: tx.FeeCap}, fbig.Int{Int: tx.Premium}
	sent, err := submit(ctx, msg)
	if err == nil {
		a.told(ctx, sent.Hash)
	}
	return sent.Hash, err
}

// fill sets what a transaction lacks: nonce, fees, gas. A gas limit is estimated, so that a transaction that will revert is an
// error with its data, as on Hardhat's node, and is not sent.
func (a *API) fill(ctx context.Context, call *eth.Call) error {
	if call.Nonce == nil {
		n, err := a.getTransactionCount(ctx, *call.From, blockParam{Value: eth.BlockRef{Tag: eth.Pending}, Set: true})
		if err != nil {
			return err
		}
		call.Nonce = &n
	}
	if call.GasPrice == nil && call.MaxFeePerGas == nil {
		if call.Type != nil && *call.Type == 0 {
			price := a.gasPrice()
			call.GasPrice = &price
		} else {
			tip := a.premium()
			if call.MaxPriorityFeePerGas != nil {
				tip = call.MaxPriorityFeePerGas.Big()
			}
			most := new(big.Int).Add(new(big.Int).Lsh(a.next(), 1), tip)
			call.MaxFeePerGas = &eth.Amount{Int: most}
		}
	}
	if call.GasPrice == nil && call.MaxPriorityFeePerGas == nil {
		tip := a.premium()
		if most := call.MaxFeePerGas.Big(); tip.Cmp(most) > 0 {
			tip = most
		}
		call.MaxPriorityFeePerGas = &eth.Amount{Int: tip}
	}
	if call.Gas == nil {
		gas, err := a.estimate(ctx, call, a.chain.Latest(), nil)
		if err != nil {
			return err
		}
		call.Gas = &gas
	}
	return nil
}

// filled is the answer of eth_fillTransaction.
type filled struct {
	Raw eth.Data `json:"raw"` // what is to be signed
	Tx  unsigned `json:"tx"`
}

type unsigned struct {
	ChainID              eth.Quantity `json:"chainId"`
	Type                 eth.Quantity `json:"type"`
	From                 eth.Address  `json:"from"`
	To                   *eth.Address `json:"to"`
	Nonce                eth.Quantity `json:"nonce"`
	Gas                  eth.Quantity `json:"gas"`
	GasPrice             *eth.Amount  `json:"gasPrice,omitempty"`
	MaxFeePerGas         *eth.Amount  `json:"maxFeePerGas,omitempty"`
	MaxPriorityFeePerGas *eth.Amount  `json:"maxPriorityFeePerGas,omitempty"`
	Value                eth.Amount   `json:"value"`
	Input                eth.Data     `json:"input"`
}

// fillTransaction is eth_fillTransaction, go-ethereum's, which viem asks before it signs itself.
func (a *API) fillTransaction(ctx context.Context, call eth.Call) (*filled, error) {
	if call.From == nil {
		call.From = new(eth.Address)
	}
	if err := a.fill(ctx, &call); err != nil {
		return nil, err
	}
	tx, err := call.Unsigned(a.chain.ChainID())
	if err != nil {
		return nil, err
	}
	u := unsigned{
		ChainID: eth.Quantity(tx.ChainID), From: *call.From, To: call.To, Nonce: eth.Quantity(tx.Nonce), Gas: eth.Quantity(tx.GasLimit), Value: eth.Amount{Int: tx.Value}, Input: tx.Input,
	}
	if tx.Dynamic {
		u.Type, u.MaxFeePerGas, u.MaxPriorityFeePerGas = 2, &eth.Amount{Int: tx.FeeCap}, &eth.Amount{Int: tx.Premium}
	} else {
		u.GasPrice = &eth.Amount{Int: tx.FeeCap}
	}
	return &filled{Raw: tx.Unsigned(), Tx: u}, nil
}
