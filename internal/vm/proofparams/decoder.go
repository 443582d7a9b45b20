package proofparams

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is wrapped by every error of this package.
var ErrMalformed = errors.New("malformed proof parameters")

// maxDepth bounds arrays in arrays and chunks in chunks, both counted together.
const maxDepth = 256

// CBOR major types (RFC 8949, section 3.1).
const (
	majorUnsigned = 0
	majorNegative = 1
	majorBytes    = 2
	majorArray    = 4
	majorTag      = 6

	infoIndefinite = 31
	breakByte      = 0xff
	tagCID         = 42
)

// decoder reads CBOR the way the network's nodes do. It accepts more than DAG-CBOR:
//
//   - numbers and lengths need not be in their shortest form (but an octet has at most one byte of argument);
//   - a byte string may come in chunks, which may come in chunks;
//   - Quirk: the header of an array, byte string or tag is told by clearing the bits of its major type and not by
//     comparing them, so a header whose major type has a subset of those bits is taken too: 0x02 opens an array of two.
//     The byte string inside a link and plain numbers are compared properly.
//
// The first error sticks: after it every read returns zero and consumes nothing.
type decoder struct {
	rest  []byte
	depth int // levels left
	err   error
}

func (d *decoder) fail(format string, a ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, a...))
	}
	d.rest = nil
}

// take returns the next n bytes, a part of the input.
func (d *decoder) take(n uint64) []byte {
	if d.err != nil || n > uint64(len(d.rest)) {
		d.fail("cut short")
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// next returns the next byte.
func (d *decoder) next() byte {
	b := d.take(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// argument reads the argument of a header, whose low bits (all eight, less those of the major type) are info.
func (d *decoder) argument(info byte) uint64 {
	switch {
	case info < 24:
		return uint64(info)
	case info <= 27:
		size := 1 << (info - 24)
		var wide [8]byte
		copy(wide[8-size:], d.take(uint64(size)))
		return binary.BigEndian.Uint64(wide[:])
	}
	d.fail("unexpected header, info %#x", info)
	return 0
}

// header reads the header of an item of a major type other than a number (see the quirk at decoder).
func (d *decoder) header(major byte) (n uint64, indefinite bool) {
	return d.headerFrom(d.next(), major)
}

func (d *decoder) headerFrom(b, major byte) (n uint64, indefinite bool) {
	if d.err != nil {
		return 0, false
	}
	if b == major<<5|infoIndefinite {
		return 0, true
	}
	return d.argument(b &^ (major << 5)), false
}

func (d *decoder) uint64() uint64 { return d.argument(d.next()) }

func (d *decoder) int64() int64 {
	b := d.next()
	switch b >> 5 {
	case majorUnsigned, majorNegative:
	default:
		d.fail("a number was expected")
		return 0
	}
	n := d.argument(b & 0x1f)
	if n > math.MaxInt64 {
		d.fail("number out of range")
		return 0
	}
	if b>>5 == majorNegative {
		return -1 - int64(n)
	}
	return int64(n)
}

// octet reads a number of eight bits.
func (d *decoder) octet(v *byte) {
	b := d.next()
	switch {
	case b < 24:
		*v = b
	case b == 24:
		*v = d.next()
	default:
		d.fail("a number of eight bits was expected")
	}
}

// bytes reads a byte string into memory of its own; nil if empty.
func (d *decoder) bytes() []byte { return d.appendBytes(nil, d.next()) }

// appendBytes reads the byte string whose header starts with b.
func (d *decoder) appendBytes(buf []byte, b byte) []byte {
	n, indefinite := d.headerFrom(b, majorBytes)
	if !indefinite {
		return append(buf, d.take(n)...)
	}
	for d.err == nil {
		b := d.next()
		if d.err != nil || b == breakByte {
			break
		}
		if !d.enter() {
			break
		}
		buf = d.appendBytes(buf, b)
		d.leave()
	}
	return buf
}

func (d *decoder) enter() bool {
	if d.depth == 0 {
		d.fail("nested too deeply")
		return false
	}
	d.depth--
	return true
}

func (d *decoder) leave() { d.depth++ }

// array opens an array and returns its length; leave closes it.
func (d *decoder) array() uint64 {
	if !d.enter() {
		return 0
	}
	n, indefinite := d.header(majorArray)
	if indefinite {
		d.fail("array of indefinite length")
	}
	return n
}

// tuple reads an array of exactly n items, all of them by read.
func (d *decoder) tuple(n uint64, read func()) {
	if got := d.array(); d.err == nil && got != n {
		d.fail("tuple of %d items, not %d", got, n)
	}
	if d.err != nil {
		return
	}
	read()
	d.leave()
}

// list reads an array item by item. Memory grows with the items read, not with the length announced.
func list[T any](d *decoder, read func(*decoder, *T)) []T {
	var items []T
	for n := d.array(); n > 0 && d.err == nil; n-- {
		var v T
		read(d, &v)
		items = append(items, v)
	}
	d.leave()
	return items
}
