package evmtrace

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/trace"
)

// exitReverted is the EVM actor's exit code of REVERT.
const exitReverted = 33

// failures are the EVM actor's exit codes from 34 on, in geth's words where it has some.
var failures = []string{
	"invalid opcode: INVALID", "invalid opcode", "stack underflow", "stack limit reached 1024", "memory access out of bounds",
	"invalid jump destination", "selfdestruct failed",
}

func failure(c exitcode.ExitCode) string {
	switch i := int64(c) - exitReverted - 1; {
	case c == exitcode.SysErrOutOfGas:
		return "out of gas"
	case i >= 0 && i < int64(len(failures)):
		return failures[i]
	}
	return fmt.Sprintf("exit code %d", c)
}

// content is a block's data, without the CBOR around it if all of it is one byte string.
func content(b *trace.Block) []byte {
	d := b.Data
	if len(d) == 0 || d[0]>>5 != 2 {
		return d
	}
	n, head := uint64(d[0]&31), 1
	if n > 23 && n < 28 {
		size := 1 << (n - 24)
		if len(d) < 1+size {
			return d
		}
		n, head = 0, 1+size
		for _, c := range d[1:head] {
			n = n<<8 | uint64(c)
		}
	}
	if uint64(len(d)-head) != n {
		return d
	}
	return d[head:]
}

// OpName is an opcode's name as geth has it, or "opcode 0x… not defined".
func OpName(op byte) string {
	switch name := names[op]; {
	case name != "":
		return name
	case op >= 0x60 && op < 0x80:
		return fmt.Sprint("PUSH", op-0x5f)
	case op >= 0x80 && op < 0x90:
		return fmt.Sprint("DUP", op-0x7f)
	case op >= 0x90 && op < 0xa0:
		return fmt.Sprint("SWAP", op-0x8f)
	case op >= 0xa0 && op < 0xa5:
		return fmt.Sprint("LOG", op-0xa0)
	}
	return fmt.Sprintf("opcode %#x not defined", op)
}

var names = [256]string{
	0x00: "STOP", "ADD", "MUL", "SUB", "DIV", "SDIV", "MOD", "SMOD", "ADDMOD", "MULMOD", "EXP", "SIGNEXTEND",
	0x10: "LT", "GT", "SLT", "SGT", "EQ", "ISZERO", "AND", "OR", "XOR", "NOT", "BYTE", "SHL", "SHR", "SAR", "CLZ",
	0x20: "KECCAK256",
	0x30: "ADDRESS", "BALANCE", "ORIGIN", "CALLER", "CALLVALUE", "CALLDATALOAD", "CALLDATASIZE", "CALLDATACOPY", "CODESIZE", "CODECOPY",
	"GASPRICE", "EXTCODESIZE", "EXTCODECOPY", "RETURNDATASIZE", "RETURNDATACOPY", "EXTCODEHASH",
	0x40: "BLOCKHASH", "COINBASE", "TIMESTAMP", "NUMBER", "DIFFICULTY", "GASLIMIT", "CHAINID", "SELFBALANCE", "BASEFEE", "BLOBHASH", "BLOBBASEFEE",
	0x50: "POP", "MLOAD", "MSTORE", "MSTORE8", "SLOAD", "SSTORE", "JUMP", "JUMPI", "PC", "MSIZE", "GAS", "JUMPDEST", "TLOAD", "TSTORE", "MCOPY", "PUSH0",
	0xf0: "CREATE", "CALL", "CALLCODE", "RETURN", "DELEGATECALL", "CREATE2", 0xfa: "STATICCALL", 0xfd: "REVERT", "INVALID", "SELFDESTRUCT",
}
