package dev

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// cache keeps what is derived of a block. It is safe for concurrent use.
type cache struct {
	mu       sync.Mutex
	supply   *abi.TokenAmount // of the machine after it
	rendered [2]*eth.Rendered // by manner; those of few blocks are kept
	blooms   [2]*eth.Bloom    // of logs, kept once they are known
	whole    *Block           // of a real one: with its messages
}

// Store of the states that a block's Root and those before it name: the node's, or of a preview one upon it.
func (b *Block) Store() blockstore.Blockstore { return b.states }

// ErrReverted is wrapped by errors about a block that is not on the chain any more, and whose state is gone with it.
var ErrReverted = errors.New("the block was reverted")

// lost says that a block is not there any more, if that is why an error is.
func (n *Node) lost(b *Block, err error) error {
	if err == nil || b.Preview || n.BlockByHash(b.Hash) != nil {
		return err
	}
	return fmt.Errorf("%w: that at epoch %d: %w", ErrReverted, b.Epoch(), err)
}

// Tree is the state after a block. It belongs to one goroutine at a time.
func (n *Node) Tree(ctx context.Context, b *Block) (*tree.Tree, error) {
	t, err := tree.Load(ctx, b.states, b.Root)
	return t, n.lost(b, err)
}

// Actor is an actor in the state after a block; nil if there is none.
func (n *Node) Actor(ctx context.Context, b *Block, a address.Address) (abi.ActorID, *fvm.ActorState, error) {
	t, err := n.Tree(ctx, b)
	if err != nil {
		return 0, nil, err
	}
	return actorIn(ctx, t, a)
}

func actorIn(ctx context.Context, t *tree.Tree, a address.Address) (abi.ActorID, *fvm.ActorState, error) {
	id, err := t.ID(ctx, a)
	if err == nil {
		var st *state.ActorState
		if st, err = t.Actor(ctx, id); err == nil {
			return id, (*fvm.ActorState)(st), nil
		}
	}
	if errors.Is(err, tree.ErrNotFound) {
		return 0, nil, nil
	}
	return 0, nil, err
}

// Balance is what an address has after a block, in attoFIL; 0 of nobody.
func (n *Node) Balance(ctx context.Context, b *Block, a address.Address) (abi.TokenAmount, error) {
	_, st, err := n.Actor(ctx, b, a)
	if err != nil || st == nil {
		return big.Zero(), err
	}
	return st.Balance, nil
}

// ActorKind is what the state after a block calls an actor's code, such as "evm"; "" of nobody, and of code that is not on its list.
func (n *Node) ActorKind(ctx context.Context, b *Block, a address.Address) (string, error) {
	t, err := n.Tree(ctx, b)
	if err != nil {
		return "", err
	}
	_, st, err := actorIn(ctx, t, a)
	if err != nil || st == nil {
		return "", err
	}
	return t.Name(ctx, st.Code)
}

// Nonce is the next nonce of an address after a block as Ethereum counts: of a contract how many it has created and one, 0 once it is
// dead, and of all others how many messages they have sent.
func (n *Node) Nonce(ctx context.Context, b *Block, a address.Address) (uint64, error) {
	t, err := n.Tree(ctx, b)
	if err != nil {
		return 0, err
	}
	_, st, err := actorIn(ctx, t, a)
	if err != nil || st == nil {
		return 0, err
	}
	c, err := n.contract(ctx, b, t, st)
	switch {
	case err != nil:
		return 0, err
	case c == nil:
		return st.Nonce, nil
	case c.dead:
		return 0, nil
	}
	return c.nonce, nil
}

// PendingNonce is Nonce after the latest block and what is ready in the pool.
func (n *Node) PendingNonce(ctx context.Context, a address.Address) (uint64, error) {
	who, err := n.senderOf(ctx, a)
	if err != nil {
		return 0, err
	}
	if !who.account {
		return n.Nonce(ctx, n.Latest(), a)
	}
	next := who.nonce
	for _, t := range n.pool.of(who.key) {
		if t.Message.Message.Nonce == next {
			next++
		}
	}
	return next, nil
}

// Code is a contract's bytecode after a block; nil of everybody else, and of a dead one.
func (n *Node) Code(ctx context.Context, b *Block, a address.Address) ([]byte, error) {
	t, err := n.Tree(ctx, b)
	if err != nil {
		return nil, err
	}
	_, st, err := actorIn(ctx, t, a)
	if err != nil || st == nil {
		return nil, err
	}
	c, err := n.contract(ctx, b, t, st)
	if err != nil || c == nil || c.dead {
		return nil, err
	}
	blk, err := b.states.Get(ctx, c.code)
	if err != nil {
		return nil, err
	}
	return blk.RawData(), nil
}

// methodStorage is GetStorageAt of the EVM actor, which the system alone may call.
const methodStorage = 5

// Storage is a slot of a contract's storage after a block; 0 of everybody else.
func (n *Node) Storage(ctx context.Context, b *Block, a address.Address, slot [32]byte) (value [32]byte, err error) {
	t, err := n.Tree(ctx, b)
	if err != nil {
		return value, err
	}
	id, st, err := actorIn(ctx, t, a)
	if err != nil || st == nil {
		return value, err
	}
	c, err := n.contract(ctx, b, t, st)
	if err != nil || c == nil || c.dead {
		return value, err
	}
	params := cbor.AppendBytes(cbor.AppendArray(nil, 1), slot[:])
	res, err := n.Call(ctx, b, &fvm.Message{
		From: addr.NewID(0), To: idOf(id), Value: big.Zero(), GasLimit: callGas, GasFeeCap: big.Zero(), GasPremium: big.Zero(), Method: methodStorage, Params: params,
	}, CallOptions{})
	if err != nil {
		return value, err
	}
	if !ok(res.ExitCode) {
		return value, fmt.Errorf("reading storage of %s: exit code %d: %s", a, res.ExitCode, res.Failure)
	}
	r := cbor.NewReader(res.Return)
	data := r.Bytes()
	if err := r.End(); err != nil || len(data) > len(value) {
		return value, fmt.Errorf("reading storage of %s: it returned %x", a, res.Return)
	}
	copy(value[len(value)-len(data):], data)
	return value, nil
}

// contract is what the state of an EVM actor says.
type contract struct {
	code  cid.Cid
	nonce uint64
	dead  bool
}

// contract reads an EVM actor's state: [code, hash of it, storage, (since version 16) transient data or null, nonce, tombstone or null].
// nil is of other actors.
func (n *Node) contract(ctx context.Context, b *Block, t *tree.Tree, st *fvm.ActorState) (*contract, error) {
	name, err := t.Name(ctx, st.Code)
	if err != nil || name != "evm" {
		return nil, err
	}
	blk, err := b.states.Get(ctx, st.Head)
	if err != nil {
		return nil, err
	}
	r := cbor.NewReader(blk.RawData())
	fields := r.Len()
	c := &contract{code: r.CID()}
	r.Raw()
	r.Raw()
	if fields > 5 {
		r.Raw()
	}
	c.nonce = r.Uint()
	c.dead = !r.Null()
	if c.dead {
		r.Raw()
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("the state of a contract: %w", err)
	}
	return c, nil
}

// CodeHash is Keccak-256 of code.
func CodeHash(code []byte) eth.Hash { return ethtx.Keccak256(code) }

// sender is who sends a message.
type sender struct {
	key     address.Address // of its signatures, or what stands for it in the pool
	account bool            // it may send explicit messages
	nonce   uint64
	balance abi.TokenAmount
}

// senderOf looks at who an address belongs to in the latest state. An address that nobody has is an account without funds.
func (n *Node) senderOf(ctx context.Context, a address.Address) (sender, error) {
	b := n.Latest()
	t, err := n.Tree(ctx, b)
	if err != nil {
		return sender{}, err
	}
	id, st, err := actorIn(ctx, t, a)
	if err != nil {
		return sender{}, err
	}
	if st == nil {
		return sender{key: a, account: a.Protocol() != address.ID, balance: big.Zero()}, nil
	}
	name, err := t.Name(ctx, st.Code)
	if err != nil {
		return sender{}, err
	}
	s := sender{key: idOf(id), nonce: st.Nonce, balance: st.Balance}
	switch {
	case st.Delegated != nil:
		s.key = *st.Delegated
	case name == "account":
		if s.key, err = t.Key(ctx, idOf(id)); err != nil {
			return sender{}, err
		}
	}
	switch name {
	case "account", "ethaccount":
		s.account = true
	case "placeholder":
		_, isEth := addr.EthereumBytes(s.key)
		s.account = st.Nonce == 0 && isEth
	}
	return s, nil
}

// keyOf is the address by which an address' signatures verify.
func (n *Node) keyOf(ctx context.Context, a address.Address) (address.Address, error) {
	if p := a.Protocol(); p == address.SECP256K1 || p == address.BLS || p == address.Delegated {
		return a, nil
	}
	t, err := n.Tree(ctx, n.Latest())
	if err != nil {
		return a, err
	}
	return t.Key(ctx, a)
}

// nextNonce is the next nonce of a sender after the latest block.
func (n *Node) nextNonce(key address.Address) uint64 {
	_, st, err := n.Actor(context.Background(), n.Latest(), key)
	if err != nil || st == nil {
		return 0
	}
	return st.Nonce
}
