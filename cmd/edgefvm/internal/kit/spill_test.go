package kit

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	format "github.com/ipfs/go-ipld-format"
)

// What is put in is there, in memory or on disk, until the store is closed; then the folder is gone.
func TestSpill(t *testing.T) {
	ctx := context.Background()
	s := newSpill(1000)
	var list []blocks.Block
	for i := range 100 {
		data := fmt.Appendf(nil, "%050d", i)
		c, err := abi.CidBuilder.Sum(data)
		if err != nil {
			t.Fatal(err)
		}
		b, err := blocks.NewBlockWithCid(data, c)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
		if err := s.PutMany(ctx, []blocks.Block{b}); err != nil {
			t.Fatal(err)
		}
	}
	if s.disk == nil || s.memory.Len() >= 20 {
		t.Fatalf("%d blocks are in memory, of 1000 bytes", s.memory.Len())
	}
	for _, b := range list {
		got, err := s.Get(ctx, b.Cid())
		if err != nil || string(got.RawData()) != string(b.RawData()) {
			t.Errorf("%s: %v, %v", b.Cid(), got, err)
		}
		if ok, err := s.Has(ctx, b.Cid()); !ok || err != nil {
			t.Errorf("%s: %v, %v", b.Cid(), ok, err)
		}
	}
	none, err := abi.CidBuilder.Sum(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, none); !format.IsNotFound(err) {
		t.Error(err)
	}
	dir := s.dir
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s: %v", dir, err)
	}
}
