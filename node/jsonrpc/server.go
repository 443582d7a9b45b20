package jsonrpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound what clients can make the server do. A zero is the default that is named.
type Limits struct {
	Body     int64         // bytes of a request, unpacked; 128 MiB (a dumped state comes in one text)
	Answer   int           // bytes after which the rest of a batch is refused; 256 MiB
	Batch    int           // requests in a batch; 10,000
	Time     time.Duration // of one method; 10 minutes
	Slow     time.Duration // to receive a request's body, or to send an answer; 30 s
	Working  int           // methods at work at once, others wait their turn; 256
	Conns    int           // connections at once, others get HTTP status 503; 4,096
	Inflight int           // requests of one WebSocket connection at work, after which it is not read from; 1,024
	Backlog  int64         // bytes that wait for a WebSocket client to read: of notifications, and as much of all else; 64 MiB
	Subs     int           // subscriptions and channels of one connection; 1,024
}

func (l Limits) defaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Body <= 0 {
		l.Body = 128 << 20
	}
	if l.Backlog <= 0 {
		l.Backlog = 64 << 20
	}
	if l.Time <= 0 {
		l.Time = 10 * time.Minute
	}
	if l.Slow <= 0 {
		l.Slow = 30 * time.Second
	}
	def(&l.Answer, 256<<20)
	def(&l.Batch, 10_000)
	def(&l.Working, 256)
	def(&l.Conns, 4096)
	def(&l.Inflight, 1024)
	def(&l.Subs, 1024)
	return l
}

// Options says how a server works. The zero value serves clients on this machine.
type Options struct {
	Limits Limits
	Access Access
	// Paths has other tables of methods for some paths, as /rpc/v0. All other paths have the server's own.
	Paths map[string]*Methods
	// OnCall is called after each call, from the goroutine that ran it, before the client has its answer.
	OnCall func(Call)
	// Log takes panics, and connections that were closed for what they did; nil: the default logger.
	Log *slog.Logger
	// Index answers GET and HEAD; nil: a line of text that says what this is.
	Index http.Handler
}

// Call tells of a call that is done.
type Call struct {
	Peer     Peer
	Method   string
	Params   []byte // as sent; nil: none. Only good during the call of OnCall.
	Result   any    // as the method returned it
	Err      error  // as the method returned it, with all that was wrapped around
	Duration time.Duration
}

// Peer tells who calls.
type Peer struct {
	Transport string // http, websocket or local
	Remote    string // address; empty for local
	Path      string
}

// Server answers requests. Make it with [New].
type Server struct {
	methods *Methods
	opts    Options
	limits  Limits
	log     *slog.Logger
	working chan struct{}
	conns   atomic.Int64

	down     context.Context // ends when the server goes down
	goDown   context.CancelFunc
	mu       sync.Mutex
	sockets  map[*Conn]struct{}
	closing  bool
	handlers sync.WaitGroup // of WebSocket connections
}

// New makes a server of a table of methods.
func New(methods *Methods, opts Options) *Server {
	s := &Server{methods: methods, opts: opts, limits: opts.Limits.defaults(), log: opts.Log, sockets: map[*Conn]struct{}{}}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.down, s.goDown = context.WithCancel(context.Background())
	s.working = make(chan struct{}, s.limits.Working)
	return s
}

// caller is what the methods of a connection or HTTP request have in common.
type caller struct {
	Peer
	methods *Methods
	conn    *Conn // nil: not WebSocket
}

type callerKey struct{}

// callState is what a call has in its context.
type callState struct {
	*caller
	fresh   []*Subscription // made by this call: they start when the client has the answer
	unknown int             // methods that were not there
}

// PeerOf returns who calls the method that has this context.
func PeerOf(ctx context.Context) Peer {
	if st, ok := ctx.Value(callerKey{}).(*callState); ok {
		return st.Peer
	}
	return Peer{}
}

// Handle answers one message, a request or a batch, as if it had come over HTTP; nil is no answer, as for a notification.
func (s *Server) Handle(ctx context.Context, message []byte) []byte {
	return s.answer(ctx, &callState{caller: &caller{Peer: Peer{Transport: "local"}, methods: s.methods}}, message, nil)
}

// answer appends the answer to a message, or nothing.
func (s *Server) answer(ctx context.Context, st *callState, body, dst []byte) []byte {
	if int64(len(body)) > s.limits.Body {
		return appendError(dst, nil, s.tooLarge())
	}
	if fault := checkJSON(body); fault != nil {
		return appendError(dst, nil, fault)
	}
	ctx = context.WithValue(ctx, callerKey{}, st)
	if trim(body)[0] != '[' {
		return s.one(ctx, st, parseRequest(body), dst)
	}
	if n := countElements(body); n == 0 {
		return appendError(dst, nil, Errorf(CodeInvalidRequest, "the batch is empty"))
	} else if n > s.limits.Batch {
		return appendError(dst, nil, Errorf(CodeInvalidRequest, "the batch has %d requests, and at most %d are allowed: send several", n, s.limits.Batch))
	}
	return s.batch(ctx, st, body, dst)
}

// batch runs the requests of a batch in their order, as tools expect what they sent first to have happened first.
func (s *Server) batch(ctx context.Context, st *callState, body, dst []byte) []byte {
	start := len(dst)
	dst = append(dst, '[')
	elements(body, func(element []byte) bool {
		n := len(dst)
		if n > start+1 {
			dst = append(dst, ',')
		}
		sep := len(dst)
		r := parseRequest(element)
		switch {
		case sep-start > s.limits.Answer:
			if r.id != nil {
				dst = appendError(dst, r.id, Errorf(CodeLimitExceeded, "the answers of the batch have more than %d bytes: send smaller batches", s.limits.Answer))
			}
		case ctx.Err() != nil:
			dst = appendError(dst, r.id, errorOf(ctx.Err(), CodeServer))
		default:
			dst = s.one(ctx, st, r, dst)
		}
		if len(dst) == sep {
			dst = dst[:n] // a notification
		}
		return true
	})
	if len(dst) == start+1 {
		return dst[:start]
	}
	return append(dst, ']')
}

func (s *Server) tooLarge() *Error {
	return Errorf(CodeInvalidRequest, "the request has more than the %d bytes that are allowed", s.limits.Body)
}

// one runs a request and appends its answer, or nothing for a notification.
func (s *Server) one(ctx context.Context, st *callState, r request, dst []byte) []byte {
	if r.fault != nil {
		return appendError(dst, r.id, r.fault)
	}
	start := time.Now()
	result, err := s.run(ctx, st, r)
	n := len(dst)
	if r.id != nil && err == nil {
		dst = append(appendHead(dst, r.id), `"result":`...)
		if dst, err = appendValue(dst, result); err == nil {
			dst = append(dst, '}')
		} else {
			s.log.Error("the result of a method has no JSON", "method", r.method, "error", err)
			dst, err = dst[:n], Errorf(CodeInternal, "the result of %s cannot be encoded: a fault of the server, which its log tells more of", r.method)
		}
	}
	if r.id != nil && err != nil {
		plain := st.methods.PlainCode
		if plain == 0 {
			plain = CodeServer
		}
		dst = appendError(dst[:n], r.id, errorOf(err, plain))
	}
	if s.opts.OnCall != nil {
		s.opts.OnCall(Call{Peer: st.Peer, Method: r.method, Params: r.params, Result: result, Err: err, Duration: time.Since(start)})
	}
	return dst
}

// run calls the method's function.
func (s *Server) run(ctx context.Context, st *callState, r request) (result any, err error) {
	m := st.methods.table[r.method]
	if m == nil {
		const most = 16 // hints a batch, as each costs as much as many requests
		st.unknown++
		return nil, st.methods.unknown(r.method, st.unknown <= most)
	}
	if m.channel && (st.conn == nil || r.id == nil) {
		return nil, Errorf(CodeInvalidRequest, "%s sends a stream of values: call it over WebSocket (ws://…), with an id", r.method)
	}
	if m.waits {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.down, cancel)()
	}
	if !m.waits && !m.channel {
		select {
		case s.working <- struct{}{}:
		default:
			select {
			case s.working <- struct{}{}:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		defer func() { <-s.working }()
		if m.context { // others could not see its end
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.limits.Time)
			defer cancel()
		}
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a method panicked", "method", r.method, "panic", p, "stack", string(debug.Stack()))
			result, err = nil, Errorf(CodeInternal, "%s met a fault of the server, which its log tells more of", r.method)
		}
	}()
	args, fault := m.arguments(ctx, r.params)
	if fault != nil {
		return nil, fault
	}
	out := m.fn.Call(args)
	if m.err >= 0 && !out[m.err].IsNil() {
		return nil, out[m.err].Interface().(error)
	}
	if m.result < 0 {
		return nil, nil
	}
	if m.channel {
		if out[0].IsNil() {
			return nil, errors.New("the method returned no channel")
		}
		return st.conn.stream(ctx, st, out[0])
	}
	return out[0].Interface(), nil
}
