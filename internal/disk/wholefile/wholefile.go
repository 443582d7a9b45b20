// Package wholefile writes files that are there whole or not at all.
//
// The command writes its output with it, and conformance the vectors that it makes. The caches of compiled code, which must
// outlive a crash of the system, have their own ways.
package wholefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
)

var parts atomic.Uint64

// Write makes the file path of what write gives. It appears when it is whole: after an error what was there before is
// still there. Writers of one path may run at once; one of them is the last. To what is no regular file, a pipe or a
// device, it writes as it goes. Errors of opening leave out the path.
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
	part := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.%d.part", filepath.Base(path), os.Getpid(), parts.Add(1)))
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return errors.Unwrap(err) // without the path
	}
	if err = errors.Join(write(f), f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}
