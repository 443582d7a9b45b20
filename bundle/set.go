package bundle

import (
	"archive/tar"
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
}

// Dir is the folder that holds the bundles.
func (s *Set) Dir() string { return s.dir }

// Entry names a bundle of a set.
type Entry struct {
	Version int
	Network string
	// Manifest is the CID that the bundle must have; "" where any will do.
	Manifest string
}

// Name is the bundle's name, such as "v16/mainnet".
func (e Entry) Name() string { return fmt.Sprintf("v%d/%s", e.Version, e.Network) }

// List names every bundle, by version, then network. For a folder of archives other than Lotus's it unpacks
// them all, which takes seconds.
func (s *Set) List(ctx context.Context) ([]Entry, error) {
	var list []Entry
	if s.pinned {
		for name, manifest := range manifests {
			v, n, err := ParseName(name)
			if err != nil {
				return nil, err
			}
			if ok, err := exists(s.archive(v)); err != nil {
				return nil, err
			} else if ok {
				list = append(list, Entry{v, n, manifest})
			}
		}
	} else if err := s.listDir(ctx, &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Entry) int {
		if a.Version != b.Version {
			return a.Version - b.Version
		}
		return strings.Compare(a.Network, b.Network)
	})
	return slices.Compact(list), nil
}

func (s *Set) listDir(ctx context.Context, list *[]Entry) error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("actor bundles: %w", err)
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
			continue
		}
		base, ok := strings.CutSuffix(f.Name(), carExt)
		v, network, dash := strings.Cut(base, "-")
		if n, err := versionOf(v); ok && dash && err == nil {
			*list = append(*list, Entry{Version: n, Network: network})
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

func (s *Set) car(version int, network string) string {
	return filepath.Join(s.dir, fmt.Sprintf("v%d-%s%s", version, network, carExt))
}

// Load adds a bundle's blocks to store and returns its manifest. Every block is
// checked against its CID, and the manifest's CID against Lotus's list if the
// bundle comes from there.
func (s *Set) Load(ctx context.Context, version int, network string, store blockstore.Blockstore) (*Bundle, error) {
	var b *Bundle
	err := s.read(ctx, version, network, func(r io.Reader) (err error) {
		b, err = LoadCAR(ctx, r, store)
		return err
	})
	name := Entry{Version: version, Network: network}.Name()
	if err != nil {
		return nil, fmt.Errorf("actor bundle %s: %w", name, err)
	}
	if want := manifests[name]; s.pinned && b.ManifestCID.String() != want {
		return nil, fmt.Errorf("actor bundle %s: its manifest is %s, expected %s: the module in %s was altered", name, b.ManifestCID, want, s.dir)
	}
	b.Version, b.Network = version, network
	return b, nil
}

// Export writes a bundle as a CAR, as it is in the archive.
func (s *Set) Export(ctx context.Context, version int, network string, w io.Writer) error {
	return s.read(ctx, version, network, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// read hands the CAR of a bundle to use.
func (s *Set) read(ctx context.Context, version int, network string, use func(io.Reader) error) error {
	if s.pinned && manifests[Entry{Version: version, Network: network}.Name()] == "" {
		return fmt.Errorf("%w in %s", ErrNotFound, s.dir)
	}
	if f, err := os.Open(s.car(version, network)); err == nil {
		defer f.Close()
		return use(f)
	}
	found := false
	err := s.walk(ctx, version, func(name string, r io.Reader) (bool, error) {
		if name != network {
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
