package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/lab/bench"
)

// made is a report of made-up times: by engine our time and the reference's of each message.
func made(engines map[string][][2]time.Duration) *bench.Report {
	r := &bench.Report{Vectors: 1234}
	var names []string
	for name := range engines {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		e := bench.EngineReport{Name: name}
		for i, t := range engines[name] {
			e.Timings = append(e.Timings, bench.Timing{Vector: "a<b>", Message: i, Ours: t[0], Theirs: t[1]})
		}
		r.Engines = append(r.Engines, e)
	}
	return r
}

type circle struct{ x, y, r float64 }

// read parses a chart: its circles, in their order, and all its text.
func read(t *testing.T, svg []byte) (circles []circle, text string) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return circles, text
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "circle" {
				continue
			}
			at := map[string]float64{}
			for _, a := range token.Attr {
				at[a.Name.Local], _ = strconv.ParseFloat(a.Value, 64)
			}
			circles = append(circles, circle{at["cx"], at["cy"], at["r"]})
		case xml.CharData:
			text += string(token) + "\n"
		}
	}
}

func TestDraw(t *testing.T) {
	svg := Draw(made(map[string][][2]time.Duration{"slow & sure": {{400, 100}, {200, 100}, {5, 0}}, "quick": {{100, 200}}}))
	circles, text := read(t, svg)
	// A dot of each message that the reference has a time for, and one in the legend for each engine.
	if len(circles) != 5 {
		t.Fatalf("%d circles", len(circles))
	}
	quick, low, high := circles[0], circles[2], circles[3] // sorted by ratio: 2, then 4
	if low.x >= high.x || low.y <= high.y {
		t.Errorf("the ratio of 2 is at %v, of 4 at %v", low, high)
	}
	// On a logarithmic scale 0.5 lies as far below 1 as 2 above it, and 4 twice as far.
	one := (quick.y + low.y) / 2
	if math.Abs((one-high.y)-2*(one-low.y)) > 0.5 {
		t.Errorf("0.5 at %g, 2 at %g, 4 at %g", quick.y, low.y, high.y)
	}
	for _, want := range []string{"2 messages of 1,234 vectors", "slow & sure\n", "quick\n", "\n1x\n", "p50 2.00", "p90 4.00", "p50 0.50", "a<b>, message 1: 2.00"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// Dots stay in the picture, however far off the ratios are.
func TestDrawBounds(t *testing.T) {
	for name, times := range map[string][][2]time.Duration{
		"none":    nil,
		"one":     {{1, 1}},
		"extreme": {{1, 3_000_000}, {3_000_000, 1}},
	} {
		circles, _ := read(t, Draw(made(map[string][][2]time.Duration{"e": times})))
		for _, c := range circles {
			if c.x < left || c.x > wide || c.y < top || c.y > low {
				t.Errorf("%s: a dot at %v", name, c)
			}
		}
		if len(circles) != len(times)+1 {
			t.Errorf("%s: %d circles", name, len(circles))
		}
	}
}

func TestSteps(t *testing.T) {
	if got := steps(0.5, 10); !slices.Equal(got, []float64{0.5, 1, 2, 5, 10}) {
		t.Errorf("%v", got)
	}
	for _, c := range []struct{ r, below, above float64 }{{1, 1, 1}, {1.5, 1, 2}, {0.3, 0.2, 0.5}, {1e-9, 1e-9, 1e-4}, {1e9, 5e6, 1e9}} {
		if b, a := stepBelow(c.r), stepAbove(c.r); b != c.below || a != c.above {
			t.Errorf("%g lies between %g and %g, want %g and %g", c.r, b, a, c.below, c.above)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 things", 1: "1 thing", 999: "999 things", 1000: "1,000 things", 1234567: "1,234,567 things"} {
		if got := count(n, "thing"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
