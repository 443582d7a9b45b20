package ethapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/stateproof"
)

type simulatedBlock struct {
	Number, Timestamp, GasUsed, Hash, ParentHash, BaseFeePerGas string
	Transactions                                                []any
	Calls                                                       []struct {
		ReturnData, GasUsed, Status string
		Logs                        []eth.Log
		Error                       *struct {
			Code          int
			Message, Data string
		}
	}
}

// Calls of later blocks see what earlier ones did, in the setting that each block names; nothing stays.
func TestSimulate(t *testing.T) {
	w := startTraced(t)
	// NUMBER, TIMESTAMP, BASEFEE
	setting := "0x00000000000000000000000000000000000000cd"
	code := object{setting: object{"code": "0x435f524260205248604052" + "60605ff3"}}
	latest := ask[object](w.world, "eth_getBlockByNumber", "latest", false)
	load := object{w.at: object{"code": "0x60075460005260206000f3"}}
	blocks := ask[[]simulatedBlock](w.world, "eth_simulateV1", object{
		"traceTransfers": true,
		"blockStateCalls": []any{
			object{"stateOverrides": code, "calls": []any{
				object{"from": w.me, "to": w.at, "value": "0x5", "data": "0x" + word("77") + strings.Repeat("0", 24) + w.friend[2:]},
				object{"from": w.me, "to": setting},
			}},
			object{"blockOverrides": object{"number": "0x5", "time": "0xffffffff", "baseFeePerGas": "0x7b"}, "stateOverrides": load, "calls": []any{
				object{"to": w.at}, object{"from": w.me, "to": setting}, object{"from": w.me, "data": "0xfe"}, object{"to": setting, "data": "0x"},
			}},
		},
	}, "latest")
	if len(blocks) != 3 || blocks[0].Number != "0x3" || blocks[1].Number != "0x4" || blocks[2].Number != "0x5" || blocks[0].ParentHash != latest["hash"] || blocks[1].ParentHash != blocks[0].Hash || len(blocks[1].Calls) != 0 {
		t.Fatalf("%s", text(blocks))
	}
	first := blocks[0].Calls
	if len(first) != 2 || first[0].Status != "0x1" || first[0].ReturnData != "0x"+word("77") || len(first[0].Logs) != 4 || len(blocks[0].Transactions) != 2 {
		t.Fatalf("%s", text(first))
	}
	// Value to the contract, its log, value from the contract, its second log.
	for i, l := range first[0].Logs {
		transfer := l.Address.String() == "0x"+strings.Repeat("ee", 20)
		if transfer != (i%2 == 0) || uint64(l.LogIndex) != uint64(i) || l.BlockHash.String() != blocks[0].Hash {
			t.Errorf("log %d: %s", i, text(l))
		}
	}
	if l := first[0].Logs[2]; len(l.Topics) != 3 || l.Topics[0].String() != "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" || l.Topics[1].String() != "0x"+strings.Repeat("0", 24)+w.at[2:] || l.Topics[2].String() != "0x"+strings.Repeat("0", 24)+w.friend[2:] || l.Data.String() != "0x"+word("5") {
		t.Errorf("%s", text(l))
	}
	if got, want := first[1].ReturnData, "0x"+word("3")+word(strings.TrimPrefix(blocks[0].Timestamp, "0x"))+word("0"); got != want {
		t.Errorf("setting %s, want %s", got, want)
	}
	last := blocks[2].Calls
	if last[0].ReturnData != "0x"+word("77") || last[1].ReturnData != "0x"+word("5")+word("ffffffff")+word("7b") {
		t.Errorf("%s", text(last))
	}
	if last[2].Status != "0x0" || last[2].Error == nil || last[2].Error.Code != -32015 {
		t.Errorf("%s", text(last[2]))
	}
	if got := ask[string](w.world, "eth_getStorageAt", w.at, "0x7", "latest"); got != "0x"+word("1234") || ask[string](w.world, "eth_blockNumber") != "0x2" {
		t.Errorf("a simulation changed the state: %s", got)
	}
	// Senders' nonces go on from call to call, so that their contracts have different addresses.
	full := ask[[]simulatedBlock](w.world, "eth_simulateV1", object{"returnFullTransactions": true, "blockStateCalls": []any{object{"calls": []any{
		object{"from": w.me, "data": "0x60015ff3"}, object{"from": w.me, "data": "0x60015ff3"},
	}}}}, "latest")
	for i, n := range []string{"0x2", "0x3"} {
		if tx, _ := full[0].Transactions[i].(object); tx["nonce"] != n || tx["from"] != w.me {
			t.Errorf("transaction %d: %v", i, full[0].Transactions[i])
		}
	}
	call := object{"from": w.me, "to": setting, "maxFeePerGas": "0x64", "gas": "0x3b9aca00"}
	with := func(more object) object {
		c := object{}
		for _, m := range []object{call, more} {
			for k, v := range m {
				c[k] = v
			}
		}
		return object{"validation": true, "blockStateCalls": []any{object{"calls": []any{c}}}}
	}
	if ok := ask[[]simulatedBlock](w.world, "eth_simulateV1", with(nil), "latest"); ok[0].Calls[0].Status != "0x1" || ok[0].BaseFeePerGas != "0x64" {
		t.Errorf("%s", text(ok))
	}
	block := func(o object) object { return object{"blockStateCalls": []any{o}} }
	for _, c := range []struct {
		name string
		in   object
		code int
	}{
		{"a nonce too low", with(object{"nonce": "0x1"}), -38010},
		{"a nonce too high", with(object{"nonce": "0x9"}), -38011},
		{"a fee below the base fee", with(object{"maxFeePerGas": "0x1"}), -38012},
		{"no money", with(object{"from": "0x00000000000000000000000000000000000000ee"}), -38014},
		{"too little gas", with(object{"gas": "0x5208"}), -38013},
		{"more gas than the block", block(object{"blockOverrides": object{"gasLimit": "0x100"}, "calls": []any{object{"gas": "0x200"}}}), -38015},
		{"a number that was", block(object{"blockOverrides": object{"number": "0x1"}}), -38020},
		{"a time that was", block(object{"blockOverrides": object{"time": "0x1"}}), -38021},
		{"too many blocks", block(object{"blockOverrides": object{"number": "0x1000"}}), -38026},
		{"nothing", object{}, -32602},
		{"a fee recipient", block(object{"blockOverrides": object{"feeRecipient": w.me}}), -32602},
		{"a precompile moved", block(object{"stateOverrides": object{"0x0000000000000000000000000000000000000002": object{"movePrecompileToAddress": w.me}}}), -32602},
	} {
		if e := w.refuse("eth_simulateV1", c.in, "latest"); e.Code != c.code {
			t.Errorf("%s: %v", c.name, e)
		}
	}
}

func TestCallMany(t *testing.T) {
	w := startTraced(t)
	data := func(n string) string { return "0x" + word(n) + strings.Repeat("0", 24) + w.friend[2:] }
	balance := "0x00000000000000000000000000000000000000ce" // BALANCE of the word in calldata
	many := ask[[][]struct {
		Value string
		Error object
	}](w.world, "eth_callMany", []any{
		object{"transactions": []any{object{"from": w.me, "to": w.at, "data": data("1"), "value": "0x9"}, object{"to": balance, "data": "0x" + word(w.friend[2:])}}},
		object{"transactions": []any{object{"to": balance, "data": "0x" + word(w.friend[2:])}, object{"from": w.me, "to": "0x00000000000000000000000000000000000000cf"}}, "blockOverride": object{"blockNumber": "0x99"}},
	}, object{"blockNumber": "latest", "transactionIndex": -1}, object{
		balance: object{"code": "0x5f35315f5260205ff3"}, "0x00000000000000000000000000000000000000cf": object{"code": "0x5f5ffd"},
	})
	if len(many) != 2 || many[0][1].Value != "0x"+word("a") || many[1][0].Value != "0x"+word("a") || many[1][1].Error == nil {
		t.Errorf("%s", text(many))
	}
}

// Block overrides are seen by calls and estimates, and what contracts cannot see is refused.
func TestBlockOverride(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	at := "0x00000000000000000000000000000000000000cd"
	call := object{"from": w.me, "to": at}
	run := func(code string, block object) string {
		return ask[string](w, "eth_call", call, "latest", object{at: object{"code": code + "5f5260205ff3"}}, block)
	}
	for _, c := range []struct {
		name, code string
		block      object
		want       string
	}{
		{"number", "0x43", object{"number": "0x1234"}, "1234"}, {"time", "0x42", object{"time": "0x12"}, "12"}, {"base fee", "0x48", object{"baseFeePerGas": "0x99"}, "99"},
		{"no coinbase", "0x41", object{"feeRecipient": "0x" + strings.Repeat("0", 40)}, "0"},
	} {
		if got := run(c.code, c.block); got != "0x"+word(c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	random := object{"random": "0x" + word("5")}
	if a, b, c := run("0x44", random), run("0x44", random), run("0x44", nil); a != b || a == c {
		t.Errorf("PREVRANDAO %s, %s, without %s", a, b, c)
	}
	if got := run("0x44", object{"number": "0x777"}); len(got) != 66 {
		t.Errorf("PREVRANDAO above the chain: %s", got)
	}
	// Reverts unless NUMBER is 0x77: PUSH1 77 NUMBER EQ PUSH1 8 JUMPI PUSH0 PUSH0 REVERT … written with the jump at 9.
	only := object{at: object{"code": "0x60774314600957" + "5ffe5b00"}}
	if e := w.refuse("eth_estimateGas", call, "latest", only); e.Code != 3 {
		t.Error(e)
	}
	if gas := ask[string](w, "eth_estimateGas", call, "latest", only, object{"number": "0x77"}); gas == "0x0" {
		t.Error(gas)
	}
	for _, block := range []object{{"feeRecipient": w.me}, {"difficulty": "0x1"}, {"blobBaseFee": "0x1"}, {"gasLimit": "0xffffffffff"}, {"baseFee": "0x1" + strings.Repeat("0", 33)}} {
		if e := w.refuse("eth_call", call, "latest", nil, block); e.Code != eth.CodeInvalidParams {
			t.Errorf("%v: %v", block, e)
		}
	}
	if e := w.refuse("eth_call", call, "latest", object{"0x0000000000000000000000000000000000000001": object{"code": "0x00"}}); !strings.Contains(e.Message, "precompile") {
		t.Error(e)
	}
}

func TestFilecoinProof(t *testing.T) {
	w := startTraced(t)
	if e := w.refuse("eth_getProof", w.at, []string{}, "latest"); !strings.Contains(e.Message, "fvm_getProof") {
		t.Error(e)
	}
	p := ask[struct {
		StateRoot string
		Proof     json.RawMessage
	}](w.world, "fvm_getProof", w.at, []string{"0x7", "0x8"}, "latest")
	var x stateproof.Proof
	if err := json.Unmarshal(p.Proof, &x); err != nil {
		t.Fatal(err)
	}
	root, err := cid.Decode(p.StateRoot)
	if err != nil {
		t.Fatal(err)
	}
	if err := stateproof.Verify(t.Context(), root, &x); err != nil || x.Slots[0].Value.String() != "0x"+word("1234") || x.Slots[1].Value != (eth.Hash{}) || x.Address.Protocol() != address.Delegated {
		t.Errorf("%v: %+v", err, x)
	}
}
