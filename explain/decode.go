package explain

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/trace"
)

// Payload is data that goes to an actor or comes from one, with what a decoder needs to know of it.
type Payload struct {
	NetworkVersion network.Version // 0 if nobody said
	Actor          string          // the receiver's kind, such as "storageminer"; "" if it is not known
	Code           cid.Cid         // the receiver's; undefined if it was not found
	Method         abi.MethodNum
	Name           string // of the method, see MethodName
	Codec          uint64 // of Data; 0: not told, as it could only be DAG-CBOR (until network version 17)
	Data           []byte // not to be changed
	// Exit is what the call ended with, 0 for parameters: what a contract returns with another code is why it reverted.
	Exit exitcode.ExitCode
}

// Decoders turn data of actors into values for people. A value must be one that encoding/json takes, and the same for the
// same payload; ok is false for data that the decoder does not know, which are then only counted. Any may be nil. A struct of
// functions rather than an interface, so that a new one breaks nobody.
type Decoders struct {
	Params func(Payload) (value any, ok bool)
	Return func(Payload) (value any, ok bool)
}

// CBOR are decoders that know no types: they show CBOR as text, see Diagnostic.
func CBOR() Decoders {
	show := func(p Payload) (any, bool) {
		if p.Codec != cbor.CodecCBOR && p.Codec != cbor.CodecDagCBOR && p.Codec != 0 {
			return nil, false
		}
		text, ok := Diagnostic(p.Data)
		return text, ok
	}
	return Decoders{Params: show, Return: show}
}

// decode asks the decoders about a call.
func (o *Options) decode(c *Call) {
	ask := func(decoder func(Payload) (any, bool), b *trace.Block, exit exitcode.ExitCode) any {
		if decoder == nil || b == nil {
			return nil
		}
		v, ok := decoder(Payload{
			NetworkVersion: o.NetworkVersion, Actor: c.Actor, Code: c.Code, Method: c.Method, Name: c.Name, Codec: b.Codec, Data: b.Data,
			Exit: exit,
		})
		if !ok {
			return nil
		}
		return v
	}
	var exit exitcode.ExitCode
	if c.Exit != nil {
		exit = *c.Exit
	}
	c.ParamsValue = ask(o.Decoders.Params, c.Params, 0)
	c.ReturnValue = ask(o.Decoders.Return, c.Return, exit)
}
