package evmtrace

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/trace"
)

// word is a stack of one word, as the actor has it.
func word(low ...byte) []byte { return append(low, make([]byte, 32-len(low))...) }

// Gas flows to the last opcode before it was used, also over calls, and adds up.
func TestCosts(t *testing.T) {
	tr := New(Options{})
	h := tr.Hooks(nil)
	charge := func(n uint64) { h.OnGasCharge(trace.GasCharge{Compute: n}) }
	step := func(pc uint32, op byte, used, charged, left uint64) {
		h.OnOpcode(&trace.Opcode{PC: pc, Op: op, Gas: left, Used: used, Charged: charged})
	}
	h.OnCall(&trace.Call{})
	h.OnInvoke(&trace.Invoke{ID: 7})
	charge(1000)
	step(0, 0x5f, 1100, 1000, 90000) // PUSH0
	step(1, 0xf1, 1200, 1000, 89900) // CALL
	charge(300)                      // what it ran
	charge(2000)
	h.OnCall(&trace.Call{})
	h.OnInvoke(&trace.Invoke{ID: 8})
	step(0, 0x00, 3400, 3300, 500) // STOP
	charge(900)                    // more than there was
	h.OnReturn(&trace.Return{ExitCode: exitcode.SysErrOutOfGas})
	step(2, 0x00, 4000, 3900, 50000)
	charge(500)
	h.OnReturn(&trace.Return{Data: &trace.Block{Codec: 0x51, Data: []byte{0x43, 1, 2, 3}}})
	charge(700)
	l := tr.Take(6) // 5100 milligas, rounded up
	var got [][]uint64
	for _, s := range l.Steps {
		got = append(got, []uint64{uint64(s.PC), uint64(s.Op), uint64(s.Depth), uint64(s.Self), s.Gas, s.Cost})
	}
	want := [][]uint64{{0, 0x5f, 1, 7, 90000, 100}, {1, 0xf1, 1, 7, 89900, 2200 + 100}, {0, 0, 2, 8, 500, 500}, {2, 0, 1, 7, 50000, 400}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if l.Outside != 1100+1600 || l.Failed || string(l.Return) != "\x01\x02\x03" {
		t.Errorf("outside %d, failed %v, return %x", l.Outside, l.Failed, l.Return)
	}
	if l.Steps[2].Error != "out of gas" || l.Steps[3].Error != "" {
		t.Errorf("errors %q, %q", l.Steps[2].Error, l.Steps[3].Error)
	}
	if by := l.ByOpcode(); len(by) != 3 || by[0] != (Spent{0xf1, 1, 2300}) || by[1] != (Spent{0x00, 2, 900}) {
		t.Errorf("%v", by)
	}
	if again := tr.Take(0); len(again.Steps) != 0 || again.Outside != 0 {
		t.Errorf("%+v", again)
	}
}

// The JSON of geth 1.17: names, forms of numbers, what is left out.
func TestJSON(t *testing.T) {
	tr := New(Options{EnableMemory: true, EnableReturnData: true})
	h := tr.Hooks(nil)
	h.OnCall(&trace.Call{})
	h.OnOpcode(&trace.Opcode{Gas: 5999, Used: 0, Op: 0x60})
	h.OnOpcode(&trace.Opcode{PC: 2, Op: 0x54, Gas: 4000, Used: 1999, Stack: word(0x2a), Memory: make([]byte, 32), Returned: []byte{1}})
	h.OnOpcode(&trace.Opcode{PC: 3, Op: 0x0c, Gas: 1000, Used: 4999, Stack: word(0xff, 0x0f)})
	h.OnReturn(&trace.Return{ExitCode: 35})
	zeros := strings.Repeat("0", 60)
	want := `{"gas":6,"gasKind":"filecoin","failed":true,"returnValue":"0x","structLogs":[` +
		`{"pc":0,"op":"PUSH1","gas":5,"gasCost":1,"depth":1,"stack":[]},` +
		`{"pc":2,"op":"SLOAD","gas":4,"gasCost":3,"depth":1,"stack":["0x2a"],"returnData":"0x01","memory":["0x` + zeros + `0000"],"storage":{"0x` + zeros + `002a":"0x` + zeros + `0fff"}},` +
		`{"pc":3,"op":"opcode 0xc not defined","gas":1,"gasCost":0,"depth":1,"error":"invalid opcode","stack":["0xfff"]}]}`
	got, err := json.Marshal(tr.Take(6))
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want\n%s", got, err, want)
	}
}

// A step for the JUMPDEST that the actor steps over; none where it did not jump.
func TestJumps(t *testing.T) {
	for name, c := range map[string]struct {
		op    byte
		stack []byte
		next  uint32
		want  []uint32
	}{
		"JUMP":            {opJUMP, word(9), 10, []uint32{3, 9, 10}},
		"JUMP, told":      {opJUMP, word(9), 9, []uint32{3, 9}},
		"JUMPI":           {opJUMPI, append(word(0, 0, 1), word(9)...), 10, []uint32{3, 9, 10}},
		"JUMPI, not done": {opJUMPI, append(word(), word(3)...), 4, []uint32{3, 4}},
		"far":             {opJUMP, word(9, 0, 0, 0, 1), 10, []uint32{3, 10}},
		"farther":         {opJUMP, word(9, 0, 0, 0, 0, 0, 0, 0, 1), 10, []uint32{3, 10}},
		"empty":           {opJUMP, nil, 1, []uint32{3, 1}},
	} {
		tr := New(Options{DisableStack: true})
		h := tr.Hooks(nil)
		h.OnCall(&trace.Call{})
		h.OnOpcode(&trace.Opcode{PC: 3, Op: c.op, Stack: c.stack})
		h.OnOpcode(&trace.Opcode{PC: c.next})
		var got []uint32
		for _, s := range tr.Take(0).Steps {
			got = append(got, s.PC)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, o := range map[string]Options{"steps": {Limit: 2}, "bytes": {MaxBytes: stepBytes + 1}} {
		tr := New(o)
		h := tr.Hooks(nil)
		h.OnCall(&trace.Call{})
		for i := range 5 {
			h.OnOpcode(&trace.Opcode{PC: uint32(i), Used: uint64(1000 * i)})
		}
		h.OnReturn(&trace.Return{})
		l := tr.Take(9)
		text, err := json.Marshal(l)
		if len(l.Steps) != 2 || l.LeftOut != 3 || l.Outside != 7000 || err != nil || !strings.Contains(string(text), `"leftOut":3`) {
			t.Errorf("%s: %d steps, %d left out, outside %d, %s, %v", name, len(l.Steps), l.LeftOut, l.Outside, text, err)
		}
	}
}

// Who could not be watched is named by the bundle.
func TestUnwatched(t *testing.T) {
	code := cid.MustParse("bafk2bzacecrriac4r2pbxkh5wu67sgwgce2qysfl7thmg7smgmwwqjff5kq74") // of v16/mainnet
	var told []*trace.Unwatched
	tr := New(Options{})
	h := tr.Hooks(&trace.Hooks{OnUnwatched: func(u *trace.Unwatched) { told = append(told, u) }})
	h.OnCall(&trace.Call{})
	h.OnUnwatched(&trace.Unwatched{ID: 1001, Code: code, Err: errors.New("POP is odd")})
	h.OnError(&trace.Error{Text: "x"})
	l := tr.Take(1)
	text, err := json.Marshal(l)
	want := `"unwatched":["the opcodes of actor 1001 (EVM actor of bundle v16/mainnet) cannot be traced: POP is odd"]`
	if err != nil || !strings.Contains(string(text), want) || len(told) != 1 || !l.Failed {
		t.Errorf("%s, %v, told %d", text, err, len(told))
	}
}

func TestNames(t *testing.T) {
	for op, want := range map[byte]string{
		0: "STOP", 0x1e: "CLZ", 0x44: "DIFFICULTY", 0x5e: "MCOPY", 0x5f: "PUSH0", 0x60: "PUSH1", 0x7f: "PUSH32", 0x80: "DUP1", 0x8f: "DUP16",
		0x90: "SWAP1", 0x9f: "SWAP16", 0xa0: "LOG0", 0xa4: "LOG4", 0xa5: "opcode 0xa5 not defined", 0xf2: "CALLCODE", 0xfa: "STATICCALL", 0xfe: "INVALID", 0xff: "SELFDESTRUCT",
	} {
		if got := OpName(op); got != want {
			t.Errorf("%#x: %s, want %s", op, got, want)
		}
	}
}
