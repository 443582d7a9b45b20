package textform

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
)

// ethTransaction is a transaction of Ethereum of one of the three kinds that Filecoin takes: EIP-1559, and legacy
// ones with the chain's id in the signature (EIP-155) and without.
type ethTransaction struct {
	dynamic         bool // EIP-1559
	chainID         uint64
	nonce, gasLimit uint64
	premium, feeCap *big.Int // of legacy ones both are the gas price
	to              []byte   // empty: it deploys a contract
	value           *big.Int
	input           []byte
	v, r, s         *big.Int
}

const (
	maxEthereum = 2 << 20 // bytes of a transaction

	// The first byte of the signature of a legacy transaction on Filecoin's chain says which it is.
	markLegacy = 1
	markEIP155 = 2
)

// decodeEthereum reads a raw transaction as a wallet signs it (EIP-2718, EIP-1559, EIP-155).
func decodeEthereum(data []byte) (*ethTransaction, error) {
	if len(data) > maxEthereum {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(data), maxEthereum)
	}
	switch data[0] {
	case 1:
		return nil, errors.New("it has an access list (EIP-2930), which Filecoin's nodes do not take")
	case 3:
		return nil, errors.New("it has blobs (EIP-4844), which Filecoin's nodes do not take")
	case 4:
		return nil, errors.New("it sets code (EIP-7702), which Filecoin's nodes do not take")
	case 2:
		return decodeDynamic(data[1:])
	}
	return decodeLegacy(data)
}

func decodeDynamic(data []byte) (*ethTransaction, error) {
	items, err := rlpList(data)
	if err != nil {
		return nil, err
	}
	if len(items) == 9 {
		return nil, errors.New("it is not signed: 9 fields, and 12 are wanted")
	}
	if len(items) != 12 {
		return nil, fmt.Errorf("it has %d fields, and a signed one of EIP-1559 has 12", len(items))
	}
	f := &fields{items: items}
	t := &ethTransaction{
		dynamic: true, chainID: f.number("chain id"), nonce: f.number("nonce"), premium: f.integer("priority fee"), feeCap: f.integer("fee"),
		gasLimit: f.number("gas limit"), to: f.bytes("receiver"), value: f.integer("value"), input: f.bytes("input"),
	}
	if list := f.next(); f.err == nil && (!list.list || len(list.body) > 0) {
		f.err = errors.New("its access list is not empty, and Filecoin's nodes do not take that")
	}
	t.v, t.r, t.s = f.integer("v"), f.integer("r"), f.integer("s")
	if f.err == nil && t.v.BitLen() > 1 {
		f.err = fmt.Errorf("its v is %s: want 0 or 1", t.v)
	}
	return t, t.check(f.err)
}

func decodeLegacy(data []byte) (*ethTransaction, error) {
	items, err := rlpList(data)
	if err != nil {
		return nil, err
	}
	if len(items) == 6 {
		return nil, errors.New("it is not signed: 6 fields, and 9 are wanted")
	}
	if len(items) != 9 {
		return nil, fmt.Errorf("it has %d fields, and a legacy one has 9", len(items))
	}
	f := &fields{items: items}
	t := &ethTransaction{nonce: f.number("nonce"), premium: f.integer("gas price"), gasLimit: f.number("gas limit"), to: f.bytes("receiver"), value: f.integer("value"), input: f.bytes("input")}
	t.feeCap = t.premium
	t.v, t.r, t.s = f.integer("v"), f.integer("r"), f.integer("s")
	if f.err != nil {
		return nil, f.err
	}
	return t, t.check(t.legacyChain())
}

// legacyChain finds the chain's id in v.
func (t *ethTransaction) legacyChain() error {
	if t.v.IsUint64() && (t.v.Uint64() == 27 || t.v.Uint64() == 28) {
		return nil
	}
	id := new(big.Int).Rsh(new(big.Int).Sub(t.v, big.NewInt(35)), 1)
	switch {
	case t.r.Sign() == 0 && t.s.Sign() == 0:
		return errors.New("it is not signed: r and s are 0")
	case id.Sign() <= 0 || !id.IsUint64():
		return fmt.Errorf("its v is %s: want 27, 28, or 35 and twice the chain id", t.v)
	}
	t.chainID = id.Uint64()
	return nil
}

// check finds what no message can have.
func (t *ethTransaction) check(err error) error {
	switch {
	case err != nil:
		return err
	case len(t.to) != 0 && len(t.to) != ethLen:
		return fmt.Errorf("its receiver has %d bytes, not %d", len(t.to), ethLen)
	case t.gasLimit > 1<<63-1:
		return fmt.Errorf("its gas limit %d is beyond 63 bits", t.gasLimit)
	case t.r.BitLen() > 256 || t.s.BitLen() > 256:
		return errors.New("its signature is longer than 32 bytes a number")
	case max(t.value.BitLen(), t.feeCap.BitLen(), t.premium.BitLen()) > maxAmountBits:
		return errors.New("an amount of it is too large for the chain")
	}
	return nil
}

// fields reads the fields of a transaction one after the other.
type fields struct {
	items []rlpItem
	err   error
}

func (f *fields) next() (item rlpItem) {
	if len(f.items) > 0 {
		item, f.items = f.items[0], f.items[1:]
	}
	return item
}

func (f *fields) bytes(name string) []byte {
	item := f.next()
	if item.list && f.err == nil {
		f.err = fmt.Errorf("its %s is a list", name)
	}
	return item.body
}

func (f *fields) integer(name string) *big.Int {
	b := f.bytes(name)
	if len(b) > 0 && b[0] == 0 && f.err == nil {
		f.err = fmt.Errorf("its %s begins with a zero", name)
	}
	return new(big.Int).SetBytes(b)
}

func (f *fields) number(name string) uint64 {
	v := f.integer(name)
	if !v.IsUint64() && f.err == nil {
		f.err = fmt.Errorf("its %s is beyond 64 bits", name)
	}
	return v.Uint64()
}

// unsigned is what the sender signed.
func (t *ethTransaction) unsigned() []byte {
	var body []byte
	add := func(parts ...[]byte) {
		for _, p := range parts {
			body = appendRLP(body, false, p)
		}
	}
	number := func(v uint64) []byte { return new(big.Int).SetUint64(v).Bytes() }
	if t.dynamic {
		add(number(t.chainID), number(t.nonce), t.premium.Bytes(), t.feeCap.Bytes(), number(t.gasLimit), t.to, t.value.Bytes(), t.input)
		return appendRLP([]byte{2}, true, appendRLP(body, true, nil))
	}
	add(number(t.nonce), t.feeCap.Bytes(), number(t.gasLimit), t.to, t.value.Bytes(), t.input)
	if t.chainID != 0 {
		add(number(t.chainID), nil, nil)
	}
	return appendRLP(nil, true, body)
}

// odd is the bit of v that tells the sender's two possible keys apart.
func (t *ethTransaction) odd() byte {
	switch {
	case t.dynamic:
		return byte(t.v.Uint64())
	case t.chainID == 0:
		return byte(t.v.Uint64() - 27)
	}
	return 1 - byte(t.v.Bit(0)) // 35 and twice the chain's id is odd
}

// sender finds who signed.
func (t *ethTransaction) sender() (eth [ethLen]byte, err error) {
	var sig [65]byte
	sig[0] = 27 + t.odd()
	t.r.FillBytes(sig[1:33])
	t.s.FillBytes(sig[33:])
	key, _, err := ecdsa.RecoverCompact(sig[:], keccak(t.unsigned()))
	if err != nil {
		return eth, errors.New("nobody can have made its signature")
	}
	return [ethLen]byte(keccak(key.SerializeUncompressed()[1:])[12:]), nil
}

// message is the transaction as it is on Filecoin's chain: nodes turn it into this message, and find the transaction in
// it again to check the signature.
func (t *ethTransaction) message() (*Message, error) {
	from, err := t.sender()
	if err != nil {
		return nil, err
	}
	msg := &fvm.Message{
		From: FromEth(from), Nonce: t.nonce, Value: fbig.NewFromGo(t.value), GasLimit: int64(t.gasLimit),
		GasFeeCap: fbig.NewFromGo(t.feeCap), GasPremium: fbig.NewFromGo(t.premium),
		To: builtin.EthereumAddressManagerActorAddr, Method: builtin.MethodsEAM.CreateExternal,
	}
	if len(t.to) > 0 {
		msg.To, msg.Method = FromEth([ethLen]byte(t.to)), builtin.MethodsEVM.InvokeContract
	}
	if len(t.input) > 0 {
		msg.Params = WrapBytes(t.input)
	}
	sig := make([]byte, 64, 67)
	t.r.FillBytes(sig[:32])
	t.s.FillBytes(sig[32:])
	m := &Message{Message: msg, ChainID: t.chainID}
	switch {
	case t.dynamic:
		m.Form, sig = "an Ethereum transaction (EIP-1559)", append(sig, t.odd())
	case t.chainID == 0:
		m.Form, sig = "a legacy Ethereum transaction", append(append([]byte{markLegacy}, sig...), byte(t.v.Uint64()))
	default:
		m.Form, sig = "a legacy Ethereum transaction (EIP-155)", append(append([]byte{markEIP155}, sig...), t.v.Bytes()...)
	}
	m.Signature = &crypto.Signature{Type: crypto.SigTypeDelegated, Data: sig}
	return m, nil
}

// WrapBytes is data as a byte string of CBOR, as contracts' methods take their calldata.
func WrapBytes(data []byte) []byte {
	var buf bytes.Buffer
	_ = cbg.WriteByteArray(&buf, data) // to memory
	return buf.Bytes()
}
