package fork

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/node/remote"
)

// Disk keeps what was fetched: blocks within a bound, and beside them what nodes said that is in no block. It is safe for concurrent use,
// by one process.
type Disk struct {
	cache *remote.Cache
	path  string

	mu     sync.Mutex
	file   *os.File
	points map[string][]point // by node, as they came
	after  map[question][]cid.Cid
	lines  int

	stop  chan struct{}
	done  sync.WaitGroup
	wrong error // of the last flush
}

// point is where a node's chain was forked.
type point struct {
	Node        string         `json:"node"`
	Epoch       abi.ChainEpoch `json:"epoch"`
	Tipset      []cid.Cid      `json:"tipset"`
	Child       []cid.Cid      `json:"child"`
	Genesis     cid.Cid        `json:"genesis"`
	GenesisTime uint64         `json:"genesis_time"`
}

// question is which tipset is at an epoch or next above it, of the chain below a tipset.
type question struct {
	from  string // the first block
	epoch abi.ChainEpoch
}

// note is a line of the file: one of its fields is set.
type note struct {
	Point *point `json:"point,omitempty"`
	After *after `json:"after,omitempty"`
}

type after struct {
	From   string         `json:"from"`
	Epoch  abi.ChainEpoch `json:"epoch"`
	Tipset []cid.Cid      `json:"tipset"`
}

const (
	notesFile  = "notes.jsonl"
	maxNotes   = 100_000 // lines that are read; the file is made anew without the first half when there are more
	maxLine    = 64 << 10
	flushEvery = time.Second
)

// OpenDisk opens what is kept in a folder, or makes it. bound is in bytes, of the blocks; open opens a store in a folder below.
func OpenDisk(dir string, bound uint64, open func(dir string) (remote.Disk, error)) (*Disk, error) {
	cache, err := remote.OpenCache(dir, bound, open)
	if err != nil {
		return nil, err
	}
	d := &Disk{cache: cache, path: filepath.Join(dir, notesFile), points: map[string][]point{}, after: map[question][]cid.Cid{}, stop: make(chan struct{})}
	if err := d.read(); err != nil {
		return nil, errors.Join(err, cache.Close())
	}
	if d.file, err = os.OpenFile(d.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return nil, errors.Join(err, cache.Close())
	}
	d.done.Go(d.flushing)
	return d, nil
}

// flushing writes blocks now and then: a process that is killed loses a second's.
func (d *Disk) flushing() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-tick.C:
			err := d.cache.Flush(context.Background())
			d.mu.Lock()
			d.wrong = err
			d.mu.Unlock()
		}
	}
}

// read reads the file. A last line that is cut, as by a process that was killed, does not count; nor does one that nobody understands.
func (d *Disk) read() error {
	f, err := os.Open(d.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var lines [][]byte
	in := bufio.NewScanner(f)
	in.Buffer(nil, maxLine)
	for in.Scan() {
		lines = append(lines, append([]byte(nil), in.Bytes()...))
		if len(lines) > maxNotes {
			lines = lines[len(lines)-maxNotes/2:]
		}
	}
	if err := in.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s: %w", d.path, err)
	}
	for _, line := range lines {
		var n note
		if json.Unmarshal(line, &n) == nil {
			d.learn(n)
		}
	}
	d.lines = len(lines)
	return wholefile.Write(d.path, func(w io.Writer) error {
		for _, line := range lines {
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *Disk) learn(n note) {
	switch {
	case n.Point != nil && len(n.Point.Tipset) > 0 && len(n.Point.Child) > 0 && n.Point.Genesis.Defined():
		d.points[n.Point.Node] = append(d.points[n.Point.Node], *n.Point)
	case n.After != nil && len(n.After.Tipset) > 0:
		d.after[question{n.After.From, n.After.Epoch}] = n.After.Tipset
	}
}

// note keeps what a node said.
func (d *Disk) note(n note) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.learn(n)
	if d.lines++; d.lines > maxNotes {
		return nil // the next process makes the file anew
	}
	_, err = d.file.Write(append(data, '\n'))
	return err
}

// pointOf is where a node's chain was forked last, at an epoch if one is given.
func (d *Disk) pointOf(node string, fits func(*point) bool) *point {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.points[node]
	for i := len(list) - 1; i >= 0; i-- {
		if fits(&list[i]) {
			p := list[i]
			return &p
		}
	}
	return nil
}

func (d *Disk) said(q question) []cid.Cid {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.after[q]
}

// Size is how many bytes the blocks take.
func (d *Disk) Size() uint64 {
	bytes, _ := d.cache.Size()
	return bytes
}

// Close writes what was not yet. Nobody may use it any more.
func (d *Disk) Close() error {
	close(d.stop)
	d.done.Wait()
	return errors.Join(d.cache.Close(), d.file.Close(), d.wrong)
}
