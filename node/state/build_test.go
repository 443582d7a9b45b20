package state

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-hamt-ipld/v3"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/manifest"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipldcbor "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// builder makes states for tests, by go-state-types and the libraries that write maps and arrays.
type builder struct {
	t      testing.TB
	store  *blockstore.Memory
	actors map[abi.ActorID]Actor
	codes  map[string]cid.Cid // by name
}

// newBuilder takes its codes from the bundle that the whole state names, v18 of mainnet.
func newBuilder(t testing.TB) *builder {
	store, root := wholeState(t)
	tree := openTree(t, store, root)
	b := &builder{t, store, map[abi.ActorID]Actor{}, map[string]cid.Cid{}}
	for code, name := range tree.manifest(t.Context()).kinds {
		b.codes[name] = code
	}
	system, err := tree.ActorByID(t.Context(), systemID)
	if err != nil {
		t.Fatal(err)
	}
	b.actors[systemID] = *system
	return b
}

// clone is the same state, to be changed.
func (b *builder) clone() *builder {
	c := *b
	c.actors = map[abi.ActorID]Actor{}
	for id, a := range b.actors {
		c.actors[id] = a
	}
	return &c
}

func (b *builder) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// raw stores a block of DAG-CBOR.
func (b *builder) raw(data []byte) cid.Cid {
	c, err := cid.V1Builder{Codec: cid.DagCBOR, MhType: 0xb220, MhLength: 32}.Sum(data)
	b.must(err)
	blk, err := blocks.NewBlockWithCid(data, c)
	b.must(err)
	b.must(b.store.Put(b.t.Context(), blk))
	return c
}

// put stores a value.
func (b *builder) put(v cbg.CBORMarshaler) cid.Cid {
	var data bytes.Buffer
	b.must(v.MarshalCBOR(&data))
	return b.raw(data.Bytes())
}

func (b *builder) ipld() ipldcbor.IpldStore { return ipldcbor.NewCborStore(b.store) }

// hamt stores a map.
func (b *builder) hamt(bits int, entries map[string]cbg.CBORMarshaler) cid.Cid {
	n, err := hamt.NewNode(b.ipld(), hamt.UseTreeBitWidth(bits), hamt.UseHashFunction(func(k []byte) []byte { h := sha256.Sum256(k); return h[:] }))
	b.must(err)
	for k, v := range entries {
		b.must(n.Set(b.t.Context(), k, v))
	}
	c, err := n.Write(b.t.Context())
	b.must(err)
	return c
}

// amt stores an array.
func (b *builder) amt(bits uint, entries map[uint64]cbg.CBORMarshaler) cid.Cid {
	a, err := amt.NewAMT(b.ipld(), amt.UseTreeBitWidth(bits))
	b.must(err)
	for i, v := range entries {
		b.must(a.Set(b.t.Context(), i, v))
	}
	c, err := a.Flush(b.t.Context())
	b.must(err)
	return c
}

// actor puts an actor into the state.
func (b *builder) actor(id abi.ActorID, kind string, head cid.Cid, balance int64) {
	code, ok := b.codes[kind]
	if !ok {
		b.t.Fatalf("no code of %s", kind)
	}
	b.actors[id] = Actor{ID: id, Code: code, Head: head, Balance: big.NewInt(balance)}
}

// manifest makes the system actor name these actors.
func (b *builder) manifest(names ...string) {
	var list manifest.ManifestData
	for _, n := range names {
		b.codes[n] = b.raw(append(cbg.CborEncodeMajorType(cbg.MajTextString, uint64(len(n))), n...)) // any CID will do
		list.Entries = append(list.Entries, manifest.ManifestEntry{Name: n, Code: b.codes[n]})
	}
	link := cbg.CborCid(b.put(&list))
	var head bytes.Buffer
	head.WriteByte(0x81)
	b.must(link.MarshalCBOR(&head))
	b.actor(systemID, "system", b.raw(head.Bytes()), 0)
}

// root is the state's root, in the format of a version of trees.
func (b *builder) root(version int) cid.Cid {
	entries := map[string]cbg.CBORMarshaler{}
	for _, a := range b.actors {
		data, err := a.append(nil, version)
		b.must(err)
		entries[string(addr.NewID(uint64(a.ID)).Bytes())] = &cbg.Deferred{Raw: data}
	}
	actors := b.hamt(5, entries)
	if version == 0 {
		return actors
	}
	var top bytes.Buffer
	top.WriteByte(0x83)
	top.WriteByte(byte(version))
	b.must(cbg.WriteCid(&top, actors))
	b.must(cbg.WriteCid(&top, b.raw([]byte{0x80})))
	return b.raw(top.Bytes())
}

// tree is the state.
func (b *builder) tree(o Options) *Tree {
	tree, err := Open(b.t.Context(), b.store, b.root(5), o)
	b.must(err)
	return tree
}
