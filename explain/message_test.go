package explain

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/trace"
)

// What is given decides what is known.
func TestMessageFields(t *testing.T) {
	c := call(1, 5, 9)
	c.Value = big.NewInt(3)
	events := trace.Events{c, invoke(5, minerCode), ret(16)}
	msg := &fvm.Message{From: addr.NewID(100), To: addr.NewID(5), Method: 9, Value: big.NewInt(4), Nonce: 6, GasLimit: 1000}
	res := &fvm.Result{
		ExitCode: 16, Return: []byte{0xab}, GasUsed: 700, Failure: "f05: bad", Penalty: big.NewInt(1), MinerTip: big.NewInt(2), BaseFeeBurn: big.NewInt(3), OverEstimationBurn: big.NewInt(4), Refund: big.NewInt(5),
		Events: []fvm.Event{{Emitter: 5}, {Emitter: 6}},
	}
	sixteen := exitcode.ExitCode(16)
	for _, tt := range []struct {
		name string
		a    Applied
		want Message
	}{
		{"nothing", Applied{}, Message{Meaning: NoTrace}},
		{"the trace alone", Applied{Trace: events}, Message{From: "f01", To: "f05", Method: 9, Name: "TerminateSectors", Value: Amount{big.NewInt(3)}}},
		{"the message alone", Applied{Message: msg}, Message{From: "f0100", To: "f05", Method: 9, Name: "method 9", Value: Amount{big.NewInt(4)}, Nonce: 6, GasLimit: 1000, Meaning: NoTrace}},
		{"a refusal", Applied{Message: msg, Err: errors.New("no gas limit")}, Message{
			From: "f0100", To: "f05", Method: 9, Name: "method 9", Value: Amount{big.NewInt(4)}, Nonce: 6, GasLimit: 1000, Meaning: "no gas limit",
		}},
		{"all", Applied{Message: msg, Trace: events, Result: res}, Message{
			From: "f0100", To: "f05", Method: 9, Name: "TerminateSectors", Value: Amount{big.NewInt(4)}, Nonce: 6, GasLimit: 1000,
			Exit: &sixteen, Meaning: "illegal argument", Failure: "f05: bad", Return: "ab", GasUsed: 700,
			Fees:   &Fees{Penalty: big.NewInt(1), MinerTip: big.NewInt(2), BaseFeeBurn: big.NewInt(3), OverEstimationBurn: big.NewInt(4), Refund: big.NewInt(5)},
			Events: []Event{{Emitter: 5, Actor: "storageminer"}, {Emitter: 6}},
		}},
		{"an implicit one has no fees", Applied{Kind: fvm.Implicit, Result: res}, Message{
			Implicit: true, Exit: &sixteen, Meaning: "illegal argument", Failure: "f05: bad", Return: "ab", GasUsed: 700, Events: []Event{{Emitter: 5}, {Emitter: 6}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Trace(tt.a, Options{ActorName: names})
			if err != nil {
				t.Fatal(err)
			}
			if m.Calls == nil || m.ByKind == nil || m.ByCharge == nil {
				t.Fatal("it has no tree")
			}
			m.Calls, m.ByKind, m.ByCharge = nil, nil, nil
			if !reflect.DeepEqual(*m, tt.want) {
				t.Errorf("%+v, want\n%+v", *m, tt.want)
			}
		})
	}
}

// Decoders are asked for each call that has data, with what is known of it, and what they say goes into the JSON.
func TestDecoders(t *testing.T) {
	outer, inner := call(1, 5, 9), call(5, 6, 2)
	outer.Params = &trace.Block{Codec: cbor.CodecCBOR, Data: []byte{0x81, 0x07}}
	inner.Params = &trace.Block{Data: []byte{0x18}}
	events := trace.Events{outer, invoke(5, minerCode), inner, &trace.Error{Errno: 6}, &trace.Return{Data: &trace.Block{Codec: 0x55, Data: []byte{1}}}}
	var asked []Payload
	o := Options{ActorName: names, NetworkVersion: 28, Decoders: Decoders{Params: func(p Payload) (any, bool) {
		asked = append(asked, p)
		return map[string]int{"size": len(p.Data)}, p.Actor != ""
	}}}
	m, err := Trace(Applied{Trace: events}, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []Payload{{NetworkVersion: 28, Method: 2, Name: "method 2", Data: []byte{0x18}}, {NetworkVersion: 28, Actor: "storageminer", Code: minerCode, Method: 9, Name: "TerminateSectors", Codec: cbor.CodecCBOR, Data: []byte{0x81, 0x07}}}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("asked about %+v, want %+v", asked, want)
	}
	c := m.Calls.Calls[0]
	if !reflect.DeepEqual(c.ParamsValue, map[string]int{"size": 2}) || c.ReturnValue != nil || c.Calls[0].ParamsValue != nil {
		t.Errorf("params %v, return %v, inner %v", c.ParamsValue, c.ReturnValue, c.Calls[0].ParamsValue)
	}
	// The decoders of CBOR know what needs no types, and leave the rest.
	if m, err = Trace(Applied{Trace: events}, Options{Decoders: CBOR()}); err != nil {
		t.Fatal(err)
	}
	c = m.Calls.Calls[0]
	if c.ParamsValue != "[7]" || c.ReturnValue != nil || c.Calls[0].ParamsValue != nil {
		t.Errorf("params %v, return %v, inner %v", c.ParamsValue, c.ReturnValue, c.Calls[0].ParamsValue)
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(data, &keys); err != nil || keys["params_value"] != "[7]" || keys["params_bytes"] != 2.0 {
		t.Errorf("%s, %v", data, err)
	}
}

func TestAmount(t *testing.T) {
	for _, tt := range []struct {
		a    Amount
		json string
	}{{Amount{}, `""`}, {Amount{big.Zero()}, `"0"`}, {Amount{big.NewInt(-12)}, `"-12"`}, {Amount{big.Exp(big.NewInt(10), big.NewInt(30))}, `"1000000000000000000000000000000"`}} {
		data, err := json.Marshal(tt.a)
		if err != nil || string(data) != tt.json {
			t.Errorf("%s, %v; want %s", data, err, tt.json)
		}
		back := Amount{big.NewInt(99)}
		if err := json.Unmarshal(data, &back); err != nil || (back.Int == nil) != (tt.a.Int == nil) || back.Int != nil && back.Cmp(tt.a.Int) != 0 {
			t.Errorf("%s comes back as %v, %v", data, back, err)
		}
	}
	var a Amount
	for _, bad := range []string{`"x"`, `7.5`, `{}`} {
		if err := json.Unmarshal([]byte(bad), &a); err == nil {
			t.Errorf("%s is taken for %v", bad, a)
		}
	}
}
