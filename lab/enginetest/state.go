package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

func testMemoryView(x *fixture) {
	in := x.kitchen()
	mem := in.Memory()
	if len(mem) != engine.PageSize || string(mem[16:23]) != "segment" {
		x.t.Fatalf("memory of %d bytes, segment %q", len(mem), mem[16:23])
	}
	mem[100] = 0xab
	x.want32(in, 0xab, "load8", 100)
	x.do(in, "store32", 200, 0x01020304)
	if !bytes.Equal(in.Memory()[200:204], []byte{4, 3, 2, 1}) {
		x.t.Errorf("guest's store shows as %x", in.Memory()[200:204])
	}
	x.f = func(_ context.Context, caller engine.Instance, n uint32) (uint32, error) {
		caller.Memory()[n]++
		return uint32(caller.Memory()[n]), nil
	}
	x.want32(in, 0xac, "invoke", 100)
	x.want32(in, 0xac, "load8", 100)
}

func testMemoryGrowth(x *fixture) {
	in := x.kitchen()
	x.do(in, "store32", 8, 0x5555)
	in.Memory()[engine.PageSize-1] = 9
	pages := uint32(1)
	for _, delta := range []uint32{0, 1, 1, 3, 30, 100, 0} {
		x.want32(in, pages, "grow", uint64(delta))
		pages += delta
		x.want32(in, pages, "size")
		mem := in.Memory()
		if len(mem) != int(pages)*engine.PageSize {
			x.t.Fatalf("memory has %d bytes after growth to %d pages", len(mem), pages)
		}
		if delta > 0 && !zero(mem[len(mem)-int(delta)*engine.PageSize:]) {
			x.t.Fatalf("new pages are not zero")
		}
		mem[len(mem)-1] = 9 // must survive, and must not leak into the next growth
	}
	x.want32(in, 0x5555, "load32", 8)
	x.want32(in, 9, "load8", engine.PageSize-1)
	// More than there can be: refused, without a trap.
	x.want32(in, 0xffffffff, "grow", 65536)
	x.want32(in, 0xffffffff, "grow", 0xffffffff)
	x.want32(in, pages, "size")
	// A maximum of its own.
	m := &wasmModule{}
	m.counter()
	m.memory(limits{min: 1, max: 2, bounded: true})
	m.fn("grow", one32, one32, 0, get(0), memoryGrow())
	in = x.instantiate(x.compile(m.bytes()), nil)
	x.want32(in, 0xffffffff, "grow", 2)
	x.want32(in, 1, "grow", 1)
	x.want32(in, 0xffffffff, "grow", 1)
}

// The guest grows its memory and then calls the host, in one invocation.
func testMemoryMovesInHostCall(x *fixture) {
	m := x.compile(kitchen(1))
	for range 3 {
		in := x.instantiate(m, nil)
		want := uint32(0x77)
		x.f = func(_ context.Context, caller engine.Instance, n uint32) (uint32, error) {
			mem := caller.Memory()
			if mem[0] != byte(want) || len(mem)%engine.PageSize != 0 {
				x.t.Errorf("host function sees %x in %d bytes", mem[0], len(mem))
			}
			mem[0] = byte(n)
			return n, nil
		}
		for n := uint64(1); n < 40; n++ {
			x.want32(in, uint32(n), "growcall", n)
			if len(in.Memory()) != int(n+1)*engine.PageSize {
				x.t.Fatalf("memory has %d bytes after %d pages more", len(in.Memory()), n)
			}
		}
		x.close(in)
	}
}

// 512 MiB is what a network lets one guest have.
func testLargeMemory(x *fixture) {
	if testing.Short() {
		x.t.Skip("large memory")
	}
	const pages = 512 << 20 / engine.PageSize
	in := x.kitchen()
	x.want32(in, 1, "grow", pages-2)
	x.want32(in, pages-1, "grow", 1)
	x.do(in, "store32", 512<<20-4, 77)
	x.want32(in, 77, "load32", 512<<20-4)
	x.want32(in, 0, "load32", 256<<20)
	x.close(in)
	in = x.instantiate(x.compile(kitchen(pages)), nil)
	if len(in.Memory()) != 512<<20 {
		x.t.Errorf("memory has %d bytes", len(in.Memory()))
	}
	x.want32(in, 0, "load32", 512<<20-4)
	x.close(in)
}

func testNoMemory(x *fixture) {
	m := &wasmModule{}
	m.counter()
	f := m.imp("host", "f", one32, one32)
	m.fn("invoke", one32, one32, 0, get(0), call(f))
	in := x.instantiate(x.compile(m.bytes()), nil)
	x.f = func(_ context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if caller.Memory() != nil {
			x.t.Error("memory of a module without one")
		}
		return n, nil
	}
	x.want32(in, 3, "invoke", 3)
	x.close(in)
	// A memory that is not exported is the guest's own affair.
	m = &wasmModule{}
	m.counter()
	m.mems = append(m.mems, limits{min: 1}.encode())
	m.fn("size", none, one32, 0, memorySize())
	in = x.instantiate(x.compile(m.bytes()), nil)
	x.want32(in, 1, "size")
	if in.Memory() != nil {
		x.t.Error("memory that is not exported")
	}
}

func testEmptyMemory(x *fixture) {
	m := &wasmModule{}
	m.counter()
	m.memory(limits{})
	m.fn("grow", one32, one32, 0, get(0), memoryGrow())
	m.fn("load8", one32, one32, 0, get(0), load8())
	in := x.instantiate(x.compile(m.bytes()), nil)
	if in.Memory() == nil || len(in.Memory()) != 0 {
		x.t.Errorf("empty memory is %d bytes, nil: %v", len(in.Memory()), in.Memory() == nil)
	}
	_, err := invoke(in, "load8", 0)
	x.wantTrap(err, "load from an empty memory", engine.TrapMemoryOutOfBounds)
	x.want32(in, 0, "grow", 1)
	x.want32(in, 0, "load8", 65535)
}

// Dirty memories of many sizes, given back and taken again, must be as new.
func testFreshMemory(x *fixture) {
	sizes := []uint32{1, 2, 3, 17, 20, 31, 32}
	mods := map[uint32]engine.Module{}
	for _, n := range sizes {
		mods[n] = x.compile(kitchen(n))
	}
	for round := range 3 {
		for i := range sizes {
			n := sizes[(i*(round+1))%len(sizes)]
			in := x.instantiate(mods[n], nil)
			x.wantFresh(in, fmt.Sprintf("%d pages, round %d", n, round))
			// Growth within the buffer and beyond it must bring zeros as well.
			for _, delta := range []uint32{1, 14, 40} {
				old := len(in.Memory())
				x.do(in, "grow", uint64(delta))
				if !zero(in.Memory()[old:]) {
					x.t.Fatalf("%d pages, round %d: growth by %d is dirty", n, round, delta)
				}
				x.do(in, "fill", 0, 0xee, uint64(len(in.Memory())))
			}
			x.close(in)
		}
	}
	// A trap or an error of the host leaves no dirt behind either.
	for _, export := range []string{"unreachable", "invoke"} {
		in := x.instantiate(mods[1], nil)
		x.do(in, "fill", 0, 0xee, engine.PageSize)
		if _, err := invoke(in, export, failWith); err == nil {
			x.t.Fatalf("%s succeeded", export)
		}
		x.close(in)
		in = x.instantiate(mods[1], nil)
		x.wantFresh(in, "after "+export)
		x.close(in)
	}
}

// wantFresh checks the memory of a new kitchen.
func (x *fixture) wantFresh(in engine.Instance, what string) {
	x.t.Helper()
	mem := bytes.Clone(in.Memory())
	if string(mem[16:23]) != "segment" {
		x.t.Fatalf("%s: segment is %q", what, mem[16:23])
	}
	clear(mem[16:23])
	if !zero(mem) {
		x.t.Fatalf("%s: new memory is dirty", what)
	}
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// Globals, tables and dropped segments are per instance, and new in each.
func testFreshState(x *fixture) {
	m := x.compile(lastingKitchen(1))
	live := x.instantiate(m, nil)
	for range 3 {
		in := x.instantiate(m, nil)
		if in.Counter() != 0 {
			x.t.Errorf("counter starts at %d", in.Counter())
		}
		in.SetCounter(77)
		if got, err := invoke(in, "private", 99); err != nil || got != 11 {
			x.t.Errorf("private global starts at %d, %v", got, err)
		}
		_, err := invoke(in, "table", 4)
		x.wantTrap(err, "empty slot", engine.TrapTableOutOfBounds, engine.TrapIndirectCallToNull)
		x.do(in, "tablecopy")
		x.want32(in, 8, "table", 4)
		x.do(in, "init", 300)
		if string(in.Memory()[300:308]) != "passive!" {
			x.t.Errorf("passive segment is %q", in.Memory()[300:308])
		}
		x.do(in, "drop")
		_, err = invoke(in, "init", 300)
		x.wantTrap(err, "dropped segment", engine.TrapMemoryOutOfBounds)
		x.close(in)
	}
	if got, err := invoke(live, "private", 0); err != nil || got != 11 || live.Counter() != 0 {
		x.t.Errorf("another instance's globals show: %d, %d, %v", got, live.Counter(), err)
	}
}

// Segments that do not fit trap at instantiation, tables before memory.
func testSegments(x *fixture) {
	const page = engine.PageSize
	for _, tt := range []struct {
		name       string
		elem, data int32
		want       engine.TrapKind
	}{
		{"fits", 2, page - 3, 0},
		{"data one too far", 0, page - 2, engine.TrapMemoryOutOfBounds},
		{"data far away", 0, -1, engine.TrapMemoryOutOfBounds},
		{"elements one too far", 3, 0, engine.TrapTableOutOfBounds},
		{"elements far away", -1, 0, engine.TrapTableOutOfBounds},
		{"both", 3, page, engine.TrapTableOutOfBounds},
	} {
		m := &wasmModule{}
		m.counter()
		m.memory(limits{min: 1})
		m.table(limits{min: 3})
		f := m.fn("ok", none, one32, 0, i32c(1))
		m.elem(tt.elem, f)
		m.data(tt.data, "abc")
		in, err := x.compile(m.bytes()).Instantiate(context.Background(), nil)
		if tt.want == 0 {
			if err != nil {
				x.t.Errorf("%s: %v", tt.name, err)
				continue
			}
			x.want32(in, 1, "ok")
			continue
		}
		x.wantTrap(err, tt.name, tt.want)
	}
	// Empty segments at the very end fit; after it they do not.
	for offset, fits := range map[int32]bool{page: true, page + 1: false} {
		m := &wasmModule{}
		m.counter()
		m.memory(limits{min: 1})
		m.data(offset, "")
		_, err := x.compile(m.bytes()).Instantiate(context.Background(), nil)
		if (err == nil) != fits {
			x.t.Errorf("empty segment at %d: %v", offset, err)
		}
	}
}

// Instances one after another, each of which leaves its memory, size and globals
// as no new one has them: the next shows nothing of it.
func testFreshAgain(x *fixture) {
	m := x.compile(kitchen(2))
	last := uint64(2*engine.PageSize - 4)
	for round := range 4 {
		in := x.instantiate(m, nil)
		x.wantFresh(in, fmt.Sprintf("round %d", round))
		if in.Counter() != 0 {
			x.t.Errorf("round %d: counter starts at %d", round, in.Counter())
		}
		if got, err := invoke(in, "private", 99); err != nil || got != 11 {
			x.t.Errorf("round %d: private global starts at %d, %v", round, got, err)
		}
		in.SetCounter(77)
		x.want32(in, 2, "size")
		x.want32(in, 0, "load32", last)
		x.do(in, "store32", last, 0xffffffff)
		x.do(in, "fill", 10, 0xaa, 20) // over the segment
		if round == 3 {
			_, err := invoke(in, "load8", last+4)
			x.wantTrap(err, "beyond the first size", engine.TrapMemoryOutOfBounds)
		}
		x.want32(in, 2, "grow", 3)
		x.want32(in, 0, "load32", 3*engine.PageSize)
		x.do(in, "fill", 2*engine.PageSize, 0xbb, 3*engine.PageSize)
		x.close(in)
	}
}
