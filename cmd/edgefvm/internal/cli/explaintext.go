package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
)

// page collects what is printed; the first error of the writer stays.
type page struct {
	w       io.Writer
	p       painter
	columns int // how wide the output is at most
	err     error
}

func newPage(w io.Writer) *page { return &page{w: w, p: newPainter(w), columns: columnsOf(w)} }

func (g *page) line(format string, a ...any) {
	if g.err == nil {
		_, g.err = fmt.Fprintf(g.w, format+"\n", a...)
	}
}

func (g *page) lines(all []string) {
	for _, l := range all {
		g.line("%s", l)
	}
}

func (g *page) title(s string) {
	g.line("")
	g.line("%s", g.p.bold(s))
}

func (x *explanation) print(g *page) error {
	p := g.p
	head := p.bold(clean(x.Vector))
	if x.Comment != "" {
		head += " · " + strings.ReplaceAll(clean(x.Comment), "\n", " ")
	}
	g.line("%s", wrap(head, g.columns, "  "))
	facts := fmt.Sprintf("network version %d · epoch %d", x.NV, x.Epoch)
	if x.Bundle != "" {
		facts += " · actors " + clean(x.Bundle)
	}
	g.line("%s", wrap(p.dim(facts+" · on "+x.engine), g.columns, "  "))
	x.printEngines(g)
	for i := range x.Messages {
		if x.only < 0 || x.only == i {
			x.Messages[i].print(g, i, len(x.Messages))
		}
	}
	g.line("")
	if x.Matches {
		g.line("%s as expected: %s.", p.green("✓"), strings.Join(x.compared, ", "))
	} else {
		g.line("%s not as expected:", p.red("✗"))
		for _, d := range x.Differs {
			g.line("  %s", clean(d))
		}
	}
	return g.err
}

// printEngines tells the difference that a bundle is of.
func (x *explanation) printEngines(g *page) {
	for i, l := range recorded(x.Engines) {
		l = wrap(clean(l), g.columns-2, "    ")
		if i == 0 {
			l = "\n" + g.p.red("≠") + " " + l
		} else {
			l = "  " + l
		}
		g.line("%s", l)
	}
}

func (m *explained) print(g *page, i, of int) {
	p := g.p
	if of > 1 {
		g.title(fmt.Sprintf("Message %d of %d", i+1, of))
	} else {
		g.line("")
	}
	kind := ""
	if m.Implicit {
		kind = p.dim(" (implicit)")
	}
	to := m.To
	if c := m.Calls.Calls; len(c) > 0 && c[0].ID != nil {
		to = c[0].Actor + " " + m.To
	}
	// Long addresses share the line; a short one leaves its room to the other.
	room := g.columns - 5 - width(kind)
	from := cut(m.From, max(room/2, room-width(to)))
	g.line("  %s %s %s%s", from, p.dim("→"), cut(to, room-width(from)), kind)
	method := p.bold(m.Name)
	if !strings.HasPrefix(m.Name, "method ") {
		method += p.dim(fmt.Sprintf(" (method %d)", m.Method))
	}
	g.line("  %s, value %s", method, fil(m.value))
	m.printReceipt(g)
	m.printCalls(g)
	m.printKinds(g)
	m.printEvents(g)
	m.printChanges(g)
}

func (m *explained) printReceipt(g *page) {
	p := g.p
	if m.Exit == nil {
		g.line("  %s %s", p.red("✗ no receipt:"), wrap(clean(m.Meaning), g.columns-16, "    "))
		return
	}
	verdict := p.green(fmt.Sprintf("✓ exit code 0, %s", m.Meaning))
	if *m.Exit != 0 {
		verdict = p.red(fmt.Sprintf("✗ exit code %d, %s", *m.Exit, m.Meaning))
	}
	gas := fmt.Sprintf("%s gas", grouped(m.GasUsed))
	if m.GasLimit > 0 && !m.Implicit {
		gas += fmt.Sprintf(" of %s (%.1f%%)", grouped(m.GasLimit), 100*float64(m.GasUsed)/float64(m.GasLimit))
	}
	g.line("%s", wrap("  "+verdict+" · "+gas, g.columns, "    "))
	if m.Failure != "" {
		for _, l := range strings.Split(clean(strings.TrimSpace(m.Failure)), "\n") {
			const lines = 4 // an actor may give 1024 bytes of anything; --json has it whole
			for _, part := range strings.Split(wrap(cut(strings.TrimSpace(l), lines*(g.columns-6)), g.columns-4, "  "), "\n") {
				g.line("    %s", p.dim(part))
			}
		}
	}
	if n := len(m.Return) / 2; n > 0 {
		count := grouped(n) + plural(n, " byte")
		g.line("  returns %s %s", count, p.dim(cut("0x"+m.Return, min(67, g.columns-11-width(count)))))
	}
	if r := m.res; r != nil && !m.Implicit {
		var parts []string
		for _, f := range []struct {
			name string
			v    big.Int
		}{{"burnt", big.Add(r.BaseFeeBurn, r.OverEstimationBurn)}, {"tip", r.MinerTip}, {"miner's penalty", r.Penalty}} {
			if f.v.Int != nil && f.v.Sign() != 0 {
				parts = append(parts, f.name+" "+fil(f.v))
			}
		}
		if len(parts) > 0 {
			g.line("%s", wrap("  fees: "+strings.Join(parts, ", "), g.columns, "        "))
		}
	}
}

func plural(n int, s string) string { return choose(n, s, s+"s") }

func choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// The columns of numbers beside the calls.
const (
	gasColumn   = 15
	shareColumn = 8
)

// treeColumn is what is left for the calls.
func (g *page) treeColumn() int { return g.columns - 2*gasColumn - shareColumn }

func (m *explained) printCalls(g *page) {
	if len(m.Calls.Calls) == 0 {
		return
	}
	g.line("")
	g.line("%s%s%s", padRight(g.p.bold("Calls"), g.treeColumn()), g.p.dim(padLeft("gas with calls", gasColumn)), g.p.dim(padLeft("its own", gasColumn)+padLeft("share", shareColumn)))
	total := m.Calls.Total
	for _, f := range m.Calls.Calls {
		printFrame(g, f, "  ", "  ", total)
	}
	if m.Calls.Self != 0 {
		g.line("%s%s%s", padRight(cut("  inclusion and return on the chain", g.treeColumn()), g.treeColumn()), padLeft("", gasColumn), padLeft(gasText(m.Calls.Self), gasColumn)+padLeft(percent(m.Calls.Self, total), shareColumn))
	}
}

const leastLabel = 24 // columns for the name of a call, however deep

func printFrame(g *page, f *frame, first, rest string, total int64) {
	p := g.p
	label := f.who() + " · " + f.Name
	var notes []string
	if f.value.Int != nil && f.value.Sign() != 0 {
		notes = append(notes, fil(f.value))
	}
	if f.Creates {
		notes = append(notes, "made")
	}
	if f.ReadOnly {
		notes = append(notes, "read only")
	}
	room := g.treeColumn() - width(first) - 1
	line := cut(label, room)
	if n := " (" + strings.Join(notes, ", ") + ")"; len(notes) > 0 && width(line)+width(n) <= room {
		line += p.cyan(n)
	}
	g.line("%s%s%s%s", padRight(p.dim(first)+line, g.treeColumn()), padLeft(gasText(f.Total), gasColumn), padLeft(gasText(f.Self), gasColumn), padLeft(percent(f.Total, total), shareColumn))
	if f.failed() {
		why := "no exit code"
		switch {
		case f.Exit != nil:
			why = fmt.Sprintf("exit code %d, %s", *f.Exit, f.Meaning)
		case f.Errno != 0:
			why = "not run: " + f.Meaning
		}
		bar := "  "
		if len(f.Calls) > 0 {
			bar = "│ "
		}
		g.line("%s%s", p.dim(rest+bar), p.red(cut("✗ "+why, g.columns-width(rest+bar))))
	}
	// Deeper calls would leave no room for their names.
	if deepest := (g.treeColumn() - leastLabel) / 3; width(rest) > 3*deepest && len(f.Calls) > 0 {
		n := 0
		f.walk(func(*frame) { n++ })
		g.line("%s%s", p.dim(rest+"└─ "), p.dim(fmt.Sprintf("and %d %s below", n-1, plural(n-1, "call"))))
		return
	}
	for i, c := range f.Calls {
		if i == len(f.Calls)-1 {
			printFrame(g, c, rest+"└─ ", rest+"   ", total)
		} else {
			printFrame(g, c, rest+"├─ ", rest+"│  ", total)
		}
	}
}

func percent(part, of int64) string {
	if of <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(of))
}

const mostBar = 40 // columns of the longest bar

func (m *explained) printKinds(g *page) {
	if len(m.ByKind) == 0 {
		return
	}
	g.title("Gas by kind")
	most, total := m.ByKind[0].Milli, m.Calls.Total
	const kindColumn, percentColumn = 18, 7
	wide := min(mostBar, g.columns-kindColumn-gasColumn-percentColumn-5)
	for _, k := range m.ByKind {
		g.line("  %s %s %s %s", padRight(k.Kind, kindColumn), padRight(g.p.cyan(bar(k.Milli, most, wide)), wide), padLeft(gasText(k.Milli), gasColumn), padLeft(percent(k.Milli, total), percentColumn))
	}
}

// bar draws a part of most, which is wide columns, in eighths of a column.
func bar(part, most int64, wide int) string {
	if most <= 0 || part <= 0 {
		return ""
	}
	eighths := int(float64(part) / float64(most) * float64(wide) * 8)
	s := strings.Repeat("█", eighths/8)
	if r := eighths % 8; r > 0 {
		s += string([]rune("▏▎▍▌▋▊▉")[r-1])
	}
	if s == "" {
		s = "▏"
	}
	return s
}

func (m *explained) printEvents(g *page) {
	if len(m.Events) == 0 {
		return
	}
	g.title("Events")
	for _, e := range m.Events {
		who := fmt.Sprintf("f0%d", e.Emitter)
		if e.Actor != "" {
			who = e.Actor + " " + who
		}
		text := "  " + who
		if e.Type != "" {
			text += " · " + g.p.bold(cut(clean(e.Type), g.columns/2))
		}
		const indent = "      "
		for _, n := range e.Entries {
			if n.Key == "$type" {
				continue
			}
			key := cut(clean(n.Key), g.columns/2)
			part := g.p.dim(key+"=") + cut(clean(n.Value), min(70, g.columns-len(indent)-width(key)-1))
			if last := text[strings.LastIndex(text, "\n")+1:]; width(last)+1+width(part) > g.columns {
				text += "\n" + indent + part
			} else {
				text += " " + part
			}
		}
		g.line("%s", text)
	}
}

func (m *explained) printChanges(g *page) {
	if len(m.Changes) == 0 {
		g.title("The state did not change")
		return
	}
	g.title("Changes of the state")
	for _, c := range m.Changes {
		var parts []string
		switch {
		case c.Before == nil:
			parts = append(parts, g.p.green("new"))
		case c.After == nil:
			parts = append(parts, g.p.red("gone"))
		}
		if s := c.Delta.Sign(); s > 0 {
			parts = append(parts, g.p.green("+"+fil(c.Delta)))
		} else if s < 0 {
			parts = append(parts, g.p.red(fil(c.Delta)))
		}
		if a, b := c.Before, c.After; a != nil && b != nil {
			if a.Nonce != b.Nonce {
				parts = append(parts, fmt.Sprintf("nonce %d → %d", a.Nonce, b.Nonce))
			}
			if a.Head != b.Head {
				parts = append(parts, "head "+shortCID(a.Head)+" → "+shortCID(b.Head))
			}
			if a.Code != b.Code {
				parts = append(parts, "code "+shortCID(a.Code)+" → "+shortCID(b.Code))
			}
		} else if b != nil {
			parts = append(parts, "head "+shortCID(b.Head))
		}
		const nameColumn = 26
		line := "  " + padRight(fmt.Sprintf("%s f0%d", c.Actor, c.ID), nameColumn)
		at := width(line)
		for i, part := range parts {
			switch {
			case i == 0:
				line += " " + part
				at += 1 + width(part)
				continue
			case at+2+width(part) > g.columns:
				line += g.p.dim(",") + "\n" + strings.Repeat(" ", nameColumn+3) + part
				at = nameColumn + 3 + width(part)
			default:
				line += g.p.dim(", ") + part
				at += 2 + width(part)
			}
		}
		g.line("%s", line)
	}
}

// shortCID is the end of a CID, where CIDs of one kind differ.
func shortCID(c cid.Cid) string {
	s := c.String()
	const tail = 8
	if len(s) <= tail {
		return s
	}
	return "…" + s[len(s)-tail:]
}
