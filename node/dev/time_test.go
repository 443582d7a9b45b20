package dev_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

func epoch(n uint64) abi.ChainEpoch { return abi.ChainEpoch(n) }

// Where blocks are and when, after time was moved: the rules of ../shared/reference/dev-node.md, section 7.
func TestTime(t *testing.T) {
	begin := uint64(devtest.Begin.Unix())
	for _, c := range []struct {
		name  string
		do    func(*devtest.Net) error
		mine  dev.MineOptions
		epoch abi.ChainEpoch // of the last block, from 1 before
		time  uint64         // after that of the block before, which is at begin
	}{
		{"nothing", func(*devtest.Net) error { return nil }, dev.MineOptions{}, 2, 0},
		{"an hour", func(n *devtest.Net) error { _, err := n.IncreaseTime(3600); return err }, dev.MineOptions{}, 121, 3600},
		{"29 seconds", func(n *devtest.Net) error { _, err := n.IncreaseTime(29); return err }, dev.MineOptions{}, 2, 29},
		{"twice 45 seconds", func(n *devtest.Net) error { _, _ = n.IncreaseTime(45); _, err := n.IncreaseTime(45); return err }, dev.MineOptions{}, 4, 90},
		{"to the second", func(n *devtest.Net) error { return n.SetNextTimestamp(begin + 100) }, dev.MineOptions{}, 4, 100},
		{"by Mine", func(*devtest.Net) error { return nil }, dev.MineOptions{Timestamp: begin + 61}, 3, 61},
		{"what time it is", func(n *devtest.Net) error { return n.SetTime(begin + 601) }, dev.MineOptions{}, 21, 601},
		{"25 blocks are 25 epochs", func(*devtest.Net) error { return nil }, dev.MineOptions{Blocks: 25}, 26, 0},
		{"5 blocks a minute apart", func(*devtest.Net) error { return nil }, dev.MineOptions{Blocks: 5, Step: 60}, 6, 1 + 4*60},
		{"a year moves the clock alone", func(n *devtest.Net) error { _, err := n.IncreaseTime(31_536_000); return err }, dev.MineOptions{}, 2, 31_536_000},
		{"moved, and a step", func(n *devtest.Net) error { _, err := n.IncreaseTime(600); return err }, dev.MineOptions{Blocks: 2, Step: 5}, 22, 605},
		{"back", func(n *devtest.Net) error { return n.SetTime(begin - 1000) }, dev.MineOptions{Blocks: 3}, 4, 3},
		{"a step", func(n *devtest.Net) error { s := uint64(7); return n.SetTimestampStep(&s) }, dev.MineOptions{Blocks: 3}, 4, 21},
		{"null rounds", func(n *devtest.Net) error { return n.SkipEpochs(10) }, dev.MineOptions{}, 12, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := devtest.New(t)
			n.Blocks(t, 1)
			if err := c.do(n); err != nil {
				t.Fatal(err)
			}
			b, err := n.Mine(t.Context(), c.mine)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.Timestamp() - begin; b.Epoch() != c.epoch || got != c.time {
				t.Errorf("epoch %d, %d seconds after; want %d, %d", b.Epoch(), got, c.epoch, c.time)
			}
			// Later blocks go on from there.
			if next := n.Blocks(t, 1); next.Epoch() != b.Epoch()+1 || next.Timestamp() < b.Timestamp() {
				t.Errorf("the next is at epoch %d, %d seconds later", next.Epoch(), next.Timestamp()-b.Timestamp())
			}
		})
	}
}

// Contracts see the epoch, the time to the second, the beacon's randomness, the base fee, and the hash of the block before as Ethereum
// knows it, which is the first 32 bytes after the CID's head (FIP-0054).
func TestWorld(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.World())
	n.Blocks(t, 2)
	if err := n.SetNextTimestamp(n.Latest().Timestamp() + 77); err != nil {
		t.Fatal(err)
	}
	if err := n.SetNextBaseFee(fbig.NewInt(12_345)); err != nil {
		t.Fatal(err)
	}
	forced := [32]byte{1, 2, 3}
	n.SetRandomness(n.Latest().Epoch()+2, &forced)
	gas := eth.Quantity(20_000_000)
	price, tip := eth.NewAmount(20_000), eth.NewAmount(0)
	before := n.Latest()
	sent := n.Send(t, 0, eth.Call{To: &at, Gas: &gas, MaxFeePerGas: &price, MaxPriorityFeePerGas: &tip})
	if sent.Result.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", sent.Result.ExitCode, sent.Result.Failure)
	}
	words := sent.Result.Return[len(sent.Result.Return)-5*32:]
	number := func(i int) uint64 { return fbig.PositiveFromUnsignedBytes(words[i*32 : i*32+32]).Uint64() }
	b := sent.Block
	if number(0) != uint64(b.Epoch()) || number(1) != b.Timestamp() || number(3) != 12_345 {
		t.Errorf("number %d, time %d, base fee %d; want %d, %d, 12345", number(0), number(1), number(3), b.Epoch(), b.Timestamp())
	}
	if got := eth.Hash(words[4*32:]); got != before.Hash {
		t.Errorf("the hash of the block before is %s, want %s", got, before.Hash)
	}
	if b.Timestamp() != before.Timestamp()+77 || b.Epoch() != before.Epoch()+2 {
		t.Errorf("epoch %d, %d seconds after", b.Epoch(), b.Timestamp()-before.Timestamp())
	}
	first := eth.Hash(words[2*32 : 3*32])
	if first == (eth.Hash{}) {
		t.Error("no randomness")
	}
	// The forced fee is of one block only: the next falls by an eighth at most (FIP-0115).
	if next := n.NextBaseFee(); !next.Equals(fbig.NewInt(12_345 - 1544)) {
		t.Errorf("the base fee after it is %s", next)
	}
}

func TestTimeRefused(t *testing.T) {
	n := devtest.New(t)
	n.Blocks(t, 3)
	last := n.Latest().Timestamp()
	for name, err := range map[string]error{
		"the latest block's":    n.SetNextTimestamp(last),
		"before it":             n.SetNextTimestamp(last - 1),
		"after the year 9999":   n.SetNextTimestamp(1 << 60),
		"set to after 9999":     n.SetTime(1 << 60),
		"increased beyond 9999": func() error { _, err := n.IncreaseTime(1 << 62); return err }(),
		"skipped beyond 9999":   n.SkipEpochs(1 << 60),
	} {
		if !errors.Is(err, dev.ErrTime) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b := n.Blocks(t, 1); b.Epoch() != 4 || b.Timestamp() != last {
		t.Errorf("epoch %d, %d seconds later", b.Epoch(), b.Timestamp()-last)
	}
}

// A jump far ahead makes blocks on the way, so that no header has more beacon entries than nodes read.
func TestFarAhead(t *testing.T) {
	n := devtest.New(t)
	if err := n.SkipEpochs(2500); err != nil {
		t.Fatal(err)
	}
	b := n.Blocks(t, 1)
	if b.Epoch() != 2501 || n.Len() != 4 || len(b.Tipset.Blocks[0].BeaconEntries) > 1001 {
		t.Errorf("epoch %d, %d blocks, %d entries", b.Epoch(), n.Len(), len(b.Tipset.Blocks[0].BeaconEntries))
	}
	if r := replayed(t, n); !r.Good() {
		t.Errorf("%+v", r.Failure)
	}
}

// Blocks by the clock have what waits. The test waits for the blocks, not for a time.
func TestInterval(t *testing.T) {
	n := devtest.New(t, dev.Options{Manual: true})
	events := n.Subscribe(0)
	defer events.Close()
	if _, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(*eth.Call) {})); err != nil {
		t.Fatal(err)
	}
	n.SetInterval(time.Millisecond)
	blocks := 0
	for e := range events.Events() {
		if e.Block == nil {
			continue
		}
		if blocks == 0 && len(e.Block.Messages) != 1 {
			t.Error("the first block is without the message")
		}
		if blocks++; blocks == 3 {
			break
		}
	}
	n.SetInterval(0)
}

// The head stays the same while nothing happens, and follows the clock once it is a minute old.
func TestHead(t *testing.T) {
	var now atomic.Int64
	now.Store(devtest.Begin.Unix())
	n := devtest.New(t, dev.Options{Clock: func() time.Time { return time.Unix(now.Load(), 0) }})
	n.Blocks(t, 1)
	first, err := n.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now.Add(30)
	same, err := n.Head(t.Context())
	if err != nil || same != first {
		t.Errorf("another head: %v", err)
	}
	now.Add(100)
	later, err := n.Head(t.Context())
	if err != nil || later == first || later.Timestamp() != uint64(now.Load()) || later.Height() != 2 {
		t.Errorf("%+v %v", later, err)
	}
	// All of them are found by their keys, the blocks of the chain too, and nothing else.
	for _, ts := range []struct {
		at   int
		want abi.ChainEpoch
	}{{0, 2}, {1, 2}, {2, 1}} {
		key := []interface{ Height() abi.ChainEpoch }{first, later, n.Latest().Tipset}[ts.at]
		if key.Height() != ts.want {
			t.Errorf("height %d", key.Height())
		}
	}
	got, on, err := n.Tipset(t.Context(), first.Key())
	if err != nil || got != first || on != n.Latest() {
		t.Errorf("%v %v", got, err)
	}
	if got, on, err = n.Tipset(t.Context(), n.Latest().Tipset.Key()); err != nil || got != n.Latest().Tipset || on != n.Latest() {
		t.Errorf("%v %v", got, err)
	}
	if got, _, err = n.Tipset(t.Context(), ""); err != nil || got != later {
		t.Errorf("%v %v", got, err)
	}
	if _, _, err = n.Tipset(t.Context(), "nothing"); err == nil {
		t.Error("found by a key that is none")
	}
}
