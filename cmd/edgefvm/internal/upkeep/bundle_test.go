package upkeep_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// The list says that network version 29 has the code of 28 in Lotus's module.
func TestBundleListSameAs(t *testing.T) {
	clitest.NeedBundles(t)
	t.Setenv(bundle.EnvAdded, t.TempDir())
	out := edgefvm.OK(t, "bundle", "list")
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
	for _, e := range clitest.FromJSON[[]entry](t, edgefvm.OK(t, "bundle", "list", "--json")) {
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
	clitest.NeedBundles(t)
	added := filepath.Join(t.TempDir(), "added")
	t.Setenv(bundle.EnvAdded, added)
	car := filepath.Join(t.TempDir(), "new.car")
	reordered(t, "v18/mainnet", car)

	edgefvm.Fails(t, kit.ExitUsage, []string{"bundle", "add", car}, "no list has its manifest", "--version N --network NAME")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "add", car, "--version", "18", "--network", "mainnet"}, "another bundle has this name", "--replace")
	for name, args := range map[string][]string{"version 7: ": {"--version", "7"}, `network "../x": `: {"--network", "../x"}, `network "Main": `: {"--version", "19", "--network", "Main"}} {
		edgefvm.Fails(t, kit.ExitUsage, append([]string{"bundle", "add", car}, args...), name+"a bundle is of version 8 or later")
	}
	out := edgefvm.OK(t, "bundle", "add", car, "--version", "19", "--network", "mainnet")
	path := filepath.Join(added, "v19-mainnet.car")
	for _, want := range []string{"v19/mainnet  ", "16 actors", "in the place of Lotus's v19/mainnet, which is v18/mainnet again", path + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if out := edgefvm.OK(t, "bundle", "list"); strings.Count(out, "  added\n") != 1 {
		t.Errorf("bundle list:\n%s", out)
	}
	type cids struct{ Manifest string }
	if got, want := clitest.FromJSON[cids](t, edgefvm.OK(t, "bundle", "cids", "v19/mainnet", "--json")), clitest.FromJSON[cids](t, edgefvm.OK(t, "bundle", "cids", car, "--json")); got != want {
		t.Errorf("v19/mainnet has the manifest %s, not %s", got.Manifest, want.Manifest)
	}
	// A vector of network version 29, whose state was made with Lotus's, still executes.
	edgefvm.OK(t, "vectors", "run", clitest.Golden("nv29-send-001"))

	export := filepath.Join(t.TempDir(), "v18.car")
	edgefvm.OK(t, "bundle", "export", "v18/mainnet", "--out", export)
	type addition struct {
		Version int
		Network string
		KnownAs []string `json:"known_as"`
		Path    string
	}
	if a := clitest.FromJSON[addition](t, edgefvm.OK(t, "bundle", "add", export, "--json")); a.Version != 18 || a.Network != "mainnet" || len(a.KnownAs) != 2 || filepath.Dir(a.Path) != added {
		t.Errorf("%+v", a)
	}
	edgefvm.OK(t, "bundle", "remove", "v19/mainnet")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "remove", "v19/mainnet"}, "was not added", "bundle list")
	edgefvm.Fails(t, kit.ExitUsage, []string{"bundle", "remove", "frob"}, "want VERSION/NETWORK")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "add", filepath.Join(added, "none.car")}, "none.car")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "add", clitest.Golden("nv28-send-001")}, "nv28-send-001", "bad CAR")
	t.Setenv(bundle.EnvAdded, export)
	for _, args := range []string{"add " + export, "list", "cids v18/mainnet", "remove v18/mainnet"} {
		edgefvm.Fails(t, kit.ExitFailed, append([]string{"bundle"}, strings.Fields(args)...), export+": the folder of added bundles is a file: name a folder in "+bundle.EnvAdded)
	}
}

func TestBundle(t *testing.T) {
	clitest.NeedBundles(t)
	out := edgefvm.OK(t, "bundle", "list")
	if !strings.Contains(out, "v18/mainnet ") {
		t.Errorf("bundle list:\n%s", out)
	}
	type entry struct {
		Version           int
		Network, Manifest string
	}
	list := clitest.FromJSON[[]entry](t, edgefvm.OK(t, "bundle", "list", "--json"))
	if n := strings.Count(out, "\n"); len(list) != n || n == 0 {
		t.Errorf("%d lines, %d in the JSON", n, len(list))
	}
	manifest := ""
	for _, e := range list {
		if e.Version == 18 && e.Network == "mainnet" {
			manifest = e.Manifest
		}
	}
	type cids struct {
		Manifest string
		Actors   map[string]string
	}
	b := clitest.FromJSON[cids](t, edgefvm.OK(t, "bundle", "cids", "v18/mainnet", "--json"))
	if b.Manifest != manifest || manifest == "" || len(b.Actors) < 16 {
		t.Errorf("bundle cids: manifest %q with %d actors, listed %q", b.Manifest, len(b.Actors), manifest)
	}
	if out := edgefvm.OK(t, "bundle", "cids", "v18/mainnet"); !strings.Contains(out, b.Actors["storageminer"]) {
		t.Errorf("bundle cids:\n%s", out)
	}

	dir := t.TempDir()
	car := filepath.Join(dir, "v18-mainnet.car")
	if out := edgefvm.OK(t, "bundle", "export", "v18/mainnet", "--out", car); out != car+"\n" {
		t.Errorf("bundle export printed %q", out)
	}
	if again := clitest.FromJSON[cids](t, edgefvm.OK(t, "bundle", "cids", car, "--json")); again.Manifest != manifest {
		t.Errorf("the exported bundle's manifest is %s, want %s", again.Manifest, manifest)
	}
	if out := edgefvm.OK(t, "bundle", "list", "--bundles", dir); !strings.HasPrefix(out, "v18/mainnet") {
		t.Errorf("bundle list of the exported:\n%s", out)
	}
	edgefvm.OK(t, "exec", "--car", "../../../../testdata/multisig.car", "--nv", "28", "--epoch", "5800470", "--message", "../../../../testdata/multisig.msg", "--bundle", car)

	before := clitest.ReadFrom(t, car)
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "export", "v18/nowhere", "-o", car}, "exporting v18/nowhere", "no such bundle", "bundle list")
	if !bytes.Equal(clitest.ReadFrom(t, car), before) {
		t.Error("an export that failed changed the file that was there")
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "cids", "v99/mainnet"}, "no such bundle", "bundle list")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "list", "--bundles", t.TempDir()}, "holds neither")
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("leftovers: %v", files)
	}
}

// Without --out a bundle is written under the name by which --bundles finds it.
func TestBundleExportName(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if out := edgefvm.OK(t, "bundle", "export", "v8/mainnet"); out != "v8-mainnet.car\n" {
		t.Errorf("%q", out)
	}
	type cids struct{ Manifest string }
	a, b := clitest.FromJSON[cids](t, edgefvm.OK(t, "bundle", "cids", "v8/mainnet", "--bundles", dir, "--json")), clitest.FromJSON[cids](t, edgefvm.OK(t, "bundle", "cids", "v8/mainnet", "--json"))
	if a != b || a.Manifest == "" {
		t.Errorf("%+v of the folder, %+v of Lotus's", a, b)
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "export", "v8/mainnet", "--out", filepath.Join(dir, "none", "x.car")}, "exporting v8/mainnet", "none")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bundle", "export", "v8/mainet"}, "did you mean v8/mainnet?")
}

// A user without a folder of configuration is told how to name one.
func TestBundleAddWithoutFolder(t *testing.T) {
	for _, name := range []string{bundle.EnvAdded, "HOME", "XDG_CONFIG_HOME", "AppData", "home"} {
		t.Setenv(name, "")
	}
	if bundle.DefaultAdded() != "" {
		t.Skip("NOT RUN: this system has such a folder without HOME")
	}
	for _, args := range [][]string{{"bundle", "add", "x.car"}, {"bundle", "remove", "v18/mainnet"}} {
		edgefvm.Fails(t, kit.ExitFailed, args, "this user has no folder of configuration: name a folder in "+bundle.EnvAdded)
	}
}
