package aot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/internal/disk/owned"
)

// A folder of artefacts:
//
//	DIR/wasmedge-aot/KEY-SHA256.so  the artefacts, by key and content
//	DIR/wasmedge-aot/KEY.lock       held while KEY is compiled
//	DIR/wasmedge-aot/job-KEY-*      where a child works
const (
	subfolder   = "wasmedge-aot"
	entrySuffix = ".so"
	lockSuffix  = ".lock"
	jobPrefix   = "job-"
	hexSize     = 2 * sha256.Size
)

// abandoned is the age at which a job's folder is somebody's leftover.
const abandoned = 24 * time.Hour

type store struct{ path string }

// openStore prepares the folder in dir.
func openStore(dir string) (*store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &store{filepath.Join(dir, subfolder)}
	return s, s.prepare()
}

// prepare makes the folder, at the start and if somebody tidied up since. Others
// may read: the code is no secret, and it may be shipped with root as owner.
func (s *store) prepare() error {
	if err := os.MkdirAll(s.path, 0o755); err != nil {
		return err
	}
	return owned.Dir(s.path)
}

type badEntry struct {
	path string
	err  error
}

// find verifies the artefacts of a key until a good one is found.
func (s *store) find(key string) (good string, bad []badEntry) {
	items, err := os.ReadDir(s.path)
	if err != nil || owned.Dir(s.path) != nil {
		return "", nil // nothing that could be used; prepare says why
	}
	for _, it := range items {
		k, _, ok := parseEntry(it.Name())
		if !ok || k != key {
			continue
		}
		path := filepath.Join(s.path, it.Name())
		err := verify(path)
		if err == nil {
			return path, bad
		}
		if !errors.Is(err, fs.ErrNotExist) {
			bad = append(bad, badEntry{path, err})
		}
	}
	return "", bad
}

// parseEntry splits the name of an artefact.
func parseEntry(name string) (key, sum string, ok bool) {
	stem, ok := strings.CutSuffix(name, entrySuffix)
	if !ok {
		return "", "", false
	}
	key, sum, ok = strings.Cut(stem, "-")
	return key, sum, ok && isHex(key) && isHex(sum)
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == hexSize && s == strings.ToLower(s)
}

// verify says whose an artefact is, and compares it with its name.
func verify(path string) error {
	_, want, ok := parseEntry(filepath.Base(path))
	if !ok {
		return errors.New("not an artefact")
	}
	f, err := owned.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := hash(f)
	if err != nil {
		return err
	}
	if got != want {
		return errors.New("the content is not what its name says")
	}
	return nil
}

func hash(f *os.File) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// publish gives a finished file its name. It has to be on the disk before: after
// a crash of the machine the name must not stand for half of it.
func (s *store) publish(key, file string) (path string, err error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	sum, err := hash(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if err := os.Chmod(file, 0o444); err != nil {
		return "", err
	}
	path = filepath.Join(s.path, key+"-"+sum+entrySuffix)
	if err := os.Rename(file, path); err != nil {
		return "", err
	}
	syncDir(s.path)
	return path, nil
}

// syncDir is best effort: not every system can, and a name that is lost costs
// one more compilation.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// lock does not wait: filelock.ErrBusy.
func (s *store) lock(key string) (unlock func(), err error) {
	return filelock.Try(filepath.Join(s.path, key+lockSuffix))
}

func (s *store) newJob(key string) (string, error) {
	return os.MkdirTemp(s.path, jobPrefix+key+"-")
}

// probe fails if a job's folder has no room for size bytes.
func probe(job string, size int) error {
	return os.WriteFile(filepath.Join(job, "probe"), make([]byte, size), 0o600)
}

// sweep removes folders of jobs that are older than age and nobody's.
func (s *store) sweep(age time.Duration) error {
	items, err := os.ReadDir(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, it := range items {
		rest, ok := strings.CutPrefix(it.Name(), jobPrefix)
		key, _, dashed := strings.Cut(rest, "-")
		info, err := it.Info()
		if !ok || !dashed || !isHex(key) || !it.IsDir() || err != nil || time.Since(info.ModTime()) < age {
			continue
		}
		unlock, err := s.lock(key)
		if errors.Is(err, filelock.ErrBusy) {
			continue
		}
		if err == nil {
			err = os.RemoveAll(filepath.Join(s.path, it.Name()))
			unlock()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
