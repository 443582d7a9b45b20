package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/semaphore"
)

// pingEvery is how often a quiet client is asked whether it is there; after as long again without an answer it is gone.
const pingEvery = 45 * time.Second

// Conn is a WebSocket connection, for methods that subscribe.
type Conn struct {
	server *Server
	ws     *websocket.Conn
	caller *caller
	ctx    context.Context // ends with the connection
	end    context.CancelFunc

	out     outbox
	answers *semaphore.Weighted // bytes of answers and of streams in out
	slots   chan struct{}
	work    sync.WaitGroup // requests at work
	drop    sync.Once

	mu       sync.Mutex
	calls    map[string]*inflight // by id, for xrpc.cancel
	subs     map[string]*Subscription
	channels int    // streams at work
	channel  uint64 // the last stream's number
}

// ConnOf returns the WebSocket connection by which a method was called; nil: another transport, which cannot be notified.
func ConnOf(ctx context.Context) *Conn {
	if st, ok := ctx.Value(callerKey{}).(*callState); ok {
		return st.conn
	}
	return nil
}

// Context ends with the connection.
func (c *Conn) Context() context.Context { return c.ctx }

func (s *Server) serveConn(ctx context.Context, ws *websocket.Conn, from *caller) {
	ctx, end := context.WithCancel(ctx)
	c := &Conn{server: s, ws: ws, caller: from, ctx: ctx, end: end,
		out: outbox{wake: make(chan struct{}, 1)}, answers: semaphore.NewWeighted(s.limits.Backlog), slots: make(chan struct{}, s.limits.Inflight),
		calls: map[string]*inflight{}, subs: map[string]*Subscription{}}
	from.conn = c
	ws.SetReadLimit(s.limits.Body)
	s.mu.Lock()
	closing := s.closing
	s.sockets[c] = struct{}{}
	s.mu.Unlock()
	if closing {
		c.close(websocket.StatusGoingAway, "the server is going down")
	}
	var writer sync.WaitGroup
	writer.Go(c.write)
	writer.Go(c.ping)
	c.read()
	end()
	c.unsubscribeAll()
	writer.Wait()
	c.work.Wait()
	_ = ws.CloseNow()
	s.mu.Lock()
	delete(s.sockets, c)
	s.mu.Unlock()
}

// close ends the connection with a reason; it does not wait for the client.
func (c *Conn) close(code websocket.StatusCode, reason string) {
	c.drop.Do(func() {
		if code == websocket.StatusPolicyViolation {
			c.server.log.Warn("a WebSocket connection was closed", "remote", c.caller.Remote, "reason", reason)
		}
		c.server.handlers.Go(func() {
			_ = c.ws.Close(code, reason) // waits up to 5 s for the client to read it
			c.end()
		})
	})
}

// read takes messages, text or binary as clients send both, and runs each in a goroutine of its own, as methods may wait.
func (c *Conn) read() {
	for {
		_, message, err := c.ws.Read(c.ctx)
		if err != nil {
			return
		}
		id, done := c.control(message)
		if done {
			continue
		}
		select {
		case c.slots <- struct{}{}:
		case <-c.ctx.Done():
			return
		}
		if c.answers.Acquire(c.ctx, 1) != nil { // who does not read answers is not asked for more questions
			return
		}
		c.answers.Release(1)
		ctx, cancel := context.WithCancel(c.ctx)
		call := &inflight{cancel: cancel}
		if id != "" {
			c.mu.Lock()
			c.calls[id] = call // before the next message, which may be its xrpc.cancel
			c.mu.Unlock()
		}
		c.work.Go(func() {
			defer func() { <-c.slots }()
			c.handle(ctx, message, func() {
				cancel()
				c.mu.Lock()
				if c.calls[id] == call {
					delete(c.calls, id)
				}
				c.mu.Unlock()
			})
		})
	}
}

// inflight is a request at work, or the stream that it began.
type inflight struct{ cancel context.CancelFunc }

// handle answers a message and calls done when nothing more comes of it.
func (c *Conn) handle(ctx context.Context, message []byte, done func()) {
	st := &callState{caller: c.caller}
	if out := c.server.answer(ctx, st, message, nil); len(out) > 0 {
		c.send(out)
	}
	var streams sync.WaitGroup
	for _, sub := range st.fresh {
		sub.start()
		if sub.run != nil {
			streams.Add(1)
			c.work.Go(func() { defer streams.Done(); sub.run() })
		}
	}
	if len(st.fresh) == 0 {
		done()
		return
	}
	c.work.Go(func() { streams.Wait(); done() })
}

// canonical makes numbers of one value one text: clients by go-jsonrpc send 1e+06 to cancel 1000000.
func canonical(id []byte) string {
	if len(id) > 0 && id[0] != '"' {
		if f, err := strconv.ParseFloat(string(id), 64); err == nil && !math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	}
	return string(id)
}

// control handles the messages of go-jsonrpc's channel protocol that a client sends, and answers to requests of ours, of which there
// are none: done. Of others it returns the id, as canonical has it, unless they are batches or none.
func (c *Conn) control(message []byte) (id string, done bool) {
	if len(message) == 0 || !json.Valid(message) || trim(message)[0] != '{' {
		return "", false
	}
	var method, params, ident []byte
	answer := false
	members(message, func(name, v []byte) {
		switch string(name) {
		case "id":
			ident = v
		case "method":
			method = v
		case "params":
			params = v
		case "result", "error":
			answer = true
		}
	})
	if method == nil {
		return "", answer
	}
	switch name, _ := text(method); name {
	case "xrpc.cancel":
	case "xrpc.ch.val", "xrpc.ch.close": // for streams of the client's, of which there are none
		return "", true
	default:
		return canonical(ident), false
	}
	if len(params) == 0 || params[0] != '[' {
		return "", true
	}
	elements(params, func(id []byte) bool {
		c.mu.Lock()
		call := c.calls[canonical(id)]
		c.mu.Unlock()
		if call != nil {
			call.cancel()
		}
		return false
	})
	return "", true
}

// send queues an answer or a value of a stream. It waits while too many bytes do: the client gets no more than it reads. It says
// whether the connection is still there.
func (c *Conn) send(message []byte) bool {
	weight := min(int64(len(message)), c.server.limits.Backlog)
	if c.answers.Acquire(c.ctx, weight) != nil {
		return false
	}
	c.out.put(outgoing{message, weight})
	return true
}

var errNotRead = errors.New("the client does not read its notifications")

// notify queues a notification, and ends the connection when too many bytes wait: whoever has news for many clients cannot wait for
// one.
func (c *Conn) notify(message []byte) error {
	if c.ctx.Err() != nil {
		return errClosed
	}
	if c.out.notices() > c.server.limits.Backlog {
		c.close(websocket.StatusPolicyViolation, "notifications were not read: too many wait")
		return errNotRead
	}
	c.out.put(outgoing{message: message})
	return nil
}

// write sends what is queued.
func (c *Conn) write() {
	defer c.end()
	for {
		select {
		case <-c.out.wake:
		case <-c.ctx.Done():
			return
		}
		for out, ok := c.out.take(); ok; out, ok = c.out.take() {
			limit := c.server.limits.Slow + time.Duration(len(out.message))*time.Microsecond
			ctx, cancel := context.WithTimeout(c.ctx, limit)
			err := c.ws.Write(ctx, websocket.MessageText, out.message)
			cancel()
			if err != nil {
				if errors.Is(err, context.DeadlineExceeded) {
					c.close(websocket.StatusPolicyViolation, "the client does not read")
				}
				return
			}
			c.answers.Release(out.answer)
		}
	}
}

// ping finds out whether the client is still there.
func (c *Conn) ping() {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			ctx, cancel := context.WithTimeout(c.ctx, pingEvery)
			err := c.ws.Ping(ctx)
			cancel()
			if err != nil && c.ctx.Err() == nil {
				c.close(websocket.StatusPolicyViolation, "the client does not answer pings")
				return
			}
		case <-c.ctx.Done():
			return
		}
	}
}
