package kernel

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/actors"
	"github.com/edgefvm/fvm/internal/addr"
	"github.com/edgefvm/fvm/internal/execerr"
	"github.com/edgefvm/fvm/internal/state"
)

func syscallReason(err error) string {
	var s *execerr.Syscall
	if errors.As(err, &s) {
		return s.Reason
	}
	return ""
}

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

// actor is the state of an actor that must exist.
func (k *Kernel) actor(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	st, err := k.calls.Actor(ctx, id)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, execerr.Syscallf(execerr.NotFound, "there is no actor %d", id)
	}
	return st, nil
}

// ActorCodeCID is the code of an actor.
func (k *Kernel) ActorCodeCID(ctx context.Context, id abi.ActorID) (cid.Cid, error) {
	if err := k.gas.Apply(k.prices.OnGetActorCodeCid()); err != nil {
		return cid.Undef, err
	}
	st, err := k.actor(ctx, id)
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
	st, err := k.actor(ctx, id)
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
	st, err := k.actor(ctx, id)
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
