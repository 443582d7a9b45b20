package vectors

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/vector"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/state"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/vm"
)

// lotus is a machine of Lotus.
type lotus struct {
	vm.Interface
	n *node
}

func onChain(id uint64) bool { return id == buildconstants.Eip155ChainId }

func open(ctx context.Context, n *node) (vector.Machine, error) {
	m, err := vm.NewVM(ctx, &vm.VMOpts{
		StateBase: n.cfg.StateRoot, Epoch: n.cfg.Epoch, Timestamp: n.cfg.Timestamp, NetworkVersion: n.cfg.NetworkVersion, BaseFee: n.cfg.BaseFee,
		Rand: n, Bstore: n, Tracing: true, ReturnEvents: true,
		CircSupplyCalc: func(context.Context, abi.ChainEpoch, *state.StateTree) (abi.TokenAmount, error) {
			return n.cfg.CircSupply, nil
		},
		TipSetGetter: func(context.Context, abi.ChainEpoch) (types.TipSetKey, error) {
			*n.out = tipsets
			return types.EmptyTSK, tipsets
		},
	})
	return lotus{m, n}, err
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

func (l lotus) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	apply := l.ApplyMessage
	if kind == fvm.Implicit {
		apply = l.ApplyMessageSkipSenderValidation // ApplyImplicitMessage with the message's own gas limit
	}
	ret, err := apply(ctx, message{&types.Message{
		Version: msg.Version, To: msg.To, From: msg.From, Nonce: msg.Nonce, Value: msg.Value, GasLimit: msg.GasLimit,
		GasFeeCap: msg.GasFeeCap, GasPremium: msg.GasPremium, Method: msg.Method, Params: msg.Params,
	}, length})
	if err != nil {
		return nil, l.n.failed(err)
	}
	l.look(ret.ExecutionTrace)
	return &fvm.Result{
		ExitCode: ret.ExitCode, Return: ret.Return, GasUsed: ret.GasUsed, EventsRoot: ret.EventsRoot, Events: events(ret.Events),
		Penalty: ret.GasCosts.MinerPenalty, MinerTip: ret.GasCosts.MinerTip, BaseFeeBurn: ret.GasCosts.BaseFeeBurn,
		OverEstimationBurn: ret.GasCosts.OverEstimationBurn, Refund: ret.GasCosts.Refund, GasRefund: ret.GasCosts.GasRefund, GasBurned: ret.GasCosts.GasBurned,
	}, nil
}

func (l lotus) Flush(ctx context.Context) (cid.Cid, error) { return l.Interface.Flush(ctx) }

// look shows the node the names of a trace's charges.
func (l lotus) look(t types.ExecutionTrace) {
	for _, g := range t.GasCharges {
		l.n.charged(g.Name)
	}
	for _, inner := range t.Subcalls {
		l.look(inner)
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
