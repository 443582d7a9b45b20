package lotusrpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode"
)

// What errors of requests wrap.
var (
	// ErrUnreachable: there was no answer. The node is down, restarts, is too slow, or sends its callers away for now.
	ErrUnreachable = errors.New("the node does not answer")
	// ErrAnswer: what came is no answer to the request: no JSON-RPC, cut, too large, or of another shape.
	ErrAnswer = errors.New("the node's answer cannot be used")
	// ErrDenied: the node wants another token, or one with more rights.
	ErrDenied = errors.New("the node refuses the token")
	// ErrHash: a block came that has not the hash which was asked for. It was thrown away.
	ErrHash = errors.New("the node sent other bytes than those of the CID")
)

// CodeMethodNotFound is what a [NodeError] has where the node does not know the method.
const CodeMethodNotFound = -32601

// NodeError is an error that the node answered with.
type NodeError struct {
	Code    int
	Message string // of the node's, cut and in one line
}

// Error is in the node's words.
func (e *NodeError) Error() string {
	return fmt.Sprintf("the node says: %s (code %d)", e.Message, e.Code)
}

// IsUnknownMethod tells whether the node does not know the method that it was asked for.
func IsUnknownMethod(err error) bool {
	var e *NodeError
	return errors.As(err, &e) && e.Code == CodeMethodNotFound
}

// plain makes a stranger's text one line of at most 300 characters.
func plain(text string) string {
	const most = 300
	n := 0
	out := strings.Map(func(r rune) rune {
		n++
		switch {
		case n > most:
			return -1
		case unicode.IsPrint(r):
			return r
		}
		return ' '
	}, text)
	if n > most {
		out += "…"
	}
	return strings.TrimSpace(out)
}

// noAnswer is the error of a connection or a deadline. Of what the system says only the end is of use.
func noAnswer(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(context.Cause(ctx), errDeadline):
		return fmt.Errorf("%w: %w", ErrUnreachable, errDeadline)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: it takes too long", ErrUnreachable)
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Errorf("%w: %s", ErrUnreachable, plain(err.Error()))
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return fmt.Errorf("%w: %s", ErrUnreachable, plain(op.Err.Error()))
		}
		err = inner
	}
}

var errDeadline = errors.New("no answer in time")
