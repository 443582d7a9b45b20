package bench

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The phases of a message, in the order in which they are shown. Those of syscalls are named Syscalls and the
// module of their imports: "syscalls ipld".
const (
	Preflight   = "preflight"   // until the first call begins
	Calls       = "calls"       // the call manager: frames, addresses, transfers, gas, modules looked up
	Compile     = "compile"     // none in a warm run
	Instantiate = "instantiate" // making and closing instances
	Guest       = "guest"       // the actors' own code
	Syscalls    = "syscalls"    // with a space and the module's name
	Reads       = "store reads"
	Settle      = "settle" // receipt, events' root, fees
	Flush       = "flush"  // once a vector
	Writes      = "store writes"
)

var phaseOrder = []string{Preflight, Calls, Compile, Instantiate, Guest, Syscalls, Reads, Settle, Flush, Writes}

// syscallsOf is the phase of a module's syscalls.
func syscallsOf(module string) string { return Syscalls + " " + module }

// Phases are times by phase.
type Phases map[string]time.Duration

// Add adds more to p.
func (p Phases) Add(more Phases) {
	for name, d := range more {
		p[name] += d
	}
}

// Total is their sum.
func (p Phases) Total() (sum time.Duration) {
	for _, d := range p {
		sum += d
	}
	return sum
}

// Syscalls is the time of all modules of syscalls.
func (p Phases) Syscalls() (sum time.Duration) {
	for name, d := range p {
		if isSyscalls(name) {
			sum += d
		}
	}
	return sum
}

func isSyscalls(name string) bool { return strings.HasPrefix(name, Syscalls+" ") }

// Names are the phases that are in p, in their order, the modules of syscalls by name.
func (p Phases) Names() (list []string) {
	all := slices.Sorted(maps.Keys(p))
	for _, want := range phaseOrder {
		for _, name := range all {
			if name == want || want == Syscalls && isSyscalls(name) {
				list = append(list, name)
			}
		}
	}
	return list
}
