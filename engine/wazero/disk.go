package wazero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	wz "github.com/tetratelabs/wazero"

	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/internal/disk/owned"
)

// wazeroVersion is the version in go.mod. wazero does not know its own in every build.
const wazeroVersion = "v1.12.0"

// probeModule is (module (func)).
const probeModule = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x0b"

type digest = [sha256.Size]byte

var errLayout = errors.New("unexpected layout of wazero's cache")

// disk is the cache on disk as one engine uses it.
type disk struct {
	log     *slog.Logger
	config  wz.RuntimeConfig
	staging string // this process's folder
	release func() // of its lock
	sub     string // wazero's folder in it, named for its version and platform
	entries string // where entries live
	tag     string // stands for wazero's version and the processor's features

	mu    sync.Mutex
	using map[digest]*sync.Mutex // one for every module seen

	hits atomic.Uint64 // modules whose code was there
}

// openDisk prepares the cache in dir. Both results are nil if that cannot be
// done, or if config makes no machine code.
func openDisk(dir string, log *slog.Logger, config wz.RuntimeConfig) (*disk, wz.CompilationCache) {
	d := &disk{log: log, config: config, using: map[digest]*sync.Mutex{}}
	cache, err := d.open(dir)
	if err != nil {
		log.Warn("compiled code will not be cached", "dir", dir, "err", err)
	}
	if cache == nil && d.staging != "" {
		d.close()
	}
	if cache == nil {
		return nil, nil
	}
	return d, cache
}

// open sets up the folders. A nil cache without an error is the interpreter.
func (d *disk) open(dir string) (wz.CompilationCache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		// It is machine code, and whoever can write there could have it run.
		if err := owned.Dir(dir); err != nil {
			return nil, err
		}
		filelock.Sweep(dir, stagingPrefix, abandoned, func(string) bool { return true })
		d.staging, d.release, err = filelock.Folder(dir, stagingPrefix)
	}
	readOnly := err != nil
	if readOnly {
		// Entries may still be readable.
		d.log.Warn("compiled code cannot be added to the cache", "dir", dir, "err", err)
		if d.staging, d.release, err = filelock.Folder(os.TempDir(), stagingPrefix); err != nil {
			return nil, err
		}
		if err := owned.Dir(d.staging); err != nil {
			return nil, err
		}
	}
	// The probe tells wazero's folder and, by its name, the processor.
	probe, err := d.apart([]byte(probeModule))
	if err != nil || probe == "" {
		return nil, err
	}
	defer d.drop(probe)
	sub := filepath.Base(filepath.Dir(probe))
	if !strings.HasPrefix(sub, wazeroPrefix) {
		return nil, errLayout
	}
	tag := sha256.Sum256([]byte(wazeroVersion + filepath.Base(probe)))
	d.tag = hex.EncodeToString(tag[:8])
	d.sub = filepath.Join(d.staging, sub)
	d.entries = filepath.Join(dir, sub)
	if err := os.MkdirAll(d.entries, 0o700); err != nil && !readOnly {
		d.log.Warn("compiled code cannot be added to the cache", "dir", d.entries, "err", err)
	}
	if err := owned.Dir(d.entries); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return wz.NewCompilationCacheWithDir(d.staging)
}

// apart compiles wasm with a wazero engine and a folder of its own, so that the
// one file that appears is this module's. It returns the file, which drop
// removes, or "" if there is none because no machine code is made.
func (d *disk) apart(wasm []byte) (file string, err error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp(d.staging, "build-")
	if err != nil {
		return "", err
	}
	defer func() {
		if file == "" {
			d.remove(dir)
		}
	}()
	cache, err := wz.NewCompilationCacheWithDir(dir)
	if err != nil {
		return "", err
	}
	defer cache.Close(ctx)
	rt := wz.NewRuntimeWithConfig(ctx, d.config.WithCompilationCache(cache))
	defer rt.Close(ctx)
	c, err := rt.CompileModule(ctx, wasm)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	return soleFile(dir)
}

// soleFile is the file in the folder in dir, "" if there is none.
func soleFile(dir string) (string, error) {
	for range 2 {
		items, err := os.ReadDir(dir)
		if err != nil || len(items) == 0 {
			return "", err
		}
		if len(items) > 1 {
			return "", errLayout
		}
		dir = filepath.Join(dir, items[0].Name())
	}
	if name, err := hex.DecodeString(filepath.Base(dir)); err != nil || len(name) != sha256.Size {
		return "", errLayout
	}
	return dir, nil
}

// drop removes what apart made.
func (d *disk) drop(file string) { d.remove(filepath.Dir(filepath.Dir(file))) }

func (d *disk) remove(dir string) {
	if err := os.RemoveAll(dir); err != nil {
		d.log.Warn("leftover in the cache of compiled code", "dir", dir, "err", err)
	}
}

func (d *disk) close() {
	d.remove(d.staging)
	d.release()
}

// compile loads wasm from the cache, or compiles it and adds it.
func (d *disk) compile(rt wz.Runtime, wasm []byte) (wz.CompiledModule, error) {
	key := digest(sha256.Sum256(wasm))
	defer d.lock(key)()
	if err := os.MkdirAll(d.sub, 0o700); err != nil { // somebody may have tidied up
		d.log.Warn("compiled code will not be cached", "err", err)
	}
	name, ok := d.stage(key)
	if ok {
		d.hits.Add(1)
	} else {
		name, ok = d.build(key, wasm)
	}
	if ok {
		c, err := rt.CompileModule(context.Background(), wasm)
		d.unstage(name)
		if err == nil {
			return c, nil
		}
		d.discard(key, err)
	}
	// Without a file: bad code, or a bad disk.
	c, first := rt.CompileModule(context.Background(), wasm)
	if first == nil {
		return c, nil
	}
	// wazero fails if it cannot write its file, but then it has the code in
	// memory and finds it there. Bad code fails again.
	c, err := rt.CompileModule(context.Background(), wasm)
	if err == nil {
		d.log.Warn("compiled code was not cached", "err", first)
	}
	return c, err
}

// lock keeps others from compiling the same module at the same time.
func (d *disk) lock(key digest) (unlock func()) {
	d.mu.Lock()
	m := d.using[key]
	if m == nil {
		m = new(sync.Mutex)
		d.using[key] = m
	}
	d.mu.Unlock()
	m.Lock()
	return m.Unlock
}

func (d *disk) path(key digest) string {
	return filepath.Join(d.entries, hex.EncodeToString(key[:])+"-"+d.tag+entrySuffix)
}

// stage verifies the entry for a module and puts it where wazero looks.
func (d *disk) stage(key digest) (name string, ok bool) {
	if err := owned.Dir(d.entries); err != nil { // it may have changed since
		if !errors.Is(err, fs.ErrNotExist) {
			d.log.Warn("compiled code is not taken from the cache", "err", err)
		}
		return "", false
	}
	// The file that is checked must be the one that is used: take it first.
	tmp := filepath.Join(d.staging, hex.EncodeToString(key[:]))
	err := take(d.path(key), tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err == nil {
		name, err = verify(tmp)
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(d.sub, name))
	}
	if err != nil {
		os.Remove(tmp) // best effort: it is in the staging folder, which goes
		d.discard(key, err)
		return "", false
	}
	return name, true
}

// take makes dst the file at src, by a link where that works.
func take(src, dst string) error {
	if os.Link(src, dst) == nil {
		return nil
	}
	in, err := owned.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (d *disk) unstage(name string) {
	if err := os.Remove(filepath.Join(d.sub, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn("leftover in the cache of compiled code", "err", err)
	}
}

// discard removes an entry that cannot be used.
func (d *disk) discard(key digest, cause error) {
	d.log.Warn("cached code is unusable and will be compiled again", "entry", d.path(key), "err", cause)
	if err := os.Remove(d.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn("unusable entry stays in the cache", "err", err)
	}
}

// build compiles wasm, adds it to the cache, and puts it where wazero looks.
func (d *disk) build(key digest, wasm []byte) (name string, ok bool) {
	file, err := d.apart(wasm)
	if err != nil || file == "" {
		return "", false // the compiler says why when it is asked again
	}
	defer d.drop(file)
	name = filepath.Base(file)
	if err = seal(file, name); err == nil {
		err = os.MkdirAll(d.entries, 0o700)
	}
	if err == nil {
		err = owned.Dir(d.entries)
	}
	if err == nil {
		err = os.Rename(file, d.path(key))
	}
	if err == nil {
		return d.stage(key)
	}
	d.log.Warn("compiled code was not cached", "err", err)
	if err := os.Rename(file, filepath.Join(d.sub, name)); err != nil {
		return "", false
	}
	return name, true
}
