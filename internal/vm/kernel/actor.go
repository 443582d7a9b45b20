package kernel

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// ResolveAddress is the ID behind an address.
func (k *Kernel) ResolveAddress(ctx context.Context, a address.Address) (abi.ActorID, error) {
	if err := k.gas.Apply(k.prices.OnResolveAddress()); err != nil {
		return 0, err
	}
	id, ok, err := k.calls.ResolveAddress(ctx, a)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, execerr.Syscallf(execerr.NotFound, "no actor has the address %s", addr.String(a))
	}
	return id, nil
}

// described is an actor that must exist, without its balance.
func (k *Kernel) described(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	st, err := k.calls.Described(ctx, id)
	return existing(id, st, err)
}

// existing makes it an error that there is no such actor.
func existing(id abi.ActorID, st *state.ActorState, err error) (*state.ActorState, error) {
	if err == nil && st == nil {
		return nil, execerr.Syscallf(execerr.NotFound, "there is no actor %d", id)
	}
	return st, err
}

// ActorCodeCID is the code of an actor.
func (k *Kernel) ActorCodeCID(ctx context.Context, id abi.ActorID) (cid.Cid, error) {
	if err := k.gas.Apply(k.prices.OnGetActorCodeCid()); err != nil {
		return cid.Undef, err
	}
	st, err := k.described(ctx, id)
	if err != nil {
		return cid.Undef, err
	}
	return st.Code, nil
}

// BalanceOf is the balance of an actor.
func (k *Kernel) BalanceOf(ctx context.Context, id abi.ActorID) (abi.TokenAmount, error) {
	if err := k.gas.Apply(k.prices.OnBalanceOf()); err != nil {
		return zero(), err
	}
	st, err := k.calls.Actor(ctx, id)
	st, err = existing(id, st, err)
	if err != nil {
		return zero(), err
	}
	return st.Balance, nil
}

// LookupDelegatedAddress is the f4 address of an actor, nil if it has none.
func (k *Kernel) LookupDelegatedAddress(ctx context.Context, id abi.ActorID) (*address.Address, error) {
	if err := k.gas.Apply(k.prices.OnLookupDelegatedAddress()); err != nil {
		return nil, err
	}
	st, err := k.described(ctx, id)
	if err != nil {
		return nil, err
	}
	return st.Delegated, nil
}

// NextActorAddress is the f2 address of the next actor that this message creates.
func (k *Kernel) NextActorAddress() (address.Address, error) { return k.calls.NextActorAddress() }

// CreateActor makes an actor without calling its constructor. Only the init actor may.
func (k *Kernel) CreateActor(ctx context.Context, code cid.Cid, id abi.ActorID, delegated *address.Address) error {
	if k.Self != actors.InitActor {
		return execerr.Syscallf(execerr.Forbidden, "only the init actor creates actors, not %d", k.Self)
	}
	if k.ReadOnly {
		return execerr.Syscallf(execerr.ReadOnly, "no actor can be created in a read-only call")
	}
	return k.calls.CreateActor(ctx, code, id, delegated)
}

// CreateBuiltinActor makes an actor without calling its constructor, for whoever asks (until nv17).
func (k *Kernel) CreateBuiltinActor(ctx context.Context, code cid.Cid, id abi.ActorID) error {
	switch {
	case k.m.Manifest.IDByCode(code) == 0:
		return execerr.Syscallf(execerr.Forbidden, "the code %s is not that of a builtin actor", code)
	case k.m.Manifest.Singleton(code):
		return execerr.Syscallf(execerr.Forbidden, "there can be only one actor with the code %s", code)
	}
	st, err := k.calls.Actor(ctx, id)
	if err != nil {
		return err
	}
	if st != nil {
		return execerr.Syscallf(execerr.Forbidden, "the actor %d exists already", id)
	}
	if err := k.gas.Apply(k.prices.OnCreateActor(false)); err != nil {
		return err
	}
	return k.calls.SetActor(ctx, id, &state.ActorState{Code: code, Head: machine.EmptyArray(), Balance: zero()})
}

// NewActorAddress is an f2 address for a new actor. It derives from the key address of the message's sender (until nv17).
func (k *Kernel) NewActorAddress(ctx context.Context) (address.Address, error) {
	key, err := k.keyAddress(ctx, k.calls.From(), false)
	if s := execerr.Classify(err).Syscall; s != nil {
		return address.Undef, execerr.Guestf("the key address of the message's sender: %s", s.Reason)
	}
	if err != nil {
		return address.Undef, err
	}
	return k.calls.TakeActorAddress(key)
}

// keyAddress is the address that an account's messages are signed by (until nv17). If paid, it charges for what it reads.
func (k *Kernel) keyAddress(ctx context.Context, a address.Address, paid bool) (address.Address, error) {
	if p := a.Protocol(); p == address.BLS || p == address.SECP256K1 {
		return a, nil
	}
	id, ok, err := k.calls.ResolveAddress(ctx, a)
	if err != nil {
		return address.Undef, err
	}
	if !ok {
		return address.Undef, execerr.Syscallf(execerr.NotFound, "no actor has the address %s", addr.String(a))
	}
	st, err := k.described(ctx, id)
	if err != nil {
		return address.Undef, err
	}
	if st.Code != k.m.Manifest.Account() {
		return address.Undef, execerr.Syscallf(execerr.IllegalArgument, "the actor %d is not an account", id)
	}
	if paid {
		if err := k.gas.Apply(k.prices.OnBlockOpenBase()); err != nil {
			return address.Undef, err
		}
	}
	data, err := k.readAny(ctx, st.Head)
	if err != nil {
		return address.Undef, err
	}
	if paid {
		if err := k.gas.Apply(k.prices.OnBlockOpen(len(data), 0)); err != nil {
			return address.Undef, err
		}
	}
	return accountKey(id, data)
}

// accountKey reads the state of an account: a list of its address.
func accountKey(id abi.ActorID, data []byte) (address.Address, error) {
	r := cbor.NewReader(data)
	r.Tuple(1)
	raw := r.Bytes()
	if err := r.End(); err != nil {
		return address.Undef, execerr.Guestf("the state of the account %d: %w", id, err)
	}
	a, err := addr.ParseAddress(raw)
	if err != nil || a.Protocol() == address.Delegated {
		return address.Undef, execerr.Guestf("the state of the account %d has the address %x, which is none", id, raw)
	}
	return a, nil
}

// KnownAddress reports that the network has addresses of a's protocol.
func (k *Kernel) KnownAddress(a address.Address) bool {
	return k.m.Profile.Ethereum || a.Protocol() != address.Delegated
}

// BuiltinActorType is the number of a builtin actor's code in the manifest, 0 for any other code.
func (k *Kernel) BuiltinActorType(code cid.Cid) (uint32, error) {
	if err := k.gas.Apply(k.prices.OnGetBuiltinActorType()); err != nil {
		return 0, err
	}
	return k.m.Manifest.IDByCode(code), nil
}

// CodeCIDForType is the code of the builtin actor with a number.
func (k *Kernel) CodeCIDForType(typ uint32) (cid.Cid, error) {
	if err := k.gas.Apply(k.prices.OnGetCodeCidForType()); err != nil {
		return cid.Undef, err
	}
	c, ok := k.m.Manifest.CodeByID(typ)
	if !ok {
		return cid.Undef, execerr.Syscallf(execerr.IllegalArgument, "there is no builtin actor of type %d", typ)
	}
	return c, nil
}
