//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Try takes the lock at path, a file that it makes, which ends with this process at the latest. ErrBusy: it is
// held. On a file system without locks all get it: then work may be done twice.
func Try(path string) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, err
		}
		switch err := flock(f); {
		case errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, ErrBusy
		case err != nil:
			return func() { os.Remove(path); f.Close() }, nil
		}
		// Whoever had the lock before has removed its file: a lock on a file
		// without a name keeps nobody out.
		named, err := os.Stat(path)
		if err == nil {
			if held, err := f.Stat(); err == nil && os.SameFile(named, held) {
				return func() { os.Remove(path); f.Close() }, nil
			}
		}
		f.Close()
	}
}

// Abandoned takes the lock at path if there is one, and nobody holds it. Unlike
// Try it takes nothing on a file system without locks.
func Abandoned(path string) (drop func(), ok bool) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, false
	}
	if flock(f) != nil {
		f.Close()
		return nil, false
	}
	return func() { f.Close() }, true
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return err
		}
	}
}
