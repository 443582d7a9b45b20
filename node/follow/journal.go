package follow

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
)

// What a tipset was found to be.
const (
	Passed    = "passed"    // as on the chain
	Differs   = "differs"   // not as on the chain, or engines differ
	Undecided = "undecided" // it could not be executed, and that was not the node's fault
	Skipped   = "skipped"   // the node lacks its state, or it took too long
)

// Judgement is what was found of a tipset, a line of the journal.
type Judgement struct {
	Epoch  abi.ChainEpoch `json:"epoch"`
	Tipset string         `json:"tipset"` // CID of the key
	Result string         `json:"result"`
	// StateRoot, Receipts and BaseFee are what came of it here: another child is compared with them.
	StateRoot string    `json:"state_root,omitempty"`
	Receipts  string    `json:"receipts_root,omitempty"`
	BaseFee   string    `json:"next_base_fee,omitempty"`
	Reason    string    `json:"reason,omitempty"` // why it is not passed
	Vector    string    `json:"vector,omitempty"`
	Time      time.Time `json:"time"`
}

// line is a judgement, or the word that all up to an epoch has been judged.
type line struct {
	*Judgement
	JudgedTo *abi.ChainEpoch `json:"judged_to,omitempty"`
	Anew     bool            `json:"anew,omitempty"` // what stands before does not count
}

// journal is what was judged, on disk: JSON, a line each, of which each is on the disk before the next tipset begins. It is written to
// one file until that has a size, and the one before is kept. A line that a killed process left half is cut off.
type journal struct {
	dir   string
	limit int64

	mu     sync.Mutex
	file   *os.File
	size   int64
	done   map[string]*Judgement // by tipset
	order  []string              // of done
	to     abi.ChainEpoch        // all up to it was judged; -1 if nobody knows
	counts map[string]int        // of results, since the start of the process
}

const (
	journalFile  = "journal.jsonl"
	journalOld   = "journal.1.jsonl"
	journalBytes = 32 << 20
	// remembered is how many judgements are at hand, three and a half days of mainnet's.
	remembered = 10_000
	maxLine    = 1 << 20
)

func openJournal(dir string) (*journal, error) {
	j := &journal{dir: dir, limit: journalBytes, done: map[string]*Judgement{}, to: -1, counts: map[string]int{}}
	if _, err := j.read(filepath.Join(dir, journalOld)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the journal: %w", err)
	}
	path := filepath.Join(dir, journalFile)
	whole, err := j.read(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the journal: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(whole), seek(f, whole)); err != nil {
		return nil, errors.Join(fmt.Errorf("the journal: %w", err), f.Close())
	}
	j.file, j.size = f, whole
	return j, nil
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, io.SeekStart)
	return err
}

// read takes the lines of a file, and tells where the last whole one ends. Lines that are none are passed over.
func (j *journal) read(path string) (whole int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		data, err := r.ReadSlice('\n')
		n := int64(len(data))
		for errors.Is(err, bufio.ErrBufferFull) { // no line of ours
			data, err = r.ReadSlice('\n')
			n += int64(len(data))
		}
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		whole += n
		var l line
		if n > maxLine || json.Unmarshal(data, &l) != nil {
			continue
		}
		if l.Anew {
			j.forget()
		}
		if l.JudgedTo != nil {
			j.to = *l.JudgedTo
		}
		if l.Judgement != nil && l.Tipset != "" {
			j.remember(l.Judgement)
		}
	}
}

func (j *journal) forget() { j.done, j.order = map[string]*Judgement{}, nil }

func (j *journal) remember(d *Judgement) {
	if j.done[d.Tipset] == nil {
		j.order = append(j.order, d.Tipset)
	}
	j.done[d.Tipset] = d
	if len(j.order) > remembered {
		delete(j.done, j.order[0])
		j.order = j.order[1:]
	}
}

// of is what was found of a tipset, or nil.
func (j *journal) of(tipset string) *Judgement {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done[tipset]
}

// judgedTo is the epoch up to which all was judged, or -1.
func (j *journal) judgedTo() abi.ChainEpoch {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.to
}

// add writes a judgement.
func (j *journal) add(d *Judgement) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.write(line{Judgement: d}); err != nil {
		return err
	}
	j.counts[d.Result]++
	j.remember(d)
	return nil
}

// reach notes that all up to an epoch was judged.
func (j *journal) reach(to abi.ChainEpoch) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if to <= j.to {
		return nil
	}
	if err := j.write(line{JudgedTo: &to}); err != nil {
		return err
	}
	j.to = to
	return nil
}

func (j *journal) write(l line) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return err
	}
	if j.size > 0 && j.size+int64(b.Len()) > j.limit {
		if err := j.rotate(); err != nil {
			return fmt.Errorf("the journal: %w", err)
		}
	}
	n, err := j.file.Write(b.Bytes())
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		// Half a line may be there, which the next one must not begin in.
		return errors.Join(fmt.Errorf("the journal: %w", err), j.file.Truncate(j.size), seek(j.file, j.size))
	}
	j.size += int64(n)
	return nil
}

// rotate makes the file the old one, and begins another, which knows how far the judgements go.
func (j *journal) rotate() error {
	path := filepath.Join(j.dir, journalFile)
	if err := os.Rename(path, filepath.Join(j.dir, journalOld)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	old := j.file
	j.file, j.size = f, 0
	if err := old.Close(); err != nil || j.to < 0 {
		return err
	}
	to := j.to
	return j.write(line{JudgedTo: &to})
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

// reset begins anew: nothing was judged, and nothing is wanted up to an epoch.
func (j *journal) reset(to abi.ChainEpoch) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.write(line{JudgedTo: &to, Anew: true}); err != nil {
		return err
	}
	j.to = to
	j.forget()
	return nil
}
