package kit

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
)

// The exit codes that scripts can rely on.
const (
	ExitOK     = 0
	ExitFailed = 1 // something differs, or could not be done
	ExitUsage  = 2 // the command line is wrong

	ExitInterrupted = 130 // as shells report it for SIGINT
)

// These end a command whose output already says what is wrong.
var (
	ErrFailed      = errors.New("failed")
	ErrInterrupted = errors.New("interrupted")
)

// UsageError is a mistake on the command line that only the command itself can see.
type UsageError struct{ error }

// Unwrap is what was wrong.
func (e UsageError) Unwrap() error { return e.error }

// Usagef makes one.
func Usagef(format string, a ...any) error { return UsageError{fmt.Errorf(format, a...)} }

// AsUsage makes one of an error.
func AsUsage(err error) error { return UsageError{err} }

// Execute runs a command line and returns the process's exit code. What goes wrong is one line on stderr, and one more
// of wrong usage, which names the help.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	var started bool
	prepare(root, &started)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage UsageError
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrFailed):
		return ExitFailed
	case errors.Is(err, ErrInterrupted):
		return ExitInterrupted
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "edgefvm: interrupted")
		return ExitInterrupted
	case !started || errors.As(err, &usage):
		fmt.Fprintf(stderr, "edgefvm: %s\nSee '%s --help'.\n", term.OneLine(words(plain(cmd, err))), cmd.CommandPath())
		return ExitUsage
	}
	fmt.Fprintf(stderr, "edgefvm: %s\n", term.OneLine(words(err)))
	return ExitFailed
}

// Verdict is how a command ends that has printed what it found: written is the error of writing it.
func Verdict(written error, stopped, good bool) error {
	switch {
	case written != nil:
		return written
	case stopped:
		return ErrInterrupted
	case !good:
		return ErrFailed
	}
	return nil
}
