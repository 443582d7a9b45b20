package wazero

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/disk/filelock"
)

// moduleOf makes modules that return 1, 2, ... from f.
func moduleOf(n byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00\x0a\x06\x01\x04\x00\x41"),
		n, 0x0b)
}

// session is one process's use of a cache.
type session struct {
	t   *testing.T
	log bytes.Buffer
	eng engine.Engine
	env engine.Env
}

func newSession(t *testing.T, dir string) *session {
	t.Helper()
	s := &session{t: t}
	s.eng = open(t, Options{CacheDir: dir, Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	if s.eng.(*wazeroEngine).disk == nil && dir != "" && s.log.Len() == 0 {
		t.Skip("no compiler on this platform")
	}
	var err error
	if s.env, err = s.eng.Env(context.Background(), engine.EnvConfig{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// run compiles and runs a guest.
func (s *session) run(n byte) {
	s.t.Helper()
	ctx := context.Background()
	m, err := s.env.Compile(ctx, moduleOf(n))
	if err != nil {
		s.t.Fatalf("compile: %v", err)
	}
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	stack := make([]uint64, 1)
	if err := in.Call(ctx, "f", stack); err != nil || uint32(stack[0]) != uint32(n) {
		s.t.Fatalf("guest %d returned %d, %v", n, stack[0], err)
	}
}

func (s *session) close() string {
	s.t.Helper()
	if err := s.eng.Close(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	return s.log.String()
}

// use runs guests in a session of its own and returns the warnings.
func use(t *testing.T, dir string, guests ...byte) string {
	t.Helper()
	s := newSession(t, dir)
	for _, n := range guests {
		s.run(n)
	}
	return s.close()
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, wazeroPrefix+"*", "*"+entrySuffix))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wantStats(t *testing.T, dir string, want CacheStats) {
	t.Helper()
	got, err := CacheInfo(dir)
	want.Bytes = got.Bytes
	if err != nil || got != want {
		t.Errorf("cache has %+v, %v; want %+v", got, err, want)
	}
	if got.Bytes > 0 && got.Entries == 0 {
		t.Errorf("%d bytes in no entries", got.Bytes)
	}
}

func TestCacheFillsAndLoads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	if log := use(t, dir, 1, 2, 3); log != "" {
		t.Errorf("warnings: %s", log)
	}
	wantStats(t, dir, CacheStats{Entries: 3})
	before := modTimes(t, dir)
	if log := use(t, dir, 1, 2, 3); log != "" {
		t.Errorf("warnings: %s", log)
	}
	if after := modTimes(t, dir); after != before {
		t.Errorf("entries were written again:\n%s%s", before, after)
	}
	// Nothing is left of the sessions but the entries.
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the cache: %v, %v", left, err)
	}
}

func modTimes(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, f := range entries(t, dir) {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(f + " " + info.ModTime().String() + "\n")
	}
	return b.String()
}

// wazero finds the entry under the name that it looks for.
func TestCacheStages(t *testing.T) {
	dir := t.TempDir()
	use(t, dir, 1)
	file := entries(t, dir)[0]
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := hex.EncodeToString(raw[len(raw)-trailerSize:][:32])
	payload := raw[:len(raw)-trailerSize]
	s := newSession(t, dir)
	defer s.close()
	d := s.eng.(*wazeroEngine).disk
	got, ok := d.stage(sha(moduleOf(1)))
	if !ok || got != name {
		t.Fatalf("staged %q, %v; want %q", got, ok, name)
	}
	staged, err := os.ReadFile(filepath.Join(d.sub, name))
	if err != nil || !bytes.HasPrefix(staged, payload) {
		t.Fatalf("staged file differs: %v", err)
	}
}

func TestCacheDamage(t *testing.T) {
	whole := func(b []byte) []byte { return b }
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
		warns  bool
	}{
		{"none", whole, false},
		{"empty", func([]byte) []byte { return nil }, true},
		{"short", func(b []byte) []byte { return b[:len(b)/2] }, true},
		{"one byte short", func(b []byte) []byte { return b[:len(b)-1] }, true},
		{"no trailer", func(b []byte) []byte { return b[:len(b)-trailerSize] }, true},
		{"longer", func(b []byte) []byte { return append(b, 0) }, true},
		{"zeros", func(b []byte) []byte { return make([]byte, len(b)) }, true},
		{"function table", func(b []byte) []byte { b[30] ^= 1; return b }, true},
		{"code", func(b []byte) []byte { b[len(b)/2] ^= 0x10; return b }, true},
		{"name", func(b []byte) []byte { b[len(b)-trailerSize] ^= 1; return b }, true},
		{"length", func(b []byte) []byte { b[len(b)-trailerSize+32] ^= 1; return b }, true},
		{"checksum", func(b []byte) []byte { b[len(b)-20] ^= 1; return b }, true},
		{"magic", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			use(t, dir, 1, 2)
			for _, f := range entries(t, dir) {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				// Another file, as a hard link may be in use.
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(f, tt.damage(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if tt.warns {
				wantStats(t, dir, CacheStats{Entries: 2, Bad: 2})
			}
			log := use(t, dir, 1, 2)
			if strings.Contains(log, "compiled again") != tt.warns {
				t.Errorf("warnings: %s", log)
			}
			wantStats(t, dir, CacheStats{Entries: 2})
			if log := use(t, dir, 1, 2); log != "" {
				t.Errorf("not repaired: %s", log)
			}
		})
	}
}

// Entries that somebody else can have put there, or can change, are compiled anew; so
// is everything in a folder of that kind, which is left alone.
func TestCacheOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	give := func(path string) error {
		if os.Geteuid() != 0 {
			return os.ErrPermission
		}
		return os.Chown(path, 12345, 12345)
	}
	for _, tt := range []struct {
		name   string
		change func(dir, entry string) error
		warns  string
		left   CacheStats // after a session
	}{
		{"a file open to all", func(_, entry string) error { return os.Chmod(entry, 0o666) }, "compiled again", CacheStats{Entries: 1}},
		{"another's file", func(_, entry string) error { return give(entry) }, "compiled again", CacheStats{Entries: 1}},
		{"a link to a good file", func(_, entry string) error {
			return errors.Join(os.Rename(entry, entry+".real"), os.Symlink(entry+".real", entry))
		}, "compiled again", CacheStats{Entries: 1}},
		{"wazero's folder open to all", func(_, entry string) error { return os.Chmod(filepath.Dir(entry), 0o777) }, "written to by others", CacheStats{Entries: 1}},
		{"wazero's folder another's", func(_, entry string) error { return give(filepath.Dir(entry)) }, "another user", CacheStats{Entries: 1}},
		{"the folder open to all", func(dir, _ string) error { return os.Chmod(dir, 0o777) }, "written to by others", CacheStats{Entries: 1}},
		{"the folder sticky", func(dir, _ string) error { return os.Chmod(dir, 0o777|fs.ModeSticky) }, "written to by others", CacheStats{Entries: 1}},
		{"a folder above open to all", func(dir, _ string) error { return os.Chmod(filepath.Dir(dir), 0o777) }, "written to by others", CacheStats{Entries: 1}},
		{"a folder above sticky", func(dir, _ string) error { return os.Chmod(filepath.Dir(dir), 0o777|fs.ModeSticky) }, "", CacheStats{Entries: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "above", "cache")
			use(t, dir, 1)
			entry := entries(t, dir)[0]
			if err := tt.change(dir, entry); errors.Is(err, os.ErrPermission) {
				t.Skip("NOT RUN: only root gives files away")
			} else if err != nil {
				t.Fatal(err)
			}
			s := newSession(t, dir)
			s.run(1)
			if hits := s.eng.(*wazeroEngine).FromDisk(); (hits == 0) != (tt.warns != "") {
				t.Errorf("%d modules came from the cache", hits)
			}
			if log := s.close(); !strings.Contains(log, tt.warns) || (log == "") != (tt.warns == "") {
				t.Errorf("warnings: %s", log)
			}
			wantStats(t, dir, tt.left)
		})
	}
}

// A folder that opens to others while it is in use is left alone.
func TestCacheOpens(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	dir := filepath.Join(t.TempDir(), "cache")
	use(t, dir, 1)
	s := newSession(t, dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.run(1)
	s.run(2)
	if hits := s.eng.(*wazeroEngine).FromDisk(); hits != 0 {
		t.Errorf("%d modules came from the cache", hits)
	}
	if log := s.close(); !strings.Contains(log, "is not taken from the cache") || !strings.Contains(log, "was not cached") {
		t.Errorf("warnings: %s", log)
	}
	wantStats(t, dir, CacheStats{Entries: 1})
}

// An entry in the place of another is not what wazero looks for.
func TestCacheSwappedEntries(t *testing.T) {
	dir := t.TempDir()
	use(t, dir, 1, 2)
	files := entries(t, dir)
	tmp := files[0] + ".tmp"
	for _, r := range [][2]string{{files[0], tmp}, {files[1], files[0]}, {tmp, files[1]}} {
		if err := os.Rename(r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	use(t, dir, 1, 2)
	use(t, dir, 2, 1)
}

func TestCacheUnusable(t *testing.T) {
	// A file where the folder should be.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if log := use(t, dir, 1, 2); !strings.Contains(log, "WARN") {
			t.Errorf("no warning about %s: %s", dir, log)
		}
	}
}

// Whatever happens to the folder while it is in use, modules still compile.
func TestCacheLost(t *testing.T) {
	dir := t.TempDir()
	s := newSession(t, dir)
	s.run(1)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s.run(2)
	// A file in the way of wazero's folder stands for a full disk.
	d := s.eng.(*wazeroEngine).disk
	if err := os.RemoveAll(d.sub); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(d.staging, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.sub, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(3)
	s.run(1)
	if log := s.close(); !strings.Contains(log, "WARN") {
		t.Errorf("no warning: %s", log)
	}
}

// Entries of another wazero are not for this one, even in builds that do not
// know the version of their modules.
func TestCacheVersionIsPinned(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Skip(err)
	}
	if !strings.Contains(string(mod), "github.com/tetratelabs/wazero "+wazeroVersion) {
		t.Errorf("wazeroVersion is %s, go.mod has another", wazeroVersion)
	}
}

func TestCacheReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root writes everywhere")
	}
	dir := t.TempDir()
	use(t, dir, 1)
	for _, p := range []string{filepath.Dir(entries(t, dir)[0]), dir} {
		if err := os.Chmod(p, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(p, 0o700)
	}
	if log := use(t, dir, 1, 2); !strings.Contains(log, "WARN") {
		t.Errorf("no warning: %s", log)
	}
	wantStats(t, dir, CacheStats{Entries: 1})
}

// Several engines fill one cache at once, from several goroutines each.
func TestCacheShared(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	sessions := make([]*session, 3)
	for i := range sessions {
		sessions[i] = newSession(t, dir)
		for g := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for n := byte(1); n <= 20; n++ {
					if _, err := sessions[i].env.Compile(context.Background(), moduleOf((n*7+byte(g))%20+1)); err != nil {
						t.Error(err)
					}
				}
			}()
		}
	}
	wg.Wait()
	for _, s := range sessions {
		for n := byte(1); n <= 20; n++ {
			s.run(n)
		}
		if log := s.close(); log != "" {
			t.Errorf("warnings: %s", log)
		}
	}
	wantStats(t, dir, CacheStats{Entries: 20})
}

func TestCacheClean(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Join(dir, "absent")} {
		if st, err := CacheClean(d); err != nil || st.Entries != 0 {
			t.Errorf("cleaning nothing: %+v, %v", st, err)
		}
		wantStats(t, d, CacheStats{})
	}
	use(t, dir, 1, 2)
	mine := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.MkdirTemp(dir, stagingPrefix); err != nil {
		t.Fatal(err)
	}
	s := newSession(t, dir)
	s.run(1)
	st, err := CacheClean(dir)
	if err != nil || st.Entries != 2 || st.Bytes == 0 {
		t.Errorf("cleaned %+v, %v", st, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "mine.txt" {
		t.Errorf("left: %v, %v", left, err)
	}
	s.run(1)
	s.run(3) // the session goes on
	s.close()
}

// What a process left that was killed goes when the next one starts; what a living one uses stays.
func TestLeftoverStaging(t *testing.T) {
	dir := t.TempDir()
	living := newSession(t, dir)
	living.run(1)
	left, release, err := filelock.Folder(dir, stagingPrefix)
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(left, filelock.OwnerLock)
	if _, err := os.Stat(lock); err != nil {
		t.Skip("no file locks on this system")
	}
	release()
	if err := os.WriteFile(lock, nil, 0o600); err != nil { // as a killed process leaves it: there, and free
		t.Fatal(err)
	}
	next := newSession(t, dir)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover stays: %v", err)
	}
	living.run(2)
	next.run(2)
	next.close()
	living.close()
	items, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if strings.HasPrefix(it.Name(), stagingPrefix) {
			t.Errorf("%s stays", it.Name())
		}
	}
}

func sha(b []byte) digest { return sha256.Sum256(b) }
