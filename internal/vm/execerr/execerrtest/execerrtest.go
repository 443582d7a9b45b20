// Package execerrtest names errors for tests, by how package execerr classifies them. Only tests call it.
package execerrtest

import (
	"errors"

	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// Kind says what an error is: "", "errno", "out of gas", "guest" or "node".
func Kind(err error) string {
	var s *execerr.Syscall
	var f *execerr.Fatal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f) && f.Guest:
		return "guest"
	case errors.As(err, &s):
		return "errno"
	case errors.Is(err, execerr.ErrOutOfGas):
		return "out of gas"
	}
	return "node"
}

// Errno is the number that the actor hears, 0 if the error is of another kind.
func Errno(err error) execerr.Errno {
	var s *execerr.Syscall
	if errors.As(err, &s) {
		return s.Number
	}
	return 0
}
