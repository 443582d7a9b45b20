package wazero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	wz "github.com/tetratelabs/wazero"
)

// wazeroVersion is the version in go.mod. wazero does not know its own in every build.
const wazeroVersion = "v1.12.0"

// probeModule is (module (func)).
const probeModule = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x0b"

type digest = [sha256.Size]byte

// disk is the cache on disk as one engine uses it.
type disk struct {
	log     *slog.Logger
	staging string // this process's folder
	sub     string // wazero's folder in it, named for its version and platform
	entries string // where entries live
	tag     string // stands for wazero's version and the processor's features

	miss sync.Mutex // held while wazero compiles, so that a new file tells whose it is

	mu    sync.Mutex
	known map[digest]string // wazero's names of the modules seen, by module
	using map[digest]*sync.Mutex
}

// openDisk prepares the cache in dir. Both results are nil if that cannot be
// done, or if config makes no machine code.
func openDisk(dir string, log *slog.Logger, config wz.RuntimeConfig) (*disk, wz.CompilationCache) {
	d := &disk{log: log, known: map[digest]string{}, using: map[digest]*sync.Mutex{}}
	cache, err := d.open(dir, config)
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
func (d *disk) open(dir string, config wz.RuntimeConfig) (wz.CompilationCache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		d.staging, err = os.MkdirTemp(dir, stagingPrefix)
	}
	if err != nil {
		// Entries may still be readable.
		d.log.Warn("compiled code cannot be added to the cache", "dir", dir, "err", err)
		if d.staging, err = os.MkdirTemp("", stagingPrefix); err != nil {
			return nil, err
		}
	}
	cache, err := wz.NewCompilationCacheWithDir(d.staging)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	rt := wz.NewRuntimeWithConfig(ctx, config.WithCompilationCache(cache))
	defer rt.Close(ctx)
	// The probe tells wazero's folder and, by its name, the processor.
	c, err := rt.CompileModule(ctx, []byte(probeModule))
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	subs, err := os.ReadDir(d.staging)
	if err != nil || len(subs) != 1 || !strings.HasPrefix(subs[0].Name(), wazeroPrefix) {
		return nil, errors.Join(err, errors.New("unexpected layout of wazero's cache"))
	}
	d.sub = filepath.Join(d.staging, subs[0].Name())
	d.entries = filepath.Join(dir, subs[0].Name())
	probes, err := d.unknown()
	if err != nil || len(probes) == 0 {
		return nil, err
	}
	tag := sha256.Sum256([]byte(wazeroVersion + probes[0]))
	d.tag = hex.EncodeToString(tag[:8])
	if err := os.Remove(filepath.Join(d.sub, probes[0])); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.entries, 0o700); err != nil {
		d.log.Warn("compiled code cannot be added to the cache", "dir", d.entries, "err", err)
	}
	return cache, nil
}

func (d *disk) close() {
	if err := os.RemoveAll(d.staging); err != nil {
		d.log.Warn("leftover in the cache of compiled code", "dir", d.staging, "err", err)
	}
}

// compile loads wasm from the cache, or compiles it and adds it.
func (d *disk) compile(rt wz.Runtime, wasm []byte) (wz.CompiledModule, error) {
	key := digest(sha256.Sum256(wasm))
	defer d.lock(key)()
	if err := os.MkdirAll(d.sub, 0o700); err != nil { // somebody may have tidied up
		d.log.Warn("compiled code will not be cached", "err", err)
	}
	if name, ok := d.stage(key); ok {
		c, err := rt.CompileModule(compileContext(), wasm)
		d.unstage(name)
		if err == nil {
			return c, nil
		}
		d.discard(key, err)
	}
	d.miss.Lock()
	defer d.miss.Unlock()
	c, err := rt.CompileModule(compileContext(), wasm)
	if err != nil {
		// wazero fails if it cannot write its file, but then it has the code in
		// memory and finds it there. Bad code fails again.
		first := err
		if c, err = rt.CompileModule(compileContext(), wasm); err != nil {
			return nil, err
		}
		d.log.Warn("compiled code was not cached", "err", first)
		return c, nil
	}
	if err := d.publish(key); err != nil {
		d.log.Warn("compiled code was not cached", "err", err)
	}
	return c, nil
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
		d.mu.Lock()
		d.known[key] = name
		d.mu.Unlock()
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
	in, err := os.Open(src)
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

// publish turns the file that wazero just wrote into an entry. There is none if
// wazero still had the code in memory.
func (d *disk) publish(key digest) error {
	d.mu.Lock()
	name, ok := d.known[key]
	d.mu.Unlock()
	if !ok {
		names, err := d.unknown()
		if err != nil || len(names) == 0 {
			return err
		}
		if len(names) > 1 { // never seen; guessing would cost a recompile each time
			return fmt.Errorf("%d new files, which is it", len(names))
		}
		name = names[0]
	}
	file := filepath.Join(d.sub, name)
	err := seal(file, name)
	if err == nil {
		err = os.Rename(file, d.path(key))
	}
	if errors.Is(err, fs.ErrNotExist) && ok {
		return nil
	}
	if err != nil {
		os.Remove(file) // best effort, as above
		return err
	}
	d.mu.Lock()
	d.known[key] = name
	d.mu.Unlock()
	return nil
}

// unknown lists the files in wazero's folder that were not staged.
func (d *disk) unknown() ([]string, error) {
	files, err := os.ReadDir(d.sub)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	staged := map[string]bool{}
	for _, name := range d.known {
		staged[name] = true
	}
	var out []string
	for _, f := range files {
		if raw, err := hex.DecodeString(f.Name()); err == nil && len(raw) == sha256.Size && !staged[f.Name()] {
			out = append(out, f.Name())
		}
	}
	return out, nil
}
