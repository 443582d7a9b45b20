package clitest

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// SmallBundle writes a CAR with a few of the newest actors.
func SmallBundle(t testing.TB, names ...string) string {
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
	return WriteTo(t, filepath.Join(t.TempDir(), "small.car"), out.Bytes())
}
