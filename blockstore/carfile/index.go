package carfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sort"

	"github.com/edgefvm/fvm/blockstore"
)

// An index file is, in numbers of big endian:
//
//	head     magic, size and time of the archive (8 bytes each), hash of its ends (32), bits (4), CRC-32C of all that (4)
//	entries  sorted: key (16 bytes), place in the archive (8)
//	rows     one more than there are buckets: the entries up to the end of the bucket before (8), its CRC-32C (4)
//
// Keys are spread evenly, so a bucket of those that begin with the same bits has about as many entries as the next.
const (
	magic     = "efvmcar1"
	headLen   = len(magic) + 8 + 8 + 32 + 4 + 4
	entryLen  = 24
	rowLen    = 12
	perBucket = 128 // entries, at most on average: a read of 3 KB
	maxBits   = 26
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the head of the index of an archive.
func (a *archive) head(bits int) []byte {
	b := append(make([]byte, 0, headLen), magic...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.size))
	b = binary.BigEndian.AppendUint64(b, uint64(a.time))
	b = append(b, a.ends[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(bits))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// index is an index on disk.
type index struct {
	*os.File
	n    uint64 // entries
	bits int
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
	x := &index{File: f, bits: int(binary.BigEndian.Uint32(head[headLen-8:]))}
	if string(head) != string(a.head(x.bits)) || x.bits > maxBits {
		return nil, errors.New("it is the index of another archive")
	}
	rows := int64(1)<<x.bits + 1
	entries := info.Size() - int64(headLen) - rows*rowLen
	x.n = uint64(entries / entryLen)
	if entries < 0 || entries%entryLen != 0 {
		return nil, errDamaged
	}
	return x, nil
}

func bucketOf(key blockstore.CARKey, bits int) uint64 { return key.High >> (64 - bits) } // 0 for 0 bits

// Find reads two rows and a bucket.
func (x *index) Find(key blockstore.CARKey) (at int64, ok bool, err error) {
	bucket := bucketOf(key, x.bits)
	rows := make([]byte, 2*rowLen)
	if err := x.read(rows, int64(headLen)+int64(x.n)*entryLen+int64(bucket)*rowLen); err != nil {
		return 0, false, err
	}
	from, to := binary.BigEndian.Uint64(rows), binary.BigEndian.Uint64(rows[rowLen:])
	if from > to || to > x.n || to-from > 16*perBucket {
		return 0, false, x.damaged()
	}
	b := make([]byte, (to-from)*entryLen)
	if err := x.read(b, int64(headLen)+int64(from)*entryLen); err != nil {
		return 0, false, err
	}
	if crc32.Checksum(b, castagnoli) != binary.BigEndian.Uint32(rows[2*rowLen-4:]) {
		return 0, false, x.damaged()
	}
	i := sort.Search(len(b)/entryLen, func(i int) bool { return entry(b[i*entryLen:]).Key.Compare(key) >= 0 })
	if i*entryLen >= len(b) {
		return 0, false, nil
	}
	e := entry(b[i*entryLen:])
	return e.At, e.Key == key, nil
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
