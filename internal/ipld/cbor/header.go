// Package cbor reads and writes the little CBOR that the machine itself needs: state nodes, events, manifests,
// CAR headers, and the links of DAG-CBOR blocks.
//
// It knows bytes and CIDs, nothing of Filecoin. Callers are blockstore, links, event, hamt, state and actors; it
// calls go-cid alone. What actors exchange is not decoded here: to the machine it is bytes.
package cbor

import "encoding/binary"

// The major types of CBOR (RFC 8949, section 3.1).
const (
	Uint   byte = 0
	Negint byte = 1
	Bytes  byte = 2
	Text   byte = 3
	Array  byte = 4
	Map    byte = 5
	Tag    byte = 6
	Simple byte = 7
)

// TagCID is the tag of a link in DAG-CBOR.
const TagCID = 42

// Null is the encoding of null.
const Null byte = 0xf6

const (
	majorShift = 5
	infoMask   = 0x1f
	infoOne    = 24 // the argument is in the next byte
	infoEight  = 27 // the argument is in the next eight bytes
)

// Header reads the header of an item at the start of b: its major type, its argument, and the number of bytes
// read, which is 0 if b is cut short and -1 if the header is one that DAG-CBOR does not have (an indefinite
// length or a reserved value). The argument need not be in its shortest form.
func Header(b []byte) (major byte, arg uint64, n int) {
	if len(b) == 0 {
		return 0, 0, 0
	}
	major = b[0] >> majorShift
	info := b[0] & infoMask
	if info < infoOne {
		return major, uint64(info), 1
	}
	if info > infoEight {
		return major, 0, -1
	}
	switch size := 1 << (info - infoOne); {
	case len(b) <= size:
		return major, 0, 0
	case size == 1:
		return major, uint64(b[1]), 2
	case size == 2:
		return major, uint64(binary.BigEndian.Uint16(b[1:])), 3
	case size == 4:
		return major, uint64(binary.BigEndian.Uint32(b[1:])), 5
	default:
		return major, binary.BigEndian.Uint64(b[1:]), 9
	}
}

// Scalars counts the items at the start of b that are one byte and hold no others, small integers and simple values, up to
// max. Long lists of them are read many times faster so than by Header.
func Scalars(b []byte, max uint64) int {
	if uint64(len(b)) > max {
		b = b[:max]
	}
	for i, c := range b {
		if !scalar(c) {
			return i
		}
	}
	return len(b)
}

func scalar(c byte) bool {
	major := c >> majorShift
	return c&infoMask < infoOne && (major <= Negint || major == Simple)
}

// minimal reports whether a header of n bytes could not have been shorter.
func minimal(arg uint64, n int) bool {
	switch n {
	case 2:
		return arg >= infoOne
	case 3:
		return arg > 0xff
	case 5:
		return arg > 0xffff
	case 9:
		return arg > 0xffffffff
	}
	return true
}

// AppendHeader appends a header in its shortest form.
func AppendHeader(dst []byte, major byte, arg uint64) []byte {
	m := major << majorShift
	switch {
	case arg < infoOne:
		return append(dst, m|byte(arg))
	case arg <= 0xff:
		return append(dst, m|infoOne, byte(arg))
	case arg <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, m|(infoOne+1)), uint16(arg))
	case arg <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(dst, m|(infoOne+2)), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(dst, m|infoEight), arg)
}

// AppendUint appends an unsigned integer.
func AppendUint(dst []byte, v uint64) []byte { return AppendHeader(dst, Uint, v) }

// AppendInt appends an integer that may be negative.
func AppendInt(dst []byte, v int64) []byte {
	if v < 0 {
		return AppendHeader(dst, Negint, uint64(-1-v))
	}
	return AppendUint(dst, uint64(v))
}

// AppendArray appends the header of an array of n items.
func AppendArray(dst []byte, n int) []byte { return AppendHeader(dst, Array, uint64(n)) }

// AppendBytes appends a byte string.
func AppendBytes[T ~string | ~[]byte](dst []byte, v T) []byte {
	return append(AppendHeader(dst, Bytes, uint64(len(v))), v...)
}

// AppendText appends a text string.
func AppendText(dst []byte, v string) []byte {
	return append(AppendHeader(dst, Text, uint64(len(v))), v...)
}
