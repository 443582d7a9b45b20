package carfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// Where more than a bound is unpacked, that bound is of the disk: so much is unpacked in any case, and so many times what is
// packed.
const (
	unpackedFree   = 16 << 30 // bytes
	unpackedFactor = 32
	leaveFree      = 1 << 30 // bytes of the disk that stay free
	lookEvery      = 64 << 20
)

// errDeep is of an archive whose blocks begin deep in frames, so that it has to be unpacked.
var errDeep = errors.New("its blocks lie deep in frames")

// builder makes the index of an archive: its entries by the first byte of their keys into a scratch file, then part by part
// sorted into the index.
type builder struct {
	*archive
	place string // of the index
	o     Options

	kind   packing.Kind
	parts  *spill
	frames *frameSpill // of an archive of frames
	shape  shape
	done   func() int64 // bytes of the file that were read
}

// build makes an index at a place, and a copy of an archive that has to be unpacked.
func build(ctx context.Context, place string, a *archive, o Options) (err error) {
	b := &builder{archive: a, place: place, o: o}
	if b.kind, err = a.kind(); err != nil {
		return err
	}
	b.sweep()
	var scratches []func()
	defer func() {
		for _, end := range scratches {
			end()
		}
	}()
	scratch := func() (*os.File, error) {
		f, end, err := newScratch(place)
		if err == nil {
			scratches = append(scratches, end)
		}
		return f, err
	}
	f, err := scratch()
	if err != nil {
		return err
	}
	b.parts = &spill{file: f}
	switch b.kind {
	case packing.Plain:
		err = b.scanPlain(ctx)
	case packing.Zstd:
		if f, err = scratch(); err != nil {
			return err
		}
		b.frames = &frameSpill{file: f}
		if err = b.scanFrames(ctx); !errors.Is(err, errDeep) {
			break
		}
		b.frames = nil
		if f, err = scratch(); err != nil {
			return err
		}
		b.parts = &spill{file: f}
		err = b.scanCopying(ctx)
	default:
		err = b.scanCopying(ctx)
	}
	if err != nil {
		return err
	}
	err = wholefile.Write(place, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 64<<10)
		if err := b.write(ctx, out); err != nil {
			return err
		}
		return out.Flush()
	})
	if err != nil && b.shape.form == copied {
		err = errors.Join(err, a.dropCopy(place))
	}
	return err
}

// newScratch makes a file that is gone when it is closed.
func newScratch(place string) (*os.File, func(), error) {
	f, err := os.CreateTemp(filepath.Dir(place), "."+filepath.Base(place)+".scratch")
	if err != nil {
		return nil, nil, err
	}
	if os.Remove(f.Name()) == nil { // at once, so that nothing is left of a process that dies
		return f, func() { f.Close() }, nil
	}
	return f, func() { f.Close(); os.Remove(f.Name()) }, nil // Windows removes no file that is open
}

// options are those of reading an archive, for a scan.
func (b *builder) options() blockstore.CAROptions {
	o := b.o.CAR
	tell, padding := o.Progress, o.Padding
	o.Progress = func(bytes, blocks int64) {
		if tell != nil {
			tell(bytes, blocks)
		}
		if b.o.Progress != nil {
			w := Work{Blocks: blocks, Unpacked: bytes, Done: bytes, Size: b.size}
			if b.done != nil {
				w.Done = b.done()
			}
			if b.shape.form == copied {
				w.Copy = b.copyPath(b.place)
			}
			b.o.Progress(w)
		}
	}
	if padding != nil {
		o.Padding = func(from int64) { b.shape.padding = from } // who asked hears of it when the archive is open
	}
	return o
}

func (b *builder) add(s blockstore.CARSection) error {
	return b.parts.add(blockstore.CAREntry{Key: blockstore.KeyOfCID(s.CID), At: s.At})
}

func (b *builder) scanPlain(ctx context.Context) error {
	b.shape = shape{form: plain, unpacked: b.size}
	return blockstore.ScanCAR(ctx, b.file, b.size, b.add, b.options())
}

// unpack unpacks the file.
func (b *builder) unpack() *packing.Reader {
	z := packing.NewReader(io.NewSectionReader(b.file, 0, b.size), b.kind, 0)
	b.done = z.Packed
	if b.o.CAR.Padding != nil {
		z.Padding = func(from int64) { b.shape.padding = from }
	}
	switch most := b.o.CAR.MaxUnpacked; {
	case most > 0:
		z.Bound = func(int64) int64 { return most }
	case most == 0:
		z.Bound = func(packed int64) int64 { return unpackedFree + unpackedFactor*packed }
	}
	return z
}

// scanFrames reads an archive of frames. The error is errDeep, as soon as that is seen, if its blocks cannot be read so.
func (b *builder) scanFrames(ctx context.Context) error {
	b.shape = shape{form: framed}
	z := b.unpack()
	defer z.Close()
	var depth packing.Depth
	z.OnFrame = func(f packing.Frame) {
		b.frames.add(f)
		depth.Frame(f)
	}
	err := blockstore.ScanCARStream(ctx, z, func(s blockstore.CARSection) error {
		if !depth.Shallow(s.At) {
			return errDeep
		}
		return b.add(s)
	}, b.options())
	b.shape.frames, b.shape.unpacked = b.frames.count, z.Unpacked()
	return err
}

// scanCopying reads an archive, and writes what it unpacks to into a copy.
func (b *builder) scanCopying(ctx context.Context) error {
	path := b.copyPath(b.place)
	b.shape = shape{form: copied}
	z := b.unpack()
	defer z.Close()
	return wholefile.Write(path, func(w io.Writer) error {
		out := newRoomy(w, filepath.Dir(path))
		if err := blockstore.ScanCARStream(ctx, io.TeeReader(z, out), b.add, b.options()); err != nil {
			return err
		}
		b.shape.unpacked = out.n
		return out.w.Flush()
	})
}

// roomy writes to a file as long as the disk has room.
type roomy struct {
	w       *bufio.Writer
	folder  string
	n, look int64
	free    func(folder string) (bytes uint64, ok bool)
}

func newRoomy(w io.Writer, folder string) *roomy {
	return &roomy{w: bufio.NewWriterSize(w, 1<<20), folder: folder, free: freeBytes}
}

func (r *roomy) Write(p []byte) (int, error) {
	if r.n >= r.look {
		if free, ok := r.free(r.folder); ok && free < leaveFree {
			return 0, fmt.Errorf("%w: %d bytes are unpacked, and the disk of %s has %d bytes left: make room, or name another folder", errNoRoom, r.n, r.folder, free)
		}
		r.look = r.n + lookEvery
	}
	n, err := r.w.Write(p)
	r.n += int64(n)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return n, err
}

// errNoRoom is of a copy that cannot be written.
var errNoRoom = errors.New("it has to be unpacked to disk")

// copyPath is where the unpacked copy of an archive lies, for an index at a place. Its name has what tells the archive from
// another, so that it can be no other's.
func (a *archive) copyPath(place string) string {
	sum := a.sum()
	return fmt.Sprintf("%s-%x.car", trimExtension(place), sum[:8])
}

// dropCopy removes the copy of the archive, if there is one.
func (a *archive) dropCopy(place string) error {
	err := os.Remove(a.copyPath(place))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sweep removes copies of the archive as it was before, and what processes left that died. Nobody else makes an index here.
func (b *builder) sweep() {
	dir, base := filepath.Dir(b.place), regexp.QuoteMeta(filepath.Base(trimExtension(b.place)))
	left := regexp.MustCompile(`^(\.?` + base + `-[0-9a-f]{16}\.car[0-9]*|\.` + base + regexp.QuoteMeta(Extension) + `\.?[a-z]*[0-9]+)$`)
	names, _ := os.ReadDir(dir) // then nothing is swept
	for _, e := range names {
		if name := e.Name(); left.MatchString(name) {
			os.Remove(filepath.Join(dir, name)) //nolint:errcheck // Windows does not while a process has it open
		}
	}
}

// write writes the index.
func (b *builder) write(ctx context.Context, out io.Writer) error {
	b.shape.bits = b.parts.bits()
	if _, err := out.Write(b.head(b.shape)); err != nil {
		return err
	}
	if err := b.parts.write(ctx, out, b.shape.bits); err != nil || b.frames == nil {
		return err
	}
	return b.frames.write(out)
}
