package actors

import (
	"encoding/binary"

	cbg "github.com/whyrusleeping/cbor-gen"
)

// shortest is CBOR with each length and number in the shortest form. The network's code takes longer ones, which cbor-gen refuses. It is
// the data themselves if they are not CBOR of definite lengths.
func shortest(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for rest := data; len(rest) > 0; {
		major, info := rest[0]>>5, rest[0]&31
		size := 0 // of the argument behind the first byte
		switch {
		case info >= 24 && info <= 27:
			size = 1 << (info - 24)
		case info > 27:
			return data
		}
		if size >= len(rest) {
			return data
		}
		n := uint64(info)
		if size > 0 {
			var b [8]byte
			copy(b[8-size:], rest[1:1+size])
			n = binary.BigEndian.Uint64(b[:])
		}
		if major == cbg.MajOther { // true, false, null, and floats, whose size is what they are
			out = append(out, rest[:1+size]...)
		} else {
			out = append(out, cbg.CborEncodeMajorType(major, n)...)
		}
		rest = rest[1+size:]
		if major == cbg.MajByteString || major == cbg.MajTextString {
			if n > uint64(len(rest)) {
				return data
			}
			out = append(out, rest[:n]...)
			rest = rest[n:]
		}
	}
	return out
}
