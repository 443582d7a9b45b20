package ffi

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	fvmstore "github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/filecoin-project/filecoin-ffi/cgo"
)

// node answers as a node does, from the externs and the store that a vector has.
type node struct {
	blockstore.Blockstore // nil: machines use only the methods below
	store                 fvmstore.Blockstore
	externs               externs.Externs
}

var _ cgo.Externs = (*node)(nil)

func (n *node) Has(ctx context.Context, c cid.Cid) (bool, error) { return n.store.Has(ctx, c) }
func (n *node) Put(ctx context.Context, b blocks.Block) error    { return n.store.Put(ctx, b) }
func (n *node) PutMany(ctx context.Context, list []blocks.Block) error {
	return n.store.PutMany(ctx, list)
}

// View lends the bytes and takes them back, as a node's database does.
func (n *node) View(ctx context.Context, c cid.Cid, show func([]byte) error) error {
	b, err := n.store.Get(ctx, c)
	if err != nil {
		return err
	}
	lent := append([]byte{}, b.RawData()...)
	err = show(lent)
	clear(lent)
	return err
}

func (n *node) GetChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	return n.externs.ChainRandomness(ctx, epoch)
}

func (n *node) GetBeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	return n.externs.BeaconRandomness(ctx, epoch)
}

func (n *node) TipsetCid(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	return n.externs.TipsetCID(ctx, epoch)
}

func (n *node) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*cgo.ConsensusFault, int64) {
	f, err := n.externs.VerifyConsensusFault(ctx, h1, h2, extra)
	const gas = 7 // of no consequence
	switch {
	case errors.Is(err, externs.ErrNodeFailure):
		return nil, gas
	case err != nil:
		return &cgo.ConsensusFault{Type: 99}, gas // a node has no other way to fail
	case f == nil:
		return &cgo.ConsensusFault{}, gas
	}
	target, _ := address.NewIDAddress(uint64(f.Target))
	return &cgo.ConsensusFault{Target: target, Epoch: f.Epoch, Type: cgo.ConsensusFaultType(f.Type)}, gas
}

// winning adds to a vector's verifier what machines do not ask.
type winning struct{ externs.ProofVerifier }

func (winning) VerifyWinningPoSt(context.Context, proof.WinningPoStVerifyInfo) (bool, error) {
	return true, nil
}

// optsOf are the options of a machine in the setting of a vector.
func optsOf(cfg fvm.Config) *FVMOpts {
	return &FVMOpts{
		Externs: &node{store: cfg.Blockstore, externs: cfg.Externs}, Epoch: cfg.Epoch, Timestamp: cfg.Timestamp, ChainID: cfg.ChainID,
		BaseFee: cfg.BaseFee, BaseCircSupply: cfg.CircSupply, NetworkVersion: cfg.NetworkVersion, StateBase: cfg.StateRoot, Tracing: true,
		FlushAllBlocks: cfg.FlushAll, Debug: cfg.ActorDebugging,
	}
}

// encodeMessage is a message's CBOR, as a node gives it.
func encodeMessage(m *fvm.Message) []byte {
	e := &encoder{}
	e.array(10)
	e.uint(m.Version)
	e.bytes(m.To.Bytes())
	e.bytes(m.From.Bytes())
	e.uint(m.Nonce)
	e.amount(m.Value)
	if m.GasLimit < 0 {
		e.head(1, uint64(-m.GasLimit-1))
	} else {
		e.uint(uint64(m.GasLimit))
	}
	e.amount(m.GasFeeCap)
	e.amount(m.GasPremium)
	e.uint(uint64(m.Method))
	e.bytes(m.Params)
	return e.buf
}

// throughFFI is a vector's machine that is reached the way a node reaches it.
type throughFFI struct {
	f    *FVM
	rets []*ApplyRet // nil: no receipt
}

// openFFI makes the machine of a vector on a node's engines, with the vector's verifier.
func openFFI(n *Node, cfg fvm.Config) (*throughFFI, error) {
	own := *n
	own.verifier = func() ProofVerifier {
		if cfg.Proofs == nil {
			return nil
		}
		return winning{cfg.Proofs}
	}
	f, err := own.create(optsOf(cfg))
	return &throughFFI{f: f}, err
}

func (t *throughFFI) Apply(_ context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	var ret *ApplyRet
	var err error
	if kind == fvm.Implicit {
		ret, err = t.f.ApplyImplicitMessage(encodeMessage(msg))
	} else {
		ret, err = t.f.ApplyMessage(encodeMessage(msg), uint(length))
	}
	t.rets = append(t.rets, ret)
	if err != nil {
		return nil, err
	}
	events, err := decodeEvents(ret.EventsBytes)
	if err != nil {
		return nil, fmt.Errorf("the events: %w", err)
	}
	return &fvm.Result{
		ExitCode: exitCode(ret.ExitCode), Return: ret.Return, GasUsed: ret.GasUsed, EventsRoot: ret.EventsRoot, Events: events,
		Penalty: ret.MinerPenalty, MinerTip: ret.MinerTip, BaseFeeBurn: ret.BaseFeeBurn, OverEstimationBurn: ret.OverEstimationBurn,
		Refund: ret.Refund, GasRefund: ret.GasRefund, GasBurned: ret.GasBurned, Failure: ret.FailureInfo,
	}, nil
}

func (t *throughFFI) Flush(context.Context) (cid.Cid, error) { return t.f.Flush() }
