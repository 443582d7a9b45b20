package cli

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// smallBundle writes a CAR with a few of the newest actors.
func smallBundle(t testing.TB, names ...string) string {
	t.Helper()
	ctx := context.Background()
	set, err := bundle.Open(ctx, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store := blockstore.NewMemory()
	all, err := set.Load(ctx, 18, "mainnet", store)
	if err != nil {
		t.Fatal(err)
	}
	var parts []blocks.Block
	list := cbor.AppendArray(nil, len(names))
	for _, name := range names {
		i := slices.IndexFunc(all.Actors, func(a bundle.Actor) bool { return a.Name == name })
		b, err := store.Get(ctx, all.Actors[i].Code)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b)
		list = cbor.AppendCID(cbor.AppendText(cbor.AppendArray(list, 2), name), b.Cid())
	}
	for range 2 { // the list, then the manifest that names it
		c, err := cid.V1Builder{Codec: cid.DagCBOR, MhType: multihash.BLAKE2B_MIN + 31}.Sum(list)
		if err != nil {
			t.Fatal(err)
		}
		b, err := blocks.NewBlockWithCid(list, c)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b)
		list = cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), c)
	}
	var out bytes.Buffer
	err = blockstore.WriteCAR(&out, []cid.Cid{parts[len(parts)-1].Cid()}, func(yield func(blocks.Block, error) bool) {
		for _, b := range parts {
			if !yield(b, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return writeTo(t, filepath.Join(t.TempDir(), "small.car"), out.Bytes())
}

func TestCacheBuild(t *testing.T) {
	needBundles(t)
	car, dir := smallBundle(t, "system", "account"), filepath.Join(t.TempDir(), "cache")
	args := []string{"cache", "build", "--bundle", car, "--nv", "28", "--cache", dir}
	out := ok(t, args...)
	plain(t, out)
	for _, want := range []string{car + " system nv28 ", car + " account nv28 ", "2 actors in ", "for wazero: "} {
		if !strings.Contains(strings.Join(strings.Fields(out), " ")+" ", want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	made := fromJSON[cacheView](t, ok(t, "cache", "info", "--cache", dir, "--json"))
	if made.Wazero.Entries < 2 || made.Entries != made.Wazero.Entries {
		t.Errorf("the cache: %+v", made)
	}
	// What is there is left as it is, and serves a run.
	again := fromJSON[buildView](t, ok(t, append(args, "--json")...))
	if again.Bytes != 0 || again.Slower != 0 || len(again.Actors) != 2 || again.Dir != dir {
		t.Errorf("the second time: %+v", again)
	}
	ok(t, "vectors", "run", "--cache", dir, golden("nv28-send-001"))
	if after := fromJSON[cacheView](t, ok(t, "cache", "info", "--cache", dir, "--json")); after.Entries != made.Entries {
		t.Errorf("a run compiled again: %d entries, %d before", after.Entries, made.Entries)
	}
}

func TestCacheBuildTrouble(t *testing.T) {
	needBundles(t)
	car := smallBundle(t, "account")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "--bundle is missing"},
		{[]string{"--bundle", car}, exitUsage, "say so with --nv"},
		{[]string{"--bundle", car, "--nv", "-1"}, exitUsage, "no such network version"},
		{[]string{"--bundle", car, "--nv", "28", "--jobs", "0"}, exitUsage, "--jobs must be at least 1"},
		{[]string{"--bundle", "frob"}, exitUsage, "want VERSION/NETWORK"},
		{[]string{"--bundle", "v1/mainnet"}, exitFailed, "'edgefvm bundle list' names them"},
		{[]string{"--bundle", "missing.car"}, exitFailed, "missing.car"},
		{[]string{"--bundle", car, "--nv", "28", "--engine", "wazero-interpreter"}, exitUsage, "keeps no compiled code"},
		{[]string{"--bundle", car, "--nv", "28", "--engine", "v8"}, exitUsage, `no engine "v8"`},
	} {
		fails(t, c.code, append([]string{"cache", "build", "--cache", t.TempDir()}, c.args...), c.want)
	}

	// What fails does not keep the rest from being compiled.
	r := run(t, "cache", "build", "--cache", t.TempDir(), "--bundle", car, "--nv", "28", "--nv", "99")
	if r.code != exitFailed || !strings.Contains(r.out, "failed") || !strings.Contains(r.out, "network version 99") || !strings.Contains(r.out, "2 actors in ") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.stderr)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := runWith(ctx, "cache", "build", "--cache", t.TempDir(), "--bundle", car, "--nv", "28"); r.code != exitInterrupted {
		t.Errorf("interrupted: exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
}
