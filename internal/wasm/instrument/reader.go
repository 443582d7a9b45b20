package instrument

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrRefused is matched by every error of Instrument: the network does not accept the module.
var ErrRefused = errors.New("module refused")

func refusef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// reader reads a part of a module. The first failure sticks: later reads give zeros.
type reader struct {
	b    []byte
	pos  int
	base int // where b starts in the module, for messages
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = refusef("%s (at offset %#x)", fmt.Sprintf(format, args...), r.base+r.pos)
		r.pos = len(r.b)
	}
}

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) u8() byte {
	if r.pos >= len(r.b) {
		r.fail("unexpected end")
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("unexpected end")
		return nil
	}
	s := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return s
}

// u32 reads an unsigned LEB128 number of at most 32 bits, which may be padded to 5 bytes.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		c := r.b[r.pos]
		r.pos++
		return uint32(c)
	}
	var v uint32
	for shift := uint(0); ; shift += 7 {
		c := r.u8()
		if r.err != nil {
			return 0
		}
		if shift == 28 && c>>4 != 0 {
			r.fail("number too long or too large")
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// signed reads a signed LEB128 number of at most the given bits.
func (r *reader) signed(bits uint) int64 {
	var v int64
	for shift := uint(0); ; shift += 7 {
		c := r.u8()
		if r.err != nil {
			return 0
		}
		v |= int64(c&0x7f) << shift
		if left := bits - shift; left <= 7 {
			// The last byte that may be: its unused bits must repeat the sign.
			ext := int8(c<<1) >> left
			if c >= 0x80 || ext != 0 && ext != -1 {
				r.fail("number too long or too large")
				return 0
			}
		}
		if c < 0x80 {
			if shift+7 < 64 {
				v = v << (57 - shift) >> (57 - shift)
			}
			return v
		}
	}
}

// name reads a string. The reference bounds its length and wants valid UTF-8.
func (r *reader) name() string {
	n := r.u32()
	if n > maxString {
		r.fail("string too long")
		return ""
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.fail("string is not UTF-8")
		return ""
	}
	return string(b)
}
