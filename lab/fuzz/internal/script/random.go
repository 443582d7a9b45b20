package script

import (
	"math"
)

// randomScript makes a script of n operations. Most calls are valid; depth limits the nesting of sends.
func randomScript(e *Env, n, depth int) *Script {
	s := NewScript()
	list := templatesFor(e.Era)
	r := e.Rand
	var made []Ref32
	for s.Len() < n {
		switch p := r.IntN(100); {
		case p < 55:
			t := list[r.IntN(len(list))]
			if (t.Op == OpExit || t.Op == OpSelfDestruct) && r.IntN(6) > 0 {
				continue
			}
			if pairs := t.Name == "verify_signature_bls" || t.Op == OpVerifyBlsAggregate; pairs && r.IntN(5) > 0 {
				continue // slow, and always the same
			}
			args := t.Build(e, s)
			for i, a := range args {
				vals := a.values()
				if len(vals) > 0 && r.IntN(12) == 0 && !(t.Solo && r.IntN(4) > 0) {
					args[i].Val = vals[r.IntN(len(vals))]
				}
				if a.Kind == kID && len(made) > 0 && r.IntN(4) == 0 {
					args[i].Val = made[r.IntN(len(made))]
				}
			}
			t.call(s, args)
		case p < 65:
			codecs := []uint64{codecRaw, codecCBOR, codecDagCBOR, codecDagCBOR}
			id := create(s, codecs[r.IntN(len(codecs))], randomCBOR(e, 3))
			made = append(made, id)
			if r.IntN(2) == 0 {
				at := link(s, id)
				if r.IntN(2) == 0 {
					made = append(made, linkTo(s, at, 38))
				}
				if r.IntN(2) == 0 {
					s.Do(OpBlockOpen, s.Out(16), at)
				}
				if r.IntN(3) == 0 {
					s.Do(OpSetRoot, at)
				}
			}
		case p < 80:
			randomSend(e, s, depth)
		case p < 84:
			s.Do(OpFloat, r.IntN(11), r.Uint64(), r.Uint64(), outStart)
			s.Fnv(outStart, 8)
		case p < 88:
			s.Do(OpMemCopy, r.IntN(memSize), r.IntN(memSize), r.IntN(2000))
		case p < 90:
			s.Do(OpMemGrow, r.IntN(3))
		case p < 92:
			s.Do(OpBurn, r.IntN(3000))
		case p < 94:
			s.Do(OpRecurse, r.IntN(100))
		case p < 95:
			s.Do(OpFnv, r.IntN(memSize), r.IntN(1000))
		case p < 96:
			s.Do(OpCallIndirect, r.IntN(3), r.IntN(100))
		case p < 97 && r.IntN(6) == 0:
			traps := []Op{OpUnreachable, OpLoad32, OpDiv32, OpToInt, OpCallIndirect}
			s.Do(traps[r.IntN(len(traps))], r.Uint64(), r.Uint64())
		default:
			if e.Era > 2 {
				s.Do(OpGasAvailable, s.Out(8))
			} else {
				s.Do(OpCurrentBalance, s.Out(16))
			}
		}
		if r.IntN(15) == 0 {
			s.recs[len(s.recs)-1].flags |= []uint32{ifOK, ifFail}[r.IntN(2)]
		}
	}
	s.Fnv(outStart, 1024)
	if e.Era > 2 && r.IntN(8) == 0 {
		s.Do(OpExitLog, 16+r.IntN(200))
	}
	return s
}

// randomSend sends to one of the actors, often with a nested script.
func randomSend(e *Env, s *Script, depth int) {
	r := e.Rand
	var flags, value uint64
	gas := noLimit
	if r.IntN(5) == 0 {
		flags = 1
	}
	if r.IntN(3) == 0 {
		value = uint64(r.IntN(1000))
	}
	if r.IntN(4) == 0 {
		gas = uint64(r.IntN(40_000_000))
	}
	scripts := append([]uint64{e.Self}, e.Others...)
	if depth > 0 && r.IntN(3) > 0 {
		inner := randomScript(e, 1+r.IntN(6), depth-1)
		if b := inner.Marshal(); len(b) < 20000 && len(s.data) < 30000 {
			callWith(e, s, idAddr(scripts[r.IntN(len(scripts))]), create(s, e.blockCodec(), b), value, gas, flags)
			return
		}
	}
	to := [][]byte{idAddr(uint64(r.IntN(12))), idAddr(e.Sender), e.SenderKey, idAddr(99), idAddr(scripts[r.IntN(len(scripts))]), delegatedAddr(10, bytes32(byte(r.IntN(256)))[:20]),
		append([]byte{1}, bytes32(byte(r.IntN(256)))[:20]...), idAddr(uint64(r.IntN(100000)))}[r.IntN(8)]
	method := []uint64{0, 0, 0, 1, 2, uint64(r.IntN(20)), r.Uint64()}[r.IntN(7)]
	send(e, s, to, method, []any{0, 1, 2}[r.IntN(3)], value, gas, flags)
}

// randomCBOR makes an item, sometimes damaged, sometimes with links that mean nothing.
func randomCBOR(e *Env, depth int) []byte {
	r := e.Rand
	var item []byte
	switch p := r.IntN(12); {
	case p < 4 && depth > 0:
		var list [][]byte
		for range r.IntN(5) {
			list = append(list, randomCBOR(e, depth-1))
		}
		item = cborArray(list...)
	case p < 5 && depth > 0:
		item = cat(cborHead(5, 1), cborText("k"), randomCBOR(e, depth-1))
	case p < 6:
		item = cborTag(uint64(r.IntN(60)), cborBytes(bytes32(byte(r.IntN(256)))[:r.IntN(32)]))
	case p < 7:
		item = cborLink([][]byte{sealedCid(1), unsealedCid(2), e.StateCid, e.Unlinked, cidV1(codecRaw, hashIdentity, []byte("x"))}[r.IntN(5)])
	case p < 8:
		item = cborBytes(make([]byte, r.IntN(300)))
	case p < 9:
		item = cborText("text")
	case p < 10:
		item = cborInt(r.Int64N(math.MaxInt64) - math.MaxInt64/2)
	default:
		item = cborUint(uint64(r.IntN(1000)))
	}
	if r.IntN(25) == 0 && len(item) > 0 {
		item[r.IntN(len(item))] ^= byte(1 << r.IntN(8))
	}
	return item
}
