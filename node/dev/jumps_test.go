package dev_test

import (
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// A jump of more than a day moves the epochs where somebody keeps deadlines, or where it is asked for.
func TestJumps(t *testing.T) {
	const days = 2
	const seconds, epochs = days*86400 + 600, days*2880 + 20
	for _, c := range []struct {
		name   string
		miners int
		jumps  dev.Jumps
		epochs abi.ChainEpoch
	}{
		{"nobody stores", 0, dev.JumpsAuto, 1},
		{"somebody stores", 1, dev.JumpsAuto, epochs},
		{"the clock alone", 1, dev.JumpsClock, 1},
		{"epochs all the same", 0, dev.JumpsIdle, epochs},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := devtest.New(t, dev.Options{Genesis: genesis.Options{Miners: c.miners}, Jumps: c.jumps})
			if _, err := n.IncreaseTime(seconds); err != nil {
				t.Fatal(err)
			}
			b := n.Blocks(t, 1)
			if b.Epoch() != c.epochs || b.Timestamp() != uint64(devtest.Begin.Unix())+seconds {
				t.Errorf("epoch %d, %d seconds later; want %d, %d", b.Epoch(), b.Timestamp()-uint64(devtest.Begin.Unix()), c.epochs, seconds)
			}
			if next := n.Blocks(t, 1); next.Epoch() != b.Epoch()+1 {
				t.Errorf("the next is at epoch %d", next.Epoch())
			}
		})
	}
}

// minerState is what a chain says of its miner: its power, and where its deadlines are.
type minerState struct {
	power            big.Int
	period, deadline int64
}

func minerOf(t *testing.T, n *devtest.Net) minerState {
	t.Helper()
	st, err := n.Tree(t.Context(), n.Latest())
	if err != nil {
		t.Fatal(err)
	}
	p, err := st.Fields(t.Context(), tree.Power)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := st.Miner(t.Context(), n.Genesis().Miners[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	var s minerState
	for _, f := range []func() error{
		func() (err error) { s.power, err = p.Amount(0); return err },  // TotalRawBytePower
		func() (err error) { s.period, err = m.Int(10); return err },   // ProvingPeriodStart
		func() (err error) { s.deadline, err = m.Int(11); return err }, // CurrentDeadline
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// With cron only where it is due a miner's deadlines pass and its sectors, that nobody proves, become faulty, as they do with cron in each
// null round.
func TestIdleRoundsAsAll(t *testing.T) {
	const epochs = 3000 // more than a proving period
	var all []minerState
	for _, idle := range []bool{false, true} {
		n := devtest.New(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
		before := minerOf(t, n)
		skip := n.SkipEpochs
		if idle {
			skip = n.SkipIdle
		}
		if err := skip(epochs); err != nil {
			t.Fatal(err)
		}
		if b := n.Blocks(t, 1); b.Epoch() != epochs+1 {
			t.Fatalf("epoch %d", b.Epoch())
		}
		after := minerOf(t, n)
		if before.power.Sign() <= 0 || after.power.Sign() != 0 || after.period == before.period {
			t.Errorf("idle %v: %+v became %+v", idle, before, after)
		}
		all = append(all, after)
		// Later rounds have cron again.
		if err := n.SkipEpochs(3); err != nil {
			t.Fatal(err)
		}
		n.Blocks(t, 1)
	}
	if a, b := all[0], all[1]; a.period != b.period || a.deadline != b.deadline || !a.power.Equals(b.power) {
		t.Errorf("with cron in each round %+v, where it is due %+v", a, b)
	}
}

func TestParseJumps(t *testing.T) {
	for _, name := range []string{"auto", "clock", "idle", "cron"} {
		if j, err := dev.ParseJumps(name); err != nil || j.String() != name {
			t.Errorf("%s: %v %v", name, j, err)
		}
	}
	if _, err := dev.ParseJumps("never"); err == nil {
		t.Error("anything is taken")
	}
}
