package ethtrace

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/trace"
)

// Accessed is an address that a message touched, with the slots of its storage, as access lists have it (EIP-2930).
type Accessed struct {
	Address     eth.Address `json:"address"`
	StorageKeys []eth.Hash  `json:"storageKeys"`
	// EVM tells an f410 address or one that a contract named, from an actor of Filecoin's own.
	EVM bool `json:"-"`
}

// Access collects what a message touches. It belongs to the goroutine that applies messages.
type Access struct {
	touched *touches
	names   map[uint64]eth.Address
}

// NewAccess makes one.
func NewAccess() *Access { return &Access{newTouches(true), map[uint64]eth.Address{}} }

// Hooks are for a machine.
func (a *Access) Hooks() *trace.Hooks {
	return a.touched.hooks(&trace.Hooks{OnInvoke: func(i *trace.Invoke) {
		if i.Delegated != nil {
			if b, ok := addr.EthereumBytes(*i.Delegated); ok {
				a.names[uint64(i.ID)] = b
			}
		}
	}})
}

// Take hands over what was touched, by ascending addresses. It is an error if a contract's opcodes could not be watched.
func (a *Access) Take() ([]Accessed, error) {
	t := a.touched.take()
	if len(t.failed) > 0 {
		return nil, fmt.Errorf("what the contract f0%d touches is not known, as its opcodes cannot be watched: %w", t.failed[0].ID, t.failed[0].Err)
	}
	all := map[eth.Address]Accessed{}
	for who := range t.others {
		all[who] = Accessed{Address: who, StorageKeys: []eth.Hash{}, EVM: true}
	}
	for id, slots := range t.actors {
		name, evm := a.names[uint64(id)]
		if !evm {
			name = eth.MaskedID(uint64(id))
		}
		x := Accessed{Address: name, StorageKeys: make([]eth.Hash, 0, len(slots)), EVM: evm || all[name].EVM}
		for s := range slots {
			x.StorageKeys = append(x.StorageKeys, s)
		}
		sortBy(x.StorageKeys, func(h eth.Hash) []byte { return h[:] })
		all[name] = x
	}
	list := make([]Accessed, 0, len(all))
	for _, x := range all {
		list = append(list, x)
	}
	sortBy(list, func(x Accessed) []byte { return x.Address[:] })
	return list, nil
}
