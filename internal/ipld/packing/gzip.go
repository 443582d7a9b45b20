package packing

import (
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gunzip unpacks members of gzip, one after the other.
type gunzip struct {
	z    *gzip.Reader
	open bool // a member is being read
}

func (g *gunzip) read(r *Reader, p []byte) (int, error) {
	for {
		if !g.open {
			if err := g.next(r); err != nil {
				return 0, err
			}
		}
		n, err := g.z.Read(p)
		if errors.Is(err, io.EOF) {
			g.open = false
			if n == 0 {
				continue
			}
			return n, nil
		}
		if err != nil {
			return n, r.cut(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// next begins a member. The error is io.EOF if there is none.
func (g *gunzip) next(r *Reader) error {
	head, err := r.src.Peek(2)
	if g.z != nil && (len(head) < 2 || KindOf(head) != Gzip) {
		if err != nil && !errors.Is(err, io.EOF) {
			return r.cut(err)
		}
		if len(head) == 1 && head[0] == 0x1f {
			return r.cut(io.EOF)
		}
		return r.rest()
	}
	if g.z == nil {
		g.z, err = gzip.NewReader(r.src)
	} else {
		err = g.z.Reset(r.src)
	}
	if err != nil {
		g.z = nil
		return r.cut(err)
	}
	g.z.Multistream(false)
	g.open = true
	return nil
}
