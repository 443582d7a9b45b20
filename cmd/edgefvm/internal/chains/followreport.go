package chains

import (
	"encoding/json"
	"io"
	"slices"
	"sync"

	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/node/follow"
	"github.com/edgefvm/fvm/node/replay"
)

// maxFindings is how many tipsets that did not pass a report has: the first ones.
const maxFindings = 100

// followReport is what follow found, for --report and --json.
type followReport struct {
	Status   follow.Status `json:"status"`
	Engines  []string      `json:"engines"`
	Proofs   string        `json:"proofs"`
	Findings []finding     `json:"findings"`
	Error    string        `json:"error,omitempty"`

	path   string
	status func() follow.Status
	mu     sync.Mutex
}

// finding is a tipset that did not pass.
type finding struct {
	follow.Judgement
	Details *replay.Tipset `json:"details,omitempty"`
}

// add hears of a judgement. What did not pass is in the file at once.
func (r *followReport) add(t *replay.Tipset, d *follow.Judgement) {
	if d.Result == follow.Passed {
		return
	}
	r.mu.Lock()
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, finding{*d, t})
	}
	r.mu.Unlock()
	_ = r.write()
}

func (r *followReport) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Error = err.Error()
}

// now is the report as it stands.
func (r *followReport) now() *followReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &followReport{Status: r.status(), Engines: r.Engines, Proofs: r.Proofs, Findings: append([]finding{}, slices.Clone(r.Findings)...), Error: r.Error}
}

// write writes the file, if one is wanted.
func (r *followReport) write() error {
	if r.path == "" {
		return nil
	}
	now := r.now()
	return wholefile.Write(r.path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(now)
	})
}
