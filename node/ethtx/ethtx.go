// Package ethtx reads, writes and signs the transactions of Ethereum that Filecoin takes, and turns them into what its
// chain stores of them and back.
//
// A transaction is on Filecoin's chain as a message with a delegated signature. No byte of the transaction itself is
// stored: nodes put it together again to check the signature and to tell its hash (FIP-0055, FIP-0091).
//
// Everything here is pure; a Transaction belongs to one goroutine at a time while it is changed. Packages textform and eth
// use it. It knows neither the machine nor JSON.
package ethtx

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Transaction is a transaction of Ethereum of one of the three kinds that Filecoin takes: EIP-1559, and legacy ones with
// the chain's id in the signature (EIP-155) and without. Amounts are in attoFIL and not nil.
type Transaction struct {
	Dynamic  bool   // EIP-1559
	ChainID  uint64 // 0 only of a legacy one without
	Nonce    uint64
	GasLimit uint64
	Premium  *big.Int // a unit of gas; of legacy ones it is the gas price, as FeeCap is
	FeeCap   *big.Int // a unit of gas
	To       []byte   // 20 bytes, or none: it deploys a contract
	Value    *big.Int
	Input    []byte
	// V is 0 or 1 of EIP-1559, 27 or 28 of a legacy one without chain id, else 35 or 36 more than twice the chain id.
	V, R, S *big.Int
}

const (
	maxSize = 2 << 20 // bytes of a transaction

	// maxAmountBits is the longest amount that the chain stores: 128 bytes, one of which is the sign.
	maxAmountBits = 127 * 8
)

// UnsupportedError is the error of a kind of transactions that Filecoin does not take.
type UnsupportedError struct {
	Type byte // EIP-2718
}

func (e *UnsupportedError) Error() string {
	what := map[byte]string{1: "has an access list (EIP-2930)", 3: "has blobs (EIP-4844)", 4: "sets code (EIP-7702)"}[e.Type]
	if what == "" {
		what = fmt.Sprintf("is of type %d", e.Type)
	}
	return "it " + what + ", which Filecoin's nodes do not take"
}

// Decode reads a raw transaction as a wallet signs it (EIP-2718, EIP-1559, EIP-155). Its signature is not checked: Sender
// does.
func Decode(data []byte) (*Transaction, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("it is empty")
	case len(data) > maxSize:
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(data), maxSize)
	case data[0] == 2:
		return decodeDynamic(data[1:])
	case data[0] < 0x80:
		return nil, &UnsupportedError{data[0]}
	}
	return decodeLegacy(data)
}

func decodeDynamic(data []byte) (*Transaction, error) {
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
	t := &Transaction{
		Dynamic: true, ChainID: f.number("chain id"), Nonce: f.number("nonce"), Premium: f.integer("priority fee"), FeeCap: f.integer("fee"),
		GasLimit: f.number("gas limit"), To: f.bytes("receiver"), Value: f.integer("value"), Input: f.bytes("input"),
	}
	if list := f.next(); f.err == nil && (!list.list || len(list.body) > 0) {
		f.err = errors.New("its access list is not empty, and Filecoin's nodes do not take that")
	}
	t.V, t.R, t.S = f.integer("v"), f.integer("r"), f.integer("s")
	if f.err != nil {
		return nil, f.err
	}
	return t, t.Check()
}

func decodeLegacy(data []byte) (*Transaction, error) {
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
	t := &Transaction{Nonce: f.number("nonce"), Premium: f.integer("gas price"), GasLimit: f.number("gas limit"), To: f.bytes("receiver"), Value: f.integer("value"), Input: f.bytes("input")}
	t.FeeCap = t.Premium
	t.V, t.R, t.S = f.integer("v"), f.integer("r"), f.integer("s")
	if f.err != nil {
		return nil, f.err
	}
	return t, t.Check()
}

// Check finds what no transaction of Filecoin's can have, in one that is signed. Of a legacy one it finds the chain's id in
// V, and sets it.
func (t *Transaction) Check() error {
	if t.Dynamic && t.V.BitLen() > 1 {
		return fmt.Errorf("its v is %s: want 0 or 1", t.V)
	}
	if !t.Dynamic {
		if err := t.legacyChain(); err != nil {
			return err
		}
	}
	switch {
	case len(t.To) != 0 && len(t.To) != addr.EthLen:
		return fmt.Errorf("its receiver has %d bytes, not %d", len(t.To), addr.EthLen)
	case t.GasLimit > 1<<63-1:
		return fmt.Errorf("its gas limit %d is beyond 63 bits", t.GasLimit)
	case t.R.BitLen() > 256 || t.S.BitLen() > 256:
		return errors.New("its signature is longer than 32 bytes a number")
	case max(t.Value.BitLen(), t.FeeCap.BitLen(), t.Premium.BitLen()) > maxAmountBits:
		return errors.New("an amount of it is too large for the chain")
	}
	return nil
}

// legacyChain finds the chain's id in V.
func (t *Transaction) legacyChain() error {
	t.ChainID = 0
	if t.V.IsUint64() && (t.V.Uint64() == 27 || t.V.Uint64() == 28) {
		return nil
	}
	id := new(big.Int).Rsh(new(big.Int).Sub(t.V, big.NewInt(35)), 1)
	switch {
	case t.R.Sign() == 0 && t.S.Sign() == 0:
		return errors.New("it is not signed: r and s are 0")
	case id.Sign() <= 0 || !id.IsUint64():
		return fmt.Errorf("its v is %s: want 27, 28, or 35 and twice the chain id", t.V)
	}
	t.ChainID = id.Uint64()
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
