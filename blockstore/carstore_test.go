package blockstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

func openCAR(in []byte, o CAROptions) (*CARStore, error) {
	return OpenCAR(bytes.NewReader(in), int64(len(in)), o)
}

func TestCARStore(t *testing.T) {
	ctx := context.Background()
	car, bs := sampleCAR(t)
	s, err := openCAR(car, CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	if roots := s.Roots(); len(roots) != 2 || roots[0] != bs[0].Cid() || roots[1] != bs[1].Cid() {
		t.Errorf("the roots are %v", roots)
	}
	for range 2 { // from the archive, then what is kept
		for _, b := range bs {
			has, err := s.Has(ctx, b.Cid())
			if err != nil || !has {
				t.Errorf("block %s is not there: %v", b.Cid(), err)
			}
			if got, err := s.Get(ctx, b.Cid()); err != nil || !bytes.Equal(got.RawData(), b.RawData()) || got.Cid() != b.Cid() {
				t.Errorf("block %s: %v", b.Cid(), err)
			}
		}
	}
	other := mustBlock(t, cbor.CodecRaw, uint64(cbor.HashBlake2b256), []byte("not there"))
	if has, err := s.Has(ctx, other.Cid()); has || err != nil {
		t.Errorf("has what is not there: %v, %v", has, err)
	}
	if _, err := s.Get(ctx, other.Cid()); !format.IsNotFound(err) {
		t.Errorf("what is not there: %v", err)
	}
	if err := s.Put(ctx, other); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Put: %v", err)
	}
	if err := s.PutMany(ctx, []blocks.Block{other}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("PutMany: %v", err)
	}
}

// counted counts reads.
type counted struct {
	io.ReaderAt
	reads, bytes int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.reads, c.bytes = c.reads+1, c.bytes+n
	return n, err
}

// An archive of small blocks is read once, and large blocks are jumped over.
func TestOpenCARReadsOn(t *testing.T) {
	const n = 20_000
	large := make([]blocks.Block, 50)
	for i := range large {
		large[i] = mustBlock(t, cbor.CodecRaw, uint64(cbor.HashBlake2b256), bytes.Repeat([]byte{byte(i)}, 1<<20))
	}
	for name, bs := range map[string]iter.Seq2[blocks.Block, error]{"small": small(n), "large": each(large...)} {
		var car bytes.Buffer
		if err := WriteCAR(&car, nil, bs); err != nil {
			t.Fatal(err)
		}
		r := &counted{ReaderAt: bytes.NewReader(car.Bytes())}
		if _, err := OpenCAR(r, int64(car.Len()), CAROptions{}); err != nil {
			t.Fatal(err)
		}
		if most := min(car.Len(), 2*wholeRead*len(large)) + wholeRead + packing.HeadLen; r.bytes > most { // the header is read twice
			t.Errorf("%s: %d bytes were read of %d", name, r.bytes, car.Len())
		}
	}
}

// Small blocks that are read again come from memory, which does not grow without end.
func TestCARStoreKeeps(t *testing.T) {
	const most, n = 1 << 20, 3 << 20 / (60 + blockCost)
	var car bytes.Buffer
	if err := WriteCAR(&car, nil, small(n)); err != nil {
		t.Fatal(err)
	}
	r := &counted{ReaderAt: bytes.NewReader(car.Bytes())}
	s, err := OpenCAR(r, int64(car.Len()), CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.kept.most = most
	first, err := blocks.NewBlock(nil), error(nil)
	i := 0
	for b := range small(n) {
		if i == 0 {
			first = b.(*blocks.BasicBlock)
		}
		if _, err = s.Get(t.Context(), b.Cid()); err != nil {
			t.Fatal(err)
		}
		if i++; i%100 == 0 {
			before := r.reads
			if _, err := s.Get(t.Context(), first.Cid()); err != nil || r.reads != before {
				t.Fatalf("after %d blocks one that is asked for again and again is read again: %v", i, err)
			}
		}
	}
	if kept := len(s.kept.young) + len(s.kept.old); kept > n*3/4 || kept < n/4 {
		t.Errorf("%d of %d blocks are kept", kept, n)
	}
}

// TestCARStoreFlip flips each byte of an archive: no block may come out with other bytes.
func TestCARStoreFlip(t *testing.T) {
	ctx := context.Background()
	_, bs := sampleCAR(t)
	bs = bs[:2]
	var out bytes.Buffer
	if err := WriteCAR(&out, []cid.Cid{bs[0].Cid()}, each(bs...)); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := range out.Len() {
		in := bytes.Clone(out.Bytes())
		in[i] ^= 0x5a
		s, err := openCAR(in, CAROptions{})
		if err != nil {
			if !errors.Is(err, ErrCAR) {
				t.Errorf("byte %d flipped: %v", i, err)
			}
			refused++
			continue
		}
		for _, b := range bs {
			switch got, err := s.Get(ctx, b.Cid()); {
			case err == nil && !bytes.Equal(got.RawData(), b.RawData()):
				t.Errorf("byte %d flipped: a block %q", i, got.RawData())
			case err != nil && !errors.Is(err, ErrCAR) && !format.IsNotFound(err):
				t.Errorf("byte %d flipped: %v", i, err)
			case err != nil:
				refused++
			}
		}
	}
	if refused < out.Len()/2 {
		t.Errorf("of %d flipped bytes %d were noticed", out.Len(), refused)
	}
}

// TestCARStoreCut cuts an archive at each byte: that is well only between blocks.
func TestCARStoreCut(t *testing.T) {
	cutEverywhere(t, func(in []byte) error {
		_, err := openCAR(in, CAROptions{})
		return err
	})
}
