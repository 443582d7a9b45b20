package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Bundle is one version of the actors, for one network.
type Bundle struct {
	// Version of the actors, such as 16, and the network, such as "mainnet". Zero for a CAR from elsewhere.
	Version int
	Network string
	// ManifestCID is the root of the CAR.
	ManifestCID cid.Cid
	// Actors in the order of the manifest.
	Actors []Actor
}

// Actor is a builtin actor.
type Actor struct {
	Name string // such as "storageminer"
	Code cid.Cid
}

// Codes are the CIDs of the actors' code, in the order of the manifest.
func (b *Bundle) Codes() []cid.Cid {
	codes := make([]cid.Cid, len(b.Actors))
	for i, a := range b.Actors {
		codes[i] = a.Code
	}
	return codes
}

// ErrNotFound is a version or network of which there is no bundle.
var ErrNotFound = errors.New("no such bundle")

// versions maps network versions to the actors that the networks ran with them.
var versions = map[network.Version]int{
	16: 8, 17: 9, 18: 10, 19: 11, 20: 11, 21: 12, 22: 13, 23: 14, 24: 15, 25: 16, 26: 16, 27: 17, 28: 18, 29: 19,
}

// VersionFor is the version of the actors that a network version runs, such as
// 16 for network version 25.
func VersionFor(nv network.Version) (int, error) {
	v, ok := versions[nv]
	if !ok {
		return 0, fmt.Errorf("%w: actors of network version %d are not known", ErrNotFound, nv)
	}
	return v, nil
}

// ParseName reads a bundle's name, "VERSION/NETWORK", such as "v16/mainnet". Without a network it is mainnet's.
func ParseName(name string) (version int, network string, err error) {
	v, network, ok := strings.Cut(name, "/")
	if !ok {
		network = "mainnet"
	}
	if _, err := fmt.Sscanf(v, "v%d", &version); err != nil || fmt.Sprintf("v%d", version) != v || !isNetwork(network) {
		return 0, "", fmt.Errorf("bundle name %q: want VERSION/NETWORK, such as v16/mainnet", name)
	}
	return version, network, nil
}

// isNetwork tells whether a word can name a network; it becomes part of file names.
func isNetwork(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// known are the names that Lotus's list has for a manifest, in the order of versions.
func known(manifest string) (all []Entry) {
	for name, m := range manifests {
		if m == manifest {
			v, n, err := ParseName(name)
			if err == nil {
				all = append(all, Entry{Version: v, Network: n, Manifest: m})
			}
		}
	}
	slices.SortFunc(all, Entry.compare)
	return all
}

// namesOf are the names of entries.
func namesOf(all []Entry) (names []string) {
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// sameAs is the earliest name that Lotus's list has for a bundle's manifest, of a version before the bundle's; "" if
// there is none.
func sameAs(e Entry) string {
	if all := known(e.Manifest); len(all) > 0 && all[0].Version < e.Version {
		return all[0].Name()
	}
	return ""
}

// NameOf is the name of the bundle with a list of actors, which is what the system actor's state names: mainnet's
// if several have it, else the first. It is "" for a list that is not Lotus's.
func NameOf(list cid.Cid) string {
	all := NamesOf(list)
	if i := slices.IndexFunc(all, func(name string) bool { return strings.HasSuffix(name, "/mainnet") }); i >= 0 {
		return all[i]
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// NamesOf are the names of all bundles with a list of actors, by version and network: of v19 what v18 has too.
func NamesOf(list cid.Cid) []string { return namesOf(known(ManifestOf(list).String())) }

// ManifestOf is the CID of the manifest, the root of a bundle, with a list of actors.
func ManifestOf(list cid.Cid) cid.Cid {
	head := cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), list)
	return cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(head))
}

// LoadCAR reads a bundle CAR, in any form that package blockstore reads, adds its blocks to store, and
// returns what its manifest says. The actors' code is checked against its CIDs.
func LoadCAR(ctx context.Context, r io.Reader, store blockstore.Blockstore) (*Bundle, error) {
	roots, err := blockstore.LoadCAR(ctx, r, store, carOptions)
	if err != nil {
		return nil, err
	}
	return whatIsIn(ctx, store, roots)
}

// carOptions take a bundle that is padded: what it lacks is found out.
var carOptions = blockstore.CAROptions{MaxTotal: maxCAR, Padding: func(int64) {}}

// whatIsIn is the bundle in a store, if all of it is there. roots are its CAR's.
func whatIsIn(ctx context.Context, store blockstore.Blockstore, roots []cid.Cid) (*Bundle, error) {
	if len(roots) != 1 {
		return nil, fmt.Errorf("not an actor bundle: the CAR has %d roots", len(roots))
	}
	actors, err := ReadManifest(ctx, store, roots[0])
	if err != nil {
		return nil, fmt.Errorf("not an actor bundle: %w", err)
	}
	b := &Bundle{ManifestCID: roots[0], Actors: actors}
	for _, a := range actors {
		if ok, err := store.Has(ctx, a.Code); err != nil {
			return nil, err
		} else if !ok {
			return nil, fmt.Errorf("the bundle lacks the code of actor %s, %s", a.Name, a.Code)
		}
		if !checkable(a.Code) {
			return nil, fmt.Errorf("the code of actor %s, %s, goes by a hash function that actors have not", a.Name, a.Code)
		}
	}
	return b, nil
}

// checkable tells whether a block's bytes surely hash to its CID once an archive has given them: archives may hold blocks by weak
// functions too, and by functions that nobody here knows.
func checkable(c cid.Cid) bool {
	p, ok := cbor.Split(c)
	return ok && (p.Linkable() || p.Hash == cbor.HashSHA256 && len(p.Digest) == 32)
}

// LoadCARFile is LoadCAR of a file.
func LoadCARFile(ctx context.Context, path string, store blockstore.Blockstore) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	defer f.Close()
	b, err := LoadCAR(ctx, f, store)
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", path, err)
	}
	return b, nil
}

// maxActors bounds a manifest; the largest so far has 16.
const maxActors = 1024

// ReadManifest reads the manifest with the given CID: actors by name, in order.
func ReadManifest(ctx context.Context, store blockstore.Blockstore, root cid.Cid) ([]Actor, error) {
	head, err := store.Get(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest %s: %w", root, err)
	}
	r := cbg.NewCborReader(bytes.NewReader(head.RawData()))
	if err := expect(r, cbg.MajArray, 2); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", root, err)
	}
	if err := expect(r, cbg.MajUnsignedInt, 1); err != nil {
		return nil, fmt.Errorf("manifest %s: its version: %w", root, err)
	}
	link, err := cbg.ReadCid(r)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", root, err)
	}
	list, err := store.Get(ctx, link)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest's list %s: %w", link, err)
	}
	actors, err := readActors(list.RawData())
	if err != nil {
		return nil, fmt.Errorf("the manifest's list %s: %w", link, err)
	}
	return actors, nil
}

func readActors(data []byte) ([]Actor, error) {
	r := cbg.NewCborReader(bytes.NewReader(data))
	major, n, err := r.ReadHeader()
	if err != nil || major != cbg.MajArray || n > maxActors {
		return nil, errors.New("not a list of actors")
	}
	actors := make([]Actor, 0, n)
	for range n {
		if err := expect(r, cbg.MajArray, 2); err != nil {
			return nil, err
		}
		name, err := cbg.ReadString(r)
		if err != nil {
			return nil, fmt.Errorf("an actor's name: %w", err)
		}
		code, err := cbg.ReadCid(r)
		if err != nil {
			return nil, fmt.Errorf("the code of actor %s: %w", name, err)
		}
		actors = append(actors, Actor{name, code})
	}
	return actors, nil
}

func expect(r *cbg.CborReader, major byte, n uint64) error {
	m, got, err := r.ReadHeader()
	if err != nil {
		return err
	}
	if m != major || got != n {
		return fmt.Errorf("CBOR type %d with %d, want type %d with %d", m, got, major, n)
	}
	return nil
}
