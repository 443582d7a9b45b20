package bundle

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/blockstore"
)

const (
	archiveExt = ".tar.zst"
	carExt     = ".car"
	carPrefix  = "builtin-actors-" // of an entry in an archive
	maxCAR     = 256 << 20         // bytes; the largest so far has 8 MB
)

// Set is a collection of bundles on disk. Safe for concurrent use.
type Set struct {
	dir    string
	pinned bool // from the Lotus module: manifests must be those that it lists
	// unpacked is a folder for CARs out of its archives, "" if there is none.
	unpacked string
	// added is a folder of bundles that go before, "" if there is none.
	added string
	// missing says why there is no dir, when there are added bundles alone.
	missing error
}

// Dir is the folder that holds the bundles; those that were added lie elsewhere. It is "" if there are only such.
func (s *Set) Dir() string { return s.dir }

// Entry names a bundle of a set.
type Entry struct {
	Version int
	Network string
	// Manifest is the CID of its manifest; "" where that would have to be unpacked first.
	Manifest string
	// SameAs is the name of an earlier version in Lotus's list that is this bundle under another name; "" if there is none.
	SameAs string
	// Added tells that it is one that Add stored. One of the same name elsewhere is not listed.
	Added bool
}

// Name is the bundle's name, such as "v16/mainnet".
func (e Entry) Name() string { return fmt.Sprintf("v%d/%s", e.Version, e.Network) }

// compare orders entries by version, then network.
func (e Entry) compare(f Entry) int {
	return cmp.Or(cmp.Compare(e.Version, f.Version), strings.Compare(e.Network, f.Network))
}

// List names every bundle, by version, then network. For a folder of archives other than Lotus's it unpacks
// them all, which takes seconds.
func (s *Set) List(ctx context.Context) ([]Entry, error) {
	list, err := listAdded(s.added)
	if err != nil {
		return nil, err
	}
	if s.pinned {
		for name, manifest := range manifests {
			v, n, err := ParseName(name)
			if err != nil {
				return nil, err
			}
			if ok, err := exists(s.archive(v)); err != nil {
				return nil, err
			} else if ok {
				list = append(list, Entry{Version: v, Network: n, Manifest: manifest})
			}
		}
	} else if s.missing == nil {
		if err := s.listDir(ctx, &list); err != nil {
			return nil, err
		}
	}
	for i, e := range list {
		list[i].SameAs = sameAs(e)
	}
	// Of one name the first stays, which is an added one, or a CAR beside an archive.
	slices.SortStableFunc(list, Entry.compare)
	return slices.CompactFunc(list, func(a, b Entry) bool { return a.compare(b) == 0 }), nil
}

func (s *Set) listDir(ctx context.Context, list *[]Entry) error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("actor bundles: %w", err)
	}
	if *list, err = appendCARs(*list, s.dir, Entry{}); err != nil {
		return err
	}
	for _, f := range files {
		if base, ok := strings.CutSuffix(f.Name(), archiveExt); ok {
			v, err := versionOf(base)
			if err != nil {
				continue // another archive
			}
			err = s.walk(ctx, v, func(network string, _ io.Reader) (bool, error) {
				*list = append(*list, Entry{Version: v, Network: network})
				return true, nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func versionOf(s string) (int, error) {
	digits, ok := strings.CutPrefix(s, "v")
	if !ok {
		return 0, fmt.Errorf("%q is not a version", s)
	}
	return strconv.Atoi(digits)
}

func (s *Set) archive(version int) string {
	return filepath.Join(s.dir, fmt.Sprintf("v%d%s", version, archiveExt))
}

// carIn is where the CAR of a bundle lies in a folder of CARs.
func carIn(dir string, e Entry) string {
	return filepath.Join(dir, fmt.Sprintf("v%d-%s%s", e.Version, e.Network, carExt))
}

// Load adds a bundle's blocks to store and returns its manifest. Every block is
// checked against its CID, and the manifest's CID against Lotus's list if the
// bundle comes from there. With an added bundle come the blocks of the one whose
// place it takes, so that states made with that still execute.
func (s *Set) Load(ctx context.Context, version int, network string, store blockstore.Blockstore) (*Bundle, error) {
	e := Entry{Version: version, Network: network}
	b, err := s.loadAdded(ctx, e, store)
	if err != nil {
		return nil, fmt.Errorf("actor bundle %s: %w", e.Name(), err)
	}
	own, err := s.loadOwn(ctx, e, store)
	if b != nil && (errors.Is(err, ErrNotFound) || s.missing != nil) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("actor bundle %s: %w", e.Name(), err)
	}
	if b != nil {
		return b, nil
	}
	return own, nil
}

// loadOwn loads a bundle that was not added.
func (s *Set) loadOwn(ctx context.Context, e Entry, store blockstore.Blockstore) (b *Bundle, err error) {
	err = s.read(ctx, e, func(r io.Reader) (err error) {
		b, err = LoadCAR(ctx, r, store)
		return err
	})
	if err != nil {
		return nil, err
	}
	if want := manifestOf(e.Name()); s.pinned && b.ManifestCID.String() != want {
		return nil, fmt.Errorf("its manifest is %s, expected %s: the module in %s was altered", b.ManifestCID, want, s.dir)
	}
	b.Version, b.Network = e.Version, e.Network
	return b, nil
}

// Export writes a bundle as a CAR, as it lies there.
func (s *Set) Export(ctx context.Context, version int, network string, w io.Writer) error {
	e := Entry{Version: version, Network: network}
	out := func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	}
	if f, err := s.openAdded(e); err == nil {
		defer f.Close()
		return out(f)
	}
	return s.read(ctx, e, out)
}

// read hands the CAR of a bundle that was not added to use.
func (s *Set) read(ctx context.Context, e Entry, use func(io.Reader) error) error {
	if s.missing != nil {
		return s.missing
	}
	if s.pinned && manifestOf(e.Name()) == "" {
		return fmt.Errorf("%w in %s", ErrNotFound, s.dir)
	}
	if f, err := os.Open(carIn(s.dir, e)); err == nil {
		defer f.Close()
		return use(f)
	}
	found := false
	err := s.walk(ctx, e.Version, func(name string, r io.Reader) (bool, error) {
		if name != e.Network {
			return true, nil
		}
		found = true
		return false, use(r)
	})
	if err == nil && !found {
		err = fmt.Errorf("%w in %s", ErrNotFound, s.dir)
	}
	return err
}

// walk unpacks the archive of a version and visits its bundles until visit says to stop.
func (s *Set) walk(ctx context.Context, version int, visit func(network string, car io.Reader) (more bool, err error)) error {
	path := s.archive(version)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w in %s", ErrNotFound, s.dir)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", path, err)
	}
	defer z.Close()
	for t := tar.NewReader(z); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", path, err)
		}
		network, ok := strings.CutPrefix(filepath.Base(h.Name), carPrefix)
		network, isCAR := strings.CutSuffix(network, carExt)
		if !ok || !isCAR || h.Typeflag != tar.TypeReg {
			continue
		}
		if h.Size > maxCAR {
			return fmt.Errorf("unpacking %s: %s has %d bytes, more than a bundle can have", path, h.Name, h.Size)
		}
		if more, err := visit(network, t); err != nil || !more {
			return err
		}
	}
}
