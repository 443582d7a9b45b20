package packing

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
)

// Frames find frames of a file of zstd. They may be used by any number of goroutines.
type Frames interface {
	// Find is the frame that byte at of the unpacked file lies in, and where the next one begins: the end of it all for the
	// last.
	Find(at int64) (f Frame, next int64, err error)
}

// View is a file of zstd, unpacked, as if it were all there: it unpacks the frames that are asked for. Any number of goroutines
// may use it. It is for files of small frames; in a large one it unpacks all that comes before what is asked for.
type View struct {
	file   io.ReaderAt
	packed int64 // bytes of the file
	size   int64 // bytes unpacked
	frames Frames

	mu         sync.Mutex
	young, old map[int64][]byte // unpacked frames, by their place in the file
	kept       int              // bytes of the young ones
	idle       []*unzstd
}

const (
	keptFrames = 4 << 20  // bytes of unpacked frames that stay in memory, twice
	viewBuffer = 16 << 10 // bytes that are read at once, at least
)

// NewView makes a view of a file that has so many bytes, packed and unpacked.
func NewView(file io.ReaderAt, packed, size int64, frames Frames) *View {
	return &View{file: file, packed: packed, size: size, frames: frames}
}

// Size is how many bytes there are, unpacked.
func (v *View) Size() int64 { return v.size }

// ReadAt reads from the unpacked file.
func (v *View) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, errors.New("a place before the beginning")
	}
	for len(p) > 0 {
		if at >= v.size {
			return n, io.EOF
		}
		f, next, err := v.frames.Find(at)
		if err != nil {
			return n, err
		}
		if at < f.At || at >= next || next > v.size || f.Packed < 0 || f.Packed >= v.packed {
			return n, fmt.Errorf("%w: the list of frames has no byte %d", ErrPacking, at)
		}
		m := int(min(int64(len(p)), next-at))
		if next-f.At <= smallFrame {
			data, err := v.small(f, int(next-f.At))
			if err != nil {
				return n, err
			}
			copy(p[:m], data[at-f.At:])
		} else if err := v.large(f, at-f.At, p[:m]); err != nil {
			return n, err
		}
		p, at, n = p[m:], at+int64(m), n+m
	}
	return n, nil
}

// small unpacks a frame of so many bytes, or has it.
func (v *View) small(f Frame, size int) ([]byte, error) {
	v.mu.Lock()
	data, ok := v.young[f.Packed]
	if !ok {
		if data, ok = v.old[f.Packed]; ok {
			v.keep(f, data)
		}
	}
	v.mu.Unlock()
	if ok && len(data) == size {
		return data, nil
	}
	data = make([]byte, size)
	if err := v.large(f, 0, data); err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.keep(f, data)
	v.mu.Unlock()
	return data, nil
}

func (v *View) keep(f Frame, data []byte) {
	if v.kept >= keptFrames {
		v.old, v.young, v.kept = v.young, nil, 0
	}
	if v.young == nil {
		v.young = map[int64][]byte{}
	}
	v.young[f.Packed] = data
	v.kept += len(data)
}

// large unpacks a frame up to what is asked for.
func (v *View) large(f Frame, skip int64, p []byte) error {
	r := newReader(io.NewSectionReader(v.file, f.Packed, v.packed-f.Packed), Zstd, f.Packed, viewBuffer)
	z := v.decoder()
	r.inner = z
	defer func() {
		if r.err == nil {
			v.back(z)
		}
	}()
	if _, err := io.CopyN(io.Discard, r, skip); err != nil {
		return v.short(f, err)
	}
	if _, err := io.ReadFull(r, p); err != nil {
		return v.short(f, err)
	}
	return nil
}

func (v *View) short(f Frame, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the frame at byte %d of the file has changed", ErrPacking, f.Packed)
	}
	return err
}

// decoder takes an idle decoder, or makes one.
func (v *View) decoder() *unzstd {
	v.mu.Lock()
	defer v.mu.Unlock()
	if n := len(v.idle); n > 0 {
		z := v.idle[n-1]
		v.idle = v.idle[:n-1]
		return z
	}
	return &unzstd{}
}

// back gives one back that is well.
func (v *View) back(z *unzstd) {
	z.ready, z.long = nil, false
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.idle) < 4 {
		v.idle = append(v.idle, z)
	} else {
		z.close()
	}
}

// FrameList is a list of frames in memory, in order.
type FrameList struct {
	List []Frame
	End  int64 // bytes, unpacked
}

// Find looks through the list.
func (l *FrameList) Find(at int64) (Frame, int64, error) {
	next := sort.Search(len(l.List), func(i int) bool { return l.List[i].At > at })
	switch {
	case next == 0:
		return Frame{}, 0, fmt.Errorf("%w: the list of frames has no byte %d", ErrPacking, at)
	case next < len(l.List):
		return l.List[next-1], l.List[next].At, nil
	}
	return l.List[next-1], l.End, nil
}

// Depth tells how deep in their frames places lie, of frames and places that come in order.
type Depth struct{ frames []Frame }

// Frame hears of the next frame.
func (d *Depth) Frame(f Frame) { d.frames = append(d.frames, f) }

// Shallow tells whether a place of the unpacked file can be read without unpacking much that lies before it. Places do not go
// back, and their frames have been heard of.
func (d *Depth) Shallow(at int64) bool {
	for len(d.frames) > 1 && d.frames[1].At <= at {
		d.frames = d.frames[1:]
	}
	return len(d.frames) > 0 && at-d.frames[0].At <= smallFrame
}
