package syscalls_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
)

// What the syscalls did differently on network versions 16 and 17.

// The out-structs that later versions do not have, byte by byte.
func TestOutStructsBefore18(t *testing.T) {
	seal := func(g *guest) []uint64 {
		link := "d82a582900" + "0182e20381e80220" + "0707070707070707070707070707070707070707070707070707070707070707"
		return two(g.write(in, unhex(t, "88 08 82 02 03 80 40 40 40"+link+link)))
	}
	sender := func(g *guest) []uint64 {
		head := cbor.AppendBytes(cbor.AppendArray(nil, 1), append([]byte{1}, make([]byte, 20)...))
		c := cbor.Blake2bCID(0x71, crypto.Blake2b256(head))
		g.m.Store.PutRaw(c, head)
		if err := g.m.Tree.SetActor(0x0e0f, state.ActorState{Code: code("account"), Head: c}); err != nil {
			t.Fatal(err)
		}
		return []uint64{buf, 21}
	}
	for _, c := range []struct {
		name string
		args func(g *guest) []uint64
		want string
	}{
		// value, caller, receiver, method, epoch, network version
		{"vm::context", none, `0500000000000000 0100000000000000 0d0c000000000000 0b0a000000000000 1817161514131211 4433221100000000 11000000`},
		{"network::base_fee", none, `0200000000000000 0100000000000000`},
		{"network::total_fil_circ_supply", none, `0300000000000000 0200000000000000`},
		{"actor::new_actor_address", sender, `15000000`},
		{"crypto::verify_seal", seal, `00000000`},
		{"crypto::hash", args(0x12, in, 3, buf, 7), `07000000`},
		// codec, id, size
		{"ipld::block_open", func(g *guest) []uint64 { g.must("self::root", out, buf, 38); return []uint64{buf} }, `7100000000000000 01000000 01000000`},
		// exit code, id, codec, size
		{"send::send", func(g *guest) []uint64 {
			p, n := g.write(in, addr.NewID(other).Bytes())
			return []uint64{p, n, 0, 0, 0, 5}
		}, `00000000 00000000 0000000000000000 00000000`},
	} {
		g := newGuest(t, 17, plenty)
		a := append([]uint64{out}, c.args(g)...)
		copy(g.mem[out:], bytes.Repeat([]byte{0xaa}, 100))
		g.must(c.name, a...)
		want := append(unhex(t, c.want), 0xaa)
		if got := g.mem[out : out+len(want)]; !bytes.Equal(got, want) || g.mem[out-1] != 0xaa {
			t.Errorf("%s wrote %x, want %x", c.name, got, want)
		}
	}
}

// vm::abort always ends in failure: a code of the system, 0 among them, is code 9, and a message that cannot be read keeps its code.
func TestVMAbort(t *testing.T) {
	g := newGuest(t, 17, plenty)
	good, n := g.write(in, []byte("out of luck"))
	bad, m := g.write(in+100, []byte{0xff, 'x'})
	for _, c := range []struct {
		code, off, n uint64
		exit         exitcode.ExitCode
		text         string
	}{
		{0, good, n, 9, "actor aborted with code 0"}, {15, good, n, 9, "actor aborted with code 15"},
		{16, good, n, 16, "out of luck"}, {1<<32 - 1, good, n, 1<<32 - 1, "out of luck"},
		{17, good, 0, 17, "actor aborted"}, {17, 1<<32 - 1, 0, 17, "actor aborted"},
		{18, bad, m, 18, "its message is not UTF-8"}, {19, memSize - 1, 2, 19, "its message is not readable"},
		{5, memSize - 1, 2, 9, "actor aborted with code 5"},
	} {
		_, err := g.call("vm::abort", c.code, c.off, c.n)
		var a *execerr.Abort
		if !errors.As(err, &a) || a.Code != c.exit || a.Block != 0 || !bytes.HasPrefix([]byte(a.Message), []byte(c.text)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// gas::charge takes a signed number: an actor can ask for gas back.
func TestChargeIsSigned(t *testing.T) {
	g := newGuest(t, 17, plenty)
	p, n := g.write(in, []byte("mine"))
	for _, amount := range []int64{0, 1000, -1000, -5_000_000_000} {
		before := int64(g.inv.Kernel.Gas().Available())
		g.must("gas::charge", p, n, uint64(amount))
		after := int64(g.inv.Kernel.Gas().Available())
		if got := before - after; got != 1000*amount+14_000_000 {
			t.Errorf("%d: %d milligas taken", amount, got)
		}
		if g.counter <= 0 {
			t.Errorf("%d: the guest's counter is %d", amount, g.counter)
		}
	}
	if errno, err := g.call("gas::charge", memSize, 1, 0); errno != uint32(execerr.IllegalArgument) || err != nil {
		t.Errorf("a name that is not there: %d, %v", errno, err)
	}
	if _, err := g.call("gas::charge", p, n, 1<<63-1); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("the largest amount: %v", err)
	}
}

// f4 addresses do not parse.
func TestNoDelegatedAddresses(t *testing.T) {
	for nv, want := range map[network.Version]execerr.Errno{17: execerr.IllegalArgument, 18: execerr.NotFound} {
		g := newGuest(t, nv, plenty)
		p, n := g.write(in, []byte("\x04\x0aabc"))
		g.must("self::root", out, buf, 38)
		initActor(t, g)
		if errno, err := g.call("actor::resolve_address", out, p, n); errno != uint32(want) || err != nil {
			t.Errorf("nv%d: errno %d, %v; want %d", nv, errno, err, want)
		}
	}
	g := newGuest(t, 17, plenty)
	p, n := g.write(in, []byte("\x04\x0aabc"))
	for name, a := range map[string][]uint64{
		"send::send": {out, p, n, 0, 0, 0, 0}, "self::self_destruct": {p, n}, "crypto::verify_signature": {out, 1, buf, 65, p, n, 0, 0},
	} {
		if errno, err := g.call(name, a...); errno != uint32(execerr.IllegalArgument) || err != nil || g.inv.Last == nil {
			t.Errorf("%s: errno %d, %v", name, errno, err)
		}
	}
}

// initActor makes an init actor that knows no address.
func initActor(t *testing.T, g *guest) {
	t.Helper()
	put := func(data []byte) (c cid.Cid) {
		c = cbor.Blake2bCID(0x71, crypto.Blake2b256(data))
		g.m.Store.PutRaw(c, data)
		return c
	}
	head := put(cbor.AppendText(cbor.AppendUint(cbor.AppendCID(cbor.AppendArray(nil, 3), put([]byte{0x82, 0x40, 0x80})), 1000), "test"))
	if err := g.m.Tree.SetActor(1, state.ActorState{Code: code("init"), Head: head}); err != nil {
		t.Fatal(err)
	}
}

// If a return value does not fit, what the guest executed is charged once: the settlement marks where the guest's counter stood. The
// counter is not refreshed, so that the guest does not see what the call cost until the next one.
func TestOutPointerChargesOnce(t *testing.T) {
	const ran = 3_000_000 // milligas
	g := newGuest(t, 17, plenty)
	g.counter -= ran
	seen := g.counter
	errno, err := g.call("vm::context", memSize-51)
	if errno != uint32(execerr.IllegalArgument) || err != nil || g.counter != seen {
		t.Fatalf("errno %d, %v, the counter went from %d to %d", errno, err, seen, g.counter)
	}
	if exec, _ := g.charged("wasm_exec"); exec != ran {
		t.Errorf("charged %d, the guest ran %d", exec, ran)
	}
	g.counter -= 7000
	g.must("vm::context", memSize-52)
	if exec, times := g.charged("wasm_exec"); exec != 7000 || times != 1 {
		t.Errorf("then charged %d, the guest ran 7000", exec)
	}
	if left, want := g.inv.Kernel.Gas().Available(), uint64(1000*plenty-ran-7000-2*14_000_000); uint64(left) != want {
		t.Errorf("%d left, want %d", left, want)
	}
}

// A guest may have all that Wasm allows; beyond what the node gives there is no receipt, and neither if the engine does not give
// what was granted.
func TestGrowthWithoutLimit(t *testing.T) {
	grow := func(g *guest, delta, current uint64) (uint64, error) {
		stack := []uint64{delta, current}
		err := g.funcs["edgefvm::grow"].Fn(t.Context(), g, stack)
		return stack[0], err
	}
	g := newGuest(t, 17, plenty)
	g.inv.MemoryLimits = syscalls.GrowthLimits{Declared: 65536, Instance: 65536}
	g.inv.Account = &account{limit: 5 << 30}
	for _, c := range []struct {
		delta, current, granted uint64
		all                     bool
	}{{0, 1, 1, false}, {65534, 1, 1, false}, {1, 65535, 1, true}, {1, 65536, 0, true}, {0, 65536, 1, true}} {
		if ok, err := grow(g, c.delta, c.current); ok != c.granted || err != nil || g.inv.AllPages != c.all {
			t.Errorf("%+v: %d, %v, all pages %v", c, ok, err, g.inv.AllPages)
		}
	}
	if _, err := grow(g, 65535, 1); !isNodeFailure(err) {
		t.Errorf("more than the node gives: %v", err)
	}
	if _, err := grow(g, 1<<32-1, 1<<32-1); !isNodeFailure(err) {
		t.Errorf("what the engine refused: %v", err)
	}
	g = newGuest(t, 18, plenty)
	g.inv.MemoryLimits = syscalls.GrowthLimits{Declared: 65536, Instance: 8192}
	if ok, err := grow(g, 60000, 1); ok != 0 || err != nil {
		t.Errorf("nv18: %d, %v", ok, err)
	}
}

// What came later is not there, and what was there only then is gone. The whole table is in testdata.
func TestSyscallsBefore18(t *testing.T) {
	names := map[string]bool{}
	for _, h := range syscalls.HostFuncs(machine.ABI2) {
		names[h.Module+"::"+h.Name] = true
	}
	for _, later := range []string{"vm::exit", "vm::message_context", "network::context", "network::tipset_cid", "event::emit_event", "gas::available",
		"actor::balance_of", "actor::lookup_delegated_address", "actor::next_actor_address", "crypto::verify_bls_aggregate"} {
		if names[later] {
			t.Errorf("%s came with nv18 or later", later)
		}
	}
	for _, early := range []string{"vm::abort", "vm::context", "network::base_fee", "actor::new_actor_address", "crypto::verify_seal"} {
		if !names[early] {
			t.Errorf("%s is missing", early)
		}
		for _, abi := range []machine.ABI{machine.ABI3, machine.ABI4} {
			for _, h := range syscalls.HostFuncs(abi) {
				if h.Module+"::"+h.Name == early {
					t.Errorf("%s is still there in ABI %d", early, abi)
				}
			}
		}
	}
}
