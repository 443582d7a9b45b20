package script

import (
	"fmt"
	"math"
	"math/big"
)

func cryptoCases(b *builder) {
	e := b.e
	msg := []byte("a plain text of some length")
	sig := secpKey.Sign(msg)
	blsSig := blsKeys[0].Sign(msg)
	type check struct {
		name           string
		typ            int64
		sig, addr, msg []byte
	}
	bad := func(b []byte, i int) []byte {
		c := append([]byte{}, b...)
		c[i] ^= 1
		return c
	}
	infinity := append([]byte{0xc0}, make([]byte, 95)...)
	list := []check{
		{"ok", 1, sig, secpKey.Address(), msg}, {"high-s", 1, highS(sig), secpKey.Address(), msg}, {"wrong-msg", 1, sig, secpKey.Address(), msg[1:]},
		{"flipped", 1, bad(sig, 3), secpKey.Address(), msg}, {"recid-flipped", 1, bad(sig, 64), secpKey.Address(), msg}, {"recid-4", 1, append(append([]byte{}, sig[:64]...), 4), secpKey.Address(), msg},
		{"recid-27", 1, append(append([]byte{}, sig[:64]...), sig[64]+27), secpKey.Address(), msg}, {"recid-2", 1, append(append([]byte{}, sig[:64]...), sig[64]+2), secpKey.Address(), msg},
		{"short", 1, sig[:64], secpKey.Address(), msg}, {"long", 1, append(append([]byte{}, sig...), 0), secpKey.Address(), msg},
		{"zero", 1, make([]byte, 65), secpKey.Address(), msg}, {"ff", 1, []byte(string(bytes32(0xff)) + string(bytes32(0xff)) + "\x00"), secpKey.Address(), msg}, {"none", 1, nil, secpKey.Address(), msg},
		{"wrong-addr", 1, sig, e.SenderKey, msg}, {"id-addr", 1, sig, idAddr(e.Sender), msg}, {"id-addr-unknown", 1, sig, idAddr(999999), msg}, {"actor-addr", 1, sig, actorAddr(bytes32(1)[:20]), msg}, {"bls-addr", 1, sig, blsKeys[0].Address(), msg},
		{"delegated-addr", 1, sig, delegatedAddr(10, bytes32(1)[:20]), msg}, {"empty-msg", 1, secpKey.Sign(nil), secpKey.Address(), nil},
		{"bls-ok", 2, blsSig, blsKeys[0].Address(), msg}, {"bls-wrong-msg", 2, blsSig, blsKeys[0].Address(), msg[1:]}, {"bls-wrong-key", 2, blsSig, blsKeys[1].Address(), msg},
		{"bls-flipped", 2, bad(blsSig, 40), blsKeys[0].Address(), msg}, {"bls-short", 2, blsSig[:95], blsKeys[0].Address(), msg}, {"bls-infinity", 2, infinity, blsKeys[0].Address(), msg},
		{"bls-zero", 2, make([]byte, 96), blsKeys[0].Address(), msg}, {"bls-secp-addr", 2, blsSig, secpKey.Address(), msg}, {"bls-zero-addr", 2, blsSig, append([]byte{3}, make([]byte, 48)...), msg},
		{"bls-inf-addr", 2, infinity, cat([]byte{3, 0xc0}, make([]byte, 47)), msg}, {"bls-id-addr", 2, blsSig, idAddr(e.Sender), msg}, {"bls-empty-msg", 2, blsKeys[0].Sign(nil), blsKeys[0].Address(), nil},
		{"delegated", 3, sig, delegatedAddr(10, bytes32(1)[:20]), msg}, {"delegated-f1", 3, sig, secpKey.Address(), msg}, {"type-0", 0, sig, secpKey.Address(), msg}, {"type-4", 4, sig, secpKey.Address(), msg}, {"type-max", math.MaxUint32, sig, secpKey.Address(), msg},
		{"long-msg", 1, secpKey.Sign(make([]byte, 3000)), secpKey.Address(), make([]byte, 3000)},
	}
	for from := 0; from < len(list); from += 6 {
		part := list[from:min(from+6, len(list))]
		b.add("signature-"+part[0].name, func(s *Script) {
			for _, c := range part {
				at := s.Out(4)
				s.Do(OpVerifySignature, at, c.typ, s.Bytes(c.sig), len(c.sig), s.Bytes(c.addr), len(c.addr), s.Bytes(c.msg), len(c.msg))
				s.Do(OpLoad32, at)
			}
		})
	}
	digest := bytes32(0x5a)
	dsig := secpKey.SignDigest(digest)
	n, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	withR := func(r *big.Int, id byte) []byte {
		c := append([]byte{}, dsig...)
		r.FillBytes(c[:32])
		c[64] = id
		return c
	}
	withS := func(v *big.Int) []byte {
		c := append([]byte{}, dsig...)
		v.FillBytes(c[32:64])
		return c
	}
	one := big.NewInt(1)
	sigs := [][]byte{dsig, highS(dsig), bad(dsig, 64), withR(one, 0), withR(one, 2), withR(one, 3), withR(n, 0), withR(new(big.Int).Sub(n, one), 0), withR(new(big.Int), 0),
		withS(new(big.Int)), withS(n), withS(new(big.Int).Sub(n, one)), withS(new(big.Int).Rsh(n, 1)), withS(new(big.Int).Add(new(big.Int).Rsh(n, 1), one)), withR(one, 4), withR(one, 255), withR(big.NewInt(5), 0), make([]byte, 65)}
	for from := 0; from < len(sigs); from += 6 {
		part := sigs[from:min(from+6, len(sigs))]
		b.add(fmt.Sprint("recover-", from), func(s *Script) {
			for _, sg := range part {
				for _, d := range [][]byte{digest, make([]byte, 32), bytes32(0xff)} {
					at := s.Out(72)
					s.Do(OpRecoverSecp, at, s.Bytes(d), s.Bytes(sg))
					s.Fnv(at, 65)
				}
			}
		})
	}
	if e.Era < 4 {
		return
	}
	msgs := [][]byte{[]byte("one"), []byte("two two"), []byte("three three three")}
	var keys, lens []byte
	for i, k := range blsKeys {
		keys = append(keys, k.Public()...)
		lens = append(lens, le32(uint32(len(msgs[i])))...)
	}
	agg := blsAggregate(blsKeys, msgs)
	text := cat(msgs...)
	same := [][]byte{msgs[0], msgs[0], msgs[0]}
	type aggCase struct {
		name                  string
		n                     int64
		sig, keys, text, lens []byte
	}
	aggs := []aggCase{
		{"ok", 3, agg, keys, text, lens}, {"one", 1, blsKeys[0].Sign(msgs[0]), blsKeys[0].Public(), msgs[0], le32(3)}, {"none", 0, infinity, nil, nil, nil}, {"none-bad", 0, agg, nil, nil, nil},
		{"same-messages", 3, blsAggregate(blsKeys, same), keys, cat(same...), cat(le32(3), le32(3), le32(3))}, {"wrong-order", 3, agg, keys, cat(msgs[1], msgs[0], msgs[2]), cat(le32(7), le32(3), le32(17))},
		{"wrong-split", 3, agg, keys, text, cat(le32(4), le32(6), le32(17))}, {"two-of-three", 2, agg, keys, text, lens}, {"zero-key", 3, agg, cat(make([]byte, 48), keys[48:]), text, lens},
		{"infinity-key", 3, agg, cat([]byte{0xc0}, make([]byte, 47), keys[48:]), text, lens}, {"flipped", 3, bad(agg, 20), keys, text, lens}, {"zero-sig", 3, make([]byte, 96), keys, text, lens},
		{"empty-messages", 2, blsAggregate(blsKeys[:2], [][]byte{nil, nil}), keys[:96], nil, cat(le32(0), le32(0))}, {"len-wraps", 3, agg, keys, text, cat(le32(math.MaxUint32), le32(10), le32(18))},
		{"len-huge", 1, agg, keys, text, le32(math.MaxUint32)}, {"len-out", 1, agg, keys, text, le32(200000)},
	}
	for _, a := range aggs {
		b.add("aggregate-"+a.name, func(s *Script) {
			at := s.Out(4)
			s.Do(OpVerifyBlsAggregate, at, a.n, s.Bytes(a.sig), s.Bytes(a.keys), s.Bytes(a.text), s.Bytes(a.lens))
			s.Do(OpLoad32, at)
		})
	}
	b.add("aggregate-counts", func(s *Script) {
		sg, kp, tp, lp := s.Bytes(agg), s.Bytes(keys), s.Bytes(text), s.Bytes(lens)
		for _, n := range []int64{89478485, 89478486, math.MaxUint32, 1 << 31, 5000, 6000} {
			s.Do(OpVerifyBlsAggregate, s.Out(4), n, sg, kp, tp, lp)
		}
	})
	b.add("aggregate-unaligned", func(s *Script) {
		at := s.Bytes(cat([]byte{0}, lens))
		s.Do(OpVerifyBlsAggregate, s.Out(4), 3, s.Bytes(agg), s.Bytes(keys), s.Bytes(text), at+1)
	})
}

func proofCases(b *builder) {
	e := b.e
	call := func(name string, op Op, params []byte) {
		b.add(name, func(s *Script) {
			at := s.Out(4)
			s.Do(op, at, s.Bytes(params), len(params))
			s.Do(OpLoad32, at)
		})
	}
	for t := int64(-1); t <= 15; t++ {
		call(fmt.Sprint("post-", t), OpVerifyPost, windowPost(t, 8, 2, bytes32(1)))
	}
	for _, n := range []int{0, 1, 10, 100} {
		call(fmt.Sprint("post-sectors-", n), OpVerifyPost, windowPost(13, 8, n, bytes32(1)))
	}
	call("post-no-proof", OpVerifyPost, cborArray(cborBytes(bytes32(7)), cborArray(), cborArray(), cborUint(1000)))
	call("post-two-proofs", OpVerifyPost, cborArray(cborBytes(bytes32(7)), cborArray(cborArray(cborInt(13), cborBytes(nil)), cborArray(cborInt(13), cborBytes(nil))), cborArray(), cborUint(1000)))
	call("post-mixed", OpVerifyPost, cborArray(cborBytes(bytes32(7)), cborArray(cborArray(cborInt(13), cborBytes(nil)), cborArray(cborInt(11), cborBytes(nil))), cborArray(), cborUint(1000)))
	call("post-randomness-31", OpVerifyPost, cborArray(cborBytes(bytes32(7)[:31]), cborArray(), cborArray(), cborUint(1000)))
	call("post-trailing", OpVerifyPost, append(windowPost(13, 8, 1, nil), 0))
	call("post-cut", OpVerifyPost, windowPost(13, 8, 1, nil)[:40])
	call("post-prover", OpVerifyPost, cborArray(cborBytes(bytes32(7)), cborArray(), cborArray(), cborInt(-1)))
	for t := int64(0); t <= 3; t++ {
		call(fmt.Sprint("aggregate-type-", t), OpVerifyAggregateSeals, aggregateSeals(8, t, 2))
	}
	for _, t := range []int64{-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20} {
		call(fmt.Sprint("aggregate-seal-", t), OpVerifyAggregateSeals, aggregateSeals(t, 1, 2))
	}
	for _, n := range []int{0, 1, 3, 4, 5, 8, 13, 64, 65} {
		call(fmt.Sprint("aggregate-n-", n), OpVerifyAggregateSeals, aggregateSeals(8, 1, n))
		call(fmt.Sprint("aggregate-ni-n-", n), OpVerifyAggregateSeals, aggregateSeals(18, 1, n))
	}
	for t := int64(-1); t <= 6; t++ {
		call(fmt.Sprint("replica-array-", t), OpVerifyReplicaUpdate, replicaUpdate(t, false))
		call(fmt.Sprint("replica-bytes-", t), OpVerifyReplicaUpdate, replicaUpdate(t, true))
	}
	for t := int64(-2); t <= 20; t++ {
		b.add(fmt.Sprint("unsealed-type-", t), func(s *Script) {
			p := pieces(128)
			at := s.Out(104)
			s.Do(OpUnsealedSectorCid, s.Out(4), t, s.Bytes(p), len(p), at, 100)
			s.Fnv(at, 100)
			q := pieces(2048, 1024, 4096, 128, 128)
			s.Do(OpUnsealedSectorCid, s.Out(4), t, s.Bytes(q), len(q), at, 100)
			s.Fnv(at, 100)
		})
	}
	lists := map[string][]byte{
		"none": pieces(), "whole-2k": pieces(2048), "two": pieces(1024, 1024), "pad": pieces(128, 1024), "pad-back": pieces(1024, 128), "too-big": pieces(4096), "sum-too-big": pieces(1024, 1024, 128),
		"not-power": pieces(130), "small": pieces(64), "zero": pieces(0), "huge": pieces(1 << 63), "max": pieces(math.MaxUint64), "odd": pieces(129), "many": pieces(128, 128, 128, 128, 128, 128, 128, 128, 256, 512),
		"wrong-codec": cborArray(cborArray(cborUint(128), cborLink(sealedCid(1)))), "wrong-hash": cborArray(cborArray(cborUint(128), cborLink(cidV1(0xf101, hashSha256, bytes32(1))))),
		"short-digest": cborArray(cborArray(cborUint(128), cborLink(cidV1(0xf101, 0x1012, bytes32(1)[:31])))), "high-bits": cborArray(cborArray(cborUint(128), cborLink(cidV1(0xf101, 0x1012, bytes32(0xff))))),
		"not-cid": cborArray(cborArray(cborUint(128), cborBytes(bytes32(1)))), "trailing": append(pieces(128), 0), "map": {0xa0}, "no-bytes": {},
	}
	for _, name := range sortedKeys(lists) {
		b.add("unsealed-"+name, func(s *Script) {
			at := s.Out(104)
			for _, t := range []int64{5, 8} {
				s.Do(OpUnsealedSectorCid, s.Out(4), t, s.Bytes(lists[name]), len(lists[name]), at, 100)
				s.Fnv(at, 100)
			}
			s.Do(OpUnsealedSectorCid, s.Out(4), 5, s.Bytes(lists[name]), len(lists[name]), at, 20)
		})
	}
	batches := map[string][]byte{"none": cborArray(), "one": cborArray(sealInfo(8, 1)), "three": cborArray(sealInfo(8, 1), sealInfo(9, 2), sealInfo(5, 3)), "bad-type": cborArray(sealInfo(99, 1)), "not-array": sealInfo(8, 1), "ni": cborArray(sealInfo(18, 4))}
	for _, name := range sortedKeys(batches) {
		b.add("batch-"+name, func(s *Script) {
			at := s.Out(8)
			s.Do(OpBatchVerifySeals, s.Bytes(batches[name]), len(batches[name]), at)
			s.Fnv(at, 8)
			s.Do(OpBatchVerifySeals, s.Bytes(batches[name]), len(batches[name]), memSize-1)
		})
	}
	for _, f := range e.faults() {
		b.add("fault-"+f.name, func(s *Script) {
			at := s.Out(24)
			s.Do(OpVerifyConsensusFault, at, s.Bytes(f.h1), len(f.h1), s.Bytes(f.h2), len(f.h2), s.Bytes(f.extra), len(f.extra))
			s.Fnv(at, 20)
		})
	}
}

type fault struct {
	name          string
	h1, h2, extra []byte
	typ           int
}

// faults are the block headers for which the node reports a consensus fault (type 0: no fault).
func (e *Env) faults() []fault {
	return []fault{
		{"none", []byte("h1"), []byte("h2"), nil, 0}, {"double-fork", []byte("double"), []byte("fork"), nil, 1}, {"parent-grinding", []byte("parent"), []byte("grinding"), []byte("extra"), 2},
		{"time-offset", []byte("time"), []byte("offset"), nil, 3}, {"empty", nil, nil, nil, 0},
	}
}

func sendCases(b *builder) {
	e := b.e
	none := uint64(math.MaxUint64)
	other := idAddr(e.Others[0])
	one := func(name string, to []byte, method uint64, value, gas, flags uint64) {
		b.add(name, func(s *Script) {
			at := send(e, s, to, method, 0, value, gas, flags)
			s.Do(OpBlockStat, s.Out(12), Ref32(at+4))
			s.Do(OpCurrentBalance, s.Out(16))
			if e.Era > 2 {
				s.Do(OpGasAvailable, s.Out(8))
			}
			s.Fnv(outStart, 128)
		})
	}
	for _, v := range []uint64{0, 1, 1e9, 1 << 62, math.MaxUint64} {
		one(fmt.Sprint("value-", v), other, 0, v, none, 0)
		one(fmt.Sprint("value-self-", v), idAddr(e.Self), 0, v, none, 0)
		one(fmt.Sprint("value-burnt-", v), idAddr(99), 0, v, none, 0)
	}
	b.add("value-hi", func(s *Script) {
		for _, hi := range []int64{1, math.MaxInt64, -1} {
			at := s.Out(24)
			args := []any{at, s.Bytes(other), len(other), 0, 0, hi, 0}
			if e.Era > 2 {
				args = append(args, none, 0)
			}
			s.Do(OpSend, args...)
			s.Fnv(at, 20)
		}
	})
	for _, m := range []uint64{0, 1, 2, 3, 1 << 24, 1<<24 - 1, 3844450837, math.MaxInt64, math.MaxUint64} {
		for _, to := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 10, 99, e.Sender, e.Others[0]} {
			one(fmt.Sprint("method-", m, "-to-", to), idAddr(to), m, 0, none, 0)
		}
	}
	if e.Era > 2 {
		for _, f := range []uint64{0, 1, 2, 3, 1 << 32, math.MaxUint64} {
			for _, v := range []uint64{0, 1} {
				for _, m := range []uint64{0, 2} {
					one(fmt.Sprint("flags-", f, "-value-", v, "-method-", m), other, m, v, none, f)
				}
			}
		}
		for _, g := range []uint64{0, 1, 1000, 100_000, 574_999, 575_000, 700_000, 1_000_000, 3_000_000, 1 << 32, 1 << 63, none - 1} {
			one(fmt.Sprint("gas-", g), other, 2, 0, g, 0)
			one(fmt.Sprint("gas-value-", g), idAddr(e.Others[0]), 0, 1, g, 0)
		}
	}
	b.add("params-ids", func(s *Script) {
		for _, id := range []int64{0, 1, 2, 77, math.MaxUint32} {
			send(e, s, other, 2, id, 0, none, 0)
		}
	})
	b.add("params-codecs", func(s *Script) {
		for _, c := range []uint64{codecRaw, codecCBOR, codecDagCBOR} {
			send(e, s, other, 2, create(s, c, []byte{0x80}), 0, none, 0)
			send(e, s, idAddr(e.Sender), 2, create(s, c, []byte{0x80}), 0, none, 0)
			send(e, s, idAddr(e.Sender), 0, create(s, c, []byte{0x80}), 1, none, 0)
		}
	})
	for i := range 3 { // new accounts of each kind
		f1 := append([]byte{1}, bytes32(byte(0x40 + i))[:20]...)
		f3 := append([]byte{3}, newBlsKey(fmt.Sprint("new", i)).Public()...)
		f4 := delegatedAddr(10, bytes32(byte(0x60 + i))[:20])
		for _, name := range []string{"f1", "f3", "f4"} {
			a := map[string][]byte{"f1": f1, "f3": f3, "f4": f4}[name]
			switch i {
			case 0:
				one("new-"+name, a, 0, 1, none, 0)
			case 1:
				one("new-method-"+name, a, 2, 0, none, 0)
			case 2:
				one("new-readonly-"+name, a, 0, 0, none, 1)
			}
			if e.Era == 2 && i == 0 {
				one("new-twice-"+name, a, 0, 1, none, 0)
			}
		}
	}
	sortCases(b.cases)
	b.add("new-then-fail", func(s *Script) {
		send(e, s, delegatedAddr(10, bytes32(0x71)[:20]), 0, 0, 1, none, 0)
		send(e, s, append([]byte{1}, bytes32(0x72)[:20]...), 0, 0, 1, none, 0)
		s.Do(OpUnreachable)
	})
	b.add("new-lookup", func(s *Script) {
		a := delegatedAddr(10, bytes32(0x73)[:20])
		id := s.Out(8)
		s.Do(OpResolveAddress, id, s.Bytes(a), len(a))
		send(e, s, a, 0, 0, 1, none, 0)
		s.Do(OpResolveAddress, id, s.Bytes(a), len(a))
		if e.Era > 2 {
			s.Do(OpLookupDelegated, s.Out(4), Ref64(id), s.Out(64), 64)
			s.Do(OpBalanceOf, s.Out(16), Ref64(id))
		}
		s.Do(OpGetActorCodeCid, s.Out(4), Ref64(id), s.Out(104), 100)
		s.Fnv(outStart, 512)
	})
	b.add("ask-builtins", func(s *Script) { // methods that answer anyone
		for _, c := range [][2]uint64{{2, 3}, {4, 9}, {1, 1}, {6, 2}, {3, 2}, {e.Sender, 2}, {7, 4}} {
			at := send(e, s, idAddr(c[0]), c[1], 0, 0, none, 0)
			s.Do(OpBlockRead, s.Out(4), Ref32(at+4), 0, s.Out(208), 200)
		}
		s.Fnv(outStart, 3000)
	})
}

func exitCases(b *builder) {
	e := b.e
	codes := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 24, 25, 31, 32, 100, 255, 256, math.MaxInt32, 1 << 31, math.MaxUint32}
	for _, c := range codes {
		b.add(fmt.Sprint("code-", c), func(s *Script) {
			if e.Era == 2 {
				s.Do(OpExit, c, 0, 0)
			} else {
				s.Do(OpExit, c, 0, 0, 0)
			}
		})
	}
	messages := map[string][2]int64{"none": {0, 0}, "none-oob": {math.MaxUint32, 0}, "oob": {memSize - 1, 2}, "huge": {0, math.MaxUint32}, "long": {0x10000, 5000}, "1024": {0x10000, 1024}, "1025": {0x10000, 1025}}
	for _, name := range sortedKeys(messages) {
		m := messages[name]
		b.add("message-"+name, func(s *Script) {
			if e.Era == 2 {
				s.Do(OpExit, 40, m[0], m[1])
			} else {
				s.Do(OpExit, 40, 0, m[0], m[1])
			}
		})
	}
	b.add("message-not-utf8", func(s *Script) {
		at := s.Bytes([]byte("\xff\xfe\x00abc"))
		if e.Era == 2 {
			s.Do(OpExit, 41, at, 6)
		} else {
			s.Do(OpExit, 41, 0, at, 6)
		}
	})
	ids := []int64{1, 2, 3, 4, 1000, math.MaxInt32, math.MaxUint32}
	for _, id := range ids {
		b.add(fmt.Sprint("return-id-", id), func(s *Script) {
			create(s, e.blockCodec(), cborArray(cborUint(5)))
			s.Do(OpReturnID, id)
		})
		if e.Era == 2 {
			continue
		}
		for _, c := range []int64{0, 5, 42} {
			b.add(fmt.Sprint("exit-", c, "-id-", id), func(s *Script) {
				create(s, codecCBOR, cborArray(cborUint(5)))
				s.Do(OpExit, c, id, 0, 0)
			})
		}
	}
	b.add("return-nothing", func(s *Script) { s.Do(OpReturnID, 0) })
	for _, c := range []uint64{codecRaw, codecCBOR, codecDagCBOR} {
		for _, n := range []int{0, 1, 100, 4096, 20000} {
			b.add(fmt.Sprintf("return-%x-%d", c, n), func(s *Script) {
				s.Do(OpMemFill, 0x30000, 0x60, 65536) // empty strings
				if c == codecDagCBOR && n > 1 {
					s.Do(OpStore32, 0x30000, 0x59|(n-3)>>8<<8|(n-3)&0xff<<16)
				}
				s.Do(OpReturnData, c, 0x30000, n)
			})
		}
	}
	if e.Era > 2 {
		b.add("exit-log", func(s *Script) {
			s.Do(OpCurrentBalance, s.Out(16))
			s.Do(OpExitLog, 33)
		})
		b.add("exit-after-state", func(s *Script) {
			s.Do(OpSetRoot, link(s, create(s, codecDagCBOR, cborUint(1))))
			send(e, s, idAddr(99), 0, 0, 1, math.MaxUint64, 0)
			s.Do(OpExitLog, 34)
		})
		b.add("return-1MiB-out-of-gas", func(s *Script) {
			s.Do(OpMemGrow, 20)
			s.Do(OpReturnData, codecRaw, memSize, 1<<20)
		}).GasLimit = 1_300_000_000
	}
}

func destroyCases(b *builder) {
	e := b.e
	destroy := func(s *Script, flag uint64, to []byte) {
		if e.Era == 4 {
			s.Do(OpSelfDestruct, flag)
		} else {
			s.Do(OpSelfDestruct, s.Bytes(to), len(to))
		}
	}
	after := func(s *Script) { // what a deleted actor still can do
		s.Do(OpRoot, s.Out(4), s.Out(104), 100)
		at := link(s, create(s, codecDagCBOR, cborUint(3)))
		s.Do(OpSetRoot, at)
		s.Do(OpCurrentBalance, s.Out(16))
		s.Do(OpGetActorCodeCid, s.Out(4), e.Self, s.Out(104), 100)
		a := idAddr(e.Self)
		s.Do(OpResolveAddress, s.Out(8), s.Bytes(a), len(a))
		if e.Era > 2 {
			s.Do(OpBalanceOf, s.Out(16), e.Self)
			s.Do(OpLookupDelegated, s.Out(4), e.Self, s.Out(64), 64)
		}
		send(e, s, idAddr(e.Sender), 0, 0, 0, math.MaxUint64, 0)
		send(e, s, idAddr(e.Sender), 0, 0, 1, math.MaxUint64, 0)
		send(e, s, a, 0, 0, 0, math.MaxUint64, 0)
		send(e, s, a, 2, 0, 0, math.MaxUint64, 0)
		send(e, s, a, 0, 0, 1, math.MaxUint64, 0)
		if e.Era == 4 {
			s.Do(OpEmitEvent, s.Bytes(entryHead(0, codecRaw, 1, 1)), 1, s.Bytes([]byte("k")), 1, s.Bytes([]byte("v")), 1)
		}
		s.Fnv(outStart, 1024)
	}
	targets := map[string][]byte{"sender": idAddr(e.Sender), "self": idAddr(e.Self), "burnt": idAddr(99), "none": idAddr(999999), "f1-new": append([]byte{1}, bytes32(0x51)[:20]...), "other": idAddr(e.Others[0]), "empty": {}, "bad": {9, 9}, "key": e.SenderKey}
	if e.Era == 4 {
		targets = map[string][]byte{"": nil}
	}
	for _, name := range sortedKeys(targets) {
		for _, flag := range []uint64{0, 1, 2, math.MaxUint32} {
			if e.Era != 4 && flag > 0 {
				continue
			}
			b.add(fmt.Sprint("flag-", flag, "-", name), func(s *Script) { destroy(s, flag, targets[name]); after(s) })
		}
		b.add("empty-"+name, func(s *Script) { // with no balance left
			at := s.Out(16)
			s.Do(OpCurrentBalance, at)
			args := []any{s.Out(20), s.Bytes(idAddr(99)), 2, 0, 0, Ref64(at + 8), Ref64(at)}
			if e.Era > 2 {
				args = append(args, uint64(math.MaxUint64), 0)
			}
			s.Do(OpSend, args...)
			destroy(s, 0, targets[name])
			after(s)
		})
		b.add("twice-"+name, func(s *Script) { destroy(s, 1, targets[name]); destroy(s, 1, targets[name]); after(s) })
		b.add("then-fail-"+name, func(s *Script) { destroy(s, 1, targets[name]); s.Do(OpUnreachable) })
	}
	b.add("after-delete", func(s *Script) { destroy(s, 1, idAddr(e.Sender)) })
}

func wasmCases(b *builder) {
	e := b.e
	for _, c := range [][3]int64{{int64(OpDiv32), 7, 0}, {int64(OpDiv32), math.MinInt32, -1}, {int64(OpDiv32), math.MinInt32, 1}, {int64(OpDiv32), -7, 2}, {int64(OpRem32), 7, 0}, {int64(OpRem32), math.MinInt32, -1}, {int64(OpRem32), -7, 2},
		{int64(OpDiv64), 7, 0}, {int64(OpDiv64), math.MinInt64, -1}, {int64(OpDiv64), -7, 2}} {
		b.add(fmt.Sprint("int-", c), func(s *Script) { s.Do(Op(c[0]), c[1], c[2]) })
	}
	specials := []uint64{0, 1 << 63, 0x3ff0000000000000, 0xbff8000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001, 0x7ff4000000000000, 0xffffffffffffffff, 1, 0x000fffffffffffff, 0x7fefffffffffffff, 0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x36a0000000000000, 0x47efffffe0000000, 0x47effffff0000000}
	for op := range 11 {
		b.add(fmt.Sprint("float-", op), func(s *Script) {
			for i, x := range specials {
				for _, y := range []uint64{specials[(i+4)%len(specials)], specials[(i+7)%len(specials)]} {
					s.Do(OpFloat, op, x, y, outStart).flags |= noLog
					s.Fnv(outStart, 8)
				}
			}
		})
	}
	for _, x := range specials {
		b.add(fmt.Sprintf("to-int-%x", x), func(s *Script) { s.Do(OpToInt, x) })
	}
	b.add("unreachable", func(s *Script) { s.Do(OpUnreachable) })
	for _, at := range []int64{memSize - 4, memSize - 3, memSize, math.MaxUint32, math.MaxUint32 - 3} {
		b.add(fmt.Sprint("load-", at), func(s *Script) { s.Do(OpLoad32, at) })
		b.add(fmt.Sprint("store-", at), func(s *Script) { s.Do(OpStore32, at, 1) })
	}
	for _, i := range []int64{0, 1, 2, 3, 4, 5, 100, math.MaxUint32} {
		b.add(fmt.Sprint("call-indirect-", i), func(s *Script) { s.Do(OpCallIndirect, i, 9) })
	}
	for _, n := range []int64{1, 10, 100, 150, 200, 220, 240, 260, 280, 300, 350, 400, 1000, 100000} {
		b.add(fmt.Sprint("recurse-", n), func(s *Script) { s.Do(OpRecurse, n) })
	}
	for _, n := range []int64{0, 1, 12, 100, 8188, 8189, 8192, 16384, 65532, 65536, math.MaxInt32, math.MaxUint32} {
		b.add(fmt.Sprint("grow-", n), func(s *Script) {
			s.Do(OpMemGrow, n)
			s.Do(OpMemSize)
			s.Do(OpMemGrow, 1)
			s.Do(OpMemSize)
		})
	}
	b.add("grow-steps", func(s *Script) {
		for n := range 12 {
			s.Do(OpMemGrow, n*n)
		}
		s.Do(OpStore32, memSize+65536, uint64(0xdeadbeef))
		s.Do(OpLoad32, memSize+65536)
		if e.Era > 2 {
			s.Do(OpGasAvailable, s.Out(8))
			s.Fnv(outStart, 8)
		}
	})
	copies := [][3]int64{{outStart, 0x10000, 0}, {outStart, 0x10000, 100}, {0x10000, 0x10010, 1000}, {0x10010, 0x10000, 1000}, {memSize, 0, 0}, {memSize + 1, 0, 0}, {0, memSize, 0}, {0, memSize + 1, 0}, {memSize - 10, 0, 10}, {memSize - 10, 0, 11}, {0, memSize - 10, 11}, {math.MaxUint32, 0, 1}, {outStart, 0, math.MaxUint32}, {0x20000, 0x10000, 65536}}
	for _, c := range copies {
		if e.Era == 2 && c[2] == math.MaxUint32 {
			continue
		}
		b.add(fmt.Sprint("copy-", c), func(s *Script) { s.Do(OpMemCopy, c[0], c[1], c[2]); s.Fnv(outStart, 128) })
		b.add(fmt.Sprint("fill-", c), func(s *Script) { s.Do(OpMemFill, c[0], c[1], c[2]); s.Fnv(outStart, 128) })
	}
	b.add("unknown-op", func(s *Script) { s.Do(60); s.Do(9999) })
}

func gasCases(b *builder) {
	e := b.e
	amounts := []int64{0, 1, 1000, defaultGas / 2, defaultGas, defaultGas * 2, math.MaxInt32, 1 << 40, math.MaxInt64 / 1000, math.MaxInt64/1000 + 1, math.MaxInt64, -1, -1000, math.MinInt64}
	for _, a := range amounts {
		b.add(fmt.Sprint("charge-", a), func(s *Script) {
			s.Do(OpGasCharge, s.Bytes([]byte("x")), 1, a)
			if e.Era > 2 {
				at := s.Out(8)
				s.Do(OpGasAvailable, at)
				s.Fnv(at, 8)
			}
		})
	}
	b.add("charge-name", func(s *Script) {
		s.Do(OpGasCharge, s.Bytes([]byte("\xff")), 1, 10)
		s.Do(OpGasCharge, s.Bytes([]byte("a\x00b")), 3, 10)
		s.Do(OpGasCharge, 0, 0, 10)
		s.Do(OpGasCharge, 0, memSize, 10)
	})
	for _, n := range []int{0, 1, 1000, 100000, 5_000_000} {
		b.add(fmt.Sprint("burn-", n), func(s *Script) { s.Do(OpBurn, n) })
	}
	for _, g := range []int64{1, 1000, 100_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 3_500_000, 4_000_000, 5_000_000, 6_000_000, 10_000_000, 50_000_000} {
		b.add(fmt.Sprint("endless-", g), func(s *Script) {
			s.Do(OpBurn, uint64(math.MaxUint32))
			s.Do(OpJump, -2)
		}).GasLimit = g
	}
	if e.Era > 2 {
		b.add("out-pointer-quirk", func(s *Script) { // gas is charged twice after "no space for the return value"
			at := s.Out(8)
			for range 3 {
				s.Do(OpGasAvailable, at)
				s.Fnv(at, 8)
				s.Do(OpGasAvailable, memSize)
				s.Do(OpBurn, 1000)
				s.Do(OpMessageContext, memSize-79)
				s.Do(OpMessageContext, uint64(math.MaxUint32))
				s.Do(OpBurn, 1000)
				s.Do(OpDebugEnabled, memSize-3)
			}
		})
		b.add("grow-after-quirk", func(s *Script) {
			s.Do(OpGasAvailable, memSize)
			s.Do(OpMemGrow, 10)
			s.Do(OpGasAvailable, memSize+10*65536)
			s.Do(OpMemGrow, 1)
			s.Do(OpGasAvailable, outStart)
			s.Fnv(outStart, 8)
		})
		b.add("quirk-then-end", func(s *Script) {
			s.Do(OpBurn, 10000)
			s.Do(OpGasAvailable, memSize)
		})
	}
	b.add("quirk-return", func(s *Script) {
		s.Do(OpBurn, 10000)
		s.Do(OpMessageContext, memSize)
		s.Do(OpReturnID, 0)
	})
}

func messageCases(b *builder) {
	e := b.e
	context := func(s *Script) {
		at := s.Out(80)
		s.Do(OpMessageContext, at)
		s.Fnv(at, 80)
		if e.Era > 2 {
			at = s.Out(48)
			s.Do(OpNetworkContext, at)
			s.Fnv(at, 44)
		}
		s.Do(OpCurrentBalance, s.Out(16))
		s.Fnv(outStart, 256)
	}
	for _, m := range []uint64{1, 2, 3, 1 << 24, 1 << 40, math.MaxInt64, math.MaxUint64} {
		b.add(fmt.Sprint("method-", m), context).Method = m
	}
	b.add("value", context).Value = big.NewInt(12345)
	c := b.add("premium", context)
	c.Premium, c.FeeCap = big.NewInt(50), big.NewInt(1000)
	c = b.add("premium-capped", context)
	c.Premium, c.FeeCap = big.NewInt(500), big.NewInt(300)
	c = b.add("premium-under-base-fee", context)
	c.Premium, c.FeeCap = big.NewInt(500), big.NewInt(50)
	c = b.add("too-much-value", context)
	c.Value = new(big.Int).Lsh(big.NewInt(1), 100)
	self := e.Self
	b.cases = append(b.cases, Case{Name: "no-params"}, Case{Name: "short-params", Params: []byte{1}}, Case{Name: "zero-script", Params: make([]byte, 8)}, Case{Name: "garbage", Params: []byte("\xff\xff\xff\xff\xff\xff\xff\x00garbage")},
		Case{Name: "big-params", Params: make([]byte, 66000)})
	for _, to := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 10, 99, 88888} {
		b.cases = append(b.cases, Case{Name: fmt.Sprint("to-", to), To: idAddr(to), Method: 2, Params: []byte{0x80}})
	}
	b.cases = append(b.cases, Case{Name: "send-only", To: idAddr(self), Params: []byte("not run"), Send: true, Value: big.NewInt(3)})
}
