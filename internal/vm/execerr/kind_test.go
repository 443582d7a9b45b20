package execerr_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/edgefvm/fvm/internal/vm/execerr"
)

func TestClassify(t *testing.T) {
	syscall := execerr.Syscallf(execerr.NotFound, "no such actor")
	abort := &execerr.Abort{Code: 20, Message: "enough"}
	guest, node := execerr.Guestf("the state is broken"), execerr.Nodef("the disk is full")
	wrap := func(err error) error { return fmt.Errorf("an engine says: %w", err) }
	for _, c := range []struct {
		name string
		err  error
		want execerr.Kind
	}{
		{"nothing", nil, execerr.KindNone},
		{"errno", syscall, execerr.KindSyscall},
		{"wrapped errno", wrap(syscall), execerr.KindSyscall},
		{"abort", abort, execerr.KindAbort},
		{"wrapped abort", wrap(abort), execerr.KindAbort},
		{"out of gas", execerr.ErrOutOfGas, execerr.KindOutOfGas},
		{"wrapped out of gas", wrap(execerr.ErrOutOfGas), execerr.KindOutOfGas},
		{"guest", guest, execerr.KindGuest},
		{"wrapped guest", wrap(wrap(guest)), execerr.KindGuest},
		{"node", node, execerr.KindNode},
		{"wrapped node", wrap(node), execerr.KindNode},
		{"invalid", &execerr.InvalidMessage{Err: errors.New("no gas limit")}, execerr.KindInvalid},
		{"wrapped invalid", wrap(&execerr.InvalidMessage{Err: errors.New("no gas limit")}), execerr.KindInvalid},
		{"nobody's", errors.New("what is this"), execerr.KindNode},
		{"a context's end", context.Canceled, execerr.KindNode},
		{"the node's, of a guest's", execerr.Nodef("reading: %w", guest), execerr.KindNode},
		{"the guest's, of a node's", execerr.Guestf("reading: %w", node), execerr.KindGuest},
		{"the node's, of out of gas", wrap(execerr.Nodef("charging: %w", execerr.ErrOutOfGas)), execerr.KindNode},
		{"the guest's, of an errno", execerr.Guestf("burning: %w", syscall), execerr.KindGuest},
		{"the guest's, of an abort", wrap(execerr.Guestf("exit: %w", abort)), execerr.KindGuest},
		{"several", errors.Join(errors.New("one"), node), execerr.KindNode},
		{"several with an errno", errors.Join(errors.New("one"), syscall), execerr.KindSyscall},
		{"several, one of them fatal", wrap(errors.Join(syscall, wrap(guest))), execerr.KindGuest},
	} {
		f := execerr.Classify(c.err)
		if f.Kind != c.want || execerr.KindOf(c.err) != c.want {
			t.Errorf("%s: %v, want %v", c.name, f.Kind, c.want)
		}
		if (f.Syscall != nil) != (c.want == execerr.KindSyscall) || (f.Abort != nil) != (c.want == execerr.KindAbort) || f.Fatal == nil && c.want == execerr.KindGuest {
			t.Errorf("%s: %+v", c.name, f)
		}
		if f.Fatal != nil && f.Fatal.Guest != (c.want == execerr.KindGuest) {
			t.Errorf("%s: %+v", c.name, f.Fatal)
		}
	}
}

// The outermost fatal error is the one that is meant: its text goes into receipts.
func TestClassifyOutermost(t *testing.T) {
	outer := execerr.Guestf("the state of an account: %w", execerr.Guestf("a list"))
	if f := execerr.Classify(fmt.Errorf("unwound: %w", outer)); f.Fatal != outer {
		t.Errorf("%v", f.Fatal)
	}
}

func TestClassifyAllocates(t *testing.T) {
	abort := &execerr.Abort{Code: 20}
	for name, err := range map[string]error{
		"nothing": nil, "an errno": execerr.Syscallf(execerr.NotFound, "none"), "a fatal error": execerr.Nodef("full"), "an exit": abort,
		"a wrapped exit": fmt.Errorf("unwound: %w", abort), "out of gas": execerr.ErrOutOfGas, "nobody's": context.Canceled,
	} {
		if n := testing.AllocsPerRun(100, func() { execerr.KindOf(err) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
