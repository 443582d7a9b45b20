package packing

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// unzstd unpacks frames of zstd, one after the other. Small ones are unpacked at once, which is many times quicker than to
// begin a stream for each.
type unzstd struct {
	once, stream *zstd.Decoder // one that is amid a stream unpacks nothing else

	frame []byte // packed
	buf   []byte // unpacked, of a small frame
	ready []byte // what of buf was not handed out yet
	long  bool   // a large frame is being unpacked
}

const (
	blockHead   = 3         // bytes
	checksumLen = 4         // bytes
	blockMost   = 128 << 10 // bytes that a block unpacks to (RFC 8878, 3.1.1.2.4)

	// A frame is small if it has at most so many bytes, packed and unpacked.
	smallFrame = 4 << 20
)

func (z *unzstd) close() {
	for _, dec := range []**zstd.Decoder{&z.once, &z.stream} {
		if *dec != nil {
			(*dec).Close()
			*dec = nil
		}
	}
}

func (z *unzstd) read(r *Reader, p []byte) (int, error) {
	for {
		if len(z.ready) > 0 {
			n := copy(p, z.ready)
			z.ready = z.ready[n:]
			return n, nil
		}
		if z.long {
			n, err := z.stream.Read(p)
			if errors.Is(err, io.EOF) {
				z.long, err = false, nil
			}
			if err != nil {
				return n, r.cut(err)
			}
			if n > 0 {
				return n, nil
			}
			continue
		}
		if err := z.next(r); err != nil {
			return 0, err
		}
	}
}

// next begins the next frame. The error is io.EOF if there is none.
func (z *unzstd) next(r *Reader) error {
	head, err := r.src.Peek(zstd.HeaderMaxSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return r.cut(err)
	}
	switch {
	case len(head) > 0 && len(head) < HeadLen && head[0] != 0:
		return r.cut(io.EOF)
	case len(head) < HeadLen || !isZstd(head):
		return r.rest()
	}
	var h zstd.Header
	if err := h.Decode(head); err != nil {
		return r.cut(err)
	}
	if h.Skippable {
		return z.skip(r, int64(h.HeaderSize)+int64(h.SkippableSize))
	}
	if err := r.check(&h); err != nil {
		return err
	}
	if r.OnFrame != nil {
		r.OnFrame(Frame{Packed: r.at(), At: r.out})
	}
	return z.begin(r, &h)
}

// check refuses frames that cannot be unpacked in bounds.
func (r *Reader) check(h *zstd.Header) error {
	window := h.WindowSize
	if h.SingleSegment { // its window is all of it
		window = h.FrameContentSize
	}
	switch {
	case h.DictionaryID != 0:
		return r.bad(r.at(), "it needs a dictionary, number %d: unpack it first, with zstd -d -D DICTIONARY", h.DictionaryID)
	case window > MaxWindow:
		return r.bad(r.at(), "it takes %d MiB of memory to unpack, more than %d: unpack it first, with zstd -d --long=31", window>>20, MaxWindow>>20)
	}
	return nil
}

// skip passes over n bytes.
func (z *unzstd) skip(r *Reader, n int64) error {
	for n > 0 {
		some := int(min(n, 1<<30))
		m, err := r.src.Discard(some)
		n -= int64(m)
		if err != nil {
			return r.cut(err)
		}
	}
	return nil
}

// begin reads a frame, if it is small, or the beginning of one.
func (z *unzstd) begin(r *Reader, h *zstd.Header) error {
	z.frame = z.frame[:0]
	w := walker{src: r.src}
	if h.HasCheckSum {
		w.after = checksumLen
	}
	small := !h.HasFCS || h.FrameContentSize <= smallFrame
	if err := z.take(&w, h.HeaderSize); err != nil {
		return r.cut(err)
	}
	for !w.ended && small && len(z.frame) <= smallFrame {
		if err := z.take(&w, 0); err != nil {
			return r.cut(err)
		}
		small = h.HasFCS || w.blocks*blockMost <= smallFrame
	}
	if w.ended && small {
		if err := decoder(&z.once); err != nil {
			return err
		}
		out, err := z.once.DecodeAll(z.frame, z.buf[:0])
		if err != nil {
			return r.cut(err)
		}
		z.buf, z.ready = out, out
		return nil
	}
	if err := decoder(&z.stream); err != nil {
		return err
	}
	z.long = true
	return z.stream.Reset(io.MultiReader(bytes.NewReader(z.frame), &w))
}

// decoder makes a decoder if there is none.
func decoder(d **zstd.Decoder) (err error) {
	if *d == nil {
		*d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(MaxWindow))
	}
	return err
}

// take reads n bytes into frame, or the next block with what follows it.
func (z *unzstd) take(w *walker, n int) error {
	if n == 0 {
		if err := w.block(); err != nil {
			return err
		}
		z.frame = append(z.frame, w.head[:]...)
		n = w.left
		w.left, w.headLeft = 0, 0
	}
	from := len(z.frame)
	z.frame = append(z.frame, make([]byte, n)...)
	_, err := io.ReadFull(w.src, z.frame[from:])
	return err
}

// walker reads the blocks of a frame from a stream, and ends with the frame.
type walker struct {
	src      io.Reader
	head     [blockHead]byte
	headLeft int // bytes of head that were not handed out
	left     int // bytes of the block
	after    int // bytes after the last block
	blocks   int
	ended    bool // the block at hand is the last
}

var errBlock = errors.New("a block of a reserved type")

// block reads the head of the next block; left is then what comes after it up to the next, or to the frame's end.
func (w *walker) block() error {
	if _, err := io.ReadFull(w.src, w.head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	w.headLeft = blockHead
	bits := uint32(w.head[0]) | uint32(w.head[1])<<8 | uint32(w.head[2])<<16
	w.ended = bits&1 != 0
	w.left = int(bits >> 3)
	switch bits >> 1 & 3 {
	case 1: // one byte, many times
		w.left = 1
	case 3:
		return errBlock
	}
	if w.ended {
		w.left += w.after
	}
	w.blocks++
	return nil
}

// Read hands out the frame's bytes.
func (w *walker) Read(p []byte) (int, error) {
	if w.headLeft == 0 && w.left == 0 {
		if w.ended {
			return 0, io.EOF
		}
		if err := w.block(); err != nil {
			return 0, err
		}
	}
	if w.headLeft > 0 {
		n := copy(p, w.head[blockHead-w.headLeft:])
		w.headLeft -= n
		return n, nil
	}
	n, err := w.src.Read(p[:min(len(p), w.left)])
	w.left -= n
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
