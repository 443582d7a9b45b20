package blockstore

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// errLargeFrames is of an archive whose blocks cannot be read one by one where they lie.
var errLargeFrames = errors.New("its frames are too large to be unpacked one by one")

// scanFrames is ScanCAR of an archive compressed by zstd, and gives a view of it. The error wraps errLargeFrames if a block
// begins deep in a frame, and comes as soon as that is seen.
func scanFrames(ctx context.Context, archive io.ReaderAt, size int64, visit func(CARSection) error, o CAROptions) (*packing.View, error) {
	z := packing.NewReader(io.NewSectionReader(archive, 0, size), packing.Zstd, 0)
	defer z.Close()
	z.Padding = o.Padding
	if o.MaxUnpacked >= 0 {
		z.Bound = o.unpacked
	}
	frames := &packing.FrameList{}
	var depth packing.Depth
	z.OnFrame = func(f packing.Frame) {
		frames.List = append(frames.List, f)
		depth.Frame(f)
	}
	c := newCARReader(z, o)
	c.packed, c.inside = z, true
	err := c.scan(ctx, func(s CARSection) error {
		if !depth.Shallow(s.At) {
			return errLargeFrames
		}
		return visit(s)
	})
	if err != nil {
		return nil, err
	}
	frames.End = z.Unpacked()
	return packing.NewView(archive, size, frames.End, frames), nil
}

// Bytes of a piece in which an archive is unpacked.
const (
	smallPiece = 64 << 10
	largePiece = 1 << 20
)

// unpack unpacks an archive into memory.
func unpack(r io.Reader, o CAROptions) ([]byte, error) {
	c := newCARStream(r, o)
	defer c.close()
	bounded := io.Reader(c.r)
	if o.MaxMemory > 0 {
		bounded = io.LimitReader(c.r, o.MaxMemory+1)
	}
	// In pieces: a buffer that grows holds three times what is in it, and an archive that is too large is given up in the end.
	var pieces [][]byte
	for size := smallPiece; ; size = min(2*size, largePiece) {
		piece, n, err := make([]byte, size), 0, error(nil)
		for n < size && err == nil {
			var more int
			more, err = bounded.Read(piece[n:])
			n += more
		}
		pieces, c.off = append(pieces, piece[:n]), c.off+int64(n)
		if err == io.EOF { //nolint:errorlint // one with more to say is an error
			break
		}
		if err != nil {
			return nil, c.failed(err)
		}
	}
	if o.MaxMemory > 0 && c.off > o.MaxMemory {
		return nil, c.over(c.off, "MaxMemory", "it has to be unpacked, and has more than %d bytes", o.MaxMemory)
	}
	return bytes.Join(pieces, nil), nil
}
