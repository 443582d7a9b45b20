package eth

import (
	"fmt"
	"math/big"
)

// lotusPanics are Lotus's words for the codes of Panic(uint256).
var lotusPanics = map[uint64]string{
	0x00: "Panic()", 0x01: "Assert()", 0x11: "ArithmeticOverflow()", 0x12: "DivideByZero()", 0x21: "InvalidEnumVariant()", 0x22: "InvalidStorageArray()",
	0x31: "PopEmptyArray()", 0x32: "ArrayIndexOutOfBounds()", 0x41: "OutOfMemory()", 0x51: "CalledUninitializedFunction()",
}

const word = 32 // bytes

// lotusReason is what Lotus shows of the data of a revert.
func lotusReason(data []byte) string {
	if len(data) == 0 {
		return "none"
	}
	if len(data) >= 4+word {
		body := data[4:]
		switch string(data[:4]) {
		case "\x4e\x48\x7b\x71": // Panic(uint256)
			code := new(big.Int).SetBytes(body[:word])
			if s := lotusPanics[code.Uint64()]; s != "" && code.IsUint64() {
				return s
			}
			return fmt.Sprintf("Panic(%#x)", code)
		case "\x08\xc3\x79\xa0": // Error(string)
			if text, ok := stringAt(body); ok {
				return "Error(" + string(text) + ")"
			}
		}
	}
	return Data(data).String()
}

// stringAt reads the one string of a body.
func stringAt(body []byte) ([]byte, bool) {
	offset, ok := shortWord(body)
	if !ok || offset > uint64(len(body)) {
		return nil, false
	}
	body = body[offset:]
	size, ok := shortWord(body)
	if !ok || size > uint64(len(body)-word) {
		return nil, false
	}
	return body[word : word+size], true
}

// shortWord is a word that has a number of 64 bits.
func shortWord(b []byte) (uint64, bool) {
	if len(b) < word {
		return 0, false
	}
	v := new(big.Int).SetBytes(b[:word])
	return v.Uint64(), v.IsUint64()
}
