package blockstore

import (
	"bytes"
	"context"
	"errors"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
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
