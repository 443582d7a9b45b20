package genesis

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
)

// A genesis of what was remembered is the one that was made.
func TestMemo(t *testing.T) {
	plain := make1(t, Options{Miners: 1})
	dir := filepath.Join(t.TempDir(), "dev")
	o := Options{Miners: 1, Cache: dir}
	first := make1(t, o)
	files, err := filepath.Glob(filepath.Join(dir, memoPrefix+"*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	written, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range append(plain.Accounts, plain.RootKey, plain.Faucet, plain.Reserve) {
		if bytes.Contains(written, a.Private[:]) || strings.Contains(string(written), hex.EncodeToString(a.Private[:])) {
			t.Error("a private key is in the file")
		}
	}

	// No message runs the second time: an engine that is closed would tell.
	engine, err := fvm.NewEngine(fvm.EngineConfig{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	engine.Close(t.Context())
	o.Engine = engine
	store := blockstore.NewMemory()
	again, err := Make(t.Context(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]*Genesis{"first": first, "again": again} {
		if g.Root != plain.Root || g.Create2 != plain.Create2 || g.Multicall3 != plain.Multicall3 || len(g.Miners) != 1 || g.Miners[0].ID != plain.Miners[0].ID {
			t.Errorf("%s: %s, %+v %+v", name, g.Root, g.Create2, g.Miners)
		}
	}
	whole := blockstore.NewMemory()
	if _, err := Make(t.Context(), whole, Options{Miners: 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range whole.Keys() {
		if ok, err := store.Has(t.Context(), c); err != nil || !ok {
			t.Errorf("a block is missing: %s, %v", c, err)
		}
	}

	// Files that are not whole, of another program, or of blocks that were changed, are made anew.
	for name, data := range map[string]string{
		"empty": "", "cut": string(written[:len(written)/2]), "no runs": `{"Program":"` + programID() + `","Runs":{"a":null}}`,
		"another program": strings.Replace(string(written), programID(), "another", 1), "a block": strings.Replace(string(written), `"Data":"`, `"Data":"AAAA`, 1),
	} {
		if err := os.WriteFile(files[0], []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if g := make1(t, Options{Miners: 1, Cache: dir}); g.Root != plain.Root {
			t.Errorf("%s: %s", name, g.Root)
		}
		if now, err := os.ReadFile(files[0]); err != nil || len(now) != len(written) {
			t.Errorf("%s: the file has %d bytes, want %d: %v", name, len(now), len(written), err)
		}
	}
}

// Few files are kept, the newest.
func TestMemoSweep(t *testing.T) {
	dir := t.TempDir()
	path := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%s%02d.json", memoPrefix, i)) }
	begin := time.Now().Add(-time.Hour)
	for i := range memoFiles + 3 {
		if err := os.WriteFile(path(i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path(i), begin, begin.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	(&memo{path: path(0)}).sweep()
	for i := range memoFiles + 3 {
		if _, err := os.Stat(path(i)); (err == nil) != (i >= 3) {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}
