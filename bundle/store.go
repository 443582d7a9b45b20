package bundle

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
	"github.com/edgefvm/fvm/internal/disk/wholefile"
)

// Store is a store of a bundle's blocks for machines, not to be written to. A block is read, and checked against its CID,
// when it is asked for: from the CAR in the set's folder, or from one that was unpacked to Options.Unpacked, so that a
// process which needs little of a bundle does not wait for all of it. Where neither is, it has all in memory, as from Load.
// The file stays open until the store is garbage.
func (s *Set) Store(ctx context.Context, version int, network string) (blockstore.Blockstore, error) {
	e := Entry{Version: version, Network: network}
	added, err := s.storeAdded(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("actor bundle %s: %w", e.Name(), err)
	}
	own, err := s.storeOwn(ctx, e)
	switch {
	case added == nil && err != nil:
		return nil, fmt.Errorf("actor bundle %s: %w", e.Name(), err)
	case added == nil:
		return own, nil
	case errors.Is(err, ErrNotFound) || s.missing != nil:
		return added, nil
	case err != nil:
		return nil, fmt.Errorf("actor bundle %s: %w", e.Name(), err)
	}
	return &blockstore.Overlay{Top: added, Base: own}, nil
}

// storeOwn is the store of a bundle that was not added.
func (s *Set) storeOwn(ctx context.Context, e Entry) (blockstore.Blockstore, error) {
	if s.missing != nil {
		return nil, s.missing
	}
	store, _, err := openFile(ctx, carIn(s.dir, e))
	if err == nil {
		return store, nil
	}
	path := s.unpackedCAR(e)
	if path != "" {
		if store, _, err := openFile(ctx, path); err == nil {
			return store, nil
		}
	}
	m := blockstore.NewMemory()
	if _, err := s.loadOwn(ctx, e, m); err != nil {
		return nil, err
	}
	if path != "" {
		s.unpack(ctx, e, path)
	}
	return m, nil
}

// unpackedCAR is where a bundle of the Lotus module lies unpacked, "" if there is no place. Its name has the manifest's CID, so
// that another release of the same version has another file.
func (s *Set) unpackedCAR(e Entry) string {
	manifest := manifests[e.Name()]
	if !s.pinned || s.unpacked == "" || manifest == "" {
		return ""
	}
	return filepath.Join(s.unpacked, fmt.Sprintf("v%d-%s-%s%s", e.Version, e.Network, manifest, carExt))
}

// unpack makes the file at path if it can. If not, the next process unpacks again, which only takes it longer.
func (s *Set) unpack(ctx context.Context, e Entry, path string) {
	if os.MkdirAll(filepath.Dir(path), 0o777) == nil {
		wholefile.Write(path, func(w io.Writer) error { //nolint:errcheck // see above
			return s.read(ctx, e, func(r io.Reader) error {
				_, err := io.Copy(w, r)
				return err
			})
		})
	}
}

// openFile opens a bundle's CAR, if it is plain, and looks whether all of it is there.
func openFile(ctx context.Context, path string) (_ blockstore.Blockstore, _ *Bundle, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fs.ErrInvalid
	}
	o := carOptions
	o.WholeCID = true // a link to code under another codec leads nowhere, as in a bundle that is read whole
	store, err := blockstore.OpenCAR(f, info.Size(), o)
	if err != nil {
		return nil, nil, err
	}
	b, err := whatIsIn(ctx, store, store.Roots())
	return &fileStore{store, path}, b, err
}

// fileStore is a CAR on disk that says where it lies.
type fileStore struct {
	*blockstore.CARStore
	path string
}

func (f *fileStore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := f.CARStore.Get(ctx, c)
	if errors.Is(err, blockstore.ErrCAR) {
		err = fmt.Errorf("%s was altered, remove it: %w", f.path, err)
	}
	return b, err
}

// CleanUnpacked removes the bundles that Store unpacked to a folder, and the folder if nothing else is in it. It returns how
// many there were, and their bytes.
func CleanUnpacked(dir string) (files int, size int64, err error) {
	return eachUnpacked(dir, true)
}

// Unpacked counts the bundles that Store unpacked to a folder, and their bytes. A folder that does not exist has none.
func Unpacked(dir string) (files int, size int64, err error) {
	return eachUnpacked(dir, false)
}

func eachUnpacked(dir string, remove bool) (files int, size int64, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "v*-*-baf*"+carExt))
	if err != nil {
		return 0, 0, err
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && remove {
			err = os.Remove(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return files, size, err
		}
		files, size = files+1, size+info.Size()
	}
	if remove {
		os.Remove(dir) //nolint:errcheck // it fails if something is in it that is not ours
	}
	return files, size, nil
}
