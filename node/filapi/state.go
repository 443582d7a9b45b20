package filapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/state"
)

func (m v1) StateGetActor(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(m.actorOf(ctx, a, ts))
}

func (a *API) actorOf(ctx context.Context, x Address, ts *chain.Tipset) (*actorJSON, error) {
	t, err := a.state(ctx, ts)
	if err != nil {
		return nil, err
	}
	act, err := actor(ctx, t, x, "")
	if err != nil {
		return nil, err
	}
	return actorOut(act), nil
}

func actorOut(a *state.Actor) *actorJSON {
	return &actorJSON{a.Code, a.Head, a.Nonce, a.Balance, a.DelegatedAddress}
}

type actorStateJSON struct {
	Balance big.Int
	Code    cid.Cid
	State   any
}

func (m v1) StateReadState(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	act, err := actor(ctx, t, a, "")
	if err != nil {
		return m.out(nil, err)
	}
	out := actorStateJSON{Balance: act.Balance, Code: act.Code}
	kind := t.Kind(ctx, act.Code)
	switch {
	case kind.Stateless():
	case !kind.Known():
		return m.out(nil, fmt.Errorf("state type for actor %s not found", act.Code))
	default:
		n, err := at(ctx, t, "actors/%s/state", idText(act.ID))
		if err != nil {
			return m.out(nil, fmt.Errorf("dumping actor state (a:%s): %w", idText(act.ID), err))
		}
		out.State = n.Value()
	}
	return m.out(out, nil)
}

func (m v1) StateListActors(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	var out []address.Address
	err = t.Actors(ctx, state.ListOptions{Unsorted: true}, func(a *state.Actor) error {
		out = append(out, a.Address())
		return nil
	})
	return m.out(out, err)
}

// StateChangedActors are the actors that differ between two states, as the second has them.
func (m v1) StateChangedActors(ctx context.Context, before, after cid.Cid) (json.RawMessage, error) {
	old, err := state.Open(ctx, m.o.Chain.States(), before, state.Options{})
	if err != nil {
		return m.out(nil, fmt.Errorf("failed to load old state tree: %w", err))
	}
	now, err := state.Open(ctx, m.o.Chain.States(), after, state.Options{})
	if err != nil {
		return m.out(nil, fmt.Errorf("failed to load new state tree: %w", err))
	}
	out := map[string]*actorJSON{}
	err = state.Diff(ctx, old, now, state.DiffOptions{Shallow: true}, func(c *state.Change) error {
		name := addressText(m.prefix, idAddress(c.ID))
		if c.Op == state.Removed || out[name] != nil {
			return nil
		}
		act, err := now.ActorByID(ctx, c.ID)
		if err != nil {
			return err
		}
		out[name] = actorOut(act)
		return nil
	})
	return m.out(out, err)
}

func (m v1) StateLookupID(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	id, err := m.lookupID(ctx, a, key)
	return m.out(id, err)
}

func (a *API) lookupID(ctx context.Context, x Address, key tipsetKey) (address.Address, error) {
	if err := x.must(); err != nil {
		return address.Undef, err
	}
	ts, err := a.tipset(ctx, key)
	if err != nil {
		return address.Undef, err
	}
	t, err := a.tree(ctx, ts)
	if err != nil {
		return address.Undef, err
	}
	id, err := t.Resolve(ctx, x.Address)
	if errors.Is(err, tree.ErrNotFound) {
		return address.Undef, errActorNotFound
	}
	return id, err
}

func (m v1) StateAccountKey(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	k, err := m.accountKey(ctx, a, ts)
	return m.out(k, err)
}

// accountKey is the address that an actor's signatures verify by, in the state below a tipset or that which it leaves.
func (a *API) accountKey(ctx context.Context, x Address, ts *chain.Tipset) (address.Address, error) {
	switch {
	case x.Address == address.Undef:
		return address.Undef, x.must()
	case x.Protocol() == address.Actor:
		return address.Undef, errors.New("cannot resolve actor address to key address")
	case x.Protocol() != address.ID:
		return x.Address, nil
	}
	t, err := a.tree(ctx, ts)
	if err != nil {
		return address.Undef, err
	}
	k, err := t.Key(ctx, x.Address)
	if errors.Is(err, tree.ErrNotFound) && ts.Height() > 0 {
		if done, failed := a.o.Chain.Executed(ctx, ts); failed == nil {
			if t, err = tree.Load(ctx, a.o.Chain.States(), done.Root); err != nil {
				return address.Undef, err
			}
			k, err = t.Key(ctx, x.Address)
		}
	}
	return k, err
}

var errFound = errors.New("found")

// StateLookupRobustAddress is the address that the init actor has for an ID.
func (m v1) StateLookupRobustAddress(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	id, ok := addr.ID(a.Address)
	if !ok {
		return m.out(nil, fmt.Errorf("failed to decode provided address as id addr: %s is none", addressText(m.prefix, a.Address)))
	}
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := at(ctx, t, "actors/f01/state/AddressMap")
	if err != nil {
		return m.out(nil, err)
	}
	robust := Address{}
	err = n.Each(ctx, func(name string, of *state.Node) error {
		if reflect.ValueOf(of.Value()).Uint() != id {
			return nil
		}
		if err := robust.UnmarshalJSON([]byte(`"` + name + `"`)); err != nil {
			return err
		}
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return m.out(nil, err)
	}
	if robust.Address == address.Undef {
		return m.out(nil, fmt.Errorf("address %s not found", addressText(m.prefix, a.Address)))
	}
	return m.out(robust.Address, nil)
}

func (m v1) StateNetworkName(ctx context.Context) (json.RawMessage, error) {
	name, err := m.networkName(ctx)
	return m.out(name, err)
}

// networkName is what the init actor has.
func (a *API) networkName(ctx context.Context) (string, error) {
	a.mu.Lock()
	name := a.named
	a.mu.Unlock()
	if name != "" {
		return name, nil
	}
	head, err := a.o.Chain.Head(ctx)
	if err != nil {
		return "", err
	}
	t, err := a.tree(ctx, head)
	if err != nil {
		return "", err
	}
	if name, err = t.Network(ctx); err != nil {
		return "", err
	}
	a.mu.Lock()
	a.named = name
	a.mu.Unlock()
	return name, nil
}

func (m v1) StateNetworkVersion(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(m.o.Chain.Network().VersionAt(ts.Height()), nil)
}

// StateActorCodeCIDs are the actors of a network version, by name, as the network's bundle has them.
func (m v1) StateActorCodeCIDs(ctx context.Context, v netver.Version) (json.RawMessage, error) {
	b, err := m.manifest(ctx, v)
	if err != nil {
		return m.out(nil, err)
	}
	out := map[string]cid.Cid{}
	for _, act := range b.Actors {
		out[act.Name] = act.Code
	}
	return m.out(out, nil)
}

func (m v1) StateActorManifestCID(ctx context.Context, v netver.Version) (json.RawMessage, error) {
	b, err := m.manifest(ctx, v)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(b.Manifest, nil)
}

type decodable interface {
	cbg.CBORUnmarshaler
	cbg.CBORMarshaler
}

// methodOf is a method of an actor's code.
func methodOf(ctx context.Context, t *state.Tree, code cid.Cid, number abi.MethodNum) (*actors.Method, error) {
	name, versions, ok := actors.ActorByCode(code)
	if ok {
		return actors.FindMethod(versions[0], name, fmt.Sprint(uint64(number)))
	}
	if t != nil {
		if k := t.Kind(ctx, code); k.Version > 0 {
			return actors.FindMethod(k.Version, k.Name, fmt.Sprint(uint64(number)))
		}
	}
	return nil, fmt.Errorf("unknown method %d for actor %s", number, code)
}

// emptyValue is what methods without parameters take: {}.
type emptyValue struct{}

// StateDecodeParams are a method's parameters as JSON by their types' names.
func (m v1) StateDecodeParams(ctx context.Context, to Address, method abi.MethodNum, params []byte, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	act, err := actor(ctx, t, to, "")
	if err != nil {
		return m.out(nil, fmt.Errorf("getting actor: %w", err))
	}
	of, err := methodOf(ctx, t, act.Code, method)
	if err != nil {
		return m.out(nil, fmt.Errorf("getting params type: %w", err))
	}
	return m.out(decode(of.ParamsType(), params))
}

// decode reads CBOR by a type; nil is the type of nothing.
func decode(t reflect.Type, data []byte) (any, error) {
	if t == nil {
		return emptyValue{}, nil
	}
	v, ok := reflect.New(t).Interface().(cbg.CBORUnmarshaler)
	if !ok && len(data) == 0 {
		return emptyValue{}, nil
	}
	if !ok {
		return data, nil // any bytes, as a plain transfer's
	}
	if err := v.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	return v, nil
}

// StateEncodeParams are the bytes of parameters that are written as JSON.
func (m v1) StateEncodeParams(ctx context.Context, code cid.Cid, method abi.MethodNum, params json.RawMessage) (json.RawMessage, error) {
	if !code.Defined() {
		return m.out(nil, errors.New("the code's CID is missing"))
	}
	of, err := methodOf(ctx, nil, code, method)
	if err != nil {
		return m.out(nil, fmt.Errorf("getting params type: %w", err))
	}
	if of.ParamsType() == nil {
		return m.out([]byte{}, nil)
	}
	v, ok := reflect.New(of.ParamsType()).Interface().(decodable)
	if !ok {
		return m.out(nil, fmt.Errorf("the type %v does not write CBOR", of.ParamsType()))
	}
	if err := json.Unmarshal(params, v); err != nil {
		return m.out(nil, fmt.Errorf("json unmarshal: %w", err))
	}
	var b bytes.Buffer
	if err := writeCBOR(v, &b); err != nil {
		return m.out(nil, fmt.Errorf("cbor marshal: %w", err))
	}
	return m.out(b.Bytes(), nil)
}

// writeCBOR is MarshalCBOR of a value that comes from outside: types of go-state-types may not bear what JSON left out.
func writeCBOR(v cbg.CBORMarshaler, b *bytes.Buffer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a field is missing: %v", r)
		}
	}()
	return v.MarshalCBOR(b)
}
