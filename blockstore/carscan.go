package blockstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// CARSection is where a block lies in an archive.
type CARSection struct {
	// CID is the block's, in its own form. It is valid until the next section.
	CID []byte
	// At is the byte of the archive at which the section begins: a length, the CID, the block.
	At int64
}

// ScanCAR finds the blocks of an archive of version 1, not compressed, of size bytes, in the order they lie there. It reads
// their CIDs only: no hash is checked. Other forms of archives can be scanned by giving the part that has this form, or a
// view of it. Errors are those of ReadCAR, and visit's.
func ScanCAR(ctx context.Context, archive io.ReaderAt, size int64, visit func(CARSection) error, o CAROptions) error {
	r := newCARReader(io.NewSectionReader(archive, 0, size), o)
	if _, err := r.header(); err != nil {
		return err
	}
	for {
		if r.blocks%progressBlocks == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		start := r.off
		length, err := r.length(r.o.MaxBlock, "MaxBlock", "a block")
		if errors.Is(err, io.EOF) {
			r.tell()
			return nil
		}
		if err != nil {
			return err
		}
		if left := size - r.off; int64(length) > left {
			return r.bad(start, "a block has %d of %d bytes, then the archive ends", left, length)
		}
		head, err := r.r.Peek(min(length, cidRead))
		if err != nil {
			return fmt.Errorf("reading a CAR at byte %d: %w", r.off, err)
		}
		p, n, err := cbor.SplitCID(head)
		if err != nil {
			return r.bad(start, "a block: %w", err)
		}
		if err := visit(CARSection{CID: p.Bytes(head[:n]), At: start}); err != nil {
			return err
		}
		if err := r.skip(length, archive, size); err != nil {
			return err
		}
		r.count(start, length) //nolint:errcheck // nothing was unpacked
	}
}

// skip goes over n bytes. It reads on when that is less than a jump would read again.
func (c *carReader) skip(n int, archive io.ReaderAt, size int64) error {
	c.off += int64(n)
	if n > c.r.Buffered()+wholeRead {
		c.r.Reset(io.NewSectionReader(archive, c.off, size-c.off))
		return nil
	}
	if _, err := c.r.Discard(n); err != nil {
		return fmt.Errorf("reading a CAR at byte %d: %w", c.off, err)
	}
	return nil
}

// CARKey stands for a CID in an index: the first 16 bytes of the SHA-256 of the CID's bytes, as two numbers, most significant
// byte first. So keys are spread evenly, all have one length, and two CIDs with one key cannot be made.
type CARKey struct{ High, Low uint64 }

// KeyOfCID is the key of a CID, given by its bytes.
func KeyOfCID[T ~string | ~[]byte](c T) CARKey {
	sum := sha256.Sum256([]byte(c))
	return CARKey{binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])}
}

// Compare orders keys.
func (k CARKey) Compare(l CARKey) int {
	if k.High != l.High {
		return cmp.Compare(k.High, l.High)
	}
	return cmp.Compare(k.Low, l.Low)
}

// CAREntry is a row of an index.
type CAREntry struct {
	Key CARKey
	At  int64 // of the section, as in CARSection
}

// SortCAREntries orders entries by key, and drops those whose key another has: of a block that is there several times the
// first section stays. It changes the slice.
func SortCAREntries(t []CAREntry) []CAREntry {
	slices.SortFunc(t, func(a, b CAREntry) int {
		if c := a.Key.Compare(b.Key); c != 0 {
			return c
		}
		return cmp.Compare(a.At, b.At)
	})
	return slices.CompactFunc(t, func(a, b CAREntry) bool { return a.Key == b.Key })
}

// CARIndex finds blocks in an archive. It may be used by any number of goroutines.
type CARIndex interface {
	// Find is where the section of a block begins; ok is false if the archive does not have the block.
	Find(key CARKey) (at int64, ok bool, err error)
}

// table is an index in memory, 24 bytes a block.
type table []CAREntry

// tableOf makes an index of an archive.
func tableOf(archive io.ReaderAt, size int64, o CAROptions) (table, error) {
	var t table
	err := ScanCAR(context.Background(), archive, size, func(s CARSection) error {
		t = append(t, CAREntry{KeyOfCID(s.CID), s.At})
		return nil
	}, o)
	if err != nil {
		return nil, err
	}
	return slices.Clip(SortCAREntries(t)), nil
}

func (t table) Find(key CARKey) (int64, bool, error) {
	i, ok := slices.BinarySearchFunc(t, key, func(e CAREntry, k CARKey) int { return e.Key.Compare(k) })
	if !ok {
		return 0, false, nil
	}
	return t[i].At, true, nil
}
