package fork

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/sync/errgroup"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/node/internal/collections"
	"github.com/edgefvm/fvm/node/remote"
)

// receipts are those under a root, with their events. They say nothing of fees.
func (s *Source) receipts(ctx context.Context, root cid.Cid) ([]*fvm.Result, error) {
	if s.fetch != nil && !s.o.NoAhead && !s.o.Offline {
		s.fetch.Below(ctx, root)
	}
	raw, err := s.headers.Receipts(ctx, root)
	if err != nil {
		return nil, err
	}
	out := make([]*fvm.Result, len(raw))
	for i, data := range raw {
		if out[i], err = readReceipt(data); err != nil {
			return nil, fmt.Errorf("receipt %d: %w", i, err)
		}
	}
	var g errgroup.Group
	g.SetLimit(remote.Parallel)
	for i, r := range out {
		if r.EventsRoot == nil {
			continue
		}
		g.Go(func() (err error) {
			if r.Events, err = s.events(ctx, *r.EventsRoot); err != nil {
				err = fmt.Errorf("the events of message %d: %w", i, err)
			}
			return err
		})
	}
	return out, g.Wait()
}

// readReceipt reads a receipt as it is on the chain: [exit code, return, gas used], and since version 18 the root of its events or null.
func readReceipt(data []byte) (*fvm.Result, error) {
	r := cbor.NewReader(data)
	n := r.Len()
	if n != 3 && n != 4 {
		return nil, fmt.Errorf("it has %d fields", n)
	}
	exit, err := number(r.Raw())
	if err != nil {
		return nil, err
	}
	out := &fvm.Result{ExitCode: exitcode.ExitCode(exit), Return: r.Bytes()}
	if out.GasUsed, err = number(r.Raw()); err != nil {
		return nil, err
	}
	if n == 4 && !r.Null() {
		c := r.CID()
		out.EventsRoot = &c
	}
	return out, r.End()
}

func number(item []byte) (int64, error) {
	var v cbg.CborInt
	err := v.UnmarshalCBOR(bytes.NewReader(item))
	return int64(v), err
}

// maxEvents is how many events a message has at most: more than the gas of a block pays for.
const maxEvents = 1 << 20

// events are those under a root: an array of [emitter, [[flags, key, codec, value]...]].
func (s *Source) events(ctx context.Context, root cid.Cid) (list []fvm.Event, err error) {
	a, err := collections.OpenArray(ctx, collections.Source{Load: func(ctx context.Context, c cid.Cid) ([]byte, error) {
		b, err := s.blocks.Get(ctx, c)
		if err != nil {
			return nil, err
		}
		return b.RawData(), nil
	}}, root)
	if err != nil {
		return nil, err
	}
	if a.Count() > maxEvents {
		return nil, fmt.Errorf("%d events", a.Count())
	}
	err = a.ForEach(ctx, func(_ uint64, value []byte) error {
		e, err := readEvent(value)
		if err == nil {
			list = append(list, e)
		}
		return err
	})
	return list, err
}

func readEvent(data []byte) (e fvm.Event, err error) {
	r := cbor.NewReader(data)
	r.Tuple(2)
	e.Emitter = abi.ActorID(r.Uint())
	raw := r.Raw()
	if err := r.End(); err != nil {
		return e, fmt.Errorf("an event: %w", err)
	}
	entries, err := event.DecodeEntries(raw)
	if err != nil {
		return e, fmt.Errorf("an event: %w", err)
	}
	for _, x := range entries {
		e.Entries = append(e.Entries, fvm.EventEntry(x))
	}
	return e, nil
}

// forgetful takes the states of tipsets that are executed again: nobody wants them.
type forgetful struct{}

func (forgetful) Has(context.Context, cid.Cid) (bool, error) { return false, nil }
func (forgetful) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	return nil, format.ErrNotFound{Cid: c}
}
func (forgetful) Put(context.Context, blocks.Block) error       { return nil }
func (forgetful) PutMany(context.Context, []blocks.Block) error { return nil }
