package call

import (
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/internal/vm/syscalls"
)

// Backtrace says how a failure came up the call stack. It is for people; no
// result depends on it. Its form is the one that nodes log, since tools look for parts of it.
type Backtrace struct {
	Frames []Frame // innermost first
	Cause  string  // empty: unknown
}

// Frame is one actor that failed.
type Frame struct {
	Actor   abi.ActorID
	Method  abi.MethodNum
	Code    exitcode.ExitCode
	Message string
}

func (b *Backtrace) begin(c *syscalls.Cause) {
	b.Frames = b.Frames[:0]
	b.Cause = fmt.Sprintf("%s::%s -- %s (%d: %s)", c.Module, c.Name, c.Err.Reason, uint32(c.Err.Number), c.Err.Number)
}

// Empty reports that nothing failed.
func (b *Backtrace) Empty() bool { return len(b.Frames) == 0 && b.Cause == "" }

// String lists the frames, outermost first, and the cause.
func (b *Backtrace) String() string {
	var s strings.Builder
	for i := range b.Frames {
		f := b.Frames[len(b.Frames)-1-i]
		fmt.Fprintf(&s, "%02d: f0%d (method %d) -- %s (%d)\n", i, f.Actor, f.Method, f.Message, f.Code)
	}
	if b.Cause != "" {
		fmt.Fprintf(&s, "--> caused by: %s\n", b.Cause)
	}
	return strings.TrimRight(s.String(), "\n")
}
