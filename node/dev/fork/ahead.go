package fork

import (
	"context"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/internal/collections"
	"github.com/edgefvm/fvm/node/remote"
)

const (
	// Fields of the states of the power and the reward actor, in the order of their lists: the first two as far from the front, the others as
	// far from the end in all versions.
	powerSmoothed  = 8
	rewardSmoothed = 5
	powerCronQueue = 4
	powerFirstCron = 3
	// cronBits is the width of the queue's nodes.
	cronBits = 6
	// methodDeferred is what miners are called by when their time has come.
	methodDeferred = 12
	cronFields     = 2 // of an event
	maxCronEpochs  = 2880
	maxCronEvents  = 20_000
)

// ahead fetches what the cron of an epoch will read of miners: each miner whose deadline ends is called, and its state has a dozen levels.
// Cron does it one after the other; here each miner's part is executed on a machine of its own, many at a time, and thrown away. So what is
// fetched is what the actors read, whatever their state looks like. It is a guess, so nothing that goes wrong matters.
func (s *Source) ahead(ctx context.Context, cfg fvm.Config) {
	s.warm(ctx, cfg.Blockstore, cfg.StateRoot, singletons)
	events, smoothed, err := s.cronEvents(ctx, cfg)
	if err != nil || len(events) == 0 {
		return
	}
	work := make(chan cronEvent, len(events))
	for _, e := range events {
		work <- e
	}
	close(work)
	cfg.Hooks = nil
	var wg sync.WaitGroup
	for range min(remote.Parallel, len(events)) {
		wg.Go(func() {
			for e := range work {
				if ctx.Err() != nil {
					return
				}
				s.rehearse(ctx, cfg, e, smoothed)
			}
		})
	}
	wg.Wait()
}

// singletons are the actors that each epoch's cron and rewards touch.
var singletons = func() (list []address.Address) {
	for id := range uint64(8) {
		list = append(list, addr.NewID(id))
	}
	return append(list, addr.NewID(uint64(tree.Burnt)))
}()

// cronEvent is a miner that is to be called.
type cronEvent struct {
	miner   address.Address
	payload []byte
}

// rehearse calls a miner as the power actor would.
func (s *Source) rehearse(ctx context.Context, cfg fvm.Config, e cronEvent, smoothed []byte) {
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: cfg.Blockstore}
	if s.seen(ctx, cfg, e.miner) {
		return
	}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return
	}
	params := cbor.AppendBytes(cbor.AppendArray(nil, 3), e.payload)
	params = append(params, smoothed...)
	_, _ = m.ApplyImplicit(ctx, &fvm.Message{
		From: addr.NewID(uint64(tree.Power)), To: e.miner, Value: big.Zero(), GasLimit: 10_000_000_000, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
		Method: methodDeferred, Params: params,
	})
}

// cronEvents are the miners that the power actor will call at an epoch, and what it tells each: the smoothed estimates of reward and power,
// as they stand in the states.
func (s *Source) cronEvents(ctx context.Context, cfg fvm.Config) (list []cronEvent, smoothed []byte, err error) {
	st, err := tree.Load(ctx, cfg.Blockstore, cfg.StateRoot)
	if err != nil {
		return nil, nil, err
	}
	power, err := st.Fields(ctx, tree.Power)
	if err != nil {
		return nil, nil, err
	}
	reward, err := st.Fields(ctx, tree.Reward)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range []struct {
		of *tree.Fields
		at int
	}{{reward, rewardSmoothed}, {power, powerSmoothed}} {
		raw, err := f.of.Raw(f.at)
		if err != nil {
			return nil, nil, err
		}
		smoothed = append(smoothed, raw...)
	}
	root, err := power.CID(power.Len() - powerCronQueue)
	if err != nil {
		return nil, nil, err
	}
	first, err := power.Int(power.Len() - powerFirstCron)
	if err != nil {
		return nil, nil, err
	}
	src := collections.Source{Load: func(ctx context.Context, c cid.Cid) ([]byte, error) {
		b, err := cfg.Blockstore.Get(ctx, c)
		if err != nil {
			return nil, err
		}
		return b.RawData(), nil
	}}
	queue := &collections.Map{Source: src, Root: root, Format: collections.HAMT, Bits: cronBits}
	for e := max(abi.ChainEpoch(first), cfg.Epoch-maxCronEpochs); e <= cfg.Epoch; e++ {
		value, ok, err := queue.Get(ctx, []byte(abi.IntKey(int64(e)).Key()))
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		r := cbor.NewReader(value)
		events, err := collections.OpenArray(ctx, src, r.CID())
		if err != nil {
			return nil, nil, err
		}
		err = events.ForEach(ctx, func(_ uint64, value []byte) error {
			r := cbor.NewReader(value)
			r.Tuple(cronFields)
			raw, payload := r.Bytes(), r.Bytes()
			if err := r.End(); err != nil {
				return err
			}
			miner, err := address.NewFromBytes(raw)
			if err == nil && len(list) < maxCronEvents {
				list = append(list, cronEvent{miner, payload})
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return list, smoothed, nil
}

// seen tells whether a miner's state was fetched before: then what its cron reads was too, most likely.
func (s *Source) seen(ctx context.Context, cfg fvm.Config, miner address.Address) bool {
	st, err := tree.Load(ctx, cfg.Blockstore, cfg.StateRoot)
	if err != nil {
		return true
	}
	id, err := st.ID(ctx, miner)
	if err != nil {
		return true
	}
	a, err := st.Actor(ctx, id)
	if err != nil {
		return true
	}
	_, err = s.fetch.Kept(ctx, a.Head)
	return err == nil
}
