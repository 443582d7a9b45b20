package page

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/vector"
)

// VectorOptions say how a vector is run to be shown.
type VectorOptions struct {
	// Run says how it is run. Its Decoders and State are the page's.
	Run explain.VectorOptions
	// Title is what it is called. Default: its name.
	Title string
}

// OfVector runs a vector and shows what came of it: one block, with the vector's messages.
func OfVector(ctx context.Context, v *vector.Vector, o VectorOptions) (Source, error) {
	s := &vectorSource{v: v, run: o.Run, title: o.Title}
	if s.title == "" {
		s.title = v.Name
	}
	run := o.Run
	run.State = func(store blockstore.Blockstore, root cid.Cid) { s.store, s.roots = store, append(s.roots, root) }
	x, err := explain.Vector(ctx, v, run)
	if err != nil {
		return nil, err
	}
	s.x = x
	return s, nil
}

type vectorSource struct {
	v     *vector.Vector
	run   explain.VectorOptions
	title string
	x     *explain.Explanation
	store blockstore.Blockstore
	roots []cid.Cid // before the first message, and after each
	mu    sync.Mutex
}

func (s *vectorSource) About(context.Context) (*About, error) {
	return &About{
		Kind: KindVector, Title: s.title, Version: s.x.NV, Actors: s.x.Bundle, Latest: s.x.Epoch, First: s.x.Epoch, Comment: s.x.Comment, Verdict: s.x.Verdict,
	}, nil
}

func (s *vectorSource) Blocks(ctx context.Context, from abi.ChainEpoch, _ int) ([]*Block, error) {
	if from != Latest && from < s.x.Epoch {
		return []*Block{}, nil
	}
	b, err := s.Block(ctx, s.x.Epoch)
	if err != nil {
		return nil, err
	}
	b.Messages = nil
	return []*Block{b}, nil
}

func (s *vectorSource) Block(_ context.Context, epoch abi.ChainEpoch) (*Block, error) {
	if epoch != Latest && epoch != s.x.Epoch {
		return nil, noBlock(epoch)
	}
	b := &Block{Epoch: s.x.Epoch, CIDs: []string{}, Count: len(s.x.Messages), StateRoot: s.x.Root}
	var used int64
	failed := 0
	for i := range s.x.Messages {
		m := &s.x.Messages[i]
		row := Row{From: m.From, To: m.To, Method: m.Method, Name: m.Name, Value: "0", Nonce: m.Nonce, GasUsed: m.GasUsed, GasLimit: m.GasLimit, Events: len(m.Events), Implicit: m.Implicit}
		if m.ToEth != "" && m.To != "" && len(m.To) > 2 && m.To[1] == '4' {
			row.To = m.ToEth
		}
		if m.Value.Int != nil {
			row.Value = m.Value.String()
		}
		if len(m.Calls.Calls) > 0 {
			row.Actor = m.Calls.Calls[0].Actor
		}
		if m.Exit != nil {
			exit := int64(*m.Exit)
			row.Exit = &exit
		}
		if m.Exit == nil || *m.Exit != 0 {
			failed++
		}
		used += m.GasUsed
		b.Messages = append(b.Messages, row)
	}
	b.GasUsed, b.Failed = &used, &failed
	return b, nil
}

// Explain runs the vector once more where a reader brought decoders; what has none was found out at first.
func (s *vectorSource) Explain(ctx context.Context, at Place, d explain.Decoders) (*explain.Message, error) {
	if at.Epoch != Latest && at.Epoch != s.x.Epoch {
		return nil, noBlock(at.Epoch)
	}
	if at.Message < 0 || at.Message >= len(s.x.Messages) {
		return nil, errNone(fmt.Sprintf("the vector has %d messages", len(s.x.Messages)))
	}
	s.mu.Lock() // one at a time: it is a whole run
	defer s.mu.Unlock()
	run := s.run
	run.Decoders = d
	run.Judge = func(context.Context, *vector.Vector, int) explain.Verdict { return explain.Verdict{} } // known
	x, err := explain.Vector(ctx, s.v, run)
	if err != nil {
		return nil, err
	}
	return &x.Messages[at.Message], nil
}

func (s *vectorSource) States(_ context.Context, at Place) (*States, error) {
	if at.Epoch != Latest && at.Epoch != s.x.Epoch {
		return nil, noBlock(at.Epoch)
	}
	out := &States{Store: s.store, Before: s.roots[0], After: s.roots[len(s.roots)-1], Epoch: s.x.Epoch, Version: s.x.NV}
	if at.Message >= 0 && at.Message < len(s.roots)-1 {
		out.Before, out.After = s.roots[at.Message], s.roots[at.Message+1]
	}
	return out, nil
}

// Find takes the number of a message, from 1.
func (s *vectorSource) Find(_ context.Context, text string) (Place, bool, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > len(s.x.Messages) {
		return Place{}, false, nil //nolint:nilerr // no number
	}
	return Place{s.x.Epoch, n - 1}, true, nil
}

// OfBundle is a bundle of actors' code. store has the code.
func OfBundle(ctx context.Context, title string, codes []Code, store blockstore.Blockstore) (Source, error) {
	b := &bundleSource{about: About{Kind: KindBundle, Title: title}}
	for _, c := range codes {
		id, err := cid.Decode(c.CID)
		if err != nil {
			return nil, err
		}
		data, err := store.Get(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("the code of %s: %w", c.Name, err)
		}
		c.Bytes = len(data.RawData())
		b.about.Codes = append(b.about.Codes, c)
	}
	return b, nil
}

type bundleSource struct{ about About }

func (b *bundleSource) About(context.Context) (*About, error) { a := b.about; return &a, nil }

func (b *bundleSource) Blocks(context.Context, abi.ChainEpoch, int) ([]*Block, error) {
	return []*Block{}, nil
}

func (b *bundleSource) Block(context.Context, abi.ChainEpoch) (*Block, error) {
	return nil, errNoBlocks
}

func (b *bundleSource) Explain(context.Context, Place, explain.Decoders) (*explain.Message, error) {
	return nil, errNoBlocks
}

func (b *bundleSource) States(context.Context, Place) (*States, error) { return nil, errNoBlocks }

func (b *bundleSource) Find(context.Context, string) (Place, bool, error) { return Place{}, false, nil }

// idText is an actor's id as an address.
func idText(id abi.ActorID) string { return addr.String(addr.NewID(uint64(id))) }
