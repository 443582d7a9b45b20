// Package binary reads the binary format of WebAssembly, for adapters that must know of a module what their engine does not
// tell. It validates nothing: the engine does. What a module means is the adapter's to find out.
package binary

import "errors"

// ErrMalformed is of a module that ends too early, or has a number that is too long.
var ErrMalformed = errors.New("malformed module")

// Reader reads B from its start. The first failure sticks; later reads give zeros.
type Reader struct {
	B   []byte
	Err error
}

// Fail notes a failure, unless there was one.
func (r *Reader) Fail(err error) {
	if r.Err == nil {
		r.Err = err
	}
}

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if len(r.B) == 0 {
		r.Fail(ErrMalformed)
		return 0
	}
	c := r.B[0]
	r.B = r.B[1:]
	return c
}

// Take reads n bytes, which share memory with B.
func (r *Reader) Take(n uint32) []byte {
	if uint64(n) > uint64(len(r.B)) {
		r.Fail(ErrMalformed)
		return nil
	}
	b := r.B[:n]
	r.B = r.B[n:]
	return b
}

// U32 reads an unsigned LEB128 number.
func (r *Reader) U32() uint32 { v, _ := r.leb(); return uint32(v) }

// Signed reads a signed LEB128 number.
func (r *Reader) Signed() int64 {
	v, bits := r.leb()
	if bits < 64 && v>>(bits-1) != 0 {
		v |= ^uint64(0) << bits
	}
	return int64(v)
}

// leb reads a LEB128 number and tells how many bits it has.
func (r *Reader) leb() (v uint64, bits uint) {
	for bits < 70 {
		c := r.Byte()
		v |= uint64(c&0x7f) << bits
		bits += 7
		if c < 0x80 {
			return v, bits
		}
	}
	r.Fail(ErrMalformed)
	return 0, 64
}
