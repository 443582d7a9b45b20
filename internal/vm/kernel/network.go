package kernel

import (
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// finality is how far back tipset_cid reached until nv20, in epochs.
const finality = 900

// NetworkContext charges for vm::context; its content is the machine's Context.
func (k *Kernel) NetworkContext() error { return k.gas.Apply(k.prices.OnNetworkContext()) }

// CircSupply is the circulating supply at the epoch's beginning.
func (k *Kernel) CircSupply() abi.TokenAmount { return k.m.CircSupply }

// BaseFee is the network's base fee.
func (k *Kernel) BaseFee() abi.TokenAmount { return k.m.BaseFee }

// Network is what an actor may know of the network.
func (k *Kernel) Network() (epoch abi.ChainEpoch, timestamp, chainID uint64, version uint32) {
	return k.m.Epoch, k.m.Timestamp, k.m.ChainID, uint32(k.m.NetworkVersion)
}

// TipsetCID is the CID of an earlier tipset's key.
func (k *Kernel) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	if epoch < 0 {
		return cid.Undef, execerr.Syscallf(execerr.IllegalArgument, "the epoch %d is negative", epoch)
	}
	lookback := k.m.Epoch - epoch
	if lookback <= 0 {
		return cid.Undef, execerr.Syscallf(execerr.IllegalArgument, "the epoch %d is not in the past", epoch)
	}
	if k.m.Profile.TipsetFinality && lookback >= finality {
		return cid.Undef, execerr.Syscallf(execerr.IllegalArgument, "the epoch %d is beyond finality", epoch)
	}
	if err := k.gas.Apply(k.prices.OnTipsetCid(lookback)); err != nil {
		return cid.Undef, err
	}
	c, err := k.m.Externs.TipsetCID(ctx, epoch)
	if err != nil {
		return cid.Undef, execerr.Nodef("asking the node for the tipset at epoch %d: %w", epoch, err)
	}
	return c, nil
}

// Randomness kinds.
type RandomnessKind bool

// The two sources of randomness.
const (
	ChainRandomness  RandomnessKind = false
	BeaconRandomness RandomnessKind = true
)

// Randomness is the undrawn digest of a round (nv21 and later).
func (k *Kernel) Randomness(ctx context.Context, kind RandomnessKind, round abi.ChainEpoch) ([32]byte, error) {
	lookback := k.m.Epoch - round
	if round < 0 && lookback < 0 { // the subtraction overflowed
		return [32]byte{}, execerr.Syscallf(execerr.IllegalArgument, "no randomness for the epoch %d", round)
	}
	if err := k.gas.Apply(k.prices.OnGetRandomness(lookback)); err != nil {
		return [32]byte{}, err
	}
	return k.digest(ctx, kind, round)
}

// DrawRandomness draws from the digest of a round for a purpose (until nv20).
func (k *Kernel) DrawRandomness(ctx context.Context, kind RandomnessKind, pers int64, round abi.ChainEpoch, entropy []byte) ([32]byte, error) {
	if err := k.gas.Apply(k.prices.OnDrawRandomness(len(entropy))); err != nil {
		return [32]byte{}, err
	}
	d, err := k.digest(ctx, kind, round)
	if err != nil {
		return d, err
	}
	buf := make([]byte, 0, 48+len(entropy))
	buf = appendUint64(buf, uint64(pers))
	buf = append(buf, d[:]...)
	buf = appendUint64(buf, uint64(round))
	return crypto.Blake2b256(append(buf, entropy...)), nil
}

func (k *Kernel) digest(ctx context.Context, kind RandomnessKind, round abi.ChainEpoch) (d [32]byte, err error) {
	if kind == BeaconRandomness {
		d, err = k.m.Externs.BeaconRandomness(ctx, round)
	} else {
		d, err = k.m.Externs.ChainRandomness(ctx, round)
	}
	if err != nil {
		return d, externFailure("randomness", err)
	}
	return d, nil
}
