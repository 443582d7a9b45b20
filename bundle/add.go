package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

// EnvAdded is the environment variable that names the folder of added bundles.
const EnvAdded = "EDGEFVM_ADDED_BUNDLES"

// DefaultAdded is the folder of added bundles: the one that EDGEFVM_ADDED_BUNDLES names, else edgefvm/bundles in the
// user's folder of configuration. It is "" where there is no such folder.
func DefaultAdded() string {
	if dir := os.Getenv(EnvAdded); dir != "" {
		return dir
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "edgefvm", "bundles")
}

// AddOptions say what a bundle is added as.
type AddOptions struct {
	// Version and Network name it. Default: as Lotus's list names its manifest.
	Version int
	Network string
	// Replace allows it to take the place of a bundle that was added under this name before, or of one in Lotus's list
	// that is not an earlier version again. Default: that is an error.
	Replace bool
}

// Addition is a bundle that was added.
type Addition struct {
	*Bundle
	// Path is where it lies.
	Path string
	// Known are the names that Lotus's list has for its manifest, in the order of versions.
	Known []string
	// Instead is the manifest's CID of the bundle in Lotus's list whose place it takes, and InsteadSameAs the earlier
	// version which that is again. Both may be "".
	Instead, InsteadSameAs string
}

var (
	// ErrUnnamed is of a bundle that Lotus's list does not know, when AddOptions do not name it.
	ErrUnnamed = errors.New("no list has its manifest: say which version and network it is")
	// ErrNoFolder is of a folder for added bundles that is a file.
	ErrNoFolder = errors.New("the folder of added bundles is a file: name a folder in " + EnvAdded + ", or move the file away")
	// ErrName is of AddOptions that no bundle can be named by.
	ErrName = errors.New("a bundle is of version 8 or later, and a network has a name of small letters, digits and dashes")
	// ErrTaken is of a name that another bundle has, see AddOptions.Replace.
	ErrTaken = errors.New("another bundle has this name")
)

// Add checks a bundle's CAR, in any form that package blockstore reads, and stores it in a folder for Options.Added: its manifest,
// that names and code of the actors occur once and those that the machine needs are there, and that the code of each is there, hashes to
// its CID, and passes the machine's instrumentation. A bundle that Lotus's list knows keeps a name from there.
func Add(ctx context.Context, car io.Reader, folder string, o AddOptions) (*Addition, error) {
	switch {
	case o.Version != 0 && o.Version < firstVersion:
		return nil, fmt.Errorf("version %d: %w", o.Version, ErrName)
	case o.Network != "" && !isNetwork(o.Network):
		return nil, fmt.Errorf("network %q: %w", o.Network, ErrName)
	}
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	store := blockstore.NewMemory()
	b, err := LoadCAR(ctx, car, store)
	if err != nil {
		return nil, err
	}
	a, err := named(b, o)
	if err != nil {
		return nil, err
	}
	if err := b.check(ctx, store); err != nil {
		return nil, err
	}
	e := Entry{Version: b.Version, Network: b.Network}
	a.Path = carIn(folder, e)
	if err := a.placed(ctx, e, o.Replace); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("adding %s: %w", e.Name(), err)
	}
	err = wholefile.Write(a.Path, func(w io.Writer) error {
		return blockstore.WriteCAR(w, []cid.Cid{b.ManifestCID}, b.blocks(ctx, store))
	})
	if err != nil {
		return nil, fmt.Errorf("adding %s as %s: %w", e.Name(), a.Path, err)
	}
	return a, nil
}

// named decides what the bundle is called.
func named(b *Bundle, o AddOptions) (*Addition, error) {
	all := known(b.ManifestCID.String())
	a := &Addition{Bundle: b, Known: namesOf(all)}
	b.Version, b.Network = o.Version, o.Network
	switch {
	case len(all) > 0:
		i := slices.IndexFunc(all, func(e Entry) bool {
			return (o.Version == 0 || e.Version == o.Version) && (o.Network == "" || e.Network == o.Network)
		})
		if i < 0 {
			return nil, fmt.Errorf("its manifest %s is that of %s: it can have no other name", b.ManifestCID, strings.Join(a.Known, ", "))
		}
		b.Version, b.Network = all[i].Version, all[i].Network
	case o.Version == 0 || o.Network == "":
		return nil, fmt.Errorf("manifest %s: %w", b.ManifestCID, ErrUnnamed)
	}
	return a, nil
}

// placed finds out whose place the bundle takes, and whether it may.
func (a *Addition) placed(ctx context.Context, e Entry, replace bool) error {
	manifest := a.ManifestCID.String()
	if listed := manifests[e.Name()]; listed != "" && listed != manifest {
		a.Instead, a.InsteadSameAs = listed, sameAs(Entry{Version: e.Version, Manifest: listed})
		if a.InsteadSameAs == "" && !replace {
			return fmt.Errorf("%w: %s is %s in Lotus's list", ErrTaken, e.Name(), listed)
		}
	}
	if replace {
		return nil
	}
	switch _, b, err := openFile(ctx, a.Path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %s, which cannot be read: %w", ErrTaken, a.Path, err)
	case b.ManifestCID != a.ManifestCID:
		return fmt.Errorf("%w: %s, with the manifest %s", ErrTaken, a.Path, b.ManifestCID)
	}
	return nil
}

const (
	firstVersion    = 8  // of the actors that ran on the FVM
	ethereumVersion = 10 // from here on there are those of the FEVM
)

// check looks at what LoadCAR does not: names, and whether the code can run.
func (b *Bundle) check(ctx context.Context, store blockstore.Blockstore) error {
	rules, required := instrument.RulesV040(), actors.RequiredEthereum()
	if b.Version < ethereumVersion {
		rules, required = instrument.RulesV020(), actors.Required()
	}
	entries := make([]actors.Entry, len(b.Actors))
	for i, a := range b.Actors {
		if slices.ContainsFunc(b.Actors[:i], func(other Actor) bool { return other.Name == a.Name || other.Code == a.Code }) {
			return fmt.Errorf("the bundle has the name or the code of actor %q twice", a.Name)
		}
		entries[i] = actors.Entry(a)
	}
	if _, err := actors.NewManifest(entries, required...); err != nil {
		return err
	}
	for _, a := range b.Actors {
		code, err := store.Get(ctx, a.Code)
		if err != nil {
			return err
		}
		if _, err := instrument.Instrument(code.RawData(), &rules); err != nil {
			return fmt.Errorf("the code of actor %s, %s: %w", a.Name, a.Code, err)
		}
	}
	return nil
}

// blocks are those of a bundle: the manifest, its list, the code.
func (b *Bundle) blocks(ctx context.Context, store blockstore.Blockstore) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		head, err := store.Get(ctx, b.ManifestCID)
		if !yield(head, err) || err != nil {
			return
		}
		var all []cid.Cid
		if err := cbor.Links(head.RawData(), &cbor.LinkRules{}, func(raw []byte) error {
			c, _, err := cbor.ParseCID(raw)
			all = append(all, c)
			return err
		}); err != nil {
			yield(nil, err)
			return
		}
		for _, c := range append(all, b.Codes()...) {
			if block, err := store.Get(ctx, c); !yield(block, err) || err != nil {
				return
			}
		}
	}
}

// Remove removes a bundle that was added to a folder. The error is ErrNotFound if there is none.
func Remove(folder string, version int, network string) error {
	if err := checkFolder(folder); err != nil {
		return err
	}
	e := Entry{Version: version, Network: network}
	err := os.Remove(carIn(folder, e))
	if errors.Is(err, fs.ErrNotExist) || !isNetwork(network) {
		return fmt.Errorf("%w: %s was not added to %s", ErrNotFound, e.Name(), folder)
	}
	return err
}

// listAdded names the bundles in a folder of added ones, which need not exist.
func listAdded(folder string) ([]Entry, error) {
	if folder == "" {
		return nil, nil
	}
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	list, err := appendCARs(nil, folder, Entry{Added: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// NameOfAdded is the name of the bundle with a list of actors among those that Add stored in a folder; "" if there is none.
// It is [NameOf] for them.
func NameOfAdded(folder string, list cid.Cid) (string, error) {
	all, err := listAdded(folder)
	manifest := ManifestOf(list).String()
	for _, e := range all {
		if e.Manifest == manifest {
			return e.Name(), nil
		}
	}
	return "", err
}

// checkFolder refuses a file in the folder's place.
func checkFolder(folder string) error {
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return fmt.Errorf("%s: %w", folder, ErrNoFolder)
	}
	return nil
}

// appendCARs appends the CARs in a folder to a list, like the given entry.
func appendCARs(list []Entry, dir string, like Entry) ([]Entry, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("actor bundles: %w", err)
	}
	for _, f := range files {
		base, ok := strings.CutSuffix(f.Name(), carExt)
		v, network, dash := strings.Cut(base, "-")
		version, err := versionOf(v)
		if !ok || !dash || err != nil {
			continue
		}
		like.Version, like.Network, like.Manifest = version, network, rootOf(filepath.Join(dir, f.Name()))
		list = append(list, like)
	}
	return list, nil
}

// rootOf is the root of a plain CAR with one, "" of any other file.
func rootOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	store, err := blockstore.NewCARStore(f, info.Size(), nil, blockstore.CAROptions{})
	if err != nil || len(store.Roots()) != 1 {
		return ""
	}
	return store.Roots()[0].String()
}

// openAdded opens the CAR of a bundle that was added.
func (s *Set) openAdded(e Entry) (*os.File, error) {
	if s.added == "" {
		return nil, fs.ErrNotExist
	}
	return os.Open(carIn(s.added, e))
}

// loadAdded loads a bundle that was added. It is nil if there is none.
func (s *Set) loadAdded(ctx context.Context, e Entry, store blockstore.Blockstore) (*Bundle, error) {
	f, err := s.openAdded(e)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := LoadCAR(ctx, f, store)
	return s.asAdded(e, b, err)
}

// storeAdded is the store of a bundle that was added. It is nil if there is none.
func (s *Set) storeAdded(ctx context.Context, e Entry) (blockstore.Blockstore, error) {
	if s.added == "" {
		return nil, nil
	}
	store, b, err := openFile(ctx, carIn(s.added, e))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if _, err = s.asAdded(e, b, err); err != nil {
		return nil, err
	}
	return store, nil
}

// asAdded is a bundle as it was added; not one that Lotus's list knows under other names.
func (s *Set) asAdded(e Entry, b *Bundle, err error) (*Bundle, error) {
	if err == nil {
		b.Version, b.Network = e.Version, e.Network
		if names := namesOf(known(b.ManifestCID.String())); len(names) > 0 && !slices.Contains(names, e.Name()) {
			err = fmt.Errorf("its manifest is that of %s", strings.Join(names, ", "))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("added as %s: %w; remove it", carIn(s.added, e), err)
	}
	return b, nil
}
