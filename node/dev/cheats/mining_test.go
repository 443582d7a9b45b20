package cheats

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

func (w *world) times(n int) (list []uint64) {
	b := w.n.Latest()
	for range n {
		list = append([]uint64{b.Timestamp()}, list...)
		b = w.n.Parent(b)
	}
	return list
}

// Times are those that were asked for, to the second, and contracts see them.
func TestTime(t *testing.T) {
	w := begin(t, dev.Options{})
	const c = "0x00000000000000000000000000000000000c0de5"
	w.must("anvil_setCode", `["`+c+`","`+clocks+`"]`, "")
	w.must("evm_setNextBlockTimestamp", `[1800000777]`, "null")
	w.must("evm_mine", ``, "")
	same(t, "the time", w.times(1), []uint64{1800000777})
	w.must("evm_increaseTime", `[100]`, "")
	w.must("evm_mine", ``, "")
	same(t, "the time", w.times(1), []uint64{1800000877})
	w.must("evm_mine", `[1800001000]`, "")
	same(t, "the time", w.times(1), []uint64{1800001000})
	w.must("evm_mine", `[{"timestamp":"0x6b49d650"}]`, "")
	same(t, "the time", w.times(1), []uint64{0x6b49d650})
	before := w.epoch()
	w.must("hardhat_mine", `["0x5","0x3c"]`, "")
	last := uint64(0x6b49d650)
	same(t, "the blocks made", w.epoch()-before, int64(5))
	list := w.times(5)
	for i := 1; i < 5; i++ {
		same(t, "the seconds between two blocks", list[i]-list[i-1], uint64(60))
	}
	if list[0] <= last {
		t.Errorf("the first is at %d, after %d", list[0], last)
	}
	w.must("anvil_setBlockTimestampInterval", `[12]`, "")
	w.must("anvil_mine", `[3]`, "")
	list = w.times(4)
	same(t, "the times", list, []uint64{list[0], list[0] + 12, list[0] + 24, list[0] + 36})
	w.must("anvil_removeBlockTimestampInterval", ``, "true")
	next := list[3] + 50
	w.must("evm_setNextBlockTimestamp", fmt.Sprintf("[%d]", next), "")
	h := w.send(0, c, nil, 0)
	if got := w.executed(h).Result.Return; !bytes.HasSuffix(got, wordOf(int64(next))) {
		t.Errorf("the contract saw %x, not %x", got, next)
	}
	w.fails("evm_setNextBlockTimestamp", `[5]`, -32602, "Timestamp error")
	w.fails("evm_mine", `[5]`, -32602, "Timestamp error")
	w.fails("evm_setNextBlockTimestamp", fmt.Sprintf("[%d]", next), -32602, "Timestamp error")
	w.fails("evm_increaseTime", `[-5]`, -32602, "")
	w.fails("evm_increaseTime", `["0xffffffffffffffff"]`, -32602, "")
}

// Without automine transactions wait, and are mined, dropped, or replaced, by command.
func TestPool(t *testing.T) {
	w := begin(t, dev.Options{})
	w.must("evm_setAutomine", `[false]`, "")
	a, b, c := w.send(0, stranger, nil, 1), w.send(0, stranger, nil, 2), w.send(1, stranger, nil, 4)
	same(t, "the epoch", w.epoch(), int64(0))
	same(t, "who waits", len(w.n.Pool()), 3)
	w.must("anvil_dropTransaction", `["`+b.String()+`"]`, `"`+b.String()+`"`)
	w.must("anvil_dropTransaction", `["`+b.String()+`"]`, `null`)
	w.must("hardhat_dropTransaction", `["`+b.String()+`"]`, `false`)
	w.must("evm_mine", ``, "")
	for _, h := range []eth.Hash{a, c} {
		if e := w.executed(h); e.Result.ExitCode != 0 {
			t.Errorf("%s: exit code %d", h, e.Result.ExitCode)
		}
	}
	same(t, "the balance", w.balance(stranger), "5")
	w.send(0, stranger, nil, 8)
	w.send(1, stranger, nil, 16)
	w.must("anvil_removePoolTransactions", `["`+w.account(1)+`"]`, "")
	w.must("evm_mine", ``, "")
	same(t, "the balance", w.balance(stranger), "13")
	w.send(0, stranger, nil, 32)
	w.must("anvil_dropAllTransactions", ``, "")
	w.must("evm_mine", ``, "")
	same(t, "the balance", w.balance(stranger), "13")
	w.must("evm_setAutomine", `[true]`, "")
	w.send(0, stranger, nil, 64)
	same(t, "the balance", w.balance(stranger), "77")
}

// Blocks come by themselves while an interval is set.
func TestInterval(t *testing.T) {
	w := begin(t, dev.Options{})
	w.must("evm_setIntervalMining", `[1]`, "null")
	h := w.send(0, stranger, nil, 1)
	if _, _, ok := w.n.Transaction(h); ok {
		t.Error("the transaction did not wait for the block")
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, _, ok := w.n.Transaction(h); ok {
			break
		}
	}
	w.executed(h)
	w.must("evm_setIntervalMining", `[0]`, "null")
}

// The base fee and the randomness that are set are the next block's.
func TestForced(t *testing.T) {
	w := begin(t, dev.Options{})
	const c = "0x00000000000000000000000000000000000c0de6"
	w.must("anvil_setCode", `["`+c+`","`+chance+`"]`, "")
	w.must("hardhat_setNextBlockBaseFeePerGas", `["0x12345"]`, "")
	w.must("hardhat_setPrevRandao", `["`+word77+`"]`, "")
	h := w.send(0, c, nil, 0)
	b, _, _ := w.n.Transaction(h)
	same(t, "the base fee", b.BaseFee().String(), fmt.Sprint(0x12345))
	first := w.executed(h).Result.Return
	// What a contract sees is drawn from what was set: so the same again is the same, at the same epoch.
	w.must("anvil_rollback", ``, "")
	w.must("hardhat_setPrevRandao", `["`+word77+`"]`, "")
	if second := w.executed(w.send(0, c, nil, 0)).Result.Return; !bytes.Equal(first, second) {
		t.Errorf("the randomness is %x and %x", first, second)
	}
	w.must("anvil_rollback", ``, "")
	w.must("fvm_setRandomness", `[1,"0x5"]`, "")
	if third := w.executed(w.send(0, c, nil, 0)).Result.Return; bytes.Equal(first, third) {
		t.Errorf("the randomness is %x after another was set", third)
	}
	w.fails("anvil_setMinGasPrice", `["0x1"]`, -32602, "not supported")
}

func TestDetailed(t *testing.T) {
	w := begin(t, dev.Options{})
	w.must("evm_setAutomine", `[false]`, "")
	h := w.send(0, stranger, nil, 1)
	got := w.must("evm_mine_detailed", `[{"blocks":2}]`, "")
	if !bytes.Contains([]byte(got), []byte(h.String())) || !bytes.Contains([]byte(got), []byte(`"number":"0x2"`)) {
		t.Errorf("%.300s", got)
	}
}
