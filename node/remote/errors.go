package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/lotusrpc"
)

var (
	// ErrNode is wrapped by errors that are the node's fault, or the connection's: they say nothing of the chain.
	ErrNode = errors.New("asking the node")
	// ErrGone is wrapped by the error of a block that the node does not have.
	ErrGone = errors.New("the node does not have it any more")
	// ErrOffline is wrapped by the error of a block that was not fetched before, where nobody may be asked.
	ErrOffline = errors.New("it was not fetched before, and no node is asked")
)

// Hopeless tells errors of a node that asking again soon does not mend: they are told at once.
func Hopeless(err error) bool {
	return errors.Is(err, lotusrpc.ErrDenied) || lotusrpc.IsUnknownMethod(err) || errors.Is(err, context.Canceled)
}

// Gone is the error of a block that the node does not have.
func Gone(c cid.Cid) error { return fmt.Errorf("%w: block %s: %w", ErrNode, c, ErrGone) }
