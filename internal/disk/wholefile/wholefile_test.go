package wholefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	want := func(s string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != s {
			t.Errorf("%q, %v; want %q", got, err, s)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
	if err := Write(path, text("one")); err != nil {
		t.Fatal(err)
	}
	want("one")
	broken := errors.New("no more")
	if err := Write(path, func(w io.Writer) error { return errors.Join(text("half")(w), broken) }); !errors.Is(err, broken) {
		t.Errorf("a write that fails: %v", err)
	}
	want("one")

	var all sync.WaitGroup
	long := strings.Repeat("two", 10_000)
	for range 8 {
		all.Go(func() {
			if err := Write(path, text(long)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	want(long)

	if err := Write(dir, text("x")); err == nil || err.Error() != "is a directory" {
		t.Errorf("a folder: %v", err)
	}
	if err := Write(filepath.Join(dir, "none", "f"), text("x")); !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), dir) {
		t.Errorf("no folder: %v", err)
	}
}

// A link that somebody laid where the unfinished file may come is not followed, and permissions stay.
func TestWriteInSharedFolder(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "f"), filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o600), os.WriteFile(path, nil, 0o640)); err != nil {
		t.Fatal(err)
	}
	for i := range 100 { // names that are made of what others know
		for _, name := range []string{".f", ".f.part", fmt.Sprintf(".f.%d.%d.part", os.Getpid(), i), fmt.Sprintf(".f%d", i)} {
			os.Symlink(victim, filepath.Join(dir, name)) //nolint:errcheck // some are there already; Windows may forbid it
		}
	}
	for range 3 {
		if err := Write(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(victim); err != nil || string(got) != "mine" {
		t.Errorf("the file that a link names has %q: %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode(); runtime.GOOS != "windows" && mode != 0o640 {
		t.Errorf("the new file's mode is %v", mode)
	}
}
