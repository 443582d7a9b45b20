package script

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"slices"
)

// EraOf is the era of the syscall interface of a network version: 2, 3 or 4.
func EraOf(nv int) int {
	switch {
	case nv < 18:
		return 2
	case nv < 21:
		return 3
	}
	return 4
}

// Random makes a script of about ops operations. Most calls are valid; depth bounds the nesting of sends.
func Random(e *Env, ops, depth int) *Script { return randomScript(e, ops, depth) }

// Directed are the cases that somebody thought of, those of e's era.
func Directed(e *Env) []Case {
	var list []Case
	for _, g := range directedGroups(e) {
		for _, c := range g.cases {
			c.Name = g.kind + "/" + c.Name
			list = append(list, c)
		}
	}
	return list
}

// Next makes the next script actor of the pool the receiver.
func (e *Env) Next() { e.next() }

// Mutate changes a copy of a script here and there.
func (s *Script) Mutate(r *rand.Rand) *Script {
	m := &Script{recs: slices.Clone(s.recs), data: slices.Clone(s.data), out: s.out}
	for range 1 + r.IntN(3) {
		if len(m.recs) == 0 {
			break
		}
		i := r.IntN(len(m.recs))
		rec := &m.recs[i]
		switch r.IntN(8) {
		case 0:
			m.recs = slices.Delete(m.recs, i, i+1)
		case 1:
			m.recs = slices.Insert(m.recs, i, m.recs[r.IntN(len(m.recs))])
		case 2:
			rec.flags ^= []uint32{ifOK, ifFail, noLog, 1 << r.IntN(9)}[r.IntN(4)]
		case 3:
			if len(m.data) > 0 {
				m.data[r.IntN(len(m.data))] ^= byte(1 << r.IntN(8))
			}
		case 4:
			rec.args[r.IntN(4)] += uint64(r.IntN(5)) - 2
		default:
			rec.args[r.IntN(6)] = interesting(r)
		}
	}
	return m
}

// interesting are numbers at the edges of what syscalls take.
func interesting(r *rand.Rand) uint64 {
	edges := []uint64{
		0, 1, 2, 3, 16, 31, 32, 33, 64, 65, 100, 1 << 10, 1 << 20, 1<<20 + 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1,
		memSize - 1, memSize, memSize + 1, outStart, outEnd, dataAddr, paramsAt, codecRaw, codecCBOR, codecDagCBOR, codecDagPB, hashBlake2b256, hashSha256,
	}
	if r.IntN(5) == 0 {
		return r.Uint64() >> r.IntN(64)
	}
	return edges[r.IntN(len(edges))]
}

// Without is the script with only the operations to keep.
func (s *Script) Without(keep []bool) *Script {
	m := &Script{data: s.data, out: s.out}
	for i, r := range s.recs {
		if i < len(keep) && keep[i] {
			m.recs = append(m.recs, r)
		}
	}
	return m
}

// Heard is an error number that a syscall gave to a script.
type Heard struct {
	Syscall string
	Errno   uint32
}

// Hear reads the log that a script returned: what each of its syscalls gave, as far as it can be told without running it.
func Hear(params, log []byte) []Heard {
	ops := decode(params)
	var list []Heard
	known, last := true, uint32(0)
	for _, o := range ops {
		if o.flags&(ifOK|ifFail) != 0 {
			if !known {
				return list
			}
			if o.flags&ifOK != 0 && last != 0 || o.flags&ifFail != 0 && last == 0 {
				continue
			}
		}
		switch o.op {
		case OpJump, OpLoop, OpReturnID, OpReturnData, OpReturnLog, OpExitLog:
			return list // not straight on
		case OpFnv, OpLoad64:
			if len(log) < 4 {
				return list
			}
			log = log[4:] // they log on their own
		}
		if o.flags&noLog != 0 {
			known = false
			continue
		}
		if len(log) < 4 {
			return list
		}
		last, known = binary.LittleEndian.Uint32(log), true
		log = log[4:]
		if name := opNames[o.op]; name != "" {
			list = append(list, Heard{name, last})
		}
	}
	return list
}

// Syscalls are the names of the syscalls that scripts of an era make.
func Syscalls(era int) []string {
	var list []string
	for _, t := range templatesFor(era) {
		list = append(list, opNames[t.Op])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// decode reads the operations and flags of params; nil if they are no script.
func decode(b []byte) []record {
	if len(b) < 12 {
		return nil
	}
	count, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[8:])
	b = b[12:]
	if count > 800 || uint64(size) > uint64(len(b)) {
		return nil
	}
	b = b[:size]
	var list []record
	for range count {
		if len(b) < 5 {
			return nil
		}
		r := record{op: Op(b[0]), flags: uint32(b[2]) | uint32(b[3])<<8 | uint32(b[4])<<16}
		n := int(b[1])
		b = b[5:]
		for range n {
			_, k := binary.Uvarint(b)
			if k <= 0 {
				return nil
			}
			b = b[k:]
		}
		list = append(list, r)
	}
	return list
}

// Marshal gives the message of the case, from an address with a nonce.
func (c *Case) Marshal(from []byte, nonce uint64) []byte {
	m := Message{To: c.To, From: from, Nonce: nonce, Value: c.Value, GasLimit: c.GasLimit, FeeCap: c.FeeCap, Premium: c.Premium, Method: c.Method, Params: c.Params}
	if m.To == nil {
		m.To = idAddr(c.Self)
	}
	if c.Script != nil {
		m.Params = c.Script.Marshal()
	}
	if m.Method == 0 && !c.Send {
		m.Method = 2
	}
	if m.GasLimit == 0 {
		m.GasLimit = defaultGas
	}
	if m.FeeCap == nil {
		m.FeeCap, m.Premium = big.NewInt(200), big.NewInt(10)
	}
	return m.Marshal()
}

// CIDOf is the CID of data with Filecoin's hash function.
func CIDOf(codec uint64, data []byte) []byte { return cidOf(codec, data) }

// ConsensusFault is what the chain says of two headers; Type 0 is no fault.
type ConsensusFault struct {
	H1, H2, Extra []byte
	Type          uint32
}

// Faults are the headers that scripts report.
func Faults(e *Env) []ConsensusFault {
	var list []ConsensusFault
	for _, f := range e.faults() {
		list = append(list, ConsensusFault{H1: f.h1, H2: f.h2, Extra: f.extra, Type: uint32(f.typ)})
	}
	return list
}

// Calls is a script that calls an actor with a gas limit, then with very little gas and read-only.
func Calls(e *Env, to []byte, limit uint64) *Script {
	s := NewScript()
	callWith(e, s, to, create(s, e.blockCodec(), le32(0)), 5, limit, 0)
	if e.Era > 2 {
		callWith(e, s, to, 0, 0, 700_000, 1)
	}
	s.Do(OpCurrentBalance, s.Out(16))
	s.Fnv(outStart, 512)
	return s
}

// Bytes is a CBOR byte string.
func Bytes(b []byte) []byte { return cborBytes(b) }
