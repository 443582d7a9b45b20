package ethapi_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
)

// What init code returns, or reverts with, is the answer of a call without a receiver.
func TestCallWithoutReceiver(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	for name, c := range map[string]struct{ code, want string }{
		"a word":       {"0x602a60005260206000f3", "0x" + word("2a")},                   // MSTORE 42, RETURN a word
		"nothing":      {"0x00", "0x"},                                                  // STOP
		"its value":    {"0x345f5260205ff3", "0x" + word("7")},                          // CALLVALUE
		"its own tail": {"0x60046008" + "5f3960045ff3" + "deadbeef", "0x" + "5ff3dead"}, // CODECOPY of what stands behind it
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			tx := object{"data": c.code}
			if name == "its value" {
				tx["from"], tx["value"] = w.me, "0x7"
			}
			if got := ask[string](&w, "eth_call", tx, "latest"); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	// REVERT with two bytes.
	if e := w.refuse("eth_call", object{"data": "0x6112345f526002601efd"}, "latest"); e.Code != 3 || dataText(e.Data) != "0x1234" {
		t.Errorf("a revert: %+v", e)
	}
	// It sees other contracts, and what is overridden: STATICCALL of the address in the code, and what that returns.
	there := "0x00000000000000000000000000000000000c0ded"
	ask := ask[string](w, "eth_call", object{"data": "0x60205f5f5f73" + there[2:] + "5afa5060205ff3"}, "latest", object{there: object{"code": "0x60636000526020" + "6000f3"}})
	if ask != "0x"+word("63") {
		t.Errorf("of another contract: %s", ask)
	}
	strict := start(t, dev.Options{}, ethapi.Options{Manner: eth.Strict})
	if got := strict.raw(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"data":"0x602a60005260206000f3"},"latest"]}`); !strings.Contains(got, `"result":"0x"`) {
		t.Errorf("in Lotus's manner: %s", got)
	}
}

// The tip of one attoFIL that Hardhat sends for none is none, so that what is paid is gas used times effective gas price.
func TestSmallestTip(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	to := "0x00000000000000000000000000000000000c0d00"
	balance := func(at string) *big.Int { return number(t, ask[string](w, "eth_getBalance", w.me, at)) }
	for name, c := range map[string]struct{ tip, want string }{"none": {"0x0", "0x0"}, "one": {"0x1", "0x0"}, "two": {"0x2", "0x2"}} {
		t.Run(name, func(t *testing.T) {
			r := w.send(object{"to": to, "value": "0x5", "gas": "0x4c4b40", "maxFeePerGas": "0x200", "maxPriorityFeePerGas": c.tip})
			tx := ask[struct{ MaxPriorityFeePerGas string }](w, "eth_getTransactionByHash", r.TransactionHash)
			if tx.MaxPriorityFeePerGas != c.want {
				t.Errorf("the tip is %s, want %s", tx.MaxPriorityFeePerGas, c.want)
			}
		})
	}
	// By the node's own estimate, as clients do.
	gas := ask[string](w, "eth_estimateGas", object{"from": w.me, "to": to, "value": "0x5"})
	before := balance("latest")
	r := w.send(object{"to": to, "value": "0x5", "gas": gas, "maxFeePerGas": "0x200", "maxPriorityFeePerGas": "0x1"})
	want := new(big.Int).Mul(number(t, r.GasUsed), number(t, r.EffectiveGasPrice))
	want.Add(want, big.NewInt(5))
	if paid := new(big.Int).Sub(before, balance("latest")); paid.Cmp(want) != 0 {
		t.Errorf("%s were paid, want %s", paid, want)
	}
}

func number(t *testing.T, hex string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(hex, 0)
	if !ok {
		t.Fatalf("%q is no number", hex)
	}
	return n
}

// Sending and waiting in one (EIP-7966).
func TestSendSync(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	tx := object{"from": w.me, "to": w.me, "value": "0x1"}
	if r := ask[receipt](w, "eth_sendTransactionSync", tx); r.Status != "0x1" || r.BlockNumber != "0x1" {
		t.Errorf("%+v", r)
	}
	signed := ask[string](w, "eth_signTransaction", object{"from": w.me, "to": w.me, "value": "0x1", "gas": "0x1e8480"})
	if r := ask[receipt](w, "eth_sendRawTransactionSync", signed, "0x3e8"); r.Status != "0x1" || r.BlockNumber != "0x2" {
		t.Errorf("%+v", r)
	}
	if e := w.refuse("eth_sendRawTransactionSync", signed); !strings.Contains(e.Message, "already imported") && !strings.Contains(e.Message, "nonce too low") {
		t.Errorf("again: %+v", e)
	}
	if got := ask[[]string](w, "eth_requestAccounts"); len(got) != 10 || !strings.EqualFold(got[0], w.me) {
		t.Errorf("%s", got)
	}

	manual := start(t, dev.Options{Manual: true}, ethapi.Options{})
	e := manual.refuse("eth_sendTransactionSync", object{"from": manual.me, "to": manual.me, "value": "0x1"}, "0x14")
	if h := dataText(e.Data); e.Code != 4 || len(h) != 66 || !strings.Contains(e.Message, "20ms") {
		t.Errorf("nobody mines: %+v", e)
	}
}
