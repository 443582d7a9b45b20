package dev

import (
	"errors"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/eth"
)

// Event is something that happened; one of its fields is set.
type Event struct {
	Block    *Block   // a new one on the chain
	Reverted *Block   // one that is not on the chain any more; the higher ones come first
	Pending  *Sent    // a message came into the pool
	Dropped  *Dropped // a message left it without being executed
}

// Dropped is a message that will not be executed.
type Dropped struct {
	Hash eth.Hash
	CID  cid.Cid
	Why  error
}

// ErrSlow is of a subscription whose reader was too slow.
var ErrSlow = errors.New("the subscription ended: its reader fell too far behind")

// Subscription hears of events in their order, until it is closed.
type Subscription struct {
	events chan Event
	to     *subscribers
	err    error
}

// Events is the queue. It is closed when the subscription has ended; Err then says why.
func (s *Subscription) Events() <-chan Event { return s.events }

// Err is why a subscription ended: nil if by Close, ErrSlow, ErrClosed. It is to be asked after Events was closed.
func (s *Subscription) Err() error {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	return s.err
}

// Close ends it. It may be called more than once.
func (s *Subscription) Close() { s.to.end(s, nil) }

// Subscribe begins a subscription of all events from now on. buffer is how many may wait; default: 1024. A reader that lets more wait is
// dropped: nobody else waits for it.
func (n *Node) Subscribe(buffer int) *Subscription {
	if buffer <= 0 {
		buffer = 1024
	}
	s := &Subscription{events: make(chan Event, min(buffer, 1<<20)), to: &n.subs}
	n.subs.mu.Lock()
	defer n.subs.mu.Unlock()
	if n.subs.closed != nil {
		s.err = n.subs.closed
		close(s.events)
		return s
	}
	if n.subs.all == nil {
		n.subs.all = map[*Subscription]bool{}
	}
	n.subs.all[s] = true
	return s
}

type subscribers struct {
	mu     sync.Mutex
	all    map[*Subscription]bool
	closed error
}

func (s *subscribers) tell(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.all {
		select {
		case sub.events <- e:
		default:
			sub.err = ErrSlow
			delete(s.all, sub)
			close(sub.events)
		}
	}
}

func (s *subscribers) end(sub *Subscription, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[sub] {
		sub.err = why
		delete(s.all, sub)
		close(sub.events)
	}
}

func (s *subscribers) close(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = why
	for sub := range s.all {
		sub.err = why
		close(sub.events)
	}
	s.all = nil
}
