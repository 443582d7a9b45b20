package carfile

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"

	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// frameSpill keeps the list of frames in a file, in the chunks of an index.
type frameSpill struct {
	file  *os.File
	chunk []byte
	top   []byte
	count uint64
	err   error // of writing
}

func (s *frameSpill) add(f packing.Frame) {
	if len(s.chunk) == 0 {
		s.top = binary.BigEndian.AppendUint64(s.top, uint64(f.At))
	}
	s.chunk = binary.BigEndian.AppendUint64(s.chunk, uint64(f.Packed))
	s.chunk = binary.BigEndian.AppendUint64(s.chunk, uint64(f.At))
	if s.count++; s.count%perChunk == 0 {
		s.end()
	}
}

// end writes a chunk.
func (s *frameSpill) end() {
	if len(s.chunk) == 0 || s.err != nil {
		return
	}
	_, s.err = s.file.Write(appendSum(s.chunk))
	s.chunk = s.chunk[:0]
}

// write writes the list, and its top.
func (s *frameSpill) write(w io.Writer) error {
	if s.end(); s.err != nil {
		return s.err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(w, s.file); err != nil {
		return err
	}
	_, err := w.Write(appendSum(s.top))
	return err
}

func appendSum(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}
