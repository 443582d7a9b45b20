package edit

import (
	"context"

	"github.com/filecoin-project/go-address"
)

// ClearStorage takes all slots of a contract. Of everybody else there are none.
func (e *Editor) ClearStorage(ctx context.Context, a address.Address) error {
	id, st, err := e.find(ctx, a)
	if err != nil || st == nil || e.Name(st.Code) != "evm" {
		return err
	}
	empty, err := e.newContract(ctx)
	if err != nil {
		return err
	}
	return e.changeContract(ctx, id, st, func(c *contract) error { c.slots = empty.slots; return nil })
}
