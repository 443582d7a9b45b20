package jsonrpc

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// zipFrom is the size from which answers are packed for clients that take it: below, it costs more than it saves.
const zipFrom = 16 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// putBuffer keeps a buffer for the next, unless it is so large that it would only hold memory.
func putBuffer(b *[]byte) {
	if cap(*b) <= 1<<20 {
		buffers.Put(b)
	}
}

var zippers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	return w
}}

// ServeHTTP answers POST with JSON-RPC, upgrades to WebSocket, and answers OPTIONS and GET as Options say.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, fault := s.opts.Access.check(r); fault != nil {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.opts.Access.cors(w.Header(), r)
		}
		s.write(w, r, status, appendError(nil, nil, fault))
		return
	}
	s.opts.Access.cors(w.Header(), r)
	c := &caller{Peer: Peer{Transport: "http", Remote: r.RemoteAddr, Path: r.URL.Path}, methods: s.methods}
	if m := s.opts.Paths[r.URL.Path]; m != nil {
		c.methods = m
	}
	switch {
	case isUpgrade(r):
		s.socket(w, r, c)
	case r.Method == http.MethodPost:
		s.post(w, r, c)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", "POST, GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "POST, GET, HEAD, OPTIONS")
		s.write(w, r, http.StatusMethodNotAllowed, appendError(nil, nil, Errorf(CodeInvalidRequest, "send JSON-RPC 2.0 requests by POST, or over WebSocket")))
	case s.opts.Index != nil:
		s.opts.Index.ServeHTTP(w, r)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "EdgeFVM: JSON-RPC 2.0 by POST, or over WebSocket, at any path.\n")
	}
}

func isUpgrade(r *http.Request) bool {
	for _, v := range r.Header.Values("Connection") {
		if strings.Contains(strings.ToLower(v), "upgrade") {
			return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
		}
	}
	return false
}

func (s *Server) post(w http.ResponseWriter, r *http.Request, c *caller) {
	buf := buffers.Get().(*[]byte)
	defer putBuffer(buf)
	body, fault := s.body(w, r, (*buf)[:0])
	*buf = body
	out := buffers.Get().(*[]byte)
	defer putBuffer(out)
	if fault != nil {
		w.Header().Set("Connection", "close") // the rest of the body may still come
		*out = appendError((*out)[:0], nil, fault)
	} else {
		*out = s.answer(r.Context(), &callState{caller: c}, body, (*out)[:0])
	}
	if len(*out) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.write(w, r, http.StatusOK, *out)
}

// body reads what was sent, unpacked, after dst.
func (s *Server) body(w http.ResponseWriter, r *http.Request, dst []byte) ([]byte, *Error) {
	if r.ContentLength > s.limits.Body {
		return dst, s.tooLarge()
	}
	control := http.NewResponseController(w)
	// No deadline is left for the time of the method: net/http would take it for a client that is gone.
	if control.SetReadDeadline(time.Now().Add(s.limits.Slow)) == nil {
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	var from io.Reader = r.Body
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		unzip, err := gzip.NewReader(r.Body)
		if err != nil {
			return dst, Errorf(CodeParse, "the request says Content-Encoding: gzip, but is not: %v", err)
		}
		from = unzip
	default:
		return dst, Errorf(CodeParse, "the request's Content-Encoding %s is not supported: send it plain or with gzip", short([]byte(encoding)))
	}
	a := appender{dst}
	n, err := io.Copy(&a, io.LimitReader(from, s.limits.Body+1))
	switch {
	case err != nil:
		return a.b, Errorf(CodeParse, "reading the request: after %d bytes: %v", n, noTimeout(err))
	case n > s.limits.Body:
		return a.b, s.tooLarge()
	}
	return a.b, nil
}

// noTimeout says "i/o timeout" in words.
func noTimeout(err error) error {
	var t interface{ Timeout() bool }
	if errors.As(err, &t) && t.Timeout() {
		return errors.New("it came too slowly")
	}
	return err
}

// write sends an answer, packed if that is worth while.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, answer []byte) {
	// What is slow is the client: the time is for the whole answer, and more for a big one (1 MB/s).
	limit := s.limits.Slow + time.Duration(len(answer))*time.Microsecond
	control := http.NewResponseController(w)
	if control.SetWriteDeadline(time.Now().Add(limit)) == nil {
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	if len(answer) < zipFrom || !takesGzip(r) {
		h.Set("Content-Length", strconv.Itoa(len(answer)))
		w.WriteHeader(status)
		_, _ = w.Write(answer) // a client that is gone needs no answer
		return
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	zip := zippers.Get().(*gzip.Writer)
	defer zippers.Put(zip)
	zip.Reset(w)
	_, _ = zip.Write(answer)
	_ = zip.Close()
}

// takesGzip reads Accept-Encoding.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			_, weight, _ := strings.Cut(strings.ReplaceAll(q, " ", ""), "q=")
			v, err := strconv.ParseFloat(weight, 64)
			return err != nil || v > 0
		}
	}
	return false
}

// socket serves a WebSocket connection until it ends.
func (s *Server) socket(w http.ResponseWriter, r *http.Request, c *caller) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		http.Error(w, "the server is going down", http.StatusServiceUnavailable)
		return
	}
	s.handlers.Add(1)
	s.mu.Unlock()
	defer s.handlers.Done()
	// Origins are checked by Access. No compression: most clients are on this machine, and it holds memory for each connection.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	c.Transport = "websocket"
	s.serveConn(r.Context(), ws, c)
}
