package carfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sort"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// An index file is, in numbers of big endian:
//
//	head     magic, size and time of the archive (8 bytes each), hash of its ends (32), form (4), bits (4), bytes after
//	         unpacking, padding, frames (8 each), CRC-32C of all that (4)
//	entries  sorted: key (16 bytes), place in the archive after unpacking (8)
//	rows     one more than there are buckets: the entries up to the end of the bucket before (8), its CRC-32C (4)
//	frames   of an archive that is unpacked frame by frame: where each begins, packed and unpacked (8 each), in chunks with their
//	         CRC-32C (4)
//	top      the unpacked place at which each chunk of frames begins (8), CRC-32C of all (4)
//
// Keys are spread evenly, so a bucket of those that begin with the same bits has about as many entries as the next.
const (
	magic     = "efvmcar2"
	headLen   = len(magic) + 8 + 8 + 32 + 4 + 4 + 3*8 + sumLen
	entryLen  = 24
	rowLen    = 12
	frameLen  = 16
	topLen    = 8
	sumLen    = 4
	perBucket = 128 // entries, at most on average: a read of 3 KB
	perChunk  = 256 // frames
	chunkLen  = perChunk*frameLen + sumLen
	maxBits   = 26
)

// form is how the blocks of an archive are read.
type form uint32

const (
	plain  form = iota // where they lie
	framed             // by unpacking frames of zstd
	copied             // from an unpacked copy
	forms
)

// shape is what an index says of its archive.
type shape struct {
	form     form
	bits     int
	unpacked int64 // bytes
	padding  int64 // the byte from which zeros follow; 0: none
	frames   uint64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the head of the index of an archive.
func (a *archive) head(s shape) []byte {
	b := append(make([]byte, 0, headLen), magic...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.size))
	b = binary.BigEndian.AppendUint64(b, uint64(a.time))
	b = append(b, a.ends[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(s.form))
	b = binary.BigEndian.AppendUint32(b, uint32(s.bits))
	for _, n := range []uint64{uint64(s.unpacked), uint64(s.padding), s.frames} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// index is an index on disk.
type index struct {
	*os.File
	shape
	entries uint64
	top     []int64 // of each chunk of frames
}

var errDamaged = errors.New("the index is damaged")

// openIndex opens the index at a place. An error is of one that is not there, is another archive's, or is damaged.
func openIndex(place string, a *archive) (_ *index, err error) {
	f, err := os.Open(place)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, headLen)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	x := &index{File: f}
	x.bits = int(binary.BigEndian.Uint32(head[len(magic)+8+8+32+4:]))
	x.form = form(binary.BigEndian.Uint32(head[len(magic)+8+8+32:]))
	numbers := head[len(magic)+8+8+32+4+4:]
	x.unpacked, x.padding = int64(binary.BigEndian.Uint64(numbers)), int64(binary.BigEndian.Uint64(numbers[8:]))
	x.frames = binary.BigEndian.Uint64(numbers[16:])
	if string(head) != string(a.head(x.shape)) || x.bits > maxBits || x.form >= forms || x.unpacked < 0 {
		return nil, errors.New("it is the index of another archive")
	}
	if x.frames > uint64(info.Size())/frameLen {
		return nil, errDamaged
	}
	left := info.Size() - x.topAt() - x.topSize() // without entries
	if left < 0 || left%entryLen != 0 {
		return nil, errDamaged
	}
	x.entries = uint64(left) / entryLen
	return x, x.readTop()
}

// The places of the parts.
func (x *index) rowsAt() int64   { return int64(headLen) + int64(x.entries)*entryLen }
func (x *index) framesAt() int64 { return x.rowsAt() + (int64(1)<<x.bits+1)*rowLen }
func (x *index) chunks() int64   { return (int64(x.frames) + perChunk - 1) / perChunk }
func (x *index) topAt() int64 {
	return x.framesAt() + int64(x.frames)*frameLen + x.chunks()*sumLen
}
func (x *index) topSize() int64 {
	if x.form != framed {
		return 0
	}
	return x.chunks()*topLen + sumLen
}

// readTop reads where the chunks of frames begin.
func (x *index) readTop() error {
	if x.form != framed {
		return nil
	}
	b := make([]byte, x.topSize())
	if err := x.read(b, x.topAt()); err != nil {
		return err
	}
	if !summed(b) {
		return errDamaged
	}
	for b = b[:len(b)-sumLen]; len(b) > 0; b = b[topLen:] {
		x.top = append(x.top, int64(binary.BigEndian.Uint64(b)))
	}
	return nil
}

// summed tells whether bytes end with their CRC-32C.
func summed(b []byte) bool {
	n := len(b) - sumLen
	return crc32.Checksum(b[:n], castagnoli) == binary.BigEndian.Uint32(b[n:])
}

func bucketOf(key blockstore.CARKey, bits int) uint64 { return key.High >> (64 - bits) } // 0 for 0 bits

// Find reads two rows and a bucket.
func (x *index) Find(key blockstore.CARKey) (at int64, ok bool, err error) {
	bucket := bucketOf(key, x.bits)
	rows := make([]byte, 2*rowLen)
	if err := x.read(rows, x.rowsAt()+int64(bucket)*rowLen); err != nil {
		return 0, false, err
	}
	from, to := binary.BigEndian.Uint64(rows), binary.BigEndian.Uint64(rows[rowLen:])
	if from > to || to > x.entries || to-from > 16*perBucket {
		return 0, false, x.damaged()
	}
	b := make([]byte, (to-from)*entryLen)
	if err := x.read(b, int64(headLen)+int64(from)*entryLen); err != nil {
		return 0, false, err
	}
	if crc32.Checksum(b, castagnoli) != binary.BigEndian.Uint32(rows[2*rowLen-sumLen:]) {
		return 0, false, x.damaged()
	}
	i := sort.Search(len(b)/entryLen, func(i int) bool { return entry(b[i*entryLen:]).Key.Compare(key) >= 0 })
	if i*entryLen >= len(b) {
		return 0, false, nil
	}
	e := entry(b[i*entryLen:])
	return e.At, e.Key == key, nil
}

// frameTable finds frames in an index, reading one chunk.
type frameTable struct{ *index }

func (t frameTable) Find(at int64) (packing.Frame, int64, error) {
	x := t.index
	chunk := int64(sort.Search(len(x.top), func(i int) bool { return x.top[i] > at })) - 1
	if chunk < 0 {
		return packing.Frame{}, 0, x.damaged()
	}
	n := int(min(perChunk, int64(x.frames)-chunk*perChunk))
	b := make([]byte, n*frameLen+sumLen)
	if err := x.read(b, x.framesAt()+chunk*chunkLen); err != nil {
		return packing.Frame{}, 0, err
	}
	if !summed(b) {
		return packing.Frame{}, 0, x.damaged()
	}
	frame := func(i int) packing.Frame {
		return packing.Frame{Packed: int64(binary.BigEndian.Uint64(b[i*frameLen:])), At: int64(binary.BigEndian.Uint64(b[i*frameLen+8:]))}
	}
	i := sort.Search(n, func(i int) bool { return frame(i).At > at }) - 1
	switch {
	case i < 0:
		return packing.Frame{}, 0, x.damaged()
	case i+1 < n:
		return frame(i), frame(i + 1).At, nil
	case int(chunk)+1 < len(x.top):
		return frame(i), x.top[chunk+1], nil
	}
	return frame(i), x.unpacked, nil
}

func (x *index) damaged() error { return fmt.Errorf("%w: remove %s", errDamaged, x.Name()) }

func (x *index) read(b []byte, at int64) error {
	if n, err := x.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("reading the index: %w", err)
	}
	return nil
}

func entry(b []byte) blockstore.CAREntry {
	return blockstore.CAREntry{
		Key: blockstore.CARKey{High: binary.BigEndian.Uint64(b), Low: binary.BigEndian.Uint64(b[8:])},
		At:  int64(binary.BigEndian.Uint64(b[16:])),
	}
}

func appendEntry(b []byte, e blockstore.CAREntry) []byte {
	b = binary.BigEndian.AppendUint64(b, e.Key.High)
	b = binary.BigEndian.AppendUint64(b, e.Key.Low)
	return binary.BigEndian.AppendUint64(b, uint64(e.At))
}
