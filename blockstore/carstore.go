package blockstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ErrReadOnly is of a store that takes no blocks.
var ErrReadOnly = errors.New("the store cannot be written to")

// CARStore is a Blockstore that reads blocks from an archive as they are asked for. Each block's hash is checked against
// its CID before it is handed out, so that neither the archive nor its index can pass off one block for another. Any
// number of goroutines may use it.
type CARStore struct {
	archive io.ReaderAt
	size    int64
	roots   []cid.Cid
	index   CARIndex
	longest int // section, in bytes
	kept    kept
}

const (
	cidRead   = 1 << 10  // bytes of a section that are looked at for its CID
	firstRead = 4 << 10  // bytes of a section that are read at once; blocks no longer than this stay in memory
	keptBytes = 16 << 20 // bytes of blocks that stay in memory, twice: see kept
)

// OpenCAR opens an archive of version 1, not compressed, of size bytes. It reads the CIDs of its blocks and keeps an index
// of 24 bytes a block in memory; package carfile keeps it on disk. The archive must stay open, and as it is, while the
// store is used. Errors are those of ReadCAR.
func OpenCAR(archive io.ReaderAt, size int64, o CAROptions) (*CARStore, error) {
	t, err := tableOf(archive, size, o)
	if err != nil {
		return nil, err
	}
	return NewCARStore(archive, size, t, o)
}

// NewCARStore is OpenCAR with an index that was made before: of each section that ScanCAR finds an entry, and of several
// with one key one of them. It reads the header only.
func NewCARStore(archive io.ReaderAt, size int64, index CARIndex, o CAROptions) (*CARStore, error) {
	r := newCARReader(io.NewSectionReader(archive, 0, size), o)
	roots, err := r.header()
	if err != nil {
		return nil, err
	}
	return &CARStore{archive: archive, size: size, roots: roots, index: index, longest: r.o.MaxBlock, kept: kept{most: keptBytes}}, nil
}

// Roots are the archive's roots.
func (s *CARStore) Roots() []cid.Cid { return s.roots }

// Has reports whether the block is there, by the index alone.
func (s *CARStore) Has(_ context.Context, c cid.Cid) (bool, error) {
	_, ok, err := s.index.Find(KeyOfCID(c.KeyString()))
	return ok, err
}

// Get reads a block. The error is one for which IsNotFound is true if there is none, and wraps ErrCAR if what lies at its
// place is not the block.
func (s *CARStore) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	key := KeyOfCID(c.KeyString())
	if data, ok := s.kept.get(key); ok {
		return blocks.NewBlockWithCid(data, c)
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
	if len(data) <= firstRead {
		s.kept.put(key, data)
	}
	return blocks.NewBlockWithCid(data, c)
}

// read reads the section at a place, which must hold block c.
func (s *CARStore) read(c cid.Cid, at int64) ([]byte, error) {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: at byte %d: block %s: %w", ErrCAR, at, c, fmt.Errorf(format, a...))
	}
	if at < 0 || at >= s.size {
		return nil, bad("the archive has %d bytes", s.size)
	}
	head := make([]byte, min(firstRead, s.size-at))
	if n, err := s.archive.ReadAt(head, at); n < len(head) {
		return nil, fmt.Errorf("reading block %s of a CAR at byte %d: %w", c, at, err)
	}
	length, n := binary.Uvarint(head)
	if n <= 0 || length > uint64(s.size-at-int64(n)) || length > uint64(s.longest) {
		return nil, bad("no section begins there")
	}
	head = head[n:min(uint64(len(head)), uint64(n)+length)]
	p, k, err := cbor.SplitCID(head)
	if err != nil || !bytes.Equal(p.Bytes(head[:k]), c.Bytes()) {
		return nil, bad("another block lies there")
	}
	data := make([]byte, int(length)-k)
	if got := copy(data, head[k:]); got < len(data) {
		from := at + int64(n+k+got)
		if m, err := s.archive.ReadAt(data[got:], from); m < len(data)-got {
			return nil, fmt.Errorf("reading block %s of a CAR at byte %d: %w", c, from, err)
		}
	}
	if err := checkHash(&p, data); err != nil {
		return nil, bad("%w", err)
	}
	return data, nil
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
