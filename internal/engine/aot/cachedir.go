package aot

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/edgefvm/fvm/internal/disk/filelock"
)

// Stats is what a cache of native code holds.
type Stats struct {
	Entries int
	Bytes   int64 // of the entries
	Bad     int   // entries that are not what their names say
}

// Info counts the artefacts in a cache, for all libraries, levels and
// processors, and verifies each. A folder that does not exist is an empty cache.
func Info(dir string) (Stats, error) {
	var st Stats
	err := walk(dir, func(path string, info fs.FileInfo) error {
		st.Entries++
		st.Bytes += info.Size()
		if verify(path) != nil {
			st.Bad++
		}
		return nil
	})
	return st, err
}

// Clean removes what the cache holds, and the leftovers of processes that were
// killed. It leaves files alone that are not the cache's. Processes that use the
// cache at the time go on: code that they loaded stays loaded, and what they are
// compiling will be there afterwards.
func Clean(dir string) (Stats, error) {
	var st Stats
	err := walk(dir, func(path string, info fs.FileInfo) error {
		err := os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			st.Entries++
			st.Bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return st, err
	}
	s := &store{filepath.Join(dir, subfolder)}
	err = errors.Join(s.sweep(0), s.dropLocks())
	os.Remove(s.path) // fails if something is in it that is not ours, or in use
	return st, err
}

// dropLocks removes lock files that nobody holds.
func (s *store) dropLocks() error {
	items, err := os.ReadDir(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, it := range items {
		key, ok := strings.CutSuffix(it.Name(), lockSuffix)
		if !ok || !isHex(key) || !it.Type().IsRegular() {
			continue
		}
		unlock, err := s.lock(key)
		if err == nil {
			unlock()
		} else if !errors.Is(err, filelock.ErrBusy) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// walk calls visit on every artefact.
func walk(dir string, visit func(path string, info fs.FileInfo) error) error {
	sub := filepath.Join(dir, subfolder)
	items, err := os.ReadDir(sub)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, it := range items {
		if _, _, ok := parseEntry(it.Name()); !ok || it.IsDir() {
			continue
		}
		info, err := it.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process discarded it
		}
		if err == nil {
			err = visit(filepath.Join(sub, it.Name()), info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
