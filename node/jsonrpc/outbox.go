package jsonrpc

import "sync"

// perMessage is what a message in a queue takes besides its bytes.
const perMessage = 64

// outgoing is a message in a connection's queue.
type outgoing struct {
	message []byte
	answer  int64 // what it holds of the connection's semaphore; 0: a notification
}

// outbox is a connection's queue. Its users bound it: those who put messages in, by bytes.
type outbox struct {
	wake chan struct{} // has an element when there may be messages

	mu    sync.Mutex
	queue []outgoing
	next  int
	bytes int64 // of notifications
}

func (o *outbox) put(m outgoing) {
	o.mu.Lock()
	o.queue = append(o.queue, m)
	if m.answer == 0 {
		o.bytes += int64(len(m.message)) + perMessage
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) take() (m outgoing, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == len(o.queue) {
		o.next = 0
		if cap(o.queue) > 1024 {
			o.queue = nil
		} else {
			o.queue = o.queue[:0]
		}
		return m, false
	}
	m, o.queue[o.next] = o.queue[o.next], outgoing{}
	o.next++
	if o.next > 1024 && o.next > len(o.queue)/2 { // or a queue that is never empty would only grow
		o.queue = append([]outgoing(nil), o.queue[o.next:]...)
		o.next = 0
	}
	if m.answer == 0 {
		o.bytes -= int64(len(m.message)) + perMessage
	}
	return m, true
}

// notices is how many bytes of notifications wait.
func (o *outbox) notices() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}
