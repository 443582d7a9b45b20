package cli

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Vectors of each sort: a success with calls, failures, deep calls, events, texts from actors, no receipt.
var explained28 = []string{
	"nv28-createminer-003", "nv28-evmcalls-027", "nv28-script-exit-003", "nv28-script-nested-random-010",
	"nv28-script-events-004", "nv28-preflight-005", "nv28-implicit-005", "nv28-onboard-035",
}

func explainGolden(t *testing.T, engine *fvm.Engine, actors *vector.Actors, name string) *explanation {
	t.Helper()
	v, err := conformance.Load(golden(name))
	if err != nil {
		t.Fatal(err)
	}
	x, err := explain(t.Context(), v, 0, actors, engine)
	if err != nil {
		t.Fatal(err)
	}
	x.only = -1
	return x
}

// The text fits terminals of any width, and colours add nothing but colour.
func TestExplainLayout(t *testing.T) {
	needBundles(t)
	engine, err := fvm.NewEngine(fvm.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	actors := vector.NewActors(bundle.Options{Progress: os.Stderr})
	for _, name := range explained28 {
		x := explainGolden(t, engine, actors, name)
		for _, columns := range []int{leastColumns, 80, defaultColumns, mostColumns} {
			var out, coloured bytes.Buffer
			if err := errors.Join(x.print(&page{w: &out, columns: columns}), x.print(&page{w: &coloured, p: true, columns: columns})); err != nil {
				t.Fatal(err)
			}
			plain(t, out.String())
			if got := colour.ReplaceAllString(coloured.String(), ""); got != out.String() || got == coloured.String() {
				t.Errorf("%s: colours change the text", name)
			}
			for _, line := range strings.Split(out.String(), "\n") {
				if width(line) > columns {
					t.Errorf("%s: a line of %d columns, want at most %d:\n%s", name, width(line), columns, line)
				}
				if line != strings.TrimRight(line, " ") {
					t.Errorf("%s: spaces at the end of %q", name, line)
				}
			}
			if !strings.HasSuffix(out.String(), "\n✓ as expected: receipts, gas, state root, every gas charge.\n") {
				t.Errorf("%s: the verdict is %q", name, lastLine(out.String()))
			}
		}
		checkSVG(t, x)
	}
}

// The picture is well-formed, and its boxes and their labels lie within it and do not overlap.
func checkSVG(t *testing.T, x *explanation) {
	t.Helper()
	var svg bytes.Buffer
	if err := drawFlamegraph(&svg, x); err != nil {
		t.Fatal(err)
	}
	number := func(e xml.StartElement, name string) float64 {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				v, err := strconv.ParseFloat(a.Value, 64)
				if err != nil {
					t.Errorf("%s: %s=%q", x.Vector, name, a.Value)
				}
				return v
			}
		}
		return 0
	}
	d := xml.NewDecoder(&svg)
	height, boxes, inBox := 0.0, 0, false
	ends := map[float64]float64{} // of the last box in each row
	var wide float64
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", x.Vector, err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "svg":
				height = number(e, "height")
			case "g":
				inBox = true
			case "rect":
				if !inBox {
					continue
				}
				boxes++
				left, top := number(e, "x"), number(e, "y")
				wide = number(e, "width")
				if left < flameMargin-0.1 || left+wide > flameWidth-flameMargin+0.1 || top+number(e, "height") > height-flameFoot {
					t.Errorf("%s: a box at %g, %g of %g leaves the picture", x.Vector, left, top, wide)
				}
				if left < ends[top]-0.1 {
					t.Errorf("%s: boxes overlap at %g, %g", x.Vector, left, top)
				}
				ends[top] = left + wide
			case "text":
				var text string
				if err := d.DecodeElement(&text, &e); err != nil {
					t.Fatal(err)
				}
				if inBox && float64(len([]rune(text)))*charWidth > wide {
					t.Errorf("%s: the label %q is wider than its box", x.Vector, text)
				}
			}
		case xml.EndElement:
			inBox = inBox && e.Name.Local != "g"
		}
	}
	if boxes < 2 && x.Messages[0].Calls.Total > 0 {
		t.Errorf("%s: %d boxes", x.Vector, boxes)
	}
	if height > flameHead+flameFoot+(flameDepth+2)*flameRow {
		t.Errorf("%s: %g pixels high", x.Vector, height)
	}
}

func TestExplain(t *testing.T) {
	needBundles(t)
	svg := filepath.Join(t.TempDir(), "gas.svg")
	out := ok(t, "explain", "--flamegraph", svg, golden("nv28-onboard-035"))
	for _, want := range []string{
		"TerminateSectors (method 9), value 0 FIL", "✓ exit code 0, ok · 57,960,614 gas of 57,965,814 (100.0%)", "├─ reward f02 · ThisEpochReward",
		"block writes ", "storagemarket f05 · deal-terminated id=0 client=104 provider=119", "account f0108 ", "nonce 21 → 22",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if !bytes.HasPrefix(readFrom(t, svg), []byte("<svg ")) {
		t.Error("the flame graph is no SVG")
	}

	type call struct {
		Actor, Name string
		Total       int64  `json:"gas_total_milli"`
		Self        uint64 `json:"gas_self_milli"`
		Calls       []call
	}
	type explained struct {
		Vector   string
		NV       int
		Matches  bool
		Root     string
		Messages []struct {
			Name     string
			Exit     *int  `json:"exit_code"`
			GasUsed  int64 `json:"gas_used"`
			Calls    call
			ByKind   []share `json:"gas_by_kind"`
			ByCharge []share `json:"gas_by_charge"`
			Events   []eventView
			Changes  []map[string]any
		}
	}
	x := fromJSON[explained](t, ok(t, "explain", "--json", golden("nv28-onboard-035")))
	m := x.Messages[0]
	if !x.Matches || x.NV != 28 || len(x.Messages) != 1 || m.Name != "TerminateSectors" || m.Exit == nil || *m.Exit != 0 || len(m.Events) != 2 || len(m.Changes) != 5 {
		t.Errorf("%+v", x)
	}
	sum := func(list []share) (n int64) {
		for _, s := range list {
			n += s.Milli
		}
		return n
	}
	if total := m.Calls.Total; (total+999)/1000 != int64(m.GasUsed) || sum(m.ByKind) != total || sum(m.ByCharge) != total {
		t.Errorf("the gas is %d, the calls' %d, by kind %d, by charge %d", m.GasUsed, total, sum(m.ByKind), sum(m.ByCharge))
	}

	many := golden("nv28-script-exit-003")
	one := ok(t, "explain", "--message", "2", many)
	if !strings.Contains(one, "Message 2 of 14") || strings.Contains(one, "Message 1 of 14") {
		t.Errorf("--message 2:\n%.300s", one)
	}
	if text := ok(t, "explain", "--json", many); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }) {
		t.Error("the JSON has control characters")
	}
	fails(t, exitFailed, []string{"explain", "--flamegraph", filepath.Join(t.TempDir(), "no", "gas.svg"), golden("nv28-send-001")}, "gas.svg: no such file or directory")
}

func TestEscapeXML(t *testing.T) {
	var got string
	if err := xml.Unmarshal([]byte("<t>"+escapeXML("a<b>&\"'\x00\x1b\xff")+"</t>"), &got); err != nil || got != "a<b>&\"'\uFFFD\uFFFD\uFFFD" {
		t.Errorf("%q, %v", got, err)
	}
}
