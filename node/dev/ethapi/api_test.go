package ethapi_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
)

func hexBig(t *testing.T, s string) *big.Int {
	t.Helper()
	v, ok := new(big.Int).SetString(strings.TrimPrefix(s, "0x"), 16)
	if !ok {
		t.Fatalf("%q is no quantity", s)
	}
	return v
}

// What a development account sends by eth_sendTransaction is in the latest block when the call returns, with a receipt of the shape
// that clients want, and costs what the receipt says, to the last attoFIL.
func TestSendTransaction(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	before := hexBig(t, ask[string](w, "eth_getBalance", w.me, "latest"))
	r := w.send(object{"to": c, "data": counter.data(t, "incBy", "3")})
	after := hexBig(t, ask[string](w, "eth_getBalance", w.me, "latest"))
	if r.Status != "0x1" || len(r.Logs) != 1 || r.Logs[0].LogIndex != 0 || r.CumulativeGasUsed != r.GasUsed || r.ContractAddress != nil {
		t.Errorf("receipt %+v", r)
	}
	paid := new(big.Int).Mul(hexBig(t, r.GasUsed), hexBig(t, r.EffectiveGasPrice))
	if got := new(big.Int).Sub(before, after); got.Cmp(paid) != 0 {
		t.Errorf("it cost %s, and gas used by price is %s", got, paid)
	}
	if got := ask[string](w, "eth_call", object{"to": c, "data": counter.data(t, "x")}, "latest"); got != "0x"+word("8") {
		t.Errorf("x is %s", got)
	}
	if ask[string](w, "eth_blockNumber") != "0x2" || r.BlockNumber != "0x2" {
		t.Errorf("block %s", r.BlockNumber)
	}
	if n := ask[string](w, "eth_getTransactionCount", w.me, "pending"); n != "0x2" {
		t.Errorf("nonce %s", n)
	}
	if code := ask[string](w, "eth_getCode", c, "latest"); len(code) < 100 {
		t.Errorf("code %s", code)
	}
	if slot := ask[string](w, "eth_getStorageAt", c, "0x0", "latest"); slot != "0x"+word("8") {
		t.Errorf("slot %s", slot)
	}
	if slot := ask[string](w, "eth_getStorageAt", c, "0x"+word("0"), "0x1"); slot != "0x"+word("5") {
		t.Errorf("slot before %s", slot)
	}
	if slot := ask[string](w, "eth_getStorageAt", w.me, "0x0", "latest"); slot != "0x"+word("0") {
		t.Errorf("slot of an account %s", slot)
	}
	tx := ask[object](w, "eth_getTransactionByHash", r.TransactionHash)
	if tx["blockNumber"] != "0x2" || tx["from"] != w.me || tx["to"] != c {
		t.Errorf("transaction %v", tx)
	}
	if s := ask[map[string]string](w, "txpool_status"); s["pending"] != "0x0" || s["queued"] != "0x0" {
		t.Errorf("pool %v", s)
	}
}

// Errors have the code, words and data by which ethers, viem and web3.py decode them.
func TestErrors(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	call := func(function string, args ...any) object {
		return object{"from": w.me, "to": c, "data": counter.data(t, function, args...)}
	}
	const zeroStep = "0x08c379a0" + "0000000000000000000000000000000000000000000000000000000000000020" +
		"0000000000000000000000000000000000000000000000000000000000000009" + "7a65726f20737465700000000000000000000000000000000000000000000000"
	poor := "0x00000000000000000000000000000000000000aa"
	for _, c := range []struct {
		name, method string
		params       []any
		code         int
		message      string // is in it
		data         any
	}{
		{"a reason", "eth_call", []any{call("incBy", "0"), "latest"}, 3, "execution reverted: zero step", zeroStep},
		{"the same of an estimate", "eth_estimateGas", []any{call("incBy", "0")}, 3, "execution reverted: zero step", zeroStep},
		{"the same of a sending", "eth_sendTransaction", []any{call("incBy", "0")}, 3, "execution reverted: zero step", zeroStep},
		{"a custom error", "eth_call", []any{call("incBy", "101"), "latest"}, 3, "execution reverted: custom error 0xe3dbd75b", "0xe3dbd75b" + word("65") + word("64")},
		{"a panic", "eth_call", []any{call("boom"), "latest"}, 3, "execution reverted: panic", "0x4e487b71" + word("1")},
		{"no data", "eth_call", []any{object{"from": w.me, "to": c, "data": "0xdeadbeef", "value": "0x1"}, "latest"}, 3, "execution reverted", "0x"},
		{"unknown method", "eth_nope", nil, -32601, "eth_nope", nil},
		{"no parameters", "eth_getBalance", nil, -32602, "eth_getBalance", nil},
		{"a bad address", "eth_getBalance", []any{"0x12", "latest"}, -32602, "eth_getBalance", nil},
		{"a block to come", "eth_call", []any{call("x"), "0xffff"}, -32602, "BlockOutOfRange", nil},
		{"an unknown sender", "eth_sendTransaction", []any{object{"from": poor, "to": c}}, -32000, "unknown account", nil},
		{"a low gas limit", "eth_sendTransaction", []any{object{"from": w.me, "to": c, "gas": "0x5208"}}, -32003, "intrinsic gas too low", nil},
		{"a used nonce", "eth_sendTransaction", []any{object{"from": w.me, "to": c, "nonce": "0x0", "gas": "0x1000000"}}, -32003, "nonce too low", nil},
		{"no money", "eth_sendTransaction", []any{object{"from": w.me, "to": poor, "gas": "0x1000000", "value": "0xffffffffffffffffffffff"}}, -32003, "Insufficient funds", nil},
		{"a transaction that is none", "eth_sendRawTransaction", []any{"0x02"}, -32000, "invalid transaction", nil},
		{"a transaction of type 3", "eth_sendRawTransaction", []any{"0x03c0"}, -32000, "not supported", nil},
		{"an access list", "eth_sendTransaction", []any{object{"from": w.me, "to": c, "gas": "0x1000000", "accessList": []any{object{"address": c, "storageKeys": []any{}}}}}, -32602, "access list", nil},
		{"a filter that is gone", "eth_getFilterChanges", []any{"0x5"}, -32000, "filter not found", nil},
		{"a subscription without WebSocket", "eth_subscribe", []any{"newHeads"}, -32601, "WebSocket", nil},
		{"a tracer that is not here", "debug_traceTransaction", []any{"0x" + word("0"), object{"tracer": "bananaTracer"}}, -32602, "bananaTracer", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := w.refuse(c.method, c.params...)
			if e.Code != c.code || !strings.Contains(e.Message, c.message) {
				t.Errorf("got %d %q, want %d %q", e.Code, e.Message, c.code, c.message)
			}
			if c.data != nil {
				if got := dataText(e.Data); got != c.data {
					t.Errorf("data %s, want %s", got, c.data)
				}
			}
		})
	}
	for name, method := range map[string]string{"block": "eth_getBlockByHash", "transaction": "eth_getTransactionByHash", "receipt": "eth_getTransactionReceipt"} {
		if got := w.raw(`{"id":1,"jsonrpc":"2.0","method":"` + method + `","params":["0x` + word("1") + `"]}`); got != `{"jsonrpc":"2.0","id":1,"result":null}` {
			t.Errorf("an unknown %s: %s", name, got)
		}
	}
	if got := ask[object](w, "eth_getBlockByNumber", "0xfffff", false); got != nil {
		t.Errorf("a block to come: %v", got)
	}
}

// The exit code stands beside the data of a revert.
func TestExitCode(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	got := w.raw(`{"jsonrpc":"2.0","id":"x","method":"eth_call","params":[{"to":"` + c + `","data":"` + counter.data(t, "boom") + `"}]}`)
	if want := `"meta":{"exitCode":33}`; !strings.Contains(got, want) || !strings.Contains(got, `"id":"x"`) {
		t.Errorf("got %s, want %s in it", got, want)
	}
}

// Shapes in which clients send parameters, of which forge and cast have most.
func TestParameters(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("7"))
	x := counter.data(t, "x")
	want := `"result":"0x` + word("7") + `"`
	for name, params := range map[string]string{
		"data":                   `[{"to":"` + c + `","data":"` + x + `"},"latest"]`,
		"input wins":             `[{"to":"` + c + `","input":"` + x + `","data":"0x"},"latest"]`,
		"no block":               `[{"to":"` + c + `","data":"` + x + `"}]`,
		"null block":             `[{"to":"` + c + `","data":"` + x + `"},null]`,
		"decimal block":          `[{"to":"` + c + `","data":"` + x + `"},1]`,
		"block by number":        `[{"to":"` + c + `","data":"` + x + `"},{"blockNumber":"0x1"}]`,
		"capital letters":        `[{"to":"0x` + strings.ToUpper(c[2:]) + `","data":"` + x + `"},"pending"]`,
		"all that cast sends":    `[{"from":null,"to":"` + c + `","gasPrice":"0x64","gas":"0x5208","chainId":"0x1df5e76","type":"0x2","nonce":"0x0","accessList":[],"input":"` + x + `"},"latest"]`,
		"an override that is {}": `[{"to":"` + c + `","data":"` + x + `"},"latest",{}]`,
		"a block override":       `[{"to":"` + c + `","data":"` + x + `"},"latest",null,{"number":"0x10","time":"0xffffffff"}]`,
	} {
		if got := w.raw(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":` + params + `}`); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, request := range map[string]string{
		"no params":        `{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}`,
		"null params":      `{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":null}`,
		"extra parameters": `{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[false]}`,
	} {
		if got := w.raw(request); got != `{"jsonrpc":"2.0","id":1,"result":"0x1"}` {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := w.raw(`[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":"b","method":"net_version"},{"jsonrpc":"2.0","id":null,"method":"eth_nope"}]`); !strings.HasPrefix(got, `[{"jsonrpc":"2.0","id":1,"result":"0x1df5e76"},{"jsonrpc":"2.0","id":"b","result":"31415926"},`) {
		t.Errorf("a batch: %s", got)
	}
}

// eth_call with changed accounts sees them, and nothing stays.
func TestOverride(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("7"))
	x := object{"to": c, "data": counter.data(t, "x")}
	for name, o := range map[string]object{
		"one slot":  {"stateDiff": object{"0x" + word("0"): "0x" + word("9")}},
		"all slots": {"state": object{"0x" + word("0"): "0x" + word("9")}},
	} {
		if got := ask[string](w, "eth_call", x, "latest", object{c: o}); got != "0x"+word("9") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := ask[string](w, "eth_call", x, "latest", object{c: object{"state": object{}}}); got != "0x"+word("0") {
		t.Errorf("no slots: %s", got)
	}
	// PUSH1 42, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN at an address of nobody.
	nobody := "0x00000000000000000000000000000000000000bb"
	code := object{nobody: object{"code": "0x602a5f5260205ff3", "balance": "0x5"}}
	if got := ask[string](w, "eth_call", object{"to": nobody}, "latest", code); got != "0x"+word("2a") {
		t.Errorf("code: %s", got)
	}
	if got := ask[string](w, "eth_call", x, "latest"); got != "0x"+word("7") {
		t.Errorf("afterwards: %s", got)
	}
	if got := ask[string](w, "eth_getCode", nobody, "latest"); got != "0x" {
		t.Errorf("code afterwards: %s", got)
	}
	e := w.refuse("eth_call", x, "latest", object{c: object{"state": object{}, "stateDiff": object{}}})
	if e.Code != eth.CodeInvalidParams {
		t.Errorf("both: %v", e)
	}
}
