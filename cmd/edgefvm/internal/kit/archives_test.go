package kit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/carfile"
	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/vector"
)

func block(t *testing.T, text string) blocks.Block {
	t.Helper()
	c, err := abi.CidBuilder.Sum([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b, err := blocks.NewBlockWithCid([]byte(text), c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is no archive is refused with what it is.
func TestOpenStateMistakes(t *testing.T) {
	dir := t.TempDir()
	folder := func(name string, files ...string) string {
		path := filepath.Join(dir, name)
		for _, f := range files {
			if err := os.MkdirAll(filepath.Join(path, filepath.Dir(f)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, f), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	for name, c := range map[string]struct{ path, want string }{
		"no name":                 {"", "--car has no name of a file"},
		"a page of the web":       {"https://example.org/a.car.zst", "files are read: download it first"},
		"one without its lock":    {"http://example.org/a.car", "download it first"},
		"Lotus's store":           {folder("badger", "KEYREGISTRY", "000001.vlog"), "a store of Badger, as Lotus has it"},
		"its log alone":           {folder("vlog", "000001.vlog"), "lotus chain export"},
		"a folder of other files": {folder("other", "notes.txt"), "is a folder, and no store of pebble"},
		"one with blocks below":   {folder("below", "blocks/notes.txt"), "is a folder, and no store of pebble"},
		"pebble's name alone":     {folder("broken", "CURRENT"), "broken"},
		"nothing":                 {filepath.Join(dir, "none.car"), "no such file"},
	} {
		s, err := OpenState(t.Context(), []string{c.path}, StateOptions{Folder: t.TempDir()})
		if err == nil || !strings.HasPrefix(err.Error(), "--car ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if s != nil {
			s.Close()
		}
	}
}

// A store of pebble serves by its own folder and by the one that replay has it in, and is only read.
func TestOpenStateStore(t *testing.T) {
	dir := t.TempDir()
	store, err := pebble.Open(filepath.Join(dir, "blocks"))
	if err != nil {
		t.Fatal(err)
	}
	b, none := block(t, "a"), block(t, "b")
	if err := errors.Join(store.Put(t.Context(), b), store.Close()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "blocks")} {
		s, err := OpenState(t.Context(), []string{path}, StateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), b.Cid())
		if err != nil || string(got.RawData()) != "a" {
			t.Errorf("%v, %v", got, err)
		}
		if ok, err := s.Has(t.Context(), none.Cid()); ok || err != nil {
			t.Errorf("what is not there: %v, %v", ok, err)
		}
		if err := s.Put(t.Context(), none); !errors.Is(err, blockstore.ErrReadOnly) {
			t.Errorf("put: %v", err)
		}
		if err := s.PutMany(t.Context(), []blocks.Block{none}); !errors.Is(err, blockstore.ErrReadOnly) {
			t.Errorf("put many: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// How far work on an archive is is told when it takes long, with what is done and how long is left.
func TestArchiveProgress(t *testing.T) {
	var lines []string
	tell := archiveProgress("/some/where/a.car.zst", func(s string) { lines = append(lines, s) })
	tell(carfile.Work{Done: 1, Size: 10})
	if len(lines) != 0 {
		t.Errorf("at once: %q", lines)
	}
	time.Sleep(quiet + 20*time.Millisecond)
	tell(carfile.Work{Done: 5 << 20, Size: 20 << 20, Blocks: 12345})
	tell(carfile.Work{Done: 3 << 30, Size: 30 << 30, Copy: "/cache/x.car", Unpacked: 1})
	tell(carfile.Work{})
	for i, want := range []string{"making the index of a.car.zst: 25% of 20 MiB, 12,345 blocks", "unpacking, this once, a.car.zst: 10% of 30 GiB, 0 blocks, 1 KiB in /cache, ", "making the index of a.car.zst: 0% of 0 KiB"} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("%q, want %q", lines, want)
		}
	}
	if strings.Contains(lines[0], "/some/where") || !strings.HasSuffix(lines[1], " left") {
		t.Errorf("%q", lines)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 KiB", 1: "1 KiB", 1024: "1 KiB", 1025: "2 KiB", 10<<20 - 1: "10240 KiB", 10 << 20: "10 MiB", 10<<30 - 1: "10239 MiB", 10 << 30: "10 GiB", 1 << 50: "1048576 GiB"} {
		if got := size(n); got != want {
			t.Errorf("%d bytes are %s, want %s", n, got, want)
		}
	}
}

// Without a folder a replay's states are in memory; a folder keeps them, and one at a time has it.
func TestOpenStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "states")
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := block(t, "a")
	if err := s.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir); err == nil || !strings.HasPrefix(err.Error(), "--store: ") {
		t.Errorf("the second one: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenStore(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), b.Cid()); err != nil || string(got.RawData()) != "a" {
		t.Errorf("the next time: %v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(file); err == nil || !strings.HasPrefix(err.Error(), "--store: ") {
		t.Errorf("a file: %v", err)
	}
	memory, err := OpenStore("")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(memory.Put(t.Context(), b), memory.Close()); err != nil {
		t.Error(err)
	}
}

// What the reference says of a vector, for people.
func TestAgainstText(t *testing.T) {
	one := []vector.Difference{{Message: 1, Field: "gas_used", Want: "5", Got: "6"}}
	for name, c := range map[string]struct {
		a    Against
		want string
	}{
		"it agrees":           {Against{Agrees: true}, "the reference agrees with us: receipts, gas, each charge and the state root are the same\n"},
		"nobody was asked":    {Against{Why: "no reason"}, "not compared with the reference: no reason\n"},
		"it differs":          {Against{Differences: one}, "the reference differs from us (want is the reference's):\n    " + one[0].String() + "\n"},
		"of a message's name": {Against{Differences: one, Names: map[int]string{1: "bafy"}}, "the reference differs from us (want is the reference's):\n    " + one[0].String() + " (bafy)\n"},
	} {
		var out strings.Builder
		if err := c.a.Write(&out); err != nil || out.String() != c.want {
			t.Errorf("%s: %q, %v; want %q", name, out.String(), err, c.want)
		}
		for n := range strings.Count(c.want, "\n") {
			if err := c.a.Write(&cutting{left: n}); err == nil {
				t.Errorf("%s: no error of a writer that takes %d lines", name, n)
			}
		}
	}
}

// cutting takes some writes, and fails then.
type cutting struct{ left int }

func (c *cutting) Write(p []byte) (int, error) {
	if c.left--; c.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// A program is a file, or one that PATH has.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fvm-oracle")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	for name, want := range map[string]string{path: path, "fvm-oracle": path, "./fvm-oracle": path} {
		if got, err := Program("--against", name); err != nil || got != want {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
	t.Chdir(t.TempDir())
	if got, err := Program("--against", "fvm-oracle"); err != nil || got != path {
		t.Errorf("of PATH: %s, %v", got, err)
	}
	for name, want := range map[string]string{dir: "is a folder", filepath.Join(dir, "none"): "there is no such file; 'edgefvm oracle build'", "none": "no program of that name in PATH"} {
		var usage UsageError
		if _, err := Program("--against", name); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if got, err := Reference(""); got != "" || err != nil {
		t.Errorf("no reference is %q, %v", got, err)
	}
}

// An engine that has nothing to compile is not talked about, and the watch ends when it is told to.
func TestWatchCompiling(t *testing.T) {
	e, err := NewEngine(fvm.EngineConfig{Name: "wazero-interpreter", NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range []io.Writer{f, io.Discard} {
		end := WatchCompiling(w, e)
		time.Sleep(50 * time.Millisecond)
		end()
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// An ABI is read from a file, or there is none.
func TestLoadABI(t *testing.T) {
	dir := t.TempDir()
	if a, err := LoadABI(""); a != nil || err != nil {
		t.Errorf("none: %v, %v", a, err)
	}
	good := filepath.Join(dir, "a.json")
	if err := os.WriteFile(good, []byte(`[{"type":"function","name":"f","inputs":[],"outputs":[]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := LoadABI(good); err != nil || len(a.Entries) != 1 {
		t.Errorf("%v, %v", a, err)
	}
	big := filepath.Join(dir, "big.json")
	f, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(maxABI+1), f.Close()); err != nil { // which takes no room
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{big: fmt.Sprintf("has %d bytes, which is no ABI", maxABI+1), dir: "--abi: ", filepath.Join(dir, "none"): "--abi: ", bad: "--abi " + bad + ": "} {
		if _, err := LoadABI(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
