package script

import (
	"context"
	"fmt"
	"math"
	"math/big"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
)

// Case is one message.
type Case struct {
	Name     string
	Script   *Script // nil: Params as they are
	Params   []byte
	To       []byte // nil: the script actor Self
	Self     uint64
	Method   uint64 // 0: 2, unless Send
	Send     bool   // method 0
	Value    *big.Int
	GasLimit int64 // 0: defaultGas
	Premium  *big.Int
	FeeCap   *big.Int
}

const defaultGas = 3_000_000_000

// group is a list of cases that go into vectors together.
type group struct {
	kind  string
	cases []Case
}

// callsPerScript is how many varied calls of one operation share a message.
const callsPerScript = 6

// genericCases varies each argument of a template's valid call.
func genericCases(e *Env, t Template) []Case {
	var cases []Case
	e.next()
	ok := NewScript()
	t.call(ok, t.Build(e, ok))
	cases = append(cases, Case{Name: t.Name + "/ok", Script: ok, Self: e.Self})

	type change struct {
		arg int
		val any
	}
	var changes []change
	for i, a := range t.Build(e, NewScript()) {
		for _, v := range a.values() {
			changes = append(changes, change{i, v})
		}
	}
	per := callsPerScript
	if t.Solo {
		per = 1
	}
	for len(changes) > 0 {
		n := min(per, len(changes))
		e.next()
		s := NewScript()
		for _, c := range changes[:n] {
			args := t.Build(e, s)
			args[c.arg].Val = c.val
			t.call(s, args)
			if a := args[c.arg]; a.Kind == kOut || a.Kind == kPtr || a.Kind == kFixed {
				s.Fnv(memSize-128, 128)
			}
		}
		cases = append(cases, Case{Name: fmt.Sprintf("%s/args-%d", t.Name, len(cases)), Script: s, Self: e.Self})
		changes = changes[n:]
	}
	return cases
}

// builder collects cases of one kind. Each goes to the next of the script actors, so that the messages of a vector do not disturb each other.
type builder struct {
	e     *Env
	cases []Case
}

func (b *builder) add(name string, f func(s *Script)) *Case {
	b.e.next()
	s := NewScript()
	f(s)
	b.cases = append(b.cases, Case{Name: name, Script: s, Self: b.e.Self})
	return &b.cases[len(b.cases)-1]
}

// directedGroups is every directed case of the environment's era.
func directedGroups(e *Env) []group {
	var groups []group
	for _, t := range templatesFor(e.Era) {
		groups = append(groups, group{"args", genericCases(e, t)})
	}
	for _, g := range []struct {
		kind string
		f    func(b *builder)
	}{
		{"blocks", blockCases}, {"links", linkCases}, {"cbor", cborCases}, {"state", stateCases}, {"hash", hashCases}, {"events", eventCases},
		{"epochs", epochCases}, {"actors", actorCases}, {"crypto", cryptoCases}, {"proofs", proofCases}, {"send", sendCases},
		{"exit", exitCases}, {"destroy", destroyCases}, {"wasm", wasmCases}, {"gas", gasCases}, {"message", messageCases},
		{"nested", nestedCases},
	} {
		b := &builder{e: e}
		g.f(b)
		groups = append(groups, group{g.kind, b.cases})
	}
	return groups
}

func blockCases(b *builder) {
	e := b.e
	codecs := []uint64{codecRaw, codecCBOR, codecDagCBOR, codecDagPB, 0, 1, 0xf101, 0xf102, 0x78, 0x0129, math.MaxUint32 + 1 + codecRaw, math.MaxUint64}
	b.add("codecs", func(s *Script) {
		for _, c := range codecs {
			id := s.Out(4)
			s.Do(OpBlockCreate, id, c, s.Bytes([]byte{0x82, 1, 2}), 3)
			s.Do(OpBlockStat, s.Out(12), Ref32(id)).flags |= ifOK
		}
		s.Fnv(outStart, 512)
	})
	for _, c := range []uint64{codecRaw, codecCBOR, codecDagCBOR} {
		b.add(fmt.Sprintf("sizes-%x", c), func(s *Script) {
			s.Do(OpMemGrow, 30)
			for _, n := range []int{0, 1, 2, 100, 1 << 20, 1<<20 + 1, 1<<20 - 1, 1<<20 + 65536} {
				id := s.Out(4)
				s.Do(OpBlockCreate, id, c, memSize, n)
				s.Do(OpBlockStat, s.Out(12), Ref32(id))
			}
			s.Fnv(outStart, 512)
		})
	}
	b.add("big-cbor", func(s *Script) { // a byte string of a whole MiB less its head
		s.Do(OpMemGrow, 30)
		n := 1<<20 - 5
		s.Do(OpStore64, memSize, uint64(0x5a)|uint64(n>>24&0xff)<<8|uint64(n>>16&0xff)<<16|uint64(n>>8&0xff)<<24|uint64(n&0xff)<<32)
		id := s.Out(4)
		s.Do(OpBlockCreate, id, codecDagCBOR, memSize, 1<<20)
		at := s.Out(104)
		s.Do(OpBlockLink, s.Out(4), Ref32(id), hashBlake2b256, 32, at, 100)
		s.Do(OpBlockOpen, s.Out(16), at)
		s.Do(OpBlockRead, s.Out(4), Ref32(id), 1<<20-100, s.Out(200), 200)
		s.Fnv(outStart, 600)
	})
	b.add("reads", func(s *Script) {
		id := create(s, e.blockCodec(), cborBytes([]byte("0123456789abcdefghij")))
		for _, r := range [][2]int64{{0, 0}, {0, 1}, {0, 21}, {0, 22}, {0, 100}, {20, 1}, {20, 2}, {21, 0}, {21, 5}, {22, 3}, {1000, 10}, {1000, 0},
			{math.MaxInt32 - 10, 10}, {math.MaxInt32 - 10, 11}, {math.MaxInt32, 0}, {1 << 31, 0}, {math.MaxUint32, 0}, {math.MaxUint32, 100}} {
			s.Do(OpBlockRead, s.Out(4), id, r[0], s.Out(104), r[1])
		}
		s.Fnv(outStart, 3000)
	})
	b.add("read-unknown", func(s *Script) {
		create(s, e.blockCodec(), cborBytes(nil))
		for _, id := range []int64{0, 1, 2, 3, 4, 100, math.MaxInt32, 1 << 31, math.MaxUint32} {
			s.Do(OpBlockRead, s.Out(4), id, 0, s.Out(40), 40)
			s.Do(OpBlockStat, s.Out(12), id)
			s.Do(OpBlockLink, s.Out(4), id, hashBlake2b256, 32, s.Out(104), 100)
		}
		s.Fnv(outStart, 3000)
	})
	b.add("read-params", func(s *Script) { // the params are block 1
		s.Do(OpBlockStat, s.Out(12), 1)
		s.Do(OpBlockRead, s.Out(4), 1, 4, s.Out(104), 100)
		s.Do(OpBlockLink, s.Out(4), 1, hashBlake2b256, 32, s.Out(104), 100)
		s.Fnv(outStart, 256)
	})
	b.add("many", func(s *Script) {
		s.Do(OpStore32, outStart, 200)
		s.Do(OpBlockCreate, outStart+8, codecDagCBOR, s.Bytes([]byte{0x80}), 1)
		s.Do(OpLoop, outStart, -2)
		s.Do(OpLoad32, outStart+8)
	})
	b.add("link-hashes", func(s *Script) {
		id := create(s, e.blockCodec(), cborBytes(bytes32(1)))
		for _, h := range []uint64{hashBlake2b256, hashSha256, hashIdentity, hashKeccak256, hashBlake2b512, 0xb201, 0xb21f, 0xb221, math.MaxUint64} {
			for _, n := range []int{0, 20, 31, 32, 33, 64} {
				s.Do(OpBlockLink, s.Out(4), id, h, n, s.Out(104), 100)
			}
		}
		s.Fnv(outStart, 4096)
	})
	b.add("link-buffer", func(s *Script) {
		id := create(s, e.blockCodec(), cborBytes(bytes32(1)))
		for _, n := range []int{0, 1, 36, 37, 38, 39, 100} {
			s.Do(OpBlockLink, s.Out(4), id, hashBlake2b256, 32, s.Out(104), n)
			s.Do(OpRoot, s.Out(4), s.Out(104), n)
		}
		s.Fnv(outStart, 2048)
	})
	for _, c := range []uint64{codecRaw, codecCBOR, codecDagCBOR} {
		b.add(fmt.Sprintf("link-open-%x", c), func(s *Script) {
			at := link(s, create(s, c, cborArray(cborUint(7))))
			open := s.Out(16)
			s.Do(OpBlockOpen, open, at)
			s.Do(OpBlockRead, s.Out(4), Ref32(open+8), 0, s.Out(16), 16)
			s.Do(OpSetRoot, at)
			s.Do(OpRoot, s.Out(4), s.Out(104), 100)
			s.Fnv(outStart, 512)
		})
	}
}

// linkTo puts a DAG-CBOR block with a link to the CID that will lie at address at, and creates it.
func linkTo(s *Script, at uint64, n int) Ref32 {
	head := cat(cborHead(4, 2), cborHead(6, 42), cborHead(2, uint64(n+1)), []byte{0})
	block := s.Bytes(cat(head, make([]byte, n), cborUint(7)))
	s.Do(OpMemCopy, block+uint64(len(head)), at, n)
	id := s.Out(4)
	s.Do(OpBlockCreate, id, codecDagCBOR, block, len(head)+n+1)
	return Ref32(id)
}

func linkCases(b *builder) {
	e := b.e
	child := cidOf(codecDagCBOR, e.StateData)
	b.add("open-state", func(s *Script) {
		open := s.Out(16)
		s.Do(OpBlockOpen, open, s.Bytes(e.StateCid)) // not reachable before root()
		s.Do(OpRoot, s.Out(4), s.Out(104), 100)
		s.Do(OpBlockOpen, open, s.Bytes(e.StateCid))
		s.Do(OpBlockOpen, open, s.Bytes(e.StateCid))
		s.Do(OpBlockRead, s.Out(4), Ref32(open+8), 0, s.Out(208), 200)
		s.Fnv(outStart, 512)
	})
	for _, name := range sortedKeys(stateLinks(e)) {
		cid := stateLinks(e)[name]
		b.add("open-"+name, func(s *Script) {
			open := s.Out(16)
			s.Do(OpBlockOpen, open, s.Bytes(cid))
			s.Do(OpRoot, s.Out(4), s.Out(104), 100)
			s.Do(OpBlockOpen, open, s.Bytes(cid))
			s.Do(OpBlockOpen, open, s.Bytes(e.StateCid))
			s.Do(OpBlockOpen, open, s.Bytes(cid))
			s.Do(OpBlockRead, s.Out(4), Ref32(open+8), 0, s.Out(208), 200)
			s.Fnv(outStart, 512)
		})
	}
	b.add("chain", func(s *Script) { // block -> block -> block, then the last as state
		at := link(s, create(s, codecDagCBOR, cborBytes(bytes32(1))))
		at = link(s, linkTo(s, at, 38))
		at = link(s, linkTo(s, at, 38))
		s.Do(OpSetRoot, at)
		open := s.Out(16)
		s.Do(OpBlockOpen, open, at)
		s.Do(OpBlockRead, s.Out(4), Ref32(open+8), 0, s.Out(104), 100)
		s.Fnv(outStart, 1024)
	})
	others := []struct {
		name string
		cid  []byte
	}{
		{"unlinked", e.Unlinked}, {"child", child}, {"never-stored", cidOf(codecDagCBOR, []byte("never"))}, {"never-stored-raw", cidOf(codecRaw, []byte("never"))},
		{"dag-pb", cidV1(codecDagPB, hashBlake2b256, bytes32(1))}, {"sha256", cidV1(codecDagCBOR, hashSha256, bytes32(1))},
		{"blake-20", cidV1(codecDagCBOR, hashBlake2b256, bytes32(1)[:20])}, {"blake-0", cidV1(codecDagCBOR, hashBlake2b256, nil)},
		{"blake-64", cidV1(codecDagCBOR, hashBlake2b256, make([]byte, 64))}, {"sealed", sealedCid(1)}, {"unsealed", unsealedCid(1)},
		{"sealed-64", cidV1(0xf102, 0xb401, make([]byte, 64))}, {"v0", cidV0([]byte("x"))}, {"identity-raw", cidV1(codecRaw, hashIdentity, []byte("inline"))},
		{"identity-cbor", cidV1(codecCBOR, hashIdentity, []byte{0x82, 1, 2})}, {"identity-dag", cidV1(codecDagCBOR, hashIdentity, []byte{0x82, 1, 2})},
		{"identity-bad", cidV1(codecDagCBOR, hashIdentity, []byte{0x82, 1})}, {"identity-trailing", cidV1(codecDagCBOR, hashIdentity, []byte{1, 1})},
		{"identity-empty", cidV1(codecDagCBOR, hashIdentity, nil)}, {"identity-raw-empty", cidV1(codecRaw, hashIdentity, nil)},
		{"identity-unlinked", cidV1(codecDagCBOR, hashIdentity, cborLink(e.Unlinked))},
		{"identity-2", cidV1(codecDagCBOR, hashIdentity, cborLink(cidV1(codecDagCBOR, hashIdentity, cborLink(cidV1(codecRaw, hashIdentity, []byte("deep"))))))},
		{"identity-sealed", cidV1(codecDagCBOR, hashIdentity, cborLink(sealedCid(2)))}, {"identity-pb", cidV1(codecDagPB, hashIdentity, []byte{1})},
		{"digest-65", cidV1(codecRaw, hashIdentity, make([]byte, 65))}, {"big-codec", cidV1(1<<40, hashBlake2b256, bytes32(1))},
		{"v2", cat(uvarint(2), cidOf(codecRaw, nil)[1:])}, {"long-varint", cat([]byte{0x81, 0x00}, cidOf(codecRaw, nil)[1:])},
		{"short", cidOf(codecRaw, nil)[:20]}, {"empty", nil},
	}
	for _, o := range others {
		b.add("link-"+o.name, func(s *Script) {
			at := s.Bytes(append(append([]byte{}, o.cid...), make([]byte, 8)...))
			linkTo(s, at, len(o.cid))
			s.Do(OpBlockOpen, s.Out(16), at)
			s.Do(OpSetRoot, at)
			s.Do(OpGetBuiltinActorType, s.Out(4), at)
			s.Do(OpRoot, s.Out(4), s.Out(104), 100)
			s.Do(OpBlockOpen, s.Out(16), s.Bytes(e.StateCid))
			linkTo(s, at, len(o.cid)) // now with the state's own links reachable
			s.Fnv(outStart, 512)
		})
	}
	b.add("set-root-unlinked", func(s *Script) {
		at := s.Bytes(e.Unlinked)
		s.Do(OpSetRoot, at)
		s.Do(OpRoot, s.Out(4), s.Out(104), 100)
		s.Do(OpBlockOpen, s.Out(16), at)
		s.Fnv(outStart, 256)
	})
}

// stateLinks names the blocks that the state of the script actors links to.
func stateLinks(e *Env) map[string][]byte {
	return map[string][]byte{"child": e.Addrs["childCid"], "grandchild": e.Addrs["grandchildCid"], "missing": e.Addrs["missingCid"], "unlinked": e.Unlinked}
}

// cborItems are CBOR items, most of them malformed or unusual.
func cborItems() [][]byte {
	return [][]byte{
		{}, {0x00}, {0x17}, {0x18}, {0x18, 0x00}, {0x18, 0xff}, {0x19, 0x00}, {0x19, 0x00, 0x01}, {0x1a, 0, 0, 0, 1}, {0x1a, 0, 0, 0}, {0x1b, 0, 0, 0, 0, 0, 0, 0, 1},
		{0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x1c}, {0x1d}, {0x1e}, {0x1f}, {0x20}, {0x38, 0xff}, {0x3f},
		{0x40}, {0x41}, {0x41, 1}, {0x41, 1, 2}, {0x58, 0x01, 1}, {0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x5f, 0xff}, {0x60}, {0x61, 0xff}, {0x63, 'a', 'b'},
		{0x7f, 0xff}, {0x80}, {0x81}, {0x81, 0x81, 0x81, 0x80}, {0x82, 1, 2}, {0x82, 1, 2, 3}, {0x9f, 0xff}, {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0x82, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0xa0}, {0xa1}, {0xa1, 1}, {0xa1, 1, 2}, {0xa1, 0x61, 'a', 2}, {0xa2, 2, 1, 1, 1}, {0xa2, 1, 1, 1, 1},
		{0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0}, {0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0xbf, 0xff}, {0xc0, 0x00}, {0xc1}, {0xc1, 0x81, 0x00}, {0xc1, 0xc1, 0xc1, 0x00}, {0xd8, 0x2a}, {0xd8, 0x2a, 0x40},
		{0xd8, 0x2a, 0x41, 0x00}, {0xd8, 0x2a, 0x41, 0x01}, {0xd8, 0x2a, 0x42, 0x00, 0x01}, {0xd8, 0x2a, 0x60}, {0xd8, 0x2a, 0x00}, {0xd8, 0x2a, 0xd8, 0x2a, 0x41, 0x00}, {0xd9, 0x00, 0x2a, 0x41, 0x00},
		{0xd8, 0x2b, 0x41, 0x00}, {0xdb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, {0xe0}, {0xf4}, {0xf6}, {0xf7}, {0xf8}, {0xf8, 0x20}, {0xf9, 0x7e, 0x00}, {0xfa, 0, 0, 0, 0}, {0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0},
		{0xfb, 0}, {0xff}, cborLink(sealedCid(1)), append(cborLink(sealedCid(1)), 0), cborTag(42, cborBytes(append([]byte{0}, append(sealedCid(1), 0)...))),
		cborTag(42, cborBytes(sealedCid(1))), cborTag(42, cborText("\x00"+string(sealedCid(1)))), cborArray(cborLink(sealedCid(1)), cborLink(unsealedCid(2)), cborLink(sealedCid(1))),
		cborTag(42, cborHead(2, 100)), cborArray(cborTag(42, cat(cborHead(2, math.MaxUint64), []byte{0}))),
	}
}

// stateCases make each item the state of an actor that can be one.
func stateCases(b *builder) {
	codecs := []uint64{codecDagCBOR}
	if b.e.Era > 2 {
		codecs = append(codecs, codecCBOR, codecRaw)
	}
	for i, item := range cborItems() {
		for _, c := range codecs {
			if c != codecDagCBOR && i%10 != 3 || !b.e.stateful(c, item) {
				continue
			}
			b.add(fmt.Sprintf("item-%d-%x", i, c), func(s *Script) {
				s.Do(OpSetRoot, link(s, create(s, c, item)))
				s.Do(OpRoot, s.Out(4), s.Out(104), 100)
				s.Fnv(outStart, 256)
			})
		}
	}
}

// stateful tells whether a block can stand as an actor's state in e's era, or is refused to the actor.
func (e *Env) stateful(codec uint64, block []byte) bool {
	if e.Era > 3 || codec != codecDagCBOR {
		return true
	}
	b := blockstore.NewBuffered(blockstore.NewMemory())
	b.SetFlushRules(blockstore.FlushRules{Skyr: e.Era == 2})
	_, c, err := cid.CidFromBytes(cidOf(codec, block))
	if err != nil {
		panic(err) // it was just made
	}
	b.PutRaw(c, block)
	return b.Flush(context.Background(), c) == nil
}

func cborCases(b *builder) {
	items := cborItems()
	for from := 0; from < len(items); from += 8 {
		part := items[from:min(from+8, len(items))]
		b.add(fmt.Sprintf("scan-%d", from), func(s *Script) {
			for _, it := range part {
				for _, c := range []uint64{codecDagCBOR, codecCBOR} {
					s.Do(OpBlockCreate, s.Out(4), c, s.Bytes(it), len(it))
				}
				if b.e.Era > 2 {
					s.Do(OpGasAvailable, s.Out(8))
				}
			}
			s.Fnv(outStart, 512)
		})
	}
	b.add("deep", func(s *Script) {
		deep := make([]byte, 4000)
		for i := range deep {
			deep[i] = 0x81
		}
		deep[len(deep)-1] = 0x80
		s.Do(OpBlockCreate, s.Out(4), codecDagCBOR, s.Bytes(deep), len(deep))
		s.Do(OpBlockCreate, s.Out(4), codecDagCBOR, s.Bytes(deep), len(deep)-1)
	})
	b.add("wide", func(s *Script) {
		s.Do(OpMemGrow, 20)
		s.Do(OpStore32, memSize, 0x0000209a) // an array of 0x00200000 big-endian items, all zero
		s.Do(OpBlockCreate, s.Out(4), codecDagCBOR, memSize, 1<<20)
		s.Do(OpStore64, memSize, uint64(0x9a)|uint64(0x0f)<<16|uint64(0xff)<<24|uint64(0xfb)<<32)
		s.Do(OpBlockCreate, s.Out(4), codecDagCBOR, memSize, 1<<20)
		s.Fnv(outStart, 64)
	})
	b.add("same-link-twice", func(s *Script) {
		at := link(s, create(s, codecDagCBOR, cborArray()))
		head := cat(cborHead(4, 2), cborHead(6, 42), cborHead(2, 39), []byte{0})
		mid := cat(cborHead(6, 42), cborHead(2, 39), []byte{0})
		block := s.Bytes(cat(head, make([]byte, 38), mid, make([]byte, 38)))
		s.Do(OpMemCopy, block+uint64(len(head)), at, 38)
		s.Do(OpMemCopy, block+uint64(len(head)+38+len(mid)), at, 38)
		id := s.Out(4)
		s.Do(OpBlockCreate, id, codecDagCBOR, block, len(head)+len(mid)+76)
		at = link(s, Ref32(id))
		s.Do(OpBlockOpen, s.Out(16), at)
		s.Fnv(outStart, 512)
	})
}

func hashCases(b *builder) {
	codes := []uint64{hashSha256, hashBlake2b256, hashBlake2b512, hashKeccak256, hashRipemd160}
	for _, c := range codes {
		b.add(fmt.Sprintf("lengths-%x", c), func(s *Script) {
			for _, n := range []int{0, 1, 31, 32, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 135, 136, 137, 1000, 65536} {
				at := s.Out(64)
				s.Do(OpHash, s.Out(4), c, 0x10000, n, at, 64)
				s.Fnv(at, 64)
			}
		})
		b.add(fmt.Sprintf("outputs-%x", c), func(s *Script) {
			for _, n := range []int{0, 1, 19, 20, 21, 31, 32, 33, 63, 64, 65, 1000} {
				r, at := s.Out(4), s.Out(1000)
				s.Do(OpHash, r, c, 0x10000, 100, at, n)
				s.Do(OpLoad32, r)
				s.Fnv(at, 72)
			}
		})
	}
	b.add("unknown", func(s *Script) {
		for _, c := range []uint64{0, 1, 0x11, 0x13, 0x14, 0x16, 0x1c, 0x1e, 0xb201, 0xb214, 0xb21f, 0xb221, 0xb23f, 0xb241, 0x1052, 0x1054, 1<<32 + hashSha256, math.MaxUint64} {
			s.Do(OpHash, s.Out(4), c, 0x10000, 10, s.Out(64), 64)
		}
	})
	b.add("overlap", func(s *Script) {
		at := s.Out(64)
		s.Do(OpHash, s.Out(4), hashSha256, at, 64, at, 64)
		s.Do(OpHash, s.Out(4), hashBlake2b512, at, 64, at+8, 64)
		s.Do(OpHash, at, hashSha256, at, 64, at+2, 64)
		s.Fnv(at, 128)
	})
}

func eventCases(b *builder) {
	e := b.e
	if e.Era == 2 {
		return
	}
	if e.Era == 3 {
		many := func(n, val int) []byte {
			var list [][]byte
			for range n {
				list = append(list, entryCBOR(0, "k", codecRaw, make([]byte, val)))
			}
			return eventCBOR(list...)
		}
		long := func(n int) string { return string(make([]byte, n)) }
		events := map[string][]byte{
			"empty": eventCBOR(), "nothing": {}, "one": many(1, 10), "256": many(256, 1), "257": many(257, 1), "values-8192": many(1, 8192),
			"values-8193": many(1, 8193), "values-sum": many(128, 64), "values-sum+": many(129, 64), "key-31": eventCBOR(entryCBOR(3, long(31), codecRaw, nil)),
			"key-32": eventCBOR(entryCBOR(3, long(32), codecRaw, nil)), "key-33": eventCBOR(entryCBOR(3, long(33), codecRaw, nil)),
			"flags-4": eventCBOR(entryCBOR(4, "a", codecRaw, nil)), "flags-max": eventCBOR(entryCBOR(math.MaxUint64, "a", codecRaw, nil)),
			"codec-cbor": eventCBOR(entryCBOR(0, "a", codecCBOR, []byte{1})), "codec-dag": eventCBOR(entryCBOR(0, "a", codecDagCBOR, []byte{1})),
			"not-utf8": eventCBOR(entryCBOR(0, "\xff\xfe", codecRaw, nil)), "trailing": append(many(1, 1), 0), "cut": many(1, 10)[:8],
			"short-tuple": cborArray(cborArray(cborUint(0), cborText("a"), cborUint(codecRaw))), "long-tuple": cborArray(cborArray(cborUint(0), cborText("a"), cborUint(codecRaw), cborBytes(nil), cborUint(0))),
			"value-text": cborArray(cborArray(cborUint(0), cborText("a"), cborUint(codecRaw), cborText("v"))), "value-array": cborArray(cborArray(cborUint(0), cborText("a"), cborUint(codecRaw), cborArray(cborUint(1)))),
			"key-bytes": cborArray(cborArray(cborUint(0), cborBytes([]byte("a")), cborUint(codecRaw), cborBytes(nil))), "map": {0xa0}, "int": {0x01},
			"long-ints": cborArray(cat([]byte{0x84, 0x18, 0x01}, cborText("a"), []byte{0x18, 0x55}, cborBytes(nil))), "indefinite": {0x9f, 0xff}, "tagged": cborTag(1, many(1, 1)),
			"negative-flags": cborArray(cborArray(cborInt(-1), cborText("a"), cborUint(codecRaw), cborBytes(nil))), "same-keys": eventCBOR(entryCBOR(3, "a", codecRaw, []byte{1}), entryCBOR(3, "a", codecRaw, []byte{1})),
		}
		for _, name := range sortedKeys(events) {
			b.add(name, func(s *Script) {
				s.Do(OpEmitEvent, s.Bytes(events[name]), len(events[name]))
				s.Do(OpGasAvailable, s.Out(8))
				s.Fnv(s.Out(8)-8, 8)
			})
		}
		b.add("wide-nest", func(s *Script) {
			deep := make([]byte, 3000)
			for i := range deep {
				deep[i] = 0x81
			}
			s.Do(OpEmitEvent, s.Bytes(deep), len(deep))
		})
		b.add("way-too-large", func(s *Script) {
			s.Do(OpMemGrow, 20)
			s.Do(OpEmitEvent, memSize, 1<<20)
			s.Do(OpEmitEvent, memSize, 1<<20+1)
		})
		return
	}
	type ev struct {
		name             string
		head, keys, vals []byte
		count            int
	}
	many := func(n, key, val int) (h, k, v []byte) {
		for range n {
			h = append(h, entryHead(0, codecRaw, uint32(key), uint32(val))...)
		}
		k, v = make([]byte, n*key), make([]byte, n*val)
		for i := range k {
			k[i] = 'k'
		}
		return h, k, v
	}
	var list []ev
	add := func(name string, count int, h, k, v []byte) { list = append(list, ev{name, h, k, v, count}) }
	one := func(name string, flags, codec uint64, keyLen, valLen uint32, k, v []byte) {
		add(name, 1, entryHead(flags, codec, keyLen, valLen), k, v)
	}
	add("empty", 0, nil, nil, nil)
	add("empty-with-keys", 0, nil, []byte("a"), nil)
	add("empty-with-values", 0, nil, nil, []byte("a"))
	for _, n := range []int{1, 2, 254, 255, 256, 300} {
		h, k, v := many(n, 1, 1)
		add(fmt.Sprint("entries-", n), n, h, k, v)
	}
	for _, n := range []int{0, 1, 30, 31, 32, 100} {
		h, k, v := many(1, n, 1)
		add(fmt.Sprint("key-", n), 1, h, k, v)
	}
	for _, n := range []int{0, 1, 8191, 8192, 8193, 9000} {
		h, k, v := many(1, 1, n)
		add(fmt.Sprint("value-", n), 1, h, k, v)
	}
	h, k, v := many(128, 31, 64)
	add("full", 128, h, k, v)
	h, k, v = many(129, 31, 64)
	add("overfull", 129, h, k, v)
	for _, f := range []uint64{0, 1, 2, 3, 4, 7, 1 << 32, math.MaxUint64} {
		one(fmt.Sprintf("flags-%x", f), f, codecRaw, 1, 1, []byte("k"), []byte("v"))
	}
	for _, c := range []uint64{codecRaw, codecCBOR, codecDagCBOR, 0, codecDagPB, math.MaxUint64} {
		one(fmt.Sprintf("codec-%x", c), 3, c, 1, 1, []byte("k"), []byte{1})
	}
	one("cbor-malformed", 3, codecCBOR, 1, 2, []byte("k"), []byte{0x82, 1})
	one("not-utf8", 3, codecRaw, 2, 1, []byte("\xff\xfe"), []byte("v"))
	one("utf8", 3, codecRaw, 5, 1, []byte("\xc3\xa9\xe2\x82\xac"), []byte("v"))
	one("utf8-overlong", 3, codecRaw, 2, 1, []byte("\xc0\x80"), []byte("v"))
	one("utf8-surrogate", 3, codecRaw, 3, 1, []byte("\xed\xa0\x80"), []byte("v"))
	add("utf8-split", 2, cat(entryHead(0, codecRaw, 1, 0), entryHead(0, codecRaw, 1, 0)), []byte("\xc3\xa9"), nil)
	one("key-short", 0, codecRaw, 2, 1, []byte("k"), []byte("v"))
	one("key-long", 0, codecRaw, 1, 1, []byte("kk"), []byte("v"))
	one("value-short", 0, codecRaw, 1, 2, []byte("k"), []byte("v"))
	one("value-long", 0, codecRaw, 1, 1, []byte("k"), []byte("vv"))
	one("value-len-8193", 0, codecRaw, 1, 8193, []byte("k"), []byte("v"))
	one("value-len-max", 0, codecRaw, 1, math.MaxUint32, []byte("k"), []byte("v"))
	one("key-len-max", 0, codecRaw, math.MaxUint32, 1, []byte("k"), []byte("v"))
	one("key-len-32-codec", 0, 9, 32, 8193, []byte("k"), []byte("v"))
	one("flags-then-codec", 8, 9, 1, 1, []byte("k"), []byte("v"))
	one("nul", 3, codecRaw, 3, 1, []byte{0, 0, 0}, []byte{0})
	for _, ev := range list {
		b.add(ev.name, func(s *Script) {
			at := s.Out(8)
			s.Do(OpGasAvailable, at)
			s.Do(OpEmitEvent, s.Bytes(ev.head), ev.count, s.Bytes(ev.keys), len(ev.keys), s.Bytes(ev.vals), len(ev.vals))
			s.Do(OpGasAvailable, at)
			s.Fnv(at, 8)
		})
	}
	b.add("several", func(s *Script) {
		for i := range 5 {
			h, k, v := many(i+1, 2, i*10)
			s.Do(OpEmitEvent, s.Bytes(h), i+1, s.Bytes(k), len(k), s.Bytes(v), len(v))
		}
	})
	b.add("count-overflow", func(s *Script) {
		for _, n := range []int64{math.MaxUint32, 178956970, 178956971, 357913942, 1 << 31, 10922} {
			s.Do(OpEmitEvent, 0, n, 0, 0, 0, 0)
		}
	})
	b.add("then-exit", func(s *Script) {
		h, k, v := many(1, 1, 1)
		s.Do(OpEmitEvent, s.Bytes(h), 1, s.Bytes(k), 1, s.Bytes(v), 1)
		s.Do(OpExit, 50, 0, 0, 0)
	})
	b.add("40-events", func(s *Script) { // an AMT of more than one level
		h, k, v := many(1, 1, 1)
		hp, kp, vp := s.Bytes(h), s.Bytes(k), s.Bytes(v)
		s.Do(OpStore32, outStart, 40)
		s.Do(OpEmitEvent, hp, 1, kp, 1, vp, 1)
		s.Do(OpLoop, outStart, -2)
	})
	b.add("1100-events", func(s *Script) {
		h, k, v := many(1, 1, 1)
		hp, kp, vp := s.Bytes(h), s.Bytes(k), s.Bytes(v)
		s.Do(OpStore32, outStart, 1100)
		s.Do(OpEmitEvent, hp, 1, kp, 1, vp, 1).flags |= noLog
		s.Do(OpLoop, outStart, -2)
	})
}

func epochCases(b *builder) {
	e := b.e
	now := e.Epoch
	epochs := []int64{0, 1, -1, -2, now - 1, now - 2, now, now + 1, now + 2, now + 1000, now - 899, now - 900, now - 901, now - 10000, now - 60480, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, math.MinInt64 + now, math.MinInt64 + now + 1}
	if e.Era > 2 {
		for _, ep := range epochs {
			b.add(fmt.Sprint("tipset-", ep-now), func(s *Script) {
				at := s.Out(104)
				s.Do(OpTipsetCid, s.Out(4), ep, at, 100)
				s.Fnv(at, 100)
			})
		}
		b.add("tipset-buffers", func(s *Script) {
			for _, n := range []int{0, 37, 38, 39} {
				at := s.Out(104)
				s.Do(OpTipsetCid, s.Out(4), now-3, at, n)
				s.Fnv(at, 40)
			}
		})
	}
	for _, ep := range epochs {
		for _, op := range []Op{OpChainRandomness, OpBeaconRandomness} {
			b.add(fmt.Sprint("randomness-", op, "-", ep-now), func(s *Script) {
				at := s.Out(32)
				if e.Era == 4 {
					s.Do(op, at, ep)
				} else {
					s.Do(op, at, 3, ep, s.Bytes([]byte("ent")), 3)
				}
				s.Fnv(at, 32)
			})
		}
	}
	if e.Era < 4 {
		b.add("entropy", func(s *Script) {
			for _, n := range []int{0, 1, 32, 100, 5000} {
				for _, pers := range []int64{0, 1, 12, -1, math.MaxInt64, math.MinInt64} {
					at := s.Out(32)
					s.Do(OpChainRandomness, at, pers, now-5, 0x10000, n)
					s.Fnv(at, 32)
				}
			}
		})
	}
}

func actorCases(b *builder) {
	e := b.e
	ids := append([]uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 90, 98, 99, 100, 101, 102, 103, 104, 105, e.Sender, e.Self, 1 << 32, 1 << 62, math.MaxInt64, 1 << 63, math.MaxUint64}, e.Others...)
	for from := 0; from < len(ids); from += 9 {
		part := ids[from:min(from+9, len(ids))]
		b.add(fmt.Sprint("by-id-", from), func(s *Script) {
			for _, id := range part {
				at := s.Out(104)
				s.Do(OpGetActorCodeCid, s.Out(4), id, at, 100)
				s.Do(OpGetBuiltinActorType, s.Out(4), at).flags |= ifOK
				if e.Era > 2 {
					s.Do(OpBalanceOf, s.Out(16), id)
					s.Do(OpLookupDelegated, s.Out(4), id, s.Out(64), 64)
				}
				a := idAddr(id)
				s.Do(OpResolveAddress, s.Out(8), s.Bytes(a), len(a))
			}
			s.Fnv(outStart, 2000)
		})
	}
	addrs := map[string][]byte{
		"empty": {}, "zero": {0}, "proto-5": append([]byte{5}, bytes32(1)...), "proto-ff": {0xff, 1}, "id-trailing": {0, 1, 1}, "id-long": {0, 0x81, 0x00}, "id-open": {0, 0x80},
		"id-max": cat([]byte{0}, uvarint(math.MaxUint64)), "id-over": {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, "id-11": {0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
		"id-63": cat([]byte{0}, uvarint(math.MaxInt64)), "f1-unknown": append([]byte{1}, bytes32(9)[:20]...), "f1-short": append([]byte{1}, bytes32(9)[:19]...), "f1-long": append([]byte{1}, bytes32(9)[:21]...),
		"f2-unknown": append([]byte{2}, bytes32(9)[:20]...), "f2-short": {2, 1}, "f3-unknown": append([]byte{3}, make([]byte, 48)...), "f3-short": append([]byte{3}, make([]byte, 47)...), "f3-long": append([]byte{3}, make([]byte, 49)...),
		"f4-empty": {4}, "f4-ns": {4, 10}, "f4-0": {4, 10, 1}, "f4-20": delegatedAddr(10, bytes32(8)[:20]), "f4-54": delegatedAddr(10, make([]byte, 54)), "f4-55": delegatedAddr(10, make([]byte, 55)),
		"f4-ns-big": delegatedAddr(1<<40, []byte{1}), "f4-ns-64": delegatedAddr(math.MaxUint64, []byte{1}), "f4-ns-63": delegatedAddr(math.MaxInt64, []byte{1}), "f4-ns-long": {4, 0x8a, 0x00, 1},
	}
	for name, a := range e.Addrs {
		if len(name) > 2 && name[:2] == "a-" {
			addrs["known-"+name] = a
		}
	}
	names := sortedKeys(addrs)
	for from := 0; from < len(names); from += 8 {
		part := names[from:min(from+8, len(names))]
		b.add("resolve-"+part[0], func(s *Script) {
			for _, n := range part {
				at := s.Out(8)
				s.Do(OpResolveAddress, at, s.Bytes(addrs[n]), len(addrs[n]))
				s.Fnv(at, 8)
			}
		})
	}
	for _, n := range names {
		b.add("send-"+n, func(s *Script) { send(e, s, addrs[n], 0, 0, 5, math.MaxUint64, 0) })
	}
	for _, n := range names {
		b.add("send-method-"+n, func(s *Script) { send(e, s, addrs[n], 7, 0, 0, math.MaxUint64, 0) })
	}
	b.add("code-types", func(s *Script) {
		for t := int64(-1); t < 22; t++ {
			at := s.Out(104)
			s.Do(OpGetCodeCidForType, s.Out(4), t, at, 100)
			s.Fnv(at, 100)
			s.Do(OpGetBuiltinActorType, s.Out(4), at)
		}
		s.Do(OpGetCodeCidForType, s.Out(4), math.MaxInt32, s.Out(104), 100)
		s.Do(OpGetCodeCidForType, s.Out(4), math.MinInt32, s.Out(104), 100)
	})
	for _, name := range sortedKeys(e.Codes) {
		b.add("create-"+name, func(s *Script) {
			args := []any{5000, s.Bytes(e.Codes[name])}
			if e.Era > 2 {
				args = append(args, 0, 0)
			}
			s.Do(OpCreateActor, args...)
			s.Do(OpGetActorCodeCid, s.Out(4), 5000, s.Out(104), 100)
			s.Fnv(outStart, 128)
		})
	}
	b.add("create-script", func(s *Script) {
		args := []any{5001, s.Bytes(e.ScriptCid)}
		if e.Era > 2 {
			args = append(args, 0, 0)
		}
		s.Do(OpCreateActor, args...)
	})
	b.add("create-existing", func(s *Script) {
		for _, id := range []uint64{0, 1, e.Sender, e.Self, math.MaxUint64} {
			args := []any{id, s.Bytes(e.Codes["multisig"])}
			if e.Era > 2 {
				args = append(args, 0, 0)
			}
			s.Do(OpCreateActor, args...)
		}
	})
	b.add("next-address", func(s *Script) {
		for _, n := range []int{0, 20, 21, 22, 100, 21} {
			at := s.Out(104)
			s.Do(OpNextActorAddress, s.Out(4), at, n)
			s.Fnv(at, 24)
		}
	})
}

// send appends a send of a value with optional params (a Ref32 of a block id or 0) and hashes what came back.
func send(e *Env, s *Script, to []byte, method uint64, params any, value, gasLimit, flags uint64) uint64 {
	at := s.Out(24)
	args := []any{at, s.Bytes(to), len(to), method, params, 0, value}
	if e.Era > 2 {
		args = append(args, gasLimit, flags)
	}
	s.Do(OpSend, args...)
	s.Fnv(at, 20)
	return at
}
