package page

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/textform"
)

// methodView is a method as a form shows it.
type methodView struct {
	Number   abi.MethodNum `json:"number"`
	Name     string        `json:"name"`
	Params   string        `json:"params,omitempty"` // the type's name; "" if it takes nothing
	Template any           `json:"template,omitempty"`
	Return   string        `json:"return,omitempty"`
}

type methodList struct {
	Actor   string       `json:"actor"`
	Version int          `json:"version"`
	Methods []methodView `json:"methods"`
}

// methodOf names a method of a builtin actor.
type methodOf struct {
	Actor   string `json:"actor"`
	Version int    `json:"version"`
	Method  string `json:"method"` // number or name
}

// methods is fvm_methods: the methods of an actor, by its kind or its address, with parameters to be filled in. A version may stand
// behind the kind: "storageminer@16".
func (p *Page) methods(ctx context.Context, actor string, epoch jsonrpc.Optional[abi.ChainEpoch]) (*methodList, error) {
	kind, given, ok := strings.Cut(actor, "@")
	version, err := 0, error(nil)
	if ok {
		if version, err = strconv.Atoi(given); err != nil {
			return nil, errNone("the version of the actors behind @ is no number")
		}
	} else {
		if kind, version, err = p.kindOf(ctx, actor, epoch); err != nil {
			return nil, err
		}
	}
	list, err := actors.Methods(version, kind)
	if err != nil {
		return nil, errNone(err.Error())
	}
	out := &methodList{Actor: kind, Version: version, Methods: []methodView{}}
	for _, m := range list {
		v := methodView{Number: m.Number, Name: m.Name}
		if t := m.ParamsType(); t != nil {
			v.Params = t.Name()
			if v.Template, err = m.ParamsTemplate(); err != nil {
				return nil, err
			}
		}
		if t := m.ReturnType(); t != nil {
			v.Return = t.Name()
		}
		out.Methods = append(out.Methods, v)
	}
	return out, nil
}

// kindOf is the kind of an actor of the state and the version of its code.
func (p *Page) kindOf(ctx context.Context, text string, epoch jsonrpc.Optional[abi.ChainEpoch]) (string, int, error) {
	t, st, err := p.at(ctx, epoch, Whole)
	if err != nil {
		return "", 0, err
	}
	_, version, err := t.Manifest(ctx)
	if err != nil || version == 0 {
		if version, err = actors.VersionFor(st.Version); err != nil {
			return "", 0, err
		}
	}
	if _, err := textform.Address(text); err != nil {
		return text, version, nil //nolint:nilerr // a kind, which Methods looks at
	}
	a, err := actorOf(ctx, t, text)
	if err != nil {
		return "", 0, err
	}
	kind := t.Kind(ctx, a.Code)
	if kind.Version != 0 {
		version = kind.Version
	}
	return kind.Name, version, nil
}

func (m methodOf) find() (*actors.Method, error) {
	found, err := actors.FindMethod(m.Version, m.Actor, m.Method)
	if err != nil {
		return nil, errNone(err.Error())
	}
	return found, nil
}

// encoded are bytes in both of the forms that nodes' methods take.
type encoded struct {
	Hex    eth.Data `json:"hex"`
	Base64 []byte   `json:"base64"`
	Method uint64   `json:"method"`
}

// encodeParams is fvm_encodeParams: parameters of a builtin actor's method from JSON.
func (p *Page) encodeParams(method methodOf, params json.RawMessage) (*encoded, error) {
	m, err := method.find()
	if err != nil {
		return nil, err
	}
	data, err := m.EncodeParams(params)
	if err != nil {
		return nil, errNone(err.Error())
	}
	return &encoded{data, data, uint64(m.Number)}, nil
}

// decodedValue is data in words.
type decodedValue struct {
	Value      any    `json:"value"`
	Diagnostic string `json:"diagnostic,omitempty"`
	Note       string `json:"note,omitempty"`
}

// decodeReturn is fvm_decodeReturn: what a builtin actor's method returned, as JSON.
func (p *Page) decodeReturn(method methodOf, data []byte) (*decodedValue, error) {
	m, err := method.find()
	if err != nil {
		return nil, err
	}
	v, err := m.DecodeReturn(data)
	if err != nil {
		return nil, errNone(err.Error())
	}
	return &decodedValue{v.JSON, v.Diagnostic, v.Note}, nil
}

// entryView is a function, event or error of an ABI.
type entryView struct {
	Kind      string   `json:"kind"`
	Signature string   `json:"signature"`
	Selector  string   `json:"selector,omitempty"`
	Inputs    []string `json:"inputs"` // "uint256 amount"
	Outputs   []string `json:"outputs"`
}

// abi is fvm_abi: what an ABI has, or an artefact; without one, what the page was started with.
func (p *Page) abi(text jsonrpc.Optional[json.RawMessage]) ([]entryView, error) {
	a, err := p.abiOf(text)
	if err != nil {
		return nil, err
	}
	out := []entryView{}
	if a == nil {
		return out, nil
	}
	for _, e := range a.Entries {
		v := entryView{Kind: e.Kind, Signature: e.Signature(), Inputs: params(e.Inputs), Outputs: params(e.Outputs)}
		if e.Kind == "function" || e.Kind == "error" {
			sel := e.Selector()
			v.Selector = eth.Data(sel[:]).String()
		}
		out = append(out, v)
	}
	return out, nil
}

func params(list []ethabi.Param) []string {
	out := []string{}
	for _, x := range list {
		out = append(out, fmt.Sprintf("%s %s", x.Type, x.Name))
	}
	return out
}

// function is one of an ABI, by its name or signature.
func (p *Page) function(text jsonrpc.Optional[json.RawMessage], name string) (*ethabi.Entry, error) {
	a, err := p.abiOf(text)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, errNone("there is no ABI")
	}
	e, err := a.Function(name)
	if err != nil {
		return nil, errNone(err.Error())
	}
	return e, nil
}

// encodeCall is fvm_encodeCall: calldata of a function from JSON, by an ABI.
func (p *Page) encodeCall(text jsonrpc.Optional[json.RawMessage], name string, args json.RawMessage) (eth.Data, error) {
	e, err := p.function(text, name)
	if err != nil {
		return nil, err
	}
	values, err := jsonview.Parse(args)
	if err != nil {
		return nil, errNone("the arguments: " + err.Error())
	}
	data, err := ethabi.EncodeCall(e, values)
	if err != nil {
		return nil, errNone(err.Error())
	}
	return data, nil
}

// decodeResult is fvm_decodeResult: what a function returned, by an ABI.
func (p *Page) decodeResult(text jsonrpc.Optional[json.RawMessage], name string, data eth.Data) (any, error) {
	e, err := p.function(text, name)
	if err != nil {
		return nil, err
	}
	v, err := ethabi.DecodeResult(e, data)
	if err != nil {
		return nil, errNone(err.Error())
	}
	return v, nil
}
