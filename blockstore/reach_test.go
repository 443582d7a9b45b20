package blockstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put stores a block in b and returns its CID.
func put(b *Buffered, codec uint64, data []byte) cid.Cid {
	c := cbor.Blake2bCID(codec, blake2b.Sum256(data))
	b.PutRaw(c, data)
	return c
}

// list is the DAG-CBOR of a list of links.
func list(links ...cid.Cid) []byte {
	b := cbor.AppendArray(nil, len(links))
	for _, c := range links {
		b = cbor.AppendCID(b, c)
	}
	return b
}

// journal is a store that notes in which order it was written to, and can fail.
type journal struct {
	*Memory
	order []cid.Cid
	fail  error
}

func (j *journal) PutMany(ctx context.Context, bs []blocks.Block) error {
	if j.fail != nil {
		return j.fail
	}
	for _, b := range bs {
		j.order = append(j.order, b.Cid())
	}
	return j.Memory.PutMany(ctx, bs)
}

func TestFlush(t *testing.T) {
	ctx := context.Background()
	base := &journal{Memory: NewMemory()}
	b := NewBuffered(base)
	leaf := put(b, cbor.CodecRaw, []byte("leaf"))
	shared := put(b, cbor.CodecDagCBOR, list(leaf))
	inlined := put(b, cbor.CodecRaw, []byte("inlined"))
	identity := cid.NewCidV1(cbor.CodecDagCBOR, append([]byte{0, byte(len(list(inlined)))}, list(inlined)...))
	plain := put(b, cbor.CodecCBOR, list(put(b, cbor.CodecRaw, []byte("not linked: CBOR has no links"))))
	piece := cid.NewCidV1(cbor.CodecFilCommitmentUnsealed, append(unhex(t, "922020"), make([]byte, 32)...))
	absent := cbor.Blake2bCID(cbor.CodecDagCBOR, [32]byte{1})
	mid := put(b, cbor.CodecDagCBOR, list(shared, absent, identity, piece))
	root := put(b, cbor.CodecDagCBOR, list(mid, shared, plain))
	stray := put(b, cbor.CodecRaw, []byte("stray"))

	if got, err := b.GetRaw(ctx, root); err != nil || !bytes.Equal(got, list(mid, shared, plain)) {
		t.Fatal("the buffer does not give back the root", err)
	}
	base.fail = errors.New("disk full")
	if err := b.Flush(ctx, root); !errors.Is(err, base.fail) || errors.Is(err, ErrFlush) || b.Len() != 8 {
		t.Fatalf("flush to a store that fails: %v, %d blocks left", err, b.Len())
	}
	base.fail = nil
	if err := b.Flush(ctx, root); err != nil {
		t.Fatal(err)
	}
	if want := []cid.Cid{leaf, shared, inlined, mid, plain, root}; !slices.Equal(base.order, want) {
		t.Errorf("written in the order\n%v, not\n%v", base.order, want)
	}
	if ok, _ := base.Has(ctx, stray); ok || b.Len() != 2 {
		t.Errorf("a stray block was written, or %d blocks are left", b.Len())
	}
	if ok, err := b.Has(ctx, root); !ok || err != nil {
		t.Error("the root is not found after the flush")
	}
	if err := b.FlushAll(ctx); err != nil || b.Len() != 0 || base.Len() != 8 {
		t.Errorf("flush of all: %v, %d left, %d written", err, b.Len(), base.Len())
	}
	if _, err := b.GetRaw(ctx, absent); !format.IsNotFound(err) {
		t.Errorf("an absent block: %v", err)
	}
	if err := b.Flush(ctx, absent); err != nil {
		t.Errorf("flush of a root that is not in the buffer: %v", err)
	}
}

// TestFlushMany crosses the bounds of a batch with a chain and a fan.
func TestFlushMany(t *testing.T) {
	base := &journal{Memory: NewMemory()}
	b := NewBuffered(base)
	prev := put(b, cbor.CodecRaw, []byte("end"))
	for range 2 * batchBlocks {
		prev = put(b, cbor.CodecDagCBOR, list(prev, prev))
	}
	n := b.Len()
	if err := b.Flush(context.Background(), prev); err != nil {
		t.Fatal(err)
	}
	if len(base.order) != n || base.order[n-1] != prev || b.Len() != 0 {
		t.Fatalf("%d of %d blocks written, the last is %v", len(base.order), n, base.order[n-1])
	}
}

// TestFlushRefusesRoots: a root goes through the same checks as a link, and is the node's own.
func TestFlushRefusesRoots(t *testing.T) {
	sum := make([]byte, 32)
	for _, tt := range []struct {
		name      string
		codec     uint64
		mh        []byte
		bad, skyr bool
	}{
		{name: "blake2b", codec: cbor.CodecRaw, mh: append(unhex(t, "a0e40220"), sum...)},
		{name: "sha256", codec: cbor.CodecRaw, mh: append(unhex(t, "1220"), sum...), bad: true, skyr: true},
		{name: "short blake2b", codec: cbor.CodecRaw, mh: append(unhex(t, "a0e4021f"), sum[1:]...), bad: true, skyr: true},
		{name: "CBOR", codec: cbor.CodecCBOR, mh: append(unhex(t, "a0e40220"), sum...), skyr: true},
		{name: "DAG-PB", codec: cbor.CodecDagPB, mh: append(unhex(t, "a0e40220"), sum...), bad: true, skyr: true},
		{name: "identity", codec: cbor.CodecRaw, mh: unhex(t, "00036f6e65")},
		{name: "identity of bad DAG-CBOR", codec: cbor.CodecDagCBOR, mh: unhex(t, "000181"), bad: true, skyr: true},
		{name: "sealed sector", codec: cbor.CodecFilCommitmentSealed, mh: append(unhex(t, "1220"), sum...)},
	} {
		c := cid.NewCidV1(tt.codec, tt.mh)
		for _, skyr := range []bool{false, true} {
			b := NewBuffered(NewMemory())
			b.SetFlushRules(FlushRules{Skyr: skyr})
			err := b.Flush(context.Background(), c)
			want := tt.bad
			if skyr {
				want = tt.skyr
			}
			if errors.Is(err, ErrFlush) != want {
				t.Errorf("%s, skyr %v: %v", tt.name, skyr, err)
			}
		}
	}
}

// TestFlushRefusesBlocks: what the scan of links refuses, the flush does, and writes nothing. What the scan refuses is tested where it is.
func TestFlushRefusesBlocks(t *testing.T) {
	for _, skyr := range []bool{false, true} {
		base := &journal{Memory: NewMemory()}
		b := NewBuffered(base)
		b.SetFlushRules(FlushRules{Skyr: skyr})
		leaf := put(b, cbor.CodecRaw, []byte("leaf"))
		root := put(b, cbor.CodecDagCBOR, list(leaf))
		b.buf[root.KeyString()] = nil // lost on the way
		if err := b.Flush(context.Background(), root); !errors.Is(err, ErrFlush) || len(base.order) > 0 || b.Len() != 2 {
			t.Errorf("skyr %v: %v, %d written, %d left", skyr, err, len(base.order), b.Len())
		}
	}
}

// TestFlushRules: each rule of a network version reaches the scan.
func TestFlushRules(t *testing.T) {
	for _, skyr := range []bool{false, true} {
		rules := FlushRules{Skyr: skyr}
		want := cbor.LinkRules{}
		if skyr {
			want = cbor.LinkRules{Shortest: true, LooseStrings: true, MaxLink: 100, AnyPrefix: true}
		}
		if got := rules.links(); *got != want {
			t.Errorf("skyr %v: %+v", skyr, got)
		}
	}
}

// TestQuirkFieldCountWraps: a map of 2^63 entries counts as one of none.
func TestQuirkFieldCountWraps(t *testing.T) {
	b := NewBuffered(NewMemory())
	if err := b.Flush(context.Background(), put(b, cbor.CodecDagCBOR, unhex(t, "bb8000000000000000"))); err != nil {
		t.Fatal(err)
	}
}

func TestOverlay(t *testing.T) {
	ctx := context.Background()
	o := &Overlay{Top: NewMemory(), Base: NewMemory()}
	a, b := blocks.NewBlock([]byte("a")), blocks.NewBlock([]byte("b"))
	if err := errors.Join(o.Base.Put(ctx, a), o.Put(ctx, b), o.PutMany(ctx, nil)); err != nil {
		t.Fatal(err)
	}
	for _, blk := range []blocks.Block{a, b} {
		got, err := o.Get(ctx, blk.Cid())
		has, herr := o.Has(ctx, blk.Cid())
		if err != nil || herr != nil || !has || !bytes.Equal(got.RawData(), blk.RawData()) {
			t.Error(blk, err, herr, has)
		}
	}
	if n := o.Base.(*Memory).Len(); n != 1 {
		t.Errorf("the base store has %d blocks", n)
	}
	if _, err := o.Get(ctx, blocks.NewBlock(nil).Cid()); !format.IsNotFound(err) {
		t.Error(err)
	}
}

// FuzzFlush flushes arbitrary DAG-CBOR: no panic, no hang, and what is written can be read.
func FuzzFlush(f *testing.F) {
	f.Add(unhex(f, "82d82a582700"+"0171a0e40220"+"0101010101010101010101010101010101010101010101010101010101010101"+"01"), false)
	f.Add([]byte{0x82, 1, 0x61, 'a'}, true)
	f.Fuzz(func(t *testing.T, data []byte, skyr bool) {
		base := NewMemory()
		b := NewBuffered(base)
		b.SetFlushRules(FlushRules{Skyr: skyr})
		c := put(b, cbor.CodecDagCBOR, data)
		if err := b.Flush(context.Background(), c); err != nil {
			if !errors.Is(err, ErrFlush) || b.Len() != 1 {
				t.Fatal(err)
			}
			return
		}
		if got, err := base.Get(context.Background(), c); err != nil || !bytes.Equal(got.RawData(), data) {
			t.Fatal(err)
		}
	})
}

// done is a context that is done once it has been asked left times.
type done struct {
	context.Context
	left int
}

func (d *done) Err() error {
	if d.left == 0 {
		return context.Canceled
	}
	d.left--
	return nil
}

// A flush whose context is done midway, on the way to the blocks or while they are written, leaves the buffer as it was, and
// does not write the root.
func TestFlushInterrupted(t *testing.T) {
	for name, flush := range map[string]func(*Buffered, context.Context, cid.Cid) error{
		"what the root reaches": (*Buffered).Flush,
		"all":                   func(b *Buffered, ctx context.Context, _ cid.Cid) error { return b.FlushAll(ctx) },
	} {
		base := NewMemory()
		b := NewBuffered(base)
		root := put(b, cbor.CodecRaw, []byte("end"))
		for range 20 {
			root = put(b, cbor.CodecDagCBOR, list(root, root))
		}
		blocks, looks := b.Len(), 0
		for ; ; looks++ {
			err := flush(b, &done{t.Context(), looks}, root)
			if err == nil {
				break
			}
			if has, _ := base.Has(t.Context(), root); !errors.Is(err, context.Canceled) || errors.Is(err, ErrFlush) || has || b.Len() != blocks {
				t.Fatalf("%s: after %d looks: %v, %d blocks", name, looks, err, b.Len())
			}
		}
		if has, _ := base.Has(t.Context(), root); !has || b.Len() != 0 || looks < 2 {
			t.Errorf("%s: in the end %d looks, the root is there: %v", name, looks, has)
		}
	}
}
