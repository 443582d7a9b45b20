package dev

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
)

// FileJournal is a journal in a file, to which records are only added: each its length, a checksum (CRC-32C) and its bytes. What a process
// that was killed left of a record at the end is cut off when the file is opened. One process at a time may have it open. It is safe for
// concurrent use.
type FileJournal struct {
	mu   sync.Mutex
	file *os.File
	size int64
	sync bool
}

// maxRecord is how long a record is at most, in bytes.
const maxRecord = 256 << 20

const recordHead = 8 // bytes: length and checksum

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrRecord is of a journal's file with a record that is damaged, other than at its end.
var ErrRecord = errors.New("a damaged record")

// OpenJournal opens a file, or makes it. With sync a record is on the disk when Append returns; without it outlives the process, but
// perhaps not the machine.
func OpenJournal(path string, sync bool) (*FileJournal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &FileJournal{file: f, sync: sync}
	if j.size, err = j.scan(context.Background(), func([]byte) error { return nil }); err == nil {
		err = f.Truncate(j.size)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return j, nil
}

// scan reads the records, and gives where the last whole one ends.
func (j *FileJournal) scan(ctx context.Context, fn func([]byte) error) (end int64, err error) {
	info, err := j.file.Stat()
	if err != nil {
		return 0, err
	}
	in := bufio.NewReaderSize(io.NewSectionReader(j.file, 0, info.Size()), 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return end, err
		}
		var head [recordHead]byte
		if _, err := io.ReadFull(in, head[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return end, nil
		} else if err != nil {
			return end, err
		}
		n := int64(binary.BigEndian.Uint32(head[:]))
		left := info.Size() - end - recordHead
		if n == 0 || n > left {
			return end, nil // cut short, or nothing but zeros, which a disk may leave
		}
		if n > maxRecord {
			return end, fmt.Errorf("%w at byte %d: its length is %d", ErrRecord, end, n)
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(in, data); err != nil {
			return end, err
		}
		if crc32.Checksum(data, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
			if n == left {
				return end, nil // the last one, not written to its end
			}
			return end, fmt.Errorf("%w at byte %d", ErrRecord, end)
		}
		if err := fn(data); err != nil {
			return end, err
		}
		end += recordHead + n
	}
}

// Records is that of Journal.
func (j *FileJournal) Records(ctx context.Context, fn func([]byte) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.scan(ctx, fn)
	return err
}

// Append is that of Journal. After an error the file is as it was.
func (j *FileJournal) Append(_ context.Context, record []byte) error {
	if len(record) > maxRecord {
		return fmt.Errorf("a record of %d bytes; the most is %d", len(record), maxRecord)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	data := binary.BigEndian.AppendUint32(make([]byte, 0, recordHead+len(record)), uint32(len(record)))
	data = binary.BigEndian.AppendUint32(data, crc32.Checksum(record, castagnoli))
	_, err := j.file.WriteAt(append(data, record...), j.size)
	if err == nil && j.sync {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(len(data) + len(record))
	return nil
}

// Close closes the file.
func (j *FileJournal) Close() error { return j.file.Close() }
