package actors

import (
	"strconv"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/ethabi"
)

// DecodersOptions say how to read calls. The zero value is ready.
type DecodersOptions struct {
	// Version of the actors whose code is not among the networks' bundles. Default: what the network version calls for.
	Version int
	// ABI of contracts. Default: calldata are shown in hex, reverts with Solidity's own errors only.
	ABI *ethabi.ABI
}

// Decoders are decoders for package explain that know the builtin actors' types, by the code that ran where that is known.
// What they do not know is left in CBOR's diagnostic notation.
func Decoders(o DecodersOptions) explain.Decoders {
	fallback := explain.CBOR()
	decode := func(p explain.Payload, of func(*Method, []byte) (Value, error), other func(explain.Payload) (any, bool)) (any, bool) {
		if p.Codec == cbor.CodecRaw && p.Actor == "evm" {
			return o.contract(p.Data), true
		}
		if m := o.method(p); m != nil && p.Codec != cbor.CodecRaw {
			if v, err := of(m, p.Data); err == nil && v.Typed && v.JSON != nil {
				if m.Actor == "evm" && m.Name == "InvokeContract" && o.ABI != nil {
					if bare, err := Unwrap(p.Data); err == nil {
						return o.contract(bare), true
					}
				}
				return v.JSON, true
			}
		}
		return other(p)
	}
	return explain.Decoders{
		Params: func(p explain.Payload) (any, bool) {
			return decode(p, (*Method).DecodeParams, fallback.Params)
		},
		Return: func(p explain.Payload) (any, bool) {
			if p.Exit != 0 {
				if c, ok := revertOf(o.ABI, p); ok {
					return c, true
				}
				return fallback.Return(p)
			}
			if p.Codec == cbor.CodecRaw && p.Actor == "evm" {
				return jsonview.Hex(p.Data), true
			}
			return decode(p, (*Method).DecodeReturn, fallback.Return)
		},
	}
}

// contract shows calldata, by the ABI if it has the function.
func (o *DecodersOptions) contract(data []byte) any {
	if o.ABI != nil && len(data) >= 4 {
		if c, err := ethabi.DecodeCall(o.ABI, data); err == nil && c.Args != nil {
			return jsonview.Object{{Name: c.Signature, Value: c.Args}}
		}
	}
	return jsonview.Hex(data)
}

// revertOf reads the data of a revert: in words, with the arguments of an error that has a name.
func revertOf(abi *ethabi.ABI, p explain.Payload) (any, bool) {
	data := p.Data
	if p.Codec != cbor.CodecRaw {
		bare, err := Unwrap(p.Data)
		if err != nil {
			return nil, false
		}
		data = bare
	}
	if len(data) < 4 {
		return nil, false
	}
	c := ethabi.DecodeRevert(abi, data)
	o := jsonview.Object{{Name: "Text", Value: c.Text}}
	switch {
	case c.Args != nil:
		o = append(o, jsonview.Field{Name: c.Signature, Value: c.Args})
	case len(data)%32 != 4: // no selector and words
		return nil, false
	default:
		words := []any{}
		for _, w := range c.Words {
			words = append(words, w)
		}
		o = append(o, jsonview.Field{Name: "Words", Value: words})
	}
	return o, true
}

// method is the one that a payload is of, nil if it is not known.
func (o *DecodersOptions) method(p explain.Payload) *Method {
	version := o.Version
	if _, versions, ok := ActorByCode(p.Code); ok {
		version = versions[0]
	} else if version == 0 {
		v, err := VersionFor(p.NetworkVersion)
		if err != nil {
			return nil
		}
		version = v
	}
	m, err := FindMethod(version, p.Actor, strconv.FormatUint(uint64(p.Method), 10))
	if err != nil {
		return nil
	}
	return m
}
