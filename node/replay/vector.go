package replay

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/proof"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// vector writes a tipset's own machine as a closed vector: the state that it began with, after null rounds and migrations, its
// messages, rewards and cron, every block that they read, and every answer of the chain. The state root that it expects is the
// chain's, the receipts are what came here.
func (r *run) vector(ctx context.Context, t *Tipset) (string, error) {
	seen := &witness{Blockstore: r.state, read: map[cid.Cid]blocks.Block{}}
	name, err := r.code(ctx, t.Plan.Own().Root, seen)
	if err != nil {
		return "", err
	}
	cfg := r.own(t, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: seen})
	var what []string
	for _, d := range t.Differences {
		what = append(what, d.What)
	}
	draft := vector.NewDraft(cfg, name, fmt.Sprintf("the tipset at epoch %d of network %s: not as on the chain: %s", t.Epoch, r.rules.Network.Name, strings.Join(what, ", ")))
	asked := &answers{draft: draft, chain: cfg.Externs, proofs: r.Proofs, told: map[string]bool{}}
	cfg.Externs = asked
	if r.Proofs != nil {
		cfg.Proofs = asked
	}
	var rec trace.Recorder
	cfg.Hooks = rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return "", err
	}
	var traces []trace.Events
	apply := func(msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
		res, err := m.Apply(ctx, msg, kind, length)
		if err != nil {
			return nil, err
		}
		traces = append(traces, rec.Take())
		return res, draft.Message(msg, kind, length, res)
	}
	if err := again(t.Plan, apply); err != nil {
		return "", err
	}
	post, err := m.Flush(ctx)
	if err != nil {
		return "", err
	}
	for _, d := range t.Differences {
		if d.What == "state root" {
			if post, err = cid.Decode(d.Want); err != nil {
				return "", err
			}
		}
	}
	draft.Traces(traces, nil, nil)
	list := slices.SortedFunc(maps.Values(seen.read), func(a, b blocks.Block) int { return bytes.Compare(a.Cid().Bytes(), b.Cid().Bytes()) })
	return draft.Save(r.Vectors, post, list)
}

// own is the config of an executed tipset's own machine, to apply its messages again on states of the caller's. Proofs and Hooks are the
// caller's to set.
func (r *run) own(t *Tipset, states blockstore.Blockstore) fvm.Config {
	cfg, at := t.Plan.Run.Config, t.Plan.Own()
	cfg.StateRoot, cfg.CircSupply, cfg.Blockstore, cfg.Engine = at.Root, at.Supply.Circulating, states, r.Engines[0]
	cfg.Externs = r.rules.Externs(r.line.View(t.Plan.Tipset), t.Epoch, at.Root)
	return cfg
}

// code names the bundle that a state's actors are of; if none is known by name all their code goes into the vector.
func (r *run) code(ctx context.Context, root cid.Cid, seen *witness) (string, error) {
	st, err := tree.Load(ctx, r.state, root)
	if err != nil {
		return "", err
	}
	list, err := st.Builtin(ctx)
	if err != nil {
		return "", err
	}
	if name := bundle.NameOf(list); name != "" {
		return name, nil
	}
	codes, err := st.Codes(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range codes {
		if _, err := seen.Get(ctx, c); err != nil {
			return "", err
		}
	}
	return vector.NoBundle, nil
}

// again applies a plan's messages one by one, as ApplyTipset does.
func again(p *chain.Plan, apply func(*fvm.Message, fvm.Kind, int) (*fvm.Result, error)) error {
	epoch := p.Run.Epoch
	for i, list := range fresh(p) {
		penalty, tip := big.Zero(), big.Zero()
		for _, m := range list {
			res, err := apply(m.Message, fvm.Explicit, m.Length)
			if err != nil {
				return err
			}
			penalty, tip = big.Add(penalty, res.Penalty), big.Add(tip, res.MinerTip)
		}
		b := p.Run.Blocks[i]
		reward, err := executor.RewardMessage(epoch, b.Miner, penalty, tip, b.WinCount)
		if err != nil {
			return err
		}
		if _, err := apply((*fvm.Message)(reward), fvm.Implicit, 0); err != nil {
			return err
		}
	}
	_, err := apply((*fvm.Message)(executor.CronMessage(epoch)), fvm.Implicit, 0)
	return err
}

// witness notes the blocks that are read through it.
type witness struct {
	blockstore.Blockstore
	mu   sync.Mutex
	read map[cid.Cid]blocks.Block
}

func (w *witness) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Blockstore.Get(ctx, c)
	if err == nil {
		w.mu.Lock()
		w.read[c] = b
		w.mu.Unlock()
	}
	return b, err
}

// answers puts each question to the chain, and tells a draft what came. It belongs to one goroutine.
type answers struct {
	draft  *vector.Draft
	chain  externs.Externs
	proofs externs.ProofVerifier
	told   map[string]bool
}

func (a *answers) once(key string) bool {
	if a.told[key] {
		return false
	}
	a.told[key] = true
	return true
}

func (a *answers) ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	v, err := a.chain.ChainRandomness(ctx, round)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprint("chain", round)) {
		a.draft.Randomness(false, round, v, err)
	}
	return v, err
}

func (a *answers) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	v, err := a.chain.BeaconRandomness(ctx, round)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprint("beacon", round)) {
		a.draft.Randomness(true, round, v, err)
	}
	return v, err
}

func (a *answers) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	v, err := a.chain.TipsetCID(ctx, epoch)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprint("tipset", epoch)) {
		a.draft.Tipset(epoch, v, err)
	}
	return v, err
}

func (a *answers) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	f, err := a.chain.VerifyConsensusFault(ctx, h1, h2, extra)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprintf("fault %x %x %x", h1, h2, extra)) {
		a.draft.Fault(h1, h2, extra, f, err)
	}
	return f, err
}

func (a *answers) proof(info any, valid bool, err error) (bool, error) {
	if externs.IsNodeFailure(err) {
		return valid, err
	}
	if key, kerr := vector.ProofKey(info); kerr == nil && a.once(key) {
		a.draft.Proof(key, valid, err)
	}
	return valid, err
}

func (a *answers) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	ok, err := a.proofs.VerifySeal(ctx, info)
	return a.proof(info, ok, err)
}

func (a *answers) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	ok, err := a.proofs.VerifyAggregateSeals(ctx, info)
	return a.proof(info, ok, err)
}

func (a *answers) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	ok, err := a.proofs.VerifyPoSt(ctx, info)
	return a.proof(info, ok, err)
}

func (a *answers) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	ok, err := a.proofs.VerifyReplicaUpdate(ctx, info)
	return a.proof(info, ok, err)
}
