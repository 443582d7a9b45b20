package cheats

import (
	"fmt"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
)

// A revert brings back what was there, ends its own snapshot and later ones, and earlier ones stay.
func TestSnapshots(t *testing.T) {
	w := begin(t, dev.Options{})
	first := w.must("evm_snapshot", ``, "")
	w.send(0, stranger, nil, 1)
	second := w.must("evm_snapshot", ``, "")
	w.must("anvil_setBalance", `["`+stranger+`","0x99"]`, "")
	third := w.must("evm_snapshot", ``, "")
	w.send(0, stranger, nil, 1)
	w.must("evm_revert", `[`+second+`]`, "true")
	same(t, "the balance", w.balance(stranger), "1")
	same(t, "the epoch", w.epoch(), int64(1))
	w.must("evm_revert", `[`+third+`]`, "false")
	w.must("evm_revert", `[`+second+`]`, "false")
	w.must("evm_revert", `[`+first+`]`, "true")
	same(t, "the balance", w.balance(stranger), "nobody")
	same(t, "the epoch", w.epoch(), int64(0))
	w.must("evm_revert", `["0x999"]`, "false")
}

func TestReset(t *testing.T) {
	w := begin(t, dev.Options{})
	before := w.must("anvil_metadata", ``, "")
	root := w.n.Latest().Root
	w.must("anvil_setBalance", `["`+stranger+`","0x99"]`, "")
	w.send(0, stranger, nil, 1)
	id := w.must("evm_snapshot", ``, "")
	w.must("hardhat_reset", `[]`, "null")
	same(t, "the epoch", w.epoch(), int64(0))
	same(t, "the state", w.n.Latest().Root, root)
	w.must("evm_revert", `[`+id+`]`, "false")
	if w.must("anvil_metadata", ``, "") == before {
		t.Error("the node says that it is the same one")
	}
	w.fails("anvil_reset", `[{"forking":{"jsonRpcUrl":"https://example.com","blockNumber":5}}]`, -32602, "cannot fork")
	w.fails("anvil_setRpcUrl", `["https://example.com"]`, -32602, "not forked")
}

// A reorganisation replaces blocks by others: what was in them is gone, and what it brings is there.
func TestReorg(t *testing.T) {
	w := begin(t, dev.Options{})
	w.must("anvil_mine", `[2]`, "")
	gone := w.send(0, stranger, nil, 1)
	w.must("anvil_mine", `[1]`, "")
	old := w.n.Latest().Hash
	// The first account's next transaction on the new chain has the nonce of the one that goes.
	first, second := w.transaction(0, 0, stranger, nil, 10), w.transaction(0, 1, stranger, nil, 100)
	w.must("anvil_reorg", fmt.Sprintf(`[2,[["%s",0],["%s",1]]]`, hexOf(first.Encode()), hexOf(second.Encode())), "null")
	same(t, "the epoch", w.epoch(), int64(4))
	if w.n.Latest().Hash == old {
		t.Error("the latest block is the old one")
	}
	if _, _, ok := w.n.Transaction(gone); ok {
		t.Error("the old block's transaction is still there")
	}
	same(t, "the balance", w.balance(stranger), "110")
	w.executed(first.Hash())
	w.must("anvil_reorg", `[{"depth":"0x2","tx_block_pairs":[]}]`, "null")
	same(t, "the balance", w.balance(stranger), "nobody")
	for _, bad := range []string{`[0]`, `[5]`, `["0xffffffffffffffff"]`, `[1,[["0x1234",0]]]`, fmt.Sprintf(`[1,[["%s",1]]]`, hexOf(first.Encode())), `[1,[5]]`, `[1,[[{"from":"0x00"},0]]]`, ``} {
		w.fails("anvil_reorg", bad, -32602, "")
	}
	w.must("anvil_rollback", `["0x2"]`, "null")
	same(t, "the epoch", w.epoch(), int64(2))
	w.fails("anvil_rollback", `[3]`, -32602, "rollback of 3")
	w.must("anvil_rollback", `[2]`, "null")
}

func TestAbout(t *testing.T) {
	w := begin(t, dev.Options{})
	w.fails("hardhat_metadata", ``, -32601, "")
	o := dev.Options{}
	o.Genesis.ChainID = 31337
	other := begin(t, o)
	other.must("hardhat_metadata", `[]`, "")
	for _, words := range []string{`"clientVersion":"anvil/v1.7.1-test"`, `"chainId":31337`, `"forkedNetwork":null`, `"latestBlockNumber":0`} {
		contains(t, other.must("anvil_metadata", `[]`, ""), words)
	}
	for _, words := range []string{`"currentBlockNumber":"0x0"`, `"currentBlockTimestamp":1800000000`, `"chainId":31415926`, `"gasLimit":"0x2540be400"`, `"forkUrl":null`, `"bundle":"v18/testing-fake-proofs"`} {
		contains(t, w.must("anvil_nodeInfo", `[null]`, ""), words)
	}
}

// What is no parameter is an error that says so, of the code that clients look for.
func TestBadParameters(t *testing.T) {
	w := begin(t, dev.Options{})
	before := w.n.Latest().Root
	for _, c := range []struct{ method, params string }{
		{"anvil_setBalance", ``}, {"anvil_setBalance", `["0x1234","0x1"]`}, {"anvil_setBalance", `[5,"0x1"]`}, {"anvil_setBalance", `["` + stranger + `"]`}, {"anvil_setBalance", `["` + stranger + `",null]`},
		{"anvil_setBalance", `["` + stranger + `","-5"]`}, {"anvil_setBalance", `["` + stranger + `",-5]`}, {"anvil_setBalance", `["` + stranger + `","0xzz"]`}, {"anvil_setBalance", `["` + stranger + `",1.5]`},
		{"anvil_setBalance", `["` + stranger + `","1e18"]`}, {"anvil_setBalance", `["` + stranger + `",1e999999999]`}, {"anvil_setBalance", `["` + stranger + `","0x1` + zeros(64) + `"]`},
		{"anvil_setBalance", `["f0123456","0x1"]`}, {"anvil_setBalance", `["f1abc","0x1"]`}, {"anvil_setNonce", `["` + stranger + `","0x1` + zeros(16) + `"]`}, {"anvil_setNonce", `[{},1]`},
		{"anvil_setCode", `["` + stranger + `","6001"]`}, {"anvil_setCode", `["` + stranger + `","0x600"]`}, {"anvil_setCode", `["` + stranger + `",5]`}, {"anvil_setCode", `["f04","0x6001"]`},
		{"anvil_setStorageAt", `["` + stranger + `","0x0"]`}, {"anvil_setStorageAt", `["` + stranger + `","0x0","0x1` + zeros(64) + `"]`}, {"anvil_setStorageAt", `["f04","0x0","0x1"]`},
		{"anvil_impersonateAccount", `["somebody"]`}, {"evm_mine", `["soon"]`}, {"evm_mine", `[{"timestamp":[]}]`}, {"hardhat_mine", `["x"]`}, {"evm_setAutomine", `["yes"]`}, {"evm_revert", `[]`}, {"evm_revert", `["x"]`},
		{"evm_setIntervalMining", `[99999999999]`}, {"anvil_dropTransaction", `["0x12"]`}, {"fvm_setEpoch", `[0]`}, {"fvm_setEpoch", `["0xffffffffffffffff"]`}, {"fvm_skipEpochs", `["0xffffffffffffffff"]`},
		{"fvm_setActor", `["f0100",{"code":"nobody"}]`}, {"fvm_setActor", `["f0100",{"head":"x"}]`}, {"fvm_setActor", `["f0100",5]`}, {"fvm_setRandomness", `[5,"0x1` + zeros(64) + `"]`},
		{"fvm_installActor", `["0x00"]`}, {"fvm_installActor", `[{}]`}, {"fvm_addPower", `["f04"]`}, {"fvm_createMiner", `[{"sectors":1000}]`}, {"fvm_grantDatacap", `["f0100","0x0"]`},
		{"fvm_installBundle", `["v17/mainnet"]`}, {"fvm_installBundle", `["v99/mainnet"]`}, {"fvm_installBundle", `["mainnet"]`}, {"fvm_installBundle", `["0x1234"]`}, {"fvm_installBundle", `[{}]`},
		{"fvm_gasProfile", `["0x` + zeros(64) + `"]`}, {"fvm_gasProfile", `[{},"jpeg"]`}, {"fvm_extractVector", `["0x` + zeros(64) + `"]`},
	} {
		w.fails(c.method, c.params, -32602, "")
	}
	if w.n.Latest().Root != before || w.epoch() != 0 {
		t.Error("what was refused changed the chain")
	}
}
