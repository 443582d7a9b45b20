package kernel

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// Root is the running actor's state root.
func (k *Kernel) Root(ctx context.Context) (cid.Cid, error) {
	if k.m.Profile.Reachability {
		if err := k.gas.Apply(k.prices.OnGetRoot()); err != nil {
			return cid.Undef, err
		}
	}
	st, err := k.calls.Described(ctx, k.Self)
	if err != nil {
		return cid.Undef, err
	}
	if st == nil {
		return cid.Undef, execerr.Syscallf(execerr.IllegalOperation, "the actor is deleted: it has no state root")
	}
	k.Blocks.MarkReachable(st.Head)
	return st.Head, nil
}

// SetRoot replaces the running actor's state root.
func (k *Kernel) SetRoot(ctx context.Context, root cid.Cid) error {
	if k.ReadOnly {
		return execerr.Syscallf(execerr.ReadOnly, "the state root cannot be changed in a read-only call")
	}
	if k.m.Profile.Reachability {
		if err := k.gas.Apply(k.prices.OnSetRoot()); err != nil {
			return err
		}
		if !k.Blocks.Reachable(root) {
			return execerr.Syscallf(execerr.NotFound, "the new root %s is not reachable", root)
		}
	}
	st, err := k.self(ctx)
	if err != nil {
		return err
	}
	if st == nil {
		return execerr.Syscallf(execerr.IllegalOperation, "the actor is deleted")
	}
	st.Head = root
	return k.calls.SetActor(ctx, k.Self, st)
}

// CurrentBalance is the running actor's balance, zero once it is deleted.
func (k *Kernel) CurrentBalance(ctx context.Context) (abi.TokenAmount, error) {
	if err := k.gas.Apply(k.prices.OnSelfBalance()); err != nil {
		return zero(), err
	}
	st, err := k.self(ctx)
	if err != nil || st == nil {
		return zero(), err
	}
	return st.Balance, nil
}

// SelfDestruct deletes the running actor; what it still owns is burnt if
// burnUnspent says so (nv21 and later).
func (k *Kernel) SelfDestruct(ctx context.Context, burnUnspent bool) error {
	return k.destruct(ctx, func(balance abi.TokenAmount) error {
		if !burnUnspent {
			return execerr.Syscallf(execerr.IllegalOperation, "the actor still owns funds")
		}
		err := k.calls.Transfer(ctx, k.Self, actors.BurntFunds, balance)
		if kind := execerr.KindOf(err); kind == execerr.KindOutOfGas || kind == execerr.KindSyscall {
			// Quirk: if the gas does not suffice for this transfer, the message ends with exit code 10.
			return execerr.Guestf("burning the funds of a deleted actor: %v", err)
		}
		return err
	})
}

// SelfDestructTo deletes the running actor and gives what it owns to the
// beneficiary (until nv20).
func (k *Kernel) SelfDestructTo(ctx context.Context, beneficiary address.Address) error {
	return k.destruct(ctx, func(balance abi.TokenAmount) error {
		id, err := k.ResolveAddress(ctx, beneficiary)
		if err != nil {
			return err
		}
		if id == k.Self {
			return execerr.Syscallf(execerr.Forbidden, "an actor cannot inherit from itself")
		}
		return k.calls.Transfer(ctx, k.Self, id, balance)
	})
}

func (k *Kernel) destruct(ctx context.Context, settle func(balance abi.TokenAmount) error) error {
	if k.ReadOnly {
		return execerr.Syscallf(execerr.ReadOnly, "an actor cannot be deleted in a read-only call")
	}
	if err := k.gas.Apply(k.prices.OnDeleteActor()); err != nil {
		return err
	}
	balance, err := k.CurrentBalance(ctx)
	if err != nil {
		return err
	}
	if !balance.IsZero() {
		if err := settle(balance); err != nil {
			return err
		}
	}
	return k.calls.DeleteActor(ctx, k.Self)
}
