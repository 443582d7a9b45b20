package dev

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// Jumps say what a jump of time by more than a day does. Up to a day epochs follow, with cron in each. Tests jump over a year to open a
// lock: that is a million epochs, and minutes of cron.
type Jumps int

const (
	// JumpsAuto is JumpsIdle on a chain that has 1 to 100 storage providers, and JumpsClock on others. It is the default.
	JumpsAuto Jumps = iota
	// JumpsClock moves the clock alone, as on Ethereum's development nodes: the next block is one epoch further.
	JumpsClock
	// JumpsIdle makes as many epochs as time has. Of the null rounds those have cron in which an actor has asked for it: see SkipIdle.
	JumpsIdle
	// JumpsCron makes as many epochs as time has, with cron in each, as the network does after null rounds: some 2,000 epochs a second.
	JumpsCron
)

// jumpNames are what people write.
var jumpNames = []string{"auto", "clock", "idle", "cron"}

func (j Jumps) String() string {
	if j < 0 || int(j) >= len(jumpNames) {
		return fmt.Sprintf("Jumps(%d)", int(j))
	}
	return jumpNames[j]
}

// ParseJumps reads auto, clock, idle or cron.
func ParseJumps(name string) (Jumps, error) {
	for i, n := range jumpNames {
		if n == name {
			return Jumps(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not what a jump of time may do: want auto, clock, idle or cron", name)
}

// Jumps says what a jump of more than a day does.
func (n *Node) Jumps() Jumps { return n.settings().jumps }

// SetJumps sets it.
func (n *Node) SetJumps(j Jumps) error {
	if j < JumpsAuto || j > JumpsCron {
		return fmt.Errorf("%w: no jump of time is %d", ErrOptions, int(j))
	}
	n.change(func(s *settings) { s.jumps = j })
	return nil
}

// longestJump is by how many seconds time may be moved so that epochs follow in any case, with cron in each.
const longestJump = 24 * 60 * 60

// moment is when a block upon another would be.
type moment struct {
	up   uint64 // epochs above the other one
	time uint64 // its timestamp
	idle bool   // of the null rounds between only those have cron in which something is due
}

// next is when a block upon another would be.
func (n *Node) next(s *settings, on *Block) moment {
	c := &s.clock
	last := on.Timestamp()
	moved := c.moved
	var t uint64
	switch {
	case c.next != nil && *c.next > last:
		t = *c.next
		moved = t - last
	case c.step != nil:
		t = last + max(*c.step, 1)
	default:
		if t = uint64(max(n.now().Unix()+c.offset, 0)); t < last {
			t = last + 1
		}
	}
	at := moment{up: max(moved/n.o.BlockTime, 1), time: max(min(t, maxTime), last), idle: c.idle}
	if moved > longestJump {
		switch jumps := s.jumps; {
		case jumps == JumpsCron:
		case jumps == JumpsIdle, jumps == JumpsAuto && few(n.providers(on)):
			at.idle = true
		default:
			at.up = 1
		}
	}
	at.up += c.skip
	return at
}

// few tells whether so many storage providers are a development network's. On a real network's state something is due at each epoch.
func few(providers int64) bool {
	const most = 100
	return providers > 0 && providers <= most
}

// Fields of the power actor's and the market's state, in the order of their lists in all versions from 8 to 19, and how their queues are laid
// out. The power actor's list got longer in version 15, before its queue.
const (
	powerMiners   = 9
	powerCronBack = 4 // HAMT of events by epoch, counted from the end
	powerBits     = 6
	marketCron    = 6 // HAMT of deals by epoch
	marketBits    = 5
	maxDueEvents  = 1 << 20
)

// providers is how many miners the state after a block has; 0 where it cannot be told.
func (n *Node) providers(b *Block) int64 {
	t, err := tree.Load(context.Background(), b.states, b.Root)
	if err != nil {
		return 0
	}
	f, err := t.Fields(context.Background(), tree.Power)
	if err != nil {
		return 0
	}
	miners, err := f.Int(powerMiners)
	if err != nil {
		return 0
	}
	return miners
}

// due is the lowest epoch for which an actor has asked to be called by cron.
func due(ctx context.Context, states blockstore.Blockstore, root cid.Cid) (abi.ChainEpoch, error) {
	t, err := tree.Load(ctx, states, root)
	if err != nil {
		return 0, err
	}
	first := abi.ChainEpoch(math.MaxInt64)
	for _, q := range []struct {
		of          abi.ActorID
		field, bits int
		read        func([]byte) (abi.ChainEpoch, error)
	}{{tree.Power, -powerCronBack, powerBits, signedKey}, {tree.Market, marketCron, marketBits, unsignedKey}} {
		f, err := t.Fields(ctx, q.of)
		if err != nil {
			return 0, err
		}
		at := q.field
		if at < 0 {
			at += f.Len()
		}
		root, err := f.CID(at)
		if err != nil {
			return 0, err
		}
		queue := &collections.Map{Source: collections.Source{Load: t.Block}, Root: root, Format: collections.HAMT, Bits: q.bits}
		seen := 0
		err = queue.ForEach(ctx, func(key, _ []byte) error {
			if seen++; seen > maxDueEvents {
				return fmt.Errorf("the cron of f0%d has more than %d epochs", q.of, maxDueEvents)
			}
			epoch, err := q.read(key)
			first = min(first, epoch)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("when cron is due: %w", err)
		}
	}
	return first, nil
}

// signedKey reads an epoch as it is a key of the power actor's queue.
func signedKey(key []byte) (abi.ChainEpoch, error) {
	e, n := binary.Varint(key)
	if n != len(key) {
		return 0, fmt.Errorf("%w: %x is no epoch", tree.ErrMalformed, key)
	}
	return abi.ChainEpoch(e), nil
}

// unsignedKey reads an epoch as it is a key of the market's.
func unsignedKey(key []byte) (abi.ChainEpoch, error) {
	e, n := binary.Uvarint(key)
	if n != len(key) || e > math.MaxInt64 {
		return 0, fmt.Errorf("%w: %x is no epoch", tree.ErrMalformed, key)
	}
	return abi.ChainEpoch(e), nil
}
