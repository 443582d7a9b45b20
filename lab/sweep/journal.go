package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// journal has the outcomes of the vectors that were swept, one JSON line each, below a line that says how. A last line that was cut short
// counts as not written.
type journal struct {
	done map[string]*Outcome

	mu   sync.Mutex
	file *os.File
}

const journalFile = "sweep.jsonl"

// way is what outcomes depend on, besides the vectors.
type way struct {
	Most    int      `json:"most"`
	Engines []string `json:"engines"`
	Oracle  bool     `json:"oracle"`
}

// resume opens the journal of opts.Dir, or begins one. Without a folder nothing is kept.
func resume(opts Options, files []string) (*journal, error) {
	j := &journal{done: map[string]*Outcome{}}
	if opts.Dir == "" {
		return j, nil
	}
	w := way{Most: opts.Most, Oracle: opts.Oracle != ""}
	for _, e := range opts.Engines {
		w.Engines = append(w.Engines, e.Name())
	}
	head, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(opts.Dir, journalFile)
	whole, err := j.read(path, head)
	if err != nil {
		return nil, fmt.Errorf("the outcomes in %s: %w", path, err)
	}
	if err := os.MkdirAll(opts.Dir, 0o777); err != nil {
		return nil, err
	}
	if j.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666); err != nil {
		return nil, err
	}
	if err := errors.Join(j.file.Truncate(whole), seek(j.file, whole)); err != nil {
		return nil, err
	}
	if whole == 0 {
		_, err = j.file.Write(append(head, '\n'))
	}
	return j, err
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, 0)
	return err
}

// read returns how many bytes of the file are whole lines.
func (j *journal) read(path string, head []byte) (int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var whole int64
	for {
		line, err := r.ReadBytes('\n')
		if err != nil { // the end, or a line that was cut short
			return whole, nil
		}
		if whole == 0 {
			if !bytes.Equal(bytes.TrimSpace(line), head) {
				return 0, fmt.Errorf("they are of another sweep, %s, not %s: give another folder", bytes.TrimSpace(line), head)
			}
		} else {
			o := &Outcome{}
			if err := json.Unmarshal(line, o); err != nil {
				return 0, err
			}
			if o.Error == "" {
				j.done[o.Path] = o
			}
		}
		whole += int64(len(line))
	}
}

func (j *journal) add(o *Outcome) error {
	if j.file == nil {
		return nil
	}
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err = j.file.Write(append(line, '\n'))
	return err
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close()
	}
}
