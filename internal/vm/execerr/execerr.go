// Package execerr holds the ways in which execution can fail, and says which of
// them an error is. What comes from outside, from an engine, a store, the node's
// externs, is made one of them where it comes in. An error that is none of them counts
// as this node's failure, so forgetting that fails closed.
package execerr

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/exitcode"
)

// ErrOutOfGas unwinds to the nearest call with a gas limit of its own.
var ErrOutOfGas = errors.New("out of gas")

// ErrNoReference marks a failure of the node over a message of which the networks' own VM makes no receipt either, so that there is none to
// agree on. Tools that ask that VM for its answer spare it such a message.
var ErrNoReference = errors.New("no result is agreed on for this")

// Errno is the error number that a syscall returns to an actor.
type Errno uint32

// The error numbers of the syscall interface (FIP-0030).
const (
	IllegalArgument   Errno = 1
	IllegalOperation  Errno = 2
	LimitExceeded     Errno = 3
	AssertionFailed   Errno = 4
	InsufficientFunds Errno = 5
	NotFound          Errno = 6
	InvalidHandle     Errno = 7
	IllegalCid        Errno = 8
	IllegalCodec      Errno = 9
	Serialization     Errno = 10
	Forbidden         Errno = 11
	BufferTooSmall    Errno = 12
	ReadOnly          Errno = 13
)

// String is the number in the words that nodes log.
func (n Errno) String() string {
	switch n {
	case IllegalArgument:
		return "illegal argument"
	case IllegalOperation:
		return "illegal operation"
	case LimitExceeded:
		return "limit exceeded"
	case AssertionFailed:
		return "filecoin assertion failed"
	case InsufficientFunds:
		return "insufficient funds"
	case NotFound:
		return "resource not found"
	case InvalidHandle:
		return "invalid ipld block handle"
	case IllegalCid:
		return "illegal cid specification"
	case IllegalCodec:
		return "illegal ipld codec"
	case Serialization:
		return "serialization error"
	case Forbidden:
		return "operation forbidden"
	case BufferTooSmall:
		return "buffer too small"
	case ReadOnly:
		return "execution context is read-only"
	}
	return fmt.Sprintf("errno %d", uint32(n))
}

// Syscall is an error that the actor hears of, as a number; the actor runs on.
type Syscall struct {
	Number Errno
	Reason string
}

func (e *Syscall) Error() string { return fmt.Sprintf("%s (errno %d)", e.Reason, e.Number) }

// Syscallf makes a *Syscall.
func Syscallf(n Errno, format string, a ...any) error {
	return &Syscall{Number: n, Reason: fmt.Sprintf(format, a...)}
}

// Abort ends the running invocation with an exit code: of the actor's choice, or of the machine's for a fault of the actor.
type Abort struct {
	Code    exitcode.ExitCode
	Message string
	Block   uint32 // handle of the data to return with it, 0 for none
}

func (a *Abort) Error() string { return fmt.Sprintf("exit with code %d: %s", a.Code, a.Message) }

// InvalidMessage is the error of a message that can have no receipt. The machine stays usable.
type InvalidMessage struct{ Err error }

func (e *InvalidMessage) Error() string { return "invalid message: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *InvalidMessage) Unwrap() error { return e.Err }

// Fatal is a failure that no actor caused in a way that consensus could
// express. The reference turns it into a receipt with exit code 10 and all gas used
// when every node would see it alike (Guest), and we answer a failure of this
// node (a store that fails, a cancelled context) with an error and no receipt.
type Fatal struct {
	Err error
	// Guest is true when the message and the state alone cause the failure, so
	// that every node of the network has it: it then makes a receipt.
	Guest bool
}

func (e *Fatal) Error() string { return "fatal error: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Fatal) Unwrap() error { return e.Err }

// Guestf makes a Fatal that every node has alike; %w keeps the cause.
func Guestf(format string, a ...any) error {
	return &Fatal{Err: fmt.Errorf(format, a...), Guest: true}
}

// Nodef makes a Fatal of this node alone; %w keeps the cause.
func Nodef(format string, a ...any) error { return &Fatal{Err: fmt.Errorf(format, a...)} }

// Interrupted is a failure of this node if ctx is done, and nil before. Guests ask at syscalls and when they have had their slice of
// gas, and so do loops of the machine's own that can be long: so often that no more than about 10 ms go by between two questions.
func Interrupted(ctx context.Context) error {
	if ctx.Err() == nil { // small enough for the compiler to put it in its place
		return nil
	}
	return interrupted(ctx)
}

func interrupted(ctx context.Context) error {
	return Nodef("the message was interrupted: %w", ctx.Err())
}
