package state

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Data of no known type that are too deep are errors with a path, blocks that are shared count once, and a walk ends with its context.
func TestDeepAndShared(t *testing.T) {
	b := newBuilder(t)
	link := func(c cid.Cid) []byte { return append([]byte("\xd8\x2a\x58\x27\x00"), c.Bytes()...) }
	deep := b.raw([]byte{0x80})
	for range 5000 {
		deep = b.raw(append([]byte{0x81}, link(deep)...))
	}
	b.codes["other"] = b.raw([]byte{0x81, 1})
	b.actor(500, "other", deep, 0)
	nested := b.raw([]byte(strings.Repeat("\x81", 1000) + "\x80"))
	b.actor(501, "other", nested, 0)
	tree := b.tree(Options{})
	if _, err := tree.Stat(t.Context(), StatOptions{Missing: func(*MissingError) error { return nil }}); err == nil || !strings.Contains(err.Error(), "/actors/f0500/state/") || !strings.Contains(err.Error(), "deeper than 2000") {
		t.Errorf("links: %v", err)
	}
	if _, err := tree.Get(t.Context(), "actors/f0500/state"+strings.Repeat("/0", 4000)); err != nil {
		t.Errorf("a path may go on: %v", err)
	}
	if _, err := tree.Get(t.Context(), "actors/f0501/state"); err == nil || !strings.Contains(err.Error(), "/actors/f0501/state: not read as data of no known type: it nests deeper than 256") {
		t.Errorf("lists: %v", err)
	}

	// An array whose nodes are the same at all places: each block counts once.
	leaf := "\x83\x41\xff\x80\x88" + strings.Repeat("\x01", 8)
	node := b.raw([]byte(leaf))
	for range 3 {
		data := []byte("\x83\x41\xff\x88")
		for range 8 {
			data = append(data, link(node)...)
		}
		node = b.raw(append(data, 0x80))
	}
	data := []byte("\x84\x03\x04\x19\x80\x00\x83\x41\xff\x88")
	for range 8 {
		data = append(data, link(node)...)
	}
	shared := b.raw(append(data, 0x80))
	c := b.clone()
	c.actor(502, "other", b.raw(append([]byte{0x81}, link(shared)...)), 0)
	delete(c.actors, 500)
	delete(c.actors, 501)
	tree = c.tree(Options{})
	s, err := tree.Stat(t.Context(), StatOptions{Missing: func(*MissingError) error { return nil }})
	if err != nil {
		t.Fatalf("counting an array of equal nodes: %v", err)
	}
	if blocks, _ := s.Total(func(r StatRow) bool { return r.Actor == "unknown" }); blocks != 6 { // the state, the root, four nodes
		t.Errorf("%d blocks", blocks)
	}
	n := &Node{env: &tree.env, path: "/shared", block: shared, shape: &Shape{kind: kindAMT, key: keyIndex, elem: unknown}}
	if count, ok, err := n.Count(t.Context()); count != 1<<15 || !ok || err != nil {
		t.Errorf("%d, %v, %v", count, ok, err)
	}
	if _, v, err := n.lookup(t.Context(), rawIndex(1<<14+3)); !v || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	if err := n.Each(ctx, func(string, *Node) error { seen++; cancel(); return nil }); !errors.Is(err, context.Canceled) || seen != 8 {
		t.Errorf("a walk that is cancelled at its first value: %v, after %d", err, seen)
	}
}

// What stands in the place of another is an error that says where.
func TestWrongTypes(t *testing.T) {
	b := newBuilder(t)
	b.actor(100, "account", b.raw([]byte{0x82, 1, 2}), 0)
	b.actor(101, "multisig", account18(b, 101), 0)
	b.actor(1000, "storageminer", b.miner(minerParts{sectors: map[uint64]cbg.CBORMarshaler{3: number1{}, 4: sector(4, 1)}, owner: 100}), 0)
	tree := b.tree(Options{})
	for path, want := range map[string]string{
		"actors/f0100/state":                      "/actors/f0100/state: not read as account state v18: ",
		"actors/f0101/state":                      "/actors/f0101/state: not read as multisig state v18: ",
		"actors/f01000/state/Sectors/3":           "/actors/f01000/state/Sectors/3: not read as SectorOnChainInfo: ",
		"actors/f01000/state/Sectors/3/SealProof": "/actors/f01000/state/Sectors/3: not read as SectorOnChainInfo: ",
	} {
		_, err := tree.Get(t.Context(), path)
		var form *FormError
		if !errors.As(err, &form) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if v, err := shown(t, tree, "actors/f01000/state/Sectors/4/Expiration", ViewOptions{}); v != "1" || err != nil {
		t.Errorf("beside it: %s, %v", v, err)
	}
	err := Diff(t.Context(), tree, newBuilder(t).tree(Options{}), DiffOptions{Only: []abi.ActorID{1000}}, func(*Change) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "/actors/f01000/state/Sectors/3: not read as") {
		t.Errorf("a difference: %v", err)
	}
}

// What does not read as its type is counted and compared all the same.
func TestWrongTypesAreNoObstacle(t *testing.T) {
	a := newBuilder(t)
	inner := a.raw([]byte{0x81, 7})
	odd := func(n byte) cid.Cid {
		return a.raw(append(append([]byte("\x82\xd8\x2a\x58\x27\x00"), inner.Bytes()...), n))
	}
	a.actor(100, "account", odd(1), 0)
	b := a.clone()
	b.actor(100, "account", odd(2), 0)
	b.actor(101, "account", odd(3), 0)
	s, err := b.tree(Options{}).Stat(t.Context(), StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if blocks, _ := s.Total(func(r StatRow) bool { return r.Actor == "account" }); blocks != 3 { // two states, and what both lead to
		t.Errorf("%d blocks", blocks)
	}
	lines := told(t, a.tree(Options{}), b.tree(Options{}), DiffOptions{})
	if len(lines) != 2 || lines[0] != "changed /actors/f0100/state/1 1 2" || !strings.HasPrefix(lines[1], "added /actors/f0101 ") {
		t.Errorf("%v", lines)
	}
}

// number1 is a value that is no sector.
type number1 struct{}

func (number1) MarshalCBOR(w io.Writer) error {
	_, err := w.Write([]byte{1})
	return err
}
