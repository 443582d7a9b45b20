package dev

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
)

// settings are what the next block is made by. Snapshots keep them.
type settings struct {
	automine bool
	interval time.Duration
	jumps    Jumps
	clock    clock
	baseFee  *abi.TokenAmount            // of the next block, forced
	forced   map[abi.ChainEpoch][32]byte // randomness; never changed in place
}

// clock is how the chain's time differs from the clock's.
type clock struct {
	offset int64   // seconds
	next   *uint64 // of the next block, to the second
	step   *uint64 // between blocks
	moved  uint64  // seconds that time was moved since the last block
	skip   uint64  // null rounds that were asked for
	idle   bool    // of the null rounds only those have cron in which something is due
}

// maxTime is the latest time of a block, in seconds since 1970: the end of the year 9999.
const maxTime = 253402300799

// ErrTime is wrapped by errors about a time that no next block can have.
var ErrTime = errors.New("timestamp error")

// Automine tells whether messages are executed at once.
func (n *Node) Automine() bool { return n.settings().automine }

// SetAutomine sets it. What waits is not executed by it.
func (n *Node) SetAutomine(on bool) { n.change(func(s *settings) { s.automine = on }) }

// Interval is the time between blocks that are made by the clock; 0: none are.
func (n *Node) Interval() time.Duration { return n.settings().interval }

// SetInterval sets it; 0 ends it.
func (n *Node) SetInterval(d time.Duration) {
	n.change(func(s *settings) { s.interval = max(d, 0) })
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *Node) settings() settings {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.set
}

func (n *Node) change(f func(*settings)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(&n.set)
}

// Time is what a block that is made now would have as its timestamp, in seconds since 1970.
func (n *Node) Time() uint64 {
	set := n.settings()
	return n.next(&set, n.Latest()).time
}

// BlockTime is how long an epoch lasts, in seconds.
func (n *Node) BlockTime() uint64 { return n.o.BlockTime }

// IncreaseTime moves the time of later blocks, by whole seconds. It gives by how much time is moved altogether.
func (n *Node) IncreaseTime(seconds uint64) (total int64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &n.set.clock
	if seconds > maxTime || c.offset > maxTime-int64(seconds) {
		return c.offset, fmt.Errorf("%w: %d seconds lead beyond the year 9999", ErrTime, seconds)
	}
	c.offset += int64(seconds)
	c.moved += seconds
	return c.offset, nil
}

// SetNextTimestamp sets the next block's time, in seconds since 1970. It must be after the latest block's.
func (n *Node) SetNextTimestamp(t uint64) error {
	if err := n.after(t); err != nil {
		return err
	}
	n.change(func(s *settings) { s.clock.next = &t })
	return nil
}

func (n *Node) after(t uint64) error {
	if last := n.Latest().Timestamp(); t <= last || t > maxTime {
		return fmt.Errorf("%w: %d is not after the latest block's, %d, or beyond the year 9999", ErrTime, t, last)
	}
	return nil
}

// SetTime sets what time it is for the chain, in seconds since 1970. A time before the latest block's is taken: later blocks then
// follow a second apart, until time has caught up.
func (n *Node) SetTime(t uint64) error {
	if t > maxTime {
		return fmt.Errorf("%w: %d is beyond the year 9999", ErrTime, t)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &n.set.clock
	offset := int64(t) - n.now().Unix()
	if offset > c.offset {
		c.moved += uint64(offset - c.offset)
	}
	c.offset = offset
	return nil
}

// SetTimestampStep fixes the seconds between blocks; nil: the clock tells.
func (n *Node) SetTimestampStep(seconds *uint64) error {
	if seconds != nil && *seconds > math.MaxUint32 {
		return fmt.Errorf("%w: %d seconds between blocks", ErrTime, *seconds)
	}
	n.change(func(s *settings) { s.clock.step = seconds })
	return nil
}

// SkipEpochs makes the next block so many epochs higher, after null rounds. Its time moves along.
func (n *Node) SkipEpochs(epochs uint64) error {
	if epochs > maxTime/n.o.BlockTime {
		return fmt.Errorf("%w: %d epochs lead beyond the year 9999", ErrTime, epochs)
	}
	if _, err := n.IncreaseTime(epochs * n.o.BlockTime); err != nil {
		return err
	}
	n.change(func(s *settings) {
		s.clock.moved -= min(s.clock.moved, epochs*n.o.BlockTime)
		s.clock.skip += epochs
	})
	return nil
}

// SkipIdle is SkipEpochs in which cron runs only at epochs for which an actor has asked for it, such as miners' deadlines and deals: some
// hundred times faster, and not what the network does. What is due happens at its epoch; sums that the reward and the power actor keep an epoch
// at a time are made up for by them later. Package replay will say that the states are not by the rules.
func (n *Node) SkipIdle(epochs uint64) error {
	if err := n.SkipEpochs(epochs); err != nil {
		return err
	}
	n.change(func(s *settings) { s.clock.idle = true })
	return nil
}

// SetNextBaseFee forces the next block's base fee, in attoFIL a unit of gas. Package replay will say that it is not by the rules.
func (n *Node) SetNextBaseFee(fee abi.TokenAmount) error {
	if fee.Int == nil || fee.Sign() < 0 || fee.BitLen() > 128 {
		return fmt.Errorf("a base fee is 0 to 2^128-1 attoFIL")
	}
	fee = big.Add(fee, big.Zero())
	n.change(func(s *settings) { s.baseFee = &fee })
	return nil
}

// SetRandomness forces the randomness of an epoch, that of tickets and that of the beacon, which contracts see as PREVRANDAO; nil lets
// the chain answer again. Package replay will not know of it.
func (n *Node) SetRandomness(epoch abi.ChainEpoch, value *[32]byte) {
	n.change(func(s *settings) {
		next := map[abi.ChainEpoch][32]byte{}
		for e, v := range s.forced {
			next[e] = v
		}
		delete(next, epoch)
		if value != nil {
			next[epoch] = *value
		}
		s.forced = next
	})
}

func (n *Node) forced(epoch abi.ChainEpoch) (v [32]byte, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, ok = n.set.forced[epoch]
	return v, ok
}

// passed uses up what a block was made by, with its time t; what was set in the meantime is for the next one.
func (s *settings) passed(by *settings, now time.Time, t uint64) {
	c, used := &s.clock, &by.clock
	if used.next != nil && c.next == used.next {
		c.offset, c.next = int64(t)-now.Unix(), nil // time goes on from there
	}
	c.moved -= min(c.moved, used.moved)
	if c.skip -= min(c.skip, used.skip); c.skip == 0 {
		c.idle = false
	}
	if s.baseFee == by.baseFee {
		s.baseFee = nil
	}
}

// tick makes blocks by the clock, until ctx is done.
func (n *Node) tick(ctx context.Context) {
	defer n.tasks.Done()
	for {
		d := n.Interval()
		var due <-chan time.Time
		var timer *time.Timer
		if d > 0 {
			timer = time.NewTimer(d)
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
			if timer != nil {
				timer.Stop()
			}
		case <-due:
			if _, err := n.Mine(ctx, MineOptions{}); err != nil && ctx.Err() == nil {
				n.o.Logger.Error("no block was made", "error", err)
			}
		}
	}
}
