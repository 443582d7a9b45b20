package blockstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// The versions of archives, and how long the fixed parts of version 2 are, in bytes (CARv2 specification of IPLD): a pragma, which
// is a header of version 1 that has the number 2, and numbers of little endian.
const (
	carVersion  = 1
	carVersion2 = 2
	pragma2     = 11
	header2     = 40
)

// dataPart is where in an archive of version 2 the one of version 1 lies.
type dataPart struct{ begin, end int64 }

// header reads the header, a DAG-CBOR map of "roots" and "version"; of an archive of version 2, that of the one inside.
func (c *carReader) header() ([]cid.Cid, error) {
	peek, _ := c.r.Peek(packing.NameLen) // an error comes again
	first := bytes.Clone(peek)
	roots, version, err := c.header1()
	if err != nil {
		return nil, c.notCAR(first, err)
	}
	if version == carVersion2 {
		if err := c.header2(); err != nil {
			return nil, err
		}
		if roots, version, err = c.header1(); err != nil {
			return nil, err
		}
		if version == carVersion2 {
			return nil, c.bad(c.data.begin, "an archive of version 2 inside one: only version 1 can be")
		}
	}
	if version != carVersion {
		return nil, c.bad(0, "it has version %d, not 1 or 2", version)
	}
	return roots, nil
}

// notCAR is the error of a file that does not begin as an archive does: what it is instead, if that is known.
func (c *carReader) notCAR(first []byte, err error) error {
	if !errors.Is(err, ErrCAR) || errors.Is(err, packing.ErrPacking) || errors.Is(err, packing.ErrBound) {
		return err
	}
	// A header that is cut short, or is too long for the caller, is one all the same.
	kind := packing.KindOf(first) // what is packed may have the word in it as it is
	if _, n := binary.Uvarint(first); kind == packing.Plain && n > 0 && n < len(first) && first[n]>>5 == cbor.Map && bytes.Contains(first, []byte("version")) {
		return err
	}
	name := packing.Name(first)
	if kind != packing.Plain {
		if c.inside {
			name = "it is compressed by " + kind.String() + " inside: unpack it once first"
		} else {
			name = "it is compressed by " + kind.String() + ": unpack it first"
		}
	}
	if name == "" {
		return err
	}
	if c.inside && len(first) > 0 {
		name = "unpacked, " + name
	}
	return c.bad(0, "%s", name)
}

// header1 reads a header of version 1, or the pragma of version 2.
func (c *carReader) header1() (roots []cid.Cid, version uint64, err error) {
	at := c.off
	data, err := c.section(c.o.MaxHeader, "MaxHeader", "the header")
	if errors.Is(err, io.EOF) {
		return nil, 0, c.bad(at, "it is empty")
	}
	if err != nil {
		return nil, 0, err
	}
	r := cbor.NewReader(data)
	for range r.MapLen() {
		switch key := r.Text(); key {
		case "version":
			version = r.Uint()
		case "roots":
			n := r.Len()
			for i := 0; i < n && !r.Failed(); i++ {
				roots = append(roots, r.CID())
			}
		default:
			r.Raw()
		}
		if r.Failed() {
			break
		}
	}
	if err := r.End(); err != nil {
		return nil, 0, c.bad(at, "the header: %w", err)
	}
	return roots, version, nil
}

// header2 reads the header of version 2, behind the pragma, and goes to the archive inside.
func (c *carReader) header2() error {
	at := c.off
	head, err := c.read(header2)
	c.off += int64(len(head))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return c.short(at, "the header of version 2", int64(len(head)), header2)
	}
	if err != nil {
		return c.failed(err)
	}
	// 16 bytes of characteristics come first: they say what an index promises, and none is used.
	from, size := binary.LittleEndian.Uint64(head[16:]), binary.LittleEndian.Uint64(head[24:])
	switch {
	case from == 0 && size == 0:
		return c.bad(at, "an archive of version 2 that was never finished: what wrote it stopped before it wrote the header; write it again")
	case from < uint64(c.off):
		return c.bad(at, "the header of version 2 says that the data begin at byte %d, which is in the header", from)
	case from > math.MaxInt64 || size > math.MaxInt64-from:
		return c.bad(at, "the header of version 2 says that %d bytes of data begin at byte %d, which is absurd", size, from)
	case size == 0:
		return c.bad(at, "the header of version 2 says that it has no data")
	case c.whole != nil && int64(from+size) > c.size:
		return c.bad(at, "the data of the version 2 archive end at byte %d, and it has %d: it is cut short, as an unfinished download is", from+size, c.size)
	case c.o.MaxTotal > 0 && int64(from) > c.o.MaxTotal:
		return c.over(at, "MaxTotal", "the archive has more than %d bytes", c.o.MaxTotal)
	}
	if err := c.skip(int64(from) - c.off); errors.Is(err, io.EOF) {
		return c.bad(at, "the data of the version 2 archive begin at byte %d, and it has %d: it is cut short, as an unfinished download is", from, c.off)
	} else if err != nil {
		return c.failed(err)
	}
	c.data = &dataPart{int64(from), int64(from + size)}
	return nil
}
