package ethchain

import (
	"context"
	"errors"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/textform"
)

// maxIndexed bounds an index: some 60 bytes each.
const maxIndexed = 20_000_000

var errIndexed = errors.New("the chain has more than 20,000,000 messages: what is further back is not found by its hash")

// index finds epochs by hashes. It reads the chain from the latest tipset down as far as it was needed.
type index struct {
	names func(ctx context.Context, ts *chain.Tipset) ([]eth.Hash, error)

	mu   sync.Mutex
	next *chain.Tipset // to be read; nil: all that is there was
	at   map[eth.Hash]abi.ChainEpoch
}

func newIndex(from *chain.Tipset, names func(context.Context, *chain.Tipset) ([]eth.Hash, error)) *index {
	return &index{names: names, next: from, at: map[eth.Hash]abi.ChainEpoch{}}
}

// find gives the epoch of the tipset that has a hash. Where the file ends the chain ends.
func (x *index) find(ctx context.Context, store *chain.Store, h eth.Hash) (abi.ChainEpoch, bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		if at, ok := x.at[h]; ok || x.next == nil {
			return at, ok, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if len(x.at) > maxIndexed {
			return 0, false, errIndexed
		}
		names, err := x.names(ctx, x.next)
		if ipld.IsNotFound(err) {
			x.next = nil // of messages that the archive leaves out nothing can be told
			continue
		}
		if err != nil {
			return 0, false, err
		}
		for _, name := range names {
			if _, ok := x.at[name]; !ok {
				x.at[name] = x.next.Height()
			}
		}
		if x.next.Height() == 0 {
			x.next = nil
			continue
		}
		parent, err := store.Parent(ctx, x.next)
		if ipld.IsNotFound(err) {
			parent, err = nil, nil
		}
		if err != nil {
			return 0, false, err
		}
		x.next = parent
	}
}

func (a *API) blockNames(_ context.Context, ts *chain.Tipset) ([]eth.Hash, error) {
	key, err := keyOf(ts)
	if err != nil {
		return nil, err
	}
	h, err := eth.HashOf(key)
	return []eth.Hash{h}, err
}

// messageNames are the hashes of a tipset's messages as Ethereum knows them, and those of their CIDs.
func (a *API) messageNames(ctx context.Context, ts *chain.Tipset) (out []eth.Hash, err error) {
	blocks, err := a.chain.Store().TipsetMessages(ctx, ts)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		for _, m := range b.All() {
			h, err := eth.HashOf(m.CID)
			if err != nil {
				return nil, err
			}
			out = append(out, h)
			if h, ok := a.transactionHashOf(&m); ok {
				out = append(out, h)
			}
		}
	}
	return out, nil
}

// transactionHashOf is that of a transaction of Ethereum; other messages have none but their CID's.
func (a *API) transactionHashOf(m *chain.Message) (eth.Hash, bool) {
	if m.Signature == nil || m.Signature.Type != crypto.SigTypeDelegated {
		return eth.Hash{}, false
	}
	tx, err := textform.EthTransaction(m.Message, m.Signature, a.chain.Network().ChainID)
	if err != nil {
		return eth.Hash{}, false
	}
	return tx.Hash(), true
}
