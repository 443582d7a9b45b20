package script

import (
	"fmt"
	"math"
)

// What the world of these cases has besides: actors that run scripts, and their states. A block of an odd codec, a sealed
// sector's, which actors may not open but which may stand in the state; and DAG-CBOR that is cut.
const (
	OddActor = 2001
	OddCodec = 0xf102
	CutActor = 2002
)

var (
	OddBlock = []byte("a block of an odd codec")
	CutBlock = []byte{0x82, 1}
)

// Reaching are the least cases that give each result of each syscall of e's era, and each price of scripts. The init actor
// must run scripts, since only it creates actors, and there must be OddActor and CutActor.
func Reaching(e *Env) []Case {
	b := &builder{e: e}
	for _, t := range templatesFor(e.Era) {
		reachPlainly(b, t)
	}
	reachBlocks(b)
	reachState(b)
	reachActors(b)
	reachSends(b)
	reachEvents(b)
	reachPrices(b)
	if e.Era > 2 {
		reachReadOnly(b)
	}
	for i := range b.cases {
		b.cases[i].Name = "reach/" + b.cases[i].Name
	}
	return b.cases
}

// reachPlainly makes the call without room for the result, or with a pointer out of memory: 1. Then, with a buffer of a byte: 12. Then the valid call.
func reachPlainly(b *builder, t Template) {
	if t.Op == OpCreateActor && b.e.Era > 2 {
		return // of the init actor
	}
	b.add(t.Name, func(s *Script) {
		args := t.Build(b.e, s)
		if i := firstPointer(args); i >= 0 && t.Op != OpExit {
			args[i].Val = memSize
			t.call(s, args)
		}
		if fillsBuffer(t.Op) {
			args = t.Build(b.e, s)
			args[len(args)-1].Val = 1
			t.call(s, args)
		}
		t.call(s, t.Build(b.e, s))
	})
}

// firstPointer is the argument that says where the result goes, or else the first that says where something lies.
func firstPointer(args []Arg) int {
	for _, k := range []kind{kOut, kCid, kPtr, kFixed} {
		for i, a := range args {
			if a.Kind == k {
				return i
			}
		}
	}
	return -1
}

// fillsBuffer are syscalls that write something of a length of its own: too much for a buffer of a byte.
func fillsBuffer(op Op) bool {
	switch op {
	case OpTipsetCid, OpBlockLink, OpRoot, OpLookupDelegated, OpGetActorCodeCid, OpNextActorAddress, OpGetCodeCidForType, OpUnsealedSectorCid:
		return true
	}
	return false
}

func reachBlocks(b *builder) {
	e := b.e
	for _, id := range []uint64{OddActor, CutActor} { // until nv20 nothing looks for links
		b.add(fmt.Sprint("block_open of the state of ", id), func(s *Script) {
			at := s.Out(104)
			s.Do(OpRoot, s.Out(4), at, 100)
			s.Do(OpBlockOpen, s.Out(16), at)
			s.Do(OpSetRoot, at)
		})
		b.cases[len(b.cases)-1].Self = id
	}
	b.add("block_open out of reach", func(s *Script) { s.Do(OpBlockOpen, s.Out(16), s.Bytes(e.Unlinked)) })
	b.add("block_create", func(s *Script) {
		s.Do(OpMemGrow, 20)
		if e.Era > 2 {
			s.Do(OpBlockCreate, s.Out(4), codecRaw, memSize, 1<<20+1)
		}
		s.Do(OpBlockCreate, s.Out(4), codecDagPB, s.Bytes([]byte{0x80}), 1)
		if e.Era > 3 {
			cut, loose := []byte{0x82, 1}, cborLink(e.Unlinked)
			s.Do(OpBlockCreate, s.Out(4), codecDagCBOR, s.Bytes(cut), len(cut))
			s.Do(OpBlockCreate, s.Out(4), codecDagCBOR, s.Bytes(loose), len(loose))
		}
		s.Fnv(outStart, 64)
	})
	b.add("handles", func(s *Script) {
		s.Do(OpBlockRead, s.Out(4), 77, 0, s.Out(40), 40)
		s.Do(OpBlockStat, s.Out(12), 77)
		s.Do(OpBlockLink, s.Out(4), 77, hashBlake2b256, 32, s.Out(104), 100)
		s.Do(OpBlockLink, s.Out(4), 1, hashSha256, 32, s.Out(104), 100)
	})
}

// reachState destroys actors: what is gone has no state.
func reachState(b *builder) {
	e := b.e
	destroy := func(s *Script, to []byte, flag int) {
		if e.Era < 4 {
			s.Do(OpSelfDestruct, s.Bytes(to), len(to))
		} else {
			s.Do(OpSelfDestruct, flag)
		}
	}
	b.add("self_destruct", func(s *Script) {
		destroy(s, idAddr(999999), 0) // nobody, or what there is is not to be burnt
		destroy(s, idAddr(e.Self), 0)
		destroy(s, idAddr(e.Sender), 1)
	})
	b.add("state of the destroyed", func(s *Script) {
		at := link(s, create(s, codecDagCBOR, cborUint(3)))
		destroy(s, idAddr(e.Sender), 1)
		s.Do(OpRoot, s.Out(4), s.Out(104), 100)
		s.Do(OpSetRoot, at)
	})
	b.add("set_root out of reach", func(s *Script) { s.Do(OpSetRoot, s.Bytes(e.Unlinked)) })
}

func reachActors(b *builder) {
	e := b.e
	b.add("nobody", func(s *Script) {
		nobody := idAddr(999999)
		unknown := append([]byte{1}, bytes32(9)[:20]...)
		s.Do(OpResolveAddress, s.Out(8), s.Bytes(unknown), len(unknown))
		s.Do(OpGetActorCodeCid, s.Out(4), 999999, s.Out(104), 100)
		if e.Era > 2 {
			s.Do(OpLookupDelegated, s.Out(4), 999999, s.Out(64), 64)
			s.Do(OpBalanceOf, s.Out(16), 999999)
		}
		text := s.Bytes([]byte("text"))
		s.Do(OpVerifySignature, s.Out(4), 1, s.Bytes(make([]byte, 65)), 65, s.Bytes(nobody), len(nobody), text, 4)
		s.Fnv(outStart, 256)
	})
	b.add("types", func(s *Script) {
		for typ := range 20 {
			s.Do(OpGetCodeCidForType, s.Out(4), typ, s.Out(104), 100)
			s.Do(OpGetCodeCidForType, s.Out(4), typ, s.Out(104), 1)
		}
	})
	create := func(s *Script) {
		for _, code := range [][]byte{e.Codes["multisig"], e.Codes["init"], e.Codes["placeholder"], e.ScriptCid, e.Unlinked} {
			if code == nil {
				continue
			}
			for _, at := range []uint64{memSize, s.Bytes(code)} {
				createActor(e, s, 5000+uint64(s.Len()), at, nil)
			}
		}
		createActor(e, s, e.Sender, s.Bytes(e.Codes["multisig"]), nil) // there is one
		if e.Era > 2 {
			createWithAddresses(e, s)
		}
	}
	b.add("create_actor", create)
	b.cases[len(b.cases)-1].Self = initActor
	b.add("create_actor by another", create)
}

func createActor(e *Env, s *Script, id, code uint64, addr []byte) {
	args := []any{id, code}
	if e.Era > 2 {
		args = append(args, s.Bytes(addr), len(addr))
	}
	s.Do(OpCreateActor, args...)
}

// createWithAddresses creates actors with addresses of their own, good and bad, and some in the place of a placeholder.
func createWithAddresses(e *Env, s *Script) {
	code := s.Bytes(e.Codes["multisig"])
	for i, addr := range [][]byte{delegatedAddr(10, bytes32(0x33)[:20]), {9, 9}, e.SenderKey, idAddr(99), actorAddr(bytes32(1)[:20])} {
		createActor(e, s, 6000+uint64(i), code, addr)
		s.Do(OpLookupDelegated, s.Out(4), 6000+i, s.Out(64), 64)
	}
	if e.Placeholder == 0 {
		return
	}
	for _, addr := range [][]byte{nil, delegatedAddr(10, bytes32(0x34)[:20]), e.PlaceholderAddr, e.PlaceholderAddr} {
		createActor(e, s, e.Placeholder, code, addr)
	}
	s.Do(OpGetActorCodeCid, s.Out(4), e.Placeholder, s.Out(104), 100)
	s.Fnv(outStart, 1024)
}

// initActor is the actor that creates actors.
const initActor = 1

func reachSends(b *builder) {
	e := b.e
	b.add("send", func(s *Script) {
		other := idAddr(e.Others[0])
		send(e, s, []byte{9, 9}, 0, 0, 0, noLimit, 0)
		send(e, s, other, 0, 0, math.MaxUint64, noLimit, 0)
		send(e, s, idAddr(999999), 0, 0, 0, noLimit, 0)
		send(e, s, other, 0, 77, 0, noLimit, 0)
		callScript(e, s, other, simpleScript(func(s *Script) { s.Do(OpReturnData, e.blockCodec(), paramsAt, 8) }), 1, noLimit, 0)
		send(e, s, append([]byte{1}, bytes32(0x41)[:20]...), 0, 0, 1, noLimit, 0) // a new account
	})
	b.add("send too deep", func(s *Script) { selfCall(e, s, noLimit, 0) })
}

func simpleScript(f func(s *Script)) *Script {
	s := NewScript()
	f(s)
	return s
}

// reachReadOnly has each operation that changes something called from a read-only call.
func reachReadOnly(b *builder) {
	e := b.e
	inner := func(s *Script) {
		for _, t := range templatesFor(e.Era) {
			switch t.Op {
			case OpSetRoot, OpEmitEvent, OpSelfDestruct, OpCreateActor:
				t.call(s, t.Build(e, s))
			}
		}
		send(e, s, idAddr(e.Sender), 0, 0, 1, noLimit, 0)
		send(e, s, append([]byte{1}, bytes32(0x42)[:20]...), 0, 0, 0, noLimit, 0)
	}
	b.add("read-only", func(s *Script) { callScript(e, s, idAddr(e.Others[0]), simpleScript(inner), 0, noLimit, 1) })
	b.add("read-only init actor", func(s *Script) { callScript(e, s, idAddr(initActor), simpleScript(inner), 0, noLimit, 1) })
}

func reachEvents(b *builder) {
	switch e := b.e; e.Era {
	case 3:
		b.add("emit_event of another codec", func(s *Script) {
			odd := eventCBOR(entryCBOR(0, "a", codecDagPB, []byte{1}))
			s.Do(OpEmitEvent, s.Bytes(odd), len(odd))
		})
	case 4:
		b.add("emit_event of another codec, or too much", func(s *Script) {
			key, val := s.Bytes([]byte("k")), s.Bytes(make([]byte, 8193))
			s.Do(OpEmitEvent, s.Bytes(entryHead(0, codecDagPB, 1, 1)), 1, key, 1, val, 1)
			s.Do(OpEmitEvent, s.Bytes(entryHead(0, codecRaw, 1, 8193)), 1, key, 1, val, 8193)
		})
	}
}
