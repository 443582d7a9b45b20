package executor

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// Message is an unsigned message of the chain.
type Message struct {
	Version    uint64
	To, From   address.Address
	Nonce      uint64
	Value      abi.TokenAmount // attoFIL
	GasLimit   int64           // gas
	GasFeeCap  abi.TokenAmount // attoFIL a unit of gas
	GasPremium abi.TokenAmount // attoFIL a unit of gas
	Method     abi.MethodNum
	Params     []byte
}

const (
	messageFields = 10
	maxParams     = 2 << 20 // bytes; the network's blocks are smaller
)

// MarshalCBOR writes the message as the chain stores it.
func (m *Message) MarshalCBOR(w io.Writer) error {
	cw := cbg.NewCborWriter(w)
	head := func(major byte, v uint64) error { return cw.WriteMajorTypeHeader(major, v) }
	steps := []func() error{
		func() error { return head(cbg.MajArray, messageFields) },
		func() error { return head(cbg.MajUnsignedInt, m.Version) },
		func() error { return m.To.MarshalCBOR(cw) },
		func() error { return m.From.MarshalCBOR(cw) },
		func() error { return head(cbg.MajUnsignedInt, m.Nonce) },
		func() error { return m.Value.MarshalCBOR(cw) },
		func() error {
			if m.GasLimit < 0 {
				return head(cbg.MajNegativeInt, uint64(-m.GasLimit-1))
			}
			return head(cbg.MajUnsignedInt, uint64(m.GasLimit))
		},
		func() error { return m.GasFeeCap.MarshalCBOR(cw) },
		func() error { return m.GasPremium.MarshalCBOR(cw) },
		func() error { return head(cbg.MajUnsignedInt, uint64(m.Method)) },
		func() error { return cbg.WriteByteArray(cw, m.Params) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalCBOR reads a message.
func (m *Message) UnmarshalCBOR(r io.Reader) error {
	cr := cbg.NewCborReader(r)
	major, n, err := cr.ReadHeader()
	if err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	if major != cbg.MajArray || n != messageFields {
		return fmt.Errorf("reading a message: not a list of %d fields", messageFields)
	}
	var gasLimit, method uint64
	for _, f := range [...]struct {
		name   string
		number *uint64
		at     *address.Address
		amount *abi.TokenAmount
	}{
		{name: "version", number: &m.Version},
		{name: "to", at: &m.To},
		{name: "from", at: &m.From},
		{name: "nonce", number: &m.Nonce},
		{name: "value", amount: &m.Value},
		{name: "gas limit", number: &gasLimit},
		{name: "gas fee cap", amount: &m.GasFeeCap},
		{name: "gas premium", amount: &m.GasPremium},
		{name: "method", number: &method},
		{name: "params"},
	} {
		var err error
		switch {
		case f.number != nil:
			*f.number, err = readUint(cr)
		case f.at != nil:
			*f.at, err = readAddress(cr)
		case f.amount != nil:
			err = f.amount.UnmarshalCBOR(cr)
		default:
			m.Params, err = cbg.ReadByteArray(cr, maxParams)
		}
		if err != nil {
			return fmt.Errorf("reading a message's %s: %w", f.name, err)
		}
	}
	if gasLimit > 1<<63-1 {
		return fmt.Errorf("reading a message's gas limit: %d is beyond 63 bits", gasLimit)
	}
	m.GasLimit, m.Method = int64(gasLimit), abi.MethodNum(method)
	return nil
}

func readUint(cr *cbg.CborReader) (uint64, error) {
	major, n, err := cr.ReadHeader()
	if err == nil && major != cbg.MajUnsignedInt {
		err = fmt.Errorf("not an unsigned integer but CBOR type %d", major)
	}
	return n, err
}

// readAddress reads what the network takes for an address, which is more than go-address does.
func readAddress(cr *cbg.CborReader) (address.Address, error) {
	b, err := cbg.ReadByteArray(cr, addr.MaxLen)
	if err != nil {
		return address.Undef, err
	}
	return addr.ParseAddress(b)
}

// DecodeMessage reads a message that fills data.
func DecodeMessage(data []byte) (*Message, error) {
	r := bytes.NewReader(data)
	m := new(Message)
	if err := m.UnmarshalCBOR(r); err != nil {
		return nil, err
	}
	if r.Len() > 0 {
		return nil, fmt.Errorf("reading a message: %d bytes follow it", r.Len())
	}
	return m, nil
}

// check refuses what the network has no receipt for.
func (m *Message) check(p *machine.Profile) error {
	switch {
	case m.GasLimit == 0:
		return errors.New("the message has no gas limit")
	case m.GasLimit < 0:
		return fmt.Errorf("the message's gas limit %d is negative", m.GasLimit)
	case m.To == address.Undef || m.From == address.Undef:
		return errors.New("the message lacks an address")
	case !p.Ethereum && (m.To.Protocol() == address.Delegated || m.From.Protocol() == address.Delegated):
		return errors.New("f4 addresses exist only since network version 18")
	}
	return nil
}
