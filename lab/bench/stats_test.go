package bench

import (
	"slices"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	ten := []int{10, 3, 7, 1, 9, 2, 8, 4, 6, 5}
	for _, c := range []struct {
		name    string
		list    []int
		percent int
		want    int
	}{
		{"nothing", nil, 50, 0},
		{"one", []int{7}, 50, 7},
		{"one, its least", []int{7}, 0, 7},
		{"one, its most", []int{7}, 100, 7},
		{"the lower of two", []int{9, 4}, 50, 4},
		{"the middle of three", []int{9, 4, 6}, 50, 6},
		{"p10 of ten", ten, 10, 1},
		{"p11 of ten", ten, 11, 2},
		{"p50 of ten", ten, 50, 5},
		{"p90 of ten", ten, 90, 9},
		{"p91 of ten", ten, 91, 10},
		{"p99 of ten", ten, 99, 10},
		{"all of ten", ten, 100, 10},
	} {
		if got := Percentile(c.list, c.percent); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if ten[0] != 10 {
		t.Error("it sorted the list of the caller")
	}
}

// made are made-up timings: scenario, network version, ours and the reference's time in ns, gas.
func made(scenario string, ours, theirs time.Duration, gas int64) *Timing {
	return &Timing{Scenario: scenario, Ours: ours, Theirs: theirs, Gas: gas, Allocs: 3, Bytes: 100, Phases: Phases{Guest: ours / 2, Settle: 1}, Hashing: 2}
}

func TestSumOf(t *testing.T) {
	s := SumOf("all", []*Timing{made("a", 100, 400, 2000), made("b", 300, 100, 100), made("c", 50, 0, 0)})
	if !slices.Equal(s.Ratios, []float64{0.25, 3}) {
		t.Errorf("ratios %v: the message without a time of the reference must not count", s.Ratios)
	}
	if s.Ours != 450 || s.Theirs != 500 || s.Compared != 400 || s.Ratio() != 0.8 {
		t.Errorf("ours %d, theirs %d, compared %d, ratio %g", s.Ours, s.Theirs, s.Compared, s.Ratio())
	}
	if s.Gas != 2100 || s.Allocs != 9 || s.Bytes != 300 || s.Hashing != 6 || s.Phases[Guest] != 225 || s.Phases[Settle] != 3 || s.Phases.Total() != 228 {
		t.Errorf("%+v", s)
	}
	if got := s.Speed(); got != 2100.0/450 {
		t.Errorf("speed %g", got)
	}
	if slow, all := s.Slow(); slow != 1 || all != 2 { // 20 and a third of gas a nanosecond, and one without gas
		t.Errorf("%d of %d are slow", slow, all)
	}
	if got := s.Times(); !slices.Equal(got, []time.Duration{100, 300, 50}) {
		t.Errorf("times %v", got)
	}
	none := SumOf("none", nil)
	if none.Ratio() != 0 || none.Speed() != 0 || len(none.Times()) != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

func TestGroupBy(t *testing.T) {
	list := []*Timing{made("send", 1, 2, 3), made("evm", 10, 20, 30), made("send", 100, 100, 300)}
	groups := GroupBy(list, func(t *Timing) string { return t.Scenario })
	if len(groups) != 2 || groups[0].Name != "evm" || groups[1].Name != "send" {
		t.Fatalf("%+v", groups)
	}
	if g := groups[1]; g.Ours != 101 || g.Theirs != 102 || len(g.Timings) != 2 || g.Timings[0] != list[0] {
		t.Errorf("%+v", g)
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		ours, theirs time.Duration
		want         float64
	}{{100, 200, 0.5}, {300, 200, 1.5}, {100, 0, 0}, {0, 100, 0}} {
		if got := (&Timing{Ours: c.ours, Theirs: c.theirs}).Ratio(); got != c.want {
			t.Errorf("%d over %d is %g, want %g", c.ours, c.theirs, got, c.want)
		}
	}
}
