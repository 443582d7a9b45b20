package event

import (
	"errors"
	"unicode/utf8"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ErrMalformed is the error for an event that is not the CBOR of one.
var ErrMalformed = errors.New("malformed event")

// maxDepth bounds arrays in arrays and chunks in chunks, both counted together.
const maxDepth = 256

const (
	indefinite = 0x1f
	breakByte  = 0xff
)

// DecodeEntries reads the entries of an event, [[flags, key, codec, value]...], as actors pass it until network
// version 20. It takes what the network's decoder takes, which is more than DAG-CBOR: integers that are not in their
// shortest form, strings in chunks (in chunks), and see decoder.header. The error is ErrMalformed.
func DecodeEntries(raw []byte) ([]Entry, error) {
	d := decoder{rest: raw, depth: maxDepth}
	d.enter()
	n := d.array()
	var entries []Entry
	for ; n > 0 && !d.bad; n-- {
		d.enter()
		if d.array() != entryFields {
			d.bad = true
		}
		e := Entry{Flags: d.header(cbor.Uint, d.next()), Key: d.text(), Codec: d.header(cbor.Uint, d.next()), Value: d.bytes()}
		d.depth++
		entries = append(entries, e)
	}
	if d.bad || len(d.rest) > 0 {
		return nil, ErrMalformed
	}
	return entries, nil
}

// decoder reads CBOR. Once bad it reads zeros.
type decoder struct {
	rest  []byte
	depth int
	bad   bool
}

func (d *decoder) enter() {
	if d.depth--; d.depth < 0 {
		d.bad = true
	}
}

func (d *decoder) next() byte {
	if d.bad || len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// header reads the argument of a header of a major type that begins with first.
//
// Quirk: the network's decoder clears the bits of the major type it expects and looks at no others, so that where it
// expects a text string (major type 3), a byte string (2) or an integer (0, 1) will do.
func (d *decoder) header(major, first byte) uint64 {
	first &^= major << 5
	if first >= 1<<5 {
		d.bad = true
	}
	if d.bad || first < 24 {
		return uint64(first)
	}
	// A size of 1, 2, 4 or 8 bytes; what is longer or shorter is an error.
	size := 1 << (first - 24)
	if size > 8 || size > len(d.rest) {
		d.bad = true
		return 0
	}
	var v uint64
	for _, b := range d.rest[:size] {
		v = v<<8 | uint64(b)
	}
	d.rest = d.rest[size:]
	return v
}

// array reads the header of an array. The result may be any number: what is not there fails when read.
func (d *decoder) array() uint64 { return d.header(cbor.Array, d.next()) }

func (d *decoder) text() string {
	b := d.chunks(cbor.Text, nil)
	if !utf8.Valid(b) {
		d.bad = true
	}
	return string(b)
}

func (d *decoder) bytes() []byte { return d.chunks(cbor.Bytes, []byte{}) }

// chunks appends a string of the major type to dst.
func (d *decoder) chunks(major byte, dst []byte) []byte {
	first := d.next()
	return d.chunk(major, first, dst)
}

func (d *decoder) chunk(major, first byte, dst []byte) []byte {
	if first != major<<5|indefinite {
		n := d.header(major, first)
		if d.bad || n > uint64(len(d.rest)) {
			d.bad = true
			return dst
		}
		dst = append(dst, d.rest[:n]...)
		d.rest = d.rest[n:]
		return dst
	}
	for {
		first := d.next()
		if d.bad || first == breakByte {
			return dst
		}
		d.enter()
		dst = d.chunk(major, first, dst)
		d.depth++
	}
}
