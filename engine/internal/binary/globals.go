package binary

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Globals are a module's globals, as its sections tell them, and what its section of engine.EnvConfig.Reset says of them.
type Globals struct {
	types   [][2]byte         // type and mutability of each
	shown   map[string]uint32 // exported ones by name
	listed  bool              // there is a section of EnvConfig.Reset
	mutable []string          // the exports it names
}

const mutable = 1

// Item reads the type of a global; its initial value follows.
func (g *Globals) Item(r *Reader) { g.types = append(g.types, [2]byte{r.Byte(), r.Byte()}) }

// Export notes that a global is exported.
func (g *Globals) Export(name string, index uint32) {
	if g.shown == nil {
		g.shown = map[string]uint32{}
	}
	g.shown[name] = index
}

// Custom begins a custom section. If it is the first of that name, which is not empty, its items are to be read
// by Listed.
func (g *Globals) Custom(r *Reader, name string) bool {
	if found := string(r.Take(r.U32())); found != name || name == "" || g.listed {
		return false
	}
	g.listed = true
	return true
}

// Listed reads an item of the section of EnvConfig.Reset.
func (g *Globals) Listed(r *Reader) { g.mutable = append(g.mutable, string(r.Take(r.U32()))) }

// is reports whether an exported global has a property.
func (g *Globals) is(name string, has func(typ [2]byte) bool) bool {
	index, ok := g.shown[name]
	return ok && int64(index) < int64(len(g.types)) && has(g.types[index])
}

// CheckCounter refuses a module that does not export a mutable i64 global under a name.
func (g *Globals) CheckCounter(name string) error {
	if !g.is(name, func(typ [2]byte) bool { return typ == [2]byte{ops.I64, mutable} }) {
		return fmt.Errorf("no mutable i64 global is exported as %q", name)
	}
	return nil
}

// Reset are the exports of all mutable globals, if the module has a section of EnvConfig.Reset, called section; ok
// is false if it has none. A section that cannot be true is refused: a mutable global would be missing from it, or is no number.
func (g *Globals) Reset(section string) (exports []string, ok bool, err error) {
	if !g.listed {
		return nil, false, nil
	}
	listed := map[uint32]bool{}
	for _, name := range g.mutable {
		if !g.is(name, func(typ [2]byte) bool { return typ[1] == mutable }) {
			return nil, false, fmt.Errorf("section %s: no mutable global is exported as %q", section, name)
		}
		listed[g.shown[name]] = true
	}
	for i, typ := range g.types {
		number := typ[0] >= ops.F64 && typ[0] <= ops.I32 // f64, f32, i64, i32
		if typ[1] == mutable && (!listed[uint32(i)] || !number) {
			return nil, false, fmt.Errorf("section %s: mutable global %d is missing, or no number", section, i)
		}
	}
	return g.mutable, true, nil
}
