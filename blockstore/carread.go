package blockstore

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// carReader reads the sections of an archive in turn.
type carReader struct {
	r      *bufio.Reader
	off    int64 // bytes read, after unpacking
	blocks int64
	o      CAROptions
	stop   func() error // of the context; nil: never
	next   int64        // the byte after which the context is looked at, and progress told

	whole io.ReaderAt // what r reads from, if that can be read here and there
	size  int64       // of whole

	data *dataPart // of an archive of version 2

	inside bool            // what is read was unpacked
	packed *packing.Reader // of a compressed archive
	cost   int64           // of the blocks so far, as CAROptions.MaxUnpacked counts
}

// newCARReader reads an archive that is not compressed.
func newCARReader(r io.Reader, o CAROptions) *carReader {
	if o.MaxHeader <= 0 {
		o.MaxHeader = defaultMaxHeader
	}
	if o.MaxBlock <= 0 {
		o.MaxBlock = defaultMaxBlock
	}
	return &carReader{r: bufio.NewReaderSize(r, wholeRead), o: o}
}

// newCARStream reads an archive that may be compressed.
func newCARStream(r io.Reader, o CAROptions) *carReader {
	br := bufio.NewReaderSize(r, wholeRead)
	head, _ := br.Peek(packing.HeadLen) // an error comes again
	kind := packing.KindOf(head)
	if kind == packing.Plain {
		return newCARReader(br, o)
	}
	z := packing.NewReader(br, kind, 0)
	z.Padding = o.Padding
	if o.MaxUnpacked >= 0 {
		z.Bound = o.unpacked
	}
	c := newCARReader(z, o)
	c.packed, c.inside = z, true
	return c
}

// newCARReaderAt reads an archive of so many bytes, not compressed.
func newCARReaderAt(archive io.ReaderAt, size int64, o CAROptions) *carReader {
	c := newCARReader(io.NewSectionReader(archive, 0, size), o)
	c.whole, c.size = archive, size
	return c
}

func (c *carReader) close() {
	if c.packed != nil {
		c.packed.Close()
	}
}

func (c *carReader) bad(at int64, format string, a ...any) error {
	return fmt.Errorf("%w: at byte %d: %w", ErrCAR, at, fmt.Errorf(format, a...))
}

// over is the error of an archive that breaks a bound.
func (c *carReader) over(at int64, option, format string, a ...any) error {
	return c.bad(at, "%s: %w (CAROptions.%s)", fmt.Sprintf(format, a...), ErrCARBound, option)
}

// failed is the error of reading on.
func (c *carReader) failed(err error) error {
	switch {
	case errors.Is(err, packing.ErrBound):
		return c.over(c.off, "MaxUnpacked", "%v", err)
	case errors.Is(err, packing.ErrPacking):
		return c.bad(c.off, "%w", err)
	}
	return fmt.Errorf("reading a CAR at byte %d: %w", c.off, err)
}

// count counts a section of a block, which has so many bytes.
func (c *carReader) count(at int64, size int) error {
	if err := c.look(); err != nil {
		return err
	}
	if c.packed == nil || c.o.MaxUnpacked < 0 {
		return nil
	}
	packed := c.packed.Packed()
	most := c.o.unpacked(packed)
	if c.cost += int64(size) + blockCost; c.cost > most {
		return c.over(at, "MaxUnpacked", "%d blocks unpacked of %d compressed bytes take more than %d bytes", c.blocks, packed, most)
	}
	return nil
}

// look counts a block, and now and then tells how far it is, and looks whether that is wanted any more.
func (c *carReader) look() error {
	if c.blocks++; c.blocks%progressBlocks == 0 || c.off >= c.next {
		c.next = c.off + progressBytes
		c.tell()
		if c.stop != nil {
			return c.stop()
		}
	}
	return nil
}

func (c *carReader) tell() {
	if c.o.Progress != nil {
		c.o.Progress(c.off, c.blocks)
	}
}

// length reads the length of a section, in bytes; limit is the option's, 0 for none. The error is io.EOF if there is nothing left.
func (c *carReader) length(limit int, option, what string) (int64, error) {
	start := c.off
	if c.data != nil && start == c.data.end {
		return 0, io.EOF
	}
	var length uint64
	for i := 0; ; i++ {
		b, err := c.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && i == 0 && c.data == nil:
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			return 0, c.bad(start, "the length of %s is cut short", what)
		case err != nil:
			return 0, c.failed(err)
		}
		c.off++
		if i == binary.MaxVarintLen64-1 && b > 1 {
			return 0, c.bad(start, "the length of %s has more than 64 bits", what)
		}
		length |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			break
		}
	}
	switch {
	case length == 0 && start == 0:
		return 0, c.bad(start, "%s is empty", what)
	case length == 0:
		return 0, c.padded(start, what)
	case limit > 0 && length > uint64(limit):
		return 0, c.over(start, option, "%s has %d bytes, the bound is %d", what, length, limit)
	case length > 1<<62:
		return 0, c.bad(start, "%s has %d bytes, which is absurd", what, length)
	case c.o.MaxTotal > 0 && c.off > c.o.MaxTotal-int64(length):
		return 0, c.over(start, "MaxTotal", "the archive has more than %d bytes", c.o.MaxTotal)
	case c.data != nil && c.off > c.data.end-int64(length):
		return 0, c.bad(start, "%s has %d bytes and ends beyond byte %d, where the data of the version 2 archive end", what, length, c.data.end)
	}
	return int64(length), nil
}

// padded looks at what follows a length of 0: zeros up to the end, which may be what CAROptions.Padding takes, or something else.
func (c *carReader) padded(start int64, what string) error {
	for n := 0; c.data == nil || c.off < c.data.end; n++ {
		if n%wholeRead == 0 && c.stop != nil && c.stop() != nil {
			return c.stop()
		}
		b, err := c.r.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c.failed(err)
		}
		if b != 0 {
			return c.bad(start, "%s is empty, and byte %d is not padding", what, c.off)
		}
		c.off++
	}
	if c.o.Padding == nil {
		return c.bad(start, "padded with zeros from byte %d to byte %d, its end (CAROptions.Padding takes that)", start, c.off)
	}
	c.o.Padding(start)
	c.off = start // what the archive has
	return io.EOF
}

// section reads a length and that many bytes. The error is io.EOF if there is nothing left.
func (c *carReader) section(limit int, option, what string) ([]byte, error) {
	start := c.off
	length, err := c.length(limit, option, what)
	if err != nil {
		return nil, err
	}
	data, err := c.read(int(length))
	c.off += int64(len(data))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, c.short(start, what, int64(len(data)), length)
	case err != nil:
		return nil, c.failed(err)
	}
	return data, nil
}

// short is the error of an archive that ends within a section.
func (c *carReader) short(start int64, what string, has, length int64) error {
	return c.bad(start, "%s has %d of %d bytes, then the archive ends: it is cut short, as an unfinished download is", what, has, length)
}

func (c *carReader) read(n int) ([]byte, error) {
	if n <= wholeRead {
		data := make([]byte, n)
		got, err := io.ReadFull(c.r, data)
		return data[:got], err
	}
	var buf bytes.Buffer
	_, err := io.CopyN(&buf, c.r, int64(n))
	return bytes.Clone(buf.Bytes()), err // it is kept, and the buffer's spare room would be kept with it
}

// block reads a block and checks its hash. The error is io.EOF if there is none left.
func (c *carReader) block() (blocks.Block, error) {
	start := c.off
	data, err := c.section(c.o.MaxBlock, "MaxBlock", "a block")
	if err != nil {
		return nil, err
	}
	if err := c.count(start, len(data)); err != nil {
		return nil, err
	}
	k, n, err := sectionCID(data)
	if err != nil {
		return nil, c.bad(start, "a block: %w", err)
	}
	data = data[n:]
	if !c.o.NoHashCheck {
		if err := checkHash(k, data); err != nil {
			return nil, c.bad(start, "block %s: %w", k, err)
		}
	}
	return blocks.NewBlockWithCid(data, k)
}

// skip goes over n bytes. It reads on when that is less than a jump would read again.
func (c *carReader) skip(n int64) error {
	if c.whole != nil && n > int64(c.r.Buffered())+wholeRead {
		c.off += n
		c.r.Reset(io.NewSectionReader(c.whole, c.off, c.size-c.off))
		return nil
	}
	for n > 0 {
		if c.stop != nil && c.stop() != nil {
			return c.stop()
		}
		got, err := c.r.Discard(int(min(n, progressBytes)))
		c.off, n = c.off+int64(got), n-int64(got)
		if err != nil {
			return err
		}
	}
	return nil
}
