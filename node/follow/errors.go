package follow

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/lotusrpc"
)

var (
	// ErrIdentity is wrapped by errors about a node of another network, or a store of one.
	ErrIdentity = errors.New("another network")
	// ErrHalted is wrapped by the error of a run that ended at a difference, as Options.Halt says.
	ErrHalted = errors.New("halted at a difference")

	// errNode is wrapped by errors that are the node's fault, or the connection's: the tipset says nothing yet.
	errNode = errors.New("asking the node")
	// errGone is wrapped by the error of a block that the node does not have.
	errGone = errors.New("the node does not have it any more")
)

// failed is the node's part in a failure, which the machine's own errors need not show.
type failed struct {
	mu  sync.Mutex
	err error // the first
}

func (f *failed) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || errors.Is(err, errGone) {
		f.err = err
	}
}

func (f *failed) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// hopeless tells errors of a node that asking again soon does not mend: they are told at once.
func hopeless(err error) bool {
	return errors.Is(err, lotusrpc.ErrDenied) || lotusrpc.IsUnknownMethod(err) || errors.Is(err, context.Canceled)
}

func gone(c cid.Cid) error { return fmt.Errorf("%w: block %s: %w", errNode, c, errGone) }
