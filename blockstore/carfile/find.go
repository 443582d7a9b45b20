package carfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// archive is what tells an archive from another.
type archive struct {
	file *os.File
	size int64
	time int64 // of the last change, in nanoseconds since 1970
	ends [sha256.Size]byte
}

// endBytes is how much of the archive is hashed at each end.
const endBytes = 64 << 10

func identify(f *os.File) (*archive, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no file that can be read here and there: save it to one")
	}
	a := &archive{file: f, size: info.Size(), time: info.ModTime().UnixNano()}
	h, buf := sha256.New(), make([]byte, min(endBytes, a.size))
	for _, at := range []int64{0, a.size - int64(len(buf))} {
		if n, err := f.ReadAt(buf, at); n < len(buf) {
			return nil, fmt.Errorf("reading at byte %d: %w", at, err)
		}
		h.Write(buf)
	}
	h.Sum(a.ends[:0])
	return a, nil
}

// kind is what the archive is compressed by.
func (a *archive) kind() (packing.Kind, error) {
	head := make([]byte, min(packing.HeadLen, a.size))
	if n, err := a.file.ReadAt(head, 0); n < len(head) {
		return packing.Plain, fmt.Errorf("reading at byte 0: %w", err)
	}
	return packing.KindOf(head), nil
}

// sum is a hash of all that tells the archive from another.
func (a *archive) sum() [sha256.Size]byte { return sha256.Sum256(a.head(shape{})) }

func trimExtension(place string) string { return strings.TrimSuffix(place, Extension) }

// places are where the index of an archive may lie, the best one first.
func places(path string, o Options) ([]string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if to, err := filepath.EvalSymlinks(full); err == nil {
		full = to
	}
	beside := full + Extension
	folder := o.Folder
	if folder == "" {
		if folder, err = DefaultFolder(); err != nil {
			return []string{beside}, nil //nolint:nilerr // no home, no folder
		}
	}
	if folder, err = filepath.Abs(folder); err != nil || folder == filepath.Dir(full) {
		return []string{beside}, err
	}
	name := sha256.Sum256([]byte(full))
	return []string{filepath.Join(folder, fmt.Sprintf("%.80s-%s%s", filepath.Base(full), hex.EncodeToString(name[:8]), Extension)), beside}, nil
}

// find opens the index of an archive, or makes it at the first place where that can be. It is nil if it can be nowhere.
func find(ctx context.Context, path string, a *archive, o Options) (*index, error) {
	places, err := places(path, o)
	if err != nil {
		return nil, err
	}
	if x := a.openFirst(places, o); x != nil {
		return x, nil
	}
	if o.NoWrite {
		return nil, nil
	}
	for _, place := range places {
		x, err := makeIndex(ctx, place, a, o)
		if err == nil {
			return x, nil
		}
		if errors.Is(err, blockstore.ErrCAR) || errors.Is(err, errChanged) || errors.Is(err, errNoRoom) || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, nil
}

// made opens the index of an archive if there is one, else it is nil.
func made(path string, a *archive, o Options) *index {
	places, err := places(path, o)
	if err != nil {
		return nil
	}
	return a.openFirst(places, o)
}

func (a *archive) openFirst(places []string, o Options) *index {
	for _, place := range places {
		if x, err := a.open(place, o); err == nil {
			return x
		}
	}
	return nil
}

// open opens the index at a place, if it fits and says what was asked.
func (a *archive) open(place string, o Options) (*index, error) {
	x, err := openIndex(place, a)
	if err != nil {
		return nil, err
	}
	if x.form == copied {
		if info, err := os.Stat(a.copyPath(place)); err != nil || info.Size() != x.unpacked {
			return nil, errors.Join(errDamaged, x.Close())
		}
	}
	if x.padding > 0 && o.CAR.Padding == nil {
		return nil, errors.Join(errors.New("padding is not taken"), x.Close())
	}
	return x, nil
}

// errChanged is of an archive that is being written to.
var errChanged = errors.New("it changed while its index was made")

// makeIndex makes the index at a place, or waits for another process that does.
func makeIndex(ctx context.Context, place string, a *archive, o Options) (*index, error) {
	if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
		return nil, err
	}
	for {
		unlock, err := filelock.Try(place + ".lock")
		if errors.Is(err, filelock.ErrBusy) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		defer unlock()
		// Whoever had the lock before may have made it.
		if x, err := a.open(place, o); err == nil {
			return x, nil
		}
		if err := build(ctx, place, a, o); err != nil {
			return nil, err
		}
		if now, err := identify(a.file); err != nil || now.size != a.size || now.time != a.time || now.ends != a.ends {
			return nil, errors.Join(errChanged, err, os.Remove(place), a.dropCopy(place))
		}
		return a.open(place, o)
	}
}
