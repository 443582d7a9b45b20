package genesis

import (
	"context"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// IDs of the actors with a fixed place.
const (
	systemID   = 0
	initID     = 1
	rewardID   = 2
	cronID     = 3
	powerID    = 4
	marketID   = 5
	verifregID = 6
	datacapID  = 7
	eamID      = 10
	rootKeyID  = 80
	reserveID  = 90
	burntID    = 99
	firstID    = 100 // the init actor's first
)

// world is a state in the making.
type world struct {
	*Genesis
	store blockstore.Blockstore // takes the state, has the actors' code
	codes map[string]cid.Cid    // by name, such as "account"
	nonce uint64                // of the next message, since addresses of new actors are made of it
	epoch abi.ChainEpoch
	later *fvm.Config // the setting after the genesis; nil: epoch 0, before anything is on the chain
	memo  *memo       // of runs at epoch 0; may be nil
}

func block(data []byte) cid.Cid { return cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data)) }

// emptyList is the state of actors that keep nothing, and of those whose constructor has not run yet.
var emptyList = []byte{0x80}

// edit changes the tree by hand.
func (w *world) edit(ctx context.Context, change func(t *state.Tree, b *blockstore.Buffered) error) error {
	b := blockstore.NewBuffered(w.store)
	var t *state.Tree
	if w.Root.Defined() {
		var err error
		if t, err = state.Load(ctx, b, w.Root); err != nil {
			return err
		}
	} else {
		t = state.New(b)
	}
	if err := change(t, b); err != nil {
		return err
	}
	root, err := t.Flush(ctx)
	if err != nil {
		return err
	}
	if err := b.Flush(ctx, root); err != nil {
		return err
	}
	w.Root = root
	return nil
}

// code is that of a builtin actor.
func (w *world) code(name string) (cid.Cid, error) {
	c, ok := w.codes[name]
	if !ok {
		return cid.Undef, fmt.Errorf("the bundle %s has no actor %q", w.Bundle, name)
	}
	return c, nil
}

// put makes an actor whose state is a block that is given.
func (w *world) put(t *state.Tree, b *blockstore.Buffered, id abi.ActorID, a actor) error {
	code, err := w.code(a.kind)
	if err != nil {
		return err
	}
	if a.state == nil {
		a.state = emptyList
	}
	if a.balance.Int == nil {
		a.balance = big.Zero()
	}
	head := block(a.state)
	b.PutRaw(head, a.state)
	return t.SetActor(id, state.ActorState{Code: code, Head: head, Balance: a.balance, Delegated: a.delegated})
}

type actor struct {
	kind      string
	state     []byte // default: the empty list
	balance   abi.TokenAmount
	delegated *address.Address
}

// register makes an actor at the next free ID.
func (w *world) register(ctx context.Context, t *state.Tree, b *blockstore.Buffered, at address.Address, a actor) (abi.ActorID, error) {
	id, err := t.RegisterNewAddress(ctx, at)
	if err != nil {
		return 0, err
	}
	return id, w.put(t, b, id, a)
}

// nextID sets the ID that the init actor gives next.
func (w *world) nextID(ctx context.Context, id uint64) error {
	return w.patch(ctx, initID, map[int][]byte{1: cbor.AppendUint(nil, id)})
}

// patch replaces fields of an actor's state, by their number.
func (w *world) patch(ctx context.Context, id abi.ActorID, fields map[int][]byte) error {
	return w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		a, err := t.Actor(ctx, id)
		if err != nil {
			return err
		}
		if a == nil {
			return fmt.Errorf("there is no actor f0%d", id)
		}
		items, err := readList(ctx, b, a.Head)
		if err != nil {
			return err
		}
		for i, item := range fields {
			if i >= len(items) {
				return fmt.Errorf("the state of f0%d has %d fields, none of number %d", id, len(items), i)
			}
			items[i] = item
		}
		a.Head = writeList(b, items)
		return t.SetActor(id, *a)
	})
}

// readList reads a block that is a list: the bytes of each item.
func readList(ctx context.Context, b *blockstore.Buffered, c cid.Cid) ([][]byte, error) {
	data, err := b.GetRaw(ctx, c)
	if err != nil {
		return nil, err
	}
	return listItems(data)
}

func listItems(data []byte) ([][]byte, error) {
	r := cbor.NewReader(data)
	items := make([][]byte, r.Len())
	for i := range items {
		items[i] = slices.Clone(r.Raw())
	}
	return items, r.End()
}

func list(items [][]byte) []byte {
	data := cbor.AppendArray(nil, len(items))
	for _, item := range items {
		data = append(data, item...)
	}
	return data
}

func writeList(b *blockstore.Buffered, items [][]byte) cid.Cid {
	data := list(items)
	c := block(data)
	b.PutRaw(c, data)
	return c
}

// call is a message of the system's own.
type call struct {
	from, to address.Address
	method   abi.MethodNum
	value    abi.TokenAmount // default: nothing
	params   []byte
}

// run executes messages: at epoch 0, before anything is on the chain, with no supply and no base fee. Each must succeed. It gives what
// they returned.
func (w *world) run(ctx context.Context, calls ...call) ([][]byte, error) {
	cfg := fvm.Config{NetworkVersion: w.NetworkVersion, ChainID: w.ChainID, BaseFee: big.Zero(), CircSupply: big.Zero(), Engine: w.engine}
	if w.later != nil {
		cfg = *w.later
	}
	for i := range calls {
		if calls[i].value.Int == nil {
			calls[i].value = big.Zero()
		}
	}
	var key string
	if w.memo != nil {
		key = w.key(calls)
		if did, err := w.memo.again(ctx, w, key); err != nil {
			return nil, err
		} else if did != nil {
			w.nonce += uint64(len(calls))
			return did.Returns, nil
		}
	}
	taken := &recorder{Blockstore: w.store}
	cfg.StateRoot, cfg.Blockstore = w.Root, taken
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var returns [][]byte
	for _, c := range calls {
		res, err := m.ApplyImplicit(ctx, &fvm.Message{
			From: c.from, To: c.to, Nonce: w.nonce, Method: c.method, Value: c.value, Params: c.params, GasLimit: gasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
		})
		if err != nil {
			return nil, fmt.Errorf("method %d of %s: %w", c.method, c.to, err)
		}
		if res.ExitCode != 0 {
			return nil, fmt.Errorf("method %d of %s: exit code %d: %s", c.method, c.to, res.ExitCode, res.Failure)
		}
		w.nonce++
		returns = append(returns, res.Return)
	}
	if w.Root, err = m.Flush(ctx); err == nil && w.memo != nil {
		w.memo.Runs[key] = &remembered{Root: w.Root, Returns: returns, Blocks: taken.took}
	}
	return returns, err
}

// gasLimit is that of implicit messages, as nodes send them.
const gasLimit = 1 << 50

func idAddress(id abi.ActorID) address.Address {
	a, err := address.NewIDAddress(uint64(id))
	if err != nil {
		panic(err) // only IDs of 2^63 and more
	}
	return a
}

// fil is an amount of whole FIL in attoFIL.
func fil(n int64) abi.TokenAmount { return big.Mul(big.NewInt(n), big.NewInt(1e18)) }

func appendAddress(dst []byte, a address.Address) []byte { return cbor.AppendBytes(dst, a.Bytes()) }

// bigBytes is a big.Int as it is in CBOR: a byte of sign, then the number.
func bigBytes(n big.Int) []byte {
	data, err := n.Bytes()
	if err != nil {
		panic(err) // only numbers of more than 128 bytes
	}
	return cbor.AppendBytes(nil, data)
}
