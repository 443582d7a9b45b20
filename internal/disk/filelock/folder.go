// Package filelock keeps processes out of each other's files, and finds what dead ones left behind.
//
// The caches of compiled code use it, and what is kept about archives. Locks are those of flock(2), on Windows of
// LockFileEx; the system ends them with the process.
package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// ErrBusy is of a lock that another holds.
var ErrBusy = errors.New("locked by another process")

// OwnerLock is the file in a temporary folder whose lock its process holds.
const OwnerLock = "owner.lock"

// Folder makes a temporary folder in parent that Sweep leaves alone as long as this process lives. release gives it up, so
// that it must be removed before.
func Folder(parent, prefix string) (dir string, release func(), err error) {
	for {
		dir, err := os.MkdirTemp(parent, prefix)
		if err != nil {
			return "", nil, err
		}
		unlock, err := Try(filepath.Join(dir, OwnerLock))
		if errors.Is(err, ErrBusy) {
			continue // taken for a leftover while the lock was made; it will be removed
		}
		if err != nil {
			return "", nil, errors.Join(err, os.RemoveAll(dir))
		}
		return dir, func() {
			unlock()
			if runtime.GOOS == "windows" {
				os.Remove(dir) // it could not be removed before, with the lock's file in it
			}
		}, nil
	}
}

// Sweep removes the folders in parent that processes which are gone made by Folder with this prefix, those that have no lock
// when they are older than age. Folders that mine does not want are left. It is best effort.
func Sweep(parent, prefix string, age time.Duration, mine func(dir string) bool) {
	items, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, it := range items {
		dir := filepath.Join(parent, it.Name())
		if !strings.HasPrefix(it.Name(), prefix) || !it.IsDir() || !mine(dir) {
			continue
		}
		lock := filepath.Join(dir, OwnerLock)
		if _, err := os.Lstat(lock); err == nil {
			// While it is held here, no other sweeper is at work.
			if drop, dead := Abandoned(lock); dead {
				err := os.RemoveAll(dir)
				drop()
				if err != nil {
					os.RemoveAll(dir) //nolint:errcheck // Windows removes no file that is open; the next one tries again
				}
			}
		} else if info, err := it.Info(); err == nil && time.Since(info.ModTime()) > age {
			os.RemoveAll(dir) //nolint:errcheck // of a process that ended before it had the lock
		}
	}
}
