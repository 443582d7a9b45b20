package actors

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/state"
)

func put(s *blockstore.Buffered, data []byte) cid.Cid {
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
	s.PutRaw(c, data)
	return c
}

func code(name string) cid.Cid {
	return cid.NewCidV1(cbor.CodecRaw, append([]byte{cbor.HashIdentity, byte(len(name))}, name...))
}

func entries(names ...string) []Entry {
	var es []Entry
	for _, n := range names {
		es = append(es, Entry{n, code(n)})
	}
	return es
}

func encode(es []Entry) []byte {
	b := cbor.AppendArray(nil, len(es))
	for _, e := range es {
		b = cbor.AppendCID(cbor.AppendText(cbor.AppendArray(b, 2), e.Name), e.Code)
	}
	return b
}

var all = []string{"system", "init", "cron", "account", "storagepower", "placeholder", "evm", "eam", "ethaccount"}

func load(t *testing.T, systemState, manifest []byte) (*Manifest, error) {
	t.Helper()
	store := blockstore.NewBuffered(blockstore.NewMemory())
	tree := state.New(store)
	root := put(store, manifest)
	if systemState == nil {
		systemState = cbor.AppendCID(cbor.AppendArray(nil, 1), root)
	}
	if err := tree.SetActor(SystemActor, state.ActorState{Code: code("system"), Head: put(store, systemState), Balance: big.Zero()}); err != nil {
		t.Fatal(err)
	}
	return LoadManifest(context.Background(), tree, store)
}

func TestLoadManifest(t *testing.T) {
	m, err := load(t, nil, encode(entries(all...)))
	if err != nil {
		t.Fatal(err)
	}
	var codes []cid.Cid
	for i, name := range all {
		id := uint32(i + 1)
		c, ok := m.CodeByID(id)
		n, named := m.Name(c)
		by, found := m.ByName(name)
		if !ok || c != code(name) || m.IDByCode(c) != id || !named || n != name || !found || by != c {
			t.Errorf("%s: %v %v %v %v", name, c, ok, n, by)
		}
		codes = append(codes, c)
	}
	if !slices.Equal(m.Codes(), codes) {
		t.Errorf("codes: %v", m.Codes())
	}
	for name, c := range map[string]cid.Cid{
		"system": m.System(), "init": m.Init(), "account": m.Account(), "placeholder": m.Placeholder(), "ethaccount": m.EthAccount(), "eam": m.EAMCode(),
	} {
		if c != code(name) {
			t.Errorf("%s: %v", name, c)
		}
	}
	for _, id := range []uint32{0, uint32(len(all) + 1), 1<<32 - 1} {
		if c, ok := m.CodeByID(id); ok {
			t.Errorf("type %d is %v", id, c)
		}
	}
	if _, ok := m.Name(code("nobody")); ok || m.IDByCode(code("nobody")) != 0 {
		t.Error("a code that no builtin actor has is known")
	}
	if _, ok := m.ByName("nobody"); ok {
		t.Error("a name that no builtin actor has is known")
	}
}

func TestLoadManifestRefuses(t *testing.T) {
	guest := func(err error) bool {
		var f *execerr.Fatal
		return errors.As(err, &f) && f.Guest
	}
	for _, missing := range RequiredEthereum() {
		names := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == missing })
		if _, err := load(t, nil, encode(entries(names...))); !guest(err) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	good := encode(entries(all...))
	for name, manifest := range map[string][]byte{
		"cut short": good[:len(good)-1], "bytes after it": append(slices.Clone(good), 0), "no list": {0xa0}, "huge": {0x9b, 255, 255, 255, 255, 255, 255, 255, 255},
	} {
		if _, err := load(t, nil, manifest); !guest(err) {
			t.Errorf("manifest %s: %v", name, err)
		}
	}
	if _, err := load(t, []byte{0x80}, good); !guest(err) {
		t.Errorf("malformed state of the system actor: %v", err)
	}
	if _, err := load(t, cbor.AppendCID([]byte{0x81}, code("lost")), good); err == nil || guest(err) {
		t.Errorf("manifest missing: %v", err)
	}
	store := blockstore.NewBuffered(blockstore.NewMemory())
	if _, err := LoadManifest(context.Background(), state.New(store), store); !guest(err) {
		t.Errorf("no system actor: %v", err)
	}
}

// TestQuirkManifestDoubles: the later of two entries with one code or name counts, and both keep their numbers.
func TestQuirkManifestDoubles(t *testing.T) {
	es := append(entries(all...), Entry{"cron", code("account")})
	m, err := NewManifest(es)
	if err != nil {
		t.Fatal(err)
	}
	if id := m.IDByCode(code("account")); id != uint32(len(es)) {
		t.Errorf("the doubled code has number %d", id)
	}
	if c, ok := m.CodeByID(4); !ok || c != code("account") {
		t.Errorf("number 4 is %v", c)
	}
	if c, _ := m.ByName("cron"); c != code("account") {
		t.Errorf("the doubled name is %v", c)
	}
}

// Before nv18 three actors are enough, and seven of those there are exist once.
func TestManifestBefore18(t *testing.T) {
	es := entries("system", "init", "account", "reward", "cron", "storagepower", "storagemarket", "verifiedregistry", "storageminer", "multisig")
	if _, err := NewManifest(es); err == nil {
		t.Error("nv18 takes it")
	}
	m, err := NewManifest(es, Required()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		want := e.Name != "account" && e.Name != "storageminer" && e.Name != "multisig"
		if m.Singleton(e.Code) != want {
			t.Errorf("%s exists once: %v", e.Name, !want)
		}
	}
	if m.Singleton(code("other")) {
		t.Error("the code of nobody exists once")
	}
	for _, missing := range Required() {
		less := slices.DeleteFunc(slices.Clone(es), func(e Entry) bool { return e.Name == missing })
		if _, err := NewManifest(less, Required()...); err == nil {
			t.Errorf("without %s", missing)
		}
	}
}
