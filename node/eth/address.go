package eth

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// Found is what a state knows of an address.
type Found struct {
	ID    abi.ActorID
	Known bool // ID is: of an f0 address it always is, of others if an actor has them
	// Delegated is the actor's f4 address; nil if it has none, or if there is no such actor.
	Delegated *address.Address
}

// Lookup looks an address up in a state. An actor that is not there is no error.
type Lookup func(ctx context.Context, a address.Address) (Found, error)

// NoAddress stands for a receiver that the state does not know: its message failed, or the actor is gone.
var NoAddress = Address{0: 0xff, 12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff, 16: 0xff, 17: 0xff, 18: 0xff, 19: 0xff}

// AddressOf is how Ethereum knows an actor: by its f410f address, or if it has none by its masked ID. ok is false where the
// state does not know it.
func AddressOf(ctx context.Context, a address.Address, lookup Lookup) (eth Address, ok bool, err error) {
	if a.Protocol() == address.Delegated {
		if eth, ok := addr.EthereumBytes(a); ok {
			return eth, true, nil
		}
	}
	found, err := lookup(ctx, a)
	if err != nil || !found.Known {
		return eth, false, err
	}
	return found.address(), true, nil
}

func (f *Found) address() Address {
	if f.Delegated != nil {
		if eth, ok := addr.EthereumBytes(*f.Delegated); ok && f.Delegated.Protocol() == address.Delegated {
			return eth
		}
	}
	return MaskedID(uint64(f.ID))
}

// LookupIn looks addresses up in a state. It belongs to one goroutine at a time, as the tree does.
func LookupIn(t *tree.Tree) Lookup {
	return func(ctx context.Context, a address.Address) (f Found, err error) {
		f.ID, err = t.ID(ctx, a)
		if errors.Is(err, tree.ErrNotFound) {
			return Found{}, nil
		}
		if err != nil {
			return f, err
		}
		f.Known = true
		actor, err := t.Actor(ctx, f.ID)
		if errors.Is(err, tree.ErrNotFound) {
			return f, nil
		}
		if err == nil {
			f.Delegated = actor.Delegated
		}
		return f, err
	}
}
