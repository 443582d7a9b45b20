package blockstore

import (
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
	// MaxBlock is the longest block that is read, with its CID, in bytes. Blocks that are only passed over, by ScanCAR and
	// OpenCAR, may be longer. Default: 32 MiB.
	MaxBlock int
	// MaxTotal is how much is read at most, in bytes, after unpacking. Default: no bound.
	MaxTotal int64
	// MaxUnpacked is how much is taken of a compressed archive: bytes unpacked, and for LoadCAR and ReadCAR bytes of blocks
	// with their CIDs and 128 for each block, which is about what it costs in memory besides. Negative: no bound. Default:
	// 64 MiB, and 32 times the bytes that were read of the compressed archive. (Hashes do not shrink, so an archive that
	// shrinks more holds large blocks of little content, or is made to fill memory.)
	MaxUnpacked int64
	// MaxMemory is how many bytes OpenCAR unpacks into memory, of an archive that it cannot read where it lies. Default:
	// MaxUnpacked.
	MaxMemory int64
	// Progress hears after every 1,024 blocks or 16 MiB, and at the end, how many bytes of the archive, after unpacking, and how
	// many blocks were read. Default: nobody.
	Progress func(bytes, blocks int64)
	// Padding takes archives that are padded with zeros to their end, as data of deals are, and hears from which byte on, of
	// the archive after unpacking; or of the compressed file, if that is padded. Default: padding is an error.
	Padding func(from int64)
	// NoHashCheck leaves out what takes most time in reading: that a block's bytes hash to its CID. It is for archives whose
	// blocks were checked before, and that nobody else can write to. Default: each block that is read is checked.
	NoHashCheck bool
	// WholeCID has OpenCAR find a block by its whole CID, as Memory does, and not by its multihash alone: under another codec it is
	// not there, nor is a block that its CID holds (the function identity).
	WholeCID bool
}

const (
	defaultMaxHeader = 1 << 20
	defaultMaxBlock  = 32 << 20
	wholeRead        = 64 << 10 // bytes; longer sections grow as they are read, so that a wrong length costs nothing

	unpackedFree   = 64 << 20 // bytes
	unpackedFactor = 32
	blockCost      = 128 // bytes in memory besides the block's own

	progressBlocks = 1024
	progressBytes  = 16 << 20
)

// unpacked is MaxUnpacked of so many compressed bytes.
func (o *CAROptions) unpacked(packed int64) int64 {
	if o.MaxUnpacked != 0 {
		return o.MaxUnpacked
	}
	return unpackedFree + unpackedFactor*packed
}

// ReadCAR reads an archive (the CAR specification of IPLD) of version 1 or 2, plain or compressed by gzip or zstd, calls put
// with each block in turn, and returns the archive's roots. Of version 2 it reads the archive of version 1 inside, and passes
// over the index. Each block's hash is checked against its CID if package multihash knows the function; a block by another
// function is handed on as it is. Errors say at which byte of the archive, after unpacking.
func ReadCAR(ctx context.Context, r io.Reader, put func(blocks.Block) error, o CAROptions) ([]cid.Cid, error) {
	c := newCARStream(r, o)
	defer c.close()
	return c.all(ctx, put)
}

// all is ReadCAR.
func (c *carReader) all(ctx context.Context, put func(blocks.Block) error) ([]cid.Cid, error) {
	c.stop = ctx.Err
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	roots, err := c.header()
	if err != nil {
		return nil, err
	}
	for {
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

// LoadCAR reads an archive, as ReadCAR does, into a store and returns the archive's roots. After an error some of the blocks
// may have been stored.
func LoadCAR(ctx context.Context, r io.Reader, to Blockstore, o CAROptions) ([]cid.Cid, error) {
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
	roots, err := ReadCAR(ctx, r, func(b blocks.Block) error {
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
