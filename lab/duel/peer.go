package duel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/oracle"

	blocks "github.com/ipfs/go-block-format"
)

// Peer is the oracle with the stores that it was given, started anew when the reference gives way. It belongs to one
// goroutine.
type Peer struct {
	program string
	client  *oracle.Client
	loaded  map[string]bool
	scope   string
	asked   int
	// Starts counts the processes.
	Starts int
}

// NewPeer starts nothing yet.
func NewPeer(program string) *Peer { return &Peer{program: program} }

// Close ends the process.
func (p *Peer) Close() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}

// Base is a store that many requests share, under a name.
type Base struct {
	Name  string
	Store *blockstore.Memory
}

// with returns a running oracle that has these stores.
func (p *Peer) with(ctx context.Context, bases []Base, scope *Base) (*oracle.Client, error) {
	if p.client == nil {
		c, err := oracle.Start(context.WithoutCancel(ctx), p.program)
		if err != nil {
			return nil, err
		}
		p.client, p.loaded, p.scope, p.asked = c, map[string]bool{}, "", 0
		p.Starts++
	}
	for _, b := range bases {
		if p.loaded[b.Name] {
			continue
		}
		if err := p.leave(ctx); err != nil {
			return nil, err
		}
		if err := p.load(ctx, b); err != nil {
			return nil, err
		}
		p.loaded[b.Name] = true
	}
	if scope == nil || scope.Name == p.scope {
		return p.client, nil
	}
	if err := p.leave(ctx); err != nil {
		return nil, err
	}
	if err := p.client.Push(ctx); err != nil {
		p.Close()
		return nil, err
	}
	p.scope = scope.Name
	return p.client, p.load(ctx, *scope)
}

// leave throws the scope away.
func (p *Peer) leave(ctx context.Context) error {
	if p.scope == "" {
		return nil
	}
	p.scope = ""
	err := p.client.Pop(ctx)
	if err != nil {
		p.Close()
	}
	return err
}

func (p *Peer) load(ctx context.Context, b Base) error {
	car, err := pack(ctx, b.Store)
	if err == nil {
		err = p.client.LoadCARData(ctx, car)
	}
	if err != nil {
		p.Close()
	}
	return err
}

// pack is a store as a CAR.
func pack(ctx context.Context, s *blockstore.Memory) ([]byte, error) {
	var buf bytes.Buffer
	keys := s.Keys()
	if len(keys) == 0 {
		return nil, errors.New("a store for the oracle is empty")
	}
	err := blockstore.WriteCAR(&buf, keys[:1], func(yield func(blocks.Block, error) bool) {
		for _, k := range keys {
			if !yield(s.Get(ctx, k)) {
				return
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("a store for the oracle: %w", err)
	}
	return buf.Bytes(), nil
}

// longest is what one request may take: a message runs for seconds, but a reference that begins on a busy machine compiles for minutes.
const longest = 30 * time.Minute

// begin is the beginning of each request: a running oracle with these stores, and as much time as one request may take.
func (p *Peer) begin(ctx context.Context, bases []Base, scope *Base) (*oracle.Client, context.Context, context.CancelFunc, error) {
	c, err := p.with(ctx, bases, scope)
	if err != nil {
		return nil, nil, nil, err
	}
	p.asked++
	ctx, cancel := context.WithTimeout(ctx, longest)
	return c, ctx, cancel, nil
}

// Apply asks for a request's results. An *oracle.Error is the reference's; after one that is a panic the next request
// meets a new process.
func (p *Peer) Apply(ctx context.Context, bases []Base, scope *Base, r *oracle.Request) (*oracle.Answer, error) {
	c, ctx, cancel, err := p.begin(ctx, bases, scope)
	if err != nil {
		return nil, err
	}
	defer cancel()
	answer, err := c.Apply(ctx, r)
	if err != nil {
		var e *oracle.Error
		if !errors.As(err, &e) || e.Panicked() {
			p.Close()
		}
		return nil, err
	}
	for i := range answer.Results {
		e := &oracle.Error{Text: answer.Results[i].Error}
		if e.Text != "" && e.Panicked() {
			p.Close()
		}
	}
	return answer, nil
}

// Limits asks for the results of a request of one message with each gas limit in turn. They end with the first over which the
// reference broke down.
func (p *Peer) Limits(ctx context.Context, bases []Base, scope *Base, r *oracle.Request, limits []int64) ([]*Theirs, error) {
	c, ctx, cancel, err := p.begin(ctx, bases, scope)
	if err != nil {
		return nil, err
	}
	defer cancel()
	runs, err := c.Limits(ctx, r, limits)
	if err != nil {
		p.Close()
		return nil, err
	}
	var list []*Theirs
	for i := range runs {
		t := &Theirs{Answer: &runs[i].Answer}
		text := runs[i].Error
		if text != "" {
			t = &Theirs{Err: &oracle.Error{Text: text}}
		} else if n := len(t.Answer.Results); n > 0 {
			text = t.Answer.Results[n-1].Error
		}
		list = append(list, t)
		if text != "" && (&oracle.Error{Text: text}).Panicked() {
			p.Close()
			break
		}
	}
	return list, nil
}

// Recycle starts the process anew after so many requests: it keeps all code that it ever compiled.
func (p *Peer) Recycle(after int) {
	if p.asked >= after {
		p.Close()
	}
}

// witness notes the blocks that are read, and those that are not there.
type witness struct {
	blockstore.Blockstore
	read   map[cid.Cid]blocks.Block
	missed int
}

func (w *witness) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Blockstore.Get(ctx, c)
	if err == nil && w.read != nil {
		w.read[c] = b
	}
	if err != nil {
		w.missed++
	}
	return b, err
}
