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

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
)

// noLimit looks back to the genesis.
const noLimit abi.ChainEpoch = -1

// mostConfidence is how many epochs a message may be waited for after it was executed.
const mostConfidence = finality

// executedAt is a message and where it was executed.
type executedAt struct {
	tipset  *chain.Tipset // the child of the one that has the message: its headers have the receipt
	message chain.Message
	receipt *receiptJSON
}

var errReplaced = errors.New("message was replaced")

// search looks for a message below a tipset, at most limit epochs back; nil if it is not there. replaced takes a message of the
// same sender and nonce that differs in its fees alone.
func (a *API) search(ctx context.Context, from *chain.Tipset, c cid.Cid, limit abi.ChainEpoch, replaced bool) (*executedAt, error) {
	m, err := a.message(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("failed to load message: %w", err)
	}
	return a.searchFor(ctx, from, m, limit, replaced)
}

func (a *API) searchFor(ctx context.Context, from *chain.Tipset, m *chain.Message, limit abi.ChainEpoch, replaced bool) (*executedAt, error) {
	if f, ok := a.o.Chain.(Finder); ok {
		has, ok, err := f.Find(ctx, m.CID)
		if err != nil {
			return nil, err
		}
		if ok {
			return a.foundIn(ctx, from, has, m, limit)
		}
	}
	for cur := from; cur.Height() > 0; {
		if limit != noLimit && cur.Height() <= from.Height()-limit {
			return nil, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		parent, err := a.o.Chain.Store().Parent(ctx, cur)
		if err != nil {
			return nil, err
		}
		at, past, err := a.executedIn(ctx, cur, parent, m, replaced)
		if at != nil || past || err != nil {
			return at, err
		}
		cur = parent
	}
	return nil, nil
}

// foundIn is a message of which it is known what tipset has it.
func (a *API) foundIn(ctx context.Context, from, has *chain.Tipset, m *chain.Message, limit abi.ChainEpoch) (*executedAt, error) {
	if has.Height() >= from.Height() {
		return nil, nil
	}
	child, err := a.view(from).From(ctx, has.Height()+1)
	if err != nil {
		return nil, err
	}
	if child.Parents() != has.Key() || limit != noLimit && child.Height()+limit < from.Height() {
		return nil, nil // on another branch, or too far back
	}
	at, _, err := a.executedIn(ctx, child, has, m, true)
	return at, err
}

// executedIn looks for a message in the parent of a tipset. past tells that a later one of the sender's is not further back either.
func (a *API) executedIn(ctx context.Context, ts, parent *chain.Tipset, m *chain.Message, replaced bool) (at *executedAt, past bool, err error) {
	list, err := a.messages(ctx, parent)
	if err != nil {
		return nil, false, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		x := list[i]
		if x.Message.From != m.Message.From || x.Message.Nonce > m.Message.Nonce {
			continue
		}
		if x.Message.Nonce < m.Message.Nonce {
			return nil, true, nil
		}
		if x.CID != m.CID {
			if same, err := sameCall(x.Message, m.Message); err != nil || !same {
				return nil, false, errors.Join(err, fmt.Errorf("%w: found message with equal nonce as the one we are looking for that is NOT a valid replacement message: %s, in place of %s", errReplaced, x.CID, m.CID))
			}
			if !replaced {
				return nil, false, fmt.Errorf("%w: found message with equal nonce as the one we are looking for: %s, in place of %s", errReplaced, x.CID, m.CID)
			}
		}
		receipts, err := a.receipts(ctx, ts.Blocks[0])
		if err != nil {
			return nil, false, err
		}
		if i >= len(receipts) {
			return nil, false, fmt.Errorf("the tipset at %s has %d receipts, and message %d of it is asked for", epochText(parent.Height()), len(receipts), i)
		}
		return &executedAt{ts, x, receipts[i]}, false, nil
	}
	return nil, false, nil
}

// sameCall tells whether messages differ in their fees alone.
func sameCall(x, y *fvm.Message) (bool, error) {
	bare := func(m *fvm.Message) (cid.Cid, error) {
		c := *m
		c.GasLimit, c.GasFeeCap, c.GasPremium = 0, big.Zero(), big.Zero()
		return messageCID(&c)
	}
	a, err := bare(x)
	if err != nil {
		return false, err
	}
	b, err := bare(y)
	return a == b, err
}

type lookupJSON struct {
	Message   cid.Cid
	Receipt   *receiptJSON
	ReturnDec any
	TipSet    []cid.Cid
	Height    abi.ChainEpoch
}

func lookupOut(at *executedAt) *lookupJSON {
	return &lookupJSON{Message: at.message.CID, Receipt: at.receipt, TipSet: at.tipset.CIDs, Height: at.tipset.Height()}
}

// StateSearchMsg is null for a message that was not executed.
func (m v1) StateSearchMsg(ctx context.Context, from tipsetKey, message cid.Cid, limit abi.ChainEpoch, replaced bool) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, from)
	if err != nil {
		return m.out(nil, err)
	}
	at, err := m.search(ctx, ts, message, limit, replaced)
	if err != nil || at == nil {
		if errors.Is(err, errReplaced) && !replaced {
			err = nil
		}
		return m.out(nil, err)
	}
	return m.out(lookupOut(at), nil)
}

// StateWaitMsg waits until a message was executed, and confidence epochs more where blocks come by themselves.
func (m v1) StateWaitMsg(ctx context.Context, message cid.Cid, confidence uint64, limit abi.ChainEpoch, replaced bool) (json.RawMessage, error) {
	if confidence > mostConfidence {
		return m.out(nil, fmt.Errorf("message confidence exceeds maximum: %d > %d", confidence, mostConfidence))
	}
	if m.o.Settled {
		confidence = 0
	}
	at, err := m.wait(ctx, message, abi.ChainEpoch(confidence), limit, replaced)
	if err != nil {
		return m.out(nil, err)
	}
	out := lookupOut(at)
	if at.receipt.ExitCode == 0 && len(at.receipt.Return) > 0 {
		if out.ReturnDec, err = m.returned(ctx, at); err != nil {
			return m.out(nil, err)
		}
	}
	return m.out(out, nil)
}

// returned is what a message returned by its method's type; the bytes where there is none.
func (a *API) returned(ctx context.Context, at *executedAt) (any, error) {
	t, err := a.state(ctx, at.tipset)
	if err != nil {
		return nil, err
	}
	to, err := actor(ctx, t, Address{at.message.Message.To}, "")
	if err != nil {
		return nil, fmt.Errorf("failed to get return type: %w", err)
	}
	of, err := methodOf(ctx, t, to.Code, at.message.Message.Method)
	if err != nil || of.ReturnType() == nil {
		return at.receipt.Return, nil
	}
	v, err := decode(of.ReturnType(), at.receipt.Return)
	if err != nil {
		return at.receipt.Return, nil // of code whose types are others' than go-state-types has
	}
	return v, nil
}

func (a *API) wait(ctx context.Context, message cid.Cid, confidence, limit abi.ChainEpoch, replaced bool) (*executedAt, error) {
	m, err := a.message(ctx, message)
	if err != nil {
		return nil, fmt.Errorf("failed to load message: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var changes <-chan []HeadChange
	if heads, ok := a.o.Chain.(Heads); ok {
		if changes, err = heads.Heads(ctx); err != nil {
			return nil, err
		}
	}
	for {
		head, err := a.o.Chain.Head(ctx)
		if err != nil {
			return nil, err
		}
		at, err := a.searchFor(ctx, head, m, limit, replaced)
		if err != nil {
			return nil, err
		}
		if at != nil && head.Height()-at.tipset.Height() >= confidence {
			return at, nil
		}
		if changes == nil {
			return nil, errors.New("the chain goes no further, and the message was not executed on it")
		}
		select {
		case _, ok := <-changes:
			if !ok {
				return nil, errors.Join(ctx.Err(), errors.New("the chain's changes are not told any more"))
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type messageMatch struct{ To, From Address }

// mostListed is how many epochs back messages are listed.
const mostListed = 1 << 20

func (m v1) StateListMessages(ctx context.Context, match *messageMatch, key tipsetKey, down abi.ChainEpoch) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	if match == nil || match.To.Address == address.Undef && match.From.Address == address.Undef {
		return m.out(nil, errors.New("must specify at least To or From in message filter"))
	}
	if ts.Height()-down > mostListed {
		return m.out(nil, fmt.Errorf("messages of %d epochs are asked for, and at most %d are listed", ts.Height()-down, mostListed))
	}
	who := match.To
	if who.Address == address.Undef {
		who = match.From
	}
	if _, err := m.lookupID(ctx, who, key); err != nil {
		if errors.Is(err, errActorNotFound) {
			err = nil
		}
		return m.out(nil, err)
	}
	var out []cid.Cid
	for ts.Height() >= down {
		list, err := m.messages(ctx, ts)
		if err != nil {
			return m.out(nil, err)
		}
		for _, x := range list {
			to, from := match.To.Address, match.From.Address
			if (to == address.Undef || to == x.Message.To) && (from == address.Undef || from == x.Message.From) {
				out = append(out, x.CID)
			}
		}
		if ts.Height() == 0 {
			break
		}
		if ts, err = m.o.Chain.Store().Parent(ctx, ts); err != nil {
			return m.out(nil, err)
		}
	}
	return m.out(out, nil)
}
