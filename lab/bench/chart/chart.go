// Package chart draws the ratios of a measurement as SVG: our time over the
// reference's, a dot a message.
package chart

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/edgefvm/fvm/lab/bench"
)

// line is an engine's dots, sorted by ratio.
type line struct {
	engine string
	dots   []dot
}

type dot struct {
	of    *bench.Timing
	ratio float64
}

// linesOf are the messages that the reference has a time for.
func linesOf(r *bench.Report) (lines []line) {
	for i := range r.Engines {
		e := &r.Engines[i]
		l := line{engine: e.Name}
		for j := range e.Timings {
			if ratio := e.Timings[j].Ratio(); ratio > 0 {
				l.dots = append(l.dots, dot{&e.Timings[j], ratio})
			}
		}
		slices.SortStableFunc(l.dots, func(a, b dot) int { return cmp.Compare(a.ratio, b.ratio) })
		lines = append(lines, l)
	}
	return lines
}

// The chart's measures, in pixels.
const (
	wide, high = 960, 460
	left, top  = 64, 76
	right, low = wide - 150, high - 56
)

// style is readable on light and on dark ground; the chart has a ground of its own. Plain classes: not
// every program that shows SVG knows variables.
const style = `text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:#1f2328}.dim{fill:#656d76}.title{font-size:17px;font-weight:600}
.ground{fill:#ffffff}.grid{stroke:#e4e7eb}.one{stroke:#1f2328;stroke-width:1.5;stroke-dasharray:6 4}
.e0{fill:#0969da}.e1{fill:#c2410c}.e2{fill:#1a7f37}.e3{fill:#8250df}.dots{fill-opacity:.7}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#8b949e}.ground{fill:#0d1117}.grid{stroke:#262c34}.one{stroke:#e6edf3}
.e0{fill:#58a6ff}.e1{fill:#ff9f5a}.e2{fill:#56d364}.e3{fill:#bc8cff}}`

const colours = 4

// Draw is the chart as SVG: a dot a message, each engine's sorted by ratio, on a logarithmic scale.
func Draw(r *bench.Report) []byte {
	lines := linesOf(r)
	least, most, messages := 0.5, 2.0, 0
	for _, l := range lines {
		messages = max(messages, len(l.dots))
		if n := len(l.dots); n > 0 {
			least, most = min(least, l.dots[0].ratio), max(most, l.dots[n-1].ratio)
		}
	}
	least, most = stepBelow(least), stepAbove(most)
	y := func(r float64) float64 {
		return low - (low-top)*(math.Log(r)-math.Log(least))/(math.Log(most)-math.Log(least))
	}
	var s strings.Builder
	w := func(format string, a ...any) { fmt.Fprintf(&s, format+"\n", a...) }
	w(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, wide, high, wide, high)
	title := fmt.Sprintf("Our time / the reference's, by message: %s of %s", count(messages, "message"), count(r.Vectors, "vector"))
	w(`<title>%s</title><style>%s</style>`, html.EscapeString(title), style)
	w(`<rect width="100%%" height="100%%" class="ground"/>`)
	w(`<text class="title" x="%d" y="32">%s</text>`, left, html.EscapeString(title))
	w(`<text class="dim" x="%d" y="54">below the line we are quicker; each engine's messages sorted by ratio; logarithmic scale</text>`, left)
	for _, r := range steps(least, most) {
		class := "grid"
		if r == 1 {
			class = "one"
		}
		w(`<line class="%s" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, class, left, right, y(r), y(r))
		w(`<text class="dim" x="%d" y="%.1f" text-anchor="end">%gx</text>`, left-10, y(r)+4, r)
	}
	for percent := 0; percent <= 100; percent += 10 {
		x := left + (right-left)*percent/100
		if percent > 0 {
			w(`<line class="grid" x1="%d" x2="%d" y1="%d" y2="%d"/>`, x, x, top, low)
		}
		w(`<text class="dim" x="%d" y="%d" text-anchor="middle">%d%%</text>`, x, low+20, percent)
	}
	w(`<text class="dim" x="%d" y="%d" text-anchor="middle">of the messages</text>`, (left+right)/2, low+42)
	for i, l := range lines {
		drawEngine(w, l, i, y)
	}
	w("</svg>")
	return []byte(s.String())
}

// drawEngine writes an engine's dots and its place in the legend.
func drawEngine(w func(string, ...any), l line, i int, y func(float64) float64) {
	colour := fmt.Sprintf("e%d", i%colours)
	w(`<g class="%s dots">`, colour)
	for n, p := range l.dots {
		x := left + float64(right-left)*(float64(n)+0.5)/float64(len(l.dots))
		w(`<circle cx="%.1f" cy="%.1f" r="2.4"><title>%s, message %d: %.2f</title></circle>`, x, y(p.ratio), html.EscapeString(p.of.Vector), p.of.Message, p.ratio)
	}
	w(`</g>`)
	values := make([]float64, len(l.dots))
	for n, p := range l.dots {
		values[n] = p.ratio
	}
	top := top + 14 + 64*i
	w(`<circle cx="%d" cy="%d" r="5" class="%s"/>`, right+20, top-4, colour)
	w(`<text x="%d" y="%d">%s</text>`, right+32, top, html.EscapeString(l.engine))
	w(`<text class="dim" x="%d" y="%d">p50 %.2f</text>`, right+32, top+18, bench.Percentile(values, 50))
	w(`<text class="dim" x="%d" y="%d">p90 %.2f</text>`, right+32, top+36, bench.Percentile(values, 90))
}

// count writes a number, with commas, of things.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + what
}

// steps are the lines of the scale: 1, 2 and 5 times the powers of ten.
func steps(least, most float64) (list []float64) {
	for e := -4; e <= 6; e++ {
		for _, f := range []float64{1, 2, 5} {
			r := f * math.Pow10(e)
			if e < 0 {
				r = f / math.Pow10(-e) // exact
			}
			if r >= least && r <= most {
				list = append(list, r)
			}
		}
	}
	return list
}

func stepBelow(r float64) float64 {
	below := steps(0, r)
	if len(below) == 0 {
		return r
	}
	return below[len(below)-1]
}

func stepAbove(r float64) float64 {
	above := steps(r, math.Inf(1))
	if len(above) == 0 {
		return r
	}
	return above[0]
}
