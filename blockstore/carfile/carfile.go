// Package carfile opens archives on disk as stores, however many blocks they have, with an index on disk.
//
// The index is made once, in one reading of the archive, and kept beside it, or in a folder for indexes. It is bound to
// the archive by size, time of change, and a hash of both ends, so that an archive that changed gets another. Memory stays
// flat: a block is found by two short reads of the index, checked by their own sum, and read from the archive, checked by
// its hash. So an index that somebody else laid there can hide blocks, but not change one.
//
// Programs and the command call this package; it calls blockstore. What an archive looks like does not belong here.
package carfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/disk/filelock"
)

// Extension is what the name of an index beside an archive has more than the archive's.
const Extension = ".efvm-index"

// smallest is the size of an archive, in bytes, from which an index on disk is worth it.
const smallest = 64 << 20

// Options say how to open an archive. The zero value has the defaults.
type Options struct {
	// CAR bounds what the archive may hold; its Progress hears the making of an index, not the use of one.
	CAR blockstore.CAROptions
	// Folder is where indexes are kept that cannot lie beside their archives. It is made when it is needed. Default:
	// none, then such archives have an index in memory, of 24 bytes a block.
	Folder string
	// NoWrite forbids to make files. Default: indexes are kept.
	NoWrite bool
}

// Store is an archive on disk. Close it when nobody reads from it any more.
type Store struct {
	*blockstore.CARStore
	path  string
	file  *os.File
	index *index // nil if it is in memory
}

// Open opens an archive of version 1, not compressed, which must not change while the store is used. Archives below 64 MiB
// get an index in memory. For others it takes an index that is there and fits, or makes one: that reads the archive once, with
// 10 MB of memory for ten million blocks and 60 for a hundred. If another process is making it, it waits. Errors are those of
// blockstore.ReadCAR.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	return open(ctx, path, o, smallest)
}

func open(ctx context.Context, path string, o Options, smallest int64) (_ *Store, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, named(path, err)
	}
	s := &Store{path: path, file: f}
	defer func() {
		if err != nil {
			err = errors.Join(named(path, err), s.Close())
		}
	}()
	a, err := identify(f)
	if err != nil {
		return nil, err
	}
	if a.size >= smallest {
		if s.index, err = find(ctx, path, a, o); err != nil {
			return nil, err
		}
	}
	if s.index != nil {
		s.CARStore, err = blockstore.NewCARStore(f, a.size, s.index, o.CAR)
	} else {
		s.CARStore, err = blockstore.OpenCAR(f, a.size, o.CAR)
	}
	return s, err
}

// named says of which file an error is, once.
func named(path string, err error) error {
	var of *fs.PathError
	if errors.As(err, &of) && of.Path == path {
		err = of.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Indexed tells where the index lies on disk. It is "" for one in memory.
func (s *Store) Indexed() string {
	if s.index == nil {
		return ""
	}
	return s.index.Name()
}

// Get is that of blockstore.CARStore; errors say which file is wrong.
func (s *Store) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := s.CARStore.Get(ctx, c)
	if errors.Is(err, blockstore.ErrCAR) {
		if where := s.Indexed(); where != "" {
			err = fmt.Errorf("%w; if %s is right, remove its index %s", err, s.path, where)
		} else {
			err = fmt.Errorf("%s has changed: %w", s.path, err)
		}
	}
	return b, err
}

// Close closes the files.
func (s *Store) Close() error {
	err := s.file.Close()
	if s.index != nil {
		err = errors.Join(err, s.index.Close())
	}
	return err
}

// archive is what tells an archive from another.
type archive struct {
	file *os.File
	size int64
	time int64 // of the last change, in nanoseconds since 1970
	ends [sha256.Size]byte
}

// endBytes is how much of the archive is hashed at each end.
const endBytes = 64 << 10

func identify(f *os.File) (*archive, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no file that can be read here and there: save it to one")
	}
	a := &archive{file: f, size: info.Size(), time: info.ModTime().UnixNano()}
	h, buf := sha256.New(), make([]byte, min(endBytes, a.size))
	for _, at := range []int64{0, a.size - int64(len(buf))} {
		if n, err := f.ReadAt(buf, at); n < len(buf) {
			return nil, fmt.Errorf("reading at byte %d: %w", at, err)
		}
		h.Write(buf)
	}
	h.Sum(a.ends[:0])
	return a, nil
}

// find opens the index of an archive, or makes it at the first place where that can be. It is nil if it can be nowhere.
func find(ctx context.Context, path string, a *archive, o Options) (*index, error) {
	places := []string{path + Extension}
	if o.Folder != "" {
		full, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		name := sha256.Sum256([]byte(full))
		places = append(places, filepath.Join(o.Folder, hex.EncodeToString(name[:16])+Extension))
	}
	for _, place := range places {
		if x, err := openIndex(place, a); err == nil {
			return x, nil
		}
	}
	if o.NoWrite {
		return nil, nil
	}
	for _, place := range places {
		x, err := makeIndex(ctx, place, a, o)
		if err == nil {
			return x, nil
		}
		if errors.Is(err, blockstore.ErrCAR) || errors.Is(err, errChanged) || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, nil
}

// errChanged is of an archive that is being written to.
var errChanged = errors.New("it changed while its index was made")

// makeIndex makes the index at a place, or waits for another process that does.
func makeIndex(ctx context.Context, place string, a *archive, o Options) (*index, error) {
	if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
		return nil, err
	}
	for {
		unlock, err := filelock.Try(place + ".lock")
		if errors.Is(err, filelock.ErrBusy) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		defer unlock()
		// Whoever had the lock before may have made it.
		if x, err := openIndex(place, a); err == nil {
			return x, nil
		}
		if err := build(ctx, place, a, o.CAR); err != nil {
			return nil, err
		}
		if now, err := identify(a.file); err != nil || now.size != a.size || now.time != a.time || now.ends != a.ends {
			return nil, errors.Join(errChanged, err, os.Remove(place))
		}
		return openIndex(place, a)
	}
}
