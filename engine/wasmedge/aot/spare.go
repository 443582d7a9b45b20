package aot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A temporary folder stands in for a cache that cannot be used:
//
//	TMP/edgefvm-aot-*/owner.lock    held as long as its process lives
//	TMP/edgefvm-aot-*/wasmedge-aot  a folder of artefacts
//
// A process that is killed leaves it behind, so others look for such.
const (
	sparePrefix = "edgefvm-aot-"
	ownerLock   = "owner.lock"
)

// newSpare makes a temporary folder in tmp. release gives it up.
func newSpare(tmp string) (s *store, release func(), err error) {
	for {
		dir, err := os.MkdirTemp(tmp, sparePrefix)
		if err != nil {
			return nil, nil, err
		}
		release, err := tryLock(filepath.Join(dir, ownerLock))
		if errors.Is(err, errBusy) {
			continue // taken for a leftover while the lock was made; it will be removed
		}
		if err != nil {
			return nil, nil, errors.Join(err, os.RemoveAll(dir))
		}
		if s, err = openStore(dir); err != nil {
			release()
			return nil, nil, errors.Join(err, os.RemoveAll(dir))
		}
		return s, release, nil
	}
}

// sweepSpares removes temporary folders of processes that are gone. It is best effort.
func sweepSpares(tmp string) {
	items, err := os.ReadDir(tmp)
	if err != nil {
		return
	}
	for _, it := range items {
		dir := filepath.Join(tmp, it.Name())
		if !strings.HasPrefix(it.Name(), sparePrefix) || !it.IsDir() || trusted(dir) != nil {
			continue
		}
		lock := filepath.Join(dir, ownerLock)
		if _, err := os.Lstat(lock); err == nil {
			// While it is held here, no other sweeper is at work.
			if drop, dead := abandonedLock(lock); dead {
				os.RemoveAll(dir)
				drop()
			}
		} else if info, err := it.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			os.RemoveAll(dir) // of a process that ended before it had the lock
		}
	}
}
