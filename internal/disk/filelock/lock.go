package filelock

import (
	"errors"
	"io/fs"
	"os"
	"runtime"

	"github.com/gofrs/flock"
)

// Try takes the lock at path, a file that it makes. It ends with this process at the latest, or when unlock is garbage.
// ErrBusy: it is held. On a file system without locks all get it: then work may be done twice.
func Try(path string) (unlock func(), err error) {
	for {
		l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))
		got, err := l.TryLock()
		switch {
		case err != nil && !errors.Is(err, errors.ErrUnsupported) && errors.As(err, new(*fs.PathError)):
			return nil, err // of opening the file; those of locking it have no path
		case err != nil:
			return func() { os.Remove(path) }, nil
		case !got:
			return nil, ErrBusy
		}
		// Whoever had the lock before has removed its file: a lock on a file
		// without a name keeps nobody out.
		named, err := os.Stat(path)
		if err == nil {
			if held, err := l.Stat(); err == nil && os.SameFile(named, held) {
				return func() { give(l) }, nil
			}
		}
		l.Unlock() //nolint:errcheck // of a file that nobody finds
	}
}

// give removes the file of a lock and ends the lock: in this order, or the file of the next holder could be removed.
// Windows removes no file that is open, so there it comes last, and fails if the next has opened it.
func give(l *flock.Flock) {
	os.Remove(l.Path())
	l.Unlock() //nolint:errcheck // closing the file ends it anyway
	if runtime.GOOS == "windows" {
		os.Remove(l.Path())
	}
}

// Abandoned takes the lock at path if there is one, and nobody holds it. Unlike
// Try it takes nothing on a file system without locks.
func Abandoned(path string) (drop func(), ok bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, false
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	if got, err := l.TryLock(); err != nil || !got {
		return nil, false
	}
	return func() { l.Unlock() }, true
}
