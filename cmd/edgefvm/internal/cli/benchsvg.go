package cli

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// ratios are an engine's, for the chart.
type ratios struct {
	engine string
	points []ratioOf
}

type ratioOf struct {
	t     *timing
	ratio float64
}

// The chart's measures, in pixels.
const (
	chartWide, chartHigh = 960, 460
	chartLeft, chartTop  = 64, 76
	chartRight, chartLow = chartWide - 150, chartHigh - 56
)

// chartStyle is readable on light and on dark ground; the chart has a ground of its own. Plain classes: not
// every program that shows SVG knows variables.
const chartStyle = `text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:#1f2328}.dim{fill:#656d76}.title{font-size:17px;font-weight:600}
.ground{fill:#ffffff}.grid{stroke:#e4e7eb}.one{stroke:#1f2328;stroke-width:1.5;stroke-dasharray:6 4}
.e0{fill:#0969da}.e1{fill:#c2410c}.e2{fill:#1a7f37}.e3{fill:#8250df}.dots{fill-opacity:.7}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#8b949e}.ground{fill:#0d1117}.grid{stroke:#262c34}.one{stroke:#e6edf3}
.e0{fill:#58a6ff}.e1{fill:#ff9f5a}.e2{fill:#56d364}.e3{fill:#bc8cff}}`

const chartColours = 4

// drawRatios is the chart as SVG: a dot a message, each engine's sorted by ratio, on a logarithmic scale.
func drawRatios(lines []ratios, vectors int) []byte {
	least, most, messages := 0.5, 2.0, 0
	for i := range lines {
		l := &lines[i]
		slices.SortFunc(l.points, func(a, b ratioOf) int { return cmp.Compare(a.ratio, b.ratio) })
		messages = max(messages, len(l.points))
		if n := len(l.points); n > 0 {
			least, most = min(least, l.points[0].ratio), max(most, l.points[n-1].ratio)
		}
	}
	least, most = stepBelow(least), stepAbove(most)
	y := func(r float64) float64 {
		return chartLow - (chartLow-chartTop)*(math.Log(r)-math.Log(least))/(math.Log(most)-math.Log(least))
	}
	var s strings.Builder
	w := func(format string, a ...any) { fmt.Fprintf(&s, format+"\n", a...) }
	w(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, chartWide, chartHigh, chartWide, chartHigh)
	title := fmt.Sprintf("Our time / the reference's, by message: %s %s of %s %s", grouped(messages), plural(messages, "message"), grouped(vectors), plural(vectors, "vector"))
	w(`<title>%s</title><style>%s</style>`, html.EscapeString(title), chartStyle)
	w(`<rect width="100%%" height="100%%" class="ground"/>`)
	w(`<text class="title" x="%d" y="32">%s</text>`, chartLeft, html.EscapeString(title))
	w(`<text class="dim" x="%d" y="54">below the line we are quicker; each engine's messages sorted by ratio; logarithmic scale</text>`, chartLeft)
	for _, r := range steps(least, most) {
		class := "grid"
		if r == 1 {
			class = "one"
		}
		w(`<line class="%s" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, class, chartLeft, chartRight, y(r), y(r))
		w(`<text class="dim" x="%d" y="%.1f" text-anchor="end">%gx</text>`, chartLeft-10, y(r)+4, r)
	}
	for percent := 0; percent <= 100; percent += 10 {
		x := chartLeft + (chartRight-chartLeft)*percent/100
		if percent > 0 {
			w(`<line class="grid" x1="%d" x2="%d" y1="%d" y2="%d"/>`, x, x, chartTop, chartLow)
		}
		w(`<text class="dim" x="%d" y="%d" text-anchor="middle">%d%%</text>`, x, chartLow+20, percent)
	}
	w(`<text class="dim" x="%d" y="%d" text-anchor="middle">of the messages</text>`, (chartLeft+chartRight)/2, chartLow+42)
	for i, l := range lines {
		drawEngine(w, l, i, y)
	}
	w("</svg>")
	return []byte(s.String())
}

// drawEngine writes an engine's dots and its place in the legend.
func drawEngine(w func(string, ...any), l ratios, i int, y func(float64) float64) {
	colour := fmt.Sprintf("e%d", i%chartColours)
	w(`<g class="%s dots">`, colour)
	for n, p := range l.points {
		x := chartLeft + float64(chartRight-chartLeft)*(float64(n)+0.5)/float64(len(l.points))
		w(`<circle cx="%.1f" cy="%.1f" r="2.4"><title>%s, message %d: %.2f</title></circle>`, x, y(p.ratio), html.EscapeString(p.t.Vector), p.t.Message, p.ratio)
	}
	w(`</g>`)
	values := make([]float64, len(l.points))
	for n, p := range l.points {
		values[n] = p.ratio
	}
	top := chartTop + 14 + 64*i
	w(`<circle cx="%d" cy="%d" r="5" class="%s"/>`, chartRight+20, top-4, colour)
	w(`<text x="%d" y="%d">%s</text>`, chartRight+32, top, html.EscapeString(l.engine))
	w(`<text class="dim" x="%d" y="%d">p50 %.2f</text>`, chartRight+32, top+18, at(values, 50))
	w(`<text class="dim" x="%d" y="%d">p90 %.2f</text>`, chartRight+32, top+36, at(values, 90))
}

// The lines of the scale are 1, 2 and 5 times the powers of ten.
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
