package aot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// CompileError is a module that could not be compiled: because the compiler
// refused it, crashed, was killed, or took too long.
type CompileError struct {
	Level  Level
	Err    error
	Output string // the beginning and the end of what the compiler said
}

func (e *CompileError) Error() string {
	s := fmt.Sprintf("aot: compiling at %v: %v", e.Level, e.Err)
	if e.Output != "" {
		s += ": " + e.Output
	}
	return s
}

func (e *CompileError) Unwrap() error { return e.Err }

// ErrTimeout is in the CompileError of a module that took longer than Options.Timeout.
var ErrTimeout = errors.New("timed out")

// compile runs a child.
func (c *Cache) compile(ctx context.Context, in, out string, level Level) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, ErrTimeout)
	defer cancel()
	o := &order{level: level, library: c.target.library, generic: c.generic, in: in, out: out}
	args := append(append([]string(nil), c.command[1:]...), o.args()...)
	cmd := exec.CommandContext(ctx, c.command[0], args...)
	group(cmd)
	cmd.WaitDelay = 5 * time.Second
	said := new(excerpt)
	cmd.Stdout, cmd.Stderr = said, said // WasmEdge logs to the former, LLVM to the latter
	hold, err := cmd.StdinPipe()
	if err != nil {
		return &CompileError{Level: level, Err: err}
	}
	defer hold.Close()
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), ErrTimeout):
		err = fmt.Errorf("%w after %v", ErrTimeout, c.timeout)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	output := said.String()
	if strings.Contains(output, "No space left on device") {
		err = &storageError{err}
	}
	return &CompileError{Level: level, Err: err, Output: output}
}

// excerpt keeps the beginning and the end of what is written to it: a crash says
// why at the beginning, a failure at the end.
type excerpt struct {
	mu         sync.Mutex // the child's last words may come after Wait gave up
	head, tail []byte
	cut        bool
}

const excerptSize = 2 << 10 // of either end

func (x *excerpt) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := len(p)
	k := min(n, excerptSize-len(x.head))
	x.head = append(x.head, p[:k]...)
	x.tail = append(x.tail, p[k:]...)
	if over := len(x.tail) - excerptSize; over > 0 {
		x.cut = true
		x.tail = append(x.tail[:0], x.tail[over:]...)
	}
	return n, nil
}

func (x *excerpt) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	parts := [][]byte{x.head, x.tail}
	sep := ""
	if x.cut {
		sep = "\n[...]\n"
	}
	return strings.TrimSpace(string(bytes.ToValidUTF8(bytes.Join(parts, []byte(sep)), []byte("?"))))
}
