package edit

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/state"
)

var (
	// ErrNoActor is wrapped where an actor must be there and is not.
	ErrNoActor = errors.New("no such actor")
	// ErrImpossible is wrapped where an actor cannot become what is asked for.
	ErrImpossible = errors.New("impossible")
)

// Editor is a state that is being changed. It belongs to one goroutine at a time.
type Editor struct {
	base     blockstore.Blockstore
	store    *blockstore.Buffered
	tree     *state.Tree
	manifest *actors.Manifest
	wide     *bool // whether contracts' states have six fields, once it is known
}

// Actor is an actor's entry in the state tree.
type Actor = state.ActorState

// Open takes up the state with a root, of network version 18 or later. Nothing is written to store before Flush.
func Open(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (*Editor, error) {
	e := &Editor{base: store}
	return e, e.load(ctx, root)
}

func (e *Editor) load(ctx context.Context, root cid.Cid) (err error) {
	e.store, e.wide = blockstore.NewBuffered(e.base), nil
	if e.tree, err = state.Load(ctx, e.store, root, 5); err != nil {
		return err
	}
	e.manifest, err = actors.LoadManifest(ctx, e.tree, e.store)
	return err
}

// Flush writes what was changed to the store and gives the root. The editor can be used on.
func (e *Editor) Flush(ctx context.Context) (cid.Cid, error) {
	root, err := e.tree.Flush(ctx)
	if err != nil {
		return cid.Undef, err
	}
	return root, e.store.Flush(ctx, root)
}

// Actor is the actor of an address; ErrNoActor if there is none.
func (e *Editor) Actor(ctx context.Context, a address.Address) (abi.ActorID, *Actor, error) {
	id, st, err := e.find(ctx, a)
	if err == nil && st == nil {
		err = fmt.Errorf("%w: %s", ErrNoActor, addr.String(a))
	}
	return id, st, err
}

// Name is what the state's list of builtin actors calls a code, such as "evm"; "" if it is not on it.
func (e *Editor) Name(code cid.Cid) string {
	name, _ := e.manifest.Name(code)
	return name
}

// Code is that of a builtin actor.
func (e *Editor) Code(name string) (cid.Cid, error) {
	c, ok := e.manifest.ByName(name)
	if !ok {
		return cid.Undef, fmt.Errorf("the state's list of builtin actors has no %q", name)
	}
	return c, nil
}

// find is the actor of an address, nil if there is none.
func (e *Editor) find(ctx context.Context, a address.Address) (abi.ActorID, *Actor, error) {
	id, ok, err := e.tree.LookupID(ctx, a)
	if err != nil || !ok {
		return 0, nil, err
	}
	st, err := e.tree.Actor(ctx, id)
	if err != nil || st == nil {
		return id, nil, err
	}
	copied := *st
	return id, &copied, nil
}

// need is the actor of an address; if there is none, what the network makes of the address at a transfer.
func (e *Editor) need(ctx context.Context, a address.Address) (abi.ActorID, *Actor, error) {
	id, st, err := e.find(ctx, a)
	if err != nil || st != nil {
		return id, st, err
	}
	st = &Actor{Balance: big.Zero(), Head: e.put(emptyList)}
	name := "account"
	switch a.Protocol() {
	case address.SECP256K1, address.BLS:
		st.Head = e.put(cbor.AppendBytes(cbor.AppendArray(nil, 1), a.Bytes()))
	case address.Delegated:
		name, st.Delegated = "placeholder", &a
	default:
		return 0, nil, fmt.Errorf("%w: %s: only the state gives such addresses, so nobody can be made there", ErrNoActor, addr.String(a))
	}
	if st.Code, err = e.Code(name); err != nil {
		return 0, nil, err
	}
	if id, err = e.tree.RegisterNewAddress(ctx, a); err != nil {
		return 0, nil, err
	}
	return id, st, e.tree.SetActor(id, *st)
}

// emptyList is the state of actors that keep nothing.
var emptyList = []byte{0x80}

// put keeps a block of DAG-CBOR.
func (e *Editor) put(data []byte) cid.Cid { return e.putBlock(cbor.CodecDagCBOR, data) }

func (e *Editor) putBlock(codec uint64, data []byte) cid.Cid {
	c := cbor.Blake2bCID(codec, crypto.Blake2b256(data))
	e.store.PutRaw(c, data)
	return c
}

// SetBalance sets what an actor has, in attoFIL.
func (e *Editor) SetBalance(ctx context.Context, a address.Address, amount abi.TokenAmount) error {
	if amount.Int == nil || amount.Sign() < 0 {
		return errors.New("a balance is 0 or more")
	}
	if amount.BitLen() > 256 {
		return fmt.Errorf("a balance of %d bits, more than 256", amount.BitLen())
	}
	id, st, err := e.need(ctx, a)
	if err != nil {
		return err
	}
	st.Balance = amount
	return e.tree.SetActor(id, *st)
}

// SetNonce sets the nonce that an account's next message has, or a contract's next creation. A placeholder, and an f410 address of
// nobody, becomes an Ethereum account unless the nonce is 0.
func (e *Editor) SetNonce(ctx context.Context, a address.Address, nonce uint64) error {
	if id, st, err := e.find(ctx, a); err != nil || st != nil && e.Name(st.Code) == "evm" {
		if err != nil {
			return err
		}
		return e.changeContract(ctx, id, st, func(c *contract) error { c.nonce = nonce; return nil })
	}
	id, st, err := e.need(ctx, a)
	if err != nil {
		return err
	}
	if e.Name(st.Code) == "placeholder" && nonce > 0 {
		if _, ok := addr.EthereumBytes(a); !ok && st.Delegated == nil {
			return fmt.Errorf("%w: %s is no Ethereum address, so it has no account with a nonce", ErrImpossible, addr.String(a))
		}
		if st.Code, err = e.Code("ethaccount"); err != nil {
			return err
		}
	}
	st.Nonce = nonce
	return e.tree.SetActor(id, *st)
}
