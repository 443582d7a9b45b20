package carfile

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"

	"github.com/edgefvm/fvm/blockstore"
)

const (
	spillParts  = 256
	spillBuffer = 341 * entryLen // bytes, about 8 KiB, of whole entries
)

// spill keeps entries in a file, by the first byte of their keys.
type spill struct {
	file  *os.File
	end   int64 // of the file
	count uint64
	parts [spillParts]struct {
		buf    []byte
		chunks []int64 // where in the file, each of spillBuffer bytes
	}
}

func (s *spill) add(e blockstore.CAREntry) error {
	p := &s.parts[e.Key.High>>56]
	if len(p.buf) == spillBuffer {
		if _, err := s.file.WriteAt(p.buf, s.end); err != nil {
			return err
		}
		p.chunks = append(p.chunks, s.end)
		s.end += spillBuffer
		p.buf = p.buf[:0]
	}
	if p.buf == nil {
		p.buf = make([]byte, 0, spillBuffer)
	}
	p.buf = appendEntry(p.buf, e)
	s.count++
	return nil
}

// load reads a part, sorted and without repetitions.
func (s *spill) load(part int) ([]blockstore.CAREntry, error) {
	p := &s.parts[part]
	all := make([]blockstore.CAREntry, 0, len(p.chunks)*spillBuffer/entryLen+len(p.buf)/entryLen)
	unpack := func(b []byte) {
		for ; len(b) > 0; b = b[entryLen:] {
			all = append(all, entry(b))
		}
	}
	unpack(p.buf)
	buf := make([]byte, spillBuffer)
	for _, at := range p.chunks {
		if _, err := s.file.ReadAt(buf, at); err != nil {
			return nil, err
		}
		unpack(buf)
	}
	p.buf, p.chunks = nil, nil
	return blockstore.SortCAREntries(all), nil
}

// bits is how many bits of a key choose its bucket.
func (s *spill) bits() (bits int) {
	for s.count>>bits > perBucket && bits < maxBits {
		bits++
	}
	return bits
}

// write writes entries and rows.
func (s *spill) write(ctx context.Context, out io.Writer, bits int) error {
	var n, bucket uint64 // entries written, and the bucket that the next one belongs to or comes after
	sum := uint32(0)
	rows := make([]byte, rowLen, (1<<bits+1)*rowLen)
	endBucket := func() {
		rows = binary.BigEndian.AppendUint64(rows, n)
		rows = binary.BigEndian.AppendUint32(rows, sum)
		bucket, sum = bucket+1, 0
	}
	buf := make([]byte, 0, entryLen)
	for part := range spillParts {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := s.load(part)
		if err != nil {
			return err
		}
		for _, e := range entries {
			for bucket < bucketOf(e.Key, bits) {
				endBucket()
			}
			buf = appendEntry(buf[:0], e)
			sum = crc32.Update(sum, castagnoli, buf)
			if _, err := out.Write(buf); err != nil {
				return err
			}
			n++
		}
	}
	for bucket < 1<<bits {
		endBucket()
	}
	_, err := out.Write(rows)
	return err
}
