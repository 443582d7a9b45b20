package messages

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/textform"
)

// action sets the method and its parameters.
func (x *execFlags) action(ctx context.Context, on *onState, msg *fvm.Message) (err error) {
	manager := builtin.EthereumAddressManagerActorAddr
	if x.deploy != "" {
		msg.To, msg.Method = manager, builtin.MethodsEAM.CreateExternal
		d, err := x.readData(ctx, "--deploy", x.deploy, textform.Digits)
		if err != nil {
			return err
		}
		code := d.Bytes
		if d.Form == textform.JSON {
			if code, err = initCode(d.Bytes); err != nil {
				return fmt.Errorf("--deploy, %s: %w", d, err)
			}
		}
		msg.Params = textform.WrapBytes(code)
		as := d.String()
		if d.Form == textform.JSON {
			as += fmt.Sprintf(": bytecode of %s %s", layout.Grouped(len(code)), layout.Plural(len(code), "byte"))
		}
		x.note("deploy", as+", wrapped in CBOR")
		return nil
	}
	method := x.method
	if x.calldata != "" && method == "0" {
		method = fmt.Sprint(builtin.MethodsEVM.InvokeContract)
		if msg.To == manager {
			method = fmt.Sprint(builtin.MethodsEAM.CreateExternal)
		}
	}
	if msg.Method, err = x.methodOf(ctx, on, msg.To, "--method", method); err != nil {
		return err
	}
	switch {
	case x.calldata != "":
		d, err := x.readData(ctx, "--calldata", x.calldata, textform.Digits)
		if err != nil {
			return err
		}
		if d.Form == textform.JSON {
			return kit.Usagef("--calldata: JSON is not encoded by a contract's interface here: give hex, as 'cast calldata' prints it")
		}
		if len(d.Bytes) == 0 { // nodes wrap nothing then
			x.note("calldata", "none")
			return nil
		}
		msg.Params = textform.WrapBytes(d.Bytes)
		x.note("calldata", d.String()+", wrapped in CBOR")
		if textform.StringOfBytes(d.Bytes) {
			x.note("calldata", "they are a string of bytes in CBOR already, and are wrapped once more: if they are not to be, give them as --params")
		}
	case x.params != "":
		return x.readParams(ctx, on, msg)
	}
	return nil
}

// methodOf reads a method's number or name.
func (x *execFlags) methodOf(ctx context.Context, on *onState, to address.Address, flag, s string) (abi.MethodNum, error) {
	receiver, _ := kindOf(ctx, on.m, to)
	n, err := explain.ParseMethod(receiver, s)
	if err != nil {
		return 0, kit.Usagef("%s %q: %w%s", flag, s, err, kit.DidYouMean(s, explain.MethodNames(receiver)))
	}
	if explain.MethodName(receiver, n) == fmt.Sprintf("method %d", n) && strings.Trim(s, "0123456789") != "" { // nobody knows the name
		x.note("method", fmt.Sprintf("%s is %d, the number that FRC-0042 makes of the name%s", s, n, kit.Alike(s, explain.MethodNames(receiver))))
	}
	return n, nil
}

// readParams reads the parameters: bytes, or JSON that the receiver's method encodes. A JSON string may be either: it is bytes where
// it is hex or base64 of what the method takes, or where the method does not take the string.
func (x *execFlags) readParams(ctx context.Context, on *onState, msg *fvm.Message) error {
	d, err := readBy(ctx, &textform.Reader{Stdin: x.stdin, Decide: textform.CBOR, Strings: true, AsTheyAre: textform.StringOfBytes}, "--params", x.params)
	if err != nil {
		return err
	}
	text := d.Bytes
	if d.Form != textform.JSON {
		msg.Params = d.Bytes
		if !d.Quoted {
			x.note("params", d.String())
			return nil
		}
		method, err := methodFor(ctx, on, msg)
		if err != nil {
			x.note("params", d.String())
			return nil
		}
		if v, err := method.DecodeParams(d.Bytes); err == nil && v.Typed {
			x.note("params", d.String())
			return nil
		}
		text = d.Quote
	}
	encoded, err := encodeParams(ctx, on, msg, text)
	switch {
	case err == nil:
		msg.Params = encoded
		x.note("params", fmt.Sprintf("%s, encoded to %d", &textform.Data{Bytes: text, Form: textform.JSON, Source: d.Source}, len(encoded)))
	case d.Form != textform.JSON:
		x.note("params", d.String())
	case d.Quoted:
		if _, bytes := textform.Parse(string(d.Bytes)); bytes != nil {
			return kit.Usagef("--params, %s: %w; and as bytes, %w", d, err, bytes)
		}
		return kit.Usagef("--params, %s: %w", d, err)
	default:
		return kit.Usagef("--params, %s: %w", d, err)
	}
	return nil
}

// encodeParams encodes parameters that are JSON by the method of the receiver that the message is for.
func encodeParams(ctx context.Context, on *onState, msg *fvm.Message, text []byte) ([]byte, error) {
	method, err := methodFor(ctx, on, msg)
	if err != nil {
		return nil, err
	}
	data, err := method.EncodeParams(text)
	if _, not := textform.MessageFromJSON(text); err != nil && not == nil {
		return nil, errors.New("this is a whole message: give it as --message")
	}
	return data, err
}

// methodFor is the method of the receiver that the message is for.
func methodFor(ctx context.Context, on *onState, msg *fvm.Message) (*actors.Method, error) {
	if msg.Method == builtin.MethodSend {
		return nil, errors.New("a transfer takes no parameters: name the --method that they are for")
	}
	_, st, err := on.m.Actor(ctx, msg.To)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, fmt.Errorf("JSON is encoded by the receiver's methods, and the state has no %s: give the parameters as CBOR, in hex", addr.String(msg.To))
	}
	kind, versions, ok := actors.ActorByCode(st.Code)
	if !ok {
		if kind, ok = on.m.ActorName(st.Code); !ok {
			return nil, errors.New("JSON is encoded by the receiver's methods, and its code is not known: give the parameters as CBOR, in hex")
		}
		v, err := actors.VersionFor(on.version)
		if err != nil {
			return nil, err
		}
		versions = []int{v}
	}
	return actors.FindMethod(versions[0], kind, fmt.Sprint(msg.Method))
}
