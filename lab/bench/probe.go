package bench

import (
	"slices"
	"time"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/trace"
)

// probe gives each moment of a run to one phase: the innermost that is open. It looks from outside: at the
// engine, at the blockstore, and at the calls that the hooks of package trace tell. Its clocks cost time of their
// own, some 50 ns a change, which is why no ratio comes from a run with a probe. It belongs to one goroutine.
type probe struct {
	now   func() time.Duration // a clock that only goes on
	on    bool
	last  time.Duration // by that clock, when the phase last changed
	open  []int
	spent []time.Duration
	names []string
	made  []int // sizes of the blocks that actors made, in bytes
}

func newProbe() *probe {
	began := time.Now()
	return &probe{now: func() time.Duration { return time.Since(began) }}
}

// phase is the number of a phase.
func (p *probe) phase(name string) int {
	if i := slices.Index(p.names, name); i >= 0 {
		return i
	}
	p.names, p.spent = append(p.names, name), append(p.spent, 0)
	return len(p.names) - 1
}

// change books the time since the last change on the innermost phase.
func (p *probe) change() {
	now := p.now()
	if n := len(p.open); n > 0 {
		p.spent[p.open[n-1]] += now - p.last
	}
	p.last = now
}

// enter opens a phase, and returns what leave must be given.
func (p *probe) enter(phase int) (depth int) {
	if !p.on {
		return 0
	}
	p.change()
	p.open = append(p.open, phase)
	return len(p.open) - 1
}

// leave closes phases down to a depth: those inside it that nobody closed too.
func (p *probe) leave(depth int) {
	if p.on && depth < len(p.open) {
		p.change()
		p.open = p.open[:depth]
	}
}

// measure runs f, which begins in a phase, and returns where its time went.
func (p *probe) measure(name string, f func()) Phases {
	clear(p.spent)
	p.open, p.on = p.open[:0], true
	p.enter(p.phase(name))
	f()
	p.leave(0)
	p.on = false
	got := Phases{}
	for i, d := range p.spent {
		if d > 0 {
			got[p.names[i]] = d
		}
	}
	return got
}

// hooks open a phase for each call, and tell when the outermost one is over.
func (p *probe) hooks() *trace.Hooks {
	calls, settle := p.phase(Calls), p.phase(Settle)
	end := func() {
		for i := len(p.open) - 1; i > 0; i-- {
			if p.open[i] != calls {
				continue
			}
			p.leave(i)
			if i == 1 {
				p.open[0] = settle
			}
			return
		}
	}
	return &trace.Hooks{
		OnCall:   func(*trace.Call) { p.enter(calls) },
		OnReturn: func(*trace.Return) { end() },
		OnError:  func(*trace.Error) { end() },
		OnIPLD: func(b *trace.IPLD) {
			if p.on && b.Put {
				p.made = append(p.made, b.Size)
			}
		},
	}
}

// hashing is what hashing so many bytes takes, block by block: hashed again, since the hash itself cannot be
// watched without a clock in the rooms that decide results.
func hashing(sizes []int) time.Duration {
	if len(sizes) == 0 {
		return 0
	}
	data := make([]byte, slices.Max(sizes))
	start := time.Now()
	for _, n := range sizes {
		crypto.Blake2b256(data[:n])
	}
	return time.Since(start)
}
