package syscalls_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/lab/conformance/goldentest"
)

const (
	plenty = 1_000_000_000
	out    = 1000 // where results go
	in     = 100  // where arguments lie
	buf    = 2000 // where buffers lie
)

// What each syscall writes through its out-pointer, byte by byte, and not a byte more.
func TestOutStructs(t *testing.T) {
	emptyArray := machine.EmptyArray().Bytes()
	for _, c := range []struct {
		name string
		nv   network.Version // 0: 28
		args func(g *guest) []uint64
		want string // hex, little-endian: u32 01000000, u64 0100000000000000
	}{
		// origin, nonce, caller, receiver, method, value, premium, flags
		{"vm::message_context", 0, none, `0f0e000000000000 0807060504030201 0d0c000000000000 0b0a000000000000 1817161514131211
			0500000000000000 0100000000000000 7700000000000000 0000000000000000 0000000000000000`},
		{"vm::message_context", 18, readOnly, `0f0e000000000000 0807060504030201 0d0c000000000000 0b0a000000000000 1817161514131211
			0500000000000000 0100000000000000 7700000000000000 0000000000000000 0100000000000000`},
		// epoch, timestamp, base fee, chain id, network version
		{"network::context", 0, none, `4433221100000000 0807060504030201 0200000000000000 0100000000000000 11100f0e0d0c0b0a 1c000000`},
		{"network::context", 18, none, `4433221100000000 0807060504030201 0200000000000000 0100000000000000 11100f0e0d0c0b0a 12000000`},
		{"network::total_fil_circ_supply", 0, none, `0300000000000000 0200000000000000`},
		{"network::tipset_cid", 0, args(0x11223343, buf, 38), `26000000`},
		// codec, id, size
		{"ipld::block_open", 0, func(g *guest) []uint64 {
			g.must("self::root", out, buf, 38)
			return []uint64{buf}
		}, `7100000000000000 01000000 01000000`},
		{"ipld::block_create", 0, args(0x55, in, 300), `01000000`},
		{"ipld::block_create", 18, func(g *guest) []uint64 { g.block(3); return []uint64{0x55, in, 0} }, `02000000`},
		// codec, size
		{"ipld::block_stat", 0, func(g *guest) []uint64 { g.block(0x123); return []uint64{1} }, `5500000000000000 23010000`},
		{"ipld::block_read", 0, func(g *guest) []uint64 { g.block(0x123); return []uint64{1, 1, buf, 2} }, `20010000`},
		{"ipld::block_read", 0, func(g *guest) []uint64 { g.block(3); return []uint64{1, 1, buf, 4} }, `feffffff`}, // -2
		{"ipld::block_link", 0, func(g *guest) []uint64 { g.block(3); return []uint64{1, 0xb220, 32, buf, 38} }, `26000000`},
		{"self::root", 0, args(buf, 100), `26000000`},
		{"self::current_balance", 0, none, `0100000000000000 0100000000000000`},
		{"actor::resolve_address", 0, func(g *guest) []uint64 { return two(g.write(in, addr.NewID(0x0102030405060708).Bytes())) }, `0807060504030201`},
		{"actor::lookup_delegated_address", 0, args(other, buf, 5), `05000000`},
		{"actor::lookup_delegated_address", 0, args(self, buf, 0), `00000000`},
		{"actor::get_actor_code_cid", 0, args(other, buf, 38), `26000000`},
		{"actor::next_actor_address", 0, args(buf, 21), `15000000`},
		{"actor::get_builtin_actor_type", 0, func(g *guest) []uint64 { g.write(in, code("account").Bytes()); return []uint64{in} }, `03000000`},
		{"actor::get_builtin_actor_type", 0, func(g *guest) []uint64 { g.write(in, code("self").Bytes()); return []uint64{in} }, `00000000`},
		{"actor::get_code_cid_for_type", 0, args(3, buf, 38), `26000000`},
		{"actor::balance_of", 0, args(other), `0900000000000000 0000000000000000`},
		{"crypto::verify_signature", 0, func(g *guest) []uint64 {
			g.write(in, append([]byte{1}, make([]byte, 20)...))
			return []uint64{1, buf, 65, in, 21, 0, 0}
		}, `ffffffff`},
		{"crypto::hash", 0, args(0x12, in, 3, buf, 32), `20000000`},
		{"crypto::hash", 0, args(0x12, in, 3, buf, 7), `07000000`}, // cut to the buffer
		{"crypto::verify_post", 0, func(g *guest) []uint64 { return two(g.write(in, unhex(t, "84 40 80 80 01"))) }, `ffffffff`},
		{"crypto::verify_aggregate_seals", 0, func(g *guest) []uint64 { return two(g.write(in, unhex(t, "85 01 08 00 40 80"))) }, `ffffffff`},
		// epoch, target, type
		{"crypto::verify_consensus_fault", 0, func(g *guest) []uint64 {
			g.write(in, []byte("abbccc"))
			return []uint64{in, 1, in + 1, 2, in + 3, 3}
		}, `0807060504030201 1817161514131211 03000000`},
		{"crypto::verify_consensus_fault", 0, args(in, 1, in, 1, in, 1), strings.Repeat("00", 20)},
		// exit code, id, codec, size
		{"send::send", 0, func(g *guest) []uint64 {
			p, n := g.write(in, addr.NewID(other).Bytes())
			return []uint64{p, n, 0, 0, 0, 5, 1<<64 - 1, 0}
		}, strings.Repeat("00", 20)},
		{"debug::enabled", 0, none, `ffffffff`},
		{"debug::enabled", 0, func(g *guest) []uint64 { g.m.ActorDebugging = true; return nil }, `00000000`},
		{"rand::get_chain_randomness", 0, args(0x11223343), "c0" + strings.Repeat("00", 30) + "43"},
		{"rand::get_beacon_randomness", 0, args(0x11223343), "be" + strings.Repeat("00", 30) + "43"},
	} {
		nv := c.nv
		if nv == 0 {
			nv = 28
		}
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t, nv, plenty)
			a := append([]uint64{out}, c.args(g)...)
			copy(g.mem[out:], bytes.Repeat([]byte{0xaa}, 100))
			g.must(c.name, a...)
			want := unhex(t, c.want)
			if got := g.mem[out : out+len(want)]; !bytes.Equal(got, want) {
				t.Errorf("wrote %x, want %x", got, want)
			}
			if g.mem[out-1] != 0xaa || g.mem[out+len(want)] != 0xaa {
				t.Errorf("wrote beside its %d bytes: %x", len(want), g.mem[out-1:out+len(want)+1])
			}
			// Unaligned and at the memory's end it works as well; a byte further it does not.
			if c.name == "network::context" {
				g.must(c.name, memSize-44)
				if !bytes.Equal(g.mem[memSize-44:], want) {
					t.Errorf("at the end: %x", g.mem[memSize-44:])
				}
			}
		})
	}
	// What went through the buffers.
	g := newGuest(t, 28, plenty)
	g.must("self::root", out, buf, 38)
	g.must("actor::lookup_delegated_address", out, other, buf+100, 54)
	g.write(in, []byte("abc"))
	g.must("crypto::hash", out, 0x12, in, 3, buf+200, 40)
	sum := sha256.Sum256([]byte("abc"))
	for off, want := range map[int][]byte{buf: emptyArray, buf + 100: []byte("\x04\x0aabc\xaa"), buf + 200: append(sum[:], 0xaa)} {
		if got := g.mem[off : off+len(want)]; !bytes.Equal(got, want) {
			t.Errorf("the buffer at %d: %x, want %x", off, got, want)
		}
	}
}

func none(*guest) []uint64 { return nil }

func readOnly(g *guest) []uint64 { g.inv.Kernel.ReadOnly = true; return nil }

func args(a ...uint64) func(*guest) []uint64 { return func(*guest) []uint64 { return a } }

func two(a, b uint64) []uint64 { return []uint64{a, b} }

// block makes a raw block of n bytes.
func (g *guest) block(n uint64) {
	g.t.Helper()
	g.must("ipld::block_create", out, 0x55, in, n)
}

func (g *guest) available() (uint64, error) {
	_, err := g.call("gas::available", out)
	return binary.LittleEndian.Uint64(g.mem[out:]), err
}

func TestGasAvailable(t *testing.T) {
	g := newGuest(t, 28, 100_000)
	if n, err := g.available(); n != 86_000 || err != nil {
		t.Errorf("%d, %v; want the limit without the call's own 14,000", n, err)
	}
	g.counter -= 1 // a milligas; what is left is rounded down
	if n, err := g.available(); n != 71_999 || err != nil {
		t.Errorf("%d, %v; want 71,999", n, err)
	}
}

// An out-pointer must leave room for all that is written, for every syscall of every era.
func TestOutPointerBounds(t *testing.T) {
	for _, nv := range []network.Version{18, 28} {
		for name, h := range newGuest(t, nv, plenty).funcs {
			g := newGuest(t, nv, 1000*plenty) // randomness of 300 million epochs ago is dear
			size, ok := outSizes[name]
			if !ok || h.Module == "edgefvm" {
				continue
			}
			for _, p := range []uint64{memSize - size + 1, memSize, memSize + 1, 1<<32 - 1, 1<<32 - size} {
				a := make([]uint64, len(h.Params))
				a[0] = p | 0xdead_beef_0000_0000 // the high half of an i32 is not defined
				before := bytes.Clone(g.mem)
				n, err := g.call(name, a...)
				if n != uint32(execerr.IllegalArgument) || err != nil || g.inv.Last == nil || g.inv.Last.Err.Reason != "no space for the return value" {
					t.Errorf("nv%d: %s with an out-pointer at %d: errno %d, %v, %+v", nv, name, p, n, err, g.inv.Last)
				}
				if !bytes.Equal(g.mem, before) {
					t.Errorf("nv%d: %s with an out-pointer at %d wrote to the memory", nv, name, p)
				}
			}
			// One that just fits is not refused for want of space.
			a := make([]uint64, len(h.Params))
			a[0] = memSize - size
			if _, err := g.call(name, a...); err != nil {
				t.Errorf("nv%d: %s: %v", nv, name, err)
			}
			if g.inv.Last != nil && g.inv.Last.Err.Reason == "no space for the return value" {
				t.Errorf("nv%d: %s has no space at the memory's end", nv, name)
			}
		}
	}
}

// outSizes are the bytes that syscalls return, once more.
var outSizes = map[string]uint64{
	"vm::message_context": 80, "network::context": 44, "network::total_fil_circ_supply": 16, "network::tipset_cid": 4,
	"ipld::block_open": 16, "ipld::block_create": 4, "ipld::block_read": 4, "ipld::block_stat": 12, "ipld::block_link": 4,
	"self::root": 4, "self::current_balance": 16, "actor::resolve_address": 8, "actor::balance_of": 16, "actor::get_code_cid_for_type": 4,
	"crypto::recover_secp_public_key": 65, "crypto::verify_consensus_fault": 20, "gas::available": 8, "send::send": 20, "debug::enabled": 4,
	"rand::get_chain_randomness": 32, "rand::get_beacon_randomness": 32,
}

// Buffers of no length, at the end of the memory, beyond it, and around 2^32.
func TestBufferBounds(t *testing.T) {
	const top = 1<<32 - 1
	for _, c := range []struct {
		name string
		nv   network.Version
		args []uint64
		want execerr.Errno
	}{
		{"crypto::hash", 28, []uint64{out, 0x12, memSize, 0, memSize, 0}, 0},
		{"crypto::hash", 28, []uint64{out, 0x12, memSize + 1, 0, memSize, 0}, 1},
		{"crypto::hash", 28, []uint64{out, 0x12, memSize - 1, 1, memSize, 0}, 0},
		{"crypto::hash", 28, []uint64{out, 0x12, memSize - 1, 2, memSize, 0}, 1},
		{"crypto::hash", 28, []uint64{out, 0x12, top, 2, memSize, 0}, 1},
		{"crypto::hash", 28, []uint64{out, 0x12, 0, 0, top, 2}, 1},
		{"crypto::hash", 28, []uint64{out, 0x99, 0, 0, 0, 0}, 1},
		{"ipld::block_create", 28, []uint64{out, 0x55, memSize, 0}, 0},
		{"ipld::block_create", 28, []uint64{out, 0x55, 2, top}, 1},
		{"ipld::block_open", 28, []uint64{out, memSize}, 1},
		{"ipld::block_open", 28, []uint64{out, top}, 1},
		{"ipld::block_read", 28, []uint64{out, 0, 0, memSize, 0}, 7},
		{"ipld::block_read", 28, []uint64{out, 0, 0, memSize, 1}, 1},
		{"self::root", 28, []uint64{out, memSize, 0}, 12},
		{"self::root", 28, []uint64{out, memSize - 38, 38}, 0},
		{"self::root", 28, []uint64{out, memSize - 37, 38}, 1},
		{"self::root", 28, []uint64{out, memSize - 37, 37}, 12},
		{"self::set_root", 28, []uint64{memSize}, 1},
		{"actor::next_actor_address", 28, []uint64{out, memSize - 21, 21}, 0},
		{"actor::next_actor_address", 28, []uint64{out, memSize - 20, 20}, 12},
		{"actor::next_actor_address", 28, []uint64{out, memSize - 20, 21}, 1},
		{"actor::resolve_address", 28, []uint64{out, memSize, 0}, 1},
		{"actor::lookup_delegated_address", 28, []uint64{out, other, memSize - 5, 5}, 0},
		{"actor::lookup_delegated_address", 28, []uint64{out, other, memSize - 4, 4}, 12},
		{"actor::lookup_delegated_address", 28, []uint64{out, other, memSize - 4, 5}, 1},
		{"actor::lookup_delegated_address", 28, []uint64{out, 12345, memSize, 0}, 6},
		{"gas::charge", 28, []uint64{memSize, 0, 1}, 0},
		{"gas::charge", 28, []uint64{memSize, 1, 1}, 1},
		{"gas::charge", 28, []uint64{out, 1, 1}, 1}, // 0xaa is not UTF-8
		{"send::send", 28, []uint64{out, top, 2, 0, 0, 0, 0, 0, 0}, 1},
		{"event::emit_event", 28, []uint64{memSize, 0, memSize, 0, memSize, 0}, 0},
		{"event::emit_event", 28, []uint64{0, 178_956_971, 0, 0, 0, 0}, 1}, // times 24 it is beyond 32 bits
		{"event::emit_event", 28, []uint64{0, 178_956_970, 0, 0, 0, 0}, 1},
		{"event::emit_event", 28, []uint64{0, 0, top, 2, 0, 0}, 1},
		{"event::emit_event", 28, []uint64{0, 0, 0, 0, top, 2}, 1},
		{"event::emit_event", 18, []uint64{top, 2}, 1},
		{"rand::get_chain_randomness", 18, []uint64{out, 1, 1, memSize, 0}, 0},
		{"rand::get_chain_randomness", 18, []uint64{out, 1, 1, memSize, 1}, 1},
		{"crypto::batch_verify_seals", 28, []uint64{in, 1, memSize + 1}, 1},
		{"crypto::recover_secp_public_key", 28, []uint64{out, memSize - 31, 0}, 1},
		{"crypto::recover_secp_public_key", 28, []uint64{out, 0, memSize - 64}, 1},
		{"crypto::verify_bls_aggregate", 28, []uint64{out, 89_478_486, 0, 0, 0, 0}, 1}, // times 48 it is beyond 32 bits
		{"crypto::verify_bls_aggregate", 28, []uint64{out, 0, memSize - 95, 0, 0, 0}, 1},
		{"crypto::verify_bls_aggregate", 28, []uint64{out, 1, 0, memSize - 47, 0, 0}, 1},
		{"crypto::verify_bls_aggregate", 28, []uint64{out, 1, 0, 0, 0, memSize - 3}, 1},
		// While debugging is off nothing is looked at.
		{"debug::log", 28, []uint64{top, top}, 0},
		{"debug::store_artifact", 28, []uint64{top, top, top, top}, 0},
	} {
		g := newGuest(t, c.nv, plenty)
		g.mem[in] = 0x80
		n, err := g.call(c.name, c.args...)
		if n != uint32(c.want) || err != nil {
			t.Errorf("%s%v: errno %d, %v, want %d (%+v)", c.name, c.args, n, err, c.want, g.inv.Last)
		}
		if (n == 0) != (g.inv.Last == nil) {
			t.Errorf("%s%v: errno %d, but the last error is %+v", c.name, c.args, n, g.inv.Last)
		}
	}
}

func TestDebugging(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		args []uint64
		want execerr.Errno
	}{
		{"debug::log", "text", []uint64{in, 4}, 0},
		{"debug::log", "\xff\xff\xff\xff", []uint64{in, 4}, 1},
		{"debug::log", "text", []uint64{memSize, 1}, 1},
		{"debug::store_artifact", "name", []uint64{in, 4, 0, 10}, 0},
		{"debug::store_artifact", "name", []uint64{in, 4, memSize, 1}, 1},
		{"debug::store_artifact", "a/me", []uint64{in, 4, 0, 10}, 1},
		{"debug::store_artifact", "\xff\xff\xff\xff", []uint64{in, 4, 0, 10}, 1},
	} {
		g := newGuest(t, 28, plenty)
		g.m.ActorDebugging = true
		g.write(in, []byte(c.text))
		if n, err := g.call(c.name, c.args...); n != uint32(c.want) || err != nil {
			t.Errorf("%s(%q): errno %d, %v, want %d", c.name, c.text, n, err, c.want)
		}
	}
}

// A verdict of each seal is written as a byte, 1 for valid.
func TestBatchVerifySeals(t *testing.T) {
	g := newGuest(t, 28, plenty)
	cidBytes := code("sector").Bytes()
	link := append([]byte{0xd8, 0x2a, 0x58, byte(len(cidBytes) + 1), 0}, cidBytes...)
	seal := func(miner byte) []byte {
		b := unhex(t, "88 08 82")
		b = append(b, miner, 1, 0x80, 0x40, 0x40, 0x40)
		return append(append(b, link...), link...)
	}
	raw := append([]byte{0x83}, bytes.Join([][]byte{seal(2), seal(3), seal(4)}, nil)...)
	p, n := g.write(in, raw)
	g.must("crypto::batch_verify_seals", p, n, buf)
	if got := g.mem[buf-1 : buf+4]; !bytes.Equal(got, []byte{0xaa, 1, 0, 1, 0xaa}) {
		t.Errorf("the verdicts are %x", got)
	}
	// There must be room for all of them.
	if no, err := g.call("crypto::batch_verify_seals", p, n, memSize-2); no != 1 || err != nil {
		t.Errorf("at the end: errno %d, %v", no, err)
	}
}

func TestVMExit(t *testing.T) {
	long := strings.Repeat("a", 512) + "bbb" + strings.Repeat("c", 512)
	for _, c := range []struct {
		code, block uint64
		msg         string
		want        syscalls.Abort
	}{
		{0, 0, "", syscalls.Abort{Code: 0, Message: "actor aborted"}},
		{0, 7, "fine", syscalls.Abort{Code: 0, Message: "fine", Block: 7}},
		{1, 7, "mine", syscalls.Abort{Code: 9, Message: "actor aborted with code 1", Block: 7}},
		{15, 0, "", syscalls.Abort{Code: 9, Message: "actor aborted with code 15"}},
		{16, 3, "own", syscalls.Abort{Code: 16, Message: "own", Block: 3}},
		{1<<32 - 1, 0, "\xffx", syscalls.Abort{Code: 1<<32 - 1, Message: "\uFFFDx"}},
		{20, 0, strings.Repeat("a", 1024), syscalls.Abort{Code: 20, Message: strings.Repeat("a", 1024)}},
		{20, 0, long, syscalls.Abort{Code: 20, Message: strings.Repeat("a", 512) + " ... (3 bytes left out) ... " + strings.Repeat("c", 512)}},
	} {
		g := newGuest(t, 28, plenty)
		p, n := g.write(in, []byte(c.msg))
		_, err := g.call("vm::exit", c.code, c.block, p, n)
		var a *syscalls.Abort
		if !errors.As(err, &a) || *a != c.want {
			t.Errorf("exit(%d, %q): %+v, want %+v", c.code, c.msg, err, c.want)
		}
	}
	g := newGuest(t, 28, plenty)
	_, err := g.call("vm::exit", 20, 0, memSize, 1)
	if err == nil || !strings.Contains(err.Error(), "not readable") {
		t.Errorf("a message outside the memory: %v", err)
	}
}

// What the send syscall makes of its arguments.
func TestSendArguments(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  [8]uint64 // without the out-pointer; the address is filled in
		want  execerr.Errno
		fatal bool
	}{
		{"value", [8]uint64{0, 0, 0, 0, 0, 5, 1<<64 - 1, 0}, 0, false},
		{"the value's high half", [8]uint64{0, 0, 0, 0, 1, 1, 1<<64 - 1, 0}, 0, false}, // just what it has
		{"more than it has", [8]uint64{0, 0, 0, 0, 1, 2, 1<<64 - 1, 0}, execerr.InsufficientFunds, false},
		{"read-only", [8]uint64{0, 0, 0, 0, 0, 0, 1<<64 - 1, 1}, 0, false},
		{"read-only with value", [8]uint64{0, 0, 0, 0, 0, 1, 1<<64 - 1, 1}, execerr.ReadOnly, false},
		{"unknown flags", [8]uint64{0, 0, 0, 0, 0, 0, 1<<64 - 1, 2}, execerr.IllegalArgument, false},
		{"unknown high flags", [8]uint64{0, 0, 0, 0, 0, 0, 1<<64 - 1, 1 << 63}, execerr.IllegalArgument, false},
		{"unknown block", [8]uint64{0, 0, 0, 1, 0, 0, 1<<64 - 1, 0}, execerr.InvalidHandle, false},
		{"no gas", [8]uint64{0, 0, 0, 0, 0, 5, 0, 0}, 0, false}, // exit code 7
	} {
		g := newGuest(t, 28, plenty)
		c.args[0], c.args[1] = g.write(in, addr.NewID(other).Bytes())
		n, err := g.call("send::send", append([]uint64{out}, c.args[:]...)...)
		if n != uint32(c.want) || err != nil {
			t.Errorf("%s: errno %d, %v, want %d", c.name, n, err, c.want)
		}
		exit := binary.LittleEndian.Uint32(g.mem[out:])
		if n == 0 && (exit == 7) != (c.name == "no gas") {
			t.Errorf("%s: exit code %d", c.name, exit)
		}
	}
}

// Each syscall settles first, then charges 14,000 for itself, and hands the guest what is left.
func TestEnvelope(t *testing.T) {
	g := newGuest(t, 28, 100_000)
	if g.counter != 100_000_000 {
		t.Fatalf("the counter begins at %d", g.counter)
	}
	g.counter -= 5_000_000
	g.must("gas::charge", memSize, 0, 1000)
	if exec, n := g.charged("wasm_exec"); exec != 5_000_000 || n != 1 {
		t.Errorf("charged %d for execution, %d times", exec, n)
	}
	if host, _ := g.charged("OnSyscall"); host != 14_000_000 {
		t.Errorf("charged %d for the call", host)
	}
	if g.counter != 80_000_000 {
		t.Errorf("the counter is %d, want 80,000,000", g.counter)
	}
	// Without gas for the call it does not run.
	g.counter = 13_999_999
	before := bytes.Clone(g.mem)
	if _, err := g.call("network::context", out); !errors.Is(err, execerr.ErrOutOfGas) || !bytes.Equal(before, g.mem) {
		t.Errorf("without gas: %v", err)
	}
}

// An out-pointer without room is refused before the guest's counter is
// refreshed, so the next settlement charges the same execution again.
func TestQuirkOutPointerChargesTwice(t *testing.T) {
	g := newGuest(t, 28, 1_000_000)
	g.counter -= 5_000_000
	counter := g.counter
	if n, err := g.call("network::context", memSize); n != 1 || err != nil {
		t.Fatalf("errno %d, %v", n, err)
	}
	if exec, _ := g.charged("wasm_exec"); exec != 5_000_000 || g.counter != counter {
		t.Errorf("charged %d, the counter went from %d to %d", exec, counter, g.counter)
	}
	g.counter -= 7_000_000
	g.must("gas::charge", memSize, 0, 0)
	if exec, _ := g.charged("wasm_exec"); exec != 12_000_000 {
		t.Errorf("the next settlement charged %d, want 12,000,000", exec)
	}
	if want := int64(1_000_000_000 - 5_000_000 - 12_000_000 - 2*14_000_000); g.counter != want {
		t.Errorf("the counter is %d, want %d", g.counter, want)
	}
	goldentest.Run(t, "nv18-script-gas-003", "nv28-script-gas-003") // out-pointer-quirk, grow-after-quirk, quirk-then-end, quirk-return
}

// Settling does not begin anew: twice without GiveGas charges twice.
func TestQuirkSettleTwice(t *testing.T) {
	g := newGuest(t, 28, 1_000_000)
	g.counter -= 5_000_000
	for range 2 {
		g.charges = nil
		if err := g.inv.Settle(g); err != nil {
			t.Fatal(err)
		}
		if exec, _ := g.charged("wasm_exec"); exec != 5_000_000 {
			t.Errorf("charged %d, want 5,000,000", exec)
		}
	}
	g.inv.GiveGas(g)
	g.charges = nil
	if err := g.inv.Settle(g); err != nil {
		t.Fatal(err)
	}
	if exec, n := g.charged("wasm_exec"); exec != 0 || n != 1 {
		t.Errorf("after GiveGas: charged %d", exec)
	}
}

func TestSettleCounter(t *testing.T) {
	const given = 1_000_000_000 // milligas
	for _, c := range []struct {
		name         string
		counter      int64
		memory       uint64 // bytes taken
		exec, growth uint64 // milligas
		outOfGas     bool
	}{
		{"nothing ran", given, 0, 0, 0, false},
		{"some", given - 7, 0, 7, 0, false},
		{"all", 0, 0, given, 0, false},
		{"below zero", -5, 0, given + 5, 0, true},
		{"far below zero", -1 << 63, 0, given + 1<<63, 0, true},
		// The guest has paid for its memory; the charge is split for the trace: 65,536 bytes are 26,214,400 milligas.
		{"a page", given - 26_214_400 - 4000, 65536, 4000, 26_214_400, false},
		{"a page that it did not pay for", given - 1000, 65536, 0, 1000, false},
		{"a counter that rose", given + 1, 0, 0, 0, false},
	} {
		g := newGuest(t, 28, given/1000)
		if c.memory > 0 {
			g.inv.Memory.Grow(c.memory)
		}
		g.charges = nil
		err := g.inv.SettleCounter(c.counter)
		if errors.Is(err, execerr.ErrOutOfGas) != c.outOfGas || (err != nil) != c.outOfGas {
			t.Errorf("%s: %v", c.name, err)
		}
		exec, _ := g.charged("wasm_exec")
		growth, n := g.charged("wasm_memory_grow")
		if exec != c.exec || growth != c.growth || (n > 0) != (c.growth > 0) {
			t.Errorf("%s: charged %d and %d, want %d and %d", c.name, exec, growth, c.exec, c.growth)
		}
	}
}

// The guest gets its gas in slices, between which the context is looked at. No charge depends on them.
func TestSlices(t *testing.T) {
	const slice = 500_000_000_000
	g := newGuest(t, 28, 1_200_000_000) // 2.4 slices
	if g.counter != slice {
		t.Fatalf("the counter begins at %d", g.counter)
	}
	for i, want := range []int64{slice, 200_000_000_000 - 6} {
		g.counter = -3
		if _, err := g.call("edgefvm::exhausted"); err != nil || g.counter != want || len(g.charges) > 0 {
			t.Fatalf("slice %d: counter %d, %v, charges %v; want %d", i+2, g.counter, err, g.charges, want)
		}
	}
	g.counter = -3
	_, err := g.call("edgefvm::exhausted")
	if !syscalls.Exhausted(err) || g.counter != -3 {
		t.Fatalf("at the end: %v, counter %d", err, g.counter)
	}
	if err := g.inv.Settle(g); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("settling: %v", err)
	}
	if exec, _ := g.charged("wasm_exec"); exec != 1_200_000_000_003 {
		t.Errorf("charged %d", exec)
	}
}

func TestSlicesInterrupted(t *testing.T) {
	g := newGuest(t, 28, 1_200_000_000)
	ctx, cancel := contextOf(t)
	cancel()
	g.counter = -1
	err := g.funcs["edgefvm::exhausted"].Fn(ctx, g, nil)
	if !isNodeFailure(err) || !errors.Is(err, ctx.Err()) {
		t.Errorf("%v", err)
	}
}

// Who decides about growth: the module's own maximum, the account, the limit of an instance.
func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		delta, current uint64
		declared       uint32
		room           uint64 // bytes left on the account
		want           uint64
		taken          uint64 // bytes
	}{
		{0, 10, 10, 0, 1, 0},
		{1, 10, 11, 65536, 1, 65536},
		{1, 10, 11, 65535, 0, 0},
		{2, 10, 11, 1 << 30, 0, 0},
		{1<<32 - 1, 10, 65536, 1 << 40, 0, 0},
		{8182, 10, 65536, 1 << 30, 1, 8182 * 65536},
	} {
		g := newGuest(t, 28, plenty)
		acc := &account{limit: c.room}
		g.inv.Memory, g.inv.MemoryLimits = acc, syscalls.GrowthLimits{Declared: c.declared, Instance: 8192}
		stack := []uint64{c.delta | 0xffff_0000_0000_0000, c.current | 0xffff_0000_0000_0000}
		if err := g.funcs["edgefvm::grow"].Fn(t.Context(), g, stack); err != nil || stack[0] != c.want || acc.used != c.taken {
			t.Errorf("%+v: %d, %v, took %d bytes", c, stack[0], err, acc.used)
		}
	}
	g := newGuest(t, 28, plenty)
	acc := &account{limit: 100}
	g.inv.Memory, g.inv.TableLimits = acc, syscalls.GrowthLimits{Declared: 20_000, Instance: 20_000}
	for i, want := range []uint64{1, 0} { // an element counts 8 bytes
		stack := []uint64{7, 0}
		if err := g.funcs["edgefvm::grow_table"].Fn(t.Context(), g, stack); err != nil || stack[0] != want || acc.used != 56 {
			t.Errorf("table growth %d: %d, %v, took %d bytes", i, stack[0], err, acc.used)
		}
	}
}

// Growth that the limit of an instance refuses was granted by the message's account, and stays on it.
func TestQuirkRefusedGrowthStaysOnAccount(t *testing.T) {
	g := newGuest(t, 28, plenty)
	acc := &account{limit: machine.MaxMemory}
	g.inv.Memory, g.inv.MemoryLimits = acc, syscalls.GrowthLimits{Declared: 65536, Instance: 8192}
	stack := []uint64{8192, 1}
	if err := g.funcs["edgefvm::grow"].Fn(t.Context(), g, stack); err != nil || stack[0] != 0 {
		t.Errorf("growth beyond the instance's limit: %d, %v", stack[0], err)
	}
	if acc.used != 8192*engine.PageSize {
		t.Errorf("the account has %d bytes, want %d", acc.used, 8192*engine.PageSize)
	}
	goldentest.Run(t, "nv24-wat-memory-grow-max", "nv18-wat-memory-grow-loop", "nv21-script-nested-012") // depth-memory, memory-after-return
}

// An instance that is being made is not served.
func TestNotServedWhileStarting(t *testing.T) {
	g := newGuest(t, 28, plenty)
	g.inv.Starting = true
	if _, err := g.call("network::context", out); !isNodeFailure(err) || !errors.Is(err, execerr.ErrNoReference) || !strings.Contains(err.Error(), "network::context") || len(g.charges) > 0 {
		t.Errorf("%v, charges %v", err, g.charges)
	}
}

// The lengths of an aggregate's texts are added in 32 bits. A sum that wraps is
// found out only after the charge.
func TestQuirkAggregateLengthsWrap(t *testing.T) {
	for _, c := range []struct {
		lens []uint32
		want uint32
		paid uint64 // gas: 8,299,302 a key and one more, 7 a byte of text
	}{
		{[]uint32{1<<32 - 1, 1}, 1, 3 * 8_299_302},
		{[]uint32{1<<32 - 1, 6}, 1, 3*8_299_302 + 5*7},
		{[]uint32{2, 3}, 0, 3*8_299_302 + 5*7},
		{[]uint32{memSize, 1}, 1, 0}, // out of bounds before the charge
	} {
		g := newGuest(t, 28, plenty)
		var raw []byte
		for _, n := range c.lens {
			raw = binary.LittleEndian.AppendUint32(raw, n)
		}
		p, _ := g.write(in, raw)
		n, err := g.call("crypto::verify_bls_aggregate", out, uint64(len(c.lens)), buf, buf, buf, p)
		paid, _ := g.charged("OnVerifyBlsAggregateSignature")
		if n != c.want || err != nil || paid != 1000*c.paid {
			t.Errorf("%v: errno %d, %v, paid %d; want errno %d, paid %d (%v)", c.lens, n, err, paid, c.want, 1000*c.paid, g.charges)
		}
	}
}

// An amount beyond 128 bits cannot be told to an actor.
func TestAmountBeyond128Bits(t *testing.T) {
	g := newGuest(t, 28, plenty)
	g.m.CircSupply = big.Mul(amount(t, "340282366920938463463374607431768211456"), big.NewInt(1))
	_, err := g.call("network::total_fil_circ_supply", out)
	var f *execerr.Fatal
	if !errors.As(err, &f) || !f.Guest {
		t.Errorf("%v", err)
	}
}

func TestRecoverKey(t *testing.T) {
	// The example key 1 signs nothing here; what matters is that garbage is an illegal argument and costs its price.
	g := newGuest(t, 28, plenty)
	if n, err := g.call("crypto::recover_secp_public_key", out, buf, buf); n != 1 || err != nil {
		t.Errorf("errno %d, %v", n, err)
	}
	if paid, _ := g.charged("OnRecoverSecpPublicKey"); paid != 1_637_292_000 {
		t.Errorf("paid %d: %v", paid, g.charges)
	}
	if got := hex.EncodeToString(g.mem[out : out+4]); got != "aaaaaaaa" {
		t.Errorf("wrote %s", got)
	}
}
