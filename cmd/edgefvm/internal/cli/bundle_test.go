package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// The list says that network version 29 has the code of 28 in Lotus's module.
func TestBundleListSameAs(t *testing.T) {
	needBundles(t)
	t.Setenv(bundle.EnvAdded, t.TempDir())
	out := ok(t, "bundle", "list")
	for _, line := range strings.Split(out, "\n") {
		if name, _, _ := strings.Cut(line, " "); name == "v19/mainnet" != strings.HasSuffix(line, "same as v18/mainnet") {
			t.Errorf("line: %s", line)
		}
	}
	type entry struct {
		Version int
		Network string
		SameAs  string `json:"same_as"`
	}
	for _, e := range fromJSON[[]entry](t, ok(t, "bundle", "list", "--json")) {
		if e.Version == 19 && e.SameAs != "v18/"+e.Network || e.Version == 18 && e.SameAs != "" {
			t.Errorf("%+v", e)
		}
	}
}

// reordered writes a bundle's CAR again, with its actors in another order: another bundle, with code that runs.
func reordered(t *testing.T, name, path string) {
	t.Helper()
	version, network, err := bundle.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	set, err := bundle.Open(t.Context(), bundle.Options{NoAdded: true})
	if err != nil {
		t.Fatal(err)
	}
	store := blockstore.NewMemory()
	b, err := set.Load(t.Context(), version, network, store)
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	w := cbg.NewCborWriter(&list)
	write := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	write(w.WriteMajorTypeHeader(cbg.MajArray, uint64(len(b.Actors))))
	for i := range b.Actors {
		a := b.Actors[len(b.Actors)-1-i]
		write(w.WriteMajorTypeHeader(cbg.MajArray, 2))
		write(w.WriteMajorTypeHeader(cbg.MajTextString, uint64(len(a.Name))))
		_, err := w.WriteString(a.Name)
		write(err)
		write(cbg.WriteCid(w, a.Code))
	}
	listed := hashed(t, b.ManifestCID, list.String())
	var head strings.Builder
	w = cbg.NewCborWriter(&head)
	write(w.WriteMajorTypeHeader(cbg.MajArray, 2))
	write(w.WriteMajorTypeHeader(cbg.MajUnsignedInt, 1))
	write(cbg.WriteCid(w, listed.Cid()))
	manifest := hashed(t, b.ManifestCID, head.String())
	f, err := os.Create(path)
	write(err)
	defer f.Close()
	write(blockstore.WriteCAR(f, []cid.Cid{manifest.Cid()}, func(yield func(blocks.Block, error) bool) {
		if !yield(manifest, nil) || !yield(listed, nil) {
			return
		}
		for _, c := range b.Codes() {
			if code, err := store.Get(t.Context(), c); !yield(code, err) {
				return
			}
		}
	}))
}

// hashed is a block with a CID like another's.
func hashed(t *testing.T, like cid.Cid, data string) blocks.Block {
	t.Helper()
	c, err := like.Prefix().Sum([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	b, err := blocks.NewBlockWithCid([]byte(data), c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBundleAdd(t *testing.T) {
	needBundles(t)
	added := filepath.Join(t.TempDir(), "added")
	t.Setenv(bundle.EnvAdded, added)
	car := filepath.Join(t.TempDir(), "new.car")
	reordered(t, "v18/mainnet", car)

	fails(t, exitUsage, []string{"bundle", "add", car}, "no list has its manifest", "--version N --network NAME")
	fails(t, exitFailed, []string{"bundle", "add", car, "--version", "18", "--network", "mainnet"}, "another bundle has this name", "--replace")
	out := ok(t, "bundle", "add", car, "--version", "19", "--network", "mainnet")
	path := filepath.Join(added, "v19-mainnet.car")
	for _, want := range []string{"v19/mainnet  ", "16 actors", "in the place of Lotus's v19/mainnet, which is v18/mainnet again", path + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if out := ok(t, "bundle", "list"); strings.Count(out, "  added\n") != 1 {
		t.Errorf("bundle list:\n%s", out)
	}
	type cids struct{ Manifest string }
	if got, want := fromJSON[cids](t, ok(t, "bundle", "cids", "v19/mainnet", "--json")), fromJSON[cids](t, ok(t, "bundle", "cids", car, "--json")); got != want {
		t.Errorf("v19/mainnet has the manifest %s, not %s", got.Manifest, want.Manifest)
	}
	// A vector of network version 29, whose state was made with Lotus's, still executes.
	ok(t, "vectors", "run", golden("nv29-send-001"))

	export := filepath.Join(t.TempDir(), "v18.car")
	ok(t, "bundle", "export", "v18/mainnet", "--out", export)
	type addition struct {
		Version int
		Network string
		KnownAs []string `json:"known_as"`
		Path    string
	}
	if a := fromJSON[addition](t, ok(t, "bundle", "add", export, "--json")); a.Version != 18 || a.Network != "mainnet" || len(a.KnownAs) != 2 || filepath.Dir(a.Path) != added {
		t.Errorf("%+v", a)
	}
	ok(t, "bundle", "remove", "v19/mainnet")
	fails(t, exitFailed, []string{"bundle", "remove", "v19/mainnet"}, "was not added", "bundle list")
	fails(t, exitUsage, []string{"bundle", "remove", "frob"}, "want VERSION/NETWORK")
	fails(t, exitFailed, []string{"bundle", "add", filepath.Join(added, "none.car")}, "none.car")
	fails(t, exitFailed, []string{"bundle", "add", golden("nv28-send-001")}, "nv28-send-001", "bad CAR")
}
