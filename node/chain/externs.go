package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// Externs answers a machine's questions from the chain that its tipset stands on. One belongs to one machine: the answer about
// a consensus fault depends on the machine's epoch and on the state that it began with. It is safe for concurrent use if the
// blockstores are.
type Externs struct {
	View    *View
	Network *network.Network // with the genesis' time
	State   blockstore.Blockstore
	Epoch   abi.ChainEpoch // the machine's
	Root    cid.Cid        // of the state that the machine began with
}

var _ externs.Externs = (*Externs)(nil)

// ChainRandomness is that of externs.Externs.
func (x *Externs) ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	d, err := x.View.ChainRandomness(ctx, round)
	return d, answer(err)
}

// BeaconRandomness is that of externs.Externs.
func (x *Externs) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	d, err := x.View.BeaconRandomness(ctx, round, x.Network.BeaconRound)
	return d, answer(err)
}

// TipsetCID is that of externs.Externs.
func (x *Externs) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	t, err := x.View.Until(ctx, epoch)
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
	}
	return t.Key().CID()
}

// answer makes errors failures of this node, but for those that the chain itself gives to every node.
func answer(err error) error {
	if err == nil || isAnswer(err) {
		return err
	}
	return fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
}

func isAnswer(err error) bool { return errors.Is(err, ErrTipset) || tree.IsAnswer(err) }
