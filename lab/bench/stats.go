package bench

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// GasPerNS is what the network's prices are made for: a unit of gas is a tenth of a nanosecond.
const GasPerNS = 10

// Percentile is the value below or at which so many percent of the list lie, by the nearest rank: always one of
// the list, 0 of an empty one. The list need not be sorted.
func Percentile[T cmp.Ordered](list []T, percent int) T {
	if len(list) == 0 {
		var none T
		return none
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

// Sum is timings taken together.
type Sum struct {
	Name    string
	Timings []*Timing
	// Ratios are those of the messages that the reference has a time for, in the order of Timings.
	Ratios []float64
	// Ours is the sum of our times, Theirs that of the reference's, Compared that of ours of the messages that the
	// reference has a time for.
	Ours, Theirs, Compared time.Duration
	Gas                    int64
	Allocs, Bytes          uint64
	Phases                 Phases
	Hashing                time.Duration
}

// SumOf takes timings together.
func SumOf(name string, list []*Timing) *Sum {
	s := &Sum{Name: name, Timings: list, Phases: Phases{}}
	for _, t := range list {
		s.Ours, s.Gas, s.Allocs, s.Bytes = s.Ours+t.Ours, s.Gas+t.Gas, s.Allocs+t.Allocs, s.Bytes+t.Bytes
		s.Phases.Add(t.Phases)
		s.Hashing += t.Hashing
		if r := t.Ratio(); r > 0 {
			s.Ratios = append(s.Ratios, r)
			s.Theirs, s.Compared = s.Theirs+t.Theirs, s.Compared+t.Ours
		}
	}
	return s
}

// GroupBy sums timings by a name, in the order of the names.
func GroupBy(list []*Timing, name func(*Timing) string) (groups []*Sum) {
	by := map[string][]*Timing{}
	for _, t := range list {
		by[name(t)] = append(by[name(t)], t)
	}
	for _, n := range slices.Sorted(maps.Keys(by)) {
		groups = append(groups, SumOf(n, by[n]))
	}
	return groups
}

// Ratio is the sum of our times over the sum of the reference's; 0 if it gave none.
func (s *Sum) Ratio() float64 {
	if s.Theirs <= 0 {
		return 0
	}
	return float64(s.Compared) / float64(s.Theirs)
}

// Speed is gas a nanosecond; GasPerNS is what the prices are made for.
func (s *Sum) Speed() float64 { return float64(s.Gas) / max(float64(s.Ours), 1) }

// Slow counts the messages that use gas, and those of them that do less of it in a nanosecond than the prices are made for.
func (s *Sum) Slow() (slow, all int) {
	for _, t := range s.Timings {
		if t.Gas > 0 {
			all++
			if float64(t.Gas) < GasPerNS*float64(t.Ours) {
				slow++
			}
		}
	}
	return slow, all
}

// Times are ours.
func (s *Sum) Times() (list []time.Duration) {
	for _, t := range s.Timings {
		list = append(list, t.Ours)
	}
	return list
}
