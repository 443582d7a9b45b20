package ethapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
)

// caller is a contract that stores its first word of calldata in slot 7, logs it with the topic 0x2a, calls the address in the second word
// with the value 5 and no data, logs again, and returns the word.
//
//	CALLDATALOAD(0) DUP1 PUSH1 7 SSTORE | DUP1 PUSH0 MSTORE | PUSH1 2a PUSH1 20 PUSH0 LOG1
//	PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 5 CALLDATALOAD(0x20) GAS CALL POP | PUSH1 2b PUSH1 20 PUSH0 LOG1 | PUSH1 20 PUSH0 RETURN
const caller = "5f35" + "80600755" + "805f52" + "602a60205fa1" + "5f5f5f5f6005602035" + "5af150" + "602b60205fa1" + "60205ff3"

type traceWorld struct {
	*world
	at, friend, hash string
	receipt          *receipt
}

func (w *world) code(hex string) string {
	w.t.Helper()
	n := len(hex) / 2
	const digits = "0123456789abcdef"
	size := string([]byte{digits[n>>4], digits[n&15]})
	r := w.send(object{"data": "0x60" + size + "600a5f3960" + size + "5ff3" + hex})
	if r.Status != "0x1" {
		w.t.Fatalf("deployment %+v", r)
	}
	return *r.ContractAddress
}

func startTraced(t *testing.T) *traceWorld {
	w := &traceWorld{world: start(t, dev.Options{}, ethapi.Options{}), friend: "0x00000000000000000000000000000000000000bb"}
	w.at = w.code(caller)
	w.receipt = w.send(object{"to": w.at, "value": "0x9", "data": "0x" + word("1234") + strings.Repeat("0", 24) + w.friend[2:]})
	w.hash = w.receipt.TransactionHash
	if w.receipt.Status != "0x1" || len(w.receipt.Logs) != 2 {
		t.Fatalf("%+v", w.receipt)
	}
	return w
}

// Logs stand in their calls, with their place in the block and among the calls.
func TestCallTracerLogs(t *testing.T) {
	w := startTraced(t)
	var f struct {
		From, To, Value, GasUsed, Output string
		Logs                             []struct {
			Address, Data, Index, Position string
			Topics                         []string
		}
		Calls []struct{ From, To, Value, Type string }
	}
	raw := ask[json.RawMessage](w.world, "debug_traceTransaction", w.hash, object{"tracer": "callTracer", "tracerConfig": object{"withLog": true}})
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	if f.From != w.me || f.To != w.at || f.Value != "0x9" || f.GasUsed != w.receipt.GasUsed || f.Output != "0x"+word("1234") || len(f.Logs) != 2 || len(f.Calls) != 1 {
		t.Fatalf("%s", raw)
	}
	if c := f.Calls[0]; c.From != w.at || c.To != w.friend || c.Value != "0x5" || c.Type != "CALL" {
		t.Errorf("%+v", c)
	}
	for i, position := range []string{"0x0", "0x1"} {
		if l := f.Logs[i]; l.Address != w.at || l.Data != "0x"+word("1234") || l.Position != position || l.Index != eth.Quantity(i).String() || len(l.Topics) != 1 || l.Topics[0] != w.receipt.Logs[i].Topics[0].String() {
			t.Errorf("log %d: %+v", i, l)
		}
	}
}

type structLog struct {
	PC, Gas, GasCost, Depth int
	Op, Error               string
	Stack, Memory           []string
	ReturnData              string
	Storage                 map[string]string
}

type structLogs struct {
	Gas                  int
	Failed               bool
	ReturnValue, GasKind string
	LeftOut              int
	StructLogs           []structLog
}

// The struct logger's options, and its shape; Filecoin's gas, said so.
func TestStructLogs(t *testing.T) {
	w := startTraced(t)
	l := ask[structLogs](w.world, "debug_traceTransaction", w.hash)
	if eth.Quantity(l.Gas).String() != w.receipt.GasUsed || l.Failed || l.ReturnValue != "0x"+word("1234") || l.GasKind != "filecoin" {
		t.Errorf("%+v", l)
	}
	var ops []string
	for _, s := range l.StructLogs {
		ops = append(ops, s.Op)
	}
	want := "PUSH0 CALLDATALOAD DUP1 PUSH1 SSTORE DUP1 PUSH0 MSTORE PUSH1 PUSH1 PUSH0 LOG1 PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 PUSH1 CALLDATALOAD GAS CALL POP PUSH1 PUSH1 PUSH0 LOG1 PUSH1 PUSH0 RETURN"
	if got := strings.Join(ops, " "); got != want {
		t.Fatalf("got %s", got)
	}
	if s := l.StructLogs[4]; s.PC != 5 || s.Depth != 1 || len(s.Stack) != 3 || s.Stack[2] != "0x7" || s.Stack[1] != "0x1234" || s.Storage["0x"+word("7")] != "0x"+word("1234") || s.GasCost <= 0 || s.Memory != nil {
		t.Errorf("%+v", s)
	}
	l = ask[structLogs](w.world, "debug_traceTransaction", w.hash, object{"enableMemory": true, "disableStack": true, "disableStorage": true, "limit": 9})
	if len(l.StructLogs) != 9 || l.LeftOut != 20 || l.StructLogs[8].Stack != nil || l.StructLogs[4].Storage != nil || len(l.StructLogs[8].Memory) != 1 || l.StructLogs[8].Memory[0] != "0x"+word("1234") {
		t.Errorf("%+v", l)
	}
	// The same of a call, of the block, and of a call with other state.
	call := object{"from": w.me, "to": w.at, "data": "0x" + word("5")}
	if l := ask[structLogs](w.world, "debug_traceCall", call, "latest"); len(l.StructLogs) != 29 || l.ReturnValue != "0x"+word("5") {
		t.Errorf("%+v", l)
	}
	other := object{"stateOverrides": object{w.at: object{"code": "0x4360005260206000f3"}}, "blockOverrides": object{"number": "0x1234"}}
	if l := ask[structLogs](w.world, "debug_traceCall", call, "latest", other); len(l.StructLogs) != 6 || l.ReturnValue != "0x"+word("1234") {
		t.Errorf("%+v", l)
	}
	blocks := ask[[]struct {
		TxHash string
		Result structLogs
	}](w.world, "debug_traceBlockByNumber", "latest")
	if len(blocks) != 1 || blocks[0].TxHash != w.hash || len(blocks[0].Result.StructLogs) != 29 {
		t.Errorf("%+v", blocks)
	}
	for name, config := range map[string]object{
		"an unknown tracer": {"tracer": "x"}, "JavaScript": {"tracer": "{data: [], fault: function() {}}"}, "a bad timeout": {"timeout": "soon"}, "a bad config": {"tracer": "callTracer", "tracerConfig": object{"withLog": 1}},
		"an empty mux": {"tracer": "muxTracer"}, "a mux of unknown ones": {"tracer": "muxTracer", "tracerConfig": object{"x": nil}}, "a limit below 0": {"limit": -1},
	} {
		if e := w.refuse("debug_traceTransaction", w.hash, config); e.Code != eth.CodeInvalidParams {
			t.Errorf("%s: %v", name, e)
		}
	}
	if e := w.refuse("debug_traceTransaction", w.hash, object{"timeout": "1ns"}); !strings.Contains(e.Message, "timeout") {
		t.Errorf("a short timeout: %v", e)
	}
}

// trace_… methods, with what changed and what was executed, in OpenEthereum's form.
func TestParityTraces(t *testing.T) {
	w := startTraced(t)
	type replay struct {
		Output    string
		StateDiff map[string]struct {
			Balance, Nonce, Code any
			Storage              map[string]any
		}
		Trace   []struct{ Action, Result object }
		VMTrace *struct {
			Ops []struct {
				Cost, PC int
				Op       string
				Ex       *struct {
					Push  []string
					Store *struct{ Key, Val string }
					Mem   *struct {
						Data string
						Off  int
					}
				}
			}
		}
		TransactionHash *string
	}
	r := ask[replay](w.world, "trace_replayTransaction", w.hash, []string{"trace", "stateDiff", "vmTrace"})
	if r.Output != "0x"+word("1234") || len(r.Trace) != 2 || r.VMTrace == nil || len(r.VMTrace.Ops) != 29 {
		t.Fatalf("%+v", r)
	}
	if s := text(r.StateDiff[w.at]); s != `{"Balance":{"*":{"from":"0x0","to":"0x4"}},"Nonce":"=","Code":"=","Storage":{"0x`+word("7")+`":{"*":{"from":"0x`+word("0")+`","to":"0x`+word("1234")+`"}}}}` {
		t.Errorf("the contract: %s", s)
	}
	if s := text(r.StateDiff[w.friend]); s != `{"Balance":{"+":"0x5"},"Nonce":{"+":"0x0"},"Code":{"+":"0x"},"Storage":{}}` {
		t.Errorf("its friend: %s", s)
	}
	if s := text(r.StateDiff[w.me].Nonce); s != `{"*":{"from":"0x1","to":"0x2"}}` {
		t.Errorf("the sender: %s", s)
	}
	if op := r.VMTrace.Ops[4]; op.Op != "SSTORE" || op.Ex.Store == nil || op.Ex.Store.Key != "0x7" || op.Ex.Store.Val != "0x1234" || len(op.Ex.Push) != 0 {
		t.Errorf("%s", text(op))
	}
	if op := r.VMTrace.Ops[7]; op.Ex.Mem == nil || op.Ex.Mem.Data != "0x"+word("1234") {
		t.Errorf("%s", text(op))
	}
	if op := r.VMTrace.Ops[2]; strings.Join(op.Ex.Push, " ") != "0x1234 0x1234" {
		t.Errorf("%s", text(op))
	}
	if all := ask[[]replay](w.world, "trace_replayBlockTransactions", "latest", []string{"stateDiff"}); len(all) != 1 || *all[0].TransactionHash != w.hash || len(all[0].Trace) != 0 || all[0].VMTrace != nil || len(all[0].StateDiff) < 3 {
		t.Errorf("%s", text(all))
	}
	// Calls, one upon the other: the second sees the slot that the first wrote.
	slot := "0x00000000000000000000000000000000000000cc"
	load := object{slot: object{"code": "0x60075460005260206000f3"}}
	call := object{"from": w.me, "to": w.at, "data": "0x" + word("99"), "value": "0x0"}
	diff := ask[[]replay](w.world, "trace_callMany", []any{[]any{call, []string{"stateDiff"}}, []any{object{"from": w.me, "to": w.at, "data": "0x" + word("9a")}, []string{"stateDiff"}}}, "latest")
	key := "0x" + word("7")
	if len(diff) != 2 || text(diff[0].StateDiff[w.at].Storage[key]) != `{"*":{"from":"0x`+word("1234")+`","to":"0x`+word("99")+`"}}` || text(diff[1].StateDiff[w.at].Storage[key]) != `{"*":{"from":"0x`+word("99")+`","to":"0x`+word("9a")+`"}}` {
		t.Errorf("%s", text(diff))
	}
	if r := ask[replay](w.world, "trace_call", object{"to": slot}, []string{"trace"}, "latest", load); r.Output != "0x"+word("0") || len(r.Trace) != 1 || r.StateDiff != nil {
		t.Errorf("%s", text(r))
	}
	if got := ask[string](w.world, "eth_getStorageAt", w.at, "0x7", "latest"); got != "0x"+word("1234") {
		t.Errorf("a trace changed the state: %s", got)
	}
	if e := w.refuse("trace_call", call, []string{"banana"}, "latest"); e.Code != eth.CodeInvalidParams {
		t.Error(e)
	}
	if one := ask[object](w.world, "trace_get", w.hash, []string{"0x0"}); one["action"].(object)["to"] != w.friend {
		t.Errorf("%v", one)
	}
	raw := ask[json.RawMessage](w.world, "eth_signTransaction", object{"from": w.me, "to": w.at, "data": "0x" + word("8"), "gas": "0x3b9aca00", "nonce": "0x2", "maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x0"})
	var signed struct{ Raw string }
	if json.Unmarshal(raw, &signed.Raw) != nil {
		_ = json.Unmarshal(raw, &signed)
	}
	if r := ask[replay](w.world, "trace_rawTransaction", signed.Raw, []string{"trace"}); r.Output != "0x"+word("8") {
		t.Errorf("%s of %s", text(r), raw)
	}
}

func TestCreateAccessList(t *testing.T) {
	w := startTraced(t)
	call := object{"from": w.me, "to": w.at, "data": "0x" + word("1") + strings.Repeat("0", 24) + w.friend[2:], "value": "0x5"}
	l := ask[json.RawMessage](w.world, "eth_createAccessList", call, "latest")
	want := `{"accessList":[{"address":"` + w.friend + `","storageKeys":[]},{"address":"` + w.at + `","storageKeys":["0x` + word("7") + `"]}]`
	if !strings.HasPrefix(string(l), want) {
		t.Errorf("got %s, want %s", l, want)
	}
}
