package jsonrpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	grace    = 5 * time.Second // how long HTTP requests at work have to end when the server goes down
	farewell = time.Second     // how long WebSocket clients have to answer that it does
)

// Serve answers what comes over a listener until the context ends, and then goes down gracefully: no new connections, WebSocket
// connections closed with status 1001 (going away), and a few seconds for the HTTP requests at work. It closes the listener. The error is nil
// after a shutdown by the context.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.limits.Slow,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // handshakes, cut connections: nobody's concern
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(&limited{Listener: l, server: s}) }()
	select {
	case err := <-failed:
		s.closeSockets(context.WithoutCancel(ctx))
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	sockets := make(chan struct{})
	go func() { s.closeSockets(stop); close(sockets) }()
	err := h.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.Close() // methods that do not end when their context does are left behind
	}
	<-sockets
	<-failed
	return err
}

// closeSockets closes the WebSocket connections and waits for them, as long as the context allows. New ones are refused from now on.
func (s *Server) closeSockets(ctx context.Context) {
	s.goDown()
	s.mu.Lock()
	s.closing = true
	all := make([]*Conn, 0, len(s.sockets))
	for c := range s.sockets {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.close(websocket.StatusGoingAway, "the server is going down")
	}
	done := make(chan struct{})
	go func() { s.handlers.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	case <-time.After(farewell):
	}
	for _, c := range all {
		c.end()
	}
}

// limited counts connections, and refuses what is too much in words instead of letting it wait.
type limited struct {
	net.Listener
	server *Server
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.server.conns.Add(1) <= int64(l.server.limits.Conns) {
			return &counted{Conn: conn, server: l.server}, nil
		}
		l.server.conns.Add(-1)
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"))
		_ = conn.Close()
	}
}

type counted struct {
	net.Conn
	server *Server
	once   sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.server.conns.Add(-1) })
	return c.Conn.Close()
}
