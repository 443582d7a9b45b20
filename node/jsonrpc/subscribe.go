package jsonrpc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"reflect"
	"strconv"
	"sync"
)

var errClosed = errors.New("the connection or the subscription has ended")

// Subscription sends notices to a client until it is unsubscribed or its connection ends. It may be used by any number of
// goroutines.
type Subscription struct {
	conn   *Conn
	id     string
	prefix []byte // of a notice, up to the result
	ctx    context.Context
	end    context.CancelFunc

	mu      sync.Mutex
	started bool
	waiting [][]byte // notices before the client knows the id
	bytes   int64
	run     func() // of a channel
}

// Subscribe makes a subscription for the client that called the method of this context. Notices have the given method
// ("eth_subscription") and the params {"subscription": id, "result": value}; they are held back until the client has the answer to
// its call, which should be the id. A context without a WebSocket connection is an error that tells the client to use one.
func Subscribe(ctx context.Context, method string) (*Subscription, error) {
	st, ok := ctx.Value(callerKey{}).(*callState)
	if !ok || st.conn == nil {
		return nil, Errorf(CodeMethodNotFound, "subscriptions need WebSocket: connect to ws://… instead of http://…, at the same port")
	}
	var raw [32]byte // as long as Lotus's, whose clients want no other length
	_, _ = rand.Read(raw[:])
	sub, err := st.conn.subscription(st, "0x"+hex.EncodeToString(raw[:]))
	if err != nil {
		return nil, err
	}
	sub.prefix = append(sub.prefix, `{"jsonrpc":"2.0","method":`...)
	sub.prefix = appendString(sub.prefix, method)
	sub.prefix = append(append(append(sub.prefix, `,"params":{"subscription":"`...), sub.id...), `","result":`...)
	return sub, nil
}

// subscription makes a subscription that starts when the call is answered.
func (c *Conn) subscription(st *callState, id string) (*Subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.subs)+c.channels >= c.server.limits.Subs {
		return nil, Errorf(CodeLimitExceeded, "this connection has %d subscriptions, and more are not allowed", c.server.limits.Subs)
	}
	sub := &Subscription{conn: c, id: id}
	sub.ctx, sub.end = context.WithCancel(c.ctx)
	if id != "" {
		c.subs[id] = sub
	} else {
		c.channels++
	}
	st.fresh = append(st.fresh, sub)
	return sub, nil
}

// ID is what the client knows the subscription by: hex of 32 bytes.
func (s *Subscription) ID() string { return s.id }

// Done is closed when the subscription has ended.
func (s *Subscription) Done() <-chan struct{} { return s.ctx.Done() }

// Notify sends a value. It never waits: for a client that does not read, the connection ends, and Notify returns an error, as it does
// from then on. A value that goes to many clients is best encoded once, as a json.RawMessage.
func (s *Subscription) Notify(value any) error {
	message, err := appendValue(append(make([]byte, 0, len(s.prefix)+512), s.prefix...), value)
	if err != nil {
		return err
	}
	return s.send(append(message, "}}"...))
}

func (s *Subscription) send(message []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return errClosed
	}
	if !s.started {
		if s.bytes += int64(len(message)) + perMessage; s.bytes > s.conn.server.limits.Backlog {
			s.end()
			return errNotRead
		}
		s.waiting = append(s.waiting, message)
		return nil
	}
	return s.conn.notify(message)
}

// start lets notices go: the answer to the call is on its way.
func (s *Subscription) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	for _, message := range s.waiting {
		if s.conn.notify(message) != nil {
			break
		}
	}
	s.waiting = nil
}

// Unsubscribe ends a subscription of the client that called the method of this context, and says whether there was one.
func Unsubscribe(ctx context.Context, id string) bool {
	c := ConnOf(ctx)
	if c == nil {
		return false
	}
	c.mu.Lock()
	sub := c.subs[id]
	delete(c.subs, id)
	c.mu.Unlock()
	if sub != nil {
		sub.end()
	}
	return sub != nil
}

func (c *Conn) unsubscribeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sub := range c.subs {
		sub.end()
	}
	clear(c.subs)
}

// stream gives the client a channel's values: the result of the call is the channel's number, values come as xrpc.ch.val, the end as
// xrpc.ch.close. For a client that does not read, the channel is not read either; it ends, with the connection, when nothing could be
// sent for a while. Source: filecoin-project/go-jsonrpc v0.10.2, websocket.go.
func (c *Conn) stream(ctx context.Context, st *callState, ch reflect.Value) (any, error) {
	sub, err := c.subscription(st, "")
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.channel++
	number := c.channel
	c.mu.Unlock()
	head := func(method string) []byte {
		b := append([]byte(`{"jsonrpc":"2.0","method":"`), method...)
		return strconv.AppendUint(append(b, `","params":[`...), number, 10)
	}
	sub.run = func() {
		defer func() {
			sub.end()
			c.mu.Lock()
			c.channels--
			c.mu.Unlock()
		}()
		cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: ch}, {Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c.ctx.Done())}}
		for {
			chosen, v, ok := reflect.Select(cases)
			if chosen == 1 {
				return
			}
			if !ok {
				c.send(append(head("xrpc.ch.close"), "]}"...))
				return
			}
			message, err := appendValue(append(head("xrpc.ch.val"), ','), v.Interface())
			if err != nil {
				c.server.log.Error("a value of a channel has no JSON", "error", err)
				continue
			}
			if !c.send(append(message, "]}"...)) {
				return
			}
		}
	}
	return number, nil
}
