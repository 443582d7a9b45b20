package blockstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// ErrReadOnly is of a store that takes no blocks.
var ErrReadOnly = errors.New("the store cannot be written to")

// CARStore is a Blockstore that reads blocks from an archive as they are asked for. A block is found by the multihash of its
// CID, whatever codec the archive names; one whose CID holds all of it (the function identity) needs not be in the archive. Each
// block's hash is checked against its CID before it is handed out, as by ReadCAR, so that neither the archive nor its index can
// pass off one block for another, unless CAROptions.NoHashCheck is set. Any number of goroutines may use it.
type CARStore struct {
	archive io.ReaderAt
	size    int64
	roots   []cid.Cid
	index   CARIndex
	longest int // section, in bytes
	trusted bool
	whole   bool // blocks are found by their whole CID
	kept    kept
}

const (
	cidRead   = 1 << 10  // bytes of a section that are looked at for its CID
	firstRead = 4 << 10  // bytes of a section that are read at once; blocks no longer than this stay in memory
	keptBytes = 16 << 20 // bytes of blocks that stay in memory, twice: see kept
)

// OpenCAR opens an archive of size bytes, of version 1 or 2. It reads the CIDs of its blocks and keeps an index of 24 bytes a
// block in memory; package carfile keeps it on disk. One that is compressed by zstd in frames of at most 4 MiB, as Forest's
// snapshots are, is unpacked frame by frame as it is asked for; others that are compressed by zstd or gzip are unpacked into
// memory, within CAROptions.MaxMemory. The archive must stay open, and as it is, while the store is used. Errors are those of
// ReadCAR.
func OpenCAR(archive io.ReaderAt, size int64, o CAROptions) (*CARStore, error) {
	ctx := context.Background()
	head := make([]byte, min(packing.HeadLen, size))
	if n, err := archive.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("reading a CAR at byte 0: %w", err)
	}
	var t table
	kind := packing.KindOf(head)
	switch kind {
	case packing.Zstd:
		view, err := scanFrames(ctx, archive, size, t.put, o)
		if err == nil {
			return t.store(view, view.Size(), o)
		}
		if !errors.Is(err, errLargeFrames) {
			return nil, err
		}
		t = nil
		fallthrough
	case packing.Gzip:
		data, err := unpack(io.NewSectionReader(archive, 0, size), o)
		if err != nil {
			return nil, err
		}
		archive, size = bytes.NewReader(data), int64(len(data))
	}
	c := newCARReaderAt(archive, size, o)
	c.inside = kind != packing.Plain
	if err := c.scan(ctx, t.put); err != nil {
		return nil, err
	}
	return t.store(archive, size, o)
}

// store is the store of an archive whose sections are in the table.
func (t table) store(archive io.ReaderAt, size int64, o CAROptions) (*CARStore, error) {
	return NewCARStore(archive, size, slices.Clip(table(SortCAREntries(t))), o)
}

// NewCARStore is OpenCAR of an archive that is not compressed, with an index that was made before: of each section that ScanCAR
// finds an entry, and of several with one key one of them. It reads the header only.
func NewCARStore(archive io.ReaderAt, size int64, index CARIndex, o CAROptions) (*CARStore, error) {
	r := newCARReaderAt(archive, size, o)
	roots, err := r.header()
	if err != nil {
		return nil, err
	}
	return &CARStore{archive: archive, size: size, roots: roots, index: index, longest: r.o.MaxBlock, trusted: o.NoHashCheck, whole: o.WholeCID, kept: kept{most: keptBytes}}, nil
}

// Roots are the archive's roots.
func (s *CARStore) Roots() []cid.Cid { return s.roots }

// Has reports whether the block is there, by the index alone, or by its CID in the archive if CAROptions.WholeCID is set.
func (s *CARStore) Has(_ context.Context, c cid.Cid) (bool, error) {
	if _, ok := inline(c); ok && !s.whole {
		return true, nil
	}
	at, ok, err := s.index.Find(KeyOfCID(c.KeyString()))
	if err != nil || !ok || !s.whole {
		return ok, err
	}
	_, err = s.section(c, at)
	if format.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// inline is the block of a CID that holds all of it.
func inline(c cid.Cid) ([]byte, bool) {
	function, digest, ok := splitHash(hashPart(c.KeyString()))
	return []byte(digest), ok && function == cbor.HashIdentity
}

// Get reads a block. The error is one for which IsNotFound is true if there is none, and wraps ErrCAR if what lies at its
// place is not the block.
func (s *CARStore) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	key := KeyOfCID(c.KeyString())
	if !s.whole {
		if data, ok := inline(c); ok {
			return blocks.NewBlockWithCid(data, c)
		}
		if data, ok := s.kept.get(key); ok {
			return blocks.NewBlockWithCid(data, c)
		}
	}
	at, ok, err := s.index.Find(key)
	if err != nil {
		return nil, fmt.Errorf("looking for block %s of a CAR: %w", c, err)
	}
	if !ok {
		return nil, format.ErrNotFound{Cid: c}
	}
	data, err := s.read(c, at)
	if err != nil {
		return nil, err
	}
	if len(data) <= firstRead && !s.whole { // they are kept by multihash
		s.kept.put(key, data)
	}
	return blocks.NewBlockWithCid(data, c)
}

// section is where block c lies in the section at a place.
type section struct {
	cid   cid.Cid // with the archive's codec
	data  int64   // where the block's bytes begin
	first []byte  // as many of them as were read
	size  int     // all of them
}

// section reads the head of the section at a place, which must hold block c.
func (s *CARStore) section(c cid.Cid, at int64) (section, error) {
	if at < 0 || at >= s.size {
		return section{}, badBlock(c, at, "the archive has %d bytes", s.size)
	}
	head := make([]byte, min(firstRead, s.size-at))
	if err := s.readAt(c, head, at); err != nil {
		return section{}, err
	}
	length, n := binary.Uvarint(head)
	if n <= 0 || length > uint64(s.size-at-int64(n)) {
		return section{}, badBlock(c, at, "no section begins there")
	}
	if length > uint64(s.longest) {
		return section{}, badBlock(c, at, "it has %d bytes, the bound is %d: %w (CAROptions.MaxBlock)", length, s.longest, ErrCARBound)
	}
	head = head[n:min(uint64(len(head)), uint64(n)+length)]
	k, size, err := sectionCID(head)
	if err != nil || hashPart(k.KeyString()) != hashPart(c.KeyString()) {
		return section{}, badBlock(c, at, "another block lies there")
	}
	if s.whole && !k.Equals(c) {
		return section{}, format.ErrNotFound{Cid: c}
	}
	return section{k, at + int64(n+size), head[size:], int(length) - size}, nil
}

// read reads the section at a place, which must hold block c.
func (s *CARStore) read(c cid.Cid, at int64) ([]byte, error) {
	x, err := s.section(c, at)
	if err != nil {
		return nil, err
	}
	data := make([]byte, x.size)
	if got := copy(data, x.first); got < len(data) {
		if err := s.readAt(c, data[got:], x.data+int64(got)); err != nil {
			return nil, err
		}
	}
	if s.trusted {
		return data, nil
	}
	if err := checkHash(x.cid, data); err != nil {
		return nil, badBlock(c, at, "%w", err)
	}
	return data, nil
}

// readAt fills p from a place in the archive, for block c.
func (s *CARStore) readAt(c cid.Cid, p []byte, at int64) error {
	n, err := s.archive.ReadAt(p, at)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, packing.ErrPacking):
		return badBlock(c, at, "%w", err)
	}
	return fmt.Errorf("reading block %s of a CAR at byte %d: %w", c, at, err)
}

func badBlock(c cid.Cid, at int64, format string, a ...any) error {
	return fmt.Errorf("%w: at byte %d: block %s: %w", ErrCAR, at, c, fmt.Errorf(format, a...))
}

// Put refuses.
func (s *CARStore) Put(context.Context, blocks.Block) error { return ErrReadOnly }

// PutMany refuses.
func (s *CARStore) PutMany(context.Context, []blocks.Block) error { return ErrReadOnly }

// kept has blocks that were read. When the young ones have most bytes, they become the old ones, and those that were old
// and not asked for since go.
type kept struct {
	most       int
	mu         sync.Mutex
	young, old map[CARKey][]byte
	size       int // bytes of the young ones
}

func (k *kept) get(key CARKey) ([]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	data, ok := k.young[key]
	if !ok {
		if data, ok = k.old[key]; ok {
			k.add(key, data)
		}
	}
	return data, ok
}

func (k *kept) put(key CARKey, data []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(key, data)
}

func (k *kept) add(key CARKey, data []byte) {
	if k.size >= k.most {
		k.old, k.young, k.size = k.young, nil, 0
	}
	if k.young == nil {
		k.young = map[CARKey][]byte{}
	}
	k.young[key] = data
	k.size += len(data) + blockCost
}
