package follow

import (
	"errors"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/remote"
)

var (
	// ErrIdentity is wrapped by errors about a node of another network, or a store of one.
	ErrIdentity = errors.New("another network")
	// ErrHalted is wrapped by the error of a run that ended at a difference, as Options.Halt says.
	ErrHalted = errors.New("halted at a difference")

	// errNode is wrapped by errors that are the node's fault, or the connection's: the tipset says nothing yet.
	errNode = remote.ErrNode
	// errGone is wrapped by the error of a block that the node does not have.
	errGone = remote.ErrGone
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

func hopeless(err error) bool { return remote.Hopeless(err) }

func gone(c cid.Cid) error { return remote.Gone(c) }
