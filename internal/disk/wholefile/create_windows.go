package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// pending does what renameio does, which is for other systems only: Windows promises no rename that is whole or not at
// all, though it does it in one step on its own file systems.
type pending struct {
	*os.File
	path string
	done bool
}

func create(path string) (*pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	return &pending{File: f, path: path}, err
}

// CloseAtomicallyReplace gives the file its name.
func (p *pending) CloseAtomicallyReplace() error {
	err := errors.Join(p.Sync(), p.Close())
	if err == nil {
		err = os.Rename(p.Name(), p.path)
	}
	p.done = err == nil
	return err
}

// Cleanup removes the file unless it has its name.
func (p *pending) Cleanup() error {
	if p.done {
		return nil
	}
	p.Close() //nolint:errcheck // it may be closed already
	return os.Remove(p.Name())
}
