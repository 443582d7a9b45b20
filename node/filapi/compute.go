package filapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/trace"
)

type computedJSON struct {
	Root  cid.Cid
	Trace []*invocationJSON
}

// Bounds of StateCompute.
const (
	mostComputed      = 1000   // messages
	mostComputedAhead = 10_000 // epochs
)

// StateCompute executes a tipset once more and tells of each message what it did: cron of the null rounds before, the tipset's messages and
// rewards, and cron. Then the given messages are applied at a height, with the nonces that they have; no cron runs on the way there.
func (m v1) StateCompute(ctx context.Context, height abi.ChainEpoch, messages []*Message, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	w, ok := m.o.Chain.(Walker)
	switch {
	case !ok:
		err = errors.New("this chain's tipsets cannot be executed")
	case len(messages) > mostComputed:
		err = fmt.Errorf("%d messages; the most is %d", len(messages), mostComputed)
	case height < 0 || height > ts.Height()+mostComputedAhead:
		err = fmt.Errorf("a height of %d: want 0 to %d, %d above the tipset's", height, ts.Height()+mostComputedAhead, mostComputedAhead)
	}
	if err != nil {
		return m.out(nil, err)
	}
	store := &blockstore.Overlay{Top: blockstore.NewMemory(), Base: m.o.Chain.States()}
	out := &computedJSON{Trace: []*invocationJSON{}}
	if ts.Height() == 0 {
		out.Root = ts.ParentStateRoot()
	} else if out.Root, err = m.walk(ctx, w, ts, store.Top, out); err != nil {
		return m.out(nil, fmt.Errorf("failed to compute base state: %w", err))
	}
	if len(messages) == 0 {
		return m.out(out, nil)
	}
	return m.out(out, m.compute(ctx, store, computeAt{ts, height}, messages, out))
}

// walk appends what a tipset's execution applied.
func (a *API) walk(ctx context.Context, w Walker, ts *chain.Tipset, into blockstore.Blockstore, out *computedJSON) (cid.Cid, error) {
	start := a.o.Now()
	return w.Walk(ctx, ts, into, func(x *replay.Applied) error {
		one, err := a.applied(&CallResult{Message: x.Message, Result: x.Result, Trace: x.Trace}, !x.Implicit, &start)
		if err == nil && x.CID.Defined() {
			one.MsgCid = x.CID
		}
		out.Trace = append(out.Trace, one)
		return err
	})
}

// applied is a message that was applied since a time, which it moves on.
func (a *API) applied(r *CallResult, explicit bool, since *time.Time) (*invocationJSON, error) {
	one, err := invocation(r)
	if err != nil {
		return nil, err
	}
	now := a.o.Now()
	one.Duration = max(now.Sub(*since).Nanoseconds(), 1)
	*since = now
	if explicit {
		one.GasCost = gasCost(r.Message, one.MsgCid, r.Result)
	}
	return one, nil
}

// computeAt is a height that messages are applied at, upon a tipset.
type computeAt struct {
	ts     *chain.Tipset
	height abi.ChainEpoch
}

// compute applies messages upon the state that a tipset left.
func (a *API) compute(ctx context.Context, store blockstore.Blockstore, place computeAt, messages []*Message, out *computedJSON) error {
	n, ts, height := a.o.Chain.Network(), place.ts, place.height
	for e := ts.Height(); e < height; e++ {
		if u, ok := n.UpgradeAt(e); ok && u.Migrates {
			return fmt.Errorf("the upgrade at epoch %d, on the way to %d, migrates the state, which is not done for this", u.Height, height)
		}
	}
	t, err := tree.Load(ctx, store, out.Root)
	if err != nil {
		return fmt.Errorf("the state that the tipset leaves: %w", err)
	}
	parts, err := supply.Rules{Network: n, GenesisPledge: abi.NewTokenAmount(0)}.At(ctx, height, t)
	if err != nil {
		return err
	}
	rules := chain.Rules{Network: n, State: store}
	var rec trace.Recorder
	cfg := fvm.Config{
		NetworkVersion: n.VersionAt(height), Epoch: height, Timestamp: ts.Timestamp(), ChainID: n.ChainID, BaseFee: ts.BaseFee(),
		CircSupply: parts.Circulating, StateRoot: out.Root, Blockstore: store, Externs: rules.Externs(a.view(ts), height, out.Root),
		ActorDebugging: n.Constants.ActorDebugging, Hooks: rec.Hooks(),
	}
	if c, ok := a.o.Chain.(interface {
		setting() setting
	}); ok {
		s := c.setting()
		cfg.Engine, cfg.Proofs = s.engine, s.proofs
	}
	machine, err := fvm.New(ctx, cfg)
	if err != nil {
		return err
	}
	start := a.o.Now()
	for i, p := range messages {
		msg, err := p.message()
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		var raw bytes.Buffer
		if err := msg.MarshalCBOR(&raw); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		res, err := machine.Apply(ctx, msg, fvm.Explicit, raw.Len())
		if err != nil {
			return fmt.Errorf("applying message %d: %w", i, err)
		}
		one, err := a.applied(&CallResult{Message: msg, Result: res, Trace: rec.Take()}, true, &start)
		if err != nil {
			return err
		}
		out.Trace = append(out.Trace, one)
	}
	out.Root, err = machine.Flush(ctx)
	return err
}
