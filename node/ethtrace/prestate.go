package ethtrace

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/edgefvm/fvm/node/eth"
)

func sortBy[T any](list []T, key func(T) []byte) {
	slices.SortFunc(list, func(a, b T) int { return bytes.Compare(key(a), key(b)) })
}

// Prestate is an account as the prestateTracer shows it. Of one after a message it has what changed.
type Prestate struct {
	Balance  *eth.Amount           `json:"balance,omitempty"`
	Code     *eth.Data             `json:"code,omitempty"`
	CodeHash *eth.Hash             `json:"codeHash,omitempty"`
	Nonce    uint64                `json:"nonce,omitempty"` // a plain number
	Storage  map[eth.Hash]eth.Hash `json:"storage,omitempty"`
}

// PrestateDiff is the prestateTracer's answer with diffMode.
type PrestateDiff struct {
	Post map[eth.Address]*Prestate `json:"post"`
	Pre  map[eth.Address]*Prestate `json:"pre"`
}

func (h *heard) prestate(ctx context.Context, c *prestateConfig) (any, error) {
	list, err := h.pairs(ctx)
	if err != nil {
		return nil, err
	}
	if c.DiffMode {
		return prestateDiff(ctx, list, c)
	}
	if len(h.touched.failed) > 0 && !c.DisableStorage {
		u := h.touched.failed[0]
		return nil, fmt.Errorf("which slots were read is not known, as the opcodes of f0%d cannot be watched: %w; ask with disableStorage or diffMode", u.ID, u.Err)
	}
	all := map[eth.Address]*Prestate{}
	for _, p := range list {
		a := p.before
		if a == nil {
			if !c.IncludeEmpty {
				continue
			}
			a = &Account{}
		}
		if a.empty() && !c.IncludeEmpty {
			continue
		}
		shown := a.prestate(c)
		if !c.DisableStorage && a.slots != nil {
			for key := range h.touched.actors[a.ID] {
				v, err := a.Slot(ctx, key)
				if err != nil {
					return nil, err
				}
				shown.set(key, v)
			}
		}
		all[p.address] = shown
	}
	return all, nil
}

// prestate is the account without its storage.
func (a *Account) prestate(c *prestateConfig) *Prestate {
	p := &Prestate{Balance: &eth.Amount{Int: a.Balance.Big()}, Nonce: a.Nonce}
	if len(a.Code) > 0 {
		hash := codeHash(a.Code)
		p.CodeHash = &hash
		if !c.DisableCode {
			p.Code = (*eth.Data)(&a.Code)
		}
	}
	return p
}

func (p *Prestate) set(key, value eth.Hash) {
	if p.Storage == nil {
		p.Storage = map[eth.Hash]eth.Hash{}
	}
	p.Storage[key] = value
}

// prestateDiff shows what changed, as go-ethereum does: an account that was not there is in post alone, of one that changed pre has all
// fields and post those that changed, and slots of 0 are left out on either side.
func prestateDiff(ctx context.Context, list []pair, c *prestateConfig) (*PrestateDiff, error) {
	d := &PrestateDiff{Post: map[eth.Address]*Prestate{}, Pre: map[eth.Address]*Prestate{}}
	for _, p := range list {
		slots, err := changes(ctx, p.before, p.after)
		if err != nil {
			return nil, err
		}
		if c.DisableStorage {
			slots = nil
		}
		if p.after == nil {
			d.Pre[p.address] = p.before.prestate(c)
			continue
		}
		was := p.before
		if was == nil {
			was = &Account{}
		}
		post, changed := &Prestate{}, len(slots) > 0
		if p.after.Balance.Big().Cmp(was.Balance.Big()) != 0 {
			post.Balance, changed = &eth.Amount{Int: p.after.Balance.Big()}, true
		}
		if p.after.Nonce != was.Nonce {
			post.Nonce, changed = p.after.Nonce, true
		}
		if !same(was, p.after) {
			hash := codeHash(p.after.Code)
			post.CodeHash, changed = &hash, true
			if !c.DisableCode {
				code := eth.Data(p.after.Code)
				post.Code = &code
			}
		}
		if !changed {
			continue
		}
		pre := was.prestate(c)
		for _, s := range slots {
			if s.before != (eth.Hash{}) {
				pre.set(s.key, s.before)
			}
			if s.after != (eth.Hash{}) {
				post.set(s.key, s.after)
			}
		}
		d.Post[p.address] = post
		if p.before != nil && (!p.before.empty() || c.IncludeEmpty) {
			d.Pre[p.address] = pre
		}
	}
	return d, nil
}
