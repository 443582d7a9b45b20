package explain

import (
	"context"
	"crypto/sha256"
	"errors"
	gobig "math/big"
	"reflect"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// put sets actors of a tree and returns its root; nil is no actor.
func put(t *testing.T, tree *state.Tree, actors map[abi.ActorID]*state.ActorState) cid.Cid {
	t.Helper()
	for id, a := range actors {
		var err error
		if a == nil {
			err = tree.DeleteActor(id)
		} else {
			err = tree.SetActor(id, *a)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := tree.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func actor(code cid.Cid, nonce uint64, balance int64) *state.ActorState {
	return &state.ActorState{Code: code, Head: code, Nonce: nonce, Balance: big.NewInt(balance)}
}

// counting counts the blocks that are read.
type counting struct {
	blockstore.Blockstore
	reads int
}

func (c *counting) Get(ctx context.Context, k cid.Cid) (blocks.Block, error) {
	c.reads++
	return c.Blockstore.Get(ctx, k)
}

func TestChanges(t *testing.T) {
	store := blockstore.NewBuffered(blockstore.NewMemory())
	tree := state.New(store)
	many := map[abi.ActorID]*state.ActorState{}
	for id := range abi.ActorID(2000) { // so many that the tree has levels
		many[id] = actor(minerCode, 0, 100)
	}
	before := put(t, tree, many)
	delegated, err := address.NewDelegatedAddress(10, []byte("twenty bytes of ether"[:20]))
	if err != nil {
		t.Fatal(err)
	}
	made := actor(evmCode, 1, 5)
	made.Delegated = &delegated
	after := put(t, tree, map[abi.ActorID]*state.ActorState{7: nil, 9: actor(minerCode, 3, 60), 300: actor(evmCode, 0, 100), 5000: made, 1 << 62: actor(cid.MustParse("bafkqaaa"), 0, 0)})

	counted := &counting{Blockstore: store}
	got, err := Changes(t.Context(), counted, before, after, names)
	if err != nil {
		t.Fatal(err)
	}
	of := func(code cid.Cid, nonce uint64, balance int64, f4 string) *Actor {
		return &Actor{code, code, nonce, big.NewInt(balance), f4}
	}
	old := of(minerCode, 0, 100, "")
	want := []Change{
		{7, "storageminer", old, nil, big.NewInt(-100)}, {9, "storageminer", old, of(minerCode, 3, 60, ""), big.NewInt(-40)},
		{300, "evm", old, of(evmCode, 0, 100, ""), big.Zero()}, {5000, "evm", nil, of(evmCode, 1, 5, delegated.String()), big.NewInt(5)},
		{1 << 62, "actor", nil, of(cid.MustParse("bafkqaaa"), 0, 0, ""), big.Zero()},
	}
	if len(got) != len(want) {
		t.Fatalf("%d changes, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if g, w := got[i], want[i]; g.ID != w.ID || g.Actor != w.Actor || !reflect.DeepEqual(g.Before, w.Before) || !reflect.DeepEqual(g.After, w.After) || !g.Delta.Equals(w.Delta) {
			t.Errorf("change %d is %+v, want %+v", i, g, w)
		}
	}
	if counted.reads > 100 {
		t.Errorf("%d blocks were read of a tree that is the same but for five places", counted.reads)
	}
	if same, err := Changes(t.Context(), store, after, after, nil); err != nil || same == nil || len(same) != 0 {
		t.Errorf("of one state: %v, %v", same, err)
	}
	back, err := Changes(t.Context(), store, after, before, nil)
	if err != nil || len(back) != len(want) || back[0].Before != nil || back[0].Actor != "actor" {
		t.Errorf("the other way: %+v, %v", back, err)
	}
}

// A block that is missing, or no part of a state tree, is an error.
func TestChangesOfBadStates(t *testing.T) {
	store := blockstore.NewBuffered(blockstore.NewMemory())
	good := put(t, state.New(store), map[abi.ActorID]*state.ActorState{5: actor(minerCode, 0, 1)})
	block := func(data []byte) cid.Cid {
		c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
		store.PutRaw(c, data)
		return c
	}
	root := func(hamt cid.Cid) cid.Cid {
		return block(cbor.AppendCID(cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 3), state.Current), hamt), block([]byte{0x80})))
	}
	gone := cbor.Blake2bCID(cbor.CodecDagCBOR, [32]byte{1})
	node := func(field byte, pointers ...byte) cid.Cid {
		return block(append([]byte{0x82, 0x41, field}, pointers...))
	}
	place := new(gobig.Int).Lsh(gobig.NewInt(1), uint(sha256.Sum256([]byte{0x00, 0x05})[0]>>3)) // where f05 is looked for
	placed := cbor.AppendBytes([]byte{0x82}, place.Bytes())
	for _, tt := range []struct {
		name string
		root cid.Cid
	}{
		{"no root", gone}, {"a root that is none", block([]byte{0x83, 0})}, {"no tree", root(gone)}, {"a node that is none", root(block([]byte{0x00}))},
		{"fewer pointers than bits", root(node(3, 0x81, 0x80))}, {"a pointer that is none", root(node(1, 0x81, 0x01))}, {"an entry that is none", root(node(1, 0x81, 0x81, 0x01))},
		{"a key that is no address", root(node(1, 0x81, 0x81, 0x82, 0x41, 0xff, 0x80))}, {"a key that is no ID", root(node(1, 0x81, 0x81, 0x82, 0x43, 0x02, 1, 2, 0x80))},
		{"an entry that is no actor", root(block(append(placed, 0x81, 0x81, 0x82, 0x42, 0x00, 0x05, 0x80)))},
		{"a link to nowhere", root(node(1, append([]byte{0x81}, cbor.AppendCID(nil, gone)...)...))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, roots := range [][2]cid.Cid{{tt.root, good}, {good, tt.root}} {
				if list, err := Changes(t.Context(), store, roots[0], roots[1], nil); err == nil {
					t.Errorf("no error, %d changes", len(list))
				}
			}
		})
	}
	if _, err := Changes(t.Context(), failing{}, good, good, nil); !errors.Is(err, errStore) {
		t.Errorf("the store's error is lost: %v", err)
	}
}

var errStore = errors.New("the disk is gone")

type failing struct{ blockstore.Blockstore }

func (failing) Get(context.Context, cid.Cid) (blocks.Block, error) { return nil, errStore }
