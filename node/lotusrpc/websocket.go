package lotusrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// pingEvery is how often a connection is tried; after as long again without an answer it is gone.
	pingEvery = 20 * time.Second
	// maxGarbage is how many messages of no use a node may send on a connection.
	maxGarbage = 100
)

// socket is a client's connection by WebSocket, which is made when it is needed.
type socket struct {
	client *Client
	dial   sync.Mutex // held while a connection is made
	mu     sync.Mutex
	conn   *conn
	closed error
}

// conn is one connection.
type conn struct {
	ws  *websocket.Conn
	ctx context.Context // ends with the connection
	end context.CancelCauseFunc

	mu      sync.Mutex
	waiting map[uint64]*waiter
	subs    map[uint64]*subscription // by the node's number of the channel
}

type waiter struct {
	answered chan *answer // holds one
	sub      *subscription
}

// subscription is a channel of the node's.
type subscription struct {
	value func(json.RawMessage)
	once  sync.Once
	done  chan error // gets one, when it has ended
}

func (s *subscription) finish(err error) { s.once.Do(func() { s.done <- err }) }

// ask makes a request on the connection.
func (s *socket) ask(ctx context.Context, id uint64, body []byte, sub *subscription) (json.RawMessage, error) {
	c, err := s.connected(ctx)
	if err != nil {
		return nil, err
	}
	w := &waiter{answered: make(chan *answer, 1), sub: sub}
	c.mu.Lock()
	c.waiting[id] = w
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	// A write that is cut leaves half a message behind, so the library ends the connection then: it has a time of its own.
	write, cancel := context.WithTimeout(c.ctx, s.client.o.Timeout)
	defer cancel()
	if err := c.ws.Write(write, websocket.MessageText, body); err != nil {
		return nil, noAnswer(ctx, c.why(err))
	}
	select {
	case a := <-w.answered:
		return a.result()
	case <-c.ctx.Done():
		return nil, c.failed(ctx)
	case <-ctx.Done():
		return nil, noAnswer(ctx, ctx.Err())
	}
}

// connected is the connection, made anew if it is gone.
func (s *socket) connected(ctx context.Context) (*conn, error) {
	s.dial.Lock()
	defer s.dial.Unlock()
	s.mu.Lock()
	old, closed := s.conn, s.closed
	s.mu.Unlock()
	switch {
	case closed != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, closed)
	case old != nil && old.ctx.Err() == nil:
		return old, nil
	case ctx.Err() != nil:
		return nil, noAnswer(ctx, ctx.Err())
	}
	o := &s.client.o
	ws, res, err := websocket.Dial(ctx, o.Address.URL.String(), &websocket.DialOptions{HTTPClient: s.client.http, HTTPHeader: s.client.header()})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			if serr := status(res, nil); serr != nil {
				return nil, serr
			}
			return nil, fmt.Errorf("%w: it does not speak WebSocket there", ErrAnswer)
		}
		return nil, noAnswer(ctx, err)
	}
	ws.SetReadLimit(o.MaxAnswer)
	c := &conn{ws: ws, waiting: map[uint64]*waiter{}, subs: map[uint64]*subscription{}}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	go c.read()
	go c.ping()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		c.end(s.closed)
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, s.closed)
	}
	s.conn = c
	return c, nil
}

// close ends the connection for good.
func (s *socket) close(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = why
	if s.conn != nil {
		s.conn.end(why)
	}
}

// why is what ended the connection, if it has ended.
func (c *conn) why(err error) error {
	if cause := context.Cause(c.ctx); cause != nil {
		return cause
	}
	return err
}

func (c *conn) failed(ctx context.Context) error {
	err := context.Cause(c.ctx)
	if errors.Is(err, ErrAnswer) || errors.Is(err, ErrUnreachable) {
		return err
	}
	return noAnswer(ctx, err)
}

// read takes messages until the connection ends.
func (c *conn) read() {
	defer func() {
		_ = c.ws.CloseNow()
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, sub := range c.subs {
			sub.finish(c.failed(context.Background()))
		}
	}()
	garbage := 0
	for {
		_, data, err := c.ws.Read(c.ctx)
		if err != nil {
			if errors.Is(err, websocket.ErrMessageTooBig) {
				err = fmt.Errorf("%w: it is longer than it may be", ErrAnswer)
			}
			c.end(err)
			return
		}
		var a answer
		if json.Unmarshal(data, &a) != nil {
			// Nobody knows which request it was to answer, so all that are waited for fail.
			c.end(fmt.Errorf("%w: no JSON-RPC: it begins with %.80q", ErrAnswer, data))
			return
		}
		if !c.take(&a) {
			if garbage++; garbage > maxGarbage {
				c.end(fmt.Errorf("%w: it sends what nobody asked for: %.80q", ErrAnswer, data))
				return
			}
		}
	}
}

// take gives a message to whom it belongs, and tells whether it is of any use.
func (c *conn) take(a *answer) bool {
	if a.Method != "" {
		return c.channel(a)
	}
	if len(a.ID) == 0 || string(a.ID) == "null" {
		// Forest says in an answer to nobody that it has closed a channel (its issue 4453).
		var inner answer
		if json.Unmarshal(a.Result, &inner) != nil || inner.Method != channelClosed {
			return false
		}
		return c.channel(&inner)
	}
	id, err := strconv.ParseUint(string(a.ID), 10, 64)
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting[id]
	if w == nil {
		return true // nobody waits any more
	}
	delete(c.waiting, id)
	if w.sub != nil && a.Error == nil {
		// In the order of the messages: the first values may follow at once.
		number, err := strconv.ParseUint(string(a.Result), 10, 64)
		if err == nil {
			c.subs[number] = w.sub
		}
	}
	w.answered <- a
	return true
}

// channelClosed is the method by which a node says that it has closed one of its channels.
const channelClosed = "xrpc.ch.close"

// channel takes a message about one of the node's channels.
func (c *conn) channel(a *answer) bool {
	if len(a.Params) == 0 {
		return false
	}
	number, err := strconv.ParseUint(string(a.Params[0]), 10, 64)
	if err != nil {
		return false
	}
	c.mu.Lock()
	sub := c.subs[number]
	c.mu.Unlock()
	switch {
	case sub == nil:
		return false
	case a.Method == "xrpc.ch.val" && len(a.Params) == 2:
		sub.value(a.Params[1])
		return true
	case a.Method == channelClosed:
		c.mu.Lock()
		delete(c.subs, number)
		c.mu.Unlock()
		sub.finish(fmt.Errorf("%w: it ended the subscription", ErrUnreachable))
		return true
	}
	return false
}

// ping finds out when the node is gone without a word.
func (c *conn) ping() {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-t.C:
		}
		ctx, cancel := context.WithTimeout(c.ctx, pingEvery)
		err := c.ws.Ping(ctx)
		cancel()
		if err != nil {
			c.end(fmt.Errorf("%w: it is silent on an open connection", ErrUnreachable))
			return
		}
	}
}
