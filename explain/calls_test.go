package explain

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/trace"
)

// Codes of two actors, and their names.
var (
	minerCode = cid.MustParse("bafk2bzaceaqrkllksxv2jsfgjvmuewx5vbzrammw5mdscod6gkdr3ijih2q64")
	evmCode   = cid.MustParse("bafk2bzacecoqu2nmbyzlj4iqvvbjuqbcxxgmqxdovqt7xfpqzqnbrj3rwqmwm")
)

func names(code cid.Cid) (string, bool) {
	switch code {
	case minerCode:
		return "storageminer", true
	case evmCode:
		return "evm", true
	}
	return "", false
}

func gas(name string, milli int64) trace.Event {
	return &trace.GasCharge{Name: name, Compute: uint64(milli)}
}

func call(from, to uint64, method abi.MethodNum) *trace.Call {
	return &trace.Call{From: abi.ActorID(from), To: addr.NewID(to), Method: method, Value: big.Zero(), GasLimit: 1000}
}

func invoke(id uint64, code cid.Cid) trace.Event {
	return &trace.Invoke{ID: abi.ActorID(id), Code: code}
}

func ret(code exitcode.ExitCode) trace.Event { return &trace.Return{ExitCode: code} }

// tree is a call with what matters in most tests, to compare.
type tree struct {
	who, name, why string
	self, total    int64
	below          []tree
}

func treeOf(c *Call) tree {
	t := tree{c.Who(), c.Name, c.Why(), c.Self, c.Total, nil}
	for _, b := range c.Calls {
		t.below = append(t.below, treeOf(b))
	}
	return t
}

func TestTree(t *testing.T) {
	none := "no exit code"
	root := func(self, total int64, below ...tree) tree { return tree{"", "Send", none, self, total, below} }
	for _, tt := range []struct {
		name   string
		events trace.Events
		want   tree
	}{
		{"empty", nil, root(0, 0)},
		{"no calls", trace.Events{gas("OnChainMessage", 7)}, root(7, 7)},
		{
			"calls in calls",
			trace.Events{
				gas("OnChainMessage", 100), call(1, 5, 9), gas("OnMethodInvocation", 10), invoke(5, minerCode), gas("wasm_exec", 20),
				call(5, 6, 0), gas("OnValueTransfer", 3), invoke(6, evmCode), ret(0), gas("wasm_exec", 1),
				call(5, 7, 2), invoke(7, evmCode), gas("wasm_exec", 4), ret(33), ret(0), gas("OnChainReturnValue", 50),
			},
			root(150, 188, tree{"storageminer f05", "TerminateSectors", "", 31, 38, []tree{
				{"evm f06", "Send", "", 3, 3, nil}, {"evm f07", "Resurrect", "exit code 33, contract reverted", 4, 4, nil},
			}}),
		},
		{
			"the same call again after it failed",
			trace.Events{
				call(1, 5, 9), invoke(5, minerCode),
				call(5, 6, 0), &trace.Error{Errno: 5, Text: "too little"}, gas("wasm_exec", 2), call(5, 6, 0), invoke(6, evmCode), ret(0), ret(0),
			},
			root(0, 2, tree{"storageminer f05", "TerminateSectors", "", 2, 2, []tree{
				{"f06", "Send", "not run: insufficient funds", 0, 0, nil}, {"evm f06", "Send", "", 0, 0, nil},
			}}),
		},
		{
			"cut short in two calls",
			trace.Events{call(1, 5, 9), invoke(5, minerCode), gas("wasm_exec", 2), call(5, 6, 0), gas("OnValueTransfer", 3)},
			root(0, 5, tree{"storageminer f05", "TerminateSectors", none, 2, 5, []tree{{"f06", "Send", none, 3, 3, nil}}}),
		},
		{
			"network version 16 has no invocations",
			trace.Events{call(1, 5, 2), gas("wasm_exec", 9), call(5, 6, 1), ret(0), gas("OnDeleteActor", -30), ret(0)},
			root(0, -21, tree{"f05", "method 2", "", -21, -21, []tree{{"f06", "Constructor", "", 0, 0, nil}}}),
		},
		{
			"an actor of unknown code",
			trace.Events{call(1, 5, 77), invoke(5, cid.Undef), ret(7)},
			root(0, 0, tree{"actor f05", "method 77", "exit code 7, out of gas", 0, 0, nil}),
		},
		{
			"logs and blocks are no gas",
			trace.Events{&trace.Log{Text: "hello"}, call(1, 5, 0), &trace.IPLD{Cid: minerCode, Size: 3}, ret(0)},
			root(0, 0, tree{"f05", "Send", "", 0, 0, nil}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Trace(Applied{Trace: tt.events}, Options{ActorName: names})
			if err != nil {
				t.Fatal(err)
			}
			if got := treeOf(m.Calls); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("the tree is\n%+v, want\n%+v", got, tt.want)
			}
		})
	}
}

func TestMalformedTraces(t *testing.T) {
	deep := make(trace.Events, 0, MaxDepth+1)
	for range MaxDepth {
		deep = append(deep, call(1, 5, 2))
	}
	if _, err := Trace(Applied{Trace: deep}, Options{}); err != nil {
		t.Errorf("%d calls: %v", MaxDepth, err)
	}
	for _, tt := range []struct {
		name   string
		events trace.Events
		is     error
		says   string
	}{
		{"a return too many", trace.Events{call(1, 5, 0), ret(0), ret(0)}, ErrMalformed, "event 2"},
		{"an error too many", trace.Events{&trace.Error{Errno: 1}}, ErrMalformed, "event 0"},
		{"an invocation outside", trace.Events{gas("x", 1), invoke(5, minerCode)}, ErrMalformed, "*trace.Invoke outside of any call"},
		{"no event", trace.Events{nil}, ErrMalformed, "is no event"},
		{"too deep", append(deep, call(1, 5, 2)), ErrTooDeep, "event 4096"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if m, err := Trace(Applied{Trace: tt.events}, Options{}); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) || m != nil {
				t.Errorf("%v, want %v that says %q", err, tt.is, tt.says)
			}
		})
	}
}

// nested is n calls, each in the one before, which burn a little.
func nested(n int) trace.Events {
	var events trace.Events
	for i := range n {
		events = append(events, call(uint64(i), uint64(i+1), 2), invoke(uint64(i+1), minerCode), gas("wasm_exec", 1000))
	}
	for range n {
		events = append(events, ret(0))
	}
	return events
}

// A tree as deep as the network allows, and one with many calls side by side, take time by their size only.
func TestLargeTraces(t *testing.T) {
	m, err := Trace(Applied{Trace: nested(1026)}, Options{ActorName: names})
	if err != nil {
		t.Fatal(err)
	}
	if n := m.Calls.Count(); n != 1026 || m.Calls.Total != 1026*1000 {
		t.Errorf("%d calls with %d milligas", n, m.Calls.Total)
	}
	if _, err := json.Marshal(m); err != nil {
		t.Error(err)
	}
	// 200 times as many calls: linear work takes some hundred milliseconds, and quadratic work hours.
	start := time.Now()
	var wide trace.Events
	for range 200 {
		wide = append(wide, nested(1000)...)
	}
	if m, err = Trace(Applied{Trace: wide}, Options{ActorName: names}); err != nil {
		t.Fatal(err)
	}
	if n := m.Calls.Count(); n != 200_000 || len(m.Calls.Calls) != 200 || m.Calls.Total != 200_000*1000 {
		t.Errorf("%d calls with %d milligas", n, m.Calls.Total)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// What a call carries comes through as it is.
func TestCallFields(t *testing.T) {
	c := call(7, 1<<63+5, 9)
	c.Value, c.ReadOnly, c.Params = big.NewInt(12), true, &trace.Block{Codec: 0x51, Data: []byte{0x80}}
	back := &trace.Return{Data: &trace.Block{Codec: 0x55, Data: []byte("abc")}}
	m, err := Trace(Applied{Trace: trace.Events{c, invoke(5, evmCode), invoke(5, minerCode), gas("OnBlockOpenBase", 5), gas("OnBlockRead", 6), gas("free", 0), back}}, Options{ActorName: names})
	if err != nil {
		t.Fatal(err)
	}
	got := m.Calls.Calls[0]
	if got.From != 7 || got.To != "f09223372036854775813" || *got.ID != 5 || got.Code != minerCode || got.GasLimit != 1000 || !got.ReadOnly || !got.Creates ||
		got.Value.String() != "12" || got.ParamsBytes != 1 || got.ReturnBytes != 3 || got.Params != c.Params || got.Return != back.Data || *got.Exit != 0 || got.Meaning != "ok" {
		t.Errorf("%+v", got)
	}
	if want := map[string]int64{"block reads": 11}; !reflect.DeepEqual(got.Kinds, want) {
		t.Errorf("by kind %v, want %v", got.Kinds, want)
	}
	if want := map[string]int64{"OnBlockOpenBase": 5, "OnBlockRead": 6}; !reflect.DeepEqual(got.Charges, want) {
		t.Errorf("by charge %v, want %v", got.Charges, want)
	}
	if s := got.Share(m.Calls.Total); s != 1 || got.Share(44) != 0.25 || got.Share(0) != 0 {
		t.Errorf("its share is %v", s)
	}
}

func TestShares(t *testing.T) {
	m, err := Trace(Applied{Trace: trace.Events{
		gas("OnChainMessage", 5), call(1, 5, 9), gas("OnBlockCreate", 3), gas("OnBlockLink", 4), gas("OnHashing", 7), gas("new in a later version", 5), gas("OnDeleteActor", -2),
	}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []Share{{"block writes", 7}, {"cryptography", 7}, {"chain inclusion", 5}, {"other", 5}, {"actor creation", -2}}
	if !slices.Equal(m.ByKind, kinds) {
		t.Errorf("by kind %v, want %v", m.ByKind, kinds)
	}
	charges := []Share{{"OnHashing", 7}, {"OnChainMessage", 5}, {"new in a later version", 5}, {"OnBlockLink", 4}, {"OnBlockCreate", 3}, {"OnDeleteActor", -2}}
	if !slices.Equal(m.ByCharge, charges) {
		t.Errorf("by charge %v, want %v", m.ByCharge, charges)
	}
}

// Every kind that a charge can have is listed, once.
func TestKinds(t *testing.T) {
	list := Kinds()
	for i, k := range list {
		if slices.Index(list, k) != i {
			t.Errorf("%q is there twice", k)
		}
	}
	for _, p := range prefixes {
		if !slices.Contains(list, p.kind) {
			t.Errorf("%q is not listed", p.kind)
		}
		if got := KindOf(p.prefix + "X"); got != p.kind {
			t.Errorf("%sX is of %q, want %q: a shorter prefix comes first", p.prefix, got, p.kind)
		}
	}
	for charge, want := range map[string]string{
		"wasm_exec": "Wasm execution", "wasm_memory_grow": "Wasm memory", "OnBlockLink": "block writes", "OnBlockStat": "block reads", "OnVerifySignature": "cryptography", "": "other",
	} {
		if got := KindOf(charge); got != want {
			t.Errorf("%q is of %q, want %q", charge, got, want)
		}
	}
}

// Without a trace there is nothing to explain, and it says so; a message that was refused before it ran has a result, and no trace.
func TestNoTrace(t *testing.T) {
	for name, tt := range map[string]struct {
		applied Applied
		want    string
	}{
		"nothing": {Applied{}, NoTrace}, "a message alone": {Applied{Message: &fvm.Message{}}, NoTrace},
		"a result": {Applied{Result: &fvm.Result{ExitCode: 1}}, "the sender is invalid"}, "an error": {Applied{Err: errors.New("no receipt")}, "no receipt"},
		"a trace": {Applied{Trace: trace.Events{&trace.GasCharge{Name: "OnChainMessage"}}}, ""},
	} {
		if m, err := Trace(tt.applied, Options{}); err != nil || m.Meaning != tt.want {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}
