package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	unlock, err := Try(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no file locks on this system")
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
	if unlock, err := Try(path); err != nil {
		t.Fatal(err)
	} else if _, err := os.Stat(path); err != nil {
		t.Skip("no file locks on this system")
	} else {
		unlock()
	}
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
	if _, err := os.Stat(filepath.Join(living, OwnerLock)); err != nil {
		t.Skip("no file locks on this system")
	}
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
