package filapi

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/internal/ethstate"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/node/textform"
	"github.com/edgefvm/fvm/trace"
)

// ArchiveOptions say what an archive's calls run on. The zero value is ready.
type ArchiveOptions struct {
	// Engine that runs calls. Default: one wazero engine shared by the process.
	Engine *fvm.Engine
	// Proofs judges proofs in calls. Default: a call that needs a verdict is an error.
	Proofs externs.ProofVerifier
	// Kept is how many executed tipsets are remembered. Default: 256.
	Kept int
}

// Archive is the chain of an archive as a [Chain]: it ends where the archive ends. States that the archive does not have are made by executing
// the tipsets from the nearest state below; they stay where the replay's options say, which should be a store that holds them.
func Archive(ctx context.Context, c *replay.Chain, o ArchiveOptions) (Chain, error) {
	n, _, err := c.Network(ctx)
	if err != nil {
		return nil, err
	}
	if o.Kept <= 0 {
		o.Kept = 256
	}
	return &archive{o: o, c: c, network: n, done: map[chain.Key]*Executed{}}, nil
}

type archive struct {
	o       ArchiveOptions
	network *network.Network

	mu      sync.Mutex // of the replay, which belongs to one goroutine at a time
	c       *replay.Chain
	genesis *chain.Tipset
	done    map[chain.Key]*Executed
}

var _ Chain = (*archive)(nil)

func (a *archive) Network() *network.Network { return a.network }

func (a *archive) Head(context.Context) (*chain.Tipset, error) { return a.c.Line().Head(), nil }

func (a *archive) Store() *chain.Store { return a.c.Headers() }

func (a *archive) States() blockstore.Blockstore { return a.c.States() }

// Genesis implements Chain. An archive that does not reach down to it is an error.
func (a *archive) Genesis(ctx context.Context) (*chain.Tipset, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.genesis == nil {
		ts, err := a.c.Line().At(ctx, 0)
		if err != nil {
			return nil, fmt.Errorf("the archive does not reach down to the genesis: %w", err)
		}
		a.genesis = ts
	}
	return a.genesis, nil
}

// onLine refuses a tipset that is not on the archive's chain: nobody could execute it.
func (a *archive) onLine(ctx context.Context, ts *chain.Tipset) error {
	at, err := a.c.Line().At(ctx, ts.Height())
	if err != nil {
		return err
	}
	if at.Key() != ts.Key() {
		return fmt.Errorf("the tipset at %s is not on the archive's chain", epochText(ts.Height()))
	}
	return nil
}

// Reach implements Chain.
func (a *archive) Reach(ctx context.Context, ts *chain.Tipset) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reach(ctx, ts)
}

func (a *archive) reach(ctx context.Context, ts *chain.Tipset) error {
	if ok, err := a.c.Kept(ctx, ts.ParentStateRoot()); ok || err != nil {
		return err
	}
	if err := a.onLine(ctx, ts); err != nil {
		return err
	}
	return a.c.Reach(ctx, ts)
}

// Executed implements Chain.
func (a *archive) Executed(ctx context.Context, ts *chain.Tipset) (*Executed, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := ts.Key()
	if done := a.done[key]; done != nil {
		return done, nil
	}
	if err := a.onLine(ctx, ts); err != nil {
		return nil, err
	}
	res, err := a.c.Execute(ctx, ts)
	if err != nil {
		return nil, err
	}
	done := &Executed{Messages: res.Applied(), Results: res.Result.Receipts, Root: res.Result.Root}
	if len(a.done) >= a.o.Kept {
		clear(a.done)
	}
	a.done[key] = done
	return done, nil
}

// Trace implements Chain.
func (a *archive) Trace(ctx context.Context, ts *chain.Tipset, message int) (*CallResult, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.onLine(ctx, ts); err != nil {
		return nil, err
	}
	res, err := a.c.Execute(ctx, ts)
	if err != nil {
		return nil, err
	}
	step, err := a.c.Step(ctx, res, message)
	if err != nil {
		return nil, err
	}
	return &CallResult{Message: step.Message.Message, Result: step.Result, Trace: step.Trace}, nil
}

// Walk implements Walker.
func (a *archive) Walk(ctx context.Context, ts *chain.Tipset, into blockstore.Blockstore, fn func(*replay.Applied) error) (cid.Cid, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.onLine(ctx, ts); err != nil {
		return cid.Undef, err
	}
	return a.c.Walk(ctx, ts, into, fn)
}

// Call implements Chain.
func (a *archive) Call(ctx context.Context, ts *chain.Tipset, m *fvm.Message, o CallOptions) (*CallResult, error) {
	if !o.On.Defined() {
		if err := a.Reach(ctx, ts); err != nil {
			return nil, err
		}
	}
	return callAt(ctx, a, chain.NewLine(a.Store(), ts).View(ts), m, setting{CallOptions: o, engine: a.o.Engine, proofs: a.o.Proofs})
}

// setting is what a call runs on.
type setting struct {
	CallOptions
	engine *fvm.Engine
	proofs externs.ProofVerifier
}

func (a *archive) setting() setting { return setting{engine: a.o.Engine, proofs: a.o.Proofs} }

func (c *DevChain) setting() setting { return setting{engine: c.n.Engine()} }

// callAt executes a message at the tipset of a view, on its parent state.
func callAt(ctx context.Context, c Chain, view *chain.View, m *fvm.Message, o setting) (*CallResult, error) {
	n, ts := c.Network(), view.Tipset()
	if u, ok := n.UpgradeAt(ts.Height() - 1); ok && u.Migrates {
		return nil, &jsonrpc.Error{
			Code: codeExpensiveFork, Message: fmt.Sprintf("required historical state unavailable: refusing explicit call due to state fork at epoch %d", u.Height), Data: u.Height,
		}
	}
	store := &blockstore.Overlay{Top: blockstore.NewMemory(), Base: c.States()}
	root := ts.ParentStateRoot()
	var parts supply.Parts
	var err error
	if o.On.Defined() {
		root = o.On
		var t *tree.Tree
		if t, err = tree.Load(ctx, store, root); err == nil {
			parts, err = supply.Rules{Network: n, GenesisPledge: big.Zero()}.At(ctx, ts.Height(), t)
		}
	} else {
		parts, err = supplyOf(ctx, c, ts)
	}
	if err != nil {
		return nil, err
	}
	if o.Anybody {
		if root, err = ethstate.Present(ctx, store, root, m.From); err != nil {
			return nil, err
		}
	}
	rules := chain.Rules{Network: n, State: c.States()}
	return call(ctx, fvm.Config{
		NetworkVersion: n.VersionAt(ts.Height()), Epoch: ts.Height(), Timestamp: ts.Timestamp(), ChainID: n.ChainID, BaseFee: ts.BaseFee(),
		CircSupply: parts.Circulating, StateRoot: root, Blockstore: store, Externs: rules.Externs(view, ts.Height(), root),
		Engine: o.engine, Proofs: o.proofs, ActorDebugging: n.Constants.ActorDebugging,
	}, m, o.CallOptions)
}

// codeExpensiveFork is the code of a call at an upgrade, whose migration would have to run for it.
const codeExpensiveFork = -32002

// implicitGas is the limit that nodes give to implicit messages, whatever their own is.
const implicitGas = math.MaxInt64 / 2

// call executes a message, after others, on a machine of its own.
func call(ctx context.Context, cfg fvm.Config, m *fvm.Message, o CallOptions) (*CallResult, error) {
	if len(o.Prior) > 0 {
		before, err := fvm.New(ctx, cfg)
		if err != nil {
			return nil, err
		}
		for _, x := range o.Prior {
			if _, err := before.Apply(ctx, x.Message, fvm.Explicit, x.Length); err != nil {
				return nil, fmt.Errorf("applying prior message %s: %w", x.CID, err)
			}
		}
		if cfg.StateRoot, err = before.Flush(ctx); err != nil {
			return nil, err
		}
	}
	if m.GasFeeCap.Sign() == 0 && (o.Explicit || !o.Anybody) { // contracts that eth_call calls see the block's
		cfg.BaseFee = big.Zero()
	}
	var rec trace.Recorder
	if o.Trace {
		cfg.Hooks = rec.Hooks()
	}
	machine, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	_, from, err := machine.Actor(ctx, m.From)
	if err != nil {
		return nil, err
	}
	if from == nil {
		return nil, fmt.Errorf("sender %s not found on chain", addressText('f', m.From))
	}
	with := *m
	with.Nonce = from.Nonce
	out := &CallResult{Message: &with}
	if o.Explicit {
		length, err := usualLength(&with)
		if err != nil {
			return nil, err
		}
		out.Result, err = machine.Apply(ctx, &with, fvm.Explicit, length)
		if err != nil {
			return nil, err
		}
	} else {
		if !o.Anybody {
			with.GasLimit = implicitGas
		}
		if out.Result, err = machine.ApplyImplicit(ctx, &with); err != nil {
			return nil, err
		}
	}
	if o.Trace {
		out.Trace = rec.Take()
	}
	return out, nil
}

// usualLength is how long a message is on the chain with a signature of the kind that its sender makes, in bytes.
func usualLength(m *fvm.Message) (int, error) {
	var b bytes.Buffer
	if err := m.MarshalCBOR(&b); err != nil {
		return 0, err
	}
	if m.From.Protocol() == address.BLS {
		return b.Len(), nil
	}
	return b.Len() + textform.UsualSignatureLength(crypto.SigTypeSecp256k1), nil
}
