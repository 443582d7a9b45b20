package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
)

// Journal keeps records, each whole or not at all, in their order.
type Journal interface {
	// Append keeps a record. When it returns the record outlives the process.
	Append(ctx context.Context, record []byte) error
	// Records calls fn with each record. It is called before the first Append, and may be called again then.
	Records(ctx context.Context, fn func(record []byte) error) error
}

// ErrJournal is wrapped by errors about a journal that is not this chain's.
var ErrJournal = errors.New("the journal is not of this chain")

// entry is a record of the journal, in JSON: one of its fields is set.
type entry struct {
	Begin *begun `json:"begin,omitempty"`
	Block *built `json:"block,omitempty"`
	Edit  *ended `json:"edit,omitempty"` // of the state of the last block
	Cut   *ended `json:"cut,omitempty"`
}

// begun says what the chain begins with.
type begun struct {
	Genesis   cid.Cid `json:"genesis"`
	Timestamp uint64  `json:"timestamp"`
	BlockTime uint64  `json:"block_time"`
	// Fork is the tipset of a real chain that it goes on from, and Root the state there. Genesis is its first block then.
	Fork []cid.Cid `json:"fork,omitempty"`
	Root *cid.Cid  `json:"root,omitempty"`
}

// built is a block.
type built struct {
	Header  cid.Cid   `json:"header"`
	Begin   cid.Cid   `json:"begin"`
	Root    cid.Cid   `json:"root"`
	Supply  string    `json:"supply"`
	Offset  int64     `json:"offset,omitempty"`
	Results []outcome `json:"results,omitempty"`
}

// outcome is what is not read from the chain's own objects of a message that was executed.
type outcome struct {
	Result   *fvm.Result `json:"result"`
	Implicit bool        `json:"implicit,omitempty"`
	Raised   int64       `json:"raised,omitempty"`
	Console  [][]byte    `json:"console,omitempty"`
}

// ended is the place at which the chain ends, and the state there.
type ended struct {
	Place int     `json:"place"`
	Root  cid.Cid `json:"root"`
	// Upgrade is the network version above it, if it is another one.
	Upgrade netver.Version `json:"upgrade,omitempty"`
}

func (n *Node) write(ctx context.Context, e entry) error {
	if err := n.own.commit(ctx); err != nil {
		return fmt.Errorf("keeping the blocks: %w", err)
	}
	if n.o.Journal == nil {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := n.o.Journal.Append(ctx, data); err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	return nil
}

// record keeps a block that comes next.
func (n *Node) record(ctx context.Context, b *Block) error {
	if n.o.Journal == nil {
		return n.own.commit(ctx)
	}
	r := &built{Header: b.CID(), Begin: b.begin, Root: b.Root, Supply: b.supply.String(), Offset: n.settings().clock.offset}
	for _, m := range b.Messages {
		r.Results = append(r.Results, outcome{m.Result, m.Implicit, m.Raised, m.Console})
	}
	return n.write(ctx, entry{Block: r})
}

// recordEdit keeps that the latest block has another state.
func (n *Node) recordEdit(ctx context.Context, b *Block) error {
	return n.write(ctx, entry{Edit: &ended{n.Len() - 1, b.Root, b.upgrade}})
}

// recordCut keeps that the chain ends at a place.
func (n *Node) recordCut(ctx context.Context, place int, with *Block) error {
	if place == n.Len()-1 && with == n.Latest() {
		return nil
	}
	return n.write(ctx, entry{Cut: &ended{place, with.Root, with.upgrade}})
}

// began is the first record of the journal; nil if there is none.
func (n *Node) began(ctx context.Context) (*begun, error) {
	if n.o.Journal == nil {
		return nil, nil
	}
	var first *begun
	enough := errors.New("that will do")
	err := n.o.Journal.Records(ctx, func(data []byte) error {
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("%w: its first record: %w", ErrJournal, err)
		}
		if e.Begin == nil {
			return fmt.Errorf("%w: its first record does not say how the chain begins", ErrJournal)
		}
		first = e.Begin
		return enough
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return first, err
}

// genesisTime is that of the journal, of the options, or now.
func (n *Node) genesisTime(ctx context.Context) (uint64, error) {
	first, err := n.began(ctx)
	if err != nil {
		return 0, err
	}
	asked := n.o.Genesis.Timestamp
	switch {
	case first != nil && asked != 0 && asked != first.Timestamp:
		return 0, fmt.Errorf("%w: it begins at %d, and the options say %d", ErrJournal, first.Timestamp, asked)
	case first != nil && first.BlockTime != n.o.BlockTime:
		return 0, fmt.Errorf("%w: its epochs last %d seconds, and the options say %d", ErrJournal, first.BlockTime, n.o.BlockTime)
	case first != nil:
		return first.Timestamp, nil
	case asked != 0:
		return asked, nil
	}
	return uint64(max(n.now().Unix(), 1)), nil
}

// restore makes the chain that the journal tells, upon the genesis.
func (n *Node) restore(ctx context.Context) error {
	first, err := n.began(ctx)
	if err != nil {
		return err
	}
	root := n.First().CID()
	if n.o.Journal == nil {
		return nil
	}
	if first == nil {
		begin := &begun{Genesis: root, Timestamp: n.First().Timestamp(), BlockTime: n.o.BlockTime}
		if n.Fork() != nil {
			begin.Fork, begin.Root = n.First().Tipset.CIDs, &n.First().Root
		}
		return n.write(ctx, entry{Begin: begin})
	}
	if err := n.sameFork(first); err != nil {
		return err
	}
	if !first.Genesis.Equals(root) {
		return fmt.Errorf("%w: its genesis is %s, and that of the options %s: they are other than those it was begun with", ErrJournal, first.Genesis, root)
	}
	list, at := []*Block{n.First()}, 0
	var offset int64
	store := chain.NewStore(n.states)
	err = n.o.Journal.Records(ctx, func(data []byte) error {
		at++
		if err := ctx.Err(); err != nil {
			return err
		}
		var e entry
		err := json.Unmarshal(data, &e)
		if err == nil {
			switch {
			case e.Block != nil:
				var b *Block
				if b, err = n.rebuilt(ctx, store, list[len(list)-1], e.Block); err == nil {
					list, offset = append(list, b), e.Block.Offset
				}
			case e.Edit != nil:
				if list, err = endAt(list, e.Edit, len(list)-1); err == nil {
					n.describe(list[len(list)-1])
				}
			case e.Cut != nil:
				if list, err = endAt(list, e.Cut, e.Cut.Place); err == nil {
					n.describe(list[len(list)-1])
				}
			}
		}
		if err != nil {
			return fmt.Errorf("%w: record %d: %w", ErrJournal, at, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(list) > 1 || n.Fork() == nil {
		n.set.clock.offset = offset
	}
	for i, b := range list {
		n.index.add(b, i)
	}
	n.line.Store(&line{blocks: list})
	return nil
}

// sameFork compares what the journal began with and what the options say.
func (n *Node) sameFork(first *begun) error {
	is := n.Fork() != nil
	switch {
	case is != (first.Fork != nil):
		return fmt.Errorf("%w: it begins with a fork: %t, and the options say: %t", ErrJournal, first.Fork != nil, is)
	case !is:
		return nil
	case chain.NewKey(first.Fork...) != n.First().Tipset.Key():
		return fmt.Errorf("%w: it goes on from the tipset %s, and the options say %s", ErrJournal, chain.NewKey(first.Fork...), n.First().Tipset.Key())
	case first.BlockTime != n.o.BlockTime:
		return fmt.Errorf("%w: its epochs last %d seconds, and the options say %d", ErrJournal, first.BlockTime, n.o.BlockTime)
	case first.Root == nil || *first.Root != n.First().Root:
		return fmt.Errorf("%w: it begins with another state than that of the options: other accounts, or another balance", ErrJournal)
	}
	return nil
}

// endAt ends a line at a place with a state.
func endAt(line []*Block, e *ended, place int) ([]*Block, error) {
	if place != e.Place || place < 0 || place >= len(line) {
		return nil, fmt.Errorf("block %d of %d is meant", e.Place, len(line))
	}
	b := line[place]
	if b.Root != e.Root || b.upgrade != e.Upgrade {
		again := *b
		again.Root, again.upgrade, again.cache = e.Root, e.Upgrade, new(cache)
		b = &again
	}
	return append(line[:place:place], b), nil
}

// rebuilt is a block as it was, from the store and its record.
func (n *Node) rebuilt(ctx context.Context, store *chain.Store, on *Block, r *built) (*Block, error) {
	h, err := store.Header(ctx, r.Header)
	if err != nil {
		return nil, err
	}
	if chain.NewKey(h.Parents...) != on.Tipset.Key() || h.Height <= on.Epoch() {
		return nil, fmt.Errorf("block %s does not stand on %s", r.Header, on.CID())
	}
	b := &Block{
		Tipset: &chain.Tipset{Blocks: []*chain.Header{h}}, Root: r.Root, Executed: r.Root, begin: r.Begin, parent: on, states: n.states, cache: new(cache),
	}
	if err := b.identify(r.Header); err != nil {
		return nil, err
	}
	if b.supply, err = amount(r.Supply); err != nil {
		return nil, err
	}
	list, err := store.Messages(ctx, h)
	if err != nil {
		return nil, err
	}
	all := list.All()
	if len(all) != len(r.Results) {
		return nil, fmt.Errorf("block %s has %d messages, and there are %d results", r.Header, len(all), len(r.Results))
	}
	var results []*fvm.Result
	for i, o := range r.Results {
		e := &Executed{Message: all[i], Result: o.Result, Implicit: o.Implicit, Raised: o.Raised, Console: o.Console}
		if o.Result == nil {
			return nil, fmt.Errorf("block %s: message %d has no result", r.Header, i)
		}
		if e.Hash, err = n.ethHash(&e.Message); err != nil {
			return nil, err
		}
		b.Messages, results = append(b.Messages, e), append(results, o.Result)
	}
	if b.Receipts, err = chain.ReceiptsRoot(n.Network().VersionAt(h.Height), results, nil); err != nil {
		return nil, err
	}
	b.NextBaseFee = n.rules().BaseFeeRules().NextBaseFee(b.Tipset, []*chain.BlockMessages{list})
	return b, nil
}

func amount(text string) (abi.TokenAmount, error) {
	v, err := big.FromString(text)
	if err != nil || v.Sign() < 0 {
		return v, fmt.Errorf("%q is no amount", text)
	}
	return v, nil
}
