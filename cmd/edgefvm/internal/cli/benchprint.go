package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// gasPerNS is what the network's prices are made for: a unit of gas is a tenth of a nanosecond.
const gasPerNS = 10

// sums are timings taken together.
type sums struct {
	name    string
	list    []*timing
	ratios  []float64
	ours    time.Duration
	theirs  time.Duration
	compare time.Duration // of ours, that of the messages that the reference has a time for
	gas     int64
	allocs  uint64
	bytes   uint64
	phases  phases
	hashing time.Duration
}

func sumOf(name string, list []*timing) *sums {
	s := &sums{name: name, list: list, phases: phases{}}
	for _, t := range list {
		s.ours, s.gas, s.allocs, s.bytes = s.ours+t.Ours, s.gas+t.Gas, s.allocs+t.Allocs, s.bytes+t.Bytes
		s.phases.add(t.Phases)
		s.hashing += t.Hashing
		if r := t.ratio(); r > 0 {
			s.ratios = append(s.ratios, r)
			s.theirs, s.compare = s.theirs+t.Theirs, s.compare+t.Ours
		}
	}
	return s
}

func (s *sums) total() float64 { return float64(s.compare) / float64(s.theirs) }

func (s *sums) speed() float64 { return float64(s.gas) / max(float64(s.ours), 1) }

// groupsOf are the timings by a name, in the order of the names, numbers by their size.
func groupsOf(list []*timing, name func(*timing) string) (groups []*sums) {
	by := map[string][]*timing{}
	for _, t := range list {
		by[name(t)] = append(by[name(t)], t)
	}
	for _, n := range slices.Sorted(maps.Keys(by)) {
		groups = append(groups, sumOf(n, by[n]))
	}
	return groups
}

func row(name string, cells ...string) string {
	wide := 14
	if len(cells) > 5 {
		wide = 12
	}
	line := padRight(cut(name, 22), 22)
	for _, c := range cells {
		line += padLeft(c, wide)
	}
	return line
}

func (b *bench) print(rounds int) error {
	g := newPage(b.cmd.OutOrStdout())
	for _, s := range b.skipped {
		g.line("left out: %s", clean(s))
	}
	all := make([]*sums, len(b.engines))
	for i, c := range b.engines {
		list := make([]*timing, len(c.timings))
		for j := range c.timings {
			list[j] = &c.timings[j]
		}
		all[i] = sumOf(c.name, list)
		if len(b.engines) > 1 {
			if i > 0 {
				g.line("")
			}
			g.line("%s", g.p.bold(c.name))
		}
		all[i].print(g)
	}
	if len(b.engines) > 1 {
		g.line("")
	}
	for i, s := range all {
		n := len(s.list)
		what := fmt.Sprintf("%d %s of %d %s on %s, least of %d %s", n, plural(n, "message"), b.vectors, plural(b.vectors, "vector"), b.engines[i].engine.Name(), rounds, plural(rounds, "round"))
		if len(s.ratios) == 0 {
			g.line("measured %s: p50 %s, total %s", what, short(at(timesOf(s.list), 50)), short(s.ours))
			continue
		}
		g.line("measured %s", what)
		g.line("ratio p50 %.2f p90 %.2f total %.2f", at(s.ratios, 50), at(s.ratios, 90), s.total())
	}
	return g.err
}

func timesOf(list []*timing) (times []time.Duration) {
	for _, t := range list {
		times = append(times, t.Ours)
	}
	return times
}

// print writes an engine's tables.
func (s *sums) print(g *page) {
	s.printTimes(g)
	versions := groupsOf(s.list, func(t *timing) string { return fmt.Sprintf("nv%d", t.NV) })
	scenarios := groupsOf(s.list, func(t *timing) string { return t.Scenario })
	printRatios(g, "by scenario", scenarios)
	printRatios(g, "by network version", versions)
	s.printSpeed(g, scenarios)
	if len(s.phases) > 0 {
		s.printPhases(g)
		printShares(g, scenarios)
	}
	g.line("")
}

func (s *sums) printTimes(g *page) {
	times := func(name string, list []time.Duration, sum time.Duration) {
		g.line("%s", row(name, short(at(list, 50)), short(at(list, 90)), short(at(list, 100)), short(sum)))
	}
	counts := func(name string, list []uint64, sum uint64) {
		g.line("%s", row(name, grouped(at(list, 50)), grouped(at(list, 90)), grouped(at(list, 100)), grouped(sum)))
	}
	var theirs []time.Duration
	var allocs, bytes []uint64
	for _, t := range s.list {
		allocs, bytes = append(allocs, t.Allocs), append(bytes, t.Bytes)
		if t.Theirs > 0 {
			theirs = append(theirs, t.Theirs)
		}
	}
	g.line("%s", row("a message", "p50", "p90", "max", "total"))
	times("time", timesOf(s.list), s.ours)
	if len(theirs) > 0 {
		times("time of the reference", theirs, s.theirs)
	}
	counts("allocations", allocs, s.allocs)
	counts("bytes allocated", bytes, s.bytes)
}

// printRatios writes a table of groups: the ratio to the reference if there is one, gas and allocations.
func printRatios(g *page, title string, groups []*sums) {
	g.title(title)
	head := []string{"messages", "time p50"}
	against := slices.ContainsFunc(groups, func(s *sums) bool { return len(s.ratios) > 0 })
	if against {
		head = []string{"messages", "ratio p10", "p50", "p90", "p99", "total"}
	}
	g.line("%s", row("", append(head, "gas/ns", "allocs p50")...))
	for _, s := range groups {
		var allocs []uint64
		for _, t := range s.list {
			allocs = append(allocs, t.Allocs)
		}
		cells := []string{grouped(len(s.list)), short(at(timesOf(s.list), 50))}
		if against {
			cells = cells[:1]
			for _, percent := range []int{10, 50, 90, 99} {
				cells = append(cells, orDash(len(s.ratios) > 0, at(s.ratios, percent)))
			}
			cells = append(cells, orDash(s.theirs > 0, s.total()))
		}
		g.line("%s", row(s.name, append(cells, fmt.Sprintf("%.1f", s.speed()), grouped(at(allocs, 50)))...))
	}
}

func orDash(there bool, v float64) string {
	if !there {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// printSpeed tells where less gas is done in a nanosecond than the network's prices are made for.
func (s *sums) printSpeed(g *page, scenarios []*sums) {
	var slow, some int
	for _, t := range s.list {
		if t.Gas > 0 {
			some++
			if float64(t.Gas) < gasPerNS*float64(t.Ours) {
				slow++
			}
		}
	}
	line := fmt.Sprintf("gas a nanosecond: %.1f in all; below %d: %s of %s messages with gas", s.speed(), gasPerNS, grouped(slow), grouped(some))
	var names []string
	for _, sc := range scenarios {
		if sc.gas > 0 && sc.speed() < gasPerNS {
			names = append(names, sc.name)
		}
	}
	if len(names) > 0 {
		line += "; scenarios below it: " + strings.Join(names, ", ")
	}
	g.line("")
	g.line("%s", wrap(line, g.columns, "  "))
}

// printPhases writes where the time of all messages went.
func (s *sums) printPhases(g *page) {
	sum := s.phases.total()
	apply := sum - s.phases[phaseFlush] - s.phases[phaseWrites]
	g.title("where the time goes")
	g.line("%s", row("phase", "total", "share", "a message"))
	for _, name := range s.phases.names() {
		d := s.phases[name]
		g.line("%s", row(name, short(d), shareOf(d, sum), short(d/time.Duration(len(s.list)))))
	}
	g.line("%s", row("of these, hashing", short(s.hashing), shareOf(s.hashing, sum), short(s.hashing/time.Duration(len(s.list)))))
	g.line("%s", wrap(fmt.Sprintf("applying took %s with the clocks, %s without", short(apply), short(s.ours)), g.columns, "  "))
}

func shareOf(part, all time.Duration) string {
	return fmt.Sprintf("%.1f%%", 100*float64(part)/max(float64(all), 1))
}

// printShares writes the phases of each scenario, syscalls taken together, in percent.
func printShares(g *page, groups []*sums) {
	g.title("phases by scenario, in percent")
	columns := []string{phasePreflight, phaseCalls, phaseInstantiate, phaseGuest, strings.TrimSpace(phaseSyscalls), phaseReads, phaseSettle, phaseFlush}
	g.line("%s", row("", columns...))
	for _, s := range groups {
		sum := s.phases.total()
		var cells []string
		for _, c := range columns {
			d := s.phases[c]
			switch c {
			case phaseCalls:
				d += s.phases[phaseCompile]
			case phaseFlush:
				d += s.phases[phaseWrites]
			case strings.TrimSpace(phaseSyscalls):
				for name, part := range s.phases {
					if strings.HasPrefix(name, phaseSyscalls) {
						d += part
					}
				}
			}
			cells = append(cells, fmt.Sprintf("%.1f", 100*float64(d)/max(float64(sum), 1)))
		}
		g.line("%s", row(s.name, cells...))
	}
}
