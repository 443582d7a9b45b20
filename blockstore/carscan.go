package blockstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// CARSection is where a block lies in an archive.
type CARSection struct {
	// CID is the block's, in its own form. It is valid until the next section.
	CID []byte
	// At is the byte of the archive, after unpacking, at which the section begins: a length, the CID, the block.
	At int64
}

// ScanCAR finds the blocks of an archive of version 1 or 2, not compressed, of size bytes, in the order they lie there. It reads
// their CIDs only: no hash is checked, and a block may be of any length. Errors are those of ReadCAR, and visit's.
func ScanCAR(ctx context.Context, archive io.ReaderAt, size int64, visit func(CARSection) error, o CAROptions) error {
	return newCARReaderAt(archive, size, o).scan(ctx, visit)
}

// ScanCARStream is ScanCAR of a stream, for which it is read to the end of the last block, and of padding.
func ScanCARStream(ctx context.Context, r io.Reader, visit func(CARSection) error, o CAROptions) error {
	return newCARReader(r, o).scan(ctx, visit)
}

// scan is ScanCAR.
func (c *carReader) scan(ctx context.Context, visit func(CARSection) error) error {
	c.stop = ctx.Err
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := c.header(); err != nil {
		return err
	}
	for {
		start := c.off
		length, err := c.length(0, "", "a block")
		if errors.Is(err, io.EOF) {
			c.tell()
			return nil
		}
		if err != nil {
			return err
		}
		if left := c.size - c.off; c.whole != nil && length > left {
			return c.short(start, "a block", left, length)
		}
		k, err := c.peekCID(start, length)
		if err != nil {
			return err
		}
		if err := visit(CARSection{CID: k, At: start}); err != nil {
			return err
		}
		from := c.off
		if err := c.skip(length); errors.Is(err, io.EOF) {
			return c.short(start, "a block", c.off-from, length)
		} else if err != nil {
			return c.failed(err)
		}
		if err := c.look(); err != nil {
			return err
		}
	}
}

// peekCID is the CID of the section at hand, in its own form.
func (c *carReader) peekCID(start, length int64) ([]byte, error) {
	for _, most := range []int64{cidRead, wholeRead} { // nearly all are short
		head, err := c.r.Peek(int(min(length, most)))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, c.failed(err)
		}
		if err != nil && int64(len(head)) < length && len(head) < int(most) {
			return nil, c.short(start, "a block", int64(len(head)), length)
		}
		if p, n, err := cbor.SplitCID(head); err == nil {
			return p.Bytes(head[:n]), nil
		}
		if k, _, err := sectionCID(head); err == nil {
			return k.Bytes(), nil
		} else if int64(len(head)) == length || most == wholeRead {
			return nil, c.bad(start, "a block: %w", err)
		}
	}
	return nil, nil
}

// CARKey stands for a block in an index: the first 16 bytes of the SHA-256 of the multihash in its CID, as two numbers, most
// significant byte first. So keys are spread evenly, all have one length, two hashes with one key cannot be made, and a block is
// found whatever codec or version the archive's maker gave its CID, as in the stores of nodes.
type CARKey struct{ High, Low uint64 }

// KeyOfCID is the key of a CID, given by its bytes.
func KeyOfCID[T ~string | ~[]byte](c T) CARKey {
	sum := sha256.Sum256([]byte(hashPart(c)))
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

// put adds a section.
func (t *table) put(s CARSection) error {
	*t = append(*t, CAREntry{KeyOfCID(s.CID), s.At})
	return nil
}

func (t table) Find(key CARKey) (int64, bool, error) {
	i, ok := slices.BinarySearchFunc(t, key, func(e CAREntry, k CARKey) int { return e.Key.Compare(k) })
	if !ok {
		return 0, false, nil
	}
	return t[i].At, true, nil
}
