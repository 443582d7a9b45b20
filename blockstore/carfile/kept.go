package carfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// Kept counts the files of indexes and unpacked copies in a folder, and their bytes. A folder that does not exist has none.
func Kept(folder string) (files int, size int64, err error) { return eachKept(folder, false) }

// Clean removes them, and the folder if nothing else is in it. It returns how many there were, and their bytes. A process that
// has one open goes on with it, but on Windows, where that is an error.
func Clean(folder string) (files int, size int64, err error) { return eachKept(folder, true) }

// keptName is the name of an index in a folder, or of a copy beside it, or what is left of one by a process that died. It is made
// when it is needed: most processes never look.
var keptName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\.?.*-[0-9a-f]{16}(-[0-9a-f]{16}\.car[0-9]*|` + regexp.QuoteMeta(Extension) + `(\.lock)?[0-9]*)$`)
})

func eachKept(folder string, remove bool) (files int, size int64, err error) {
	list, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	for _, e := range list {
		if !e.Type().IsRegular() || !keptName().MatchString(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err == nil && remove {
			err = os.Remove(filepath.Join(folder, e.Name()))
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return files, size, err
		}
		files, size = files+1, size+info.Size()
	}
	if remove {
		os.Remove(folder) //nolint:errcheck // it fails if something is in it that is not ours
	}
	return files, size, nil
}
