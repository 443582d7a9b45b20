package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
)

// The columns of numbers beside the calls.
const (
	gasColumn   = 15
	shareColumn = 8
)

const (
	leastLabel  = 24 // columns for the name of a call, however deep
	mostAddress = 24 // columns of an address in the tree
)

// treeColumn is what is left for the calls.
func (g *page) treeColumn() int { return g.Columns - 2*gasColumn - shareColumn }

func (g *page) calls(root *explain.Call) {
	if len(root.Calls) == 0 {
		return
	}
	g.Line("")
	g.Line("%s%s%s", layout.PadRight(g.P.Bold("Calls"), g.treeColumn()), g.P.Dim(layout.PadLeft("gas with calls", gasColumn)),
		g.P.Dim(layout.PadLeft("its own", gasColumn)+layout.PadLeft("share", shareColumn)))
	for _, c := range root.Calls {
		g.call(c, "  ", "  ", root.Total)
	}
	if root.Self != 0 {
		g.row(layout.Cut("  inclusion and return on the chain", g.treeColumn()), "", layout.Gas(root.Self), layout.Percent(root.Self, root.Total))
	}
}

// row is a line of the tree: a label and three numbers.
func (g *page) row(label, with, own, share string) {
	g.Line("%s%s%s%s", layout.PadRight(label, g.treeColumn()), layout.PadLeft(with, gasColumn), layout.PadLeft(own, gasColumn), layout.PadLeft(share, shareColumn))
}

// who is the receiver of a call as the tree names it.
func who(c *explain.Call) string {
	if c.ID == nil {
		return layout.Cut(c.To, mostAddress)
	}
	return layout.OneLine(c.Who())
}

// call prints a call and those below it: first is what stands before its own line, rest before the others.
func (g *page) call(c *explain.Call, first, rest string, total int64) {
	p := g.P
	var notes []string
	if c.Value.Int != nil && c.Value.Sign() != 0 {
		notes = append(notes, layout.FIL(c.Value.TokenAmount))
	}
	if c.Creates {
		notes = append(notes, "made")
	}
	if c.ReadOnly {
		notes = append(notes, "read only")
	}
	room := g.treeColumn() - layout.Width(first) - 1
	line := layout.Cut(who(c)+" · "+c.Name, room)
	if n := " (" + strings.Join(notes, ", ") + ")"; len(notes) > 0 && layout.Width(line)+layout.Width(n) <= room {
		line += p.Cyan(n)
	}
	g.row(p.Dim(first)+line, layout.Gas(c.Total), layout.Gas(c.Self), layout.Percent(c.Total, total))
	bar := "  "
	if len(c.Calls) > 0 {
		bar = "│ "
	}
	if g.data {
		g.dataLine(rest+bar, "params", c.ParamsValue)
	}
	if why := c.Why(); why != "" {
		g.Line("%s%s", p.Dim(rest+bar), p.Red(layout.Cut("✗ "+why, g.Columns-layout.Width(rest+bar))))
	}
	if g.data || c.Failed() {
		g.dataLine(rest+bar, "return", c.ReturnValue)
	}
	// Deeper calls would leave no room for their names.
	if deepest := (g.treeColumn() - leastLabel) / 3; layout.Width(rest) > 3*deepest && len(c.Calls) > 0 {
		n := c.Count()
		g.Line("%s%s", p.Dim(rest+"└─ "), p.Dim(fmt.Sprintf("and %d %s below", n, layout.Plural(n, "call"))))
		return
	}
	for i, below := range c.Calls {
		if i == len(c.Calls)-1 {
			g.call(below, rest+"└─ ", rest+"   ", total)
		} else {
			g.call(below, rest+"├─ ", rest+"│  ", total)
		}
	}
}

// dataLine prints what a decoder made of data, if it made anything.
func (g *page) dataLine(before, name string, value any) {
	if value == nil {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil { // a decoder's mistake, which costs its line only
		return
	}
	text := layout.OneLine(name + " " + strings.TrimSpace(b.String()))
	g.Line("%s%s", g.P.Dim(before), g.P.Dim(layout.Cut(text, g.Columns-layout.Width(before))))
}

const mostBar = 40 // columns of the longest bar

func (g *page) kinds(m *explain.Message) {
	if len(m.ByKind) == 0 {
		return
	}
	g.Title("Gas by kind")
	most, total := m.ByKind[0].Milli, m.Calls.Total
	const kindColumn, percentColumn = 18, 7
	wide := min(mostBar, g.Columns-kindColumn-gasColumn-percentColumn-5)
	for _, k := range m.ByKind {
		g.Line("  %s %s %s %s", layout.PadRight(k.Kind, kindColumn), layout.PadRight(g.P.Cyan(layout.Bar(k.Milli, most, wide)), wide),
			layout.PadLeft(layout.Gas(k.Milli), gasColumn), layout.PadLeft(layout.Percent(k.Milli, total), percentColumn))
	}
}
