package duel

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// Save writes a case as a closed vector into dir, with what the reference gave as what must come, and returns its path.
// A case that the reference is spared, or over which it gives way, is not written: ErrNotKept.
func Save(ctx context.Context, c *Case, e *fvm.Engine, p *Peer, dir, comment string) (string, error) {
	ours, err := runOurs(ctx, c, e, true)
	if err != nil {
		return "", err
	}
	if spared(c, ours) != "" {
		return "", ErrNotKept
	}
	r := *c.Request
	r.Trace, r.Witness = true, true
	asked := *c
	asked.Request = &r
	t, err := RunTheirs(ctx, &asked, p)
	if err != nil {
		return "", err
	}
	if t.gaveWay() {
		return "", ErrNotKept
	}
	d, err := oracle.DraftOf(c.Request, c.Bundle, comment)
	if err != nil {
		return "", err
	}
	post := ours.Root
	var traces []trace.Events
	if t.Err != nil {
		for _, m := range r.Messages {
			d.Raw(m, nil)
		}
	} else {
		if post, traces, err = fill(d, &asked, t, post); err != nil {
			return "", err
		}
	}
	if !post.Defined() {
		post, err = cid.Decode(r.Root)
		if err != nil {
			return "", err
		}
	}
	d.Traces(traces, nil, nil)
	bs, err := asked.needed(ctx, ours, t)
	if err != nil {
		return "", err
	}
	return d.Save(dir, post, bs)
}

// fill adds the messages with the reference's results, and returns its root and traces.
func fill(d *vector.Draft, c *Case, t *Theirs, root cid.Cid) (cid.Cid, []trace.Events, error) {
	var traces []trace.Events
	for i := range t.Answer.Results {
		x := &t.Answer.Results[i]
		res, err := oracle.ResultOf(x)
		if err != nil {
			return root, nil, err
		}
		d.Raw(c.Request.Messages[i], res)
		events := trace.Events{}
		if len(x.Trace) > 0 {
			if err := events.UnmarshalJSON(x.Trace); err != nil {
				return root, nil, fmt.Errorf("the reference's trace: %w", err)
			}
		}
		traces = append(traces, events)
	}
	if t.Answer.Root == "" {
		return root, traces, nil
	}
	root, err := cid.Decode(t.Answer.Root)
	return root, traces, err
}

// needed are the blocks that either side read, without those of the bundle, in order of their CIDs.
func (c *Case) needed(ctx context.Context, o *Ours, t *Theirs) ([]blocks.Block, error) {
	store, err := c.store(ctx)
	if err != nil {
		return nil, err
	}
	all := map[cid.Cid]blocks.Block{}
	for k, b := range o.read {
		all[k] = b
	}
	// Code that is compiled already is not read. The shared states are small.
	for _, b := range c.states() {
		for _, k := range b.Store.Keys() {
			if all[k], err = b.Store.Get(ctx, k); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range c.Request.Blocks {
		blk, err := blocks.NewBlockWithCid(b.Data, b.CID)
		if err != nil {
			return nil, err
		}
		all[b.CID] = blk
	}
	if t.Answer != nil {
		for _, text := range t.Answer.Witness {
			k, err := cid.Decode(text)
			if err != nil {
				return nil, err
			}
			if all[k], err = store.Get(ctx, k); err != nil {
				return nil, err
			}
		}
	}
	var list []blocks.Block
	for k, b := range all {
		in, err := c.Bases[0].Store.Has(ctx, k)
		if err != nil {
			return nil, err
		}
		if !in {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b blocks.Block) int { return bytes.Compare(a.Cid().Bytes(), b.Cid().Bytes()) })
	return list, nil
}

// Same tells whether two verdicts differ in the same way: in the same fields, whatever the message.
func Same(a, b []vector.Difference) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	for _, x := range b {
		if x.Field == a[0].Field {
			return true
		}
	}
	return false
}
