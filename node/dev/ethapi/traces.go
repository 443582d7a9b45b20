package ethapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
)

// maxTraces is how many trace_filter gives at most, as in Lotus.
const maxTraces = 500

// traced are the calls of messages of a block, from the first on. Executing it again is what it takes.
func (a *API) traced(ctx context.Context, b *dev.Block, first, count int) ([]*ethtrace.Flat, error) {
	list := []*ethtrace.Flat{}
	t := ethtrace.NewReplay(ethtrace.Kinds{Trace: true})
	err := a.again(ctx, t, retraced{block: b, first: first, count: count}, func(d *ethtrace.Done) error {
		r, err := t.Replayed(ctx, d)
		if err == nil {
			list = append(list, d.Place.In(r.Trace)...)
		}
		return err
	})
	return list, err
}

// placed are all calls of a block.
func (a *API) placed(ctx context.Context, b *dev.Block) ([]*ethtrace.Flat, error) {
	return a.traced(ctx, b, 0, len(b.Messages))
}

// needed finds a block whose traces are asked for.
func (a *API) needed(ref eth.BlockRef) (*dev.Block, error) {
	b, err := a.find(ref, true)
	if b == nil && err == nil {
		err = a.unknown(ref)
	}
	if err != nil {
		return nil, err
	}
	return a.chain.Whole(a.ctx, b)
}

// traceBlock is trace_block.
func (a *API) traceBlock(ctx context.Context, ref eth.BlockRef) ([]*ethtrace.Flat, error) {
	b, err := a.needed(ref)
	if err != nil {
		return nil, err
	}
	return a.placed(ctx, b)
}

// traceTransaction is trace_transaction.
func (a *API) traceTransaction(ctx context.Context, h eth.Hash) ([]*ethtrace.Flat, error) {
	b, i, err := a.minedTransaction(h)
	if err != nil {
		return nil, err
	}
	return a.traced(ctx, b, i, 1)
}

func (a *API) minedTransaction(h eth.Hash) (*dev.Block, int, error) {
	b, i, ok, err := a.chain.Find(a.ctx, h)
	if ok || err != nil {
		return b, i, err
	}
	words := "transaction not found"
	if _, ok := a.chain.PoolMessage(h); ok {
		words = "no trace for pending transactions"
	}
	code := eth.CodeServer
	if a.manner == eth.Strict {
		code = eth.CodeAny
	}
	return nil, 0, &eth.Error{Code: code, Message: words}
}

// traceCriteria are those of trace_filter.
type traceCriteria struct {
	FromBlock   *eth.BlockRef `json:"fromBlock"`
	ToBlock     *eth.BlockRef `json:"toBlock"`
	FromAddress addresses     `json:"fromAddress"`
	ToAddress   addresses     `json:"toAddress"`
	After       eth.Quantity  `json:"after"`
	Count       *eth.Quantity `json:"count"`
}

// addresses may be one.
type addresses []eth.Address

// UnmarshalJSON reads a list of addresses, or one.
func (l *addresses) UnmarshalJSON(b []byte) error {
	var one eth.Address
	if json.Unmarshal(b, &one) == nil && len(b) > 0 && b[0] == '"' {
		*l = addresses{one}
		return nil
	}
	return json.Unmarshal(b, (*[]eth.Address)(l))
}

// traceFilter is trace_filter.
func (a *API) traceFilter(ctx context.Context, c traceCriteria) ([]*ethtrace.Flat, error) {
	f := eth.Filter{FromBlock: c.FromBlock, ToBlock: c.ToBlock}
	first, last, err := f.Range(a.manner, uint64(a.chain.Latest().Epoch()), a.options.MaxRange)
	if err != nil {
		return nil, err
	}
	most := maxTraces
	if c.Count != nil {
		if *c.Count > maxTraces {
			return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: fmt.Sprintf("invalid response count, requested %d, maximum supported is %d", *c.Count, maxTraces)}
		}
		most = int(*c.Count)
	}
	list, seen := []*ethtrace.Flat{}, eth.Quantity(0)
	b, err := a.chain.Until(ctx, abi.ChainEpoch(first))
	for ; err == nil && b != nil && uint64(b.Epoch()) <= last && first <= last; b, err = a.chain.Above(ctx, b) {
		if uint64(b.Epoch()) < first {
			continue
		}
		b, err := a.chain.Whole(ctx, b)
		if err != nil {
			return nil, err
		}
		if len(b.Messages) == 0 {
			continue
		}
		traces, err := a.placed(ctx, b)
		if err != nil {
			return nil, err
		}
		for _, t := range traces {
			if !c.match(t.Trace) {
				continue
			}
			if seen++; seen <= c.After {
				continue
			}
			if len(list) == most {
				if c.Count != nil {
					return list, nil
				}
				return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("too many results, maximum supported is %d, try paginating requests with After and Count", maxTraces)}
			}
			list = append(list, t)
		}
	}
	return list, err
}

func (c *traceCriteria) match(t *ethtrace.Trace) bool {
	var from eth.Address
	var to *eth.Address
	switch a := t.Action.(type) {
	case *ethtrace.CallAction:
		from, to = a.From, &a.To
	case *ethtrace.CreateAction:
		from, to = a.From, t.Result.(*ethtrace.CreateResult).Address
	}
	return (len(c.FromAddress) == 0 || slices.Contains(c.FromAddress, from)) && (len(c.ToAddress) == 0 || to != nil && slices.Contains(c.ToAddress, *to))
}
