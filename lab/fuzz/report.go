package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/lab/duel"
)

// Report is what a campaign did, from its beginning on.
type Report struct {
	Seed   uint64            `json:"seed"`
	Layers map[string]*Tally `json:"layers"`
	// Findings are the differences, in the order in which they were found.
	Findings []*Finding `json:"findings"`
	// Took is how long it ran, Speed the messages a second since the process began.
	Took  time.Duration `json:"took_ns"`
	Speed float64       `json:"messages_per_second"`
	// Coverage counts what was reached.
	Coverage *Coverage `json:"coverage"`

	// Shown says what came of the one case that was asked for.
	Shown []string `json:"shown,omitempty"`

	ran int // messages since the process began
}

// Tally counts what became of a layer's cases.
type Tally struct {
	// Next is the first case that did not run yet.
	Next     uint64 `json:"next"`
	Cases    int    `json:"cases"`
	Messages int    `json:"messages"`
	Passed   int    `json:"passed"` // messages
	Failed   int    `json:"failed"`
	// NoReceipt are messages that the network refuses.
	NoReceipt int `json:"no_receipt"`
	// Spared are cases that the reference was not asked for, since there is no result to compare (CONFORMANCE, "Where there is no result").
	// SparedFirst are the first few. Their messages are neither passed nor failed.
	Spared         int      `json:"spared"`
	SparedFirst    []uint64 `json:"spared_first,omitempty"`
	SparedMessages int      `json:"spared_messages"`
	// Gone are cases for which the reference had no result, and ours neither.
	Gone int `json:"gone"`
	// GoneFirst are the first few of these cases.
	GoneFirst []uint64 `json:"gone_first,omitempty"`
	// Native are cases that the end of the reference's native stack decided. NativeFirst are the first few. Their messages are neither
	// passed nor failed.
	Native         int      `json:"native"`
	NativeFirst    []uint64 `json:"native_first,omitempty"`
	NativeMessages int      `json:"native_messages"`
	// Unjudged are messages of cases that lack a block.
	Unjudged int `json:"unjudged"`
	// Exits counts the exit codes.
	Exits map[uint32]int `json:"exits"`
}

// Passed and Failed count the messages of all layers.
func (r *Report) Passed() (n int) {
	for _, t := range r.Layers {
		n += t.Passed
	}
	return n
}

// Failed counts messages that differ.
func (r *Report) Failed() (n int) {
	for _, t := range r.Layers {
		n += t.Failed
	}
	return n
}

// Messages counts all that ran.
func (r *Report) Messages() (n int) {
	for _, t := range r.Layers {
		n += t.Messages
	}
	return n
}

func (r *Report) add(c *Case, v *duel.Verdict, found *Finding, seen *Coverage) {
	t := r.Layers[c.Layer]
	if t == nil {
		t = &Tally{Exits: map[uint32]int{}}
		r.Layers[c.Layer] = t
	}
	n := len(v.Ours.Results)
	t.Cases++
	t.Messages += n
	r.ran += n
	switch {
	case found != nil:
		bad := map[int]bool{}
		for _, d := range found.Differences {
			bad[d.Message] = true
		}
		t.Failed += min(len(bad), n)
		t.Passed += n - min(len(bad), n)
		r.Findings = append(r.Findings, found)
	case v.Unjudged:
		t.Unjudged += n
	case v.Spared != "":
		t.SparedMessages += n
		t.Spared++
		t.SparedFirst = firstFew(t.SparedFirst, c)
	case v.Native:
		t.NativeMessages += n
		t.Native++
		t.NativeFirst = firstFew(t.NativeFirst, c)
	default:
		t.Passed += n
	}
	for _, res := range v.Ours.Results {
		if res == nil {
			t.NoReceipt++
			continue
		}
		t.Exits[uint32(res.ExitCode)]++
	}
	if v.Gone {
		t.Gone++
		t.GoneFirst = firstFew(t.GoneFirst, c)
	}
	r.Coverage.add(seen)
}

// firstFew adds a case to a list, as long as that is short.
func firstFew(list []uint64, c *Case) []uint64 {
	if len(list) < 20 {
		list = append(list, c.Index)
	}
	return list
}

// show says what came of a case.
func show(c *Case, v *duel.Verdict) []string {
	lines := []string{fmt.Sprintf("layer %s, seed %d, case %d, network version %d: %s", c.Layer, c.Seed, c.Index, c.Request.NV, c.Note)}
	for i, r := range v.Ours.Results {
		if r == nil {
			lines = append(lines, fmt.Sprintf("message %d: ours has no receipt: %v", i, v.Ours.Err))
		} else {
			lines = append(lines, fmt.Sprintf("message %d: exit code %d, %d gas used %s", i, r.ExitCode, r.GasUsed, r.Failure))
		}
	}
	switch {
	case v.Spared != "":
		lines = append(lines, "the reference was not asked: "+v.Spared)
	case v.Theirs.Err != nil:
		lines = append(lines, v.Theirs.Err.Error())
	default:
		for i, r := range v.Theirs.Answer.Results {
			if r.Error != "" {
				lines = append(lines, fmt.Sprintf("message %d: the reference has no receipt: %s", i, r.Error))
			}
		}
		lines = append(lines, fmt.Sprintf("root %s, the reference's %s", v.Ours.Root, v.Theirs.Answer.Root))
	}
	return lines
}

const stateFile = "campaign.json"

// load reads the state of a campaign, or begins one.
func (c *campaign) load() (*Report, error) {
	fresh := &Report{Seed: c.Seed, Layers: map[string]*Tally{}, Coverage: newCoverage()}
	if c.Dir == "" || c.Only != nil {
		return fresh, nil
	}
	path := filepath.Join(c.Dir, stateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the state of a campaign: %w", err)
	}
	old := *fresh
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, fmt.Errorf("the state of a campaign in %s: %w", path, err)
	}
	if old.Seed != c.Seed {
		return nil, fmt.Errorf("%s is of a campaign with seed %d, not %d: give its seed, or another folder", path, old.Seed, c.Seed)
	}
	old.Coverage.complete()
	return &old, nil
}

// save writes it. What was running when it ended runs again.
func (c *campaign) save() error {
	for name, t := range c.rep.Layers {
		t.Next = c.claimed[name]
		for i := range c.flying[name] {
			t.Next = min(t.Next, i)
		}
	}
	if c.Dir == "" || c.Only != nil {
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return fmt.Errorf("the state of a campaign: %w", err)
	}
	err := wholefile.Write(filepath.Join(c.Dir, stateFile), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(c.rep)
	})
	if err != nil {
		return fmt.Errorf("the state of a campaign: %w", err)
	}
	return nil
}
