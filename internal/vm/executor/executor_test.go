package executor_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/nv"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/conformance/goldentest"
)

// chainLength makes inclusion cost 38,863 + 475,000 + 1300 (36 + 150) gas.
const (
	chainLength = 150
	inclusion   = 755_663
)

// A message that fails preflight changes nothing and costs the miner alone.
func TestPreflightRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*executor.Message)
		code    exitcode.ExitCode
		penalty int64 // attoFIL, of a base fee of 100
		failure string
	}{
		{"limit below inclusion", func(m *executor.Message) { m.GasLimit = inclusion - 1 }, 7, 100 * inclusion, "inclusion costs 755663"},
		{"limit below inclusion, no sender", func(m *executor.Message) { m.GasLimit, m.From = 1, addr.NewID(nobody) }, 7, 100 * inclusion, "inclusion"},
		{"no such ID", func(m *executor.Message) { m.From = addr.NewID(nobody) }, 1, 100_000_000, "f0300 has no actor"},
		{"no such address", func(m *executor.Message) { m.From = f1(t, "nobody") }, 1, 100_000_000, "does not exist"},
		{"multisig", func(m *executor.Message) { m.From = addr.NewID(wallet) }, 1, 100_000_000, "not an account"},
		{"system", func(m *executor.Message) { m.From, m.Nonce = addr.NewID(0), 0 }, 1, 100_000_000, "not an account"},
		{"placeholder with a nonce", func(m *executor.Message) { m.From = addr.NewID(spent) }, 1, 100_000_000, "not an account"},
		{"placeholder of another namespace", func(m *executor.Message) { m.From, m.Nonce = addr.NewID(foreign), 0 }, 1, 100_000_000, "not an account"},
		{"placeholder without an address", func(m *executor.Message) { m.From, m.Nonce = addr.NewID(bare), 0 }, 1, 100_000_000, "not an account"},
		{"placeholder, wrong nonce", func(m *executor.Message) { m.From, m.Nonce = addr.NewID(fresh), 1 }, 2, 100_000_000, "nonce is 1"},
		{"nonce too low", func(m *executor.Message) { m.Nonce = 6 }, 2, 100_000_000, "nonce is 6, the sender's next is 7"},
		{"nonce too high", func(m *executor.Message) { m.Nonce = 8 }, 2, 100_000_000, "nonce is 8"},
		{"too poor", func(m *executor.Message) { m.GasFeeCap = big.NewInt(1001) }, 2, 100_000_000, "gas may cost 1001000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, 28)
			before := root(t, m)
			msg := fromAlice()
			c.change(&msg)
			r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
			if err != nil {
				t.Fatal(err)
			}
			if r.ExitCode != c.code || !r.Penalty.Equals(big.NewInt(c.penalty)) || !strings.Contains(r.Failure, c.failure) {
				t.Errorf("exit %d, penalty %s, %q; want %d, %d, %q", r.ExitCode, r.Penalty, r.Failure, c.code, c.penalty, c.failure)
			}
			if r.GasUsed != 0 || r.Return != nil || r.EventsRoot != nil || r.GasRefund != 0 || r.GasBurned != 0 {
				t.Errorf("a receipt that is not empty: %+v", r)
			}
			for _, v := range []abi.TokenAmount{r.MinerTip, r.BaseFeeBurn, r.OverEstimationBurn, r.Refund} {
				if !v.Equals(big.Zero()) {
					t.Errorf("a fee of %s", v)
				}
			}
			if after := root(t, m); after != before {
				t.Errorf("the state changed from %s to %s", before, after)
			}
		})
	}
}

// Who may send, if only just.
func TestPreflightAdmits(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*executor.Message)
		sender abi.ActorID
	}{
		{"by ID", func(*executor.Message) {}, alice},
		{"by address", func(m *executor.Message) { m.From = f1(t, "alice") }, alice},
		{"ethaccount", func(m *executor.Message) { m.From = addr.NewID(ether) }, ether},
		{"placeholder", func(m *executor.Message) { m.From, m.Nonce = addr.NewID(fresh), 0 }, fresh},
		{"all it has", func(m *executor.Message) { m.GasFeeCap = big.NewInt(1000) }, alice},
		{"limit equal to inclusion", func(m *executor.Message) { m.GasLimit = inclusion }, alice},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, 18)
			msg := fromAlice()
			c.change(&msg)
			r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
			if err != nil || r.ExitCode != 0 || r.GasUsed != inclusion || !r.Penalty.IsZero() {
				t.Fatalf("%+v, %v", r, err)
			}
			if st := actor(t, m, c.sender); st.Nonce != msg.Nonce+1 {
				t.Errorf("the nonce became %d", st.Nonce)
			}
		})
	}
}

// A placeholder becomes an ethaccount with its first message, whatever comes of it.
func TestPlaceholderBecomesAccount(t *testing.T) {
	for name, value := range map[string]int64{"success": 1, "failure": 10 * endowment} {
		m := newMachine(t, 28)
		msg := fromAlice()
		msg.From, msg.Nonce, msg.Value, msg.GasLimit, msg.GasFeeCap = addr.NewID(fresh), 0, big.NewInt(value), 2_000_000, big.NewInt(120)
		r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
		if err != nil || (r.ExitCode == 0) != (name == "success") {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		if st := actor(t, m, fresh); st.Code != code("ethaccount") || st.Nonce != 1 || st.Delegated == nil {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// The fees, by hand from the formulas: with pay = min(base fee, cap),
//
//	burn    = pay used                 tip  = min(premium, cap - pay) limit
//	over    = min(limit - 11 used / 10, used), at least 0
//	burned  = (limit - used) over / used
//	penalty = (base fee - pay) (used + burned)
//
// and the rest of cap limit is refunded.
func TestSettlement(t *testing.T) {
	for _, c := range []struct {
		name                                string
		limit, cap, premium, value          int64
		code                                exitcode.ExitCode
		used                                int64
		burn, tip, over, refund, penalty    int64
		gasRefund, gasBurned                int64
		sender, receiver, burnt, rewardGain int64 // by how much balances change
	}{
		{
			"over-estimated", 1_000_000, 150, 20, 0, 0, 755_663,
			75_566_300, 20_000_000, 5_457_000, 48_976_700, 0, 189_767, 54_570,
			-101_023_300, 0, 81_023_300, 20_000_000,
		},
		{
			"fee cap below the base fee", 1_000_000, 60, 20, 0, 0, 755_663,
			45_339_780, 0, 3_274_200, 11_386_020, 32_409_320, 189_767, 54_570,
			-48_613_980, 0, 48_613_980, 0,
		},
		{
			"premium cut by the fee cap", 755_663, 110, 20, 0, 0, 755_663,
			75_566_300, 7_556_630, 0, 0, 0, 0, 0,
			-83_122_930, 0, 75_566_300, 7_556_630,
		},
		{
			"all that is left over is burnt", 2_000_000, 150, 20, 0, 0, 755_663,
			75_566_300, 40_000_000, 124_433_700, 60_000_000, 0, 0, 1_244_337,
			-240_000_000, 0, 200_000_000, 40_000_000,
		},
		{
			// A transfer costs 6000 and the receiver's update 475,000; it was looked up before.
			"value", 1_500_000, 150, 20, 5, 0, 1_236_663,
			123_666_300, 30_000_000, 2_974_100, 68_359_600, 0, 233_596, 29_741,
			-156_640_405, 5, 126_640_400, 30_000_000,
		},
		{
			// One gas short of the transfer's 6000: everything is used.
			"out of gas", 761_662, 150, 20, 5, 7, 761_662,
			76_166_200, 15_233_240, 0, 22_849_860, 0, 0, 0,
			-91_399_440, 0, 76_166_200, 15_233_240,
		},
		{
			"insufficient funds", 1_000_000, 100, 0, endowment, 6, 761_663,
			76_166_300, 0, 5_074_500, 18_759_200, 0, 187_592, 50_745,
			-81_240_800, 0, 81_240_800, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, 28)
			msg := fromAlice()
			msg.GasLimit, msg.GasFeeCap, msg.GasPremium, msg.Value = c.limit, big.NewInt(c.cap), big.NewInt(c.premium), big.NewInt(c.value)
			r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
			if err != nil {
				t.Fatal(err)
			}
			type amounts struct{ used, burn, tip, over, refund, penalty, gasRefund, gasBurned int64 }
			got := amounts{r.GasUsed, r.BaseFeeBurn.Int64(), r.MinerTip.Int64(), r.OverEstimationBurn.Int64(), r.Refund.Int64(), r.Penalty.Int64(), r.GasRefund, r.GasBurned}
			want := amounts{c.used, c.burn, c.tip, c.over, c.refund, c.penalty, c.gasRefund, c.gasBurned}
			if r.ExitCode != c.code || got != want {
				t.Errorf("exit %d, %+v; want %d, %+v", r.ExitCode, got, c.code, want)
			}
			for id, gain := range map[abi.ActorID]int64{alice: c.sender, bob: c.receiver, 99: c.burnt, 2: c.rewardGain} {
				if st := actor(t, m, id); !st.Balance.Equals(big.NewInt(endowment + gain)) {
					t.Errorf("the actor %d has %s, want %d", id, st.Balance, endowment+gain)
				}
			}
			if st := actor(t, m, alice); st.Nonce != 8 {
				t.Errorf("the nonce became %d", st.Nonce)
			}
		})
	}
}

// Messages of the system pay nothing and need neither nonce nor account.
func TestImplicit(t *testing.T) {
	m := newMachine(t, 28)
	msg := fromAlice()
	msg.From, msg.Nonce, msg.Value, msg.GasLimit, msg.GasFeeCap = addr.NewID(wallet), 99, big.NewInt(5), math.MaxInt64/2, big.NewInt(1<<40)
	r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Implicit, 0)
	// The transfer and the receiver's update; no inclusion.
	if err != nil || r.ExitCode != 0 || r.GasUsed != 481_000 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, v := range []abi.TokenAmount{r.Penalty, r.MinerTip, r.BaseFeeBurn, r.OverEstimationBurn, r.Refund} {
		if !v.Equals(big.Zero()) {
			t.Errorf("a fee of %s", v)
		}
	}
	if st := actor(t, m, wallet); st.Nonce != 7 || !st.Balance.Equals(big.NewInt(endowment-5)) {
		t.Errorf("the sender: %+v", st)
	}
	before := root(t, m)
	msg.From = f1(t, "nobody")
	r, err = executor.Execute(t.Context(), m, nil, &msg, executor.Implicit, 0)
	if err != nil || r.ExitCode != 1 || !r.Penalty.Equals(big.Zero()) || root(t, m) != before {
		t.Errorf("an unknown sender: %+v, %v", r, err)
	}
	// An ID is enough of a sender; without an actor it has no funds.
	msg.From = addr.NewID(nobody)
	if r, err = executor.Execute(t.Context(), m, nil, &msg, executor.Implicit, 0); err != nil || r.ExitCode != 6 {
		t.Errorf("an ID without an actor: %+v, %v", r, err)
	}
}

// The ends of a message that is not delivered.
func TestDispatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*executor.Message)
		code   exitcode.ExitCode
	}{
		{"no such ID", func(m *executor.Message) { m.To = addr.NewID(nobody) }, 5},
		{"an ID of 64 bits", func(m *executor.Message) { m.To = addr.NewID(1<<64 - 1) }, 5},
		{"no such f2", func(m *executor.Message) { m.To = f2(t) }, 5},
		{"a namespace without a manager", func(m *executor.Message) { m.To = *f4(t, 11, "x") }, 5},
		{"the BLS zero address", func(m *executor.Message) { m.To = blsZero(t) }, 10},
		{"negative value", func(m *executor.Message) { m.Value = big.NewInt(-1) }, 10},
		{"more than it has", func(m *executor.Message) { m.Value = big.NewInt(2 * endowment) }, 6},
	} {
		for _, nv := range []int{18, 28} {
			m := newMachine(t, 18)
			if nv == 28 {
				m = newMachine(t, 28)
			}
			msg := fromAlice()
			msg.GasLimit, msg.GasFeeCap = 3_000_000, big.NewInt(120)
			c.change(&msg)
			r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
			if err != nil || r.ExitCode != c.code || r.Failure == "" {
				t.Errorf("%s, nv%d: %+v, %v; want exit %d", c.name, nv, r, err, c.code)
			}
			if st := actor(t, m, alice); st.Nonce != 8 {
				t.Errorf("%s, nv%d: the nonce became %d", c.name, nv, st.Nonce)
			}
		}
	}
}

func f2(t *testing.T) address.Address {
	t.Helper()
	a, err := address.NewActorAddress([]byte("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func blsZero(t *testing.T) address.Address {
	t.Helper()
	a, err := address.NewBLSAddress(append([]byte{0xc0}, make([]byte, 47)...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Messages that no block may hold have no receipt, and change nothing.
func TestNoReceipt(t *testing.T) {
	for name, change := range map[string]func(*executor.Message){
		"gas limit 0":        func(m *executor.Message) { m.GasLimit = 0 },
		"negative gas limit": func(m *executor.Message) { m.GasLimit = math.MinInt64 },
		"no receiver":        func(m *executor.Message) { m.To = address.Undef },
		"no sender":          func(m *executor.Message) { m.From = address.Undef },
	} {
		m := newMachine(t, 28)
		before := root(t, m)
		msg := fromAlice()
		change(&msg)
		r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
		var invalid *execerr.InvalidMessage
		if r != nil || !errors.As(err, &invalid) || root(t, m) != before {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// A message with negative fees is refused before it runs, on every network version, and changes nothing; unless it is
// refused for something else, of which there is a receipt. Of implicit messages fees do not count.
func TestNegativeFees(t *testing.T) {
	const first, last = nv.Oldest, nv.Newest
	for nv := first; nv <= last; nv++ {
		for _, c := range []struct {
			name, want string
			change     func(*executor.Message)
		}{
			{"fee cap", "the gas fee cap -1 is negative", func(m *executor.Message) { m.GasFeeCap = big.NewInt(-1) }},
			{"premium", "the gas premium -1 is negative", func(m *executor.Message) { m.GasPremium = big.NewInt(-1) }},
			{"premium above a low fee cap", "the gas premium -150 is negative", func(m *executor.Message) {
				m.GasPremium, m.GasFeeCap = big.NewInt(-150), big.Zero()
			}},
		} {
			m := newMachine(t, nv)
			before := root(t, m)
			msg := fromAlice()
			c.change(&msg)
			r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
			var invalid *execerr.InvalidMessage
			if r != nil || !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) || root(t, m) != before {
				t.Errorf("nv%d, %s: %+v, %v", nv, c.name, r, err)
			}
			msg.Nonce++
			if r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength); err != nil || r.ExitCode != 2 || root(t, m) != before {
				t.Errorf("nv%d, %s, wrong nonce: %+v, %v", nv, c.name, r, err)
			}
			if r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Implicit, chainLength); err != nil || r.ExitCode != 0 {
				t.Errorf("nv%d, %s, implicit: %+v, %v", nv, c.name, r, err)
			}
		}
	}
}

// Where the state cannot take the fees there is no receipt, and the error is this machine's end.
func TestSettlementFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *machine.Machine, *executor.Message)
		want   string
	}{
		"no reward actor": {func(t *testing.T, m *machine.Machine, _ *executor.Message) {
			if err := m.Tree.DeleteActor(2); err != nil {
				t.Fatal(err)
			}
		}, "the actor 2, which receives a fee, does not exist"},
	} {
		m := newMachine(t, 28)
		msg := fromAlice()
		c.change(t, m, &msg)
		_, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
		var fatal *execerr.Fatal
		if !errors.As(err, &fatal) || fatal.Guest || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A fatal error that every node has alike is a receipt with exit code 10, and all the gas is used.
func TestQuirkFatalErrorCostsAllGas(t *testing.T) {
	m := newMachine(t, 28)
	// A method of an actor whose code nobody has: here the code is not even a builtin actor's.
	unknown := state.ActorState{Code: code("nothing known"), Head: machine.EmptyArray(), Balance: big.Zero()}
	if err := m.Tree.SetActor(bob, unknown); err != nil {
		t.Fatal(err)
	}
	msg := fromAlice()
	msg.Method, msg.Value = 2, big.NewInt(5)
	msg.GasLimit, msg.GasFeeCap = 3_000_000, big.NewInt(110)
	r, err := executor.Execute(t.Context(), m, newModules(t), &msg, executor.Explicit, chainLength)
	if err != nil || r.ExitCode != 10 || r.GasUsed != 3_000_000 || r.GasBurned != 0 || r.Return != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if st := actor(t, m, bob); !st.Balance.IsZero() {
		t.Errorf("the value was transferred after all: %s", st.Balance)
	}
	goldentest.Run(t, "nv18-wat-invoke-no-result", "nv29-wat-invoke-no-result-trap", "nv22-wat-start-with-param")
}
