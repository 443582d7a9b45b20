package bench

import (
	"time"

	"github.com/filecoin-project/go-state-types/network"
)

// Timing is what one message took on one engine: the least and the median of all rounds.
type Timing struct {
	Engine   string          `json:"engine"`
	Vector   string          `json:"vector"`
	Scenario string          `json:"scenario"`
	NV       network.Version `json:"nv"`
	Message  int             `json:"message"` // counted from 0
	ExitCode int64           `json:"exit_code"`
	Gas      int64           `json:"gas"` // used, in units
	// Ours and Median are 0 of a message that could not be decoded.
	Ours   time.Duration `json:"ns"`
	Median time.Duration `json:"median_ns"`
	// Theirs and TheirsMedian are the reference's, 0 if it was not asked.
	Theirs       time.Duration `json:"against_ns,omitempty"`
	TheirsMedian time.Duration `json:"against_median_ns,omitempty"`
	// Allocs and Bytes are what the Go heap was asked for in one run of the message.
	Allocs uint64 `json:"allocs"`
	Bytes  uint64 `json:"alloc_bytes"`
	// Phases are of a run with clocks in it. Flush, once a vector, is with the vector's last message.
	Phases Phases `json:"phases_ns,omitempty"`
	// Hashing of the blocks that the message's actors made, not of those of the flush. It is in other phases too.
	Hashing time.Duration `json:"hashing_ns,omitempty"`
}

// Ratio is our least time over that of the reference; 0 if it gave none.
func (t *Timing) Ratio() float64 {
	if t.Theirs <= 0 {
		return 0
	}
	return float64(t.Ours) / float64(t.Theirs)
}

// EngineReport is what one engine took.
type EngineReport struct {
	Name    string // as the caller calls it
	Engine  string // as it calls itself
	Timings []Timing
}

// All are the timings, taken together.
func (r *EngineReport) All() *Sum {
	list := make([]*Timing, len(r.Timings))
	for i := range r.Timings {
		list[i] = &r.Timings[i]
	}
	return SumOf(r.Name, list)
}

// Report is what was measured.
type Report struct {
	Engines []EngineReport // in the order of Options.Engines
	Vectors int            // that ran
	Rounds  int            // that were timed
	Left    []LeftOut
}

// LeftOut is a vector that could not be measured.
type LeftOut struct {
	Path string
	Why  error
}

func (l LeftOut) String() string { return l.Path + ": " + l.Why.Error() }
