package syscalls_test

import (
	"testing"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// hot are the syscalls that actors make most, each measured by itself, and how often they may allocate: for a block, its
// bytes, a CID, an address, a copy of an actor's state.
var hot = []struct {
	name   string
	allocs float64
	args   func(g *guest) []uint64
}{
	{"vm::message_context", 0, func(*guest) []uint64 { return []uint64{out} }},
	{"network::context", 0, func(*guest) []uint64 { return []uint64{out} }},
	{"gas::available", 0, func(*guest) []uint64 { return []uint64{out} }},
	{"ipld::block_read", 0, func(g *guest) []uint64 { g.block(1000); return []uint64{out, 1, 0, buf, 1000} }},
	{"ipld::block_stat", 0, func(g *guest) []uint64 { g.block(1000); return []uint64{out, 1} }},
	{"ipld::block_open", 2, func(g *guest) []uint64 { g.must("self::root", out, buf, 38); return []uint64{out, buf} }},
	{"ipld::block_create", 2, func(*guest) []uint64 { return []uint64{out, 0x55, in, 300} }},
	{"ipld::block_link", 1, func(g *guest) []uint64 { g.block(1000); return []uint64{out, 1, 0xb220, 32, buf, 38} }},
	{"self::root", 1, func(*guest) []uint64 { return []uint64{out, buf, 38} }},
	{"actor::resolve_address", 1, func(g *guest) []uint64 {
		p, n := g.write(in, addr.NewID(other).Bytes())
		return []uint64{out, p, n}
	}},
	{"actor::balance_of", 1, func(*guest) []uint64 { return []uint64{out, other} }},
	{"crypto::hash", 0, func(*guest) []uint64 { return []uint64{out, 0xb220, in, 300, buf, 32} }},
}

// repeat makes one syscall again and again, with gas for all of them.
func repeat(t testing.TB, nv network.Version, name string, args func(g *guest) []uint64) func() {
	g := newGuest(t, nv, 1<<50)
	a := args(g)
	h, stack, ctx := g.funcs[name], make([]uint64, len(a)), t.Context()
	return func() {
		copy(stack, a)
		g.charges = g.charges[:0]
		if err := h.Fn(ctx, g, stack); err != nil || stack[0] != 0 {
			t.Fatalf("%s: errno %d, %v", name, stack[0], err)
		}
	}
}

func TestHotSyscallsAllocate(t *testing.T) {
	for _, c := range hot {
		if got := testing.AllocsPerRun(500, repeat(t, 28, c.name, c.args)); got > c.allocs {
			t.Errorf("%s: %v allocations, not %v", c.name, got, c.allocs)
		}
	}
}

func BenchmarkSyscalls(b *testing.B) {
	for _, c := range hot {
		b.Run(c.name, func(b *testing.B) {
			call := repeat(b, 28, c.name, c.args)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
