// Package text prints what package explain found, for people: the messages with their receipts, the tree of calls with the
// gas of each, the gas by kind, the events and the changes of the state.
//
//	x, err := explain.Vector(ctx, v, explain.VectorOptions{})
//	err = text.Write(os.Stdout, x, text.Options{Columns: 80})
//
// What comes from outside (names, failures, events) is made fit for a terminal: control characters are shown as escapes.
// Looking for a terminal, its width and whether it takes colours is the caller's. The text may change between versions:
// programs read the JSON of package explain.
package text

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/vector"
)

// The columns of Options.
const (
	DefaultColumns = 100
	MinColumns     = 60
)

// Options say how to print. The zero value is ready.
type Options struct {
	// Columns that a line takes at most. Default: DefaultColumns; less than MinColumns are MinColumns.
	Columns int
	// Colour marks parts by the escape sequences of terminals.
	Colour bool
	// Message prints this message only, counted from 1. Default: all.
	Message int
	// Data prints what decoders made of parameters and returns, each on a line that is cut. Default: what failed calls returned only, which is
	// why they failed.
	Data bool
}

// page is what is printed, with methods for its parts.
type page struct {
	layout.Page
	data bool // see Options
}

func newPage(w io.Writer, o Options) *page {
	return &page{layout.Page{W: w, P: layout.Painter(o.Colour), Columns: max(cmp.Or(o.Columns, DefaultColumns), MinColumns)}, o.Data}
}

// Write prints an explanation. The error is the writer's.
func Write(w io.Writer, x *explain.Explanation, o Options) error {
	g := newPage(w, o)
	g.head(x)
	g.engines(x.Engines)
	for i := range x.Messages {
		if o.Message == 0 || o.Message == i+1 {
			g.message(&x.Messages[i], i+1, len(x.Messages))
		}
	}
	g.verdict(x.Verdict)
	return g.Err
}

// WriteEvents prints events alone, with a title; nothing if there are none. The error is the writer's.
func WriteEvents(w io.Writer, events []explain.Event, o Options) error {
	g := newPage(w, o)
	g.events(events)
	return g.Err
}

// head tells what ran, as far as that is known.
func (g *page) head(x *explain.Explanation) {
	var parts []string
	if x.Vector != "" {
		parts = append(parts, g.P.Bold(layout.OneLine(x.Vector)))
	}
	if x.Comment != "" {
		parts = append(parts, strings.ReplaceAll(layout.Clean(x.Comment), "\n", " "))
	}
	if len(parts) > 0 {
		g.Line("%s", layout.Wrap(strings.Join(parts, " · "), g.Columns, "  "))
	}
	var facts []string
	if x.NV != 0 {
		facts = append(facts, fmt.Sprintf("network version %d", x.NV), fmt.Sprintf("epoch %d", x.Epoch))
	}
	if x.Bundle != "" {
		facts = append(facts, "actors "+layout.OneLine(x.Bundle))
	}
	if x.Engine != "" {
		facts = append(facts, "on "+layout.OneLine(x.Engine))
	}
	if len(facts) > 0 {
		g.Line("%s", layout.Wrap(g.P.Dim(strings.Join(facts, " · ")), g.Columns, "  "))
	}
}

// engines tells the difference between engines that a vector is a bundle of.
func (g *page) engines(d *vector.EngineDifference) {
	if d == nil {
		return
	}
	head := d.Engine + " differed from " + d.Primary
	if len(d.Agreed) > 0 {
		head += ", with which " + strings.Join(d.Agreed, ", ") + " agreed"
	}
	lines := []string{head + ":"}
	for _, p := range d.Differences {
		lines = append(lines, "  "+p.String())
	}
	expected, beside := d.Primary, d.Engine
	if d.Expected != d.Primary {
		expected, beside = beside, expected
	}
	lines = append(lines, d.Again, "what is expected here is what "+expected+" gave; the trace of "+beside+" is in "+d.Trace)
	for i, l := range lines {
		l = layout.Wrap(layout.Clean(l), g.Columns-2, "    ")
		if i == 0 {
			l = "\n" + g.P.Red("≠") + " " + l
		} else {
			l = "  " + l
		}
		g.Line("%s", l)
	}
}

func (g *page) verdict(v *explain.Verdict) {
	switch {
	case v == nil:
	case v.Matches:
		compared := "receipts, gas, state root"
		if v.Traced {
			compared += ", every gas charge"
		}
		g.Line("")
		g.Line("%s as expected: %s.", g.P.Green("✓"), compared)
	default:
		g.Line("")
		g.Line("%s not as expected:", g.P.Red("✗"))
		for _, d := range v.Differs {
			g.Line("  %s", layout.Clean(d))
		}
	}
}

func (g *page) message(m *explain.Message, i, of int) {
	if of > 1 {
		g.Title(fmt.Sprintf("Message %d of %d", i, of))
	} else {
		g.Line("")
	}
	if m.From != "" || m.To != "" {
		g.sent(m)
	}
	if m.Exit == nil && m.Meaning == explain.NoTrace {
		g.Line("  %s: no calls and no gas", explain.NoTrace)
	}
	g.receipt(m)
	g.calls(m.Calls)
	g.kinds(m)
	g.events(m.Events)
	g.changes(m.Changes)
}

// sent tells who sent what to whom.
func (g *page) sent(m *explain.Message) {
	p := g.P
	kind := ""
	if m.Implicit {
		kind = p.Dim(" (implicit)")
	}
	to := m.To
	if c := m.Calls.Calls; len(c) > 0 && c[0].ID != nil {
		to = layout.OneLine(c[0].Actor) + " " + m.To
	}
	// Long addresses share the line; a short one leaves its room to the other.
	room := g.Columns - 5 - layout.Width(kind)
	from := layout.Cut(m.From, max(room/2, room-layout.Width(to)))
	g.Line("  %s %s %s%s", from, p.Dim("→"), layout.Cut(to, room-layout.Width(from)), kind)
	if c := m.Calls.Calls; len(c) > 0 && ofContract(c[0].Actor, m.ToEth) {
		g.Line("  %s", p.Dim(layout.Cut("at "+layout.OneLine(m.ToEth), g.Columns-2)))
	}
	method := p.Bold(m.Name)
	if !strings.HasPrefix(m.Name, "method ") {
		method += p.Dim(fmt.Sprintf(" (method %d)", m.Method))
	}
	g.Line("%s", layout.Wrap("  "+method+", value "+layout.FIL(m.Value.TokenAmount), g.Columns, "    "))
}

func (g *page) receipt(m *explain.Message) {
	p := g.P
	if m.Exit == nil {
		if m.Meaning != "" && m.Meaning != explain.NoTrace {
			g.Line("  %s %s", p.Red("✗ no receipt:"), layout.Wrap(layout.Clean(strings.TrimPrefix(m.Meaning, "no receipt: ")), g.Columns-16, "    "))
		}
		return
	}
	verdict := p.Green(fmt.Sprintf("✓ exit code 0, %s", m.Meaning))
	if *m.Exit != 0 {
		verdict = p.Red(fmt.Sprintf("✗ exit code %d, %s", *m.Exit, m.Meaning))
	}
	gas := fmt.Sprintf("%s gas", layout.Grouped(m.GasUsed))
	if m.GasLimit > 0 && !m.Implicit {
		gas += fmt.Sprintf(" of %s (%.1f%%)", layout.Grouped(m.GasLimit), 100*float64(m.GasUsed)/float64(m.GasLimit))
	}
	g.Line("%s", layout.Wrap("  "+verdict+" · "+gas, g.Columns, "    "))
	if m.Failure != "" {
		for _, l := range strings.Split(layout.Clean(strings.TrimSpace(m.Failure)), "\n") {
			const lines = 4 // an actor may give 1024 bytes of anything; JSON has it whole
			for _, part := range strings.Split(layout.Wrap(layout.Cut(strings.TrimSpace(l), lines*(g.Columns-6)), g.Columns-4, "  "), "\n") {
				g.Line("    %s", p.Dim(part))
			}
		}
	}
	if n := len(m.Return) / 2; n > 0 {
		count := layout.Grouped(n) + " " + layout.Plural(n, "byte")
		g.Line("  returns %s %s", count, p.Dim(layout.Cut("0x"+m.Return, min(67, g.Columns-11-layout.Width(count)))))
	}
	if m.Fees != nil {
		g.fees(m.Fees)
	}
}

func (g *page) fees(f *explain.Fees) {
	known := func(v abi.TokenAmount) abi.TokenAmount {
		if v.Int == nil {
			return big.Zero()
		}
		return v
	}
	var parts []string
	for _, f := range []struct {
		name string
		v    abi.TokenAmount
	}{{"burnt", big.Add(known(f.BaseFeeBurn), known(f.OverEstimationBurn))}, {"tip", known(f.MinerTip)}, {"miner's penalty", known(f.Penalty)}} {
		if f.v.Sign() != 0 {
			parts = append(parts, f.name+" "+layout.FIL(f.v))
		}
	}
	if len(parts) > 0 {
		g.Line("%s", layout.Wrap("  fees: "+strings.Join(parts, ", "), g.Columns, "        "))
	}
}
