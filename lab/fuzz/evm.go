package fuzz

import (
	"context"
	"encoding/binary"
	"math/big"

	"golang.org/x/crypto/sha3"

	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
)

// Methods of the Ethereum actors (FIP-0054, FIP-0055).
const (
	eamID          = 10
	createExternal = 4
	invokeEVM      = 3844450837 // of FRC-0042: InvokeContract
	evmGas         = 300_000_000
)

// evmCase is a case of one contract: its creation and calls of it.
func evmCase(_ context.Context, g *gen) (*Case, error) {
	r := g.setting()
	r.BaseFee = "100"
	from := g.of("secp")[g.IntN(4)]
	if g.one(3) {
		from = g.of("eth")[0]
	}
	ops := g.evmCode(3 + g.IntN(60))
	calls := g.evmCalls(from)
	value := int64(0)
	if g.one(4) {
		value = int64(g.IntN(1000))
	}
	build := func(ops [][]byte, calls []oracle.Message) *duel.Case {
		req := *r
		req.Messages = append([]oracle.Message{{Bytes: evmCreate(from, value, initCode(join(ops)))}}, calls...)
		return g.duel(&req)
	}
	return &Case{Case: build(ops, calls), Note: "a random contract", parts: len(ops) + len(calls), without: func(_ context.Context, keep []bool) (*duel.Case, error) {
		var few [][]byte
		var some []oracle.Message
		for i, k := range keep {
			switch {
			case !k:
			case i < len(ops):
				few = append(few, ops[i])
			default:
				some = append(some, calls[i-len(ops)])
			}
		}
		return build(few, some), nil
	}}, nil
}

func join(list [][]byte) []byte {
	var b []byte
	for _, x := range list {
		b = append(b, x...)
	}
	return b
}

// byteString is a CBOR byte string.
func byteString(b []byte) []byte { return script.Bytes(b) }

func evmCreate(from *account, value int64, init []byte) []byte {
	m := script.Message{
		To: idBytes(eamID), From: from.address().Bytes(), Nonce: from.Nonce, Method: createExternal, Value: big.NewInt(value), GasLimit: evmGas,
		FeeCap: big.NewInt(200), Premium: big.NewInt(10), Params: byteString(init),
	}
	return m.Marshal()
}

// initCode returns what follows it as the contract.
func initCode(runtime []byte) []byte {
	n := len(runtime)
	// PUSH2 n, DUP1, PUSH1 11, PUSH1 0, CODECOPY, PUSH1 0, RETURN
	return append([]byte{0x61, byte(n >> 8), byte(n), 0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xf3}, runtime...)
}

// newContract is the f4 address of the contract that the sender makes next.
func (g *gen) newContract(from *account) []byte {
	// EAM: keccak(rlp([sender's Ethereum address, nonce])). An f1 sender's is a masked ID only on newer versions: address by ID then.
	eth := from.address().Payload()
	if from.Kind != "eth" {
		eth = append([]byte{0xff}, make([]byte, 19)...)
		binary.BigEndian.PutUint64(eth[12:], uint64(from.ID))
	} else {
		eth = eth[1:]
	}
	list := append([]byte{0x94}, eth...)
	switch n := from.Nonce; {
	case n == 0:
		list = append(list, 0x80)
	case n < 0x80:
		list = append(list, byte(n))
	default:
		list = append(list, 0x81, byte(n))
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(append([]byte{0xc0 + byte(len(list))}, list...))
	return append([]byte{4, 10}, h.Sum(nil)[12:]...)
}

// evmCalls call the contract, by its address.
func (g *gen) evmCalls(from *account) []oracle.Message {
	var list []oracle.Message
	to := g.newContract(from)
	for i := range 1 + g.IntN(5) {
		m := script.Message{
			To: to, From: from.address().Bytes(), Nonce: from.Nonce + 1 + uint64(i), Method: invokeEVM, GasLimit: evmGas / 3, FeeCap: big.NewInt(200), Premium: big.NewInt(10),
			Params: byteString(g.bytes(pick(g.Rand, 0, 4, 32, 36, 68, 100, 200))),
		}
		switch g.IntN(8) {
		case 0:
			m.Value = big.NewInt(int64(g.IntN(1000)))
		case 1:
			m.GasLimit = int64(g.IntN(40_000_000))
		case 2:
			m.Method = pick[uint64](g.Rand, 0, 1, 2, 3, 4, 5, 1024, g.Uint64()>>g.IntN(64))
			m.Params = g.bytes(g.IntN(40))
		}
		list = append(list, oracle.Message{Bytes: m.Marshal()})
	}
	return list
}

// evmCode are instructions, most of which find what they need on the stack.
func (g *gen) evmCode(n int) [][]byte {
	var list [][]byte
	for range n {
		list = append(list, g.evmStep())
	}
	if !g.one(4) { // return some of the memory
		list = append(list, []byte{0x60, 0x80, 0x60, 0x00, 0xf3})
	}
	return list
}

func push(v ...byte) []byte { return append([]byte{0x5f + byte(len(v))}, v...) }

// word is a number for the stack.
func (g *gen) word() []byte {
	switch g.IntN(8) {
	case 0:
		return push(g.bytes(1 + g.IntN(32))...)
	case 1:
		return push(pick(g.Rand, []byte{0xff, 0xff, 0xff, 0xff}, []byte{0x80, 0, 0, 0, 0, 0, 0, 0}, []byte{1, 0}, append([]byte{0x80}, make([]byte, 31)...))...)
	case 2:
		full := make([]byte, 32)
		for i := range full {
			full[i] = 0xff
		}
		return push(full...)
	}
	return push(byte(g.IntN(100)))
}

// operands is how many each instruction takes, for those that are not special.
var operands = map[byte]int{
	0x01: 2, 0x02: 2, 0x03: 2, 0x04: 2, 0x05: 2, 0x06: 2, 0x07: 2, 0x08: 3, 0x09: 3, 0x0a: 2, 0x0b: 2, 0x10: 2, 0x11: 2, 0x12: 2, 0x13: 2, 0x14: 2, 0x15: 1,
	0x16: 2, 0x17: 2, 0x18: 2, 0x19: 1, 0x1a: 2, 0x1b: 2, 0x1c: 2, 0x1d: 2, 0x20: 2, 0x30: 0, 0x31: 1, 0x32: 0, 0x33: 0, 0x34: 0, 0x35: 1, 0x36: 0, 0x37: 3, 0x38: 0,
	0x39: 3, 0x3a: 0, 0x3b: 1, 0x3c: 4, 0x3d: 0, 0x3e: 3, 0x3f: 1, 0x40: 1, 0x41: 0, 0x42: 0, 0x43: 0, 0x44: 0, 0x45: 0, 0x46: 0, 0x47: 0, 0x48: 0, 0x49: 1, 0x4a: 0,
	0x50: 1, 0x51: 1, 0x52: 2, 0x53: 2, 0x54: 1, 0x55: 2, 0x58: 0, 0x59: 0, 0x5a: 0, 0x5b: 0, 0x5c: 1, 0x5d: 2, 0x5e: 3, 0x5f: 0, 0xa0: 2, 0xa1: 3, 0xa2: 4, 0xa3: 5, 0xa4: 6,
}

// evmOps are the keys, in order.
var evmOps = func() []byte {
	var list []byte
	for op := range 256 {
		if _, ok := operands[byte(op)]; ok {
			list = append(list, byte(op))
		}
	}
	return list
}()

func (g *gen) evmStep() []byte {
	switch p := g.IntN(40); {
	case p < 5:
		return g.evmCall()
	case p < 9:
		return g.precompile()
	case p == 9: // create, with what lies in memory
		if g.one(2) {
			return join([][]byte{push(byte(g.IntN(40))), push(0), push(0), {0xf0, 0x60, 0x60, 0x52}})
		}
		return join([][]byte{g.word(), push(byte(g.IntN(40))), push(0), push(0), {0xf5, 0x60, 0x60, 0x52}})
	case p == 10:
		return []byte{0x80 + byte(g.IntN(4))} // dup
	case p == 11:
		return []byte{0x90 + byte(g.IntN(4))} // swap
	case p == 12 && g.one(3):
		return []byte{byte(g.Uint32())}
	case p == 13 && g.one(4):
		return pick(g.Rand, []byte{0x00}, []byte{0xfe}, []byte{0x60, 0x20, 0x60, 0x00, 0xfd}, []byte{0x33, 0xff}, []byte{0x60, 0x63, 0xff})
	case p == 14: // jump over nothing, or anywhere
		return pick(g.Rand, []byte{0x60, 0x01, 0x58, 0x60, 0x05, 0x01, 0x57, 0x5b}, []byte{0x60, byte(g.IntN(60)), 0x56}, []byte{0x5b})
	case p == 15: // random bytes as code in memory, for create
		return join([][]byte{push(g.bytes(32)...), push(byte(32 * g.IntN(4))), {0x52}})
	}
	op := evmOps[g.IntN(len(evmOps))]
	var b []byte
	for i := range operands[op] {
		w := g.word()
		if memory := op >= 0x37 && op <= 0x3e || op == 0x5e || op >= 0xa0 || op == 0x20 || op >= 0x51 && op <= 0x53; memory && i < 3 && !g.one(20) {
			w = push(byte(g.IntN(128))) // memory that can be had
		}
		b = append(b, w...)
	}
	b = append(b, op)
	if g.one(3) { // keep what came of it
		b = append(b, 0x60, byte(32*g.IntN(6)), 0x52)
	}
	return b
}

// evmCall calls some address in one of four ways.
func (g *gen) evmCall() []byte {
	kind := pick[byte](g.Rand, 0xf1, 0xf2, 0xf4, 0xfa)
	to := pick(g.Rand, []byte{0x30}, []byte{0x33}, []byte{0x32}, push(g.bytes(20)...), maskedID(uint64(g.IntN(120))), maskedID(g.Pool[0]), push(byte(g.IntN(20))))
	parts := [][]byte{push(byte(g.IntN(64))), push(byte(g.IntN(64))), push(byte(g.IntN(64))), push(byte(g.IntN(64)))}
	if kind == 0xf1 || kind == 0xf2 {
		parts = append(parts, push(pick[byte](g.Rand, 0, 0, 1, 200)))
	}
	gas := push(0xff, 0xff, 0xff, 0xff)
	if g.one(3) {
		gas = g.word()
	}
	return join(append(parts, to, gas, []byte{kind, 0x60, byte(32 * g.IntN(4)), 0x52}))
}

// maskedID pushes the Ethereum address of an actor's ID.
func maskedID(id uint64) []byte {
	b := append([]byte{0xff}, make([]byte, 19)...)
	binary.BigEndian.PutUint64(b[12:], id)
	return push(b...)
}

// precompile writes an input into memory and calls a precompile with it: those of Ethereum, and Filecoin's at 0xfe00...
func (g *gen) precompile() []byte {
	words := g.IntN(8)
	var b []byte
	for i := range words {
		w := g.bytes(32)
		if g.one(2) {
			w = append(make([]byte, 31), byte(g.IntN(100)))
		}
		b = append(append(b, push(w...)...), push(byte(32*i))...)
		b = append(b, 0x52)
	}
	address := push(byte(1 + g.IntN(10)))
	if g.one(2) {
		address = append([]byte{0x73, 0xfe}, append(make([]byte, 18), byte(1+g.IntN(6)))...)
	}
	size := push(byte(32 * words))
	if g.one(4) {
		size = push(byte(g.IntN(256)))
	}
	kind := pick[byte](g.Rand, 0xf1, 0xf1, 0xfa, 0xf4, 0xf2)
	b = append(b, join([][]byte{push(0x80), push(0x80), size, push(0)})...)
	if kind == 0xf1 || kind == 0xf2 {
		b = append(b, push(pick[byte](g.Rand, 0, 0, 0, 1))...)
	}
	b = append(b, address...)
	b = append(b, push(0x0f, 0xff, 0xff, 0xff)...)
	return append(b, kind, 0x60, 0x60, 0x52)
}
