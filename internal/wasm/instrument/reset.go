package instrument

import (
	"slices"
	"strconv"
	"strings"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// mutable is a mutable global of the output and its export.
type mutable struct {
	index uint32
	name  string
}

// Bounds on what the section adds to an output. Actors have one mutable global.
const (
	maxMutables = 64
	maxUnused   = 16
)

// lasting reports whether some body can change more of an instance than its memory and globals.
func (p *plan) lasting() bool {
	return slices.ContainsFunc(p.bodies, func(b body) bool { return b.lasting })
}

// resettable lists all mutable globals, if with them and the memory an instance can be made new; nil if not. See
// ResetSection. The host cannot change a table, nor can it set a global other than the counter.
func (p *plan) resettable() []mutable {
	m := p.m
	if p.lasting() {
		return nil
	}
	prefix, ok := m.unusedPrefix()
	list := []mutable{{p.counter, CounterExport}, {p.height, prefix + "height"}}
	if m.rules.CountPages {
		list = append(list, mutable{p.pages, prefix + "pages"})
	}
	for i, g := range m.globals {
		switch {
		case !g.mutable:
		case g.typ == funcref, len(list) == maxMutables: // a reference is to a function of one instance
			return nil
		default:
			list = append(list, mutable{uint32(i), prefix + strconv.Itoa(i)})
		}
	}
	if !ok {
		return nil
	}
	return list
}

// unusedPrefix begins no export of the guest: it has one underscore more than any that looks like it.
func (m *module) unusedPrefix() (string, bool) {
	const stem = "edgefvm.global"
	n := 0
	for _, e := range m.exports {
		if rest, ok := strings.CutPrefix(e.name, stem); ok {
			n = max(n, len(rest)-len(strings.TrimLeft(rest, "_"))+1)
		}
	}
	return stem + strings.Repeat("_", min(n, maxUnused)) + ".", n <= maxUnused
}

func resetSection(list []mutable) []byte {
	w := &ops.Writer{}
	w.String(ResetSection)
	w.Len(len(list))
	for _, g := range list {
		w.String(g.name)
	}
	return w.B
}
