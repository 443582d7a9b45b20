package executor

import (
	"context"

	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// Ahead makes a call that an actor is expected to make while a message of the system's is executed, in the same setting: for what modules
// note of it. The machine is one whose state nobody needs afterwards.
func Ahead(ctx context.Context, m *machine.Machine, modules *call.Modules, msg *Message, r kernel.SendRequest) error {
	s, _, err := preflight(ctx, m, msg, Implicit, 0)
	if err != nil {
		return err
	}
	c, err := manager(ctx, m, modules, msg, s)
	if err != nil {
		return err
	}
	_, err = c.Send(ctx, r)
	return err
}
