// Package stateproof proves what a state of the chain has of an address: who it belongs to, balance, nonce, hash of the code, and slots of
// storage, or that there is nothing.
//
//	p, err := stateproof.Make(ctx, store, root, address, slots)
//	err = stateproof.Verify(ctx, root, p) // elsewhere, with a root that is trusted
//
// A state is a tree of blocks that name each other by their hashes (CIDs). A proof has the blocks on the way from the root to what it says:
// the root, the nodes of the state tree's HAMT, the init actor's state with the nodes of its addresses, the system actor's list of builtin
// actors, by which code is known, the contract's state, and the nodes of its slots' KAMT. Verify reads them as a node reads a state, and
// nothing else: a block that is missing, does not have its hash, or is not needed is an error, and so is a word that differs.
//
// The root of the state after a tipset stands in the headers of the next one (ParentStateRoot). Ethereum's eth_getProof is of a
// Merkle-Patricia trie, which Filecoin does not have.
package stateproof

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
)

// ErrInvalid is wrapped by errors about proofs that prove nothing.
var ErrInvalid = errors.New("invalid proof")

// Limits of a proof.
const (
	MaxBlocks = 16_384
	MaxBlock  = 1 << 20 // bytes
	MaxSlots  = 1024
)

// Proof is what a state has of an address, with the blocks that say so.
type Proof struct {
	Address address.Address
	// Exists tells whether the address belongs to an actor. If not, what follows is zero.
	Exists   bool
	ID       abi.ActorID
	Balance  *big.Int
	Nonce    uint64   // as Ethereum counts
	CodeHash eth.Hash // Keccak-256 of a contract's code; 0 of all others
	Slots    []Slot
	// Blocks in the order in which they are read. Their CIDs follow from what names them.
	Blocks []Block
}

// Slot is a word of a contract's storage.
type Slot struct{ Key, Value eth.Hash }

// Block is a block of the state.
type Block struct {
	CID  cid.Cid
	Data []byte
}

// Make makes a proof of the state with a root.
func Make(ctx context.Context, store blockstore.Blockstore, root cid.Cid, a address.Address, slots []eth.Hash) (*Proof, error) {
	if len(slots) > MaxSlots {
		return nil, fmt.Errorf("%d slots: a proof has at most %d", len(slots), MaxSlots)
	}
	rec := &recording{Blockstore: store, seen: map[cid.Cid]bool{}}
	p, err := read(ctx, rec, root, a, slots)
	if err != nil {
		return nil, err
	}
	p.Blocks = rec.list
	return p, nil
}

// read looks up what a proof says.
func read(ctx context.Context, store blockstore.Blockstore, root cid.Cid, a address.Address, slots []eth.Hash) (*Proof, error) {
	p := &Proof{Address: a, Balance: new(big.Int)}
	v, err := ethtrace.LookBare(ctx, store, root)
	if err != nil {
		return nil, err
	}
	acc, err := v.Account(ctx, a)
	if err != nil {
		return nil, err
	}
	if acc != nil {
		p.Exists, p.ID, p.Balance, p.Nonce, p.CodeHash = true, acc.ID, acc.Balance.Big(), acc.Nonce, acc.CodeHash
	}
	for _, key := range slots {
		s := Slot{Key: key}
		if acc != nil {
			if s.Value, err = acc.Slot(ctx, key); err != nil {
				return nil, err
			}
		}
		p.Slots = append(p.Slots, s)
	}
	return p, nil
}

// Verify checks a proof of the state with a root. Errors wrap ErrInvalid, unless the context ended.
func Verify(ctx context.Context, root cid.Cid, p *Proof) error {
	given, err := p.given()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	keys := make([]eth.Hash, len(p.Slots))
	for i, s := range p.Slots {
		keys[i] = s.Key
	}
	rec := &recording{Blockstore: given, seen: map[cid.Cid]bool{}}
	want, err := read(ctx, rec, root, p.Address, keys)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	case len(rec.list) != len(p.Blocks):
		return fmt.Errorf("%w: it has %d blocks, and needs %d", ErrInvalid, len(p.Blocks), len(rec.list))
	}
	if err := p.differs(want); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// given are the blocks of a proof, each with the hash that it says.
func (p *Proof) given() (*blockstore.Memory, error) {
	if len(p.Blocks) > MaxBlocks || len(p.Slots) > MaxSlots {
		return nil, fmt.Errorf("%d blocks and %d slots: at most %d and %d are taken", len(p.Blocks), len(p.Slots), MaxBlocks, MaxSlots)
	}
	m := blockstore.NewMemory()
	for i, b := range p.Blocks {
		if len(b.Data) > MaxBlock {
			return nil, fmt.Errorf("block %d has %d bytes, more than %d", i, len(b.Data), MaxBlock)
		}
		if !b.CID.Defined() {
			return nil, fmt.Errorf("block %d has no CID", i)
		}
		form := b.CID.Prefix()
		if form.Version != 1 || form.MhType != multihash.BLAKE2B_MIN+31 || form.MhLength != 32 {
			return nil, fmt.Errorf("block %d, %s: want a CID of version 1 with blake2b-256", i, b.CID)
		}
		sum, err := form.Sum(b.Data)
		if err != nil {
			return nil, err
		}
		if !sum.Equals(b.CID) {
			return nil, fmt.Errorf("block %d has the hash of %s, not of %s", i, sum, b.CID)
		}
		blk, err := blocks.NewBlockWithCid(b.Data, b.CID)
		if err != nil {
			return nil, err
		}
		if err := m.Put(context.Background(), blk); err != nil {
			return nil, err
		}
	}
	if m.Len() != len(p.Blocks) {
		return nil, errors.New("a block is there twice")
	}
	return m, nil
}

func (p *Proof) differs(want *Proof) error {
	switch {
	case p.Exists != want.Exists:
		return fmt.Errorf("that the address belongs to somebody is %v, not %v", want.Exists, p.Exists)
	case p.ID != want.ID:
		return fmt.Errorf("the actor is f0%d, not f0%d", want.ID, p.ID)
	case p.Balance == nil || p.Balance.Cmp(want.Balance) != 0:
		return fmt.Errorf("the balance is %s, not %s", want.Balance, p.Balance)
	case p.Nonce != want.Nonce:
		return fmt.Errorf("the nonce is %d, not %d", want.Nonce, p.Nonce)
	case p.CodeHash != want.CodeHash:
		return fmt.Errorf("the code's hash is %s, not %s", want.CodeHash, p.CodeHash)
	}
	for i, s := range p.Slots {
		if s != want.Slots[i] {
			return fmt.Errorf("slot %s has %s, not %s", s.Key, want.Slots[i].Value, s.Value)
		}
	}
	return nil
}

// recording keeps the blocks that are read.
type recording struct {
	blockstore.Blockstore
	mu   sync.Mutex
	seen map[cid.Cid]bool
	list []Block
}

func (r *recording) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := r.Blockstore.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seen[c] {
		r.seen[c] = true
		r.list = append(r.list, Block{c, slices.Clone(b.RawData())})
	}
	return b, nil
}
