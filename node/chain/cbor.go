package chain

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Bounds of a header's lists and byte strings, as all nodes have them: what is longer cannot be read.
const (
	maxList  = 8192
	maxBytes = 2 << 20
)

var null = cbg.CborNull[0]

// reader reads the fields of a list. The first error sticks. It refuses integers that are not in their shortest form, as nodes do.
type reader struct {
	cr  *cbg.CborReader
	err error
}

func newReader(r io.Reader) *reader { return &reader{cr: cbg.NewCborReader(r)} }

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// header reads the header of an item of a major type.
func (r *reader) header(what string, major byte, most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	maj, n, err := r.cr.ReadHeader()
	switch {
	case err != nil:
		r.fail("%s: %w", what, whole(err))
	case maj != major:
		r.fail("%s: major type %d instead of %d", what, maj, major)
	case n > most:
		r.fail("%s: %d is more than %d", what, n, most)
	default:
		return n
	}
	return 0
}

func (r *reader) tuple(what string, fields uint64) {
	if n := r.header(what, cbg.MajArray, maxList); r.err == nil && n != fields {
		r.fail("%s: %d fields instead of %d", what, n, fields)
	}
}

func (r *reader) uint(what string) uint64 {
	return r.header(what, cbg.MajUnsignedInt, 1<<64-1)
}

// int reads an integer from -2^63 to 2^63-1.
func (r *reader) int(what string) int64 {
	if r.err != nil {
		return 0
	}
	maj, n, err := r.cr.ReadHeader()
	switch {
	case err != nil:
		r.fail("%s: %w", what, whole(err))
	case n > 1<<63-1 || maj != cbg.MajUnsignedInt && maj != cbg.MajNegativeInt:
		r.fail("%s: no integer of 64 bits", what)
	case maj == cbg.MajNegativeInt:
		return -1 - int64(n)
	default:
		return int64(n)
	}
	return 0
}

// bytes reads a byte string; nil if it is empty.
func (r *reader) bytes(what string) []byte {
	n := r.header(what, cbg.MajByteString, maxBytes)
	if r.err != nil || n == 0 {
		return nil
	}
	// As long as the input says, but no longer than it is.
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r.cr, int64(n)); err != nil {
		r.fail("%s: %w", what, whole(err))
		return nil
	}
	return b.Bytes()
}

func (r *reader) cid(what string) cid.Cid {
	if r.err != nil {
		return cid.Undef
	}
	c, err := cbg.ReadCid(r.cr)
	if err != nil {
		r.fail("%s: %w", what, whole(err))
	}
	return c
}

// item reads what reads itself.
func (r *reader) item(what string, into cbg.CBORUnmarshaler) {
	if r.err != nil {
		return
	}
	if err := into.UnmarshalCBOR(r.cr); err != nil {
		r.fail("%s: %w", what, whole(err))
	}
}

// null skips a null, if one is next, and reports whether it was.
func (r *reader) null(what string) bool {
	if r.err != nil {
		return true
	}
	b, err := r.cr.ReadByte()
	if err == nil && b == null {
		return true
	}
	if err == nil {
		err = r.cr.UnreadByte()
	}
	if err != nil {
		r.fail("%s: %w", what, whole(err))
		return true
	}
	return false
}

func (r *reader) list(what string) int { return int(r.header(what, cbg.MajArray, maxList)) }

// whole makes the end of the input an error of what should have been there.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writer writes fields. The first error sticks.
type writer struct {
	cw  *cbg.CborWriter
	err error
}

func newWriter(w io.Writer) *writer { return &writer{cw: cbg.NewCborWriter(w)} }

func (w *writer) header(major byte, n uint64) {
	if w.err == nil {
		w.err = w.cw.WriteMajorTypeHeader(major, n)
	}
}

func (w *writer) uint(n uint64) { w.header(cbg.MajUnsignedInt, n) }

func (w *writer) int(n int64) {
	if n < 0 {
		w.header(cbg.MajNegativeInt, uint64(-(n + 1)))
		return
	}
	w.header(cbg.MajUnsignedInt, uint64(n))
}

func (w *writer) list(what string, n int) {
	if n > maxList && w.err == nil {
		w.err = fmt.Errorf("%s: %d items are more than %d", what, n, maxList)
	}
	w.header(cbg.MajArray, uint64(n))
}

func (w *writer) bytes(what string, b []byte) {
	if len(b) > maxBytes && w.err == nil {
		w.err = fmt.Errorf("%s: %d bytes are more than %d", what, len(b), maxBytes)
	}
	w.header(cbg.MajByteString, uint64(len(b)))
	if w.err == nil {
		_, w.err = w.cw.Write(b)
	}
}

func (w *writer) cid(c cid.Cid) {
	if w.err == nil {
		w.err = cbg.WriteCid(w.cw, c)
	}
}

// item writes what writes itself. Nil pointers of the field's types write null.
func (w *writer) item(v cbg.CBORMarshaler) {
	if w.err == nil {
		w.err = v.MarshalCBOR(w.cw)
	}
}

// decode reads an item that fills data.
func decode(data []byte, into cbg.CBORUnmarshaler) error {
	in := bytes.NewReader(data)
	if err := into.UnmarshalCBOR(in); err != nil {
		return whole(err)
	}
	if in.Len() > 0 {
		return fmt.Errorf("%d bytes are left over", in.Len())
	}
	return nil
}
