package gas

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"testing/quick"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/trace"
)

// saturated is the exact result v as a Gas.
func saturated(v *big.Int) Gas {
	switch {
	case v.Sign() < 0:
		return 0
	case !v.IsUint64():
		return math.MaxUint64
	}
	return Gas(v.Uint64())
}

func TestArithmeticSaturates(t *testing.T) {
	check := func(a, b uint64) bool {
		x, y := new(big.Int).SetUint64(a), new(big.Int).SetUint64(b)
		return Gas(a).Add(Gas(b)) == saturated(new(big.Int).Add(x, y)) &&
			Gas(a).Sub(Gas(b)) == saturated(new(big.Int).Sub(x, y)) &&
			Gas(a).Mul(b) == saturated(new(big.Int).Mul(x, y)) &&
			New(a) == saturated(new(big.Int).Mul(x, big.NewInt(1000)))
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	edges := []uint64{0, 1, 999, 1000, 1001, 1 << 32, math.MaxUint64 / 1000, math.MaxUint64/1000 + 1, math.MaxInt64, math.MaxUint64 - 1, math.MaxUint64}
	for _, a := range edges {
		for _, b := range edges {
			if !check(a, b) {
				t.Errorf("%d and %d", a, b)
			}
		}
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		g        Gas
		down, up uint64
	}{
		{0, 0, 0}, {1, 0, 1}, {100, 0, 1}, {999, 0, 1}, {1000, 1, 1}, {1001, 1, 2},
		{math.MaxUint64, 18446744073709551, 18446744073709552},
	} {
		if c.g.RoundDown() != c.down || c.g.RoundUp() != c.up {
			t.Errorf("%d milligas are %d to %d gas, want %d to %d", c.g, c.g.RoundDown(), c.g.RoundUp(), c.down, c.up)
		}
	}
}

func TestTracker(t *testing.T) {
	tr := NewTracker(New(20), nil)
	if err := tr.Charge("a", New(15)); err != nil {
		t.Fatal(err)
	}
	if err := tr.Apply(Charge{Name: "b", Compute: New(2), Other: New(3)}); err != nil {
		t.Fatal(err)
	}
	if tr.Used() != New(20) || tr.Available() != 0 || tr.Limit() != New(20) {
		t.Errorf("used %d of %d, %d left", tr.Used(), tr.Limit(), tr.Available())
	}
	if err := tr.Charge("nothing", 0); err != nil {
		t.Errorf("charging nothing with nothing left: %v", err)
	}
	if err := tr.Charge("c", 1); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("error %v, want out of gas", err)
	}
}

// A charge that fails takes what is left, also if its sum overflows.
func TestTrackerTakesAllWhenOut(t *testing.T) {
	for _, c := range []Charge{{Compute: 5, Other: 6}, {Compute: math.MaxUint64, Other: math.MaxUint64}, {Other: math.MaxUint64}} {
		tr := NewTracker(10, nil)
		if err := tr.Apply(c); !errors.Is(err, execerr.ErrOutOfGas) || tr.Used() != 10 || tr.Available() != 0 {
			t.Errorf("%v: error %v, used %d", c, err, tr.Used())
		}
	}
}

func TestTrackerLimitFitsTheGuestCounter(t *testing.T) {
	for _, l := range []Gas{math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		if got := NewTracker(l, nil).Limit(); got != math.MaxInt64 {
			t.Errorf("limit %d becomes %d", l, got)
		}
	}
}

func TestHookHearsEveryCharge(t *testing.T) {
	var heard []trace.GasCharge
	tr := NewTracker(10, &trace.Hooks{OnGasCharge: func(c trace.GasCharge) { heard = append(heard, c) }})
	if err := tr.Charge("fits", 4); err != nil {
		t.Fatal(err)
	}
	if err := tr.Apply(Charge{"too much", 7, 8}); err == nil || len(heard) != 2 {
		t.Fatalf("error %v after %d charges", err, len(heard))
	}
	if want := (trace.GasCharge{Name: "fits", Compute: 4}); heard[0] != want {
		t.Errorf("heard %v, want %v", heard[0], want)
	}
	if want := (trace.GasCharge{Name: "too much", Compute: 7, Other: 8}); heard[1] != want {
		t.Errorf("heard %v, want %v", heard[1], want)
	}
}

func TestHooksMayLackTheHook(t *testing.T) {
	if err := NewTracker(10, &trace.Hooks{}).Charge("a", 1); err != nil {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	tr := NewTracker(100, nil)
	steps := []struct {
		do          func() error
		limit, used Gas
		fails       bool
	}{
		{func() error { return tr.Charge("", 10) }, 100, 10, false},
		{func() error { tr.PushLimit(1000); return nil }, 90, 0, false}, // no more than is available
		{func() error { tr.PushLimit(30); return nil }, 30, 0, false},
		{func() error { return tr.Charge("", 31) }, 30, 30, true},
		{tr.PopLimit, 90, 30, false},
		{func() error { return tr.Charge("", 60) }, 90, 90, false},
		{func() error { tr.PushLimit(5); return nil }, 0, 0, false},
		{func() error { return tr.Charge("", 1) }, 0, 0, true},
		{tr.PopLimit, 90, 90, false},
		{tr.PopLimit, 100, 100, false},
		{tr.PopLimit, 100, 100, true},
	}
	for i, s := range steps {
		if err := s.do(); (err != nil) != s.fails || tr.Limit() != s.limit || tr.Used() != s.used {
			t.Errorf("step %d: used %d of %d, error %v; want %d of %d, failure %v", i, tr.Used(), tr.Limit(), err, s.used, s.limit, s.fails)
		}
	}
	var fatal *execerr.Fatal
	if err := tr.PopLimit(); !errors.As(err, &fatal) || fatal.Guest {
		t.Errorf("popping the last limit: %v, want a failure of the node", err)
	}
}

// Whatever is charged under whatever limits, no gas is lost or made: what is
// used never exceeds a limit, and after all pops it is what the charges took.
func TestLimitsLoseNothing(t *testing.T) {
	check := func(limit uint32, ops []uint16) bool {
		tr := NewTracker(Gas(limit), nil)
		var took Gas
		depth := 0
		for _, op := range ops {
			amount := Gas(op / 4)
			switch op % 4 {
			case 0:
				tr.PushLimit(amount * 16)
				depth++
			case 1:
				if depth > 0 {
					depth--
					if tr.PopLimit() != nil {
						return false
					}
				}
			default:
				left := tr.Available()
				if (tr.Charge("", amount) == nil) != (amount <= left) {
					return false
				}
				took += min(amount, left)
			}
			if tr.Used() > tr.Limit() {
				return false
			}
		}
		for ; depth > 0; depth-- {
			if tr.PopLimit() != nil {
				return false
			}
		}
		return tr.Used() == took && tr.Limit() == Gas(limit)
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func TestNoAllocations(t *testing.T) {
	p, tr := &teep, NewTracker(math.MaxInt64, nil)
	if n := testing.AllocsPerRun(100, func() {
		_ = tr.Apply(p.OnBlockOpen(100, 3))
		_ = tr.Apply(p.OnActorEvent(1, 2, 3))
		_ = tr.Apply(p.OnBlockLink(crypto.BLAKE2b256, 5))
		_ = tr.Charge("OnSyscall", p.Wasm.HostCallCost)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// signed is the exact result v as a signed Gas.
func signed(v *big.Int) Gas {
	switch {
	case v.IsInt64():
		return Gas(v.Int64())
	case v.Sign() < 0:
		return 1 << 63
	}
	return math.MaxInt64
}

func TestSignedArithmeticSaturates(t *testing.T) {
	check := func(a, b int64) bool {
		x, y := big.NewInt(a), big.NewInt(b)
		return Gas(addSigned(a, b)) == signed(new(big.Int).Add(x, y)) &&
			Gas(subSigned(a, b)) == signed(new(big.Int).Sub(x, y)) &&
			NewSigned(a) == signed(new(big.Int).Mul(x, big.NewInt(1000)))
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	edges := []int64{0, 1, -1, 999, 1000, -1000, math.MaxInt64 / 1000, math.MaxInt64/1000 + 1, math.MinInt64 / 1000, math.MinInt64/1000 - 1, math.MaxInt64 - 1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}
	for _, a := range edges {
		for _, b := range edges {
			if !check(a, b) {
				t.Errorf("%d and %d", a, b)
			}
		}
	}
}

// Until nv17 a charge can be negative: it gives back, beyond what was used, and none of that is lost at the end.
func TestSignedGasGivesBack(t *testing.T) {
	tr := NewSignedTracker(New(100), nil)
	step := func(c Charge, used, available int64, ok bool) {
		t.Helper()
		if err := tr.Apply(c); (err == nil) != ok || tr.Used() != NewSigned(used) || tr.Available() != NewSigned(available) {
			t.Errorf("%+v: error %v, %d used, %d left; want %d and %d", c, err, tr.Used(), tr.Available(), New(uint64(used)), New(uint64(available)))
		}
	}
	step(Charge{"a", New(30), 0}, 30, 70, true)
	step(Charge{"b", 0, NewSigned(-50)}, 0, 120, true) // 20 less than nothing is used, which counts as nothing
	step(Charge{"c", New(120), 0}, 100, 0, true)
	step(Charge{"d", NewSigned(-10), New(10)}, 100, 0, true)
	step(Charge{"e", 1, 0}, 100, 0, false)
	step(Charge{"f", NewSigned(-1), 0}, 99, 1, true)
	step(Charge{"g", NewSigned(math.MaxInt64), NewSigned(math.MaxInt64)}, 100, 0, false)
	if err := tr.Charge("h", NewSigned(math.MinInt64)); err != nil || tr.Used() != 0 || tr.Available() != math.MaxInt64 {
		t.Errorf("%v, %d used, %d left: more than any limit is given back", err, tr.Used(), tr.Available())
	}
	if err := tr.Charge("i", NewSigned(math.MinInt64)); err != nil || tr.Available() != math.MaxInt64 {
		t.Errorf("%v, %d left: it saturates", err, tr.Available())
	}
}

func TestSpent(t *testing.T) {
	unsigned, signed := NewTracker(New(1), nil), NewSignedTracker(New(1), nil)
	for _, c := range []struct {
		last         Gas
		counter      int64
		want, signed Gas
	}{
		{100, 40, 60, 60}, {100, -7, 107, 107}, {100, 130, 0, Gas(1<<64 - 30)},
		{math.MaxInt64, math.MinInt64, math.MaxUint64, math.MaxInt64},
	} {
		if got := unsigned.Spent(c.last, c.counter); got != c.want {
			t.Errorf("from %d to %d: %d, want %d", c.last, c.counter, got, c.want)
		}
		if got := signed.Spent(c.last, c.counter); got != c.signed {
			t.Errorf("from %d to %d, signed: %d, want %d", c.last, c.counter, int64(got), int64(c.signed))
		}
	}
}

// The zero charge is none; one of nothing, by an actor and without a name, is one.
func TestNoCharge(t *testing.T) {
	heard := 0
	tr := NewTracker(10, &trace.Hooks{OnGasCharge: func(trace.GasCharge) { heard++ }})
	if err := tr.Apply(Charge{}); err != nil || heard != 0 {
		t.Errorf("none: %v, heard %d", err, heard)
	}
	if err := tr.Charge("", 0); err != nil || heard != 1 {
		t.Errorf("nothing: %v, heard %d", err, heard)
	}
}

// BenchmarkCharge is what each syscall does at least twice: a price, and gas taken for it, without and with a listener.
func BenchmarkCharge(b *testing.B) {
	list, err := PricesFor(28, false)
	if err != nil {
		b.Fatal(err)
	}
	heard := 0
	for name, hooks := range map[string]*trace.Hooks{"Plain": nil, "Traced": {OnGasCharge: func(trace.GasCharge) { heard++ }}} {
		b.Run(name, func(b *testing.B) {
			t := NewTracker(maxLimit, hooks)
			b.ReportAllocs()
			for b.Loop() {
				if err := t.Apply(list.OnBlockRead(100)); err != nil {
					t = NewTracker(maxLimit, hooks)
				}
			}
		})
	}
}
