package kit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
)

// FindVectors lists the vector files that paths name. A trace that was named is passed over: a shell's
// pattern for a vector often fits its trace too.
func FindVectors(paths []string) ([]string, error) {
	var named []string
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && !info.IsDir() && IsTrace(p) {
			continue
		}
		named = append(named, p)
	}
	files, err := conformance.Find(named...)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; name vector files, or folders of them", err)
	}
	return files, err
}

// IsTrace tells by its name whether a file is a trace.
func IsTrace(path string) bool {
	for _, ending := range []string{".trace.gz", ".trace.json.gz", ".trace.json"} {
		if strings.HasSuffix(path, ending) {
			return true
		}
	}
	return false
}

// LoadBundle loads "v16/mainnet", or the CAR in a file, into a store. The version is 0 for a file, which does not
// tell it.
func LoadBundle(ctx context.Context, opts bundle.Options, name string, store blockstore.Blockstore) (b *bundle.Bundle, version int, err error) {
	if info, err := os.Stat(name); err == nil && !info.IsDir() || strings.HasSuffix(name, ".car") {
		b, err := bundle.LoadCARFile(ctx, name, store)
		return b, 0, err
	}
	version, network, err := bundle.ParseName(name)
	if err != nil {
		if info, serr := os.Stat(name); serr == nil && info.IsDir() {
			err = fmt.Errorf("%s is a folder: want the CAR of a bundle, or VERSION/NETWORK such as v16/mainnet", name)
		}
		return nil, 0, AsUsage(err)
	}
	s, err := bundle.Open(ctx, opts)
	if err != nil {
		return nil, 0, err
	}
	b, err = s.Load(ctx, version, network, store)
	return b, version, BundleHint(ctx, s, name, err)
}

// NameOfAdded is the name of the user's own bundle with a list of actors, "" if there is none. It is state.Options' Bundle.
func NameOfAdded(list cid.Cid) (string, error) {
	return bundle.NameOfAdded(bundle.DefaultAdded(), list)
}

// BundleHint adds to the error that there is no such bundle those of the set that may have been meant, if there is one,
// and where the names are.
func BundleHint(ctx context.Context, s *bundle.Set, name string, err error) error {
	if !errors.Is(err, bundle.ErrNotFound) {
		return err
	}
	var names []string
	if s != nil {
		list, _ := s.List(ctx) // without it the names are not told
		for _, e := range list {
			names = append(names, e.Name())
		}
	}
	return fmt.Errorf("%w%s; 'edgefvm bundle list' names them", err, didYouMean(name, names, ""))
}
