package cheats

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// mining are the methods that make blocks, and say when they are made and of what.
func (s *server) mining(t *table) {
	t.add(s.mine, append(named("blocks", "interval"), jsonrpc.Waits()), "mine")
	t.add(s.evmMine, append(loose(), jsonrpc.Waits()), "evm_mine")
	t.add(s.evmMineDetailed, append(loose(), jsonrpc.Waits()), "evm_mine_detailed", "anvil_mine_detailed")
	t.add(s.intervalMine, append(loose(), jsonrpc.Waits()), "hardhat_intervalMine")
	t.add(s.setAutomine, named("enabled"), "evm_setAutomine", "anvil_setAutomine", "hardhat_setAutomine")
	t.add(func() bool { return s.n.Automine() }, loose(), "getAutomine")
	t.add(s.setInterval, named("interval"), "evm_setIntervalMining", "anvil_setIntervalMining", "hardhat_setIntervalMining")
	t.add(s.getInterval, loose(), "getIntervalMining")
	t.add(func() bool { s.n.SetAutomine(true); return true }, loose(), "miner_start")
	t.add(func() bool { s.n.SetAutomine(false); return true }, loose(), "miner_stop")
	t.add(s.n.Drop, named("hash"), "hardhat_dropTransaction") // a boolean, as its own helper promises
	t.add(s.drop, named("hash"), "dropTransaction")
	t.add(func() { s.n.DropAll() }, loose(), "dropAllTransactions")
	t.add(s.dropOf, named("address"), "removePoolTransactions")
	t.add(s.setBaseFee, named("baseFee"), "setNextBlockBaseFeePerGas")
	t.add(s.setGasLimit, named("gasLimit"), "evm_setBlockGasLimit", "anvil_setBlockGasLimit", "hardhat_setBlockGasLimit")
	t.add(func(Address) {}, named("address"), "setCoinbase")
	t.add(func(Amount) error {
		return invalid("anvil_setMinGasPrice is not supported when EIP-1559 is active: the base fee has a minimum of 100 attoFIL")
	}, named("gasPrice"), "setMinGasPrice")
	t.add(func(v Word) { v2 := [32]byte(v); s.n.SetRandomness(s.n.Latest().Epoch()+1, &v2) }, named("prevRandao"), "setPrevRandao")
}

// mine makes blocks, so many seconds one after the other; 0, or nothing, leaves their times to the clock.
func (s *server) mine(ctx context.Context, blocks, interval jsonrpc.Optional[Uint]) error {
	if blocks.Set && blocks.Value == 0 {
		return nil
	}
	_, err := s.n.Mine(ctx, dev.MineOptions{Blocks: uint64(blocks.Or(1)), Step: uint64(interval.Value)})
	return wrong(err)
}

// mineParams are what evm_mine takes: nothing, a timestamp, or an object with one and a number of blocks.
func mineParams(raw json.RawMessage) (o dev.MineOptions, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return o, nil
	}
	if raw[0] != '{' {
		var t Uint
		err = t.UnmarshalJSON(raw)
		o.Timestamp = uint64(t)
		return o, err
	}
	var p struct{ Timestamp, Blocks *Uint }
	if err := json.Unmarshal(raw, &p); err != nil {
		return o, err
	}
	if p.Timestamp != nil {
		o.Timestamp = uint64(*p.Timestamp)
	}
	if p.Blocks != nil {
		o.Blocks = uint64(*p.Blocks)
	}
	return o, nil
}

func (s *server) evmMine(ctx context.Context, how jsonrpc.Optional[json.RawMessage]) (string, error) {
	o, err := mineParams(how.Value)
	if err != nil {
		return "", invalid("evm_mine: %v", err)
	}
	_, err = s.n.Mine(ctx, o)
	return "0x0", wrong(err)
}

func (s *server) evmMineDetailed(ctx context.Context, how jsonrpc.Optional[json.RawMessage]) ([]any, error) {
	o, err := mineParams(how.Value)
	if err != nil {
		return nil, invalid("evm_mine_detailed: %v", err)
	}
	if o.Blocks > 1000 {
		return nil, invalid("evm_mine_detailed: %d blocks, more than 1000, are too many to show", o.Blocks)
	}
	before := s.n.Len()
	if _, err := s.n.Mine(ctx, o); err != nil {
		return nil, wrong(err)
	}
	var all []*dev.Block
	b := s.n.Latest()
	for range s.n.Len() - before {
		all = append(all, b)
		b = s.n.Parent(b)
	}
	out := []any{}
	for i := len(all) - 1; i >= 0; i-- {
		r, err := s.n.Render(ctx, all[i], s.o.Manner)
		if err != nil {
			return nil, err
		}
		out = append(out, r.Block.Full(r.Transactions))
	}
	return out, nil
}

func (s *server) intervalMine(ctx context.Context) (bool, error) {
	_, err := s.n.Mine(ctx, dev.MineOptions{})
	return err == nil, wrong(err)
}

// setAutomine turns mining with each transaction on or off. As at Anvil's, turned on it ends mining by the clock.
func (s *server) setAutomine(on bool) {
	if on {
		s.n.SetInterval(0)
	}
	s.n.SetAutomine(on)
}

// setInterval makes blocks come by the clock, and 0 ends it. Anvil's clients send seconds, Hardhat's milliseconds: from 1000 on they are taken
// for these, since nobody waits a quarter of an hour for a block.
func (s *server) setInterval(every interval) error {
	const milliseconds, most = 1000, 1 << 31
	n := Uint(every)
	if n > most {
		return invalid("an interval of %d", n)
	}
	d := time.Duration(n) * time.Second
	if n >= milliseconds {
		d = time.Duration(n) * time.Millisecond
	}
	s.n.SetInterval(d)
	if d > 0 {
		s.n.SetAutomine(false)
	}
	return nil
}

// interval is a number, or as Hardhat takes it the least and the most of a time of chance, of which it is the middle here.
type interval Uint

// UnmarshalJSON reads it.
func (i *interval) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '[' {
		return (*Uint)(i).UnmarshalJSON(b)
	}
	var span []Uint
	if err := json.Unmarshal(b, &span); err != nil {
		return err
	}
	if len(span) != 2 || span[0] > span[1] {
		return fmt.Errorf("want a number, or [least, most], got %s", shown(b))
	}
	*i = interval(span[0] + (span[1]-span[0])/2)
	return nil
}

func (s *server) getInterval() *uint64 {
	d := s.n.Interval()
	if d == 0 {
		return nil
	}
	seconds := uint64(d / time.Second)
	return &seconds
}

func (s *server) drop(h eth.Hash) *eth.Hash {
	if !s.n.Drop(h) {
		return nil
	}
	return &h
}

func (s *server) dropOf(a Address) {
	for _, w := range s.n.Pool() {
		if w.Message.Message.From == a.Address {
			s.n.Drop(w.Hash)
		}
	}
}

func (s *server) setBaseFee(fee Amount) error {
	if err := s.n.SetNextBaseFee(fee.tokens()); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// The limit of a block is the network's: 10^10 units of gas.
func (s *server) setGasLimit(limit Uint) bool { return limit > 0 }

// at is the epoch of a number.
func at(n Uint) (abi.ChainEpoch, error) {
	const most = 1 << 40
	if n > most {
		return 0, fmt.Errorf("the epoch %d is too high", n)
	}
	return abi.ChainEpoch(n), nil
}
