package cbor

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/ipfs/go-cid"
)

// ErrMalformed is wrapped by every error of a Reader.
var ErrMalformed = errors.New("malformed CBOR")

// Reader reads items one after the other. The first error sticks: every read after it gives a zero value. It is
// for data that the network has agreed on, so it takes integers that are not in their shortest form, as the
// network's nodes do, but no indefinite lengths.
type Reader struct {
	data []byte
	off  int
	what string // what was expected where it went wrong
}

// NewReader reads data, of which results of Bytes and Raw are parts.
func NewReader(data []byte) Reader { return Reader{data: data} }

// Err says what went wrong and at which byte.
func (r *Reader) Err() error {
	if r.what == "" {
		return nil
	}
	return fmt.Errorf("%w: %s expected at byte %d of %d", ErrMalformed, r.what, r.off, len(r.data))
}

// Failed reports whether Err is an error, at less cost.
func (r *Reader) Failed() bool { return r.what != "" }

func (r *Reader) fail(what string) {
	if r.what == "" {
		r.what = what
	}
}

// header reads a header of the major type.
func (r *Reader) header(major byte, what string) uint64 {
	if r.what != "" {
		return 0
	}
	m, arg, n := Header(r.data[r.off:])
	if n <= 0 || m != major {
		r.fail(what)
		return 0
	}
	r.off += n
	return arg
}

// Uint reads an unsigned integer.
func (r *Reader) Uint() uint64 { return r.header(Uint, "an unsigned integer") }

// Len reads the header of an array and returns its length. Every item takes a byte, so the length of a good
// array is at most that of the data: a longer one is an error.
func (r *Reader) Len() int {
	n := r.header(Array, "an array")
	if n > uint64(len(r.data)-r.off) {
		r.fail("an array that fits the data")
		return 0
	}
	return int(n)
}

// MapLen reads the header of a map and returns the number of its entries.
func (r *Reader) MapLen() int {
	n := r.header(Map, "a map")
	if n > uint64(len(r.data)-r.off) {
		r.fail("a map that fits the data")
		return 0
	}
	return int(n)
}

// Tuple reads the header of an array that has n items.
func (r *Reader) Tuple(n int) {
	if r.Len() != n {
		r.fail("an array of the right length")
	}
}

// Bytes reads a byte string.
func (r *Reader) Bytes() []byte { return r.take(r.header(Bytes, "a byte string")) }

func (r *Reader) take(n uint64) []byte {
	if r.what != "" || n > uint64(len(r.data)-r.off) {
		r.fail("a string that fits the data")
		return nil
	}
	end := r.off + int(n)
	b := r.data[r.off:end:end]
	r.off = end
	return b
}

// Text reads a text string, which is UTF-8.
func (r *Reader) Text() string {
	b := r.take(r.header(Text, "a text string"))
	if !utf8.Valid(b) {
		r.fail("UTF-8")
		return ""
	}
	return string(b)
}

// LinkBytes reads a link and returns the bytes of its CID.
func (r *Reader) LinkBytes() []byte {
	if r.header(Tag, "a link") != TagCID {
		r.fail("a link's tag")
	}
	b := r.Bytes()
	if r.what != "" || len(b) == 0 || b[0] != 0 {
		r.fail("a link's zero byte")
		return nil
	}
	return b[1:]
}

// CID reads a link.
func (r *Reader) CID() cid.Cid {
	b := r.LinkBytes()
	if r.what != "" {
		return cid.Undef
	}
	c, n, err := ParseCID(b)
	if err != nil || n != len(b) {
		r.fail("a link's CID")
		return cid.Undef
	}
	return c
}

// Peek returns the major type of the next item, Simple if there is none.
func (r *Reader) Peek() byte {
	if r.what != "" || r.off >= len(r.data) {
		return Simple
	}
	return r.data[r.off] >> majorShift
}

// Null skips a null, if one is next, and reports whether it was.
func (r *Reader) Null() bool {
	if r.what != "" || r.off >= len(r.data) || r.data[r.off] != Null {
		return false
	}
	r.off++
	return true
}

// Raw skips an item, however deep, and returns its bytes.
func (r *Reader) Raw() []byte {
	start := r.off
	for left := uint64(1); left > 0 && r.what == ""; left-- {
		left += r.skipHead()
	}
	if r.what != "" {
		return nil
	}
	return r.data[start:r.off:r.off]
}

// skipHead skips an item up to the items in it, and returns how many these are.
func (r *Reader) skipHead() uint64 {
	major, arg, n := Header(r.data[r.off:])
	if n <= 0 {
		r.fail("an item")
		return 0
	}
	r.off += n
	switch major {
	case Bytes, Text:
		r.take(arg)
	case Tag:
		return 1
	case Array, Map:
		// An item takes at least a byte, which bounds what is left to read.
		if arg > uint64(len(r.data)-r.off) {
			r.fail("a list that fits the data")
			return 0
		}
		if major == Map {
			return 2 * arg
		}
		return arg
	}
	return 0
}

// End checks that nothing is left to read, and returns Err.
func (r *Reader) End() error {
	if r.off != len(r.data) {
		r.fail("the end")
	}
	return r.Err()
}
