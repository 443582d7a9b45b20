package follow

import (
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
)

// Status is how a run stands, for whoever watches. Counts are since the process began.
type Status struct {
	Node     string `json:"node"`
	NodeSays string `json:"node_version,omitempty"`
	Network  string `json:"network,omitempty"`
	Genesis  string `json:"genesis,omitempty"`
	// Connected tells whether the last question for the head was answered, and Error what was wrong otherwise.
	Connected bool   `json:"connected"`
	Error     string `json:"error,omitempty"`
	// Head is the epoch of the node's head, which came at HeadTime; JudgedTo the epoch up to which all was judged, and Lag how many
	// epochs are left between them, but for those that wait for their confidence. -1: not known yet.
	Head     abi.ChainEpoch `json:"head_epoch"`
	HeadTime time.Time      `json:"head_time"`
	JudgedTo abi.ChainEpoch `json:"judged_to_epoch"`
	Lag      abi.ChainEpoch `json:"lag_epochs"`
	// Waiting is how many tipsets are left to be judged of those that are known of.
	Waiting int `json:"waiting"`
	// LastPassed is when the last tipset passed, and which.
	LastPassed      time.Time      `json:"last_passed_time"`
	LastPassedEpoch abi.ChainEpoch `json:"last_passed_epoch"`
	Passed          int            `json:"passed"`
	Differs         int            `json:"differs"`
	Undecided       int            `json:"undecided"`
	Skipped         int            `json:"skipped"`
	Reorgs          int            `json:"reorgs"`
	Messages        int            `json:"messages"`
	Gas             int64          `json:"gas"`
	Fetched         int64          `json:"blocks_fetched"`
	FetchedBytes    int64          `json:"bytes_fetched"`
	Found           int64          `json:"blocks_found"` // in the cache
	Lies            int64          `json:"bad_blocks"`   // that had not their hash
	CacheBytes      uint64         `json:"cache_bytes"`
	CacheTurns      uint64         `json:"cache_generations"` // that were given up
	// Beat is when the run last did something: it waits no longer than a minute, and works no longer on a tipset than it may.
	Beat    time.Time `json:"beat"`
	Started time.Time `json:"started"`
}

// state is a Status at work.
type state struct {
	mu sync.Mutex
	s  Status
}

func (s *state) set(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.s)
}

// beat notes that the run moves.
func (s *state) beat() { s.set(func(s *Status) { s.Beat = time.Now() }) }

func (s *state) get() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.s
}

// Alive tells whether the run still moves, or why it is taken to hang: then the process should be started again.
func (s Status) Alive(now time.Time, most time.Duration) (bool, string) {
	if quiet := now.Sub(s.Beat); quiet > most {
		return false, "nothing was done for " + quiet.Round(time.Second).String()
	}
	return true, ""
}

// Ready tells whether the run follows the chain closely and agrees with it, or the reasons why not: the node does not answer, more than
// lag epochs are left to be judged, or a tipset differs or could not be executed since the process began.
func (s Status) Ready(lag abi.ChainEpoch) (bool, []string) {
	var why []string
	if !s.Connected {
		why = append(why, "the node does not answer: "+s.Error)
	}
	switch {
	case s.Head < 0 || s.JudgedTo < 0:
		why = append(why, "nothing was judged yet")
	case s.Lag > lag:
		why = append(why, "it is "+s.Lag.String()+" epochs behind")
	}
	if s.Differs > 0 {
		why = append(why, "a tipset differs")
	}
	if s.Undecided > 0 {
		why = append(why, "a tipset could not be executed")
	}
	return len(why) == 0, why
}
