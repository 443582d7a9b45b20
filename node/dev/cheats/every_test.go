package cheats

import (
	"fmt"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// documented are the methods of Hardhat's network reference (2 and 3), of viem's test client, and of Anvil 1.7's own, that change a chain or
// tell of it, without those that are answered elsewhere (eth_, txpool_, debug_).
var documented = strings.Fields(`
	evm_increaseTime evm_mine evm_revert evm_setAutomine evm_setBlockGasLimit evm_setIntervalMining evm_setNextBlockTimestamp evm_snapshot
	hardhat_addCompilationResult hardhat_dropTransaction hardhat_getAutomine hardhat_impersonateAccount hardhat_mine hardhat_reset hardhat_setBalance
	hardhat_setCode hardhat_setCoinbase hardhat_setLoggingEnabled hardhat_setMinGasPrice hardhat_setNextBlockBaseFeePerGas hardhat_setNonce
	hardhat_setPrevRandao hardhat_setStorageAt hardhat_stopImpersonatingAccount
	anvil_addBalance anvil_autoImpersonateAccount anvil_dealERC20 anvil_dropAllTransactions anvil_dropTransaction anvil_dumpState anvil_enableTraces
	anvil_getAutomine anvil_getBlobByHash anvil_getBlobsByTransactionHash anvil_getGenesisTime anvil_getIntervalMining anvil_impersonateAccount
	anvil_impersonateSignature anvil_increaseTime anvil_loadState anvil_metadata anvil_mine anvil_nodeInfo anvil_removeBlockTimestampInterval
	anvil_removePoolTransactions anvil_reorg anvil_reset anvil_revert anvil_rollback anvil_setAutomine anvil_setBalance anvil_setBlockGasLimit
	anvil_setBlockTimestampInterval anvil_setChainId anvil_setCode anvil_setCoinbase anvil_setERC20Allowance anvil_setIntervalMining
	anvil_setLoggingEnabled anvil_setMinGasPrice anvil_setNextBlockBaseFeePerGas anvil_setNextBlockTimestamp anvil_setNonce anvil_setRpcUrl
	anvil_setStorageAt anvil_setTime anvil_snapshot anvil_stopImpersonatingAccount evm_mine_detailed evm_setTime evm_setAccountBalance
	evm_setAccountCode evm_setAccountNonce evm_setAccountStorageAt`)

func TestDocumented(t *testing.T) {
	w := begin(t, dev.Options{})
	ms := &jsonrpc.Methods{}
	Register(ms, w.n, Options{})
	for _, name := range documented {
		if !ms.Has(name) {
			t.Errorf("there is no %s", name)
		}
	}
}

// every is a method that changes something: how it is called, what it gives, what is so afterwards, and parameters that are wrong. A name
// without a family is that of hardhat_ and anvil_.
type every struct {
	name, params, want string
	after              func(w *world) string // "" if all is as it should be
	wrong              []string
}

func is(what string, got, want any) string {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Sprintf("%s is %v, not %v", what, got, want)
	}
	return ""
}

const somebody = `"` + stranger + `"`

var changes = []every{
	{"setBalance", `[` + somebody + `,"0x7b"]`, "null", func(w *world) string { return is("the balance", w.balance(stranger), 123) }, []string{`[]`, `[` + somebody + `]`, `["0x12","0x1"]`, `[` + somebody + `,-1]`, `[` + somebody + `,"many"]`, `[` + somebody + `,"0x1` + zeros(64) + `"]`}},
	{"addBalance", `[` + somebody + `,"0x7b"]`, "null", func(w *world) string { return is("the balance", w.balance(stranger), 123) }, []string{`[]`, `[` + somebody + `]`}},
	{"setNonce", `[` + somebody + `,"0x9"]`, "null", func(w *world) string { return is("the nonce", w.actor(stranger).Nonce, 9) }, []string{`[]`, `[` + somebody + `]`, `[` + somebody + `,"0x1` + zeros(16) + `"]`}},
	{"setCode", `[` + somebody + `,"` + loader + `"]`, "null", func(w *world) string {
		return is("what an empty slot gives", fmt.Sprintf("%x", w.call(stranger, wordOf(3))), zeros(64))
	}, []string{`[]`, `[` + somebody + `,"0x1"]`, `[` + somebody + `,"code"]`, `[` + somebody + `,7]`}},
	{"setStorageAt", `[` + somebody + `,"0x3","` + word77 + `"]`, "true", func(w *world) string {
		w.must("anvil_setCode", `[`+somebody+`,"`+loader+`"]`, "")
		return is("slot 3", fmt.Sprintf("%x", w.call(stranger, wordOf(3))), zeros(62)+"4d")
	}, []string{`[]`, `[` + somebody + `,"0x3"]`, `[` + somebody + `,"0x1` + zeros(64) + `","0x1"]`}},
	{"impersonateAccount", `[` + somebody + `]`, "null", nil, []string{`[]`, `["nobody"]`, `[5]`}},
	{"stopImpersonatingAccount", `[` + somebody + `]`, "null", nil, []string{`[]`, `["nobody"]`}},
	{"autoImpersonateAccount", `[false]`, "null", nil, []string{`[]`, `["perhaps"]`, `[5]`}},
	{"mine", `["0x3","0x3c"]`, "null", func(w *world) string { return is("the block", w.epoch(), 3) }, []string{`["three"]`, `[-1]`, `["0x1","soon"]`, `["0xffffffffffff"]`}},
	{"evm_mine", `[{"blocks":2}]`, `"0x0"`, func(w *world) string { return is("the block", w.epoch(), 2) }, []string{`["soon"]`, `[5]`, `[{"blocks":-1}]`}},
	{"evm_mine_detailed", `[{"blocks":1}]`, "", func(w *world) string { return is("the block", w.epoch(), 1) }, []string{`[{"blocks":1000000}]`}},
	{"evm_increaseTime", `["0x258"]`, "600", func(w *world) string {
		w.must("evm_mine", ``, "")
		return is("the time", w.times(1)[0], begun+600) + is("the block", w.epoch(), 20)
	}, []string{`[]`, `[-1]`, `["0xffffffffffffffff"]`, `["soon"]`}},
	{"evm_setNextBlockTimestamp", `[1800000777]`, "null", func(w *world) string { w.must("evm_mine", ``, ""); return is("the time", w.times(1)[0], 1800000777) }, []string{`[]`, `[1]`, `["soon"]`}},
	{"setTime", `[1800000900]`, "900", func(w *world) string { w.must("evm_mine", ``, ""); return is("the time", w.times(1)[0], 1800000900) }, []string{`[]`, `["soon"]`}},
	{"setBlockTimestampInterval", `[12]`, "null", func(w *world) string { w.must("anvil_mine", `[2]`, ""); return is("the time", w.times(1)[0], begun+24) }, []string{`[]`, `[99999999999]`}},
	{"removeBlockTimestampInterval", ``, "true", nil, nil},
	{"evm_setAutomine", `[false]`, "null", func(w *world) string {
		off := w.n.Automine()
		w.must("evm_setAutomine", `[true]`, "null")
		return is("automine", off, false)
	}, []string{`[]`, `[7]`}},
	{"getAutomine", ``, "true", nil, nil},
	{"evm_setIntervalMining", `[[3000,5000]]`, "null", func(w *world) string {
		every := w.n.Interval()
		w.must("evm_setAutomine", `[true]`, "null")
		return is("the interval", every, "4s")
	}, []string{`[]`, `[[1]]`, `[[5,3]]`, `["soon"]`, `["0xffffffffffff"]`}},
	{"getIntervalMining", ``, "null", nil, nil},
	{"anvil_dropTransaction", `["0x` + zeros(64) + `"]`, "null", nil, []string{`[]`, `["0x12"]`}},
	{"hardhat_dropTransaction", `["0x` + zeros(64) + `"]`, "false", nil, []string{`[]`, `["0x12"]`}},
	{"dropAllTransactions", ``, "null", nil, nil},
	{"removePoolTransactions", `[` + somebody + `]`, "null", nil, []string{`[]`, `["0x12"]`}},
	{"setNextBlockBaseFeePerGas", `["0x12345"]`, "null", func(w *world) string {
		w.must("evm_mine", ``, "")
		return is("the base fee", w.n.Latest().BaseFee(), 0x12345)
	}, []string{`[]`, `["dear"]`, `[-1]`, `["0x1` + zeros(40) + `"]`}},
	{"setPrevRandao", `["0x5"]`, "null", nil, []string{`[]`, `["0x1` + zeros(64) + `"]`}},
	{"setCoinbase", `[` + somebody + `]`, "null", nil, []string{`[]`}},
	{"evm_setBlockGasLimit", `["0x1c9c380"]`, "true", nil, []string{`[]`, `["much"]`}},
	{"evm_snapshot", `[]`, "", nil, nil},
	{"evm_revert", `["0xffff"]`, "false", nil, []string{`[]`, `["x"]`, `[-1]`}},
	{"anvil_rollback", `[0]`, "null", nil, []string{`[1000000]`, `["x"]`}},
	{"anvil_reorg", `[{"depth":0,"tx_block_pairs":[]}]`, "-", nil, []string{`[]`, `[0]`, `[1000000]`, `["x"]`}},
	{"setRpcUrl", `["http://127.0.0.1:1"]`, "-", nil, []string{`[]`}},
	{"setMinGasPrice", `["0x1"]`, "-", nil, []string{`[]`}},
	{"anvil_setChainId", `[31415926]`, "null", nil, []string{`[]`, `[1]`, `["x"]`}},
	{"anvil_impersonateSignature", `["0x00",` + somebody + `]`, "-", nil, nil},
	{"anvil_getGenesisTime", ``, fmt.Sprint(begun), nil, nil},
	{"anvil_getBlobByHash", `["0x` + zeros(64) + `"]`, "null", nil, nil},
	{"setLoggingEnabled", `[true]`, "null", nil, []string{`[]`, `[7]`}},
	{"fvm_skipEpochs", `[5]`, `"0x6"`, func(w *world) string { w.must("evm_mine", ``, ""); return is("the block", w.epoch(), 6) }, []string{`[]`, `["0xffffffffffffffff"]`, `[5,"never"]`, `[5,{"cron":1}]`}},
	{"fvm_skipEpochs", `[1500,{"cron":"due"}]`, `"0x5dd"`, func(w *world) string { w.must("evm_mine", ``, ""); return is("the block", w.epoch(), 1501) }, nil},
	{"fvm_setEpoch", `["0x64"]`, `"0x64"`, func(w *world) string { return is("the block", w.epoch(), 100) }, []string{`[]`, `[0]`, `["0xffffffffffffffff"]`, `[100,"never"]`}},
	{"fvm_setEpoch", `[200,"due"]`, `"0xc8"`, func(w *world) string { return is("the block", w.epoch(), 200) }, nil},
	{"fvm_runCron", `[2]`, `"0x2"`, func(w *world) string { return is("the block", w.epoch(), 2) }, []string{`["x"]`, `["0xffffffffffffffff"]`}},
	{"fvm_setTimeJumps", `["idle"]`, "null", func(w *world) string {
		w.must("evm_increaseTime", `[90000]`, "")
		w.must("evm_mine", ``, "")
		w.must("fvm_setTimeJumps", `["auto"]`, "null")
		return is("the block", w.epoch(), 3000)
	}, []string{`[]`, `["never"]`, `[5]`}},
	{"fvm_getTimeJumps", ``, `"auto"`, nil, nil},
	{"fvm_network", ``, "", nil, nil},
	{"fvm_setRandomness", `[5,"0x1"]`, "null", nil, []string{`[]`, `["0xffffffffffffffff","0x1"]`, `[5,"0x1` + zeros(64) + `"]`}},
	{"fvm_setActor", `["f0100",{"nonce":"0x5"}]`, "", nil, []string{`[]`, `["f0100"]`, `["f0100",{"head":"x"}]`, `["nobody",{}]`}},
	{"fvm_installActor", `["` + hello + `"]`, "", nil, []string{`[]`, `["0x00"]`, `[5]`}},
	{"fvm_createMiner", `[]`, "", nil, []string{`[{"sectors":100000}]`, `[{"owner":"nobody"}]`, `[5]`}},
	{"fvm_addPower", `["f01000"]`, "-", nil, []string{`[]`, `["nobody"]`, `["f01000",0]`}},
	{"fvm_grantDatacap", `["f0100","0x100000"]`, "", nil, []string{`[]`, `["f0100"]`, `["f0100",0]`, `["f0999999",5]`}},
	{"fvm_installBundle", `["v18/nothing"]`, "-", nil, []string{`[]`, `[5]`, `["0x00"]`}},
	{"fvm_gasProfile", `["0x` + zeros(64) + `"]`, "-", nil, []string{`[]`, `[5]`}},
	{"fvm_extractVector", `["0x` + zeros(64) + `"]`, "-", nil, []string{`[]`, `[5]`}},
}

// names are those of a row.
func (e *every) names() []string {
	if family(e.name) {
		return []string{e.name}
	}
	return []string{"anvil_" + e.name, "hardhat_" + e.name}
}

// Each method does what it says, gives what clients read, and refuses wrong parameters with the code for them and words. "-" for what it
// gives is an error.
func TestEveryMethod(t *testing.T) {
	w := begin(t, dev.Options{Genesis: genesis.Options{Miners: 0}})
	tried := map[string]bool{}
	for _, e := range changes {
		for _, name := range e.names() {
			tried[name] = true
			t.Run(name, func(t *testing.T) {
				w.t = t
				id := w.must("anvil_snapshot", ``, "")
				defer w.must("anvil_revert", `[`+id+`]`, "true")
				for _, params := range e.wrong {
					w.fails(name, params, -32602, "")
				}
				if e.want == "-" {
					if got, err := w.ask(name, e.params); err == nil || err.Error() == "" {
						t.Errorf("%s gives %s, and must fail", e.params, got)
					}
					return
				}
				w.must(name, e.params, e.want)
				if e.after != nil {
					if said := e.after(w); said != "" {
						t.Error(said)
					}
				}
			})
		}
	}
	w.t = t
	// Nothing is served that no test has called: here, or in the table of recorded shapes, or in a test of its own.
	elsewhere := []string{"reset", "dumpState", "loadState", "dealERC20", "anvil_setERC20Balance", "anvil_setERC20Allowance", "anvil_nodeInfo", "anvil_metadata", "hardhat_addCompilationResult", "anvil_enableTraces"}
	for _, name := range elsewhere {
		for _, n := range (&every{name: name}).names() {
			tried[n] = true
		}
	}
	ms := &jsonrpc.Methods{}
	Register(ms, w.n, Options{})
	for _, name := range ms.List() {
		other := aliases[name]
		if !tried[name] && (other == "" || !tried[other]) {
			t.Errorf("no test calls %s", name)
		}
	}
}

// aliases are other names of methods that are in the table.
var aliases = map[string]string{
	"tenderly_setBalance": "anvil_setBalance", "evm_setAccountBalance": "anvil_setBalance", "tenderly_addBalance": "anvil_addBalance", "evm_setAccountNonce": "anvil_setNonce",
	"evm_setAccountCode": "anvil_setCode", "evm_setAccountStorageAt": "anvil_setStorageAt", "tenderly_setStorageAt": "anvil_setStorageAt",
	"anvil_mine_detailed": "evm_mine_detailed", "hardhat_intervalMine": "evm_mine", "anvil_setAutomine": "evm_setAutomine", "hardhat_setAutomine": "evm_setAutomine",
	"anvil_setIntervalMining": "evm_setIntervalMining", "hardhat_setIntervalMining": "evm_setIntervalMining", "miner_start": "evm_setAutomine", "miner_stop": "evm_setAutomine",
	"anvil_setBlockGasLimit": "evm_setBlockGasLimit", "hardhat_setBlockGasLimit": "evm_setBlockGasLimit", "anvil_increaseTime": "evm_increaseTime",
	"hardhat_increaseTime": "evm_increaseTime", "anvil_setNextBlockTimestamp": "evm_setNextBlockTimestamp", "hardhat_setNextBlockTimestamp": "evm_setNextBlockTimestamp",
	"evm_setTime": "anvil_setTime", "anvil_snapshot": "evm_snapshot", "hardhat_snapshot": "evm_snapshot", "anvil_revert": "evm_revert", "hardhat_revert": "evm_revert",
	"anvil_getBlobsByTransactionHash": "anvil_getBlobByHash",
}
