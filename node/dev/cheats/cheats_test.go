package cheats

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
)

const (
	stranger = "0x00000000000000000000000000000000000ABCde" // no account's; its case is no checksum
	word77   = "0x000000000000000000000000000000000000000000000000000000000000004d"
	// loader gives the slot whose number it is called with, storer keeps pairs of slot and value.
	loader = "0x60003554" + "60005260206000f3"
	storer = "0x60005b368110600a57005b8060200135813555604001600256"
	// chance gives PREVRANDAO, clocks gives TIMESTAMP.
	chance = "0x44" + "60005260206000f3"
	clocks = "0x42" + "60005260206000f3"
	caller = "0x33600055" // keeps CALLER in slot 0
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		panic(err)
	}
	return b
}

// Each method takes what its clients send, as it was recorded, and gives what they read.
func TestRecordedShapes(t *testing.T) {
	const a = `"` + stranger + `"`
	slot := `"0x` + strings.Repeat("0", 63) + `1"`
	w := begin(t, dev.Options{})
	for _, c := range []struct{ method, params, want string }{
		{"hardhat_setBalance", `[` + a + `,"0x5"]`, "null"}, {"anvil_setBalance", `[` + a + `,"0x1000000000000000000"]`, "null"},
		{"anvil_setBalance", `[` + a + `,5]`, "null"}, {"anvil_setBalance", `[` + a + `,"1000000000000000000000"]`, "null"}, {"anvil_setBalance", `[` + a + `,1e21]`, "null"},
		{"tenderly_setBalance", `[[` + a + `,"0xff00000000000000000000000000000000000064"],"0x7"]`, "null"}, {"evm_setAccountBalance", `[` + a + `,"0x1"]`, "null"},
		{"anvil_addBalance", `[` + a + `,"0x1"]`, "null"},
		{"hardhat_setNonce", `[` + a + `,"0x5"]`, "null"}, {"anvil_setNonce", `[` + a + `,7]`, "null"}, {"evm_setAccountNonce", `[` + a + `,"9"]`, "null"},
		{"hardhat_setCode", `["0x0000000000000000000000000000000000000c0d","0x6001"]`, "null"}, {"anvil_setCode", `["0x0000000000000000000000000000000000000c0d","0x"]`, "null"},
		{"hardhat_setStorageAt", `["0x0000000000000000000000000000000000000c0e","0x1",` + slot + `]`, "true"}, {"anvil_setStorageAt", `["0x0000000000000000000000000000000000000c0e",` + slot + `,` + slot + `]`, "true"},
		{"anvil_setStorageAt", `["0x0000000000000000000000000000000000000c0e",3,"0x04"]`, "true"},
		{"hardhat_impersonateAccount", `[` + a + `]`, "null"}, {"anvil_impersonateAccount", `["f099"]`, "null"}, {"anvil_impersonateAccount", `["t099"]`, "null"},
		{"anvil_stopImpersonatingAccount", `[` + a + `]`, "null"}, {"hardhat_stopImpersonatingAccount", `[` + a + `]`, "null"},
		{"anvil_autoImpersonateAccount", `[true]`, "null"}, {"anvil_autoImpersonateAccount", `[false]`, "null"},
		{"evm_mine", ``, `"0x0"`}, {"evm_mine", `[]`, `"0x0"`}, {"evm_mine", `[null]`, `"0x0"`}, {"evm_mine", `[1800000100]`, `"0x0"`}, {"evm_mine", `[{"timestamp":1800000160}]`, `"0x0"`},
		{"evm_mine", `["0x6b49d2c8"]`, `"0x0"`}, {"evm_mine", `[{"blocks":3}]`, `"0x0"`}, {"evm_mine", `[{"timestamp":"0x6b49d300","blocks":"0x2"}]`, `"0x0"`},
		{"hardhat_mine", `["0x1","0x1"]`, "null"}, {"hardhat_mine", `["0x5","0x3c"]`, "null"}, {"hardhat_mine", `["0xf"]`, "null"}, {"hardhat_mine", ``, "null"},
		{"anvil_mine", `["0x1","0x0"]`, "null"}, {"anvil_mine", `["0x5"]`, "null"}, {"anvil_mine", `[5]`, "null"}, {"anvil_mine", ``, "null"}, {"anvil_mine", `[5,60]`, "null"}, {"anvil_mine", `[null,null]`, "null"},
		{"evm_setAutomine", `[false]`, "null"}, {"anvil_getAutomine", ``, "false"}, {"evm_setAutomine", `[true]`, "null"}, {"hardhat_getAutomine", `[]`, "true"},
		{"evm_setIntervalMining", `[1]`, "null"}, {"anvil_getIntervalMining", ``, "1"}, {"anvil_getAutomine", ``, "false"}, {"evm_setIntervalMining", `[0]`, "null"}, {"anvil_getIntervalMining", ``, "null"},
		{"evm_setIntervalMining", `[5000]`, "null"}, {"anvil_getIntervalMining", ``, "5"},
		{"evm_setAutomine", `[true]`, "null"}, {"anvil_setIntervalMining", `["0x5"]`, "null"}, {"evm_setAutomine", `[true]`, "null"}, {"hardhat_getIntervalMining", ``, "null"},
		{"evm_increaseTime", `["0x1c2"]`, ""}, {"evm_increaseTime", `[60]`, ""}, {"evm_increaseTime", `["60"]`, ""}, {"evm_mine", ``, ""},
		{"evm_setNextBlockTimestamp", `["0x6b49f300"]`, "null"}, {"evm_setNextBlockTimestamp", `[1800009000]`, "null"}, {"evm_mine", ``, `"0x0"`},
		{"anvil_setTime", `[1800009100]`, ""}, {"evm_setTime", `["0x6b49f6c0"]`, ""}, {"evm_setTime", `[1800009200000]`, ""},
		{"anvil_setBlockTimestampInterval", `[12]`, "null"}, {"anvil_removeBlockTimestampInterval", ``, "true"},
		{"hardhat_setNextBlockBaseFeePerGas", `["0x64"]`, "null"}, {"anvil_setNextBlockBaseFeePerGas", `[200]`, "null"},
		{"evm_setBlockGasLimit", `["0x1c9c380"]`, "true"}, {"anvil_setCoinbase", `[` + a + `]`, "null"}, {"hardhat_setCoinbase", `[` + a + `]`, "null"},
		{"anvil_setLoggingEnabled", `[true]`, "null"}, {"hardhat_setLoggingEnabled", `[false]`, "null"},
		{"anvil_dropTransaction", `["0x` + strings.Repeat("ab", 32) + `"]`, "null"}, {"hardhat_dropAllTransactions", ``, "null"}, {"anvil_removePoolTransactions", `[` + a + `]`, "null"},
		{"hardhat_setPrevRandao", `["0x5"]`, "null"}, {"evm_snapshot", `[]`, `"0x1"`}, {"evm_revert", `["0x1"]`, "true"}, {"evm_revert", `["0x1"]`, "false"},
		{"evm_revert", `["0x` + strings.Repeat("f", 64) + `"]`, "false"}, {"anvil_snapshot", ``, `"0x2"`}, {"evm_revert", `[2]`, "true"},
		{"anvil_reset", `[]`, "null"}, {"hardhat_reset", ``, "null"}, {"anvil_reset", `[{"forking":{}}]`, "null"}, {"anvil_reset", `[{"forking":{"blockNumber":null}}]`, "null"}, {"hardhat_reset", `[{}]`, "null"},
		{"anvil_mine", `[5]`, "null"}, {"anvil_rollback", ``, "null"}, {"anvil_rollback", `[2]`, "null"}, {"anvil_reorg", `[2,[]]`, "null"}, {"anvil_reorg", `[1]`, "null"},
		{"anvil_reorg", `[{"depth":1,"tx_block_pairs":[]}]`, "null"}, {"hardhat_addCompilationResult", `["0.8.37",{},{}]`, "true"},
		{"fvm_skipEpochs", `[3]`, ""}, {"fvm_runCron", ``, ""}, {"fvm_runCron", `["0x3"]`, ""}, {"fvm_setEpoch", `["0x64"]`, `"0x64"`}, {"fvm_setRandomness", `[200,"0x1"]`, "null"},
		{"fvm_setRandomness", `["0xc8",null]`, "null"}, {"fvm_setActor", `["f0100",{"nonce":"0x5"}]`, ""},
	} {
		w.must(c.method, c.params, c.want)
	}
}
