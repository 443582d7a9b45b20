package lotusrpc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Options say which node is asked and how. Only Address is required.
type Options struct {
	Address *Address
	// Timeout of a request, with the time that it waits for its turn, up to the last byte of the answer. Default: 30 seconds.
	Timeout time.Duration
	// MaxAnswer bounds an answer, in bytes. Default: 8 MiB; the largest block of a chain takes a fifth of that.
	MaxAnswer int64
	// Parallel is how many requests are at work at a time; others wait. Default: 16.
	Parallel int
	// OnRequest hears of each request that was made, from any goroutine. Default: nobody.
	OnRequest func(Request)
}

// Request is one that was made.
type Request struct {
	Method string // without "Filecoin."
	Took   time.Duration
	Bytes  int // of the answer
	Err    error
}

// Client asks a node. It may be used by any number of goroutines. Close it when it is not needed any more.
type Client struct {
	o     Options
	http  *http.Client
	slots chan struct{}
	last  atomic.Uint64
	ws    socket
}

// New makes a client. Nothing is connected until something is asked.
func New(o Options) *Client {
	o.Timeout = cmp.Or(max(o.Timeout, 0), 30*time.Second)
	o.MaxAnswer = cmp.Or(max(o.MaxAnswer, 0), 8<<20)
	o.Parallel = cmp.Or(max(o.Parallel, 0), 16)
	dialer := &net.Dialer{Timeout: min(o.Timeout, 10*time.Second), KeepAlive: 15 * time.Second}
	c := &Client{o: o, slots: make(chan struct{}, o.Parallel)}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns: o.Parallel, MaxIdleConnsPerHost: o.Parallel, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		},
		// A redirect would carry the token to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.ws.client = c
	return c
}

// Address is the node's.
func (c *Client) Address() *Address { return c.o.Address }

// Close ends the connections. Requests at work fail.
func (c *Client) Close() {
	c.ws.close(errors.New("the client was closed"))
	c.http.CloseIdleConnections()
}

// Call calls a method, such as "ChainHead" of Filecoin's namespace, or one with its namespace, such as "eth_chainId", and reads its result into what result points to, unless that is nil.
func (c *Client) Call(ctx context.Context, result any, method string, params ...any) error {
	raw, err := c.ask(ctx, method, nil, params...)
	if err != nil {
		return err
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return c.named(method, fmt.Errorf("%w: %s", ErrAnswer, plain(err.Error())))
	}
	return nil
}

// ask makes a request. sub, if it is not nil, hears of the values of the channel that the node opens, by WebSocket.
func (c *Client) ask(ctx context.Context, method string, sub *subscription, params ...any) (raw json.RawMessage, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errDeadline)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done(): // those before it were not answered either
		return nil, c.named(method, noAnswer(ctx, ctx.Err()))
	}
	start := time.Now()
	if c.o.OnRequest != nil {
		defer func() { c.o.OnRequest(Request{method, time.Since(start), len(raw), err}) }()
	}
	if params == nil {
		params = []any{}
	}
	id := c.last.Add(1)
	body, err := json.Marshal(struct {
		Version string `json:"jsonrpc"`
		ID      uint64 `json:"id"`
		Method  string `json:"method"`
		Params  []any  `json:"params"`
	}{"2.0", id, full(method), params})
	if err != nil {
		return nil, c.named(method, err)
	}
	if c.o.Address.WebSocket() {
		raw, err = c.ws.ask(ctx, id, body, sub)
	} else {
		raw, err = c.post(ctx, id, body)
	}
	if err != nil {
		return nil, c.named(method, err)
	}
	return raw, nil
}

// full is a method's name with its namespace, which is Filecoin's unless it is named.
func full(method string) string {
	if strings.ContainsAny(method, "._") {
		return method
	}
	return "Filecoin." + method
}

// named says which request an error is of.
func (c *Client) named(method string, err error) error {
	return fmt.Errorf("%s at %s: %w", method, c.o.Address, err)
}

// header is that of a request.
func (c *Client) header() http.Header {
	h := http.Header{}
	if c.o.Address.Token != "" {
		h.Set("Authorization", "Bearer "+c.o.Address.Token)
	}
	return h
}

// answer is what came for a request, or what the node sends of its own.
type answer struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// result is an answer's.
func (a *answer) result() (json.RawMessage, error) {
	switch {
	case a.Error != nil:
		return nil, &NodeError{Code: a.Error.Code, Message: plain(a.Error.Message)}
	case a.Result == nil:
		return nil, fmt.Errorf("%w: it has neither a result nor an error", ErrAnswer)
	}
	return a.Result, nil
}

// of tells whether it answers a request.
func (a *answer) of(id uint64) bool {
	return string(bytes.TrimSpace(a.ID)) == strconv.FormatUint(id, 10)
}
