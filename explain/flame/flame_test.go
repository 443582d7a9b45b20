package flame

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// drawn is a picture that was read: its boxes with their tips, and the labels in them.
type drawn struct {
	boxes  []rect
	labels []string
	height float64
}

type rect struct {
	tip                string
	left, top, wide, h float64
}

// draw writes a picture and checks that it is well-formed, that its boxes and their labels lie within it, and that boxes
// do not overlap.
func draw(t *testing.T, x *explain.Explanation, o Options) drawn {
	t.Helper()
	var svg, again bytes.Buffer
	if err := errors.Join(Write(&svg, x, o), Write(&again, x, o)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(svg.Bytes(), again.Bytes()) {
		t.Errorf("%s: two pictures of one explanation differ", x.Vector)
	}
	var p drawn
	dec := xml.NewDecoder(&svg)
	inBox, tip := false, ""
	ends := map[float64]float64{} // of the last box in each row
	for {
		tok, err := dec.Token()
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
				p.height = number(t, e, "height")
			case "g":
				inBox = true
			case "title":
				tip = content(t, dec, &e)
			case "rect":
				if !inBox {
					continue
				}
				b := rect{tip, number(t, e, "x"), number(t, e, "y"), number(t, e, "width"), number(t, e, "height")}
				p.boxes = append(p.boxes, b)
				if b.wide < 0 || b.left < margin-0.1 || b.left+b.wide > pictureWidth-margin+0.1 || b.top+b.h > p.height-footHeight {
					t.Errorf("%s: the box %+v leaves the picture", x.Vector, b)
				}
				if b.left < ends[b.top]-0.1 {
					t.Errorf("%s: the box %+v overlaps another", x.Vector, b)
				}
				ends[b.top] = b.left + b.wide
			case "text":
				text := content(t, dec, &e)
				p.labels = append(p.labels, text)
				if inBox && float64(layout.Width(text))*charWidth > p.boxes[len(p.boxes)-1].wide {
					t.Errorf("%s: the label %q is wider than its box", x.Vector, text)
				}
			}
		case xml.EndElement:
			inBox = inBox && e.Name.Local != "g"
		}
	}
	if p.height > headHeight+footHeight+(mostRows+2)*rowHeight {
		t.Errorf("%s: %g pixels high", x.Vector, p.height)
	}
	return p
}

func number(t *testing.T, e xml.StartElement, name string) float64 {
	t.Helper()
	for _, a := range e.Attr {
		if a.Name.Local == name {
			v, err := strconv.ParseFloat(a.Value, 64)
			if err != nil {
				t.Errorf("%s=%q", name, a.Value)
			}
			return v
		}
	}
	return 0
}

func content(t *testing.T, d *xml.Decoder, e *xml.StartElement) (text string) {
	t.Helper()
	if err := d.DecodeElement(&text, e); err != nil {
		t.Fatal(err)
	}
	return text
}

// find is the box whose tip has the text.
func (p *drawn) find(t *testing.T, text string) rect {
	t.Helper()
	for _, b := range p.boxes {
		if strings.Contains(b.tip, text) {
			return b
		}
	}
	t.Fatalf("no box says %q; there are %v", text, p.boxes)
	return rect{}
}

// traced is an explanation of traces, one a message.
func traced(t *testing.T, traces ...trace.Events) *explain.Explanation {
	t.Helper()
	x := &explain.Explanation{Vector: "made up"}
	for _, events := range traces {
		m, err := explain.Trace(explain.Applied{Trace: events}, explain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		x.Messages = append(x.Messages, *m)
	}
	return x
}

func call(to uint64) trace.Event { return &trace.Call{From: 1, To: addr.NewID(to), Method: 2} }

func gas(name string, milli int64) trace.Event {
	return &trace.GasCharge{Name: name, Compute: uint64(milli)}
}

// Boxes are as wide as their gas, under the call that made them.
func TestBoxes(t *testing.T) {
	x := traced(t, trace.Events{gas("OnChainMessage", 2000), call(5), gas("wasm_exec", 3000), call(6), gas("OnBlockLink", 5000), &trace.Return{ExitCode: 20}, &trace.Return{}})
	x.Comment, x.NV = "a <b> & c", 28
	p := draw(t, x, Options{})
	const all = pictureWidth - 2*margin
	for _, tt := range []struct {
		tip        string
		left, wide float64
		row        int
	}{
		{"all gas: 10", 0, 1, 0}, {"f05 · method 2: 8 gas, its own 3", 0, 0.8, 1}, {"chain inclusion: 2 gas", 0.8, 0.2, 1},
		{"f06 · method 2: 5 gas, its own 5, exit code 20, illegal state", 0, 0.5, 2}, {"Wasm execution: 3 gas", 0.5, 0.3, 2}, {"block writes: 5 gas", 0, 0.5, 3},
	} {
		b := p.find(t, tt.tip)
		if d := b.left - (margin + tt.left*all); d > 0.01 || d < -0.01 {
			t.Errorf("%s begins at %g", tt.tip, b.left)
		}
		if d := b.wide - tt.wide*all; d > 0.01 || d < -0.01 {
			t.Errorf("%s is %g wide", tt.tip, b.wide)
		}
		if b.top != float64(headHeight+tt.row*rowHeight) {
			t.Errorf("%s is at %g, want row %d", tt.tip, b.top, tt.row)
		}
	}
	for _, want := range []string{"made up · a <b> & c", "f06 · method 2", "block writes"} {
		if !slices.Contains(p.labels, want) {
			t.Errorf("no label %q in %q", want, p.labels)
		}
	}
	if about := p.labels[1]; !strings.HasPrefix(about, "10 gas · network version 28 · ") {
		t.Errorf("below the title: %q", about)
	}
}

// Gas that was given back makes nothing narrower than what was taken.
func TestGivenBack(t *testing.T) {
	p := draw(t, traced(t, trace.Events{gas("OnChainMessage", 2000), call(5), gas("OnDeleteActor", -9000), call(6), gas("wasm_exec", 2000), &trace.Return{}, &trace.Return{}}), Options{})
	if a, b := p.find(t, "chain inclusion: 2"), p.find(t, "f05 · method 2: -7 gas, its own -9"); a.wide != b.wide || b.wide < 100 {
		t.Errorf("inclusion %g, call %g", a.wide, b.wide)
	}
}

// Calls below the last row are one box, however deep they are.
func TestDeep(t *testing.T) {
	var events trace.Events
	for i := range 1024 {
		events = append(events, call(uint64(i+5)), gas("wasm_exec", 1000))
	}
	p := draw(t, traced(t, events), Options{})
	if b := p.find(t, "more calls below"); !strings.HasPrefix(b.tip, "977 more calls below: 977 gas") {
		t.Errorf("the box says %q", b.tip)
	}
}

// Messages stand side by side, or one alone; one without gas draws nothing.
func TestMessages(t *testing.T) {
	x := traced(t, trace.Events{gas("OnChainMessage", 1000)}, trace.Events{call(7), gas("wasm_exec", 3000)}, nil)
	p := draw(t, x, Options{})
	if a, b := p.find(t, "chain inclusion"), p.find(t, "f07"); a.wide*3-b.wide > 0.05 || b.left < a.left+a.wide-0.05 {
		t.Errorf("%+v, %+v", a, b)
	}
	p = draw(t, x, Options{Message: 2})
	if b := p.find(t, "f07"); b.wide != pictureWidth-2*margin || len(p.boxes) != 3 {
		t.Errorf("%+v", p.boxes)
	}
	if p = draw(t, x, Options{Message: 3}); len(p.boxes) != 0 {
		t.Errorf("of no gas: %+v", p.boxes)
	}
	if p = draw(t, &explain.Explanation{}, Options{}); len(p.boxes) != 0 {
		t.Errorf("of nothing: %+v", p.boxes)
	}
}

// Every kind of gas has a colour of its own, and a legend.
func TestColours(t *testing.T) {
	seen := map[string]string{}
	for _, k := range explain.Kinds() {
		c := colours[k]
		if c == "" || seen[c] != "" {
			t.Errorf("the colour of %q is %q, as that of %q", k, c, seen[c])
		}
		seen[c] = k
	}
	if len(colours) != len(seen) {
		t.Errorf("%d colours for %d kinds", len(colours), len(seen))
	}
	var events trace.Events
	for _, name := range []string{"wasm_exec", "wasm_memory_init", "OnSyscall", "OnBlockCreate", "OnBlockOpen", "OnScanIpldLinks", "OnActorLookup", "OnValueTransfer", "OnActorEvent", "OnHashing", "OnCreateActor", "OnTipsetCid", "OnChainMessage", "x"} {
		events = append(events, gas(name, 1000))
	}
	var svg bytes.Buffer
	if err := Write(&svg, traced(t, events), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, k := range explain.Kinds() {
		if legend := fmt.Sprintf(`fill="%s"/><text`, colours[k]); !strings.Contains(svg.String(), legend) {
			t.Errorf("the legend lacks %q", k)
		}
	}
}

func TestEscape(t *testing.T) {
	var got string
	if err := xml.Unmarshal([]byte("<t>"+escape("a<b>&\"'\x00\x1b\xff")+"</t>"), &got); err != nil || got != "a<b>&\"'\uFFFD\uFFFD\uFFFD" {
		t.Errorf("%q, %v", got, err)
	}
}

// Real vectors: deep calls, failures, gas given back, no gas at all.
func TestVectors(t *testing.T) {
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	actors := vector.NewActors(bundle.Options{})
	for _, name := range []string{"nv28-createminer-003", "nv28-evmcalls-027", "nv28-script-exit-003", "nv28-preflight-005", "nv20-script-random-003", "nv17-script-destroy-001"} {
		v, err := vector.Load(filepath.Join("..", "..", "lab", "conformance", "testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		x, err := explain.Vector(t.Context(), v, explain.VectorOptions{Actors: actors})
		if err != nil {
			t.Fatal(err)
		}
		if p := draw(t, x, Options{}); len(p.boxes) < 3 && x.Messages[0].Calls.Total > 0 {
			t.Errorf("%s: %d boxes", name, len(p.boxes))
		}
	}
}

type broken struct{}

var errPipe = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errPipe }

func TestWriterFails(t *testing.T) {
	if err := Write(broken{}, &explain.Explanation{}, Options{}); !errors.Is(err, errPipe) {
		t.Error(err)
	}
}
