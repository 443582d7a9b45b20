package aot

import (
	"errors"
	"os"

	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/internal/disk/owned"
)

// A temporary folder stands in for a cache that cannot be used:
//
//	TMP/edgefvm-aot-*/owner.lock    held as long as its process lives
//	TMP/edgefvm-aot-*/wasmedge-aot  a folder of artefacts
//
// A process that is killed leaves it behind, so others look for such.
const sparePrefix = "edgefvm-aot-"

// newSpare makes a temporary folder in tmp. release gives it up.
func newSpare(tmp string) (s *store, release func(), err error) {
	dir, release, err := filelock.Folder(tmp, sparePrefix)
	if err != nil {
		return nil, nil, err
	}
	if s, err = openStore(dir); err != nil {
		release()
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, release, nil
}

// sweepSpares removes temporary folders of processes that are gone. It is best effort.
func sweepSpares(tmp string) {
	filelock.Sweep(tmp, sparePrefix, abandoned, func(dir string) bool { return owned.Dir(dir) == nil })
}
