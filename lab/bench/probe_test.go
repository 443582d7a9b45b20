package bench

import (
	"maps"
	"slices"
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

// Each moment belongs to the innermost phase, and what a failure left open is closed with what it is in. The clock
// is made up.
func TestProbe(t *testing.T) {
	p := newProbe()
	var clock time.Duration
	p.now = func() time.Duration { return clock }
	h := p.hooks()
	guest, self := p.phase(Guest), p.phase(syscallsOf("self"))
	clock = 5 // before: nobody's
	got := p.measure(Preflight, func() {
		clock += 10
		h.OnCall(nil)
		clock += 20
		d := p.enter(guest)
		clock += 300
		p.enter(self) // nobody leaves it
		clock += 4000
		h.OnCall(nil) // nor this
		clock += 50000
		p.leave(d)
		clock += 1
		h.OnReturn(nil)
		clock += 600000
	})
	clock += 7 // after: nobody's
	want := Phases{Preflight: 10, Calls: 50021, Guest: 300, "syscalls self": 4000, Settle: 600000}
	if !maps.Equal(got, want) {
		t.Fatalf("phases %v, want %v", got, want)
	}
	h.OnIPLD(&trace.IPLD{Put: true, Size: 10})
	if p.enter(guest); len(p.open) != 0 || len(p.made) != 0 {
		t.Error("it works while it is off")
	}
	if again := p.measure(Flush, func() { clock += 3 }); !maps.Equal(again, Phases{Flush: 3}) {
		t.Errorf("the second measurement: %v", again)
	}
}

// A call that failed ends as one that returned.
func TestProbeOfAnError(t *testing.T) {
	p := newProbe()
	var clock time.Duration
	p.now = func() time.Duration { return clock }
	h := p.hooks()
	got := p.measure(Preflight, func() {
		h.OnCall(nil)
		clock += 1
		h.OnCall(nil)
		clock += 2
		h.OnIPLD(&trace.IPLD{Put: true, Size: 10})
		h.OnIPLD(&trace.IPLD{Size: 20})
		h.OnError(nil)
		clock += 4
		h.OnError(nil)
		clock += 8
	})
	if !maps.Equal(got, Phases{Calls: 7, Settle: 8}) || !slices.Equal(p.made, []int{10}) {
		t.Errorf("%v, blocks %v", got, p.made)
	}
}

func TestPhases(t *testing.T) {
	p := Phases{Settle: 1, "syscalls ipld": 2, Writes: 3, Preflight: 4, "syscalls actor": 5, Guest: 6}
	if got := p.Names(); !slices.Equal(got, []string{Preflight, Guest, "syscalls actor", "syscalls ipld", Settle, Writes}) {
		t.Errorf("in the order %v", got)
	}
	if p.Total() != 21 || p.Syscalls() != 7 {
		t.Errorf("total %d, syscalls %d", p.Total(), p.Syscalls())
	}
	p.Add(Phases{Settle: 10, Flush: 100})
	if p[Settle] != 11 || p[Flush] != 100 || p.Total() != 131 {
		t.Errorf("after Add: %v", p)
	}
}
