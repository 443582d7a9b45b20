package wazero

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CacheStats is what a cache of compiled code holds.
type CacheStats struct {
	Entries int
	Bytes   int64 // of the entries
	Bad     int   // entries that fail their checksum, or that others can write to
}

// CacheInfo counts the entries of a cache, for all platforms and versions, and
// verifies each. A folder that does not exist is an empty cache.
func CacheInfo(dir string) (CacheStats, error) {
	var st CacheStats
	err := walkCache(dir, func(path string, d fs.DirEntry) error {
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another process discarded it
		}
		if err != nil {
			return err
		}
		st.Entries++
		st.Bytes += info.Size()
		if _, err := verify(path); err != nil {
			st.Bad++
		}
		return nil
	})
	return st, err
}

// CacheClean removes what the cache holds, and the leftovers of processes that
// were killed. It leaves files alone that are not the cache's. Processes that use
// the cache at the time go on; they compile again what they need.
func CacheClean(dir string) (CacheStats, error) {
	var st CacheStats
	err := walkCache(dir, func(path string, d fs.DirEntry) error {
		info, err := d.Info()
		if err == nil {
			err = os.Remove(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		st.Entries++
		st.Bytes += info.Size()
		return nil
	})
	if err != nil {
		return st, err
	}
	children, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	errs := []error{err}
	for _, c := range children {
		path := filepath.Join(dir, c.Name())
		switch {
		case !c.IsDir():
		case strings.HasPrefix(c.Name(), stagingPrefix):
			errs = append(errs, os.RemoveAll(path))
		case strings.HasPrefix(c.Name(), wazeroPrefix):
			os.Remove(path) // fails if something is in it that is not ours
		}
	}
	return st, errors.Join(errs...)
}

// walkCache calls visit on every entry.
func walkCache(dir string, visit func(path string, d fs.DirEntry) error) error {
	subs, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if !sub.IsDir() || !strings.HasPrefix(sub.Name(), wazeroPrefix) {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, sub.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, f := range files {
			if f.Type().IsRegular() && strings.HasSuffix(f.Name(), entrySuffix) {
				if err := visit(filepath.Join(dir, sub.Name(), f.Name()), f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
