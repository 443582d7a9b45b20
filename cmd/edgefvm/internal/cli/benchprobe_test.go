package cli

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/enginetest"
	"github.com/edgefvm/fvm/trace"
)

// An engine with a probe around it is as good as the engine.
func TestProbedEngine(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) engine.Engine {
		e, err := wazero.New(wazero.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return newProbe().engine(e)
	})
}

// Each moment belongs to the innermost phase, and what a failure left open is closed with what it is in.
func TestProbe(t *testing.T) {
	p := newProbe()
	h := p.hooks()
	const nap = 2 * time.Millisecond
	guest, self := p.phase(phaseGuest), p.phase(phaseSyscalls+"self")
	start := time.Now()
	got := p.measure(phasePreflight, func() {
		time.Sleep(nap)
		h.OnCall(nil)
		d := p.enter(guest)
		time.Sleep(nap)
		p.enter(self) // nobody leaves it
		h.OnCall(nil) // nor this
		time.Sleep(nap)
		p.leave(d)
		h.OnReturn(nil)
		time.Sleep(nap)
	})
	whole := time.Since(start)
	want := []string{phaseCalls, phaseGuest, phasePreflight, phaseSettle, phaseSyscalls + "self"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Fatalf("phases %v, want %v", names, want)
	}
	for _, name := range []string{phaseCalls, phaseGuest, phasePreflight, phaseSettle} {
		if got[name] < nap {
			t.Errorf("%s took %s, it slept %s", name, got[name], nap)
		}
	}
	if got[phaseSyscalls+"self"] >= nap || got.total() > whole {
		t.Errorf("%v of %s", got, whole)
	}
	if order := got.names(); !slices.Equal(order, []string{phasePreflight, phaseCalls, phaseGuest, phaseSyscalls + "self", phaseSettle}) {
		t.Errorf("in the order %v", order)
	}
	h.OnIPLD(&trace.IPLD{Put: true, Size: 10})
	if p.enter(guest); len(p.open) != 0 || len(p.made) != 0 {
		t.Error("it works while it is off")
	}
}

func TestBenchPhases(t *testing.T) {
	needBundles(t)
	bench := []string{"bench", "--rounds", "1", golden("nv28-onboard-035"), golden("nv28-send-001")}
	list := fromJSON[[]timing](t, ok(t, append(bench, "--json")...))
	if len(list) < 2 {
		t.Fatalf("%d messages", len(list))
	}
	for i, m := range list {
		if m.Phases[phasePreflight] <= 0 || m.Phases[phaseCalls] <= 0 || m.Phases[phaseReads] <= 0 || m.Gas <= 0 || m.NV != 28 {
			t.Errorf("message %d: %+v", i, m)
		}
		ran := m.Phases[phaseGuest] > 0 && m.Phases[phaseInstantiate] > 0 && m.Phases[phaseSyscalls+"ipld"] > 0 && m.Hashing > 0
		if transfer := m.Scenario == "send"; ran == transfer || m.Phases[phaseGuest] > 0 == transfer {
			t.Errorf("%s: %+v", m.Vector, m.Phases)
		}
		if m.Phases[phaseCompile] > 0 {
			t.Errorf("%s: a warm run compiled for %s", m.Vector, m.Phases[phaseCompile])
		}
		if flushed := m.Phases[phaseFlush] > 0; flushed != (i+1 == len(list) || list[i+1].Vector != m.Vector) {
			t.Errorf("%s, message %d: flush %s", m.Vector, m.Message, m.Phases[phaseFlush])
		}
	}
	out := ok(t, bench...)
	for _, want := range []string{"\nwhere the time goes\n", "\nsyscalls ipld ", "\nof these, hashing ", "\nphases by scenario, in percent\n", "\nby network version\n", "\ngas a nanosecond: "} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if out := ok(t, append(bench, "--phases=false")...); strings.Contains(out, "where the time goes") {
		t.Errorf("phases nobody asked for:\n%s", out)
	}
}

func TestBenchChart(t *testing.T) {
	needBundles(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(envPeer, "answers")
	file := filepath.Join(t.TempDir(), "ratio.svg")
	out := ok(t, "bench", "--rounds", "1", "--engine", "wazero,wazero-interpreter", "--against", self, "--svg", file, "--phases=false", golden("nv28-multisig-007"))
	if n := strings.Count(out, "\nratio p50 "); n != 2 {
		t.Errorf("%d lines of ratios for 2 engines:\n%s", n, out)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	circles, texts := 0, ""
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "circle" {
				circles++
			}
		case xml.CharData:
			texts += string(token)
		}
	}
	if circles != 4 { // a dot and one in the legend, of each engine
		t.Errorf("%d circles", circles)
	}
	for _, want := range []string{"1 message of 1 vector", "wazero-interpreter", "1x"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the chart does not say %q", want)
		}
	}
	fails(t, exitUsage, []string{"bench", "--svg", file, golden("nv28-send-001")}, "--svg", "--against")
	fails(t, exitUsage, []string{"bench", "--engine", "wazero,wazero", golden("nv28-send-001")}, "twice")
}
