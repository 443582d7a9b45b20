package ethtrace

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// View is a state as Ethereum sees it. It belongs to one goroutine at a time.
type View struct {
	tree *tree.Tree
	bare bool
}

// Account is an actor in Ethereum's words.
type Account struct {
	ID      abi.ActorID
	Address eth.Address
	Balance eth.Amount
	// Nonce of a contract is how many it has created and one, of all others how many messages they have sent.
	Nonce uint64
	// Code of a contract; nil of all others, and of a dead one. CodeHash is Keccak-256 of it, which the state has; 0 where there is none.
	Code     []byte
	CodeHash eth.Hash

	evm   bool
	slots *collections.Map // nil: none
}

// Look reads the state with a root.
func Look(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (*View, error) {
	t, err := tree.Load(ctx, store, root)
	return &View{tree: t}, err
}

// LookBare is Look without contracts' code, which is not read.
func LookBare(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (*View, error) {
	t, err := tree.Load(ctx, store, root)
	return &View{tree: t, bare: true}, err
}

// Account is who has an address; nil if nobody has.
func (v *View) Account(ctx context.Context, a address.Address) (*Account, error) {
	id, err := v.tree.ID(ctx, a)
	if errors.Is(err, tree.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return v.byID(ctx, id)
}

func (v *View) byID(ctx context.Context, id abi.ActorID) (*Account, error) {
	st, err := v.tree.Actor(ctx, id)
	if errors.Is(err, tree.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := &Account{ID: id, Address: eth.MaskedID(uint64(id)), Balance: eth.Amount{Int: st.Balance.Int}, Nonce: st.Nonce}
	if st.Delegated != nil {
		if b, ok := addr.EthereumBytes(*st.Delegated); ok {
			a.Address = b
		}
	}
	name, err := v.tree.Name(ctx, st.Code)
	if err != nil || name != "evm" {
		return a, err
	}
	data, err := v.tree.Block(ctx, st.Head)
	if err == nil {
		err = v.contract(ctx, a, data)
	}
	if err != nil {
		return nil, fmt.Errorf("the contract f0%d: %w", id, err)
	}
	return a, nil
}

// contract reads the state of an EVM actor: [bytecode, its hash, slots, (transient slots since version 16), nonce, tombstone].
func (v *View) contract(ctx context.Context, a *Account, data []byte) error {
	r := cbor.NewReader(data)
	n := r.Len()
	code := r.CID()
	hash := r.Bytes()
	slots := r.CID()
	if n > 5 {
		r.Raw()
	}
	a.evm, a.Nonce = true, r.Uint()
	dead := !r.Null()
	if dead {
		r.Raw()
	}
	if err := r.End(); err != nil {
		return fmt.Errorf("its state: %w", err)
	}
	if dead {
		a.Nonce = 0
		return nil
	}
	if len(hash) != len(a.CodeHash) {
		return fmt.Errorf("a hash of %d bytes", len(hash))
	}
	copy(a.CodeHash[:], hash)
	if !v.bare {
		var err error
		if a.Code, err = v.tree.Block(ctx, code); err != nil {
			return err
		}
	}
	a.slots = &collections.NewSlots(slots, v.tree.Block, nil).Map
	return nil
}

// Slot is a word of the account's storage; 0 where there is none.
func (a *Account) Slot(ctx context.Context, key eth.Hash) (value eth.Hash, err error) {
	if a.slots == nil {
		return value, nil
	}
	item, ok, err := a.slots.Get(ctx, key[:])
	if err != nil || !ok {
		return value, err
	}
	return slotValue(item)
}

func slotValue(item []byte) (value eth.Hash, err error) {
	r := cbor.NewReader(item)
	word := r.Bytes()
	if err := r.End(); err != nil || len(word) > len(value) {
		return value, fmt.Errorf("a slot with %x, which is no word", item)
	}
	copy(value[len(value)-len(word):], word)
	return value, nil
}

// change is a slot whose value differs.
type change struct{ key, before, after eth.Hash }

// maxChanges is how many slots of a message are shown as changed.
const maxChanges = 1 << 20

// changes are the slots that differ between two states of an account; nil stands for one that is not there.
func changes(ctx context.Context, before, after *Account) (list []change, err error) {
	add := func(key, was, is []byte) (err error) {
		if len(list) == maxChanges {
			return fmt.Errorf("more than %d slots changed", maxChanges)
		}
		c := change{}
		copy(c.key[len(c.key)-len(key):], key)
		if was != nil {
			if c.before, err = slotValue(was); err != nil {
				return err
			}
		}
		if is != nil {
			if c.after, err = slotValue(is); err != nil {
				return err
			}
		}
		list = append(list, c)
		return nil
	}
	var a, b *collections.Map
	if before != nil {
		a = before.slots
	}
	if after != nil {
		b = after.slots
	}
	switch {
	case a != nil && b != nil:
		err = collections.DiffMaps(ctx, a, b, add)
	case a != nil:
		err = a.ForEach(ctx, func(k, v []byte) error { return add(k, v, nil) })
	case b != nil:
		err = b.ForEach(ctx, func(k, v []byte) error { return add(k, nil, v) })
	}
	return list, err
}

func (a *Account) empty() bool {
	return a.Balance.Big().Sign() == 0 && a.Nonce == 0 && len(a.Code) == 0
}

// pair is an account before and after a message; nil: it is not there.
type pair struct {
	address       eth.Address
	before, after *Account
}

// pairs are all that a message touched, the sender and who gets its fees included, by ascending addresses.
func (h *heard) pairs(ctx context.Context) ([]pair, error) {
	d := h.done
	before, err := Look(ctx, d.Store, d.Before)
	if err != nil {
		return nil, err
	}
	after, err := Look(ctx, d.Store, d.After)
	if err != nil {
		return nil, err
	}
	all := map[eth.Address]pair{}
	add := func(find func(*View) (*Account, error)) error {
		a, err := find(before)
		if err != nil {
			return err
		}
		b, err := find(after)
		if err != nil {
			return err
		}
		switch {
		case b != nil:
			all[b.Address] = pair{b.Address, a, b}
		case a != nil:
			all[a.Address] = pair{a.Address, a, nil}
		}
		return nil
	}
	who := append(h.touched.addresses(), d.From.Filecoin())
	if d.Place != nil {
		who = append(who, addr.NewID(uint64(tree.Burnt)), addr.NewID(uint64(tree.Reward)))
	}
	for _, x := range who {
		if err := add(func(v *View) (*Account, error) { return v.Account(ctx, x) }); err != nil {
			return nil, err
		}
	}
	for id := range h.touched.actors {
		if err := add(func(v *View) (*Account, error) { return v.byID(ctx, id) }); err != nil {
			return nil, err
		}
	}
	list := make([]pair, 0, len(all))
	for _, p := range all {
		list = append(list, p)
	}
	sortBy(list, func(p pair) []byte { return p.address[:] })
	return list, nil
}

// codeHash is Keccak-256 of code.
func codeHash(code []byte) eth.Hash { return ethtx.Keccak256(code) }

// same tells whether two accounts have the same code.
func same(a, b *Account) bool { return bytes.Equal(a.Code, b.Code) }
