package ethtrace

import (
	"math/big"

	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/node/eth"
)

// VMTrace is what a contract's code executed, in OpenEthereum's form. Costs are Filecoin's gas in whole units, which GasKind says.
type VMTrace struct {
	Code    eth.Data `json:"code"`
	Ops     []*VMOp  `json:"ops"`
	GasKind string   `json:"gasKind,omitempty"` // "filecoin", of the outermost
	// LeftOut is how many opcodes at the end there was no room for, Unwatched why some have no opcodes.
	LeftOut   int      `json:"leftOut,omitempty"`
	Unwatched []string `json:"unwatched,omitempty"`
}

// VMOp is an opcode.
type VMOp struct {
	Cost uint64   `json:"cost"`
	Ex   *VMEx    `json:"ex"` // nil: it failed
	PC   uint32   `json:"pc"`
	Sub  *VMTrace `json:"sub"`
	Op   string   `json:"op"`
}

// VMEx is what an opcode did.
type VMEx struct {
	Mem   *VMMem   `json:"mem"`
	Push  []string `json:"push"`
	Store *VMStore `json:"store"`
	Used  uint64   `json:"used"` // gas left after it
}

// VMMem is memory that an opcode wrote.
type VMMem struct {
	Data eth.Data `json:"data"`
	Off  uint64   `json:"off"`
}

// VMStore is a slot that it wrote.
type VMStore struct {
	Key string `json:"key"`
	Val string `json:"val"`
}

// vmTrace is made of struct logs with stacks and memory.
func vmTrace(l *evmtrace.Log) *VMTrace {
	root := &VMTrace{Ops: []*VMOp{}, GasKind: "filecoin", LeftOut: l.LeftOut}
	for _, u := range l.Unwatched {
		root.Unwatched = append(root.Unwatched, u.Error())
	}
	// open are the calls that run, and last their latest steps.
	open := []*VMTrace{root}
	last := []int{-1}
	finish := func(depth, next int) {
		i := last[depth]
		if i < 0 {
			return
		}
		op := open[depth].Ops[len(open[depth].Ops)-1]
		op.Ex = effect(&l.Steps[i], next, l)
	}
	for i := range l.Steps {
		s := &l.Steps[i]
		depth := max(s.Depth-1, 0)
		for len(open)-1 > depth { // calls that ended
			finish(len(open)-1, -1)
			open, last = open[:len(open)-1], last[:len(last)-1]
		}
		for len(open)-1 < depth {
			sub := &VMTrace{Ops: []*VMOp{}}
			if ops := open[len(open)-1].Ops; len(ops) > 0 {
				ops[len(ops)-1].Sub = sub
			}
			open, last = append(open, sub), append(last, -1)
		}
		finish(depth, i)
		open[depth].Ops = append(open[depth].Ops, &VMOp{Cost: s.Cost / milli, PC: s.PC, Op: evmtrace.OpName(s.Op)})
		last[depth] = i
	}
	for len(open) > 0 {
		finish(len(open)-1, -1)
		open, last = open[:len(open)-1], last[:len(last)-1]
	}
	return root
}

const milli = 1000

// effect is what a step did, by the next one of the same call; -1: it was the last.
func effect(s *evmtrace.Step, next int, l *evmtrace.Log) *VMEx {
	if s.Error != "" {
		return nil
	}
	ex := &VMEx{Push: []string{}}
	if s.Gas > s.Cost {
		ex.Used = (s.Gas - s.Cost) / milli
	}
	if s.Op == 0x55 && len(s.Stack) >= 2 { // SSTORE
		ex.Store = &VMStore{Key: s.Stack[len(s.Stack)-1].String(), Val: s.Stack[len(s.Stack)-2].String()}
	}
	if next < 0 {
		return ex
	}
	after := &l.Steps[next]
	ex.Used = after.Gas / milli
	n := min(pushes(s.Op), len(after.Stack))
	for _, w := range after.Stack[len(after.Stack)-n:] {
		ex.Push = append(ex.Push, w.String())
	}
	if off, size, ok := writes(s); ok && size > 0 && off+size <= uint64(len(after.Memory)) {
		ex.Mem = &VMMem{Data: after.Memory[off : off+size], Off: off}
	}
	return ex
}

// pushes is how many words of the stack an opcode leaves, those that DUP and SWAP go past included, as OpenEthereum counts.
func pushes(op byte) int {
	switch {
	case op >= 0x80 && op < 0x90: // DUP
		return int(op-0x80) + 2
	case op >= 0x90 && op < 0xa0: // SWAP
		return int(op-0x90) + 2
	case op >= 0x5f && op < 0x80: // PUSH
		return 1
	case op >= 0xa0 && op < 0xa5: // LOG
		return 0
	}
	switch op {
	case 0x00, 0x37, 0x39, 0x3c, 0x3e, 0x50, 0x52, 0x53, 0x55, 0x56, 0x57, 0x5b, 0x5d, 0x5e, 0xf3, 0xfd, 0xfe, 0xff:
		return 0
	}
	return 1
}

// writes is which part of the memory an opcode writes.
func writes(s *evmtrace.Step) (off, size uint64, ok bool) {
	at := func(n int) uint64 {
		i := len(s.Stack) - 1 - n
		if i < 0 {
			return 1 << 62
		}
		v := new(big.Int).SetBytes(s.Stack[i][:])
		if v.BitLen() > 40 { // no memory is as large
			return 1 << 62
		}
		return v.Uint64()
	}
	switch s.Op {
	case 0x52: // MSTORE
		off, size = at(0), 32
	case 0x53: // MSTORE8
		off, size = at(0), 1
	case 0x37, 0x39, 0x3e, 0x5e: // CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY
		off, size = at(0), at(2)
	case 0x3c: // EXTCODECOPY
		off, size = at(1), at(3)
	case 0xf1: // CALL
		off, size = at(5), at(6)
	case 0xf4, 0xfa: // DELEGATECALL, STATICCALL
		off, size = at(4), at(5)
	default:
		return 0, 0, false
	}
	return off, size, off < 1<<62 && size < 1<<62
}
