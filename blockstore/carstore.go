package blockstore

import (
	"context"
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
// its CID before it is handed out. Any number of goroutines may use it.
type CARStore struct {
	archive io.ReaderAt
	roots   []cid.Cid
	where   map[string]span // by the bytes of CIDs

	mu   sync.RWMutex
	kept map[string][]byte // small blocks that were read
}

// span is where a block's bytes lie in an archive.
type span struct {
	at   int64
	size int
}

const (
	cidRead   = 1 << 10 // bytes of a section that are looked at for its CID
	keptBlock = 4 << 10 // bytes; blocks no longer than this stay in memory
)

// OpenCAR finds the blocks of an archive of version 1, not compressed, of size bytes. It reads their CIDs only. The archive
// must stay open, and as it is, while the store is used. Errors are those of ReadCAR.
func OpenCAR(archive io.ReaderAt, size int64, o CAROptions) (*CARStore, error) {
	s := &CARStore{archive: archive, where: map[string]span{}, kept: map[string][]byte{}}
	r := newCARReader(io.NewSectionReader(archive, 0, size), o)
	var err error
	if s.roots, err = r.header(); err != nil {
		return nil, err
	}
	for {
		start := r.off
		r.r.Reset(io.NewSectionReader(archive, start, size-start))
		length, err := r.length(r.o.MaxBlock, "a block")
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if left := size - r.off; int64(length) > left {
			return nil, r.bad(start, "a block has %d of %d bytes, then the archive ends", left, length)
		}
		head, err := r.r.Peek(min(length, cidRead))
		if err != nil {
			return nil, fmt.Errorf("reading a CAR at byte %d: %w", r.off, err)
		}
		k, n, err := cbor.ParseCID(head)
		if err != nil {
			return nil, r.bad(start, "a block: %w", err)
		}
		s.where[k.KeyString()] = span{r.off + int64(n), length - n}
		r.off += int64(length)
	}
}

// Roots are the archive's roots.
func (s *CARStore) Roots() []cid.Cid { return s.roots }

// Has reports whether the block is there.
func (s *CARStore) Has(_ context.Context, c cid.Cid) (bool, error) {
	_, ok := s.where[c.KeyString()]
	return ok, nil
}

// Get reads a block. The error is one for which IsNotFound is true if there is none, and wraps ErrCAR if its bytes do not
// hash to its CID.
func (s *CARStore) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	key := c.KeyString()
	at, ok := s.where[key]
	if !ok {
		return nil, format.ErrNotFound{Cid: c}
	}
	s.mu.RLock()
	data, ok := s.kept[key]
	s.mu.RUnlock()
	if ok {
		return blocks.NewBlockWithCid(data, c)
	}
	data, err := s.read(c, at)
	if err != nil {
		return nil, err
	}
	if len(data) <= keptBlock {
		s.mu.Lock()
		s.kept[key] = data
		s.mu.Unlock()
	}
	return blocks.NewBlockWithCid(data, c)
}

func (s *CARStore) read(c cid.Cid, at span) ([]byte, error) {
	data := make([]byte, at.size)
	if n, err := s.archive.ReadAt(data, at.at); n < len(data) {
		return nil, fmt.Errorf("reading block %s of a CAR at byte %d: %w", c, at.at, err)
	}
	p, _, err := cbor.SplitCID(c.Bytes())
	if err != nil {
		return nil, err
	}
	if err := checkHash(&p, data); err != nil {
		return nil, fmt.Errorf("%w: at byte %d: block %s: %w", ErrCAR, at.at, c, err)
	}
	return data, nil
}

// Put refuses.
func (s *CARStore) Put(context.Context, blocks.Block) error { return ErrReadOnly }

// PutMany refuses.
func (s *CARStore) PutMany(context.Context, []blocks.Block) error { return ErrReadOnly }
