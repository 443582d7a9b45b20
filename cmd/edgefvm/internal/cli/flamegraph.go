package cli

import (
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
)

// The sizes of the picture, in pixels.
const (
	flameWidth  = 1200
	flameMargin = 24
	flameRow    = 24
	flameHead   = 86
	flameFoot   = 64
	flameDepth  = 48   // rows of calls; those below are one box
	charWidth   = 7.4  // of a letter, about, in a wide font
	titleWidth  = 12.0 // of a letter of the title
	leastBox    = 0.4  // narrower boxes are not drawn
)

// kindColours are those of gas that an actor's own work took, by kind.
var kindColours = map[string]string{
	"Wasm execution": "#f4a259", "Wasm memory": "#f7c59f", "system calls": "#8cb369", "block writes": "#7fb7a3", "block reads": "#a9d6c5", "link scan": "#cfe8df", "state tree": "#6fb7c4",
	"chain inclusion": "#a5a58d", "calls": "#b7b7a4", "actor creation": "#d4a5a5", "events": "#9d8189", "cryptography": "#e07a7f", "chain facts": "#b8a9c9", "other": "#cccccc",
}

// flameOrder is the order of the legend.
var flameOrder = []string{
	"Wasm execution", "Wasm memory", "system calls", "block writes", "block reads", "link scan", "state tree", "calls", "events", "cryptography", "actor creation", "chain facts", "chain inclusion", "other",
}

// flame draws boxes, a row for each depth of calls.
type flame struct {
	out   strings.Builder
	scale float64 // pixels a milligas
	rows  int
	kinds map[string]bool
}

// drawFlamegraph draws the gas of the messages that are shown: each call is a box as wide as its gas, with the
// calls below it underneath, and beside those its own gas by kind.
func drawFlamegraph(w io.Writer, x *explanation) error {
	var shown []*frame
	var total int64
	for i := range x.Messages {
		if x.only < 0 || x.only == i {
			shown = append(shown, x.Messages[i].Calls)
			total += x.Messages[i].Calls.Total
		}
	}
	d := &flame{kinds: map[string]bool{}}
	if total > 0 {
		d.scale = (flameWidth - 2*flameMargin) / float64(total)
	}
	at := float64(flameMargin)
	d.box(at, 0, total, "#e9ecef", "all gas: "+gasText(total), x.Vector)
	for _, f := range shown {
		d.below(f, at, 1)
		at += float64(f.Total) * d.scale
	}
	height := flameHead + d.rows*flameRow + flameFoot
	var page strings.Builder
	fmt.Fprintf(&page, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif">
<title>Gas of %s</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="%d" y="36" font-size="20" font-weight="600" fill="#212529">%s</text>
<text x="%d" y="60" font-size="13" fill="#6c757d">%s</text>
`, flameWidth, height, flameWidth, height, escapeXML(flameTitle(x)), flameMargin, escapeXML(cut(flameTitle(x), (flameWidth-2*flameMargin)/titleWidth)),
		flameMargin, escapeXML(fmt.Sprintf("%s gas · network version %d · width is gas, depth is calls; hold the pointer over a box for its numbers", gasText(total), x.NV)))
	page.WriteString(d.out.String())
	d.legend(&page, height-flameFoot+28)
	page.WriteString("</svg>\n")
	_, err := io.WriteString(w, page.String())
	return err
}

// escapeXML makes any text part of a well-formed document.
func escapeXML(s string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(s)) // a Builder does not fail
	return out.String()
}

func flameTitle(x *explanation) string {
	if x.Comment == "" {
		return x.Vector
	}
	return x.Vector + " · " + x.Comment
}

// below draws the calls of f from x on, then its own gas by kind.
func (d *flame) below(f *frame, x float64, row int) {
	if row >= flameDepth {
		n, total := -1, int64(0) // without f itself
		f.walk(func(*frame) { n++ })
		for _, c := range f.Calls {
			total += c.Total
		}
		label := fmt.Sprintf("%s more %s below", grouped(n), plural(n, "call"))
		d.box(x, row, total, "#dee2e6", label+": "+gasText(total)+" gas", label)
		d.kindBoxes(f, x+float64(total)*d.scale, row)
		return
	}
	for _, c := range f.Calls {
		tip := fmt.Sprintf("%s · %s: %s gas, its own %s", c.who(), c.Name, gasText(c.Total), gasText(c.Self))
		if c.failed() {
			tip += ", " + c.Meaning
		}
		d.box(x, row, c.Total, actorColour(c), tip, c.who()+" · "+c.Name)
		d.below(c, x, row+1)
		x += float64(c.Total) * d.scale
	}
	d.kindBoxes(f, x, row)
}

// kindBoxes draws a call's own gas.
func (d *flame) kindBoxes(f *frame, x float64, row int) {
	for _, k := range sortShares(f.Kinds) {
		if k.Milli <= 0 {
			continue // given back
		}
		d.kinds[k.Kind] = true
		d.box(x, row, k.Milli, kindColours[k.Kind], k.Kind+": "+gasText(k.Milli)+" gas", k.Kind)
		x += float64(k.Milli) * d.scale
	}
}

func (d *flame) box(x float64, row int, milli int64, colour, tip, label string) {
	wide := float64(milli) * d.scale
	if wide < leastBox {
		return
	}
	d.rows = max(d.rows, row+1)
	y := flameHead + row*flameRow
	fmt.Fprintf(&d.out, `<g><title>%s</title><rect x="%.2f" y="%d" width="%.2f" height="%d" rx="2" fill="%s" stroke="#ffffff" stroke-width="0.8"/>`,
		escapeXML(tip), x, y, wide, flameRow-1, colour)
	if chars := int((wide - 8) / charWidth); chars >= 3 {
		fmt.Fprintf(&d.out, `<text x="%.2f" y="%d" font-size="12" fill="#212529">%s</text>`, x+4, y+16, escapeXML(cut(label, chars)))
	}
	d.out.WriteString("</g>\n")
}

// actorColour is the same for the same kind of actor; failed calls are red.
func actorColour(f *frame) string {
	if f.failed() {
		return "hsl(0, 75%, 76%)"
	}
	h := fnv.New32a()
	h.Write([]byte(f.Actor))
	return fmt.Sprintf("hsl(%d, 55%%, 80%%)", 190+h.Sum32()%90)
}

func (d *flame) legend(page *strings.Builder, y int) {
	x := float64(flameMargin)
	for _, k := range flameOrder {
		if !d.kinds[k] {
			continue
		}
		wide := 40 + charWidth*float64(len(k))
		if x+wide > flameWidth-flameMargin {
			x, y = flameMargin, y+20
		}
		fmt.Fprintf(page, `<rect x="%.0f" y="%d" width="12" height="12" rx="2" fill="%s"/><text x="%.0f" y="%d" font-size="12" fill="#495057">%s</text>`+"\n",
			x, y-10, kindColours[k], x+18, y, escapeXML(k))
		x += wide
	}
}
