// Package flame draws what package explain found as a picture: a flame graph of the gas, upside down. Each call is a box as
// wide as its gas, with the calls that it made underneath, and beside those its own gas by kind. Calls that failed are red;
// over a box a browser shows its numbers.
//
//	x, err := explain.Vector(ctx, v, explain.VectorOptions{})
//	err = flame.Write(file, x, flame.Options{})
//
// Gas that was given back (until network version 17) is not drawn: where there is some, a row is as wide as what was taken.
// For tools that read profiles there is package pprof beside this one.
package flame

import (
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"io"
	"strings"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
)

// Options say what to draw. The zero value is ready.
type Options struct {
	// Message draws this message only, counted from 1. Default: all, side by side.
	Message int
}

// The sizes of the picture, in pixels.
const (
	pictureWidth = 1200
	margin       = 24
	rowHeight    = 24
	headHeight   = 86
	footHeight   = 64
	mostRows     = 48   // of calls; those below are one box
	charWidth    = 7.4  // of a letter, about, in a wide font
	titleWidth   = 12.0 // of a letter of the title
	leastBox     = 0.4  // narrower boxes are not drawn
)

// colours are those of gas that an actor's own work took, by kind.
var colours = map[string]string{
	"Wasm execution": "#f4a259", "Wasm memory": "#f7c59f", "system calls": "#8cb369", "block writes": "#7fb7a3", "block reads": "#a9d6c5", "link scan": "#cfe8df", "state tree": "#6fb7c4",
	"chain inclusion": "#a5a58d", "calls": "#b7b7a4", "actor creation": "#d4a5a5", "events": "#9d8189", "cryptography": "#e07a7f", "chain facts": "#b8a9c9", "other": "#cccccc",
}

// picture draws boxes, a row for each depth of calls.
type picture struct {
	out   strings.Builder
	scale float64 // pixels a milligas
	rows  int
	kinds map[string]bool
	taken map[*explain.Call]float64
}

// Write draws an explanation as SVG. The error is the writer's.
func Write(w io.Writer, x *explain.Explanation, o Options) error {
	d := &picture{kinds: map[string]bool{}, taken: map[*explain.Call]float64{}}
	var shown []*explain.Call
	var total int64
	var all float64
	for i := range x.Messages {
		if o.Message == 0 || o.Message == i+1 {
			c := x.Messages[i].Calls
			shown = append(shown, c)
			total += c.Total
			all += d.measure(c)
		}
	}
	if all > 0 {
		d.scale = (pictureWidth - 2*margin) / all
	}
	at := float64(margin)
	d.box(at, 0, all, box{"#e9ecef", "all gas: " + layout.Gas(total), x.Vector})
	for _, c := range shown {
		d.below(c, at, 1)
		at += d.taken[c] * d.scale
	}
	height := headHeight + d.rows*rowHeight + footHeight
	about := layout.Gas(total) + " gas"
	if x.NV != 0 {
		about += fmt.Sprintf(" · network version %d", x.NV)
	}
	about += " · width is gas, depth is calls; hold the pointer over a box for its numbers"
	var page strings.Builder
	fmt.Fprintf(&page, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif">
<title>Gas of %s</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="%d" y="36" font-size="20" font-weight="600" fill="#212529">%s</text>
<text x="%d" y="60" font-size="13" fill="#6c757d">%s</text>
`, pictureWidth, height, pictureWidth, height, escape(title(x)), margin, escape(layout.Cut(title(x), (pictureWidth-2*margin)/titleWidth)), margin, escape(about))
	page.WriteString(d.out.String())
	d.legend(&page, height-footHeight+28)
	page.WriteString("</svg>\n")
	_, err := io.WriteString(w, page.String())
	return err
}

// escape makes any text part of a well-formed document.
func escape(s string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(s)) // a Builder does not fail
	return out.String()
}

func title(x *explain.Explanation) string {
	if x.Comment == "" {
		return x.Vector
	}
	return x.Vector + " · " + x.Comment
}

// measure sums the milligas that a call and those below took, without what was given back: so wide are they drawn.
func (d *picture) measure(c *explain.Call) float64 {
	var sum float64
	for _, k := range explain.SortShares(c.Kinds) { // in order, so that a sum of floats is the same each time
		if k.Milli > 0 {
			sum += float64(k.Milli)
		}
	}
	for _, below := range c.Calls {
		sum += d.measure(below)
	}
	d.taken[c] = sum
	return sum
}

// below draws the calls of c from x on, then its own gas by kind.
func (d *picture) below(c *explain.Call, x float64, row int) {
	if row >= mostRows {
		var milli int64
		var sum float64
		for _, below := range c.Calls {
			milli += below.Total
			sum += d.taken[below]
		}
		n := c.Count()
		label := fmt.Sprintf("%s more %s below", layout.Grouped(n), layout.Plural(n, "call"))
		d.box(x, row, sum, box{"#dee2e6", label + ": " + layout.Gas(milli) + " gas", label})
		d.kindBoxes(c, x+sum*d.scale, row)
		return
	}
	for _, below := range c.Calls {
		label := below.Who() + " · " + below.Name
		tip := fmt.Sprintf("%s: %s gas, its own %s", label, layout.Gas(below.Total), layout.Gas(below.Self))
		if why := below.Why(); why != "" {
			tip += ", " + why
		}
		d.box(x, row, d.taken[below], box{actorColour(below), tip, label})
		d.below(below, x, row+1)
		x += d.taken[below] * d.scale
	}
	d.kindBoxes(c, x, row)
}

// kindBoxes draws a call's own gas.
func (d *picture) kindBoxes(c *explain.Call, x float64, row int) {
	for _, k := range explain.SortShares(c.Kinds) {
		if k.Milli <= 0 {
			continue // given back
		}
		d.kinds[k.Kind] = true
		d.box(x, row, float64(k.Milli), box{colours[k.Kind], k.Kind + ": " + layout.Gas(k.Milli) + " gas", k.Kind})
		x += float64(k.Milli) * d.scale
	}
}

type box struct{ colour, tip, label string }

func (d *picture) box(x float64, row int, milli float64, b box) {
	wide := milli * d.scale
	if wide < leastBox {
		return
	}
	d.rows = max(d.rows, row+1)
	y := headHeight + row*rowHeight
	fmt.Fprintf(&d.out, `<g><title>%s</title><rect x="%.2f" y="%d" width="%.2f" height="%d" rx="2" fill="%s" stroke="#ffffff" stroke-width="0.8"/>`,
		escape(b.tip), x, y, wide, rowHeight-1, b.colour)
	if chars := int((wide - 8) / charWidth); chars >= 3 {
		fmt.Fprintf(&d.out, `<text x="%.2f" y="%d" font-size="12" fill="#212529">%s</text>`, x+4, y+16, escape(layout.Cut(b.label, chars)))
	}
	d.out.WriteString("</g>\n")
}

// actorColour is the same for the same kind of actor; failed calls are red.
func actorColour(c *explain.Call) string {
	if c.Failed() {
		return "hsl(0, 75%, 76%)"
	}
	h := fnv.New32a()
	h.Write([]byte(c.Actor))
	return fmt.Sprintf("hsl(%d, 55%%, 80%%)", 190+h.Sum32()%90)
}

func (d *picture) legend(page *strings.Builder, y int) {
	x := float64(margin)
	for _, k := range explain.Kinds() {
		if !d.kinds[k] {
			continue
		}
		wide := 40 + charWidth*float64(len(k))
		if x+wide > pictureWidth-margin {
			x, y = margin, y+20
		}
		fmt.Fprintf(page, `<rect x="%.0f" y="%d" width="12" height="12" rx="2" fill="%s"/><text x="%.0f" y="%d" font-size="12" fill="#495057">%s</text>`+"\n",
			x, y-10, colours[k], x+18, y, escape(k))
		x += wide
	}
}
