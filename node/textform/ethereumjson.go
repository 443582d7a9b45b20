package textform

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/edgefvm/fvm/internal/layout"
)

// ethereum reads a transaction as nodes of Ethereum show it.
func (o *object) ethereum() (*Message, error) {
	kind := o.number("type", math.MaxUint64)
	t := &ethTransaction{
		dynamic: kind == 2, nonce: o.number("nonce", math.MaxUint64), gasLimit: o.number("gas", math.MaxInt64),
		value: o.quantity("value"), r: o.quantity("r"), s: o.quantity("s"), v: o.quantity("v"),
	}
	chain := o.number("chainId", math.MaxUint64)
	for _, name := range []string{"input", "data"} {
		if s, ok := o.text(name); ok {
			d, err := parse(s, false, nil)
			if o.fail(name, err); err == nil {
				t.input = d.Bytes
			}
			break
		}
	}
	if s, ok := o.text("to"); ok {
		t.to = o.ethBytes("to", s)
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
		t.chainID, t.feeCap, t.premium = chain, o.quantity("maxFeePerGas"), o.quantity("maxPriorityFeePerGas")
		if !o.has("v") && o.has("yparity") {
			t.v = o.quantity("yParity")
		}
		if list := o.take("accesslist"); list != nil && string(list) != "[]" {
			return nil, errors.New("its access list is not empty, and Filecoin's nodes do not take that")
		}
		if t.v.BitLen() > 1 {
			return nil, fmt.Errorf("its v is %s: want 0 or 1", t.v)
		}
	case 0:
		t.feeCap = o.quantity("gasPrice")
		t.premium = t.feeCap
		if err := t.legacyChain(); err != nil {
			return nil, err
		}
	default:
		return nil, noReading("a transaction of Ethereum of type %d, which Filecoin's nodes do not take", kind)
	}
	if err := t.check(o.err); err != nil {
		return nil, err
	}
	m, err := t.message()
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
