package devtest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// opcodes of the EVM that the tests' contracts need (Ethereum yellow paper, appendix H).
var opcodes = map[string]byte{
	"STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "LT": 0x10, "GT": 0x11, "EQ": 0x14, "ISZERO": 0x15, "SHR": 0x1c, "KECCAK256": 0x20,
	"ADDRESS": 0x30, "CALLER": 0x33, "CALLVALUE": 0x34, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37, "CODECOPY": 0x39,
	"BLOCKHASH": 0x40, "TIMESTAMP": 0x42, "NUMBER": 0x43, "PREVRANDAO": 0x44, "BASEFEE": 0x48, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52,
	"SLOAD": 0x54, "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "GAS": 0x5a, "JUMPDEST": 0x5b, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82,
	"SWAP1": 0x90, "LOG3": 0xa3, "CALL": 0xf1, "RETURN": 0xf3, "STATICCALL": 0xfa, "REVERT": 0xfd,
}

// assemble makes code of words: mnemonics, 0x… to push, :label where a jump leads, and @label to push where that is.
func assemble(source string) []byte {
	var code []byte
	labels, uses := map[string]int{}, map[int]string{}
	for _, w := range strings.Fields(source) {
		switch {
		case strings.HasPrefix(w, "0x"):
			data, err := hex.DecodeString(w[2:])
			if err != nil || len(data) == 0 || len(data) > 32 {
				panic(fmt.Sprintf("%q: %v", w, err))
			}
			code = append(append(code, 0x5f+byte(len(data))), data...)
		case w[0] == ':':
			labels[w[1:]] = len(code)
			code = append(code, opcodes["JUMPDEST"])
		case w[0] == '@':
			uses[len(code)+1] = w[1:]
			code = append(code, 0x61, 0, 0)
		default:
			op, ok := opcodes[w]
			if !ok {
				panic("no opcode " + w)
			}
			code = append(code, op)
		}
	}
	for at, label := range uses {
		to, ok := labels[label]
		if !ok {
			panic("no label " + label)
		}
		code[at], code[at+1] = byte(to>>8), byte(to)
	}
	return code
}

// deployed is init code that runs first and then returns runtime.
func deployed(first string, runtime []byte) []byte {
	head := assemble(first)
	n, at := len(runtime), len(head)+13
	copyCode := []byte{0x61, byte(n >> 8), byte(n), 0x80, 0x61, byte(at >> 8), byte(at), 0x5f, 0x39, 0x5f, 0xf3}
	at = len(head) + len(copyCode)
	copyCode[5], copyCode[6] = byte(at>>8), byte(at)
	return append(append(head, copyCode...), runtime...)
}

// Token is the init code of a small ERC-20: balanceOf and transfer, which emits the event. Whoever deploys it has 2^80.
func Token() []byte {
	runtime := assemble(`
		0x00 CALLDATALOAD 0xe0 SHR
		DUP1 0x70a08231 EQ @balance JUMPI
		0xa9059cbb EQ @transfer JUMPI
		0x00 0x00 REVERT
	:balance
		0x04 CALLDATALOAD 0x00 MSTORE 0x20 0x00 KECCAK256 SLOAD 0x00 MSTORE 0x20 0x00 RETURN
	:transfer
		CALLER 0x00 MSTORE 0x20 0x00 KECCAK256 DUP1 SLOAD
		0x24 CALLDATALOAD DUP2 LT @poor JUMPI
		0x24 CALLDATALOAD SWAP1 SUB SWAP1 SSTORE
		0x04 CALLDATALOAD 0x00 MSTORE 0x20 0x00 KECCAK256 DUP1 SLOAD 0x24 CALLDATALOAD ADD SWAP1 SSTORE
		0x24 CALLDATALOAD 0x00 MSTORE
		0x04 CALLDATALOAD CALLER 0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef 0x20 0x00 LOG3
		0x01 0x00 MSTORE 0x20 0x00 RETURN
	:poor
		0x00 0x00 REVERT`)
	return deployed("CALLER 0x00 MSTORE 0x20 0x00 KECCAK256 0x0100000000000000000000 SWAP1 SSTORE", runtime)
}

// World is the init code of a contract that returns the block's number, time, PREVRANDAO and base fee, and the hash of the block before.
func World() []byte {
	return deployed("", assemble(`
		NUMBER 0x00 MSTORE TIMESTAMP 0x20 MSTORE PREVRANDAO 0x40 MSTORE BASEFEE 0x60 MSTORE
		0x01 NUMBER SUB BLOCKHASH 0x80 MSTORE 0xa0 0x00 RETURN`))
}

// Nested is the init code of a contract that calls itself as often as the word of its calldata says, with all the gas it has, and then
// hashes 3,000 times. It reverts if a call fails.
func Nested() []byte {
	return deployed("", assemble(`
		0x00 CALLDATALOAD DUP1 ISZERO @work JUMPI
		0x01 SWAP1 SUB 0x00 MSTORE
		0x00 0x00 0x20 0x00 0x00 ADDRESS GAS CALL ISZERO @bad JUMPI STOP
	:bad
		0x00 0x00 REVERT
	:work
		0x0bb8
	:loop
		0x20 0x00 KECCAK256 POP 0x01 SWAP1 SUB DUP1 @loop JUMPI STOP`))
}

// BalanceOf is calldata of ERC-20.
func BalanceOf(a [20]byte) []byte { return append([]byte{0x70, 0xa0, 0x82, 0x31}, word(a[:])...) }

// Transfer is calldata of ERC-20.
func Transfer(to [20]byte, amount uint64) []byte {
	return append(append([]byte{0xa9, 0x05, 0x9c, 0xbb}, word(to[:])...), word(binary.BigEndian.AppendUint64(nil, amount))...)
}

// word is data at the end of 32 bytes.
func word(data []byte) []byte {
	w := make([]byte, 32)
	copy(w[32-len(data):], data)
	return w
}
