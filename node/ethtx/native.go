package ethtx

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// The first byte of the signature of a legacy transaction on Filecoin's chain says which it is.
const (
	markLegacy = 1
	markEIP155 = 2
)

// Native is what Filecoin's chain has of a transaction: the fields of its message, and the data of its delegated signature.
type Native struct {
	From, To        address.Address
	Nonce, GasLimit uint64
	Value           *big.Int
	FeeCap, Premium *big.Int
	Method          abi.MethodNum
	Params          []byte
	Signature       []byte
}

// Native is the transaction as it is on Filecoin's chain. It errs if nobody can have signed it.
func (t *Transaction) Native() (*Native, error) {
	from, err := t.Sender()
	if err != nil {
		return nil, err
	}
	n := &Native{From: addr.FromEthereum(from), Nonce: t.Nonce, GasLimit: t.GasLimit, Value: t.Value, FeeCap: t.FeeCap, Premium: t.Premium}
	n.To, n.Method = Receiver(t.To)
	if len(t.Input) > 0 {
		n.Params = WrapBytes(t.Input)
	}
	sig := make([]byte, 64, 74)
	t.R.FillBytes(sig[:32])
	t.S.FillBytes(sig[32:])
	switch {
	case t.Dynamic:
		n.Signature = append(sig, t.Odd())
	case t.ChainID == 0:
		n.Signature = append(append([]byte{markLegacy}, sig...), byte(t.V.Uint64()))
	default:
		n.Signature = append(append([]byte{markEIP155}, sig...), t.V.Bytes()...)
	}
	return n, nil
}

// Receiver is what is called for an Ethereum receiver: the contract, or for none the address manager, which deploys one.
func Receiver(to []byte) (address.Address, abi.MethodNum) {
	if len(to) == 0 {
		return builtin.EthereumAddressManagerActorAddr, builtin.MethodsEAM.CreateExternal
	}
	return addr.FromEthereum([addr.EthLen]byte(to)), builtin.MethodsEVM.InvokeContract
}

// FromNative puts the transaction together again of a message that came from one, on a chain of the given id. Messages
// with a delegated signature that no transaction is turned into are errors: no node takes them.
func FromNative(n *Native, chainID uint64) (*Transaction, error) {
	if from, ok := addr.Ethereum(n.From); !ok || from == "" {
		return nil, errors.New("its sender has no address of Ethereum")
	}
	input, to, err := n.call()
	if err != nil {
		return nil, err
	}
	t := &Transaction{ChainID: chainID, Nonce: n.Nonce, GasLimit: n.GasLimit, Premium: n.Premium, FeeCap: n.FeeCap, To: to, Value: n.Value, Input: input}
	sig := n.Signature
	switch {
	case len(sig) == 65:
		t.Dynamic = true
	case len(sig) == 66 && sig[0] == markLegacy, len(sig) >= 66 && len(sig) <= 74 && sig[0] == markEIP155:
		if n.Premium.Cmp(n.FeeCap) != 0 {
			return nil, fmt.Errorf("it is a legacy transaction, and its premium %s is not its fee cap %s", n.Premium, n.FeeCap)
		}
		sig = sig[1:]
	default:
		return nil, fmt.Errorf("no transaction has a signature of %d bytes that begins so", len(sig))
	}
	t.R, t.S, t.V = new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64]), new(big.Int).SetBytes(sig[64:])
	if err := t.Check(); err != nil {
		return nil, err
	}
	switch marked := !t.Dynamic && n.Signature[0] == markEIP155; {
	case !t.Dynamic && marked != (t.ChainID != 0):
		return nil, fmt.Errorf("its v is %s, and it is marked as another kind of transaction", t.V)
	case marked && len(sig) != 64+len(t.V.Bytes()):
		return nil, errors.New("its v begins with a zero")
	case t.ChainID != 0 && t.ChainID != chainID:
		return nil, fmt.Errorf("it was signed for the chain %d, and this is %d", t.ChainID, chainID)
	}
	return t, nil
}

// call is what a message does in Ethereum's words.
func (n *Native) call() (input, to []byte, err error) {
	if len(n.Params) > 0 {
		r := bytes.NewReader(n.Params)
		input, err = cbg.ReadByteArray(r, uint64(len(n.Params)))
		if err != nil || r.Len() > 0 || len(input) == 0 {
			return nil, nil, errors.New("its parameters are not one string of bytes, not empty")
		}
	}
	if n.To == builtin.EthereumAddressManagerActorAddr {
		if n.Method != builtin.MethodsEAM.CreateExternal {
			return nil, nil, fmt.Errorf("it calls method %d of the address manager, and transactions call %d", n.Method, builtin.MethodsEAM.CreateExternal)
		}
		return input, nil, nil
	}
	if n.Method != builtin.MethodsEVM.InvokeContract {
		return nil, nil, fmt.Errorf("it calls method %d, and transactions call %d", n.Method, builtin.MethodsEVM.InvokeContract)
	}
	b, ok := addr.EthereumBytes(n.To)
	if !ok {
		return nil, nil, errors.New("its receiver has no address of Ethereum")
	}
	return input, b[:], nil
}

// Form says what kind it is.
func (t *Transaction) Form() string {
	switch {
	case t.Dynamic:
		return "an Ethereum transaction (EIP-1559)"
	case t.ChainID == 0:
		return "a legacy Ethereum transaction"
	}
	return "a legacy Ethereum transaction (EIP-155)"
}

// WrapBytes is data as a byte string of CBOR, as contracts' methods take their calldata.
func WrapBytes(data []byte) []byte {
	var buf bytes.Buffer
	_ = cbg.WriteByteArray(&buf, data) // to memory
	return buf.Bytes()
}
