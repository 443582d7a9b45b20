package vectors

import (
	"context"
	"errors"
	"math"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/vector"
	"github.com/filecoin-project/venus/pkg/fork"
	venusfvm "github.com/filecoin-project/venus/pkg/fvm"
	"github.com/filecoin-project/venus/pkg/state/tree"
	"github.com/filecoin-project/venus/pkg/vm"
	actortypes "github.com/filecoin-project/venus/venus-shared/actors/types"
	"github.com/filecoin-project/venus/venus-shared/types"
)

// venus is a machine of Venus.
type venus struct {
	vm.Interface
	n *node
}

// onChain has Venus be on a chain.
func onChain(id uint64) bool {
	actortypes.Eip155ChainID = int(id)
	return true
}

func open(ctx context.Context, n *node) (vector.Machine, error) {
	m, err := venusfvm.NewVM(ctx, vm.VmOption{
		PRoot: n.cfg.StateRoot, Epoch: n.cfg.Epoch, Timestamp: n.cfg.Timestamp, NetworkVersion: n.cfg.NetworkVersion, BaseFee: n.cfg.BaseFee,
		Rnd: n, Bsstore: n, Tracing: true, ReturnEvents: true, Fork: fork.NewMockFork(),
		CircSupplyCalculator: func(context.Context, abi.ChainEpoch, tree.Tree) (abi.TokenAmount, error) {
			return n.cfg.CircSupply, nil
		},
		TipSetGetter: func(context.Context, abi.ChainEpoch) (types.TipSetKey, error) {
			*n.out = tipsets
			return types.EmptyTSK, tipsets
		},
	})
	return venus{m, n}, err
}

func (n *node) GetBeaconEntry(context.Context, abi.ChainEpoch) (*types.BeaconEntry, error) {
	return nil, errors.New("no message asks for an entry")
}

// message is one of a given length on the chain.
type message struct {
	*types.Message
	length int
}

func (m message) ChainLength() int { return m.length }

func (v venus) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	apply := v.ApplyMessage
	if kind == fvm.Implicit {
		if msg.GasLimit != math.MaxInt64/2 {
			*v.n.out = gasLimit
			return nil, gasLimit
		}
		apply = v.ApplyImplicitMessage
	}
	ret, err := apply(ctx, message{&types.Message{
		Version: msg.Version, To: msg.To, From: msg.From, Nonce: msg.Nonce, Value: msg.Value, GasLimit: msg.GasLimit,
		GasFeeCap: msg.GasFeeCap, GasPremium: msg.GasPremium, Method: msg.Method, Params: msg.Params,
	}, length})
	if err != nil {
		return nil, v.n.failed(err)
	}
	v.look(ret.GasTracker.ExecutionTrace)
	res := &fvm.Result{
		ExitCode: ret.Receipt.ExitCode, Return: ret.Receipt.Return, GasUsed: ret.Receipt.GasUsed, EventsRoot: ret.Receipt.EventsRoot, Events: events(ret.Events),
		Penalty: ret.OutPuts.MinerPenalty, MinerTip: ret.OutPuts.MinerTip, BaseFeeBurn: ret.OutPuts.BaseFeeBurn,
		OverEstimationBurn: ret.OutPuts.OverEstimationBurn, Refund: ret.OutPuts.Refund, GasRefund: ret.OutPuts.GasRefund, GasBurned: ret.OutPuts.GasBurned,
	}
	if kind == fvm.Implicit { // there are no fees, and Venus does not fill them in
		res.Penalty, res.MinerTip, res.BaseFeeBurn, res.OverEstimationBurn, res.Refund = big.Zero(), big.Zero(), big.Zero(), big.Zero(), big.Zero()
	}
	return res, nil
}

func (v venus) Flush(ctx context.Context) (cid.Cid, error) { return v.Interface.Flush(ctx) }

// look shows the node the names of a trace's charges.
func (v venus) look(t types.ExecutionTrace) {
	for _, g := range t.GasCharges {
		v.n.charged(g.Name)
	}
	for _, inner := range t.Subcalls {
		v.look(inner)
	}
}

func events(list []types.Event) []fvm.Event {
	var out []fvm.Event
	for _, e := range list {
		one := fvm.Event{Emitter: e.Emitter}
		for _, f := range e.Entries {
			one.Entries = append(one.Entries, fvm.EventEntry{Flags: uint64(f.Flags), Key: f.Key, Codec: f.Codec, Value: f.Value})
		}
		out = append(out, one)
	}
	return out
}
