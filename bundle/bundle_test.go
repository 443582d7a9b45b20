package bundle

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/nv"
)

// lotus is the set of the Lotus module; it may be fetched for this.
func lotus(t *testing.T) *Set {
	t.Helper()
	t.Setenv(EnvDir, "")
	t.Setenv(EnvAdded, t.TempDir())
	s, err := Open(context.Background(), Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The list of manifests is Lotus's own, not one that this package made.
func TestManifestsAreLotus(t *testing.T) {
	gen, err := os.ReadFile(filepath.Join(lotus(t).Dir(), "..", "builtin_actors_gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`Network:\s+"([^"]+)",\s+Version:\s+(\d+),\s+(?:BundleGitTag: "[^"]*",\s+)?ManifestCid:\s+cid\.MustParse\("(\w+)"\)`)
	found := entry.FindAllStringSubmatch(string(gen), -1)
	for _, m := range found {
		if name := "v" + m[2] + "/" + m[1]; manifests[name] != m[3] {
			t.Errorf("%s: listed %q, Lotus has %s", name, manifests[name], m[3])
		}
	}
	if len(found) != len(manifests) || len(found) == 0 {
		t.Errorf("%d manifests listed, Lotus has %d", len(manifests), len(found))
	}
}

// Versions that are one bundle under two names are known here. A change of this list changes what the README and CONFORMANCE
// say of a network version: while v19 is v18, network version 29 was checked with the code of version 18.
func TestSharedManifests(t *testing.T) {
	shared := map[string][]string{}
	for _, manifest := range manifests {
		if names := namesOf(known(manifest)); len(names) > 1 {
			shared[names[0]] = names[1:]
		}
	}
	want := map[string][]string{"v8/caterpillarnet": {"v9/caterpillarnet"}}
	for _, network := range []string{"butterflynet", "calibrationnet", "caterpillarnet", "devnet", "mainnet", "testing", "testing-fake-proofs"} {
		want["v18/"+network] = []string{"v19/" + network}
	}
	if !maps.EqualFunc(shared, want, slices.Equal) {
		t.Errorf("one manifest have %v\nnot %v", shared, want)
	}
}

func TestLoad(t *testing.T) {
	ctx, s := context.Background(), lotus(t)
	for _, c := range []struct {
		version int
		network string
		actors  int
		code    string // of account, from Lotus's list
	}{
		{9, "mainnet", 12, "bafk2bzacect2p7urje3pylrrrjy3tngn6yaih4gtzauuatf2jllk3ksgfiw2y"},
		{18, "mainnet", 16, ""},
		{16, "testing", 16, ""},
	} {
		store := blockstore.NewMemory()
		b, err := s.Load(ctx, c.version, c.network, store)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Actors) != c.actors || b.Version != c.version || b.Network != c.network || len(b.Codes()) != c.actors {
			t.Errorf("v%d/%s: %d actors, want %d", c.version, c.network, len(b.Actors), c.actors)
		}
		for _, a := range b.Actors {
			code, err := store.Get(ctx, a.Code)
			if err != nil || !bytes.HasPrefix(code.RawData(), []byte("\x00asm")) {
				t.Errorf("v%d/%s: the code of %s is not there or not Wasm: %v", c.version, c.network, a.Name, err)
			}
			if a.Name == "account" && c.code != "" && a.Code.String() != c.code {
				t.Errorf("the code of account is %s, Lotus lists %s", a.Code, c.code)
			}
		}
	}
}

// A bundle is known by the list of actors that its manifest links to.
func TestNameOf(t *testing.T) {
	ctx, s := context.Background(), lotus(t)
	for _, c := range []struct {
		version       int
		network, want string
		all           []string
	}{
		{18, "mainnet", "v18/mainnet", []string{"v18/mainnet", "v19/mainnet"}}, {16, "testing", "v16/testing", []string{"v16/testing"}},
		{9, "caterpillarnet", "v8/caterpillarnet", []string{"v8/caterpillarnet", "v9/caterpillarnet"}},
	} {
		store := blockstore.NewMemory()
		b, err := s.Load(ctx, c.version, c.network, store)
		if err != nil {
			t.Fatal(err)
		}
		head, err := store.Get(ctx, b.ManifestCID)
		if err != nil {
			t.Fatal(err)
		}
		_, list, err := cid.CidFromBytes(head.RawData()[7:]) // after a list of 2, the number 1, and the head of a link
		if err != nil {
			t.Fatal(err)
		}
		if got := NameOf(list); got != c.want {
			t.Errorf("v%d/%s is named %q", c.version, c.network, got)
		}
		if got := ManifestOf(list); got != b.ManifestCID {
			t.Errorf("v%d/%s: the manifest of its list is %s", c.version, c.network, got)
		}
		if got := NamesOf(list); !slices.Equal(got, c.all) {
			t.Errorf("v%d/%s is named %q", c.version, c.network, got)
		}
		if got := NameOf(b.ManifestCID); got != "" {
			t.Errorf("the manifest itself is named %q", got)
		}
	}
}

func TestList(t *testing.T) {
	list, err := lotus(t).List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(manifests) || list[0].Name() != "v8/butterflynet" {
		t.Errorf("%d bundles, the first %v", len(list), list[0])
	}
}

// A bundle exported to a folder loads from there, and only what is there does.
func TestExport(t *testing.T) {
	ctx, s, dir := context.Background(), lotus(t), t.TempDir()
	var car bytes.Buffer
	if err := s.Export(ctx, 11, "mainnet", &car); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "v11-mainnet.car"), car.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := own.List(ctx); err != nil || len(list) != 1 || list[0].Name() != "v11/mainnet" {
		t.Errorf("List: %v, %v", list, err)
	}
	b, err := own.Load(ctx, 11, "mainnet", blockstore.NewMemory())
	if err != nil || b.ManifestCID.String() != manifests["v11/mainnet"] {
		t.Errorf("Load: %v, %v", b, err)
	}
	if _, err := own.Load(ctx, 12, "mainnet", blockstore.NewMemory()); !errors.Is(err, ErrNotFound) {
		t.Errorf("a bundle that is not there: %v", err)
	}
}

// Code that is not what Lotus released is refused even if its hashes are right.
func TestAlteredModule(t *testing.T) {
	ctx, s, dir := context.Background(), lotus(t), t.TempDir()
	other := filepath.Join(dir, "v11-mainnet.car")
	f, err := os.Create(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Export(ctx, 11, "devnet", f), f.Close()); err != nil {
		t.Fatal(err)
	}
	altered := &Set{dir: dir, pinned: true}
	if _, err := altered.Load(ctx, 11, "mainnet", blockstore.NewMemory()); err == nil || !strings.Contains(err.Error(), "altered") {
		t.Errorf("error: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	archive, err := os.ReadFile(lotus(t).archive(19))
	if err != nil {
		t.Fatal(err)
	}
	write("v1.tar.zst", []byte("not zstd"))
	write("v2.tar.zst", archive[:len(archive)/10])
	write("v3-mainnet.car", []byte("garbage"))
	empty := write("empty.car", nil)
	s := &Set{dir: dir}
	for _, c := range []struct {
		version int
		text    string
	}{{1, "unpacking"}, {2, "v2"}, {3, "bad CAR"}, {4, "no such bundle"}} {
		_, err := s.Load(ctx, c.version, "mainnet", blockstore.NewMemory())
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("v%d: %v, want an error with %q", c.version, err, c.text)
		}
	}
	if _, err := LoadCARFile(ctx, empty, blockstore.NewMemory()); err == nil {
		t.Error("an empty CAR loads")
	}
	if _, err := Open(ctx, Options{Dir: filepath.Join(dir, "none")}); err == nil {
		t.Error("a folder that is not there opens")
	}
	if _, err := Open(ctx, Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "holds neither") {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"", "16/mainnet", "v/mainnet", "v16x/mainnet", "v16/", "v 16/mainnet", "v16/..", "v16/a/b"} {
		if _, _, err := ParseName(name); err == nil {
			t.Errorf("ParseName(%q) is fine", name)
		}
	}
}

func TestWithoutGo(t *testing.T) {
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv(EnvDir, "")
	t.Setenv(EnvAdded, t.TempDir())
	if _, err := Open(context.Background(), Options{NoDownload: true}); err == nil || !strings.Contains(err.Error(), "go mod download") {
		t.Errorf("no downloads: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(context.Background(), Options{}); err == nil || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("no go command: %v", err)
	}
}

func TestVersionFor(t *testing.T) {
	for v, want := range map[network.Version]int{16: 8, 18: 10, 20: 11, 21: 12, 26: 16, 29: 19} {
		if got, err := VersionFor(v); err != nil || got != want {
			t.Errorf("nv%d: %d, %v", v, got, err)
		}
	}
	// Each network version that runs has actors.
	for v := nv.Oldest; v <= nv.Newest; v++ {
		if _, err := VersionFor(v); err != nil {
			t.Error(err)
		}
	}
	if _, err := VersionFor(99); !errors.Is(err, ErrNotFound) {
		t.Errorf("nv99: %v", err)
	}
}

func FuzzReadActors(f *testing.F) {
	f.Add([]byte{0x81, 0x82, 0x61, 'a', 0xd8, 0x2a})
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, err := readActors(data); err == nil && len(list) > maxActors {
			t.Error("too many")
		}
	})
}
