package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain"
)

var errNoPool = errors.New("nobody adds to this chain: it takes no messages")

func (a *API) pool() (Pool, error) {
	if a.o.Pool == nil {
		return nil, errNoPool
	}
	return a.o.Pool, nil
}

func (m v1) MpoolPush(ctx context.Context, p *SignedMessage) (json.RawMessage, error) {
	c, err := m.push(ctx, p)
	return m.out(c, err)
}

func (m v1) MpoolPushUntrusted(ctx context.Context, p *SignedMessage) (json.RawMessage, error) {
	return m.MpoolPush(ctx, p)
}

func (a *API) push(ctx context.Context, p *SignedMessage) (cid.Cid, error) {
	if p == nil {
		return cid.Undef, errors.New("the message is missing")
	}
	msg, err := p.Message.message()
	if err != nil {
		return cid.Undef, err
	}
	if err := a.outgoing(msg); err != nil {
		return cid.Undef, err
	}
	pool, err := a.pool()
	if err != nil {
		return cid.Undef, err
	}
	return pool.Push(ctx, msg, &crypto.Signature{Type: p.Signature.Type, Data: p.Signature.Data})
}

// outgoing refuses receivers that nobody could spend from: an f4 address that is not one of Ethereum's.
func (a *API) outgoing(m *fvm.Message) error {
	if m.To.Protocol() != address.Delegated {
		return nil
	}
	if eth, ok := addr.Ethereum(m.To); !ok || eth == "" {
		return fmt.Errorf("message recipient %s is a delegated address but not a valid Eth Address", addressText(a.prefix, m.To))
	}
	return nil
}

// mostBatch is how many messages are pushed at once.
const mostBatch = 1000

func (m v1) MpoolBatchPush(ctx context.Context, list []*SignedMessage) (json.RawMessage, error) {
	if len(list) > mostBatch {
		return m.out(nil, fmt.Errorf("%d messages at once: at most %d are taken", len(list), mostBatch))
	}
	out := []cid.Cid{}
	for _, p := range list {
		c, err := m.push(ctx, p)
		if err != nil {
			return m.out(nil, err)
		}
		out = append(out, c)
	}
	return m.out(out, nil)
}

func (m v1) MpoolBatchPushUntrusted(ctx context.Context, list []*SignedMessage) (json.RawMessage, error) {
	return m.MpoolBatchPush(ctx, list)
}

// MpoolPushMessage signs a message and sends it, with the next nonce of its sender, and with gas and fees where it has none.
func (m v1) MpoolPushMessage(ctx context.Context, p *Message, spec *sendSpec) (json.RawMessage, error) {
	out, err := m.pushMessage(ctx, p, spec)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(signedOut(*out))
}

func (m v1) MpoolBatchPushMessage(ctx context.Context, list []*Message, spec *sendSpec) (json.RawMessage, error) {
	if len(list) > mostBatch {
		return m.out(nil, fmt.Errorf("%d messages at once: at most %d are taken", len(list), mostBatch))
	}
	out := []*signedJSON{}
	for _, p := range list {
		x, err := m.pushMessage(ctx, p, spec)
		if err != nil {
			return m.out(nil, err)
		}
		s, err := signedOut(*x)
		if err != nil {
			return m.out(nil, err)
		}
		out = append(out, s)
	}
	return m.out(out, nil)
}

func (a *API) pushMessage(ctx context.Context, p *Message, spec *sendSpec) (*chain.Message, error) {
	msg, err := p.message()
	if err != nil {
		return nil, err
	}
	if err := a.outgoing(msg); err != nil {
		return nil, err
	}
	pool, err := a.pool()
	if err != nil {
		return nil, err
	}
	if msg.Nonce != 0 {
		return nil, fmt.Errorf("MpoolPushMessage expects message nonce to be 0, was %d", msg.Nonce)
	}
	a.pushing.Lock()
	defer a.pushing.Unlock()
	head, err := a.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	if msg.From, err = a.accountKey(ctx, Address{msg.From}, head); err != nil {
		return nil, fmt.Errorf("getting key address: %w", err)
	}
	if ok, err := a.hasKey(ctx, msg.From); err != nil || !ok {
		return nil, errors.Join(err, fmt.Errorf("there is no key of %s", addressText(a.prefix, msg.From)))
	}
	if err := a.messageGas(ctx, msg, spec, head); err != nil {
		return nil, fmt.Errorf("GasEstimateMessageGas error: %w", err)
	}
	if msg.GasPremium.GreaterThan(msg.GasFeeCap) {
		return nil, fmt.Errorf("after estimation the premium %s is greater than the fee cap %s", msg.GasPremium, msg.GasFeeCap)
	}
	balance, err := a.balance(ctx, Address{msg.From}, head)
	if err != nil {
		return nil, fmt.Errorf("mpool push: getting origin balance: %w", err)
	}
	if need := big.Add(msg.Value, big.Mul(msg.GasFeeCap, big.NewInt(msg.GasLimit))); balance.LessThan(need) {
		return nil, fmt.Errorf("mpool push: not enough funds: %s < %s", balance, need)
	}
	if msg.Nonce, err = pool.Nonce(ctx, msg.From); err != nil {
		return nil, err
	}
	signed, err := a.signMessage(ctx, Address{msg.From}, msg)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Push(ctx, msg, signed.Signature); err != nil {
		return nil, fmt.Errorf("mpool push: failed to push message: %w", err)
	}
	return signed, nil
}

func (m v1) MpoolGetNonce(ctx context.Context, a Address) (json.RawMessage, error) {
	pool, err := m.pool()
	if err != nil {
		return m.out(nil, err)
	}
	head, err := m.o.Chain.Head(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	key, err := m.accountKey(ctx, a, head)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := pool.Nonce(ctx, key)
	return m.out(n, err)
}

func (m v1) MpoolPending(ctx context.Context, _ tipsetKey) (json.RawMessage, error) {
	return m.pending(ctx)
}

func (m v1) MpoolSelect(ctx context.Context, _ tipsetKey, _ float64) (json.RawMessage, error) {
	return m.pending(ctx)
}

func (m v1) pending(ctx context.Context) (json.RawMessage, error) {
	out := []*signedJSON{}
	if m.o.Pool == nil {
		return m.out(out, nil)
	}
	list, err := m.o.Pool.Pending(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	for _, x := range list {
		s, err := signedOut(x)
		if err != nil {
			return m.out(nil, err)
		}
		out = append(out, s)
	}
	return m.out(out, nil)
}

func (m v1) MpoolClear(ctx context.Context, _ bool) (json.RawMessage, error) {
	pool, err := m.pool()
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(nil, pool.Clear(ctx))
}

type poolUpdateJSON struct {
	Type    int // 0: added, 1: removed
	Message *signedJSON
}

// MpoolSub sends what comes to the pool and leaves it.
func (m v1) MpoolSub(ctx context.Context) (<-chan json.RawMessage, error) {
	pool, err := m.pool()
	if err != nil {
		return nil, coded(err)
	}
	in, err := pool.Changes(ctx)
	if err != nil {
		return nil, coded(err)
	}
	out := make(chan json.RawMessage)
	go func() {
		defer close(out)
		for {
			select {
			case c, ok := <-in:
				if !ok {
					return
				}
				s, err := signedOut(c.Message)
				if err != nil {
					return
				}
				u := poolUpdateJSON{Message: s}
				if c.Removed {
					u.Type = 1
				}
				data, err := marshal(m.prefix, u)
				if err != nil {
					return
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
	}()
	return out, nil
}

type poolConfigJSON struct {
	PriorityAddrs          []address.Address
	SizeLimitHigh          int
	SizeLimitLow           int
	ReplaceByFeeRatio      float64
	PruneCooldown          int64 // nanoseconds
	GasLimitOverestimation float64
}

func (m v1) MpoolGetConfig(context.Context) (json.RawMessage, error) {
	c := poolConfigJSON{SizeLimitHigh: 30000, SizeLimitLow: 20000, ReplaceByFeeRatio: 1.25, PruneCooldown: 60e9, GasLimitOverestimation: gasOverestimation}
	if m.exactFees() {
		c.GasLimitOverestimation = 1
	}
	return m.out(c, nil)
}
