package migrate

import (
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	fnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

func bundles(t testing.TB) *bundle.Set {
	t.Helper()
	set, err := bundle.Open(t.Context(), bundle.Options{NoAdded: true})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// between is a network that goes from one version to another at epoch 10.
func between(actors string, from, to fnetwork.Version, name string) (*network.Network, network.Upgrade) {
	n, _ := network.ByName("itests")
	u := network.Upgrade{Name: name, Height: 10, Version: to, Migrates: true}
	n.Actors, n.Upgrades = actors, []network.Upgrade{{Height: -1, Version: from}, u}
	return n, u
}

// small is a state of the system actor, an account and the init actor, by the actors of a bundle.
func small(t testing.TB, store blockstore.Blockstore, set *bundle.Set, version int, net, name string) cid.Cid {
	t.Helper()
	b, err := set.Load(t.Context(), version, net, store)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]cid.Cid{}
	for _, a := range b.Actors {
		codes[a.Name] = a.Code
	}
	list, err := (&Migrator{store: store}).listOf(t.Context(), b.ManifestCID)
	if err != nil {
		t.Fatal(err)
	}
	head := func(fields ...[]byte) cid.Cid {
		data := cbor.AppendArray(nil, len(fields))
		for _, f := range fields {
			data = append(data, f...)
		}
		c, err := put(t.Context(), store, data)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	buf := blockstore.NewBuffered(store)
	tr := state.New(buf)
	for id, st := range map[abi.ActorID]state.ActorState{
		0:   {Code: codes["system"], Head: head(cbor.AppendCID(nil, list))},
		1:   {Code: codes["init"], Head: head(cbor.AppendCID(nil, list), cbor.AppendUint(nil, 200), cbor.AppendText(nil, name))},
		100: {Code: codes["storageminer"], Head: head(), Nonce: 7},
	} {
		st.Balance = big.NewInt(int64(id))
		if err := tr.SetActor(id, st); err != nil {
			t.Fatal(err)
		}
	}
	root, err := tr.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := buf.Flush(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	return root
}

// Lotus's version 19 is version 18 again: nothing changes.
func TestVersion19OfLotus(t *testing.T) {
	set, store := bundles(t), blockstore.NewMemory()
	root := small(t, store, set, 18, "testing", "here")
	n, u := between("testing", 28, 29, "")
	got, err := New(n, set, store, Options{}).Migrate(t.Context(), u, root)
	if err != nil || !got.Equals(root) {
		t.Errorf("%v, %v, want %s", got, err, root)
	}
}

// To the actors of FIP-0118 nobody migrates without their configuration; the error says what to do.
func TestVersion19OfFIP0118(t *testing.T) {
	set, store := bundles(t), blockstore.NewMemory()
	n, u := between("testing", 28, 29, "")
	m := New(n, set, store, Options{})
	root := small(t, store, set, 18, "testing", "here")
	b, err := set.Load(t.Context(), 17, "testing", store) // code that is not version 18's
	if err != nil {
		t.Fatal(err)
	}
	if same, err := m.isVersion18(t.Context(), b); err != nil || same {
		t.Fatalf("%v, %v", same, err)
	}
	_, err = m.step(t.Context(), step{upgrade: u, actors: 19, manifest: b.ManifestCID}, root)
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "bundle remove v19/testing") {
		t.Error(err)
	}
}

// Upgrades of which it is not known what they do are errors.
func TestUnknown(t *testing.T) {
	set, store := bundles(t), blockstore.NewMemory()
	root := small(t, store, set, 18, "testing", "here")
	for _, c := range []struct {
		name     string
		from, to fnetwork.Version
		says     string
	}{
		{"two versions at once", 16, 18, "from network version 16 to 18"},
		{"one without actors of its own", 19, 20, "from network version 19 to 20"},
		{"no change of version", 28, 28, "changes no version"},
		{"before there was Wasm", 14, 15, ""},
	} {
		n, u := between("testing", c.from, c.to, "")
		if _, err := New(n, set, store, Options{}).Migrate(t.Context(), u, root); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	n, u := between("testing", 16, 17, "")
	if _, err := New(n, set, store, Options{}).Migrate(t.Context(), u, root); err == nil || !strings.Contains(err.Error(), "version 5") {
		t.Errorf("a state that is too new: %v", err)
	}
}

// Upgrades that mend calibnet give its actors other code, and change nothing else.
func TestQuirkCalibnetFixes(t *testing.T) {
	set := bundles(t)
	for _, c := range []struct {
		name             string
		version          fnetwork.Version
		actors           int
		before, after    string
		changed, network string
	}{
		{"WatermelonFix", 21, 12, "calibrationnet-12-rc1", "calibrationnet-12-rc2", "storageminer", calibnet},
		{"WatermelonFix2", 21, 12, "calibrationnet-12-rc2", "calibrationnet", "storageminer", calibnet},
		{"CalibrationDragonFix", 22, 13, "calibrationnet-13-rc3", "calibrationnet", "verifiedregistry", calibnet},
		{"TockFix", 26, 16, "calibrationnet-v16.0.0", "calibrationnet", "storageminer", calibnet},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := blockstore.NewMemory()
			root := small(t, store, set, c.actors, c.before, calibnet)
			n, u := between(calibnet, c.version, c.version, c.name)
			got, err := New(n, set, store, Options{}).Migrate(t.Context(), u, root)
			if err != nil {
				t.Fatal(err)
			}
			want := small(t, store, set, c.actors, c.after, calibnet)
			if c.changed == "storageminer" && got.Equals(root) {
				t.Error("nothing changed")
			}
			// The init actor's state names the list in this test: what else is as it was made by the new bundle.
			st, err := tree.Load(t.Context(), store, got)
			if err != nil {
				t.Fatal(err)
			}
			wanted, err := tree.Load(t.Context(), store, want)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []abi.ActorID{0, 100} {
				x, err := st.Actor(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				y, err := wanted.Actor(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if !x.Code.Equals(y.Code) || !x.Head.Equals(y.Head) || x.Nonce != y.Nonce || !x.Balance.Equals(y.Balance) {
					t.Errorf("actor %d is %+v, want %+v", id, x, y)
				}
			}
		})
	}
}

// Quirk: which actors an upgrade brings depends on the network that the state names.
func TestQuirkBundlesOfUpgrades(t *testing.T) {
	set := bundles(t)
	for _, c := range []struct {
		actors  int
		to      fnetwork.Version
		network string // that the state names
		tock    abi.ChainEpoch
		want    string
	}{
		{12, 21, calibnet, -1, "calibrationnet-12-rc1"}, {12, 21, "other", -1, "testing"}, {13, 22, calibnet, -1, "calibrationnet-13-rc3"},
		{13, 22, "other", -1, "testing"}, {14, 23, calibnet, -1, "testing"}, {16, 25, calibnet, 9, "calibrationnet-v16.0.0"},
		{16, 25, calibnet, -1, "testing"}, {16, 25, "testing", 9, "testing-v16.0.0"},
	} {
		store := blockstore.NewMemory()
		root := small(t, store, set, 18, "testing", c.network)
		n, u := between("testing", c.to-1, c.to, "")
		n.Constants.TockFix = c.tock
		got, err := New(n, set, store, Options{}).bundleAt(t.Context(), u, c.actors, root)
		if err != nil || got != c.want {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}

// Quirk: two migrations take a height from the build, whatever the schedule says. Those of the builds are in package network's test,
// which reads them in Lotus's source.
func TestQuirkHeightsOfTheBuild(t *testing.T) {
	for name, want := range map[string]abi.ChainEpoch{"itests": 3855360, "2k": -25, "calibnet": 1427974} {
		n, _ := network.ByName(name)
		n.Upgrades = []network.Upgrade{{Height: -1, Version: 21}, {Height: 130, Version: 22, Migrates: true}}
		if got := New(n, nil, nil, Options{}).config().UpgradeEpoch; got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
