// Package carfile opens archives on disk as stores, however many blocks they have, with an index on disk: CARs of version 1 and
// 2, plain or compressed by gzip or zstd.
//
// The index is made once, in one reading of the archive, and kept in a folder for indexes. It is bound to the archive by size,
// time of change, and a hash of both ends, so that an archive that changed gets another. Memory stays flat: a block is found by
// two short reads of the index, checked by their own sum, and read from the archive, checked by its hash. So an index that
// somebody else laid there can hide blocks, but not change one.
//
// An archive that is compressed by zstd in frames of at most 4 MiB, as Forest's snapshots are, is read where it lies, a frame at
// a time. One that is compressed otherwise cannot be read here and there: it is unpacked once, to a copy beside the index.
//
// Programs and the command call this package; it calls blockstore. What an archive looks like does not belong here.
package carfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// Extension is what the name of an index ends with.
const Extension = ".efvm-index"

const (
	smallest       = 64 << 20 // bytes of an archive from which an index on disk is worth it
	smallestPacked = 16 << 20 // the same of one that is compressed, both before and after unpacking
)

// Options say how to open an archive. The zero value has the defaults.
type Options struct {
	// CAR bounds what the archive may hold. Its Progress hears the making of an index, not the use of one. Its Padding hears at
	// each opening of an archive that is padded. Its MaxUnpacked bounds the disk that a copy takes, and what is unpacked to
	// make an index; default here: 16 GiB, and 32 times the archive's size.
	CAR blockstore.CAROptions
	// Folder is where indexes and unpacked copies are kept. It is made when it is needed. An index that lies beside the archive,
	// with the archive's name and Extension, is used too, and made there if the folder cannot be written to. If there is no
	// place, the index is in memory, of 24 bytes a block. Default: DefaultFolder.
	Folder string
	// NoWrite forbids to make files: an index that is not there yet is made in memory, and an archive that would have to be
	// unpacked to disk is unpacked to memory, up to CAR.MaxMemory, 64 MiB by default. Default: indexes are kept.
	NoWrite bool
	// Progress hears how far the making of an index or a copy is. It is called by the goroutine that opens. Default: nobody.
	Progress func(Work)
}

// Work is how far the making of an index is.
type Work struct {
	// Done and Size are bytes of the archive's file: read so far, and in all.
	Done, Size int64
	// Blocks and Unpacked are how many blocks were found so far, and in how many bytes after unpacking.
	Blocks, Unpacked int64
	// Copy is the file to which the archive is unpacked, "" if it is not.
	Copy string
}

// DefaultFolder is the folder archives in the folder that the environment variable EDGEFVM_CACHE names, else in edgefvm in the
// user's cache folder.
func DefaultFolder() (string, error) {
	dir := os.Getenv("EDGEFVM_CACHE")
	if dir == "" {
		users, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no folder for indexes is known: set EDGEFVM_CACHE: %w", err)
		}
		dir = filepath.Join(users, "edgefvm")
	}
	return filepath.Abs(filepath.Join(dir, "archives"))
}

// Store is an archive on disk. Close it when nobody reads from it any more.
type Store struct {
	*blockstore.CARStore
	path  string
	file  *os.File
	copy  *os.File // nil if there is none
	index *index   // nil if it is in memory
}

// Open opens an archive, which must not change while the store is used. Archives below 64 MiB, and compressed ones below 16,
// get an index in memory. For others it takes an index that is there and fits, or makes one: that reads the archive once, with
// 10 MB of memory for ten million blocks and 60 for a hundred. If another process is making it, it waits. Errors name the file,
// and are otherwise those of blockstore.ReadCAR.
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
	kind, err := a.kind()
	if err != nil {
		return nil, err
	}
	packed := kind != packing.Plain
	small := a.size < smallest
	if packed { // one that has an index was too large to be unpacked into memory
		if small = a.size < min(smallest, smallestPacked); small {
			s.index = made(path, a, o)
		}
	}
	if small && s.index == nil {
		inMemory := o.CAR
		if inMemory.MaxMemory == 0 {
			inMemory.MaxMemory = smallestPacked
		}
		s.CARStore, err = blockstore.OpenCAR(f, a.size, inMemory)
		if !packed || !errors.Is(err, blockstore.ErrCARBound) {
			return s, err
		}
	}
	if s.index == nil {
		if s.index, err = find(ctx, path, a, o); err != nil {
			return nil, err
		}
	}
	if err = s.read(a, o); err == nil || s.index == nil || !errors.Is(err, errDamaged) && !errors.Is(err, blockstore.ErrCAR) {
		return s, err
	}
	// The index is damaged where its head does not show it.
	place := s.index.Name()
	if err = s.dropIndex(); err != nil {
		return nil, err
	}
	if !o.NoWrite && os.Remove(place) == nil {
		if s.index, err = find(ctx, path, a, o); err != nil {
			return nil, err
		}
	}
	return s, s.read(a, o)
}

// dropIndex closes the index, and the copy that it is of.
func (s *Store) dropIndex() error {
	err := s.index.Close()
	s.index = nil
	if s.copy != nil {
		err = errors.Join(err, s.copy.Close())
		s.copy = nil
	}
	return err
}

// read opens the blocks by the index, or without one.
func (s *Store) read(a *archive, o Options) (err error) {
	if s.index == nil {
		if o.CAR.MaxMemory == 0 {
			o.CAR.MaxMemory = smallest
		}
		s.CARStore, err = blockstore.OpenCAR(s.file, a.size, o.CAR)
		if errors.Is(err, blockstore.ErrCARBound) && !o.NoWrite {
			err = fmt.Errorf("%w; no folder can be written to, to which it could be unpacked: name one, or unpack it first", err)
		}
		return err
	}
	var from io.ReaderAt = s.file
	switch s.index.form {
	case framed:
		from = packing.NewView(s.file, a.size, s.index.unpacked, frameTable{s.index})
	case copied:
		if s.copy, err = os.Open(a.copyPath(s.index.Name())); err != nil {
			return err
		}
		from = s.copy
	}
	if s.CARStore, err = blockstore.NewCARStore(from, s.index.unpacked, s.index, o.CAR); err == nil && s.index.padding > 0 && o.CAR.Padding != nil {
		o.CAR.Padding(s.index.padding)
	}
	return err
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

// Unpacked tells where the copy lies to which the archive was unpacked. It is "" if it is read where it lies, or from memory.
func (s *Store) Unpacked() string {
	if s.copy == nil {
		return ""
	}
	return s.copy.Name()
}

// Get is that of blockstore.CARStore; errors say which file is wrong.
func (s *Store) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := s.CARStore.Get(ctx, c)
	if errors.Is(err, blockstore.ErrCAR) {
		if where := s.Indexed(); where != "" {
			err = fmt.Errorf("%w; if %s is right, remove its index %s", err, s.path, where)
		} else {
			err = fmt.Errorf("%s: %w", s.path, err)
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
	if s.copy != nil {
		err = errors.Join(err, s.copy.Close())
	}
	return err
}
