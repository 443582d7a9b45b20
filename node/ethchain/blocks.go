package ethchain

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// block is a tipset with the one above, which says what came of it.
type block struct {
	ts, child *chain.Tipset
	hash      eth.Hash
}

func newBlock(ts, child *chain.Tipset) (*block, error) {
	key, err := keyOf(ts)
	if err != nil {
		return nil, err
	}
	h, err := eth.HashOf(key)
	return &block{ts, child, h}, err
}

func (b *block) number() uint64 { return uint64(b.ts.Height()) }

// Distances of Lotus's safe and finalized blocks from the head.
const (
	safeDistance  = 30
	finalDistance = 900
)

// find finds a block; nil if there is none. Without exact, the block before stands for a null round.
func (a *API) find(ctx context.Context, ref eth.BlockRef, exact bool) (*block, error) {
	switch {
	case ref.Hash != nil:
		at, ok, err := a.blocks.find(ctx, a.chain.Store(), *ref.Hash)
		if err != nil || !ok {
			return nil, err
		}
		return a.at(ctx, uint64(at), true)
	case ref.Tag == eth.Earliest && a.o.Manner == eth.Strict:
		return nil, &eth.Error{Code: eth.CodeAny, Message: `block param "earliest" is not supported`}
	case ref.Tag == eth.Earliest:
		return a.at(ctx, 0, false)
	case ref.Tag == eth.Safe:
		return a.at(ctx, uint64(max(0, a.head.Height()-safeDistance)), false)
	case ref.Tag == eth.Finalized:
		return a.at(ctx, uint64(max(0, a.head.Height()-finalDistance)), false)
	case ref.Number == nil:
		return a.latest, nil
	case uint64(*ref.Number) > a.latest.number():
		return nil, nil
	}
	return a.at(ctx, uint64(*ref.Number), exact)
}

// at is the block at an epoch that is not above the latest's.
func (a *API) at(ctx context.Context, epoch uint64, exact bool) (*block, error) {
	if epoch >= a.latest.number() {
		return a.latest, nil
	}
	ts, err := a.line.At(ctx, abi.ChainEpoch(epoch))
	if err == nil && uint64(ts.Height()) != epoch {
		if exact {
			return nil, eth.NullRound(epoch)
		}
		ts, err = a.chain.Store().Parent(ctx, ts)
	}
	if err != nil {
		return nil, a.absent(epoch, err)
	}
	child, err := a.line.Child(ctx, ts)
	if err != nil {
		return nil, err
	}
	return newBlock(ts, child)
}

// absent says that a part of the chain is not in the file, if that is what an error is about.
func (a *API) absent(epoch uint64, err error) error {
	if !ipld.IsNotFound(err) {
		return err
	}
	return &eth.Error{Code: eth.CodeUnavailable, Message: fmt.Sprintf("epoch %d is not in the archive, which does not reach back so far: %v", epoch, err)}
}

// shown finds a block that is to be shown: nil is an answer, except in Lotus's manner.
func (a *API) shown(ctx context.Context, ref eth.BlockRef) (*block, error) {
	b, err := a.find(ctx, ref, true)
	if b == nil && err == nil && a.o.Manner == eth.Strict {
		return nil, a.unknown(ref)
	}
	return b, err
}

// needed finds a block that must be there.
func (a *API) needed(ctx context.Context, ref eth.BlockRef, exact bool) (*block, error) {
	b, err := a.find(ctx, ref, exact)
	if b == nil && err == nil {
		err = a.unknown(ref)
	}
	return b, err
}

func (a *API) unknown(ref eth.BlockRef) error {
	if ref.Hash == nil {
		return eth.FutureBlock(a.o.Manner)
	}
	code := eth.CodeServer
	if a.o.Manner == eth.Strict {
		code = eth.CodeAny
	}
	return &eth.Error{Code: code, Message: "unknown block " + ref.Hash.String()}
}

// state is that after a block, which its child names. It belongs to one goroutine.
func (a *API) state(ctx context.Context, b *block) (*tree.Tree, error) {
	if err := a.chain.Reach(ctx, b.child); err != nil {
		return nil, missing(b, fmt.Errorf("its state is not in the archive: %w", err))
	}
	t, err := tree.Load(ctx, a.chain.States(), b.child.ParentStateRoot())
	return t, missing(b, err)
}

// render says a block in Ethereum's words. What it gives is not to be changed.
func (a *API) render(ctx context.Context, b *block) (*eth.Rendered, error) {
	key := b.ts.Key()
	a.mu.Lock()
	r := a.rendered[key]
	a.mu.Unlock()
	if r != nil {
		return r, nil
	}
	t, err := a.state(ctx, b)
	if err != nil {
		return nil, err
	}
	set := &eth.Tipset{
		View:  eth.View{Manner: a.o.Manner, ChainID: a.chain.Network().ChainID, Lookup: eth.LookupIn(t)},
		Epoch: b.number(), Timestamp: b.ts.Timestamp(), BaseFee: b.ts.BaseFee(), Blocks: len(b.ts.Blocks),
	}
	if set.Key, err = keyOf(b.ts); err != nil {
		return nil, err
	}
	if b.ts.Height() > 0 {
		if set.Parents, err = b.ts.Parents().CID(); err != nil {
			return nil, err
		}
		done, err := a.chain.Executed(ctx, b.ts)
		if err != nil {
			return nil, missing(b, err)
		}
		set.Messages, set.Results = done.Messages, done.Results
	} else if set.Parents, err = chain.NewKey().CID(); err != nil {
		return nil, err
	}
	if r, err = eth.Render(ctx, set); err != nil {
		return nil, missing(b, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.rendered) >= a.o.Kept {
		clear(a.rendered)
	}
	a.rendered[key] = r
	return r, nil
}

func (a *API) blockByNumber(ctx context.Context, ref eth.BlockRef, full bool) (*eth.Block, error) {
	b, err := a.shown(ctx, ref)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	if full {
		return r.Block.Full(r.Transactions), nil
	}
	return r.Block, nil
}

func (a *API) blockByHash(ctx context.Context, h eth.Hash, full bool) (*eth.Block, error) {
	return a.blockByNumber(ctx, eth.BlockRef{Hash: &h}, full)
}

func (a *API) countByNumber(ctx context.Context, ref eth.BlockRef) (*eth.Quantity, error) {
	b, err := a.shown(ctx, ref)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	n := eth.Quantity(len(r.Transactions))
	return &n, nil
}

func (a *API) countByHash(ctx context.Context, h eth.Hash) (*eth.Quantity, error) {
	return a.countByNumber(ctx, eth.BlockRef{Hash: &h})
}

// transaction finds a message by its hash; ok is false if the chain has none.
func (a *API) transaction(ctx context.Context, h eth.Hash) (b *block, r *eth.Rendered, i int, err error) {
	at, ok, err := a.messages.find(ctx, a.chain.Store(), h)
	if err != nil || !ok {
		return nil, nil, 0, err
	}
	if b, err = a.at(ctx, uint64(at), true); err != nil {
		return nil, nil, 0, err
	}
	if r, err = a.render(ctx, b); err != nil {
		return nil, nil, 0, err
	}
	for i, tx := range r.Transactions {
		if tx.Hash == h {
			return b, r, i, nil
		}
	}
	return nil, nil, 0, nil // a message that was left out, or the CID of a transaction
}

func (a *API) transactionByHash(ctx context.Context, h eth.Hash) (*eth.Transaction, error) {
	b, r, i, err := a.transaction(ctx, h)
	if err != nil || b == nil {
		return nil, err
	}
	return r.Transactions[i], nil
}

func (a *API) transactionByNumberAndIndex(ctx context.Context, ref eth.BlockRef, i eth.Quantity) (*eth.Transaction, error) {
	b, err := a.shown(ctx, ref)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil || uint64(i) >= uint64(len(r.Transactions)) {
		return nil, err
	}
	return r.Transactions[i], nil
}

func (a *API) transactionByHashAndIndex(ctx context.Context, h eth.Hash, i eth.Quantity) (*eth.Transaction, error) {
	return a.transactionByNumberAndIndex(ctx, eth.BlockRef{Hash: &h}, i)
}

func (a *API) receipt(ctx context.Context, h eth.Hash) (*eth.Receipt, error) {
	b, r, i, err := a.transaction(ctx, h)
	if err != nil || b == nil {
		return nil, err
	}
	return r.Receipts[i], nil
}

func (a *API) blockReceipts(ctx context.Context, ref eth.BlockRef) ([]*eth.Receipt, error) {
	b, err := a.shown(ctx, ref)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	return r.Receipts, nil
}

// logs is eth_getLogs. Blocks without messages have none, others are executed for theirs.
func (a *API) logs(ctx context.Context, f eth.Filter) ([]*eth.Log, error) {
	out := []*eth.Log{}
	if f.BlockHash != nil {
		b, err := a.needed(ctx, eth.BlockRef{Hash: f.BlockHash}, true)
		if err != nil {
			return nil, err
		}
		return a.logsOf(ctx, b, &f, out)
	}
	first, last, err := f.Range(a.o.Manner, a.latest.number(), a.o.MaxRange)
	if err != nil {
		return nil, err
	}
	for e := first; e <= last; e++ {
		b, err := a.at(ctx, e, true)
		var null *eth.Error
		if errors.As(err, &null) && null.Code == eth.CodeNullRound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if out, err = a.logsOf(ctx, b, &f, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (a *API) logsOf(ctx context.Context, b *block, f *eth.Filter, out []*eth.Log) ([]*eth.Log, error) {
	if b.ts.Height() == 0 {
		return out, nil
	}
	blocks, err := a.chain.Store().TipsetMessages(ctx, b.ts)
	if err != nil {
		return nil, missing(b, err)
	}
	count := 0
	for _, x := range blocks {
		count += len(x.All())
	}
	if count == 0 {
		return out, ctx.Err()
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	if !f.MayMatch(&r.Block.LogsBloom) {
		return out, nil
	}
	for _, receipt := range r.Receipts {
		for _, l := range receipt.Logs {
			if !f.Match(l) {
				continue
			}
			if len(out) >= a.o.MaxLogs {
				return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("too many logs: the most is %d; ask for fewer blocks at a time", a.o.MaxLogs)}
			}
			out = append(out, l)
		}
	}
	return out, nil
}

type blockParam = jsonrpc.Optional[eth.BlockRef]
