package script

import (
	"fmt"
	"math"
	"sort"
)

const noLimit = uint64(math.MaxUint64)

// call appends a send of a nested script, then hashes what came back.
func callScript(e *Env, s *Script, to []byte, inner *Script, value, gasLimit, flags uint64) uint64 {
	return callWith(e, s, to, create(s, e.blockCodec(), inner.Marshal()), value, gasLimit, flags)
}

func callWith(e *Env, s *Script, to []byte, params any, value, gasLimit, flags uint64) uint64 {
	at := send(e, s, to, 2, params, value, gasLimit, flags)
	back := s.Out(256)
	s.Do(OpBlockRead, s.Out(4), Ref32(at+4), 0, back, 256)
	s.Fnv(back, 256)
	return at
}

// everything is a script that makes the valid call of every syscall.
func everything(e *Env, skip ...Op) *Script {
	s := NewScript()
next:
	for _, t := range templatesFor(e.Era) {
		if t.Op == OpExit || t.Op == OpSelfDestruct || t.Op == OpVerifyReplicaUpdate || t.Op == OpVerifyPost || t.Op == OpVerifyAggregateSeals {
			continue
		}
		for _, o := range skip {
			if o == t.Op {
				continue next
			}
		}
		t.call(s, t.Build(e, s))
	}
	return s
}

func nestedCases(b *builder) {
	e := b.e
	other := func() []byte { return idAddr(e.Others[0]) }
	self := func() []byte { return idAddr(e.Self) }
	add := func(name string, inner func() *Script, value, gas, flags uint64) {
		for i, target := range []string{"other", "self"} {
			b.add(name+"-"+target, func(s *Script) {
				to := [][]byte{other(), self()}[i]
				callScript(e, s, to, inner(), value, gas, flags)
				s.Do(OpRoot, s.Out(4), s.Out(104), 100)
				s.Do(OpCurrentBalance, s.Out(16))
				s.Fnv(outStart, 128)
			})
		}
	}
	all := func() *Script { return everything(e) }
	lazy := func(f func(s *Script)) func() *Script {
		return func() *Script {
			s := NewScript()
			f(s)
			return s
		}
	}
	simple := func(f func(s *Script)) *Script {
		s := NewScript()
		f(s)
		return s
	}
	add("everything", all, 3, noLimit, 0)
	add("everything-read-only", all, 0, noLimit, 1)
	exits := []int64{0, 1, 6, 15, 16, 100, math.MaxUint32}
	for _, c := range exits {
		add(fmt.Sprint("exit-", c), lazy(func(s *Script) {
			s.Do(OpSetRoot, link(s, create(s, codecDagCBOR, cborUint(9))))
			if e.Era == 2 {
				s.Do(OpExit, c, 0, 0)
			} else {
				s.Do(OpExit, c, create(s, codecCBOR, []byte{0x82, 1, 2}), 0, 0)
			}
		}), 1, noLimit, 0)
	}
	add("bad-return", lazy(func(s *Script) { s.Do(OpReturnID, 99) }), 1, noLimit, 0)
	add("no-return", lazy(func(s *Script) { s.Do(OpReturnID, 0) }), 1, noLimit, 0)
	if e.Era > 2 {
		add("exit-bad-block", lazy(func(s *Script) { s.Do(OpExit, 20, 99, 0, 0) }), 1, noLimit, 0)
	}
	traps := map[string]Op{"unreachable": OpUnreachable, "oob": OpLoad32, "deep": OpRecurse, "div": OpDiv32}
	for _, name := range sortedKeys(traps) {
		op := traps[name]
		add("trap-"+name, lazy(func(s *Script) { s.Do(op, uint64(math.MaxUint32)) }), 1, noLimit, 0)
	}
	if e.Era > 2 {
		for _, g := range []uint64{1, 500_000, 1_000_000, 1_500_000, 2_000_000, 3_000_000, 4_000_000, 6_000_000, 10_000_000, 20_000_000, 50_000_000} {
			add(fmt.Sprint("limited-", g), all, 1, g, 0)
			add(fmt.Sprint("limited-read-only-", g), all, 0, g, 1)
			add(fmt.Sprint("limited-endless-", g), lazy(func(s *Script) { s.Do(OpBurn, uint64(math.MaxUint32)) }), 1, g, 0)
		}
		add("limited-inner", lazy(func(s *Script) { // a limit within a limit
			callScript(e, s, self(), simple(func(s *Script) { s.Do(OpBurn, uint64(math.MaxUint32)) }), 0, 30_000_000, 0)
			s.Do(OpGasAvailable, s.Out(8))
			s.Fnv(outStart, 64)
		}), 0, 20_000_000, 0)
		// Each state-changing operation alone in a read-only call, and one frame further down.
		for _, t := range templatesFor(e.Era) {
			switch t.Op {
			case OpSetRoot, OpSelfDestruct, OpCreateActor, OpEmitEvent, OpSend, OpNextActorAddress, OpBlockLink, OpMessageContext, OpRoot:
				inner := lazy(func(s *Script) { t.call(s, t.Build(e, s)) })
				add("read-only-"+t.Name, inner, 0, noLimit, 1)
				add("read-only-deep-"+t.Name, lazy(func(s *Script) { callScript(e, s, other(), inner(), 0, noLimit, 0) }), 0, noLimit, 1)
			}
		}
	}
	// State changes of a callee: kept on success, gone after a failure.
	change := func(n uint64, fail bool) *Script {
		return simple(func(s *Script) {
			s.Do(OpSetRoot, link(s, create(s, codecDagCBOR, cborUint(n))))
			send(e, s, idAddr(99), 0, 0, 2, noLimit, 0)
			if fail {
				s.Do(OpUnreachable)
			}
		})
	}
	b.add("commit-and-revert", func(s *Script) {
		callScript(e, s, other(), change(1, false), 1, noLimit, 0)
		callScript(e, s, other(), change(2, true), 1, noLimit, 0)
		callScript(e, s, self(), change(3, false), 1, noLimit, 0)
		callScript(e, s, self(), change(4, true), 1, noLimit, 0)
		s.Do(OpRoot, s.Out(4), s.Out(104), 100)
		s.Do(OpCurrentBalance, s.Out(16))
		s.Fnv(outStart, 4096)
	})
	b.add("nested-revert", func(s *Script) { // the inner succeeds, the outer fails
		callScript(e, s, other(), simple(func(s *Script) {
			callScript(e, s, self(), change(5, false), 1, noLimit, 0)
			s.Do(OpUnreachable)
		}), 1, noLimit, 0)
		s.Do(OpRoot, s.Out(4), s.Out(104), 100)
		s.Fnv(outStart, 512)
	})
	// Accesses seen by a reverted frame must be paid again.
	touch := func(fail bool) *Script {
		return simple(func(s *Script) {
			for _, id := range append([]uint64{e.Sender}, e.Others...) {
				s.Do(OpGetActorCodeCid, s.Out(4), id, s.Out(104), 100)
			}
			s.Do(OpGetActorCodeCid, s.Out(4), 777777, s.Out(104), 100)
			if fail {
				s.Do(OpUnreachable)
			}
		})
	}
	b.add("access-reverted", func(s *Script) {
		callScript(e, s, other(), touch(true), 0, noLimit, 0)
		callScript(e, s, other(), touch(true), 0, noLimit, 0)
		callScript(e, s, other(), touch(false), 0, noLimit, 0)
		callScript(e, s, other(), touch(false), 0, noLimit, 0)
	})
	if e.Era == 4 {
		event := func(s *Script, n byte) {
			s.Do(OpEmitEvent, s.Bytes(entryHead(0, codecRaw, 1, 1)), 1, s.Bytes([]byte("k")), 1, s.Bytes([]byte{n}), 1)
		}
		b.add("events-of-frames", func(s *Script) {
			event(s, 1)
			callScript(e, s, other(), simple(func(s *Script) { event(s, 2) }), 0, noLimit, 0)
			callScript(e, s, other(), simple(func(s *Script) { event(s, 3); s.Do(OpUnreachable) }), 0, noLimit, 0)
			callScript(e, s, self(), simple(func(s *Script) {
				event(s, 4)
				callScript(e, s, other(), simple(func(s *Script) { event(s, 5) }), 0, noLimit, 0)
				s.Do(OpExit, 99, 0, 0, 0)
			}), 0, noLimit, 0)
			event(s, 6)
		})
	}
	// Links that cross a call: in the params, and in what comes back.
	if e.Era > 2 {
		b.add("linked-params", func(s *Script) {
			inner := simple(func(s *Script) {
				s.Do(OpBlockStat, s.Out(12), 1)
				s.Do(OpBlockOpen, s.Out(16), uint64(paramsAt+4+paramsLinkOffset))
				s.Do(OpBlockRead, s.Out(4), 2, 0, s.Out(104), 100)
				s.Fnv(outStart, 256)
				s.Do(OpSetRoot, uint64(paramsAt+4+paramsLinkOffset))
			})
			body := inner.Marshal()
			for len(body) < 2000 {
				body = append(body, 0)
			}
			at := link(s, create(s, codecDagCBOR, cborArray(cborUint(1), cborUint(2))))
			head := []byte{0x82, 0x59, byte(len(body) >> 8), byte(len(body))}
			tail := cat(cborHead(6, 42), cborHead(2, 39), []byte{0}, make([]byte, 38))
			block := s.Bytes(cat(head, body, tail))
			s.Do(OpMemCopy, block+uint64(len(head)+len(body)+5), at, 38)
			id := s.Out(4)
			s.Do(OpBlockCreate, id, codecDagCBOR, block, len(head)+len(body)+len(tail))
			callWith(e, s, other(), Ref32(id), 0, noLimit, 0)
			id = s.Out(4)
			s.Do(OpBlockCreate, id, codecCBOR, block, len(head)+len(body)+len(tail)) // the same bytes without links
			callWith(e, s, other(), Ref32(id), 0, noLimit, 0)
		})
	}
	for _, codec := range []uint64{codecDagCBOR, codecCBOR} {
		if e.Era == 2 && codec == codecCBOR {
			continue
		}
		b.add(fmt.Sprintf("linked-return-%x", codec), func(s *Script) {
			inner := simple(func(s *Script) {
				at := link(s, create(s, codecDagCBOR, cborArray(cborUint(11))))
				head := cat(cborHead(4, 2), cborHead(6, 42), cborHead(2, 39), []byte{0})
				block := s.Bytes(cat(head, make([]byte, 38), cborUint(7)))
				s.Do(OpMemCopy, block+uint64(len(head)), at, 38)
				s.Do(OpReturnData, codec, block, len(head)+39)
			})
			at := callScript(e, s, other(), inner, 0, noLimit, 0)
			back := s.Out(104)
			s.Do(OpBlockRead, s.Out(4), Ref32(at+4), 0, back, 100)
			open := s.Out(16)
			s.Do(OpBlockOpen, open, back+6)
			s.Do(OpBlockRead, s.Out(4), Ref32(open+8), 0, s.Out(16), 16)
			s.Do(OpSetRoot, back+6)
			s.Fnv(outStart, 2048)
		})
	}
	b.add("foreign-root", func(s *Script) { // a CID told by another actor without a link
		inner := simple(func(s *Script) {
			at := link(s, create(s, codecDagCBOR, cborArray(cborUint(12))))
			s.Do(OpReturnData, e.blockCodec(), at, 38)
		})
		at := callScript(e, s, other(), inner, 0, noLimit, 0)
		back := s.Out(104)
		s.Do(OpBlockRead, s.Out(4), Ref32(at+4), 0, back, 100)
		s.Do(OpBlockOpen, s.Out(16), back)
		s.Do(OpSetRoot, back)
		s.Fnv(outStart, 2048)
	})
	// A callee deletes itself, or the caller is deleted by its own callee.
	destroy := simple(func(s *Script) {
		if e.Era == 4 {
			s.Do(OpSelfDestruct, 1)
		} else {
			a := idAddr(e.Sender)
			s.Do(OpSelfDestruct, s.Bytes(a), len(a))
		}
	})
	for i, name := range []string{"other", "self"} {
		b.add("deleted-"+name, func(s *Script) {
			to := [][]byte{other(), self()}[i]
			callScript(e, s, to, destroy, 1, noLimit, 0)
			callScript(e, s, to, NewScript(), 0, noLimit, 0)
			send(e, s, to, 0, 0, 1, noLimit, 0)
			s.Do(OpRoot, s.Out(4), s.Out(104), 100)
			s.Do(OpSetRoot, link(s, create(s, codecDagCBOR, cborUint(1))))
			s.Do(OpCurrentBalance, s.Out(16))
			s.Fnv(outStart, 1024)
		})
		b.add("deleted-reverted-"+name, func(s *Script) {
			to := [][]byte{other(), self()}[i]
			callScript(e, s, self(), simple(func(s *Script) { callScript(e, s, to, destroy, 1, noLimit, 0); s.Do(OpUnreachable) }), 1, noLimit, 0)
			send(e, s, to, 0, 0, 1, noLimit, 0)
			s.Do(OpCurrentBalance, s.Out(16))
			s.Fnv(outStart, 1024)
		})
	}
	// Depth: a script that sends its own params on to itself until the network says no.
	for _, n := range []int{1, 3, 20} {
		b.add(fmt.Sprint("depth-", n), func(s *Script) {
			inner := NewScript()
			inner.Do(OpCurrentBalance, inner.Out(16))
			for range n {
				outer := NewScript()
				callScript(e, outer, self(), inner, 1, noLimit, 0)
				inner = outer
			}
			*s = *inner
		})
	}
	b.add("depth-endless", func(s *Script) { selfCall(e, s, noLimit, 0) })
	b.add("depth-endless-read-only", func(s *Script) { selfCall(e, s, noLimit, 1) })
	c := b.add("depth-endless-poor", func(s *Script) { selfCall(e, s, noLimit, 0) })
	c.GasLimit = 400_000_000
	if e.Era > 2 {
		b.add("depth-endless-limited", func(s *Script) { selfCall(e, s, 2_000_000_000, 0) })
	}
	b.add("depth-memory", func(s *Script) { // each frame takes 1000 pages: 2 GiB in all is the limit
		s.Do(OpMemGrow, 1000)
		selfCall(e, s, noLimit, 0)
		s.Do(OpMemSize)
	})
	b.add("memory-after-return", func(s *Script) {
		grow := simple(func(s *Script) { s.Do(OpMemGrow, 8000); s.Do(OpMemSize) })
		for range 5 {
			callScript(e, s, other(), grow, 0, noLimit, 0)
		}
		s.Do(OpMemGrow, 8000)
	})
}

// selfCall sends the params of this script to the actor itself.
func selfCall(e *Env, s *Script, gas, flags uint64) {
	at := s.Out(24)
	to := idAddr(e.Self)
	args := []any{at, s.Bytes(to), len(to), 2, 1, 0, 0}
	if e.Era > 2 {
		args = append(args, gas, flags)
	}
	s.Do(OpSend, args...)
	s.Fnv(at, 20)
	back := s.Out(256)
	s.Do(OpBlockRead, s.Out(4), Ref32(at+4), 0, back, 256)
	s.Fnv(back, 256)
}

// paramsLinkOffset is where the CID lies behind the script in params of the form [script, link]: 2000 bytes of script, then the head of the link.
const paramsLinkOffset = 2000 + 5

func sortCases(cases []Case) {
	sort.SliceStable(cases, func(i, j int) bool { return cases[i].Name < cases[j].Name })
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
