// Package packing reads what archives come packed in: gzip and zstd, from a stream, and zstd of small frames here and there. It
// also names files that are no archives, so that a person hears what they have.
//
// Memory is bounded by the window of the packing, at most MaxWindow, whatever a file says of itself. How much may be unpacked
// is for the caller to bound, who hears how much was read. Package blockstore and its neighbours call it; it calls klauspost/compress,
// and knows nothing of blocks.
package packing

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Kind is what a file is packed by.
type Kind int

// What is read.
const (
	Plain Kind = iota
	Gzip
	Zstd
)

func (k Kind) String() string { return [...]string{"nothing", "gzip", "zstd"}[k] }

// HeadLen is how many bytes at the start of a file KindOf looks at.
const HeadLen = 4

// KindOf tells by its first bytes what a file is packed by. No archive begins with the same.
func KindOf(head []byte) Kind {
	switch {
	case len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b:
		return Gzip
	case len(head) >= 4 && isZstd(head):
		return Zstd
	}
	return Plain
}

func isZstd(head []byte) bool {
	return string(head[:4]) == "\x28\xb5\x2f\xfd" || head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" // RFC 8878, 3.1
}

// ErrPacking is wrapped by every error of what is packed wrongly, as opposed to errors of reading it.
var ErrPacking = errors.New("bad compression")

// ErrBound is wrapped by the error of a stream that unpacks to more than Bound allows.
var ErrBound = errors.New("it unpacks to more than is allowed")

// Frame is where an independent part of a packed file begins.
type Frame struct {
	Packed int64 // the byte of the file
	At     int64 // the byte of what it unpacks to
}

// Reader unpacks a stream. It belongs to one goroutine at a time.
type Reader struct {
	kind  Kind
	src   *bufio.Reader
	count *counter
	start int64 // of src in the file
	out   int64 // bytes handed out
	inner interface {
		read(r *Reader, p []byte) (int, error)
	}
	err error

	// OnFrame hears of each frame of zstd before its first byte comes. Default: nobody.
	OnFrame func(Frame)
	// Bound is how many bytes are unpacked at most, of so many packed ones. Default: no bound. What goes beyond is ErrBound.
	Bound func(packed int64) int64
	// Padding hears from which byte of the file zeros follow up to its end. Default: they are an error.
	Padding func(from int64)
}

const (
	srcBuffer = 64 << 10

	// MaxWindow is the most memory that unpacking may take for what was unpacked before, in bytes: what zstd itself takes
	// without --long.
	MaxWindow = 128 << 20
)

// NewReader unpacks r, which begins at byte start of its file and is of the given kind: gzip with any number of members, or
// zstd with any number of frames, skippable ones among them.
func NewReader(r io.Reader, kind Kind, start int64) *Reader {
	return newReader(r, kind, start, srcBuffer)
}

func newReader(r io.Reader, kind Kind, start int64, buffer int) *Reader {
	c := &counter{r: r}
	u := &Reader{kind: kind, src: bufio.NewReaderSize(c, buffer), count: c, start: start}
	switch kind {
	case Gzip:
		u.inner = &gunzip{}
	case Zstd:
		u.inner = &unzstd{}
	default:
		u.inner = plain{}
	}
	return u
}

// Packed is how many bytes of the packed stream were used.
func (r *Reader) Packed() int64 { return r.count.n - int64(r.src.Buffered()) }

// Unpacked is how many bytes came out.
func (r *Reader) Unpacked() int64 { return r.out }

// at is the byte of the file that is read next.
func (r *Reader) at() int64 { return r.start + r.Packed() }

// Read unpacks. After an error it gives the same again.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.inner.read(r, p)
	r.out += int64(n)
	if r.Bound != nil && err == nil {
		if most := r.Bound(r.Packed()); r.out > most {
			n, err = 0, fmt.Errorf("%w: %d bytes of %s, and more than %d unpacked", ErrBound, r.Packed(), r.kind, most)
		}
	}
	if err != nil {
		r.err = err
		r.close()
	}
	if n > 0 && r.err != nil { // next time
		return n, nil
	}
	return n, r.err
}

func (r *Reader) close() {
	if z, ok := r.inner.(*unzstd); ok {
		z.close()
	}
}

// Close frees what the reader holds. It does not close the stream.
func (r *Reader) Close() {
	if r.err == nil {
		r.err = errors.New("closed")
	}
	r.close()
}

// bad is the error of something at a byte of the file.
func (r *Reader) bad(at int64, format string, a ...any) error {
	return fmt.Errorf("%w: %s, byte %d of the file: %w", ErrPacking, r.kind, at, fmt.Errorf(format, a...))
}

// cut is the error of a file that ends where it should not, or of one that cannot be read.
func (r *Reader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.bad(r.at(), "it is cut short: get it again, it may be an unfinished download")
	}
	if r.count.err != nil && errors.Is(err, r.count.err) {
		return fmt.Errorf("reading at byte %d: %w", r.at(), err)
	}
	return r.bad(r.at(), "%w", err)
}

// rest looks at what follows the last part: nothing, or zeros.
func (r *Reader) rest() error {
	from := r.at()
	for buf := make([]byte, 32<<10); ; {
		n, err := r.src.Read(buf)
		for i, b := range buf[:n] {
			if b != 0 {
				return r.bad(r.at()-int64(n-i), "what follows its end is no %s", r.kind)
			}
		}
		switch {
		case errors.Is(err, io.EOF) && r.at() == from:
			return io.EOF
		case errors.Is(err, io.EOF) && r.Padding == nil:
			return r.bad(from, "padded with zeros from byte %d to the end", from)
		case errors.Is(err, io.EOF):
			r.Padding(from)
			return io.EOF
		case err != nil:
			return fmt.Errorf("reading at byte %d: %w", r.at(), err)
		}
	}
}

// counter counts what is read, and keeps the error.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

type plain struct{}

func (plain) read(r *Reader, p []byte) (int, error) { return r.src.Read(p) }
