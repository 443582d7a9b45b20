package edit

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

// Entry says what an actor shall be. What is not set stays as it is; of a new actor it is empty or 0.
type Entry struct {
	// Code, or Builtin for one of the builtin actors, such as "account".
	Code    cid.Cid
	Builtin string
	// Head, a block that the store has, or State, its bytes in DAG-CBOR.
	Head    cid.Cid
	State   []byte
	Nonce   *uint64
	Balance *abi.TokenAmount
	// Delegated is the f4 address.
	Delegated *address.Address
}

// SetActor sets an actor's entry in the state tree, without a look at what its code makes of it. An address of nobody is given to a new
// actor; an ID address may be one that is free.
func (e *Editor) SetActor(ctx context.Context, a address.Address, to Entry) (abi.ActorID, error) {
	id, st, err := e.find(ctx, a)
	if err != nil {
		return 0, err
	}
	registered := st != nil
	if st == nil {
		st = &Actor{Balance: big.Zero(), Head: e.put(emptyList)}
		if a.Protocol() == address.Delegated {
			st.Delegated = &a
		}
		if !to.Code.Defined() && to.Builtin == "" {
			return 0, fmt.Errorf("%w: %s: a new actor needs code", ErrNoActor, addr.String(a))
		}
	}
	if err := e.apply(ctx, st, &to); err != nil {
		return 0, err
	}
	if !registered {
		if id, err = e.place(ctx, a); err != nil {
			return 0, err
		}
	}
	return id, e.tree.SetActor(id, *st)
}

func (e *Editor) apply(ctx context.Context, st *Actor, to *Entry) (err error) {
	switch {
	case to.Code.Defined() && to.Builtin != "", to.Head.Defined() && to.State != nil:
		return errors.New("one thing is given in two ways: code and builtin, or head and state")
	case to.Builtin != "":
		if st.Code, err = e.Code(to.Builtin); err != nil {
			return err
		}
	case to.Code.Defined():
		if _, err := e.store.GetRaw(ctx, to.Code); err != nil {
			return fmt.Errorf("the code %s: %w", to.Code, err)
		}
		st.Code = to.Code
	}
	switch {
	case to.State != nil:
		r := cbor.NewReader(to.State)
		r.Raw()
		if err := r.End(); err != nil {
			return fmt.Errorf("the state is not one item of CBOR: %w", err)
		}
		st.Head = e.put(to.State)
	case to.Head.Defined():
		if _, err := e.store.GetRaw(ctx, to.Head); err != nil {
			return fmt.Errorf("the head %s: %w", to.Head, err)
		}
		st.Head = to.Head
	}
	if to.Nonce != nil {
		st.Nonce = *to.Nonce
	}
	if to.Balance != nil {
		if to.Balance.Sign() < 0 || to.Balance.BitLen() > 256 {
			return fmt.Errorf("a balance of %s attoFIL: want 0 to 2^256-1", to.Balance)
		}
		st.Balance = *to.Balance
	}
	if to.Delegated != nil {
		if to.Delegated.Protocol() != address.Delegated {
			return fmt.Errorf("the delegated address %s is no f4 address", addr.String(*to.Delegated))
		}
		st.Delegated = to.Delegated
	}
	return nil
}

const (
	systemID = 0
	initID   = 1
)

// place finds the ID of a new actor.
func (e *Editor) place(ctx context.Context, a address.Address) (abi.ActorID, error) {
	id, ok := addr.ID(a)
	if !ok {
		return e.tree.RegisterNewAddress(ctx, a)
	}
	const most = 1 << 62 // the next ones must be IDs too
	if id >= most {
		return 0, fmt.Errorf("%w: the ID %d is too high for a new actor", ErrImpossible, id)
	}
	return abi.ActorID(id), e.reserve(ctx, id)
}

// reserve makes the init actor give higher IDs from now on.
func (e *Editor) reserve(ctx context.Context, id uint64) error {
	return e.Patch(ctx, initID, map[int]func([]byte) ([]byte, error){1: func(item []byte) ([]byte, error) {
		r := cbor.NewReader(item)
		next := max(r.Uint(), id+1)
		return cbor.AppendUint(nil, next), r.End()
	}})
}

// Patch changes fields of an actor's state, which must be a list, by their number.
func (e *Editor) Patch(ctx context.Context, id abi.ActorID, fields map[int]func(item []byte) ([]byte, error)) error {
	st, err := e.tree.Actor(ctx, id)
	if err != nil {
		return err
	}
	if st == nil {
		return fmt.Errorf("%w: f0%d", ErrNoActor, id)
	}
	data, err := e.store.GetRaw(ctx, st.Head)
	if err != nil {
		return err
	}
	r := cbor.NewReader(data)
	n := r.Len()
	out := cbor.AppendArray(nil, n)
	for i := 0; i < n && !r.Failed(); i++ {
		item := r.Raw()
		if change := fields[i]; change != nil && !r.Failed() {
			if item, err = change(item); err != nil {
				return fmt.Errorf("field %d of the state of f0%d: %w", i, id, err)
			}
		}
		out = append(out, item...)
	}
	if err := r.End(); err != nil {
		return fmt.Errorf("the state of f0%d: %w", id, err)
	}
	next := *st
	next.Head = e.put(out)
	return e.tree.SetActor(id, next)
}

// alias gives an actor one more address.
func (e *Editor) alias(ctx context.Context, a address.Address, id abi.ActorID) error {
	return e.Patch(ctx, initID, map[int]func([]byte) ([]byte, error){0: func(item []byte) ([]byte, error) {
		r := cbor.NewReader(item)
		root := r.CID()
		if err := r.End(); err != nil {
			return nil, err
		}
		addresses, err := hamt.Load(ctx, e.store, root)
		if err != nil {
			return nil, err
		}
		if err := addresses.Set(ctx, a.Bytes(), cbor.AppendUint(nil, uint64(id))); err != nil {
			return nil, err
		}
		root, err = addresses.Flush(ctx)
		return cbor.AppendCID(nil, root), err
	}})
}

// MaxWasm is how many bytes an actor's Wasm may have.
const MaxWasm = 16 << 20

// InstallCode keeps the Wasm code of an actor, by its CID. It must pass what the machine asks of code, and export "invoke".
func (e *Editor) InstallCode(wasm []byte) (cid.Cid, error) {
	if len(wasm) > MaxWasm {
		return cid.Undef, fmt.Errorf("code of %d bytes, more than %d", len(wasm), MaxWasm)
	}
	rules := instrument.RulesV040()
	m, err := instrument.Instrument(wasm, &rules)
	if err != nil {
		return cid.Undef, fmt.Errorf("the machine does not take this code: %w", err)
	}
	if f, ok := m.Exports["invoke"]; !ok || !f.IsFunc() {
		return cid.Undef, errors.New("the code exports no function invoke, which is where an actor begins")
	}
	return e.putBlock(cbor.CodecRaw, wasm), nil
}

// InstallActor makes an actor of Wasm code, with an empty list as its state and an f2 address. at is an f410 address that it has besides;
// if undefined, it has none. Its constructor, method 1, has not run.
func (e *Editor) InstallActor(ctx context.Context, wasm []byte, at address.Address) (abi.ActorID, address.Address, error) {
	code, err := e.InstallCode(wasm)
	if err != nil {
		return 0, address.Undef, err
	}
	st := Actor{Code: code, Head: e.put(emptyList), Balance: big.Zero()}
	if at != address.Undef {
		if at.Protocol() != address.Delegated {
			return 0, address.Undef, fmt.Errorf("%w: %s is no f4 address", ErrImpossible, addr.String(at))
		}
		id, there, err := e.find(ctx, at)
		switch {
		case err != nil:
			return 0, address.Undef, err
		case there != nil && e.Name(there.Code) != "placeholder":
			return 0, address.Undef, fmt.Errorf("%w: %s is the address of f0%d already", ErrImpossible, addr.String(at), id)
		case there != nil:
			st.Balance = there.Balance
		}
		st.Delegated = &at
	}
	id, robust, err := e.newAddress(ctx, code, at)
	if err != nil {
		return 0, address.Undef, err
	}
	return id, robust, e.tree.SetActor(id, st)
}

// newAddress gives an actor an f2 address that nobody has, and at if it is defined.
func (e *Editor) newAddress(ctx context.Context, code cid.Cid, at address.Address) (abi.ActorID, address.Address, error) {
	for i := 0; ; i++ {
		robust, err := address.NewActorAddress(fmt.Appendf(nil, "edgefvm development actor %s %d", code, i))
		if err != nil {
			return 0, address.Undef, err
		}
		if _, taken, err := e.tree.LookupID(ctx, robust); err != nil {
			return 0, address.Undef, err
		} else if taken {
			continue
		}
		if at == address.Undef {
			id, err := e.tree.RegisterNewAddress(ctx, robust)
			return id, robust, err
		}
		id, known, err := e.tree.LookupID(ctx, at)
		if err == nil && !known {
			id, err = e.tree.RegisterNewAddress(ctx, at)
		}
		if err != nil {
			return 0, address.Undef, err
		}
		return id, robust, e.alias(ctx, robust, id)
	}
}
