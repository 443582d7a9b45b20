package ethapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
)

// traceTime is how long a trace_… method may take.
const traceTime = 2 * time.Minute

// tracing waits for its turn to trace: each trace takes a processor, and memory.
func (a *API) tracing(ctx context.Context) (done func(), err error) {
	select {
	case a.tracers <- struct{}{}:
		return func() { <-a.tracers }, nil
	case <-ctx.Done():
		return nil, tooLong(ctx, ctx.Err())
	}
}

// errTime is why a trace ended.
var errTime = errors.New("execution timeout")

// tooLong says that a trace took too long, if that is why an error is.
func tooLong(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errTime) {
		return &eth.Error{Code: eth.CodeServer, Message: "execution timeout: the trace was not ready in time; debug_ methods take a longer \"timeout\""}
	}
	return err
}

// retraced says which messages of a block are traced.
type retraced struct {
	block        *dev.Block
	first, count int
	time         time.Duration // 0: traceTime
}

// again executes messages of a block again, watched by a tracer.
func (a *API) again(ctx context.Context, t *ethtrace.Tracer, of retraced, done func(*ethtrace.Done) error) error {
	if of.count == 0 {
		return nil
	}
	if of.time == 0 {
		of.time = traceTime
	}
	ctx, cancel := context.WithTimeoutCause(ctx, of.time, errTime)
	defer cancel()
	release, err := a.tracing(ctx)
	if err != nil {
		return err
	}
	defer release()
	b := of.block
	r, err := a.render(ctx, b)
	if err != nil {
		return err
	}
	err = a.chain.Retrace(ctx, b, dev.Watch{
		Hooks: t.Hooks(), First: of.first, Count: of.count, States: t.States(),
		Done: func(x *dev.Again) error {
			tx := r.Transactions[x.Index]
			d := &ethtrace.Done{
				Result: x.Result, From: tx.From, Create: tx.To == nil, Manner: a.manner, Name: x.Machine.ActorName, Before: x.Before, After: x.After, Store: x.Store,
				Place: &ethtrace.Place{Block: b.Hash, Number: uint64(b.Epoch()), Transaction: tx.Hash, Position: x.Index},
			}
			if logs := r.Receipts[x.Index].Logs; len(logs) > 0 {
				d.Place.FirstLog = uint64(logs[0].LogIndex)
			}
			if err := done(d); err != nil {
				return fmt.Errorf("transaction %s: %w", tx.Hash, err)
			}
			return nil
		},
	})
	return tooLong(ctx, err)
}

// called is a call that is traced.
type called struct {
	args *eth.Call
	at   *dev.Block
	with dev.CallOptions
	time time.Duration
}

// traceOf executes a call, watched by a tracer. A call that fails has a trace too.
func (a *API) traceOf(ctx context.Context, t *ethtrace.Tracer, c called) (*ethtrace.Done, *dev.CallResult, error) {
	if c.time == 0 {
		c.time = traceTime
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.time, errTime)
	defer cancel()
	release, err := a.tracing(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	msg, err := c.args.Message(a.manner)
	if err != nil {
		return nil, nil, err
	}
	name, err := a.nameIn(ctx, c.at)
	if err != nil {
		return nil, nil, err
	}
	c.with.Hooks, c.with.States = t.Hooks(), c.with.States || t.States()
	res, err := a.chain.Call(ctx, c.at, msg, c.with)
	if err != nil {
		return nil, nil, tooLong(ctx, a.refused(err))
	}
	d := &ethtrace.Done{Result: res.Result, Create: c.args.To == nil, Manner: a.manner, Name: name}
	if c.args.From != nil {
		d.From = *c.args.From
	}
	if res.After != nil {
		d.Before, d.After, d.Store = res.Before.Root, res.After.Root, res.After.Store
	}
	return d, res, nil
}

func (a *API) nameIn(ctx context.Context, b *dev.Block) (func(cid.Cid) (string, bool), error) {
	t, err := a.chain.Tree(ctx, b)
	return func(code cid.Cid) (string, bool) {
		name, err := t.Name(ctx, code)
		return name, err == nil && name != ""
	}, err
}
