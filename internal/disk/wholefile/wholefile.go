// Package wholefile writes files that are there whole or not at all, also after a loss of power.
//
// The command writes its output with it, lab/conformance the vectors that it makes, bundle what it keeps. The caches of
// compiled code check their files when they read them, and have their own ways.
package wholefile

import (
	"errors"
	"io"
	"os"
)

// Write makes the file path of what write gives. It appears when it is whole and on the disk: after an error, or when
// the system stops, what was there before is still there. It keeps the permissions of the file before. Writers of one
// path may run at once; one of them is the last. To what is no regular file, a pipe or a device, it writes as it goes.
// Errors of opening leave out the path.
func Write(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return errors.New("is a directory")
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return errors.Unwrap(err) // without the path
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := create(path)
	if err != nil {
		return errors.Unwrap(err) // without the path
	}
	if err = write(f); err == nil {
		err = f.CloseAtomicallyReplace()
	}
	return errors.Join(err, f.Cleanup())
}
