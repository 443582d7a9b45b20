package fork

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/node/textform"
)

// past is the chain below a fork.
type past struct {
	s          *Source
	tip, child *chain.Tipset

	mu    sync.Mutex
	none  map[string]bool // hashes that no message and no tipset below the tip has
	index *index          // of an archive, as far down as it was looked through
}

var _ dev.Past = (*past)(nil)

func (p *past) From(ctx context.Context, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	w := walk{p.s, p.tip}
	return w.from(ctx, epoch)
}

func (p *past) Parent(ctx context.Context, t *chain.Tipset) (*chain.Tipset, error) {
	return p.s.headers.Parent(ctx, t)
}

// upon is the tipset above one.
func (p *past) upon(ctx context.Context, t *chain.Tipset) (*chain.Tipset, error) {
	if t.Key() == p.tip.Key() {
		return p.child, nil
	}
	return p.From(ctx, t.Height()+1)
}

// maxNone bounds what is remembered not to be there.
const maxNone = 10_000

func (p *past) isNone(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.none[key]
}

func (p *past) noneIs(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.none) >= maxNone {
		clear(p.none)
	}
	p.none[key] = true
}

// onChain is a tipset if it is on the chain, else nil.
func (p *past) onChain(ctx context.Context, t *chain.Tipset) (*chain.Tipset, error) {
	if t.Height() > p.tip.Height() {
		return nil, nil
	}
	at, err := p.From(ctx, t.Height())
	if err != nil || at.Key() != t.Key() {
		return nil, err
	}
	return at, nil
}

// ByKey implements dev.Past. Nodes keep the keys of tipsets as blocks; archives do not.
func (p *past) ByKey(ctx context.Context, key cid.Cid) (*chain.Tipset, error) {
	if p.s.archive != nil {
		return p.indexed(ctx, key.KeyString())
	}
	if p.isNone(key.KeyString()) {
		return nil, nil
	}
	b, err := p.s.blocks.Get(ctx, key)
	if errors.Is(err, remote.ErrGone) {
		p.noneIs(key.KeyString())
		return nil, nil
	}
	if errors.Is(err, remote.ErrOffline) {
		return nil, fmt.Errorf("%w: whether a tipset has the key %s: %w", remote.ErrNode, key, remote.ErrOffline)
	}
	if err != nil {
		return nil, err
	}
	r := cbor.NewReader(b.RawData())
	k := chain.Key(r.Bytes())
	list, kerr := k.CIDs()
	if r.End() != nil || kerr != nil || len(list) == 0 {
		return nil, nil // it is a block of something else
	}
	t, err := p.s.headers.Tipset(ctx, list...)
	if errors.Is(err, chain.ErrTipset) || errors.Is(err, chain.ErrMalformed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.onChain(ctx, t)
}

// Message implements dev.Past. Where a message is, is the node's word, which is looked at: the caller finds it in the tipset or does not.
func (p *past) Message(ctx context.Context, hash eth.Hash) (*chain.Tipset, error) {
	if p.s.archive != nil {
		return p.indexed(ctx, string(hash[:]))
	}
	if p.isNone(string(hash[:])) {
		return nil, nil
	}
	if p.s.o.Offline {
		return nil, fmt.Errorf("%w: where transaction %s is: %w", remote.ErrNode, hash, remote.ErrOffline)
	}
	node := p.s.o.Node
	c, err := node.EthGetMessageCidByTransactionHash(ctx, hash)
	var said *lotusrpc.NodeError
	switch {
	case errors.As(err, &said):
		c = hash.CID() // a node without Ethereum's methods may still know a message by its own
	case err != nil:
		return nil, fmt.Errorf("%w: %w", remote.ErrNode, err)
	case !c.Defined():
		p.noneIs(string(hash[:]))
		return nil, nil
	}
	upon, ok, err := node.StateSearchMsg(ctx, p.child.CIDs, c)
	switch {
	case errors.As(err, &said): // such as that it has no message of that CID
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", remote.ErrNode, err)
	case !ok:
		p.noneIs(string(hash[:]))
		return nil, nil
	}
	child, err := p.s.headers.Tipset(ctx, upon.Blocks...)
	if err != nil {
		return nil, err
	}
	if child.Height() == 0 {
		return nil, nil
	}
	t, err := p.s.headers.Parent(ctx, child)
	if err != nil {
		return nil, err
	}
	return p.onChain(ctx, t)
}

// messages are a tipset's in the order in which they are applied, each once.
func (s *Source) messages(ctx context.Context, t *chain.Tipset) ([]chain.Message, error) {
	if s.fetch != nil && !s.o.NoAhead && !s.o.Offline {
		var roots []cid.Cid
		for _, h := range t.Blocks {
			roots = append(roots, h.Messages)
		}
		s.fetch.Below(ctx, roots...)
	}
	lists, err := s.headers.TipsetMessages(ctx, t)
	if err != nil {
		return nil, err
	}
	var st *tree.Tree // read only if an ID asks for it
	selected, err := chain.Select(ctx, lists, t.Height() >= s.network.Constants.Hyperdrive, func(ctx context.Context, a address.Address) (address.Address, error) {
		if st == nil {
			var err error
			if st, err = tree.Load(ctx, s.blocks, t.ParentStateRoot()); err != nil {
				return address.Undef, err
			}
		}
		return st.Resolve(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	var out []chain.Message
	seen := map[string]bool{}
	for _, list := range selected {
		for _, m := range list {
			var raw bytes.Buffer
			if err := m.Message.MarshalCBOR(&raw); err != nil {
				return nil, err
			}
			if !seen[raw.String()] {
				seen[raw.String()] = true
				out = append(out, m)
			}
		}
	}
	return out, nil
}

// Executed implements dev.Past: by the receipts and events that the chain has, or by executing the tipset again where it does not have
// them any more.
func (p *past) Executed(ctx context.Context, t *chain.Tipset, receipts cid.Cid) ([]chain.Message, []*fvm.Result, error) {
	if t.Height() == 0 {
		return nil, nil, nil
	}
	list, err := p.s.messages(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		return nil, nil, nil
	}
	results, err := p.s.receipts(ctx, receipts)
	if err == nil {
		if len(results) != len(list) {
			return nil, nil, fmt.Errorf("%d messages and %d receipts", len(list), len(results))
		}
		return list, results, nil
	}
	if !p.s.absent(err) {
		return nil, nil, err
	}
	done, end, aerr := p.again(ctx, t)
	if aerr != nil {
		return nil, nil, fmt.Errorf("the receipts or events are not there (%w), and executing the tipset again: %w", err, aerr)
	}
	defer end()
	return done.Applied(), done.Result.Receipts, nil
}

// absent tells that a block is not there, and not that nobody answers.
func (s *Source) absent(err error) bool {
	return errors.Is(err, remote.ErrGone) || errors.Is(err, remote.ErrOffline) || s.archive != nil
}

// again executes a tipset. Until end is called nobody else may.
func (p *past) again(ctx context.Context, t *chain.Tipset) (done *replay.Tipset, end func(), err error) {
	child, err := p.upon(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	s := p.s
	s.replaying.Lock()
	defer func() {
		if err != nil {
			s.replaying.Unlock()
		}
	}()
	if s.single == nil {
		e := s.o.Engine
		if e == nil {
			if e, err = fvm.NewEngine(fvm.EngineConfig{}); err != nil {
				return nil, nil, err
			}
			s.made = e
		}
		o := replay.Options{Archive: s.blocks, Network: s.network, Engines: []*fvm.Engine{e}, Proofs: s.o.Proofs, Bundles: s.o.Bundles, Store: forgetful{}}
		if s.single, err = replay.NewSingle(o, s.headers, s.pledge); err != nil {
			return nil, nil, err
		}
	}
	if done, err = s.single.Execute(ctx, chain.NewLine(s.headers, child), t, child); err != nil {
		return nil, nil, err
	}
	if len(done.Differences) > 0 {
		d := done.Differences[0]
		err = fmt.Errorf("it does not come to what the chain says: %s: want %s, got %s", d.What, d.Want, d.Got)
		return nil, nil, err
	}
	return done, s.replaying.Unlock, nil
}

// Traces implements dev.Past.
func (p *past) Traces(ctx context.Context, t *chain.Tipset, count int) ([]*dev.CallResult, error) {
	if count == 0 {
		return nil, nil
	}
	done, end, err := p.again(ctx, t)
	if err != nil {
		return nil, err
	}
	defer end()
	results, traces, err := p.s.single.Traces(ctx, done, count)
	if err != nil {
		return nil, err
	}
	out := make([]*dev.CallResult, len(results))
	for i := range results {
		out[i] = &dev.CallResult{Result: results[i], Trace: traces[i]}
	}
	return out, nil
}

// index says where tipsets and messages of an archive are.
type index struct {
	next  *chain.Tipset // not looked through yet; nil when all was
	where map[string]*chain.Tipset
	bad   error // why it goes no further down
}

// maxIndexed is how many tipsets of an archive are looked through for a hash: a month of mainnet's.
const maxIndexed = 90_000

// indexed looks for a hash of a message, or for the key of a tipset, from the fork downwards.
func (p *past) indexed(ctx context.Context, name string) (*chain.Tipset, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.index == nil {
		p.index = &index{next: p.tip, where: map[string]*chain.Tipset{}}
	}
	x := p.index
	for n := 0; ; n++ {
		if t := x.where[name]; t != nil {
			return t, nil
		}
		if x.next == nil || x.bad != nil || n >= maxIndexed {
			return nil, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.add(ctx, x, x.next); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			x.bad = err // a snapshot ends somewhere
		}
	}
}

func (p *past) add(ctx context.Context, x *index, t *chain.Tipset) error {
	key, err := t.Key().CID()
	if err != nil {
		return err
	}
	x.where[key.KeyString()] = t
	if t.Height() == 0 {
		x.next = nil
		return nil
	}
	lists, err := p.s.headers.TipsetMessages(ctx, t)
	if err != nil {
		return err
	}
	for _, b := range lists {
		for _, m := range b.All() {
			for _, h := range p.s.hashes(&m) {
				x.where[h] = t // of several tipsets that have it the lowest has executed it, and comes last
			}
		}
	}
	x.next, err = p.s.headers.Parent(ctx, t)
	return err
}

// hashes are those by which a message is asked for.
func (s *Source) hashes(m *chain.Message) (list []string) {
	add := func(h eth.Hash, err error) {
		if err == nil {
			list = append(list, string(h[:]))
		}
	}
	add(textform.EthHash(m.CID, m.Message, m.Signature, s.network.ChainID))
	add(eth.HashOf(m.CID))
	return list
}
