package blockstore

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
)

var (
	// ErrCAR is wrapped by every error about what a CAR holds, as opposed to errors of reading it or of storing its
	// blocks.
	ErrCAR = errors.New("bad CAR")
	// ErrCARBound is wrapped beside ErrCAR by the error of a CAR that is larger than CAROptions allow. The error names
	// the bound and the option.
	ErrCARBound = errors.New("more than is allowed")
)

// CAROptions bound what is taken from a CAR. The zero value has the defaults.
type CAROptions struct {
	// MaxHeader is the longest header, in bytes. Default: 1 MiB.
	MaxHeader int
	// MaxBlock is the longest block with its CID, in bytes. Default: 32 MiB.
	MaxBlock int
	// MaxTotal is how much is read at most, in bytes, after unpacking. Default: no bound.
	MaxTotal int64
	// MaxUnpacked is how much LoadCAR takes of a compressed archive: bytes of blocks with their CIDs, and 128 for each
	// block, which is about what it costs in memory besides. Negative: no bound. Default: 64 MiB, and 32 times the bytes
	// that were read of the compressed archive. (Hashes do not shrink, so an archive that shrinks more holds large blocks
	// of little content, or is made to fill memory.)
	MaxUnpacked int64
	// Progress hears after every 1,024 blocks, and at the end, how many bytes of the archive, after unpacking, and how
	// many blocks were read. Default: nobody.
	Progress func(bytes, blocks int64)
}

const (
	defaultMaxHeader = 1 << 20
	defaultMaxBlock  = 32 << 20
	carVersion       = 1
	wholeRead        = 64 << 10 // bytes; longer sections grow as they are read, so that a wrong length costs nothing

	unpackedFree   = 64 << 20 // bytes
	unpackedFactor = 32
	blockCost      = 128 // bytes in memory besides the block's own

	progressBlocks = 1024
)

// ReadCAR reads an archive of version 1 (the CAR specification of IPLD), calls put with each block in turn, and
// returns the archive's roots. Each block's hash is checked against its CID; functions other than blake2b-256, SHA2-256 and
// identity are refused. The archive must not be compressed, see LoadCAR. Errors say at which byte of the archive.
func ReadCAR(ctx context.Context, r io.Reader, put func(blocks.Block) error, o CAROptions) ([]cid.Cid, error) {
	return newCARReader(r, o).all(ctx, put)
}

// all is ReadCAR.
func (c *carReader) all(ctx context.Context, put func(blocks.Block) error) ([]cid.Cid, error) {
	roots, err := c.header()
	if err != nil {
		return nil, err
	}
	for {
		if c.blocks%progressBlocks == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b, err := c.block()
		if errors.Is(err, io.EOF) {
			c.tell()
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
	read := &counter{r: r}
	br := bufio.NewReaderSize(read, wholeRead)
	c := newCARReader(br, o)
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("%w: its gzip header: %w", ErrCAR, err)
		}
		c = newCARReader(z, o)
		c.packed = read
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
	roots, err := c.all(ctx, func(b blocks.Block) error {
		batch = append(batch, b)
		if size += len(b.RawData()); len(batch) < batchBlocks && size < batchBytes {
			return nil
		}
		return flush()
	})
	if err != nil {
		return nil, err
	}
	if err := flush(); err != nil {
		return nil, fmt.Errorf("storing blocks of a CAR: %w", err)
	}
	return roots, nil
}

// counter counts the bytes that are read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
