package syscalls_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// Whatever an actor passes to a syscall: it gets a number, or ends with an exit
// code, out of gas or by a failure that all nodes have. It never panics, and no
// node fails alone.
func FuzzSyscalls(f *testing.F) {
	f.Add(byte(0), []byte{}, []byte{}, []byte{})
	f.Add(byte(7), []byte{100, 0, 0, 0, 0, 0, 0, 0, 2}, []byte("\x00\x64"), []byte{1})
	for i := range byte(42) {
		f.Add(i, []byte{232, 3, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 100}, []byte("\x82\x01\x02"), []byte{i})
	}
	f.Fuzz(func(t *testing.T, which byte, args, mem, more []byte) {
		nv := network.Version(28)
		if len(more) > 0 && more[0]&1 != 0 {
			nv = 18
		}
		g := newGuest(t, nv, plenty)
		copy(g.mem[in:], mem)
		g.m.ActorDebugging = len(more) > 0 && more[0]&2 != 0
		g.inv.Kernel.ReadOnly = len(more) > 0 && more[0]&4 != 0
		// A few blocks for handles to point at.
		for _, codec := range []uint64{0x55, 0x71} {
			_, _ = g.call("ipld::block_create", out, codec, in, uint64(min(len(mem), memSize-in)))
		}
		_, _ = g.call("self::root", out, buf, 38)
		var names []string
		for name := range g.funcs {
			names = append(names, name)
		}
		slices.Sort(names)
		name := names[int(which)%len(names)]
		h := g.funcs[name]
		if h.Module == "edgefvm" {
			return // an actor cannot call these
		}
		words := make([]uint64, len(h.Params))
		for i := range words {
			var b [8]byte
			copy(b[:], args[min(8*i, len(args)):])
			words[i] = binary.LittleEndian.Uint64(b[:])
		}
		if name == "send::send" {
			words[3] = 0 // this guest has no others' code to run
		}
		n, err := g.call(name, words...)
		var abort *execerr.Abort
		var fatal *execerr.Fatal
		switch {
		case err == nil:
			if n > uint32(execerr.ReadOnly) || (n == 0) != (g.inv.Last == nil) {
				t.Errorf("%s%v: errno %d, last error %+v", name, words, n, g.inv.Last)
			}
		case errors.Is(err, execerr.ErrOutOfGas), errors.As(err, &abort):
		case errors.As(err, &fatal) && fatal.Guest:
		default:
			t.Errorf("%s%v: %v", name, words, err)
		}
		if len(g.mem) != memSize || g.inv.Account.Used() > machine.MaxMessageMemory {
			t.Errorf("%s%v: %d bytes of memory", name, words, len(g.mem))
		}
	})
}
