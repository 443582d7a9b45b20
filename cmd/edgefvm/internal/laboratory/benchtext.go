package laboratory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/bench"
)

// row is a line of a table: a name, and cells to the right of their columns.
func row(name string, cells ...string) string {
	wide := 14
	if len(cells) > 5 {
		wide = 12
	}
	line := layout.PadRight(layout.Cut(name, 22), 22)
	for _, c := range cells {
		line += layout.PadLeft(c, wide)
	}
	return line
}

func printBench(g *layout.Page, r *bench.Report) {
	for _, l := range r.Left {
		g.Line("left out: %s", term.OneLine(l.String()))
	}
	all := make([]*bench.Sum, len(r.Engines))
	for i := range r.Engines {
		all[i] = r.Engines[i].All()
		if len(r.Engines) > 1 {
			if i > 0 {
				g.Line("")
			}
			g.Line("%s", g.P.Bold(all[i].Name))
		}
		printEngine(g, all[i])
	}
	if len(r.Engines) > 1 {
		g.Line("")
	}
	for i, s := range all {
		what := fmt.Sprintf("%s of %s on %s, least of %s", term.Count(len(s.Timings), "message"), term.Count(r.Vectors, "vector"), r.Engines[i].Engine, term.Count(r.Rounds, "round"))
		if len(s.Ratios) == 0 {
			g.Line("measured %s: p50 %s, total %s", what, term.Short(bench.Percentile(s.Times(), 50)), term.Short(s.Ours))
			continue
		}
		g.Line("measured %s", what)
		g.Line("ratio p50 %.2f p90 %.2f total %.2f", bench.Percentile(s.Ratios, 50), bench.Percentile(s.Ratios, 90), s.Ratio())
	}
}

// printEngine writes an engine's tables.
func printEngine(g *layout.Page, s *bench.Sum) {
	printTimes(g, s)
	versions := bench.GroupBy(s.Timings, func(t *bench.Timing) string { return fmt.Sprintf("nv%d", t.NV) })
	scenarios := bench.GroupBy(s.Timings, func(t *bench.Timing) string { return t.Scenario })
	printRatios(g, "by scenario", scenarios)
	printRatios(g, "by network version", versions)
	printSpeed(g, s, scenarios)
	if len(s.Phases) > 0 {
		printPhases(g, s)
		printShares(g, scenarios)
	}
	g.Line("")
}

func printTimes(g *layout.Page, s *bench.Sum) {
	times := func(name string, list []time.Duration, sum time.Duration) {
		g.Line("%s", row(name, term.Short(bench.Percentile(list, 50)), term.Short(bench.Percentile(list, 90)), term.Short(bench.Percentile(list, 100)), term.Short(sum)))
	}
	counts := func(name string, list []uint64, sum uint64) {
		g.Line("%s", row(name, layout.Grouped(bench.Percentile(list, 50)), layout.Grouped(bench.Percentile(list, 90)), layout.Grouped(bench.Percentile(list, 100)), layout.Grouped(sum)))
	}
	var theirs []time.Duration
	var allocs, bytes []uint64
	for _, t := range s.Timings {
		allocs, bytes = append(allocs, t.Allocs), append(bytes, t.Bytes)
		if t.Theirs > 0 {
			theirs = append(theirs, t.Theirs)
		}
	}
	g.Line("%s", row("a message", "p50", "p90", "max", "total"))
	times("time", s.Times(), s.Ours)
	if len(theirs) > 0 {
		times("time of the reference", theirs, s.Theirs)
	}
	counts("allocations", allocs, s.Allocs)
	counts("bytes allocated", bytes, s.Bytes)
}

// printRatios writes a table of groups: the ratio to the reference if there is one, gas and allocations.
func printRatios(g *layout.Page, title string, groups []*bench.Sum) {
	g.Title(title)
	head := []string{"messages", "time p50"}
	against := slices.ContainsFunc(groups, func(s *bench.Sum) bool { return len(s.Ratios) > 0 })
	if against {
		head = []string{"messages", "ratio p10", "p50", "p90", "p99", "total"}
	}
	g.Line("%s", row("", append(head, "gas/ns", "allocs p50")...))
	for _, s := range groups {
		var allocs []uint64
		for _, t := range s.Timings {
			allocs = append(allocs, t.Allocs)
		}
		cells := []string{layout.Grouped(len(s.Timings)), term.Short(bench.Percentile(s.Times(), 50))}
		if against {
			cells = cells[:1]
			for _, percent := range []int{10, 50, 90, 99} {
				cells = append(cells, orDash(len(s.Ratios) > 0, bench.Percentile(s.Ratios, percent)))
			}
			cells = append(cells, orDash(s.Theirs > 0, s.Ratio()))
		}
		g.Line("%s", row(s.Name, append(cells, fmt.Sprintf("%.1f", s.Speed()), layout.Grouped(bench.Percentile(allocs, 50)))...))
	}
}

func orDash(there bool, v float64) string {
	if !there {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// printSpeed tells where less gas is done in a nanosecond than the network's prices are made for.
func printSpeed(g *layout.Page, s *bench.Sum, scenarios []*bench.Sum) {
	slow, some := s.Slow()
	line := fmt.Sprintf("gas a nanosecond: %.1f in all; below %d: %s of %s messages with gas", s.Speed(), bench.GasPerNS, layout.Grouped(slow), layout.Grouped(some))
	var names []string
	for _, sc := range scenarios {
		if sc.Gas > 0 && sc.Speed() < bench.GasPerNS {
			names = append(names, sc.Name)
		}
	}
	if len(names) > 0 {
		line += "; scenarios below it: " + strings.Join(names, ", ")
	}
	g.Line("")
	g.Line("%s", layout.Wrap(line, g.Columns, "  "))
}

// printPhases writes where the time of all messages went.
func printPhases(g *layout.Page, s *bench.Sum) {
	sum := s.Phases.Total()
	apply := sum - s.Phases[bench.Flush] - s.Phases[bench.Writes]
	g.Title("where the time goes")
	g.Line("%s", row("phase", "total", "share", "a message"))
	for _, name := range s.Phases.Names() {
		d := s.Phases[name]
		g.Line("%s", row(name, term.Short(d), shareOf(d, sum), term.Short(d/time.Duration(len(s.Timings)))))
	}
	g.Line("%s", row("of these, hashing", term.Short(s.Hashing), shareOf(s.Hashing, sum), term.Short(s.Hashing/time.Duration(len(s.Timings)))))
	g.Line("%s", layout.Wrap(fmt.Sprintf("applying took %s with the clocks, %s without", term.Short(apply), term.Short(s.Ours)), g.Columns, "  "))
}

func shareOf(part, all time.Duration) string {
	return fmt.Sprintf("%.1f%%", 100*float64(part)/max(float64(all), 1))
}

// printShares writes the phases of each scenario, syscalls taken together, in percent.
func printShares(g *layout.Page, groups []*bench.Sum) {
	g.Title("phases by scenario, in percent")
	columns := []string{bench.Preflight, bench.Calls, bench.Instantiate, bench.Guest, bench.Syscalls, bench.Reads, bench.Settle, bench.Flush}
	g.Line("%s", row("", columns...))
	for _, s := range groups {
		sum := s.Phases.Total()
		var cells []string
		for _, c := range columns {
			d := s.Phases[c]
			switch c {
			case bench.Calls:
				d += s.Phases[bench.Compile]
			case bench.Flush:
				d += s.Phases[bench.Writes]
			case bench.Syscalls:
				d = s.Phases.Syscalls()
			}
			cells = append(cells, fmt.Sprintf("%.1f", 100*float64(d)/max(float64(sum), 1)))
		}
		g.Line("%s", row(s.Name, cells...))
	}
}

func printCold(g *layout.Page, list []bench.ColdTime, rounds int) {
	g.Title("from the start of a process to its first receipt")
	g.Line("%s", row("", "least", "median", "exit code", "gas"))
	last := ""
	for _, t := range list {
		if t.Vector != last {
			g.Line("%s", layout.Clean(t.Vector))
			last = t.Vector
		}
		code, gas := fmt.Sprint(t.ExitCode), layout.Grouped(t.Gas)
		if t.Engine == bench.ReferenceName {
			code, gas = "-", "-"
		}
		g.Line("%s", row("  "+t.Engine, term.Short(t.Least), term.Short(t.Median), code, gas))
	}
	g.Line("measured %d %s of each, after one to warm the caches", rounds, layout.Choose(rounds, "process", "processes"))
}
