package fuzz

import (
	"fmt"
	"maps"
	"strings"

	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/trace"
)

// Coverage counts what messages reached, by name.
type Coverage struct {
	// Syscalls are "era 4 ipld::block_open 6", and the same of each network version, "nv28 ipld::block_open 6": what a syscall gave to
	// an actor, if a listener heard it.
	Syscalls map[string]int `json:"syscalls"`
	// Charges are "nv28 OnBlockOpen".
	Charges map[string]int `json:"charges"`
	// Methods are "nv28 storageminer 5 ok", or failed.
	Methods map[string]int `json:"methods"`
}

func newCoverage() *Coverage {
	c := &Coverage{}
	c.complete()
	return c
}

func (c *Coverage) complete() {
	for _, m := range []*map[string]int{&c.Syscalls, &c.Charges, &c.Methods} {
		if *m == nil {
			*m = map[string]int{}
		}
	}
}

func (c *Coverage) add(other *Coverage) {
	for _, m := range []struct{ into, from map[string]int }{{c.Syscalls, other.Syscalls}, {c.Charges, other.Charges}, {c.Methods, other.Methods}} {
		for k, n := range m.from {
			m.into[k] += n
		}
	}
}

// open is a call that has not returned.
type open struct {
	call  *trace.Call
	actor string
}

// cover reads traces for what they reached.
func cover(nv int, ours *duel.Ours) *Coverage {
	seen := newCoverage()
	charges := map[string]int{}
	for _, events := range ours.Traces {
		var calls []open
		for _, e := range events {
			switch e := e.(type) {
			case *trace.GasCharge:
				charges[e.Name]++
			case *trace.Call:
				calls = append(calls, open{call: e})
			case *trace.Invoke:
				if len(calls) > 0 {
					calls[len(calls)-1].actor, _ = ours.ActorName(e.Code)
				}
			case *trace.Error:
				calls = calls[:max(len(calls)-1, 0)]
			case *trace.Return:
				if len(calls) == 0 {
					continue
				}
				seen.returned(nv, calls[len(calls)-1], e)
				calls = calls[:len(calls)-1]
			}
		}
	}
	for name, n := range charges {
		seen.Charges[fmt.Sprintf("nv%d %s", nv, name)] += n
	}
	return seen
}

func (c *Coverage) returned(nv int, o open, r *trace.Return) {
	if o.actor == "" || o.actor == "script" || o.actor == "module" {
		return
	}
	how := "ok"
	if r.ExitCode != 0 {
		how = "failed"
	}
	c.Methods[fmt.Sprintf("nv%d %s %d %s", nv, o.actor, o.call.Method, how)]++
}

// hear adds what a listener heard while cases of a network version ran.
func (c *Coverage) hear(nv int, heard map[string]int) {
	for k, n := range heard {
		c.Syscalls[k] += n
		_, what, _ := strings.Cut(strings.TrimPrefix(k, "era "), " ")
		c.Syscalls[fmt.Sprintf("nv%d %s", nv, what)] += n
	}
}

// Clone is a copy that does not change.
func (c *Coverage) Clone() *Coverage {
	return &Coverage{Syscalls: maps.Clone(c.Syscalls), Charges: maps.Clone(c.Charges), Methods: maps.Clone(c.Methods)}
}
