package blockstore

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ErrCAR is wrapped by every error about what a CAR holds, as opposed to errors of reading it or of storing its
// blocks.
var ErrCAR = errors.New("bad CAR")

// CAROptions bound what ReadCAR takes. The zero value has the defaults.
type CAROptions struct {
	// MaxHeader is the longest header, in bytes. Default: 1 MiB.
	MaxHeader int
	// MaxBlock is the longest block with its CID, in bytes. Default: 32 MiB.
	MaxBlock int
	// MaxTotal is how much is read at most, in bytes. Default: no bound.
	MaxTotal int64
}

const (
	defaultMaxHeader = 1 << 20
	defaultMaxBlock  = 32 << 20
	carVersion       = 1
	wholeRead        = 64 << 10 // bytes; longer sections grow as they are read, so that a wrong length costs nothing
)

// ReadCAR reads an archive of version 1 (the CAR specification of IPLD), calls put with each block in turn, and
// returns the archive's roots. Each block's hash is checked against its CID; functions other than blake2b-256, SHA2-256 and
// identity are refused. The archive must not be compressed, see LoadCAR. Errors say at which byte of the archive.
func ReadCAR(ctx context.Context, r io.Reader, put func(blocks.Block) error, o CAROptions) ([]cid.Cid, error) {
	c := newCARReader(r, o)
	roots, err := c.header()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b, err := c.block()
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return nil, err
		}
		if err := put(b); err != nil {
			return nil, fmt.Errorf("storing block %s of a CAR: %w", b.Cid(), err)
		}
	}
}

// LoadCAR reads an archive, plain or compressed by gzip, into a store and returns the archive's roots. After an
// error some of the blocks may have been stored.
func LoadCAR(ctx context.Context, r io.Reader, to Blockstore, o CAROptions) ([]cid.Cid, error) {
	br := bufio.NewReaderSize(r, wholeRead)
	var in io.Reader = br
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("%w: its gzip header: %w", ErrCAR, err)
		}
		in = z
	}
	var batch []blocks.Block
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := to.PutMany(ctx, batch)
		batch, size = nil, 0
		return err
	}
	roots, err := ReadCAR(ctx, in, func(b blocks.Block) error {
		batch = append(batch, b)
		if size += len(b.RawData()); len(batch) < batchBlocks && size < batchBytes {
			return nil
		}
		return flush()
	}, o)
	if err != nil {
		return nil, err
	}
	if err := flush(); err != nil {
		return nil, fmt.Errorf("storing blocks of a CAR: %w", err)
	}
	return roots, nil
}

type carReader struct {
	r   *bufio.Reader
	off int64 // bytes read
	o   CAROptions
}

func newCARReader(r io.Reader, o CAROptions) *carReader {
	if o.MaxHeader <= 0 {
		o.MaxHeader = defaultMaxHeader
	}
	if o.MaxBlock <= 0 {
		o.MaxBlock = defaultMaxBlock
	}
	return &carReader{r: bufio.NewReaderSize(r, wholeRead), o: o}
}

func (c *carReader) bad(at int64, format string, a ...any) error {
	return fmt.Errorf("%w: at byte %d: %w", ErrCAR, at, fmt.Errorf(format, a...))
}

// length reads the length of a section, in bytes. The error is io.EOF if there is nothing left.
func (c *carReader) length(limit int, what string) (int, error) {
	start := c.off
	var length uint64
	for i := 0; ; i++ {
		b, err := c.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && i == 0:
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			return 0, c.bad(start, "the length of %s is cut short", what)
		case err != nil:
			return 0, fmt.Errorf("reading a CAR at byte %d: %w", c.off, err)
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
	case length == 0:
		return 0, c.bad(start, "%s is empty", what)
	case length > uint64(limit):
		return 0, c.bad(start, "%s has %d bytes, more than the limit of %d", what, length, limit)
	case c.o.MaxTotal > 0 && (length > uint64(c.o.MaxTotal) || c.off > c.o.MaxTotal-int64(length)):
		return 0, c.bad(start, "the archive has more bytes than the limit of %d", c.o.MaxTotal)
	}
	return int(length), nil
}

// section reads a length and that many bytes. The error is io.EOF if there is nothing left.
func (c *carReader) section(limit int, what string) ([]byte, error) {
	start := c.off
	length, err := c.length(limit, what)
	if err != nil {
		return nil, err
	}
	data, err := c.read(length)
	c.off += int64(len(data))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, c.bad(start, "%s has %d of %d bytes, then the archive ends", what, len(data), length)
	case err != nil:
		return nil, fmt.Errorf("reading a CAR at byte %d: %w", c.off, err)
	}
	return data, nil
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

// header reads the header, a DAG-CBOR map of "roots" and "version".
func (c *carReader) header() ([]cid.Cid, error) {
	data, err := c.section(c.o.MaxHeader, "the header")
	if errors.Is(err, io.EOF) {
		return nil, c.bad(0, "it is empty")
	}
	if err != nil {
		return nil, err
	}
	r := cbor.NewReader(data)
	var roots []cid.Cid
	var version uint64
	for range r.MapLen() {
		switch key := r.Text(); key {
		case "version":
			version = r.Uint()
		case "roots":
			n := r.Len()
			for i := 0; i < n && !r.Failed(); i++ {
				roots = append(roots, r.CID())
			}
		default:
			r.Raw()
		}
		if r.Failed() {
			break
		}
	}
	if err := r.End(); err != nil {
		return nil, c.bad(0, "the header: %w", err)
	}
	if version != carVersion {
		return nil, c.bad(0, "it has version %d, not %d", version, carVersion)
	}
	return roots, nil
}

// block reads a block and checks its hash. The error is io.EOF if there is none left.
func (c *carReader) block() (blocks.Block, error) {
	start := c.off
	data, err := c.section(c.o.MaxBlock, "a block")
	if err != nil {
		return nil, err
	}
	p, n, err := cbor.SplitCID(data)
	if err != nil {
		return nil, c.bad(start, "a block: %w", err)
	}
	k, _, err := cbor.ParseCID(data)
	if err != nil {
		return nil, c.bad(start, "a block: %w", err)
	}
	data = data[n:]
	if err := checkHash(&p, data); err != nil {
		return nil, c.bad(start, "block %s: %w", k, err)
	}
	return blocks.NewBlockWithCid(data, k)
}

func checkHash(p *cbor.CIDParts[[]byte], data []byte) error {
	var sum [32]byte
	want := sum[:]
	switch p.Hash {
	case cbor.HashBlake2b256:
		sum = blake2b.Sum256(data)
	case cbor.HashSHA256:
		sum = sha256.Sum256(data)
	case cbor.HashIdentity:
		want = data
	default:
		return fmt.Errorf("its hash function %#x is none of blake2b-256, SHA2-256 and identity", p.Hash)
	}
	if !bytes.Equal(want, p.Digest) {
		return errors.New("its bytes do not hash to its CID")
	}
	return nil
}

// WriteCAR writes an archive of version 1 with the given roots and blocks, in the order they come. An error of
// the sequence ends the writing and is returned. Blocks are not checked.
func WriteCAR(w io.Writer, roots []cid.Cid, bs iter.Seq2[blocks.Block, error]) error {
	head := cbor.AppendHeader(nil, cbor.Map, 2)
	head = cbor.AppendArray(cbor.AppendText(head, "roots"), len(roots))
	for _, c := range roots {
		head = cbor.AppendCID(head, c)
	}
	head = cbor.AppendUint(cbor.AppendText(head, "version"), carVersion)
	out := bufio.NewWriter(w)
	if err := writeSection(out, head, nil); err != nil {
		return err
	}
	for b, err := range bs {
		if err != nil {
			return err
		}
		if err := writeSection(out, b.Cid().Bytes(), b.RawData()); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a CAR: %w", err)
	}
	return nil
}

func writeSection(out *bufio.Writer, a, b []byte) error {
	length := binary.AppendUvarint(nil, uint64(len(a)+len(b)))
	for _, part := range [][]byte{length, a, b} {
		if _, err := out.Write(part); err != nil {
			return fmt.Errorf("writing a CAR: %w", err)
		}
	}
	return nil
}
