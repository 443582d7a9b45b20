package filelock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain is a process that takes a lock and keeps it, if a test says so.
func TestMain(m *testing.M) {
	path := os.Getenv("FILELOCK_TEST_HOLD")
	if path == "" {
		os.Exit(m.Run())
	}
	unlock, err := Try(path)
	if err != nil {
		os.Exit(1)
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // until this process is killed
	unlock()
}

// A lock ends with its process, however that ends.
func TestLockOfDeadProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), "FILELOCK_TEST_HOLD="+path)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { holder.Process.Kill(); holder.Wait() })
	defer kill()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path); !errors.Is(err, ErrBusy) {
		t.Errorf("held by another process: %v", err)
	}
	if _, ok := Abandoned(path); ok {
		t.Error("taken for abandoned while its process lives")
	}
	kill()
	drop, ok := Abandoned(path)
	if !ok {
		t.Fatal("not abandoned, and its process is dead")
	}
	drop()
	unlock, err := Try(path)
	if err != nil {
		t.Fatalf("after its process was killed: %v", err)
	}
	unlock()
}

// What cannot be a lock is an error, or no lock.
func TestNoLock(t *testing.T) {
	dir := t.TempDir()
	if _, err := Try(filepath.Join(dir, "none", "x.lock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(file, link)); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{filepath.Join(dir, "none"), link, dir} {
		if _, ok := Abandoned(path); ok {
			t.Errorf("%s is an abandoned lock", path)
		}
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	unlock, err := Try(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path); !errors.Is(err, ErrBusy) {
		t.Errorf("second lock: %v", err)
	}
	unlock()
	unlock, err = Try(path)
	if err != nil {
		t.Errorf("after unlocking: %v", err)
	}
	unlock()
	if _, err := os.Stat(path); err == nil {
		t.Error("the file stays")
	}
}

// Files of locks come and go, and still there is one holder at a time.
func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	var holders, taken atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for taken.Load() < 3000 {
				unlock, err := Try(path)
				if errors.Is(err, ErrBusy) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if holders.Add(1) != 1 {
					t.Error("two have the lock")
				}
				runtime.Gosched()
				holders.Add(-1)
				taken.Add(1)
				unlock()
			}
		}()
	}
	wg.Wait()
}

// A folder is left alone while its owner lives, and removed when it is gone.
func TestSweep(t *testing.T) {
	parent := t.TempDir()

	living, release, err := Folder(parent, "x-")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	old := time.Now().Add(-2 * time.Hour)
	make := func(name string, locked, aged bool) string {
		dir := filepath.Join(parent, name)
		err := os.Mkdir(dir, 0o700)
		if locked {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, OwnerLock), nil, 0o600))
		}
		if aged {
			err = errors.Join(err, os.Chtimes(dir, old, old))
		}
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	gone := []string{make("x-dead", true, false), make("x-unlocked", false, true)}
	stay := []string{living, make("x-new", false, false), make("y-other", true, true), make("x-strange", true, true)}
	Sweep(parent, "x-", time.Hour, func(dir string) bool { return filepath.Base(dir) != "x-strange" })
	for _, dir := range gone {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s stays: %v", dir, err)
		}
	}
	for _, dir := range stay {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
