package blockstore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// carReader reads the sections of an archive in turn.
type carReader struct {
	r      *bufio.Reader
	off    int64 // bytes read
	blocks int64
	o      CAROptions

	packed *counter // of a compressed archive
	cost   int64    // of the blocks so far, as CAROptions.MaxUnpacked counts
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

// over is the error of an archive that breaks a bound.
func (c *carReader) over(at int64, option, format string, a ...any) error {
	return c.bad(at, "%s: %w (CAROptions.%s)", fmt.Sprintf(format, a...), ErrCARBound, option)
}

// count counts a section of a block, which has so many bytes.
func (c *carReader) count(at int64, size int) error {
	c.blocks++
	if c.blocks%progressBlocks == 0 {
		c.tell()
	}
	if c.packed == nil || c.o.MaxUnpacked < 0 {
		return nil
	}
	most := c.o.MaxUnpacked
	if most == 0 {
		most = unpackedFree + unpackedFactor*c.packed.n
	}
	if c.cost += int64(size) + blockCost; c.cost > most {
		return c.over(at, "MaxUnpacked", "%d blocks unpacked of %d compressed bytes take more than %d bytes", c.blocks, c.packed.n, most)
	}
	return nil
}

func (c *carReader) tell() {
	if c.o.Progress != nil {
		c.o.Progress(c.off, c.blocks)
	}
}

// length reads the length of a section, in bytes. The error is io.EOF if there is nothing left.
func (c *carReader) length(limit int, option, what string) (int, error) {
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
		return 0, c.over(start, option, "%s has %d bytes, the bound is %d", what, length, limit)
	case c.o.MaxTotal > 0 && (length > uint64(c.o.MaxTotal) || c.off > c.o.MaxTotal-int64(length)):
		return 0, c.over(start, "MaxTotal", "the archive has more than %d bytes", c.o.MaxTotal)
	}
	return int(length), nil
}

// section reads a length and that many bytes. The error is io.EOF if there is nothing left.
func (c *carReader) section(limit int, option, what string) ([]byte, error) {
	start := c.off
	length, err := c.length(limit, option, what)
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
	data, err := c.section(c.o.MaxHeader, "MaxHeader", "the header")
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
		if packed := packing(len(data), data[0]); packed != "" {
			return nil, c.bad(0, "it is compressed by %s: unpack it first", packed)
		}
		return nil, c.bad(0, "the header: %w", err)
	}
	if version != carVersion {
		return nil, c.bad(0, "it has version %d, not %d", version, carVersion)
	}
	return roots, nil
}

// packing tells by what an archive is compressed, as far as its first two bytes say: what was taken for the length of a
// header and for its first byte, which in a CAR begins a map. "" if by nothing known.
func packing(length int, first byte) string {
	switch {
	case length == 0x1f && first == 0x8b:
		return "gzip"
	case length == 0x28 && first == 0xb5:
		return "zstd"
	}
	return ""
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
