package bundle

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
)

// wasm is code that gives back n.
func wasm(n byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"+
		"\x01\x06\x01\x60\x01\x7f\x01\x7f"+ // a type: i32 to i32
		"\x03\x02\x01\x00"+ // a function of it
		"\x07\x0a\x01\x06invoke\x00\x00"+ // its name
		"\x0a\x06\x01\x04\x00\x41"), n, 0x0b) // its body: i32.const n
}

// madeUp is a CAR of a bundle with actors of the given names, in which something is wrong if a field says so.
type madeUp struct {
	salt     byte // another one is another bundle
	names    []string
	code     map[string][]byte // of some actors
	without  string            // an actor whose code is left out
	roots    int               // default: one
	manifest []byte            // of the root block
}

func block(codec uint64, data []byte) blocks.Block {
	b, err := blocks.NewBlockWithCid(data, cbor.Blake2bCID(codec, blake2b.Sum256(data)))
	if err != nil {
		panic(err)
	}
	return b
}

func (m madeUp) car(t *testing.T) []byte {
	t.Helper()
	if m.names == nil {
		m.names = append(actors.RequiredEthereum(), "new")
	}
	var all []blocks.Block
	list := cbor.AppendArray(nil, len(m.names))
	for i, name := range m.names {
		data, ok := m.code[name]
		if !ok {
			data = wasm(m.salt + byte(i))
		}
		b := block(cbor.CodecRaw, data)
		if name != m.without {
			all = append(all, b)
		}
		list = cbor.AppendCID(cbor.AppendText(cbor.AppendArray(list, 2), name), b.Cid())
	}
	listed := block(cbor.CodecDagCBOR, list)
	if m.manifest == nil {
		m.manifest = cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), listed.Cid())
	}
	head := block(cbor.CodecDagCBOR, m.manifest)
	all = append(all, block(cbor.CodecRaw, []byte("nobody's")), listed, head)
	roots := slices.Repeat([]cid.Cid{head.Cid()}, 1+m.roots)
	var out bytes.Buffer
	err := blockstore.WriteCAR(&out, roots, func(yield func(blocks.Block, error) bool) {
		for _, b := range all {
			if !yield(b, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func add(folder string, car []byte, o AddOptions) (*Addition, error) {
	return Add(context.Background(), bytes.NewReader(car), folder, o)
}

func TestAdd(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "added")
	car := madeUp{}.car(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(car); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if _, err := add(folder, car, AddOptions{}); !errors.Is(err, ErrUnnamed) {
		t.Errorf("without a name: %v", err)
	}
	if _, err := add(folder, car, AddOptions{Version: 20}); !errors.Is(err, ErrUnnamed) {
		t.Errorf("without a network: %v", err)
	}
	for _, o := range []AddOptions{{Version: 7}, {Version: -1, Network: "my-net"}, {Network: "../x"}, {Version: 20, Network: "My net"}} {
		if _, err := add(folder, car, o); !errors.Is(err, ErrName) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := add(file, car, AddOptions{Version: 20, Network: "my-net"}); !errors.Is(err, ErrNoFolder) {
		t.Errorf("a file for the folder: %v", err)
	}
	a, err := add(folder, packed.Bytes(), AddOptions{Version: 20, Network: "my-net"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Version != 20 || a.Network != "my-net" || len(a.Actors) != 7 || a.Known != nil || a.Instead != "" || filepath.Base(a.Path) != "v20-my-net.car" {
		t.Errorf("added: %+v", a)
	}
	own := t.TempDir() // with no archive of it
	if err := os.WriteFile(filepath.Join(own, "v11-mainnet.car"), madeUp{salt: 50}.car(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Dir: own, Added: folder})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 || list[1] != (Entry{Version: 20, Network: "my-net", Manifest: a.ManifestCID.String(), Added: true}) {
		t.Errorf("the list is %+v: %v", list, err)
	}
	m := blockstore.NewMemory()
	b, err := s.Load(t.Context(), 20, "my-net", m)
	if err != nil || b.ManifestCID != a.ManifestCID || b.Version != 20 || m.Len() != 9 {
		t.Errorf("loaded %+v, %d blocks: %v", b, m.Len(), err)
	}
	store, err := s.Store(t.Context(), 20, "my-net")
	if err != nil {
		t.Fatal(err)
	}
	same(t, store, m)
	var out bytes.Buffer
	if err := s.Export(t.Context(), 20, "my-net", &out); err != nil {
		t.Fatal(err)
	}
	if again, err := add(t.TempDir(), out.Bytes(), AddOptions{Version: 20, Network: "my-net"}); err != nil || again.ManifestCID != a.ManifestCID {
		t.Errorf("exported and added: %v", err)
	}
	// The same again, and another in its place.
	if _, err := add(folder, car, AddOptions{Version: 20, Network: "my-net"}); err != nil {
		t.Error(err)
	}
	other := madeUp{salt: 100}.car(t)
	if _, err := add(folder, other, AddOptions{Version: 20, Network: "my-net"}); !errors.Is(err, ErrTaken) {
		t.Errorf("another of that name: %v", err)
	}
	if _, err := add(folder, other, AddOptions{Version: 20, Network: "my-net", Replace: true}); err != nil {
		t.Error(err)
	}
	if b, err := s.Load(t.Context(), 20, "my-net", m); err != nil || b.ManifestCID == a.ManifestCID {
		t.Errorf("replaced: %v", err)
	}
	if err := Remove(folder, 20, "my-net"); err != nil {
		t.Error(err)
	}
	if err := Remove(folder, 20, "my-net"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := s.Load(t.Context(), 20, "my-net", m); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
	if _, err := s.Store(t.Context(), 20, "my-net"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
}

// What is wrong with a bundle is said, and nothing of it is stored.
func TestAddRefuses(t *testing.T) {
	good := madeUp{}.car(t)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	twice := append(actors.RequiredEthereum(), "new", "new")
	for _, c := range []struct {
		name string
		car  []byte
		o    AddOptions
		want string
	}{
		{"nothing", nil, AddOptions{}, "empty"},
		{"cut", good[:len(good)-10], AddOptions{}, "then the archive ends"},
		{"another byte", flipped, AddOptions{}, "do not hash"},
		{"no root", madeUp{roots: -1}.car(t), AddOptions{}, "0 roots"},
		{"two roots", madeUp{roots: 1}.car(t), AddOptions{}, "2 roots"},
		{"no manifest", madeUp{manifest: []byte{0x80}}.car(t), AddOptions{}, "not an actor bundle"},
		{"a manifest of nothing", madeUp{manifest: cbor.AppendCID([]byte{0x82, 1}, block(cbor.CodecDagCBOR, []byte{0x80}).Cid())}.car(t), AddOptions{}, "the manifest's list"},
		{"code left out", madeUp{without: "new"}.car(t), AddOptions{}, "lacks the code of actor new"},
		{"a name twice", madeUp{names: twice}.car(t), AddOptions{}, `"new" twice`},
		{"code twice", madeUp{code: map[string][]byte{"new": wasm(0)}}.car(t), AddOptions{}, `"new" twice`},
		{"no account", madeUp{names: []string{"system", "init"}}.car(t), AddOptions{}, `lacks "account"`},
		{"no FEVM", madeUp{names: actors.Required()}.car(t), AddOptions{}, `lacks "placeholder"`},
		{"no code", madeUp{code: map[string][]byte{"new": []byte("text")}}.car(t), AddOptions{}, "the code of actor new"},
		{"wrong code", madeUp{code: map[string][]byte{"new": wasm(7)[:30]}}.car(t), AddOptions{}, "the code of actor new"},
		{"a network that is a path", good, AddOptions{Version: 20, Network: "../x"}, "small letters"},
		{"no version of the FVM's", good, AddOptions{Version: 7, Network: "x"}, "version 8 or later"},
		{"a name of Lotus's", good, AddOptions{Version: 18, Network: "mainnet"}, manifests["v18/mainnet"] + " in Lotus's list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "added")
			if c.o == (AddOptions{}) {
				c.o = AddOptions{Version: 20, Network: "x"}
			}
			if _, err := add(folder, c.car, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error: %v, want one with %q", err, c.want)
			}
			if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was stored: %v", err)
			}
		})
	}
	// Before the FEVM its actors need not be there.
	if _, err := add(t.TempDir(), madeUp{names: actors.Required()}.car(t), AddOptions{Version: 9, Network: "x"}); err != nil {
		t.Error(err)
	}
	if err := Remove(t.TempDir(), 9, "../x"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Version 19 as the network will have it takes the place of Lotus's, which is version 18, and hides no code.
func TestAddInstead(t *testing.T) {
	ctx := t.Context()
	lotus(t)
	folder := os.Getenv(EnvAdded) // where Open looks
	a, err := add(folder, madeUp{}.car(t), AddOptions{Version: 19, Network: "mainnet"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Instead != manifests["v19/mainnet"] || a.InsteadSameAs != "v18/mainnet" {
		t.Errorf("it takes the place of %q, which is %q", a.Instead, a.InsteadSameAs)
	}
	s, err := Open(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, old := blockstore.NewMemory(), blockstore.NewMemory()
	b, err := s.Load(ctx, 19, "mainnet", m)
	if err != nil || b.ManifestCID != a.ManifestCID {
		t.Fatalf("loaded %+v: %v", b, err)
	}
	if _, err := s.Load(ctx, 18, "mainnet", old); err != nil {
		t.Fatal(err)
	}
	store, err := s.Store(ctx, 19, "mainnet")
	if err != nil {
		t.Fatal(err)
	}
	same(t, m, old)
	same(t, store, m)
	list, err := s.List(ctx)
	if err != nil || len(list) != len(manifests) {
		t.Errorf("%d are listed, not %d: %v", len(list), len(manifests), err)
	}
	for _, e := range list {
		added := e.Name() == "v19/mainnet"
		if e.Added != added || added && (e.SameAs != "" || e.Manifest != a.ManifestCID.String()) {
			t.Errorf("listed: %+v", e)
		}
		if e.Version == 19 && !added && e.SameAs != "v18/"+e.Network {
			t.Errorf("%s is the same as %q", e.Name(), e.SameAs)
		}
	}
	for name, o := range map[string]Options{"not wanted": {NoAdded: true}, "another folder": {Added: t.TempDir()}} {
		s, err := Open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := s.Load(ctx, 19, "mainnet", m); err != nil || b.ManifestCID.String() != manifests["v19/mainnet"] {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A bundle of Lotus's list keeps a name that it has there, also in the hands of someone who copies files.
func TestAddKnown(t *testing.T) {
	ctx, s := t.Context(), lotus(t)
	folder := os.Getenv(EnvAdded)
	var car bytes.Buffer
	if err := s.Export(ctx, 18, "mainnet", &car); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    AddOptions
		want string
	}{
		{AddOptions{}, "v18/mainnet"},
		{AddOptions{Version: 19}, "v19/mainnet"},
		{AddOptions{Version: 19, Network: "mainnet"}, "v19/mainnet"},
		{AddOptions{Version: 17, Network: "mainnet", Replace: true}, ""},
		{AddOptions{Version: 20, Network: "mainnet"}, ""},
		{AddOptions{Network: "calibrationnet"}, ""},
	} {
		a, err := add(folder, car.Bytes(), c.o)
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "that of v18/mainnet, v19/mainnet") {
				t.Errorf("%+v: %v", c.o, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := (Entry{Version: a.Version, Network: a.Network}).Name(); got != c.want || a.Instead != "" || !slices.Equal(a.Known, []string{"v18/mainnet", "v19/mainnet"}) {
			t.Errorf("%+v: added as %s: %+v", c.o, got, a)
		}
	}
	wrong := filepath.Join(folder, "v17-mainnet.car")
	if err := os.WriteFile(wrong, car.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, lerr := s.Load(ctx, 17, "mainnet", blockstore.NewMemory())
	_, serr := s.Store(ctx, 17, "mainnet")
	for _, err := range []error{lerr, serr} {
		if err == nil || !strings.Contains(err.Error(), wrong) || !strings.Contains(err.Error(), "that of v18/mainnet") {
			t.Errorf("under another name: %v", err)
		}
	}
}

// With added bundles alone, those run and the others say why they cannot.
func TestAddedAlone(t *testing.T) {
	t.Setenv(EnvDir, "")
	t.Setenv(EnvAdded, t.TempDir())
	t.Setenv("GOMODCACHE", t.TempDir())
	open := func() (*Set, error) { return Open(t.Context(), Options{NoDownload: true}) }
	if _, err := open(); err == nil {
		t.Error("it opens with nothing")
	}
	a, err := add(DefaultAdded(), madeUp{}.car(t), AddOptions{Version: 20, Network: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(t.Context(), 20, "x", blockstore.NewMemory()); err != nil || b.ManifestCID != a.ManifestCID {
		t.Error(err)
	}
	if _, err := s.Store(t.Context(), 20, "x"); err != nil {
		t.Error(err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("the list is %v: %v", list, err)
	}
	_, lerr := s.Load(t.Context(), 18, "mainnet", blockstore.NewMemory())
	_, serr := s.Store(t.Context(), 18, "mainnet")
	for _, err := range []error{lerr, serr, s.Export(t.Context(), 18, "mainnet", io.Discard)} {
		if err == nil || !strings.Contains(err.Error(), "go mod download") {
			t.Errorf("one that was not added: %v", err)
		}
	}
}

// An added bundle is known by the list of actors that a state names.
func TestNameOfAdded(t *testing.T) {
	folder := t.TempDir()
	list := mustCID(t, []byte{0x80})
	head := append([]byte{0x82, 1, 0xd8, 0x2a, 0x58, 0x27, 0}, list.Bytes()...)
	root := mustCID(t, head)
	blk, err := blocks.NewBlockWithCid(head, root)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(folder, "v19-my-net.car"))
	if err != nil {
		t.Fatal(err)
	}
	err = blockstore.WriteCAR(f, []cid.Cid{root}, func(yield func(blocks.Block, error) bool) { yield(blk, nil) })
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if name, err := NameOfAdded(folder, list); name != "v19/my-net" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	for _, other := range []struct {
		folder string
		list   cid.Cid
	}{{folder, root}, {t.TempDir(), list}, {filepath.Join(folder, "none"), list}, {"", list}} {
		if name, err := NameOfAdded(other.folder, other.list); name != "" || err != nil {
			t.Errorf("%+v: %q, %v", other, name, err)
		}
	}
}

func mustCID(t *testing.T, data []byte) cid.Cid {
	t.Helper()
	c, err := cid.V1Builder{Codec: cid.DagCBOR, MhType: 0xb220, MhLength: 32}.Sum(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
