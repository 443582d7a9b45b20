package eth

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/textform"
)

// Transaction is a message as Ethereum shows transactions. Its last three fields of a native message are 0.
type Transaction struct {
	ChainID              *Quantity       `json:"chainId,omitempty"`
	Nonce                Quantity        `json:"nonce"`
	Hash                 Hash            `json:"hash"`
	BlockHash            *Hash           `json:"blockHash"`
	BlockNumber          *Quantity       `json:"blockNumber"`
	TransactionIndex     *Quantity       `json:"transactionIndex"`
	From                 Address         `json:"from"`
	To                   *Address        `json:"to"` // nil: it deploys a contract
	Value                Amount          `json:"value"`
	Type                 Quantity        `json:"type"`
	Input                Data            `json:"input"`
	Gas                  Quantity        `json:"gas"`
	MaxFeePerGas         *Amount         `json:"maxFeePerGas,omitempty"`
	MaxPriorityFeePerGas *Amount         `json:"maxPriorityFeePerGas,omitempty"`
	GasPrice             *Amount         `json:"gasPrice,omitempty"`
	AccessList           json.RawMessage `json:"accessList,omitempty"`
	YParity              *Quantity       `json:"yParity,omitempty"`
	V                    Amount          `json:"v"`
	R                    Amount          `json:"r"`
	S                    Amount          `json:"s"`
}

// View is how messages are looked at.
type View struct {
	Manner  Manner
	ChainID uint64 // EIP-155
	// Lookup reads the state after the message: its sender and receiver may be new.
	Lookup Lookup
}

// Transaction shows a message that is in no block yet. Strict is Lotus's; Tools has an empty access list instead of null,
// and none of a legacy transaction, no chain id of one that was signed for none, gasPrice of all, and yParity.
func (v *View) Transaction(ctx context.Context, m *chain.Message) (*Transaction, error) {
	var tx *Transaction
	var err error
	if s := m.Signature; s != nil && s.Type == crypto.SigTypeDelegated {
		tx, err = v.signed(m)
	} else {
		tx, err = v.native(ctx, m.Message)
		if err == nil {
			tx.Hash, err = HashOf(m.CID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", m.CID, err)
	}
	return tx, nil
}

func (v *View) signed(m *chain.Message) (*Transaction, error) {
	t, err := textform.EthTransaction(m.Message, m.Signature, v.ChainID)
	if err != nil {
		return nil, err
	}
	from, _ := addr.EthereumBytes(m.Message.From) // EthTransaction has looked
	tx := &Transaction{
		Nonce: Quantity(t.Nonce), Hash: t.Hash(), From: from, Value: Amount{t.Value}, Input: t.Input, Gas: Quantity(t.GasLimit),
		V: Amount{t.V}, R: Amount{t.R}, S: Amount{t.S},
	}
	if len(t.To) > 0 {
		to := Address(t.To)
		tx.To = &to
	}
	chainID := Quantity(t.ChainID)
	if v.Manner == Strict || t.ChainID != 0 {
		tx.ChainID = &chainID
	}
	tx.fees(v.Manner, t.Dynamic, t.FeeCap, t.Premium)
	if v.Manner == Strict {
		tx.AccessList = json.RawMessage("null")
	} else if t.Dynamic {
		odd := Quantity(t.Odd())
		tx.YParity = &odd
	}
	return tx, nil
}

func (tx *Transaction) fees(m Manner, dynamic bool, feeCap, premium *big.Int) {
	price := Amount{feeCap}
	if !dynamic {
		tx.GasPrice = &price
		return
	}
	tip := Amount{premium}
	tx.Type, tx.MaxFeePerGas, tx.MaxPriorityFeePerGas, tx.AccessList = 2, &price, &tip, json.RawMessage("[]")
	if m != Strict {
		tx.GasPrice = &price
	}
}

// native shows a message that no transaction of Ethereum is: a call of a method by number, with parameters in CBOR
// (FIP-0054, "handle_filecoin_method"). Calls and deployments of contracts are shown as such.
func (v *View) native(ctx context.Context, m *fvm.Message) (*Transaction, error) {
	from, ok, err := AddressOf(ctx, m.From, v.Lookup)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("the state does not know its sender %s", m.From)
	}
	to, ok, err := AddressOf(ctx, m.To, v.Lookup)
	if err != nil {
		return nil, err
	}
	if !ok {
		to = NoAddress
	}
	chainID := Quantity(v.ChainID)
	tx := &Transaction{
		ChainID: &chainID, Nonce: Quantity(m.Nonce), From: from, To: &to, Value: Amount{m.Value.Int}, Gas: Quantity(m.GasLimit),
		Input: nativeInput(uint64(m.Method), m.Params),
	}
	tx.fees(v.Manner, true, m.GasFeeCap.Int, m.GasPremium.Int)
	if v.Manner != Strict {
		tx.YParity = new(Quantity)
	}
	deploys := m.To == builtin.EthereumAddressManagerActorAddr && m.Method == builtin.MethodsEAM.CreateExternal
	if deploys || m.Method == builtin.MethodsEVM.InvokeContract {
		// What is no string of bytes stays a native call: anybody may send anything.
		if input, err := bareBytes(m.Params); err == nil {
			tx.Input = input
			if deploys {
				tx.To = nil
			}
		}
	}
	return tx, nil
}

// bareBytes takes bytes out of CBOR. Quirk: what follows them does not matter to nodes.
func bareBytes(params []byte) ([]byte, error) {
	if len(params) == 0 {
		return nil, nil
	}
	return cbg.ReadByteArray(bytes.NewReader(params), uint64(len(params)))
}

// nativeInput is the calldata of handle_filecoin_method(uint64 method, uint64 codec, bytes params).
func nativeInput(method uint64, params []byte) []byte {
	codec := uint64(cbor.CodecCBOR)
	if len(params) == 0 {
		codec = 0
	}
	return append([]byte{0x86, 0x8e, 0x10, 0xc4}, EncodeNative(method, codec, params)...)
}

// EncodeNative is two numbers and bytes by Solidity's ABI, as native calls and what they return are shown in Ethereum: a
// method or an exit code, a codec, parameters or what was returned.
func EncodeNative(code, codec uint64, data []byte) []byte {
	const word = 32
	b := make([]byte, 4*word+(len(data)+word-1)/word*word)
	for i, v := range []uint64{code, codec, 3 * word, uint64(len(data))} {
		binary.BigEndian.PutUint64(b[(i+1)*word-8:], v)
	}
	copy(b[4*word:], data)
	return b
}
