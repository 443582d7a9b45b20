package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
)

// Client calls a server's methods in the process, through the same parsing and encoding as a client from outside, without a port.
// It may be used by any number of goroutines.
type Client struct {
	server *Server
	last   atomic.Uint64
}

// Client returns a client of the server.
func (s *Server) Client() *Client { return &Client{server: s} }

// Call calls a method and reads its result into what result points to, unless that is nil. An error of the method is an *[Error];
// its Data is a json.RawMessage.
func (c *Client) Call(ctx context.Context, result any, method string, params ...any) error {
	list := []byte{'['}
	for i, p := range params {
		if i > 0 {
			list = append(list, ',')
		}
		var err error
		if list, err = appendValue(list, p); err != nil {
			return fmt.Errorf("%s: parameter %d: %w", method, i+1, err)
		}
	}
	message := append(appendHead(nil, strconv.AppendUint(nil, c.last.Add(1), 10)), `"method":`...)
	message = append(append(appendString(message, method), `,"params":`...), list...)
	var answer struct {
		Result json.RawMessage
		Error  *struct {
			Code       int
			Message    string
			Data, Meta json.RawMessage
		}
	}
	if err := json.Unmarshal(c.server.Handle(ctx, append(message, "]}"...)), &answer); err != nil {
		return fmt.Errorf("%s: the answer: %w", method, err)
	}
	if e := answer.Error; e != nil {
		out := &Error{Code: e.Code, Message: e.Message}
		if e.Data != nil {
			out.Data = e.Data
		}
		if e.Meta != nil {
			out.Meta = e.Meta
		}
		return out
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("%s: the result: %w", method, err)
	}
	return nil
}

// RoundTripper is a transport for an http.Client whose requests this server answers in the process, whatever their URL's host is.
func (s *Server) RoundTripper() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ server *Server }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host, in.RequestURI, in.RemoteAddr = "localhost", r.URL.RequestURI(), "local"
	in.Header.Del("Accept-Encoding")
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	if isUpgrade(in) {
		return nil, errors.New("jsonrpc: WebSocket in the process needs a Pipe, not a RoundTripper")
	}
	w := &response{header: http.Header{}}
	t.server.ServeHTTP(w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// response keeps what a handler writes.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Pipe is a listener without a port: give it to [Server.Serve], and its DialContext to the dialer or transport of a client in the same
// process, for WebSocket too.
type Pipe struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

// NewPipe makes a Pipe.
func NewPipe() *Pipe {
	p := &Pipe{conns: make(chan net.Conn)}
	p.closed, p.close = context.WithCancel(context.Background())
	return p
}

// DialContext connects to whoever serves the pipe; network and address do not matter.
func (p *Pipe) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *Pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *Pipe) Close() error { p.close(); return nil }

// Addr implements net.Listener.
func (p *Pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
