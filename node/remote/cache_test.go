package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// chunk is a block of a size that is told from others by a number.
func chunk(t testing.TB, n, size int) blocks.Block {
	t.Helper()
	data := make([]byte, size)
	copy(data, fmt.Sprint(n))
	c, err := abi.CidBuilder.Sum(data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openCache opens one with a small bound.
func openCache(t testing.TB, dir string, d *Memories, half uint64) *Cache {
	t.Helper()
	c, err := OpenCache(dir, 0, d.Open)
	if err != nil {
		t.Fatal(err)
	}
	c.half = half
	return c
}

func has(t testing.TB, c *Cache, id cid.Cid) bool {
	t.Helper()
	ok, err := c.Has(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Get(t.Context(), id)
	if ok && (err != nil || !b.Cid().Equals(id)) || !ok && !format.IsNotFound(err) {
		t.Fatalf("%s: there: %v, read: %v", id, ok, err)
	}
	return ok
}

// What is new or in use stays, what is neither goes, and never is more on disk than the bound and what came since the last flush.
func TestCacheBound(t *testing.T) {
	const size, half = 1000, 10_000
	var d Memories
	dir := t.TempDir()
	c := openCache(t, dir, &d, half)
	used := chunk(t, -1, size)
	if err := c.Put(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if !has(t, c, used.Cid()) {
			t.Fatalf("what is in use is gone after %d", i)
		}
		b := chunk(t, i, size)
		if err := c.Put(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !has(t, c, b.Cid()) {
			t.Fatalf("%d is gone at once", i)
		}
		if n, _ := c.Size(); n > 2*half+2*size {
			t.Fatalf("%d bytes after %d", n, i)
		}
	}
	if has(t, c, chunk(t, 0, size).Cid()) {
		t.Error("the first is still there")
	}
	if _, turns := c.Size(); turns < 8 {
		t.Errorf("%d generations", turns)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("%v, %v: want two folders", list, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := openCache(t, dir, &d, half)
	if !has(t, again, used.Cid()) || !has(t, again, chunk(t, 99, size).Cid()) {
		t.Error("what was there is gone after it was opened again")
	}
}

// What a killed process left is put in order: only the last two generations count.
func TestCacheLeftovers(t *testing.T) {
	var d Memories
	dir := t.TempDir()
	for i, n := range []string{"blocks-00000003", "blocks-00000004", "blocks-00000006", "blocks-x", "other"} {
		s, err := d.Open(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), chunk(t, i, 10)); err != nil {
			t.Fatal(err)
		}
	}
	c := openCache(t, dir, &d, 100)
	for i, want := range []bool{false, true, true, false, false} {
		if got := has(t, c, chunk(t, i, 10).Cid()); got != want {
			t.Errorf("block %d is there: %v", i, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "blocks-00000003")); err == nil {
		t.Error("the oldest folder is still there")
	}
	if err := c.PutMany(t.Context(), []blocks.Block{chunk(t, 9, 200)}); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"blocks-00000004": false, "blocks-00000006": true, "blocks-00000007": true, "other": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is there: %v", name, err == nil)
		}
	}
}

// Much that is put in is written before anybody asks for it.
func TestCacheHeldBack(t *testing.T) {
	var d Memories
	dir := t.TempDir()
	c := openCache(t, dir, &d, 1<<40)
	for i := range 5 {
		if err := c.Put(t.Context(), chunk(t, i, heldBack/4)); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := c.Size(); n < heldBack {
		t.Errorf("%d bytes are on disk", n)
	}
	if c.bytes > heldBack/2 {
		t.Errorf("%d bytes are held back", c.bytes)
	}
}

// A disk that fails is an error, and what could not be written is still there.
func TestCacheFails(t *testing.T) {
	var d Memories
	dir := t.TempDir()
	full := errors.New("the disk is full")
	c, err := OpenCache(dir, 0, func(dir string) (Disk, error) {
		m, err := d.Open(dir)
		return failing{m, &full}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := chunk(t, 1, 10)
	if err := c.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); !errors.Is(err, full) {
		t.Error(err)
	}
	if !has(t, c, b.Cid()) {
		t.Error("the block is gone")
	}
	was := full
	full = nil
	if err := c.Flush(t.Context()); err != nil || c.bytes != 0 {
		t.Error(err)
	}
	if _, err := OpenCache(dir, 0, func(string) (Disk, error) { return nil, was }); !errors.Is(err, was) {
		t.Error(err)
	}
}

type failing struct {
	Disk
	err *error
}

func (f failing) PutMany(ctx context.Context, list []blocks.Block) error {
	if *f.err != nil {
		return *f.err
	}
	return f.Disk.PutMany(ctx, list)
}
