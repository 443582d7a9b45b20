// Package execerrtest names errors for tests, by how package execerr classifies them. Only tests call it.
package execerrtest

import (
	"context"

	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// Kind says what an error is: "", "errno", "abort", "out of gas", "guest", "invalid" or "node".
func Kind(err error) string {
	if err == nil {
		return ""
	}
	return execerr.KindOf(err).String()
}

// Errno is the number that the actor hears, 0 if the error is of another kind.
func Errno(err error) execerr.Errno {
	if s := execerr.Classify(err).Syscall; s != nil {
		return s.Number
	}
	return 0
}

// Countdown is a context that is done once it has been asked so many times whether it is.
type Countdown struct {
	context.Context
	Left int
}

// Err counts.
func (c *Countdown) Err() error {
	if c.Left == 0 {
		return context.Canceled
	}
	c.Left--
	return nil
}
