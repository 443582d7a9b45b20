package parallel

import "sync"

// How far ahead messages run, in messages; how many that ran ahead are looked at together; and for how many messages none do
// after too many were in vain. They decide only time.
const (
	firstAhead = 16
	maxAhead   = 128
	sample     = 16
	enough     = 3 // in vain, and fewer that were not
	firstRest  = 64
	maxRest    = 512
)

// Habits keep what was found out about running ahead for the next list of messages, which is likely of the same sort: the next
// tipset of a chain. They decide only time. The zero value knows nothing. Safe for several goroutines; of lists that run at the
// same time the last to end is kept.
type Habits struct {
	mu   sync.Mutex
	last pace
}

func (h *Habits) get() (p pace) {
	if h != nil && !forgetful {
		h.mu.Lock()
		p = h.last
		h.mu.Unlock()
	}
	if p.ahead == 0 {
		p.ahead, p.rest = firstAhead, firstRest
	}
	return p
}

func (h *Habits) put(p pace) {
	if h != nil {
		h.mu.Lock()
		h.last = p
		h.mu.Unlock()
	}
}

// pace is how far ahead messages run.
type pace struct {
	ahead, rest      int
	resting          int // so many messages are left that run in their turn
	merged, repeated int // of the sample
}

// count is told of each message that was executed. Messages run farther ahead while that is not in vain; after a quarter of a sample was,
// or most of its first ones, they rest, each time for longer.
func (p *pace) count(ahead, merged bool) {
	switch {
	case !ahead && p.resting > 0:
		p.resting--
		return
	case !ahead:
		return
	case merged:
		p.merged++
	default:
		p.repeated++
	}
	switch {
	case p.repeated*4 > sample, p.repeated >= enough && p.repeated > p.merged:
		p.ahead, p.resting = firstAhead, p.rest
		p.rest = min(2*p.rest, maxRest)
	case p.merged+p.repeated == sample:
		p.ahead, p.rest = min(2*p.ahead, maxAhead), firstRest
	default:
		return
	}
	p.merged, p.repeated = 0, 0
}
