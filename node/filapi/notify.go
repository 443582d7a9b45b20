package filapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
)

type headChangeJSON struct {
	Type string
	Val  *tipsetJSON
}

func headChangesOut(list []HeadChange) []headChangeJSON {
	out := make([]headChangeJSON, 0, len(list))
	for _, c := range list {
		out = append(out, headChangeJSON{c.Type, tipsetOut(c.Val)})
	}
	return out
}

// mostPath is how many tipsets the way from one to another may have.
const mostPath = 20_000

func (m v1) ChainGetPath(ctx context.Context, from, to []cid.Cid) (json.RawMessage, error) {
	low, err := m.exact(ctx, from)
	if err != nil {
		return m.out(nil, err)
	}
	high, err := m.exact(ctx, to)
	if err != nil {
		return m.out(nil, err)
	}
	path, err := pathOf(ctx, m.o.Chain.Store(), low, high)
	return m.out(headChangesOut(path), err)
}

// pathOf is the way from a tipset down to where another stands on the same, and up to that.
func pathOf(ctx context.Context, store *chain.Store, from, to *chain.Tipset) ([]HeadChange, error) {
	var down, up []HeadChange
	for from.Key() != to.Key() {
		if len(down)+len(up) > mostPath {
			return nil, fmt.Errorf("the way between the tipsets has more than %d of them", mostPath)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if from.Height() > to.Height() {
			down = append(down, HeadChange{Revert, from})
			from, err = store.Parent(ctx, from)
		} else {
			up = append(up, HeadChange{Apply, to})
			to, err = store.Parent(ctx, to)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(up)
	return append(down, up...), nil
}

// ChainNotify sends the head of now and then its changes.
func (m v1) ChainNotify(ctx context.Context) (<-chan json.RawMessage, error) {
	heads, ok := m.o.Chain.(Heads)
	out := make(chan json.RawMessage)
	if !ok {
		head, err := m.o.Chain.Head(ctx)
		if err != nil {
			return nil, coded(err)
		}
		first := make(chan []HeadChange, 1)
		first <- []HeadChange{{Current, head}}
		go m.relay(ctx, first, out)
		return out, nil
	}
	in, err := heads.Heads(ctx)
	if err != nil {
		return nil, coded(err)
	}
	go m.relay(ctx, in, out)
	return out, nil
}

func (m v1) relay(ctx context.Context, in <-chan []HeadChange, out chan<- json.RawMessage) {
	defer close(out)
	for {
		select {
		case list, ok := <-in:
			if !ok {
				return
			}
			data, err := marshal(m.prefix, headChangesOut(list))
			if err != nil {
				return // a header that was read has JSON
			}
			select {
			case out <- data:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
