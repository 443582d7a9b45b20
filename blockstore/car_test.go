package blockstore

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

func each(bs ...blocks.Block) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		for _, b := range bs {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func mustBlock(t testing.TB, codec, hash uint64, data []byte) blocks.Block {
	t.Helper()
	mh, err := multihash.Sum(data, hash, -1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := blocks.NewBlockWithCid(data, cid.NewCidV1(codec, mh))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleCAR(t testing.TB) ([]byte, []blocks.Block) {
	bs := []blocks.Block{
		mustBlock(t, cbor.CodecDagCBOR, multihash.BLAKE2B_MIN+31, []byte{0x80}),
		mustBlock(t, cbor.CodecRaw, multihash.SHA2_256, []byte("sha")),
		mustBlock(t, cbor.CodecRaw, multihash.IDENTITY, []byte("inline")),
		blocks.NewBlock([]byte("version 0")),
		mustBlock(t, cbor.CodecRaw, multihash.BLAKE2B_MIN+31, bytes.Repeat([]byte("long"), wholeRead)),
		mustBlock(t, cbor.CodecRaw, multihash.BLAKE2B_MIN+31, nil),
	}
	var out bytes.Buffer
	if err := WriteCAR(&out, []cid.Cid{bs[0].Cid(), bs[1].Cid()}, each(bs...)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), bs
}

func TestCAR(t *testing.T) {
	ctx := context.Background()
	car, bs := sampleCAR(t)
	for _, in := range [][]byte{car, packed(t, car)} {
		m := NewMemory()
		roots, err := LoadCAR(ctx, iotest.OneByteReader(bytes.NewReader(in)), m, CAROptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(roots) != 2 || roots[0] != bs[0].Cid() || roots[1] != bs[1].Cid() {
			t.Errorf("the roots are %v", roots)
		}
		for _, b := range bs {
			if got, err := m.Get(ctx, b.Cid()); err != nil || !bytes.Equal(got.RawData(), b.RawData()) {
				t.Errorf("block %s: %v", b.Cid(), err)
			}
		}
		if m.Len() != len(bs) || len(m.Keys()) != len(bs) {
			t.Errorf("%d blocks of %d", m.Len(), len(bs))
		}
	}
}

// packed compresses an archive.
func packed(t testing.TB, car []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(car); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCARUnpacks: what a compressed archive becomes is bounded by what was read of it, or by the caller; a plain one is not.
func TestCARUnpacks(t *testing.T) {
	var zeros, tiny bytes.Buffer
	zero := mustBlock(t, cbor.CodecRaw, uint64(cbor.HashBlake2b256), make([]byte, 1<<20))
	inline := mustBlock(t, cbor.CodecRaw, uint64(cbor.HashIdentity), []byte{0})
	if err := errors.Join(WriteCAR(&zeros, nil, each(slices.Repeat([]blocks.Block{zero}, 70)...)), WriteCAR(&tiny, nil, each(slices.Repeat([]blocks.Block{inline}, 540_000)...))); err != nil {
		t.Fatal(err)
	}
	packedZeros, packedTiny := packed(t, zeros.Bytes()), packed(t, tiny.Bytes())
	var many bytes.Buffer
	if err := WriteCAR(&many, nil, small(20_000)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		in     []byte
		o      CAROptions
		blocks int64 // 0: refused
	}{
		{"zeros", packedZeros, CAROptions{}, 0},
		{"zeros, plain", zeros.Bytes(), CAROptions{}, 70},
		{"zeros, as the caller likes", packedZeros, CAROptions{MaxUnpacked: 71 << 20}, 70},
		{"zeros, less than the caller likes", packedZeros, CAROptions{MaxUnpacked: 70 << 20}, 0},
		{"zeros, without a bound", packedZeros, CAROptions{MaxUnpacked: -1}, 70},
		{"tiny blocks", packedTiny, CAROptions{}, 0}, // 4 MB of archive, and 73 MB of memory
		{"tiny blocks, plain", tiny.Bytes(), CAROptions{}, 540_000},
		{"an honest archive", packed(t, many.Bytes()), CAROptions{}, 20_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var heard, last int64
			tt.o.Progress = func(bytes, blocks int64) {
				if blocks < last || blocks > last+progressBlocks || bytes < blocks {
					t.Errorf("after %d blocks the progress is %d bytes, %d blocks", last, bytes, blocks)
				}
				heard, last = bytes, blocks
			}
			_, err := LoadCAR(t.Context(), bytes.NewReader(tt.in), NewMemory(), tt.o)
			if tt.blocks == 0 {
				if !errors.Is(err, ErrCARBound) || !errors.Is(err, ErrCAR) || !strings.Contains(err.Error(), "CAROptions.MaxUnpacked") {
					t.Errorf("error: %v", err)
				}
				return
			}
			if err != nil || last != tt.blocks || heard < tt.blocks*7 {
				t.Errorf("%d blocks of %d bytes: %v", last, heard, err)
			}
		})
	}
}

func read(in []byte, o CAROptions) (n int, err error) {
	_, err = ReadCAR(context.Background(), bytes.NewReader(in), func(blocks.Block) error { n++; return nil }, o)
	return n, err
}

// TestCARCut cuts an archive at each byte: that is well only between blocks.
func TestCARCut(t *testing.T) {
	cutEverywhere(t, func(in []byte) error {
		_, err := read(in, CAROptions{})
		return err
	})
}

func cutEverywhere(t *testing.T, use func(in []byte) error) {
	t.Helper()
	_, bs := sampleCAR(t)
	bs = append(bs[:4:4], bs[5])
	var out bytes.Buffer
	if err := WriteCAR(&out, []cid.Cid{bs[0].Cid()}, each(bs...)); err != nil {
		t.Fatal(err)
	}
	good := 0
	for cut := range out.Len() {
		err := use(out.Bytes()[:cut])
		if err == nil {
			good++
		} else if !errors.Is(err, ErrCAR) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
	if good != len(bs) {
		t.Errorf("%d cuts of %d are well", good, len(bs))
	}
}

// TestCARFlip flips each byte of an archive: no block may come through with other bytes.
func TestCARFlip(t *testing.T) {
	_, bs := sampleCAR(t)
	var out bytes.Buffer
	if err := WriteCAR(&out, nil, each(bs[0], bs[1])); err != nil {
		t.Fatal(err)
	}
	for i := range out.Len() {
		in := bytes.Clone(out.Bytes())
		in[i] ^= 0x5a
		_, err := ReadCAR(context.Background(), bytes.NewReader(in), func(b blocks.Block) error {
			if !bytes.Equal(b.RawData(), bs[0].RawData()) && !bytes.Equal(b.RawData(), bs[1].RawData()) {
				t.Errorf("byte %d flipped: a block %q", i, b.RawData())
			}
			return nil
		}, CAROptions{})
		if err != nil && !errors.Is(err, ErrCAR) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
	}
}

func TestCARRefused(t *testing.T) {
	car, _ := sampleCAR(t)
	for _, tt := range []struct {
		name  string
		in    []byte
		o     CAROptions
		bound string
	}{
		{"empty", nil, CAROptions{}, ""},
		{"empty header", []byte{0}, CAROptions{}, ""},
		{"no CBOR", []byte{1, 0xff}, CAROptions{}, ""},
		{"version 2", unhex(t, "0aa16776657273696f6e02"), CAROptions{}, ""},
		{"endless length", bytes.Repeat([]byte{0xff}, 20), CAROptions{}, ""},
		{"huge length", unhex(t, "ffffffffffffffffff01"), CAROptions{}, "MaxHeader"},
		{"long header", car, CAROptions{MaxHeader: 8}, "MaxHeader"},
		{"long block", car, CAROptions{MaxBlock: 64}, "MaxBlock"},
		{"long archive", car, CAROptions{MaxTotal: 100}, "MaxTotal"},
		{"empty section", append(bytes.Clone(car), 0), CAROptions{}, ""},
		{"no CID", append(bytes.Clone(car), 1, 1), CAROptions{}, ""},
	} {
		_, err := read(tt.in, tt.o)
		if !errors.Is(err, ErrCAR) || errors.Is(err, ErrCARBound) != (tt.bound != "") || !strings.Contains(err.Error(), tt.bound) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	broken := errors.New("broken pipe")
	_, err := ReadCAR(context.Background(), io.MultiReader(bytes.NewReader(car[:70]), iotest.ErrReader(broken)), func(blocks.Block) error { return nil }, CAROptions{})
	if !errors.Is(err, broken) || errors.Is(err, ErrCAR) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := ReadCAR(context.Background(), bytes.NewReader(car), func(blocks.Block) error { return broken }, CAROptions{}); !errors.Is(err, broken) {
		t.Errorf("a store that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ReadCAR(ctx, bytes.NewReader(car), nil, CAROptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := LoadCAR(context.Background(), bytes.NewReader([]byte{0x1f, 0x8b, 0}), NewMemory(), CAROptions{}); !errors.Is(err, ErrCAR) {
		t.Errorf("bad gzip: %v", err)
	}
}

func FuzzReadCAR(f *testing.F) {
	_, bs := sampleCAR(f)
	var out bytes.Buffer
	if err := WriteCAR(&out, []cid.Cid{bs[0].Cid()}, each(bs[:4]...)); err != nil {
		f.Fatal(err)
	}
	car := out.Bytes()
	for _, in := range [][]byte{car, v2(car, []byte("pad"), []byte("index")), join(car, make([]byte, 20)), packed(f, car), zst(f, car, 60), join(skippable, zst(f, v2(car, nil, nil), 0))} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var got []blocks.Block
		o := CAROptions{Padding: func(int64) {}, MaxUnpacked: 4 << 20}
		roots, err := ReadCAR(context.Background(), bytes.NewReader(in), func(b blocks.Block) error { got = append(got, b); return nil }, o)
		store, oerr := openCAR(in, o)
		for _, err := range []error{err, oerr} {
			if err != nil && !errors.Is(err, ErrCAR) {
				t.Fatal(err)
			}
		}
		if err != nil {
			return
		}
		if oerr != nil {
			if packing.KindOf(in) == packing.Plain { // what follows the blocks in a packed one is only read to open it
				t.Fatalf("what can be read cannot be opened: %v", oerr)
			}
			return
		}
		first := map[CARKey][]byte{} // of a hash that nobody knows there may be several
		for _, b := range got {
			key := KeyOfCID(b.Cid().KeyString())
			if _, ok := first[key]; !ok {
				first[key] = b.RawData()
			}
			if again, err := store.Get(context.Background(), b.Cid()); err != nil || !bytes.Equal(again.RawData(), first[key]) {
				t.Fatalf("block %s: %v", b.Cid(), err)
			}
		}
		var out bytes.Buffer
		if err := WriteCAR(&out, roots, each(got...)); err != nil {
			t.Fatal(err)
		}
		if n, err := read(out.Bytes(), CAROptions{}); err != nil || n != len(got) {
			t.Fatalf("written again it has %d blocks of %d: %v", n, len(got), err)
		}
	})
}
