package ethapi

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// logs is eth_getLogs.
func (a *API) logs(ctx context.Context, f eth.Filter) ([]*eth.Log, error) {
	if f.BlockHash != nil {
		b, err := a.chain.ByHash(ctx, *f.BlockHash)
		if err != nil {
			return nil, err
		}
		if b == nil {
			return nil, a.unknown(eth.BlockRef{Hash: f.BlockHash})
		}
		return a.logsOf(ctx, &f, b, []*eth.Log{})
	}
	first, last, err := f.Range(a.manner, uint64(a.chain.Latest().Epoch()), a.options.MaxRange)
	if err != nil {
		return nil, err
	}
	logs, next, err := a.scan(ctx, &f, first, last, a.options.MaxLogs)
	if err == nil && next <= last {
		return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("too many logs: the most is %d, which epoch %d goes beyond; ask for fewer blocks at a time", a.options.MaxLogs, next-1)}
	}
	return logs, err
}

// scan finds logs of the epochs from first to last, until there are most of them or more. next is the epoch to go on at.
func (a *API) scan(ctx context.Context, f *eth.Filter, first, last uint64, most int) (logs []*eth.Log, next uint64, err error) {
	logs = []*eth.Log{}
	if first > last {
		return logs, first, nil
	}
	b, err := a.chain.Until(ctx, abi.ChainEpoch(first))
	for ; err == nil && b != nil && uint64(b.Epoch()) <= last; b, err = a.chain.Above(ctx, b) {
		if uint64(b.Epoch()) < first {
			continue
		}
		if len(logs) >= most {
			return logs, uint64(b.Epoch()), nil
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if logs, err = a.logsOf(ctx, f, b, logs); err != nil {
			return nil, 0, err
		}
	}
	if err != nil {
		return nil, 0, err
	}
	return logs, last + 1, nil
}

// logsOf appends the wanted logs of a block.
func (a *API) logsOf(ctx context.Context, f *eth.Filter, b *dev.Block, logs []*eth.Log) ([]*eth.Log, error) {
	b, err := a.chain.Whole(ctx, b)
	if err != nil {
		return nil, err
	}
	if !emits(b) {
		return logs, nil
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	if !f.MayMatch(&r.Block.LogsBloom) {
		return logs, nil
	}
	for _, receipt := range r.Receipts {
		for _, l := range receipt.Logs {
			if f.Match(l) {
				logs = append(logs, l)
			}
		}
	}
	return logs, nil
}

// emits tells whether a block has events at all.
func emits(b *dev.Block) bool {
	for _, m := range b.Messages {
		if len(m.Result.Events) > 0 {
			return true
		}
	}
	return false
}
