// Package execerrtest names errors for tests, by how package execerr classifies them. Only tests call it.
package execerrtest

import "github.com/edgefvm/fvm/internal/vm/execerr"

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
