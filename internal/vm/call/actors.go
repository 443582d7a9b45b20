package call

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
)

const methodConstructor = 1

// ResolveAddress is the ID behind an address, false if there is none.
func (c *Manager) ResolveAddress(ctx context.Context, a address.Address) (abi.ActorID, bool, error) {
	if id, ok := addr.ID(a); ok {
		return abi.ActorID(id), true, nil
	}
	if !c.access.addressKnown(a) {
		if err := c.gas.Apply(c.m.Prices.OnResolveAddress()); err != nil {
			return 0, false, err
		}
	}
	id, ok, err := c.m.Tree.LookupID(ctx, a)
	if err != nil {
		return 0, false, err
	}
	if ok {
		c.access.recordAddress(a)
	}
	return id, ok, nil
}

// Actor is the state of an actor, nil if there is none.
func (c *Manager) Actor(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	return c.look(ctx, id, (*state.Tree).Actor)
}

// Described is Actor but for the balance, which is not set. What only looks at the rest of an actor should ask for no more:
// balances change with every message.
func (c *Manager) Described(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	return c.look(ctx, id, (*state.Tree).Described)
}

// look reads an actor and charges for it.
func (c *Manager) look(ctx context.Context, id abi.ActorID, read func(*state.Tree, context.Context, abi.ActorID) (*state.ActorState, error)) (*state.ActorState, error) {
	if c.access.actor(id) < accessRead {
		if err := c.gas.Apply(c.m.Prices.OnActorLookup()); err != nil {
			return nil, err
		}
	}
	st, err := read(c.m.Tree, ctx, id)
	if err != nil {
		return nil, err
	}
	c.access.record(id, accessRead)
	return st, nil
}

func (c *Manager) chargeUpdate(id abi.ActorID) error {
	a := c.access.actor(id)
	if a < accessRead {
		if err := c.gas.Apply(c.m.Prices.OnActorLookup()); err != nil {
			return err
		}
	}
	if a < accessUpdated {
		return c.gas.Apply(c.m.Prices.OnActorUpdate())
	}
	return nil
}

// SetActor writes the state of an actor.
func (c *Manager) SetActor(_ context.Context, id abi.ActorID, s *state.ActorState) error {
	if err := c.chargeUpdate(id); err != nil {
		return err
	}
	if err := c.m.Tree.SetActor(id, *s); err != nil {
		return err
	}
	c.access.record(id, accessUpdated)
	return nil
}

// DeleteActor removes an actor; one that is not there is charged for all the same.
func (c *Manager) DeleteActor(_ context.Context, id abi.ActorID) error {
	if err := c.chargeUpdate(id); err != nil {
		return err
	}
	if err := c.m.Tree.DeleteActor(id); err != nil {
		return err
	}
	c.access.record(id, accessUpdated)
	return nil
}

// CreateActor makes an actor for the init actor, or gives a placeholder its code.
func (c *Manager) CreateActor(ctx context.Context, code cid.Cid, id abi.ActorID, delegated *address.Address) error {
	placeholder := c.m.Manifest.Placeholder()
	if code == placeholder {
		return execerr.Syscallf(execerr.Forbidden, "a placeholder cannot be constructed explicitly")
	}
	st, err := c.Actor(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case st == nil:
		// The init actor has paid for assigning the address.
		if err := c.gas.Apply(c.m.Prices.OnCreateActor(false)); err != nil {
			return err
		}
		st = &state.ActorState{Code: code, Head: machine.EmptyArray(), Balance: big.Zero(), Delegated: delegated}
	case st.Code != placeholder:
		return execerr.Syscallf(execerr.Forbidden, "the actor %d exists already", id)
	case st.Delegated == nil:
		return execerr.Guestf("the placeholder %d has no delegated address", id)
	case delegated == nil || *st.Delegated != *delegated:
		return execerr.Syscallf(execerr.Forbidden, "the placeholder %d has another delegated address", id)
	default:
		st.Code = code
	}
	if err := c.SetActor(ctx, id, st); err != nil {
		return err
	}
	c.created++
	return nil
}

// Transfer moves funds. A sender that does not exist has no funds.
func (c *Manager) Transfer(ctx context.Context, from, to abi.ActorID, v abi.TokenAmount) error {
	if v.Sign() < 0 {
		return execerr.Syscallf(execerr.IllegalArgument, "the value %s to transfer is negative", v)
	}
	src, err := c.Actor(ctx, from)
	if err != nil {
		return err
	}
	if src == nil || src.Balance.LessThan(v) {
		return execerr.Syscallf(execerr.InsufficientFunds, "the actor %d cannot pay %s attoFIL to %d", from, v, to)
	}
	if from == to {
		return nil
	}
	dst, err := c.Actor(ctx, to)
	if err != nil {
		return err
	}
	if dst == nil {
		return execerr.Syscallf(execerr.NotFound, "the recipient %d does not exist", to)
	}
	src.Balance = big.Sub(src.Balance, v)
	dst.Balance = big.Add(dst.Balance, v)
	if err := c.SetActor(ctx, from, src); err != nil {
		return err
	}
	return c.SetActor(ctx, to, dst)
}

// From is the address of the message's sender as written in the message.
func (c *Manager) From() address.Address { return c.msg.From }

// NextActorAddress is the f2 address of the next actor that the message
// creates. It derives from the sender's address as written in the message.
func (c *Manager) NextActorAddress() (address.Address, error) { return c.actorAddress(c.msg.From) }

// TakeActorAddress is an f2 address that derives from the sender's key address; the next one is another, whether an actor
// is created or not (until nv17).
func (c *Manager) TakeActorAddress(key address.Address) (address.Address, error) {
	a, err := c.actorAddress(key)
	c.created++
	return a, err
}

func (c *Manager) actorAddress(from address.Address) (address.Address, error) {
	var b bytes.Buffer
	if err := from.MarshalCBOR(&b); err != nil {
		return address.Undef, execerr.Nodef("encoding the sender's address: %w", err)
	}
	data := binary.BigEndian.AppendUint64(b.Bytes(), c.msg.Nonce)
	a, err := address.NewActorAddress(binary.BigEndian.AppendUint64(data, c.created))
	if err != nil {
		return address.Undef, execerr.Nodef("making an actor's address: %w", err)
	}
	return a, nil
}

// autoCreate makes the receiver of a call that does not exist: an account for a
// key address, a placeholder for an address of the Ethereum address manager.
func (c *Manager) autoCreate(ctx context.Context, r kernel.SendRequest) (abi.ActorID, error) {
	proto := r.To.Protocol()
	account := proto == address.SECP256K1 || proto == address.BLS
	if !account && !(c.m.Profile.Ethereum && inNamespace(r.To, actors.EAM)) {
		return 0, execerr.Syscallf(execerr.NotFound, "the actor %s does not exist and cannot be created", addr.String(r.To))
	}
	if r.ReadOnly {
		return 0, execerr.Syscallf(execerr.ReadOnly, "the account %s cannot be created in a read-only call", addr.String(r.To))
	}
	if !account {
		to := r.To
		return c.newActor(ctx, r.To, c.m.Manifest.Placeholder(), &to)
	}
	if addr.IsBLSZeroAddress(r.To) {
		if c.m.Profile.LateZeroKey {
			if err := c.gas.Apply(c.m.Prices.OnCreateActor(true)); err != nil {
				return 0, err
			}
		}
		return 0, execerr.Syscallf(execerr.IllegalArgument, "no account can have the BLS zero address")
	}
	id, err := c.newActor(ctx, r.To, c.m.Manifest.Account(), nil)
	if err != nil {
		return 0, err
	}
	var params bytes.Buffer
	if err := r.To.MarshalCBOR(&params); err != nil {
		return 0, execerr.Nodef("encoding the address of a new account: %w", err)
	}
	// The constructor runs in the frame of the call that creates the account.
	// Quirk: its exit code is ignored.
	_, err = c.callActor(ctx, target{
		invocation: kernel.Invocation{Caller: actors.SystemActor, Self: id, Method: methodConstructor, Value: big.Zero()},
		params:     &kernel.Block{Codec: c.paramsCodec(), Data: params.Bytes()},
		implicit:   true,
	})
	return id, err
}

func (c *Manager) paramsCodec() uint64 {
	if c.m.Profile.OnlyDagCBOR {
		return cbor.CodecDagCBOR
	}
	return cbor.CodecCBOR
}

// newActor assigns an ID to an address and makes an empty actor there.
func (c *Manager) newActor(ctx context.Context, a address.Address, code cid.Cid, delegated *address.Address) (abi.ActorID, error) {
	if err := c.gas.Apply(c.m.Prices.OnCreateActor(true)); err != nil {
		return 0, err
	}
	id, err := c.m.Tree.RegisterNewAddress(ctx, a)
	if err != nil {
		return 0, err
	}
	c.access.recordAddress(a)
	st := state.ActorState{Code: code, Head: machine.EmptyArray(), Balance: big.Zero(), Delegated: delegated}
	return id, c.SetActor(ctx, id, &st)
}

// inNamespace reports an f4 address that the given actor manages.
func inNamespace(a address.Address, manager abi.ActorID) bool {
	ns, _, ok := addr.Delegated(a)
	return ok && ns == uint64(manager)
}
