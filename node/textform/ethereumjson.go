package textform

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/ethtx"
)

// ethereum reads a transaction as nodes of Ethereum show it.
func (o *object) ethereum() (*Message, error) {
	kind := o.number("type", math.MaxUint64)
	t := &ethtx.Transaction{
		Dynamic: kind == 2, Nonce: o.number("nonce", math.MaxUint64), GasLimit: o.number("gas", math.MaxInt64),
		Value: o.quantity("value"), R: o.quantity("r"), S: o.quantity("s"), V: o.quantity("v"),
	}
	chain := o.number("chainId", math.MaxUint64)
	for _, name := range []string{"input", "data"} {
		if s, ok := o.text(name); ok {
			d, err := parse(s, false, nil)
			if o.fail(name, err); err == nil {
				t.Input = d.Bytes
			}
			break
		}
	}
	if s, ok := o.text("to"); ok {
		t.To = o.ethBytes("to", s)
	}
	var from []byte
	if s, ok := o.text("from"); ok {
		from = o.ethBytes("from", s)
	}
	if o.err != nil {
		return nil, o.err
	}
	switch kind {
	case 2:
		t.ChainID, t.FeeCap, t.Premium = chain, o.quantity("maxFeePerGas"), o.quantity("maxPriorityFeePerGas")
		if !o.has("v") && o.has("yparity") {
			t.V = o.quantity("yParity")
		}
		if list := o.take("accesslist"); list != nil && string(list) != "[]" {
			return nil, errors.New("its access list is not empty, and Filecoin's nodes do not take that")
		}
	case 0:
		t.FeeCap = o.quantity("gasPrice")
		t.Premium = t.FeeCap
	default:
		return nil, noReading("a transaction of Ethereum of type %d, which Filecoin's nodes do not take", kind)
	}
	if o.err != nil {
		return nil, o.err
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	m, err := ethMessage(t)
	if err != nil {
		return nil, err
	}
	if eth, _ := ToEth(m.From); from != nil && eth != "0x"+hex.EncodeToString(from) {
		return nil, fmt.Errorf("its signature is not of its sender 0x%x: was a field changed?", from)
	}
	m.Form += " as JSON"
	return m, nil
}

// ethBytes are the bytes of an address of Ethereum.
func (o *object) ethBytes(name, s string) []byte {
	b, why := decodeHex(strings.TrimPrefix(s, "0x"))
	if why != "" || len(b) != ethLen || !strings.HasPrefix(s, "0x") {
		o.fail(name, noReading("%s is no address of Ethereum", layout.OneLine(layout.Cut(s, 60))))
	}
	return b
}
