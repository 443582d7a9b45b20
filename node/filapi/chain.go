package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// v1 are the methods of /rpc/v1: its exported Go methods, each as Filecoin.NAME.
type v1 struct{ *API }

func (m v1) ChainHead(ctx context.Context) (json.RawMessage, error) {
	ts, err := m.o.Chain.Head(ctx)
	return m.out(tipsetOut(ts), err)
}

func (m v1) ChainGetGenesis(ctx context.Context) (json.RawMessage, error) {
	ts, err := m.o.Chain.Genesis(ctx)
	return m.out(tipsetOut(ts), err)
}

func (m v1) ChainGetTipSet(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	if len(key.Value) == 0 {
		return m.out(nil, errors.New("tipset key is empty"))
	}
	ts, err := m.exact(ctx, key.Value)
	return m.out(tipsetOut(ts), err)
}

func (m v1) ChainGetTipSetByHeight(ctx context.Context, height abi.ChainEpoch, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err == nil {
		ts, err = m.byHeight(ctx, height, ts)
	}
	return m.out(tipsetOut(ts), err)
}

// byHeight is the tipset at an epoch, or the one before a null round.
func (a *API) byHeight(ctx context.Context, height abi.ChainEpoch, from *chain.Tipset) (*chain.Tipset, error) {
	if height > from.Height() {
		return nil, fmt.Errorf("looking for tipset with height greater than start point: %d, from %d", height, from.Height())
	}
	if height < 0 {
		return nil, fmt.Errorf("looking for a tipset at a negative height: %d", height)
	}
	return a.view(from).Until(ctx, height)
}

func (m v1) ChainGetTipSetAfterHeight(ctx context.Context, height abi.ChainEpoch, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	switch {
	case err != nil:
	case height > ts.Height():
		err = fmt.Errorf("looking for tipset with height greater than start point: %d, from %d", height, ts.Height())
	case height < 0:
		err = fmt.Errorf("looking for a tipset at a negative height: %d", height)
	default:
		ts, err = m.view(ts).From(ctx, height)
	}
	return m.out(tipsetOut(ts), err)
}

// finality is how many epochs back a tipset is held to be final without F3.
const finality = 900

func (m v1) ChainGetFinalizedTipSet(ctx context.Context) (json.RawMessage, error) {
	ts, err := m.finalized(ctx)
	return m.out(tipsetOut(ts), err)
}

func (a *API) finalized(ctx context.Context) (*chain.Tipset, error) {
	head, err := a.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	return a.byHeight(ctx, max(head.Height()-finality, 0), head)
}

func (m v1) ChainGetBlock(ctx context.Context, block cid.Cid) (json.RawMessage, error) {
	h, err := m.header(ctx, block)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(headerOut(h), nil)
}

func (a *API) header(ctx context.Context, block cid.Cid) (*chain.Header, error) {
	if !block.Defined() {
		return nil, errors.New("the block's CID is missing")
	}
	return a.o.Chain.Store().Header(ctx, block)
}

type blockMessagesJSON struct {
	BlsMessages   []*messageJSON
	SecpkMessages []*signedJSON
	Cids          []cid.Cid
}

func (m v1) ChainGetBlockMessages(ctx context.Context, block cid.Cid) (json.RawMessage, error) {
	h, err := m.header(ctx, block)
	if err != nil {
		return m.out(nil, err)
	}
	list, err := m.o.Chain.Store().Messages(ctx, h)
	if err != nil {
		return m.out(nil, err)
	}
	out := blockMessagesJSON{BlsMessages: []*messageJSON{}, SecpkMessages: []*signedJSON{}, Cids: []cid.Cid{}}
	for _, x := range list.BLS {
		inner, err := messageOut(x.Message)
		if err != nil {
			return m.out(nil, err)
		}
		out.BlsMessages, out.Cids = append(out.BlsMessages, inner), append(out.Cids, x.CID)
	}
	for _, x := range list.Secp {
		inner, err := signedOut(x)
		if err != nil {
			return m.out(nil, err)
		}
		out.SecpkMessages, out.Cids = append(out.SecpkMessages, inner), append(out.Cids, x.CID)
	}
	return m.out(out, nil)
}

// messages are those of a tipset in the order in which they are applied, each once.
func (a *API) messages(ctx context.Context, ts *chain.Tipset) ([]chain.Message, error) {
	blocks, err := a.o.Chain.Store().TipsetMessages(ctx, ts)
	if err != nil {
		return nil, err
	}
	var st *tree.Tree // read only if an ID asks for it
	selected, err := chain.Select(ctx, blocks, ts.Height() >= a.o.Chain.Network().Constants.Hyperdrive, func(ctx context.Context, x address.Address) (address.Address, error) {
		if st == nil {
			var err error
			if st, err = a.tree(ctx, ts); err != nil {
				return address.Undef, err
			}
		}
		return st.Resolve(ctx, x)
	})
	if err != nil {
		return nil, err
	}
	var out []chain.Message
	seen := map[cid.Cid]bool{}
	for _, list := range selected {
		for _, x := range list {
			if !seen[x.CID] {
				seen[x.CID] = true
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// parentOf is the tipset under a block; nil under the genesis.
func (a *API) parentOf(ctx context.Context, h *chain.Header) (*chain.Tipset, error) {
	if h.Height == 0 {
		return nil, nil
	}
	return a.exact(ctx, h.Parents)
}

func (m v1) ChainGetParentMessages(ctx context.Context, block cid.Cid) (json.RawMessage, error) {
	h, err := m.header(ctx, block)
	if err != nil {
		return m.out(nil, err)
	}
	parent, err := m.parentOf(ctx, h)
	if err != nil || parent == nil {
		return m.out(nil, err)
	}
	list, err := m.messages(ctx, parent)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(listedOut(list))
}

func (m v1) ChainGetParentReceipts(ctx context.Context, block cid.Cid) (json.RawMessage, error) {
	h, err := m.header(ctx, block)
	if err != nil || h.Height == 0 {
		return m.out(nil, err)
	}
	list, err := m.receipts(ctx, h)
	if list == nil {
		list = []*receiptJSON{}
	}
	return m.out(list, err)
}

// receipts are those of the messages below a block.
func (a *API) receipts(ctx context.Context, h *chain.Header) ([]*receiptJSON, error) {
	raw, err := a.o.Chain.Store().Receipts(ctx, h.ParentMessageReceipts)
	if err == nil {
		var out []*receiptJSON
		for _, data := range raw {
			r, err := readReceipt(data)
			if err != nil {
				return nil, fmt.Errorf("a receipt of the tipset below %s: %w", epochText(h.Height), err)
			}
			out = append(out, r)
		}
		return out, nil
	}
	if !ipld.IsNotFound(err) {
		return nil, err
	}
	parent, err := a.parentOf(ctx, h)
	if err != nil {
		return nil, err
	}
	done, err := a.o.Chain.Executed(ctx, parent)
	if err != nil {
		return nil, err
	}
	var out []*receiptJSON
	for _, r := range done.Results {
		out = append(out, receiptOut(r))
	}
	return out, nil
}

func (m v1) ChainGetMessagesInTipset(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil || ts.Height() == 0 {
		return m.out(nil, err)
	}
	list, err := m.messages(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(listedOut(list))
}

func (m v1) ChainGetMessage(ctx context.Context, message cid.Cid) (json.RawMessage, error) {
	x, err := m.message(ctx, message)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(messageOut(x.Message))
}

// message reads a message by its CID on the chain, or one that waits.
func (a *API) message(ctx context.Context, c cid.Cid) (*chain.Message, error) {
	data, err := a.block(ctx, c)
	if err != nil {
		if waiting := a.waiting(ctx, c); waiting != nil {
			return waiting, nil
		}
		return nil, err
	}
	x, err := chain.DecodeUnsigned(c, data)
	if err != nil {
		if x, err = chain.DecodeSigned(c, data); err != nil {
			return nil, fmt.Errorf("block %s is no message: %w", c, err)
		}
	}
	return &x, nil
}

// waiting is a message of the pool; nil if it is not there.
func (a *API) waiting(ctx context.Context, c cid.Cid) *chain.Message {
	if a.o.Pool == nil {
		return nil
	}
	list, err := a.o.Pool.Pending(ctx)
	if err != nil {
		return nil
	}
	for i := range list {
		if list[i].CID == c {
			return &list[i]
		}
	}
	return nil
}

// block is a block of the chain or of a state.
func (a *API) block(ctx context.Context, c cid.Cid) ([]byte, error) {
	if !c.Defined() {
		return nil, errors.New("the CID is missing")
	}
	b, err := a.o.Chain.Store().Blocks().Get(ctx, c)
	if ipld.IsNotFound(err) {
		b, err = a.o.Chain.States().Get(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("blockstore get: %w", err)
	}
	return b.RawData(), nil
}

func (m v1) ChainReadObj(ctx context.Context, c cid.Cid) (json.RawMessage, error) {
	data, err := m.block(ctx, c)
	return m.out(data, err)
}

func (m v1) ChainHasObj(ctx context.Context, c cid.Cid) (json.RawMessage, error) {
	if !c.Defined() {
		return m.out(nil, errors.New("the CID is missing"))
	}
	ok, err := m.o.Chain.Store().Blocks().Has(ctx, c)
	if err == nil && !ok {
		ok, err = m.o.Chain.States().Has(ctx, c)
	}
	return m.out(ok, err)
}

type objStatJSON struct{ Size, Links uint64 }

// ChainStatObj counts the blocks below one, those below base left out.
func (m v1) ChainStatObj(ctx context.Context, c, base cid.Cid) (json.RawMessage, error) {
	seen := map[cid.Cid]bool{}
	var stat objStatJSON
	walk := func(root cid.Cid, count bool) error {
		for open := []cid.Cid{root}; len(open) > 0; {
			at := open[len(open)-1]
			open = open[:len(open)-1]
			codec := at.Prefix().Codec
			if seen[at] || codec == cid.FilCommitmentSealed || codec == cid.FilCommitmentUnsealed {
				continue
			}
			seen[at] = true
			data, err := m.block(ctx, at)
			if err != nil {
				return err
			}
			if count {
				stat.Size, stat.Links = stat.Size+uint64(len(data)), stat.Links+1
			}
			if codec != cid.DagCBOR {
				continue
			}
			err = cbor.Links(data, &cbor.LinkRules{}, func(raw []byte) error {
				link, _, err := cbor.ParseCID(raw)
				open = append(open, link)
				return err
			})
			if err != nil {
				return fmt.Errorf("the links of %s: %w", at, err)
			}
		}
		return nil
	}
	if base.Defined() {
		if err := walk(base, false); err != nil {
			return m.out(nil, err)
		}
	}
	err := walk(c, true)
	return m.out(stat, err)
}

// The weight of a chain (Filecoin specification, "Chain Weighting").
const (
	weightRatioNum, weightRatioDen = 1, 2
	blocksPerEpoch                 = 5
)

func (m v1) ChainTipSetWeight(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	p, err := m.power(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	total := p.total().QualityAdjPower
	if total.Sign() <= 0 {
		return m.out(nil, errors.New("all power in the net is gone"))
	}
	log := big.NewInt(int64(total.BitLen() - 1))
	wins := int64(0)
	for _, h := range ts.Blocks {
		if h.ElectionProof != nil {
			wins += h.ElectionProof.WinCount
		}
	}
	out := big.Add(ts.Blocks[0].ParentWeight, big.Lsh(log, 8))
	election := big.Mul(big.Lsh(big.Mul(log, big.NewInt(weightRatioNum)), 8), big.NewInt(wins))
	return m.out(big.Add(out, big.Div(election, big.NewInt(blocksPerEpoch*weightRatioDen))), nil)
}

func (m v1) ChainGetEvents(ctx context.Context, root cid.Cid) (json.RawMessage, error) {
	list, err := m.events(ctx, root)
	return m.out(list, err)
}
