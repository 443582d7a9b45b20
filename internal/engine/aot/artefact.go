package aot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/edgefvm/fvm/internal/disk/filelock"
)

// errMoved means that a folder could not be written to and another will be used.
var errMoved = errors.New("aot: try the other folder")

// storageError is trouble with a folder of artefacts, and not with a module.
type storageError struct{ err error }

func (e *storageError) Error() string { return "aot: storing native code: " + e.err.Error() }
func (e *storageError) Unwrap() error { return e.err }

// Lookup finds native code that was made before. The file was verified just now;
// load it soon, since others may clean the cache.
func (c *Cache) Lookup(wasm []byte, level Level) (path string, ok bool) {
	if level.check() != nil || c.enter() != nil {
		return "", false
	}
	defer c.users.Done()
	return c.find(c.keys(wasm, level), true)
}

// Artefact is Lookup, and compiles what is not there. It waits for another
// process that compiles the same. The error is the context's, a *CompileError,
// or that of a disk.
func (c *Cache) Artefact(ctx context.Context, wasm []byte, level Level) (path string, err error) {
	if err := level.check(); err != nil {
		return "", err
	}
	if err := c.enter(); err != nil {
		return "", err
	}
	defer c.users.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	path, err = c.artefact(ctx, c.keys(wasm, level), wasm, level)
	if err != nil && c.ctx.Err() != nil {
		err = errClosed
	}
	return path, err
}

func (c *Cache) artefact(ctx context.Context, keys []string, wasm []byte, level Level) (string, error) {
	const shortest, longest = 5 * time.Millisecond, 250 * time.Millisecond
	for wait := shortest; ; wait = min(2*wait, longest) {
		if path, ok := c.find(keys, false); ok {
			return path, nil
		}
		path, err := c.attempt(ctx, keys[0], wasm, level)
		if errors.Is(err, errMoved) {
			continue
		}
		if !errors.Is(err, filelock.ErrBusy) {
			return path, err
		}
		// Polling, because a lock cannot be waited for together with a context,
		// and without a slot, so that this process can do something else.
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
	}
}

// find verifies what there is for keys, and takes the first that is good.
func (c *Cache) find(keys []string, warn bool) (string, bool) {
	for _, key := range keys {
		for _, s := range c.stores() {
			good, bad := s.find(key)
			for _, b := range bad {
				if warn {
					c.log.Warn("cached native code is unusable", "file", b.path, "err", b.err)
				}
			}
			if good != "" {
				return good, true
			}
		}
	}
	return "", false
}

func (c *Cache) stores() (all []*store) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range []*store{c.home, c.spare} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// attempt compiles a module, unless somebody else does.
func (c *Cache) attempt(ctx context.Context, key string, wasm []byte, level Level) (string, error) {
	if c.commandErr != nil {
		return "", c.commandErr
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case c.slots <- struct{}{}:
	}
	defer func() { <-c.slots }()
	c.swept.Do(func() { sweepSpares(os.TempDir()) })
	if !c.reserve(key) {
		return "", filelock.ErrBusy
	}
	defer c.release(key)
	s, err := c.destination()
	if err != nil {
		return "", err
	}
	path, err := c.build(ctx, s, key, wasm, level)
	if disk := new(storageError); errors.As(err, &disk) && s == c.home {
		c.abandonHome(disk)
		return "", errMoved
	}
	return path, err
}

// reserve is the lock among the goroutines of this process, for systems and
// folders without file locks.
func (c *Cache) reserve(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.making[key] {
		return false
	}
	c.making[key] = true
	return true
}

func (c *Cache) release(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.making, key)
}

// destination is where new artefacts go.
func (c *Cache) destination() (*store, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.home != nil && !c.full {
		return c.home, nil
	}
	if c.spare != nil {
		return c.spare, nil
	}
	s, release, err := newSpare(os.TempDir())
	if err != nil {
		return nil, &storageError{err}
	}
	c.spare, c.giveUp = s, release
	return s, nil
}

// abandonHome makes new artefacts go to a temporary folder.
func (c *Cache) abandonHome(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.full {
		c.full = true
		c.log.Warn("native code cannot be added to the cache and goes to a temporary folder", "dir", c.home.path, "err", cause)
	}
}

// build compiles into s under its lock.
func (c *Cache) build(ctx context.Context, s *store, key string, wasm []byte, level Level) (string, error) {
	err := s.prepare()
	if err != nil {
		return "", &storageError{err}
	}
	unlock, err := s.lock(key)
	if errors.Is(err, fs.ErrNotExist) {
		err = filelock.ErrBusy // Clean removed the folder just now: the next attempt makes it again
	}
	if err != nil {
		if !errors.Is(err, filelock.ErrBusy) {
			err = &storageError{err}
		}
		return "", err
	}
	defer unlock()
	good, bad := s.find(key)
	if good != "" {
		return good, nil // made since we looked
	}
	for _, b := range bad {
		c.log.Warn("cached native code is unusable and will be made again", "file", b.path, "err", b.err)
		if err := os.Remove(b.path); err != nil {
			return "", &storageError{err}
		}
	}
	job, err := s.newJob(key)
	if err != nil {
		return "", &storageError{err}
	}
	defer os.RemoveAll(job) // what stays is swept later
	in, out := filepath.Join(job, "module.wasm"), filepath.Join(job, "module.so")
	if err := os.WriteFile(in, wasm, 0o600); err != nil {
		return "", &storageError{err}
	}
	if err := c.compile(ctx, in, out, level); err != nil {
		// A compiler that could not write may say something else. It needs about nine
		// times the Wasm.
		if full := probe(job, 8*len(wasm)); full != nil {
			err = &storageError{errors.Join(full, err)}
		}
		return "", err
	}
	if st, err := os.Stat(out); err != nil || st.Size() == 0 {
		return "", &CompileError{Level: level, Err: fmt.Errorf("the compiler left no code (%w)", errors.Join(err, errNoCode))}
	}
	path, err := s.publish(key, out)
	if err != nil {
		return "", &storageError{err}
	}
	return path, nil
}

var errNoCode = errors.New("nothing where the artefact should be")
