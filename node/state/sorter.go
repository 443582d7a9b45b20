package state

import (
	"bufio"
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// sorter puts records in the order of their ids. Beyond a bound it keeps them in a temporary file, in runs that are merged
// at the end, so that a state of any size is sorted in little memory.
type sorter struct {
	limit int // bytes in memory; 0: maxInMemory
	held  []record
	size  int
	file  *os.File
	runs  []run
	end   int64 // of the file
}

type record struct {
	id   uint64
	data []byte
}

// run is a sorted part of the file.
type run struct{ from, to int64 }

const (
	maxInMemory = 24 << 20
	recordCost  = 48 // bytes that a record takes in memory beside its data
)

// add takes a record. The data are not to be changed later.
func (s *sorter) add(id uint64, data []byte) error {
	s.held = append(s.held, record{id, data})
	s.size += len(data) + recordCost
	if s.size <= cmp.Or(s.limit, maxInMemory) {
		return nil
	}
	return s.spill()
}

// spill writes what is in memory to the file as a run.
func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "edgefvm-state-*"); err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
		// Where the system lets a file go while it is open, nothing is left behind whatever happens.
		_ = os.Remove(s.file.Name())
	}
	slices.SortStableFunc(s.held, compareRecords)
	w := bufio.NewWriterSize(io.NewOffsetWriter(s.file, s.end), 1<<20)
	n := int64(0)
	for _, r := range s.held {
		head := binary.AppendUvarint(binary.AppendUvarint(nil, r.id), uint64(len(r.data)))
		_, err1 := w.Write(head)
		_, err2 := w.Write(r.data)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
		n += int64(len(head) + len(r.data))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	s.runs = append(s.runs, run{s.end, s.end + n})
	s.end += n
	s.held, s.size = nil, 0
	return nil
}

func compareRecords(a, b record) int { return cmp.Compare(a.id, b.id) }

// each calls fn for all records in the order of ids. Records of one id come in the order in which they were added.
func (s *sorter) each(ctx context.Context, fn func(id uint64, data []byte) error) error {
	if s.file == nil {
		slices.SortStableFunc(s.held, compareRecords)
		for _, r := range s.held {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fn(r.id, r.data); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	var heads merge
	for i, r := range s.runs {
		h := &head{order: i, r: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), 64<<10)}
		if err := h.next(); err != nil && !errors.Is(err, io.EOF) {
			return err
		} else if err == nil {
			heads = append(heads, h)
		}
	}
	heap.Init(&heads)
	for len(heads) > 0 {
		h := heads[0]
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(h.at.id, h.at.data); err != nil {
			return err
		}
		switch err := h.next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&heads)
		case err != nil:
			return err
		default:
			heap.Fix(&heads, 0)
		}
	}
	return nil
}

// close lets the file go.
func (s *sorter) close() error {
	if s.file == nil {
		return nil
	}
	name := s.file.Name()
	err := s.file.Close()
	_ = os.Remove(name)
	return err
}

// head is the next record of a run.
type head struct {
	order int
	r     *bufio.Reader
	at    record
}

func (h *head) next() error {
	id, err := binary.ReadUvarint(h.r)
	if err != nil {
		return err
	}
	n, err := binary.ReadUvarint(h.r)
	if err == nil {
		h.at = record{id, make([]byte, n)}
		_, err = io.ReadFull(h.r, h.at.data)
	}
	if err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	return nil
}

// merge is a heap of runs by their next record.
type merge []*head

func (m merge) Len() int { return len(m) }
func (m merge) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(m[i].at.id, m[j].at.id), cmp.Compare(m[i].order, m[j].order)) < 0
}
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)   { *m = append(*m, x.(*head)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
