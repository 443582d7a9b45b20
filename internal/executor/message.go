package executor

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/addr"
	"github.com/edgefvm/fvm/internal/machine"
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
	fields := []struct {
		name string
		read func() error
	}{
		{"version", readUint(cr, &m.Version)},
		{"to", readAddress(cr, &m.To)},
		{"from", readAddress(cr, &m.From)},
		{"nonce", readUint(cr, &m.Nonce)},
		{"value", func() error { return m.Value.UnmarshalCBOR(cr) }},
		{"gas limit", readUint(cr, &gasLimit)},
		{"gas fee cap", func() error { return m.GasFeeCap.UnmarshalCBOR(cr) }},
		{"gas premium", func() error { return m.GasPremium.UnmarshalCBOR(cr) }},
		{"method", readUint(cr, &method)},
		{"params", func() (err error) { m.Params, err = cbg.ReadByteArray(cr, maxParams); return err }},
	}
	for _, f := range fields {
		if err := f.read(); err != nil {
			return fmt.Errorf("reading a message's %s: %w", f.name, err)
		}
	}
	if gasLimit > 1<<63-1 {
		return fmt.Errorf("reading a message's gas limit: %d is beyond 63 bits", gasLimit)
	}
	m.GasLimit, m.Method = int64(gasLimit), abi.MethodNum(method)
	return nil
}

func readUint(cr *cbg.CborReader, v *uint64) func() error {
	return func() error {
		major, n, err := cr.ReadHeader()
		if err == nil && major != cbg.MajUnsignedInt {
			err = fmt.Errorf("not an unsigned integer but CBOR type %d", major)
		}
		*v = n
		return err
	}
}

// readAddress reads what the network takes for an address, which is more than go-address does.
func readAddress(cr *cbg.CborReader, a *address.Address) func() error {
	return func() error {
		b, err := cbg.ReadByteArray(cr, addr.MaxLen)
		if err == nil {
			*a, err = addr.ParseAddress(b)
		}
		return err
	}
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
