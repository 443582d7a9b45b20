package edit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// contract is the state of an EVM actor: [bytecode, its hash, slots, transient slots (since version 16), nonce, tombstone].
type contract struct {
	code      cid.Cid
	hash      [32]byte // Keccak-256
	slots     cid.Cid  // a KAMT
	transient []byte   // an item of CBOR; nil before version 16
	nonce     uint64
	tombstone []byte // an item of CBOR; null of a contract that lives
}

var null = []byte{cbor.Null}

// dead tells whether the contract destroyed itself. It has neither code nor slots then, whatever its state names.
func (c *contract) dead() bool { return !bytes.Equal(c.tombstone, null) }

func readContract(data []byte) (*contract, error) {
	r := cbor.NewReader(data)
	n := r.Len()
	if !r.Failed() && n != 5 && n != 6 {
		return nil, fmt.Errorf("it has %d fields, not 5 or 6", n)
	}
	c := &contract{code: r.CID()}
	hash := r.Bytes()
	c.slots = r.CID()
	if n == 6 {
		c.transient = slices.Clone(r.Raw())
	}
	c.nonce, c.tombstone = r.Uint(), slices.Clone(r.Raw())
	if err := r.End(); err != nil {
		return nil, err
	}
	if len(hash) != len(c.hash) {
		return nil, fmt.Errorf("a hash of %d bytes", len(hash))
	}
	copy(c.hash[:], hash)
	return c, nil
}

func (c *contract) encode() []byte {
	n := 5
	if c.transient != nil {
		n = 6
	}
	data := cbor.AppendBytes(cbor.AppendCID(cbor.AppendArray(nil, n), c.code), c.hash[:])
	data = append(cbor.AppendCID(data, c.slots), c.transient...)
	return append(cbor.AppendUint(data, c.nonce), c.tombstone...)
}

// newContract is one without code and slots.
func (e *Editor) newContract(ctx context.Context) (*contract, error) {
	wide, err := e.wideContracts(ctx)
	if err != nil {
		return nil, err
	}
	c := &contract{slots: e.put([]byte{0x82, 0x40, 0x80}), tombstone: null} // a KAMT's node without entries
	if wide {
		c.transient = null
	}
	e.setCode(c, nil)
	return c, nil
}

// wideContracts tells whether the EVM actor of this state has six fields: by the version of the bundle, and if that is not known by
// the contracts that there are.
func (e *Editor) wideContracts(ctx context.Context) (bool, error) {
	if e.wide != nil {
		return *e.wide, nil
	}
	code, err := e.Code("evm")
	if err != nil {
		return false, err
	}
	wide := true
	if known, ok := bundle.CodeOf(code); ok {
		wide = known.Version >= 16
	} else if err := e.widthOfAny(ctx, code, &wide); err != nil {
		return false, err
	}
	e.wide = &wide
	return wide, nil
}

func (e *Editor) widthOfAny(ctx context.Context, code cid.Cid, wide *bool) error {
	found := errors.New("found")
	err := e.tree.ForEach(ctx, func(id abi.ActorID, st *state.ActorState) error {
		if !st.Code.Equals(code) {
			return nil
		}
		c, err := e.contract(ctx, id, st)
		if err != nil {
			return nil // of what is broken nothing is learnt
		}
		*wide = c.transient != nil
		return found
	})
	if errors.Is(err, found) {
		return nil
	}
	return err
}

func (e *Editor) contract(ctx context.Context, id abi.ActorID, st *Actor) (*contract, error) {
	data, err := e.store.GetRaw(ctx, st.Head)
	if err != nil {
		return nil, fmt.Errorf("the state of f0%d: %w", id, err)
	}
	c, err := readContract(data)
	if err != nil {
		return nil, fmt.Errorf("the state of f0%d is no contract's: %w", id, err)
	}
	return c, nil
}

// setCode gives a contract its bytecode.
func (e *Editor) setCode(c *contract, code []byte) {
	c.code, c.hash = e.putBlock(cbor.CodecRaw, slices.Clone(code)), ethtx.Keccak256(code)
}

func (e *Editor) changeContract(ctx context.Context, id abi.ActorID, st *Actor, change func(*contract) error) error {
	c, err := e.contract(ctx, id, st)
	if err != nil {
		return err
	}
	if c.dead() { // what comes now is a new one at the same address
		if c, err = e.newContract(ctx); err != nil {
			return err
		}
	}
	if err := change(c); err != nil {
		return err
	}
	st.Head = e.put(c.encode())
	return e.tree.SetActor(id, *st)
}

// MaxCode is how many bytes of code a contract may have here. The network's own limit of 24,576 is one of creation.
const MaxCode = 1 << 20

// SetCode gives an address the code of a contract. Slots that are there stay, and the nonce is 1 at least. An account's own nonce waits
// until it is one again: empty code makes a contract without slots an account.
func (e *Editor) SetCode(ctx context.Context, a address.Address, code []byte) error {
	if len(code) > MaxCode {
		return fmt.Errorf("code of %d bytes, more than %d", len(code), MaxCode)
	}
	id, st, err := e.find(ctx, a)
	if err != nil {
		return err
	}
	if len(code) == 0 {
		if st == nil || e.Name(st.Code) != "evm" {
			return nil
		}
		return e.clearCode(ctx, id, st)
	}
	if id, st, err = e.asContract(ctx, a, "ethaccount"); err != nil {
		return err
	}
	return e.changeContract(ctx, id, st, func(c *contract) error {
		e.setCode(c, code)
		c.nonce = max(c.nonce, st.Nonce, 1)
		return nil
	})
}

func (e *Editor) clearCode(ctx context.Context, id abi.ActorID, st *Actor) error {
	c, err := e.contract(ctx, id, st)
	if err != nil {
		return err
	}
	empty, err := e.newContract(ctx)
	if err != nil {
		return err
	}
	if !c.dead() && c.slots != empty.slots {
		return e.changeContract(ctx, id, st, func(c *contract) error { e.setCode(c, nil); return nil })
	}
	if st.Code, err = e.Code("ethaccount"); err != nil {
		return err
	}
	st.Head = e.put(emptyList)
	return e.tree.SetActor(id, *st)
}

// asContract is the EVM actor of an address. Nobody, a placeholder, and actors of the kinds that are named become one, without code and
// slots.
func (e *Editor) asContract(ctx context.Context, a address.Address, also ...string) (abi.ActorID, *Actor, error) {
	id, st, err := e.need(ctx, a)
	if err != nil {
		return 0, nil, err
	}
	name := e.Name(st.Code)
	if name == "evm" {
		return id, st, nil
	}
	if st.Delegated == nil || name != "placeholder" && !slices.Contains(also, name) {
		if name == "" {
			name = st.Code.String()
		}
		return 0, nil, fmt.Errorf("%w: f0%d is an actor of the kind %s, which cannot become a contract here", ErrImpossible, id, name)
	}
	if _, ok := addr.EthereumBytes(*st.Delegated); !ok {
		return 0, nil, fmt.Errorf("%w: %s is no Ethereum address", ErrImpossible, addr.String(*st.Delegated))
	}
	if st.Code, err = e.Code("evm"); err != nil {
		return 0, nil, err
	}
	c, err := e.newContract(ctx)
	if err != nil {
		return 0, nil, err
	}
	st.Head = e.put(c.encode())
	return id, st, nil
}

// SetStorage sets a slot of a contract; 0 deletes it. Nobody, and a placeholder, becomes a contract without code and with nonce 0.
func (e *Editor) SetStorage(ctx context.Context, a address.Address, slot, value [32]byte) error {
	id, st, err := e.asContract(ctx, a)
	if err != nil {
		return err
	}
	return e.changeContract(ctx, id, st, func(c *contract) error {
		slots := collections.NewSlots(c.slots, e.store.GetRaw, func(_ context.Context, data []byte) (cid.Cid, error) { return e.put(data), nil })
		var item []byte
		if value != [32]byte{} {
			item = cbor.AppendBytes(nil, bytes.TrimLeft(value[:], "\x00"))
		}
		err := slots.Set(ctx, slot[:], item)
		c.slots = slots.Root
		return err
	})
}

// Storage is a slot of a contract; 0 where there is none, or no contract.
func (e *Editor) Storage(ctx context.Context, a address.Address, slot [32]byte) (value [32]byte, err error) {
	id, st, err := e.find(ctx, a)
	if err != nil || st == nil || e.Name(st.Code) != "evm" {
		return value, err
	}
	c, err := e.contract(ctx, id, st)
	if err != nil || c.dead() {
		return value, err
	}
	slots := collections.NewSlots(c.slots, e.store.GetRaw, nil)
	item, ok, err := slots.Get(ctx, slot[:])
	if err != nil || !ok {
		return value, err
	}
	r := cbor.NewReader(item)
	word := r.Bytes()
	if err := r.End(); err != nil || len(word) > len(value) {
		return value, fmt.Errorf("slot %x of f0%d is no word: %x", slot, id, item)
	}
	copy(value[len(value)-len(word):], word)
	return value, nil
}
