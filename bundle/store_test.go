package bundle

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
)

// unpacking is the Lotus module's set with a folder for what it unpacks.
func unpacking(t *testing.T, dir string) *Set {
	t.Helper()
	t.Setenv(EnvDir, "")
	t.Setenv(EnvAdded, t.TempDir())
	s, err := Open(t.Context(), Options{Unpacked: dir, Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// same fails if a store has not all of a bundle.
func same(t *testing.T, store blockstore.Blockstore, want *blockstore.Memory) {
	t.Helper()
	for _, c := range want.Keys() {
		w, err := want.Get(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.Get(t.Context(), c); err != nil || !bytes.Equal(got.RawData(), w.RawData()) {
			t.Errorf("block %s: %v", c, err)
		}
	}
}

func TestStore(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "unpacked")
	s := unpacking(t, dir)
	all := blockstore.NewMemory()
	if _, err := s.Load(ctx, 18, "mainnet", all); err != nil {
		t.Fatal(err)
	}
	fromFile := func() bool {
		t.Helper()
		store, err := unpacking(t, dir).Store(ctx, 18, "mainnet")
		if err != nil {
			t.Fatal(err)
		}
		same(t, store, all)
		_, ok := store.(*fileStore)
		return ok
	}
	if fromFile() {
		t.Error("a file, before anything was unpacked")
	}
	if !fromFile() {
		t.Error("what was unpacked is not used")
	}
	files, size, err := Unpacked(dir)
	if err != nil || files != 1 || size < 1<<20 {
		t.Errorf("%d files of %d bytes: %v", files, size, err)
	}
	path := s.unpackedCAR(Entry{Version: 18, Network: "mainnet"})
	if err := os.Truncate(path, size-1); err != nil {
		t.Fatal(err)
	}
	if fromFile() {
		t.Error("a file that was cut is used")
	}
	if !fromFile() {
		t.Error("a file that was cut is not replaced")
	}
	if files, size, err := CleanUnpacked(dir); err != nil || files != 1 || size < 1<<20 {
		t.Errorf("removed %d files of %d bytes: %v", files, size, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// A byte that changed is noticed when its block is read, not handed on.
func TestStoreOfAlteredFile(t *testing.T) {
	dir := t.TempDir()
	s := unpacking(t, dir)
	store, err := s.Store(t.Context(), 18, "mainnet")
	if err != nil {
		t.Fatal(err)
	}
	all := store.(*blockstore.Memory)
	path := s.unpackedCAR(Entry{Version: 18, Network: "mainnet"})
	car, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	car[len(car)-1] ^= 1
	if err := os.WriteFile(path, car, 0o666); err != nil {
		t.Fatal(err)
	}
	if store, err = s.Store(t.Context(), 18, "mainnet"); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, c := range all.Keys() {
		if _, err := store.Get(t.Context(), c); err != nil {
			if !errors.Is(err, blockstore.ErrCAR) || !strings.Contains(err.Error(), path) {
				t.Errorf("block %s: %v", c, err)
			}
			bad++
		}
	}
	if bad != 1 {
		t.Errorf("%d blocks are bad, not one", bad)
	}
}

// Without room for files, and from folders of CARs, the blocks are the same.
func TestStoreElsewhere(t *testing.T) {
	ctx := context.Background()
	all := blockstore.NewMemory()
	plain := unpacking(t, "")
	if _, err := plain.Load(ctx, 18, "mainnet", all); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	cars := t.TempDir()
	var car bytes.Buffer
	if err := plain.Export(ctx, 18, "mainnet", &car); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cars, "v18-mainnet.car"), car.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	folder, err := Open(ctx, Options{Dir: cars})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Set{"no folder": plain, "a folder that cannot be": unpacking(t, filepath.Join(file, "x")), "CARs": folder} {
		store, err := s.Store(ctx, 18, "mainnet")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, store, all)
		if _, err := s.Store(ctx, 18, "nowhere"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: a network that is not there: %v", name, err)
		}
	}
}
