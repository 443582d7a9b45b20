package eth

import (
	"encoding/json"
	"errors"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/ethtx"
)

// Call are the arguments of eth_call, eth_estimateGas and eth_sendTransaction. What a client leaves out, or sends as null,
// is nil.
type Call struct {
	From                 *Address        `json:"from"`
	To                   *Address        `json:"to"` // nil: it deploys a contract
	Gas                  *Quantity       `json:"gas"`
	GasPrice             *Amount         `json:"gasPrice"`
	MaxFeePerGas         *Amount         `json:"maxFeePerGas"`
	MaxPriorityFeePerGas *Amount         `json:"maxPriorityFeePerGas"`
	Value                Amount          `json:"value"`
	Input                Data            `json:"input"` // from "data", where there is no "input"
	Nonce                *Quantity       `json:"nonce"`
	ChainID              *Quantity       `json:"chainId"`
	Type                 *Quantity       `json:"type"`
	AccessList           json.RawMessage `json:"accessList"`
}

// UnmarshalJSON reads an object. "input" wins over "data", as in Ethereum; other fields are passed over.
func (c *Call) UnmarshalJSON(b []byte) error {
	type bare Call
	var v struct {
		bare
		Input *Data `json:"input"`
		Data  *Data `json:"data"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*c = Call(v.bare)
	if v.Input != nil {
		c.Input = *v.Input
	} else if v.Data != nil {
		c.Input = *v.Data
	}
	return nil
}

// Message is the call as a message: from the zero address if it names none, with the gas limit of a block, and without
// fees, which calls do not pay. Strict takes senders with an f410f address only, and Tools also a masked ID, such as
// that of an account that is impersonated.
func (c *Call) Message(m Manner) (*fvm.Message, error) {
	var from Address
	if c.From != nil {
		from = *c.From
	}
	msg := &fvm.Message{
		From: from.Filecoin(), Value: big.Int{Int: c.Value.Big()}, GasLimit: chain.BlockGasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	}
	if m == Strict && msg.From.Protocol() != address.Delegated {
		return nil, &Error{Code: CodeAny, Message: "the sender has a masked ID, and no f410 address"}
	}
	var to []byte
	if c.To != nil {
		to = c.To[:]
	}
	msg.To, msg.Method = ethtx.Receiver(to)
	if len(c.Input) > 0 {
		msg.Params = ethtx.WrapBytes(c.Input)
	}
	return msg, nil
}

// Unsigned is the transaction that the call asks for, ready to be signed: of EIP-1559, or a legacy one where it has a gas
// price and no fee cap, or says so by its type. Its nonce, gas and fees must be set.
func (c *Call) Unsigned(chainID uint64) (*ethtx.Transaction, error) {
	t := &ethtx.Transaction{ChainID: chainID, Value: c.Value.Big(), Input: c.Input, Dynamic: c.GasPrice == nil || c.MaxFeePerGas != nil}
	if c.Type != nil {
		t.Dynamic = *c.Type == 2
	}
	switch {
	case c.Type != nil && *c.Type != 0 && *c.Type != 2:
		return nil, invalid("transactions of type %d are not taken: want 0 or 2", *c.Type)
	case c.ChainID != nil && uint64(*c.ChainID) != chainID:
		return nil, invalid("chainId is %d, and this is chain %d", *c.ChainID, chainID)
	case len(c.AccessList) > 0 && !isNull(c.AccessList) && string(c.AccessList) != "[]":
		return nil, invalid("access lists are not taken")
	case c.Nonce == nil || c.Gas == nil:
		return nil, errors.New("nonce and gas must be set before signing")
	}
	t.Nonce, t.GasLimit = uint64(*c.Nonce), uint64(*c.Gas)
	if c.To != nil {
		t.To = c.To[:]
	}
	switch {
	case !t.Dynamic && c.GasPrice == nil:
		return nil, invalid("a legacy transaction has a gasPrice")
	case !t.Dynamic:
		t.FeeCap, t.Premium = c.GasPrice.Big(), c.GasPrice.Big()
	case c.MaxFeePerGas == nil && c.GasPrice == nil:
		return nil, errors.New("maxFeePerGas must be set before signing")
	default:
		price := c.MaxFeePerGas
		if price == nil {
			price = c.GasPrice
		}
		t.FeeCap, t.Premium = price.Big(), price.Big()
		if c.MaxPriorityFeePerGas != nil {
			t.Premium = c.MaxPriorityFeePerGas.Big()
		}
		if t.Premium.Cmp(t.FeeCap) > 0 && c.MaxPriorityFeePerGas != nil {
			return nil, invalid("maxPriorityFeePerGas %s is above maxFeePerGas %s", t.Premium, t.FeeCap)
		}
	}
	return t, nil
}
