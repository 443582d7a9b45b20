package actors

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// coder shows what is inside the bytes of parameters: the parameters of a proposal and of a constructor, the payload of tokens.
func (m *Method) coder() jsonview.Coder { return jsonview.Coder{Nested: m.nested} }

// frc46 is Type_ of a payload of fungible tokens: the number of the name "FRC46".
const frc46 = 0x85223bdf

func (m *Method) nested(owner any, field string) jsonview.Inner {
	v := reflect.ValueOf(owner)
	part := func(name string) any {
		if f := v.FieldByName(name); f.IsValid() {
			return f.Interface()
		}
		return nil
	}
	switch field {
	case "Payload": // of UniversalReceiverParams
		if kind := v.FieldByName("Type_"); kind.IsValid() && kind.CanUint() {
			if kind.Uint() != frc46 {
				return nil
			}
			return payload{m, "FRC46TokenReceived", reflect.TypeFor[TokensReceived]()}
		}
	case "OperatorData": // of tokens: what DataCap carries to the registry
		if t := m.typeIn("verifiedregistry", "AllocationRequests"); t != nil {
			return payload{m, "AllocationRequests", t}
		}
	case "Params": // of a proposal
		to, isAddress := part("To").(address.Address)
		number, isMethod := part("Method").(abi.MethodNum)
		if isAddress && isMethod {
			return call{m, singletonOf(to), number}
		}
	case "ConstructorParams":
		if code, ok := part("CodeCID").(cid.Cid); ok {
			actor, _, _ := ActorByCode(code)
			return call{m, actor, 1}
		}
	}
	return nil
}

func singletonOf(a address.Address) string {
	if a.Protocol() != address.ID {
		return ""
	}
	id, err := address.IDFromAddress(a)
	if err != nil {
		return ""
	}
	return singletons[id]
}

// typeIn is a type of the package of an actor that no method's signature has: it stands in a field of one that has.
func (m *Method) typeIn(actor, name string) reflect.Type {
	if actor == "verifiedregistry" && name == "AllocationRequests" {
		return allocationRequests[m.Version]
	}
	return nil
}

// payload is a value of a known type inside bytes, shown as {"Name": value}.
type payload struct {
	m    *Method
	name string
	t    reflect.Type
}

func (p payload) View(data []byte) (jsonview.Object, bool) {
	at := reflect.New(p.t)
	if len(data) == 0 || unmarshalAll(data, at.Elem()) != nil {
		return nil, false
	}
	tree, err := p.m.coder().View(at.Interface())
	if err != nil {
		return nil, false
	}
	again, err := p.m.encodeTree(p.t, tree)
	return jsonview.Object{{Name: p.name, Value: tree}}, err == nil && bytes.Equal(again, data)
}

func (p payload) Assign(tree jsonview.Object) ([]byte, error) {
	if len(tree) != 1 || tree[0].Name != p.name {
		return nil, fmt.Errorf(`want bytes in hex, or {"%s": …}`, p.name)
	}
	return p.m.encodeTree(p.t, tree[0].Value)
}

// call are the parameters of another call, shown as {"storagemarket.AddBalance": value}. actor is "" if the receiver's kind
// is not known.
type call struct {
	m      *Method
	actor  string
	number abi.MethodNum
}

func (c call) View(data []byte) (jsonview.Object, bool) {
	t := tables[c.m.Version]()[c.actor]
	if t == nil || len(data) == 0 {
		return nil, false
	}
	m := find(t, c.m.Version, c.actor, c.number)
	if m == nil || m.unknown || m.params == emptyType {
		return nil, false
	}
	return payload{m, m.Actor + "." + m.Name, m.params}.View(data)
}

// Assign takes the name of any method, as what kind of actor the receiver is may be known to the writer alone. It must be the
// method that is called.
func (c call) Assign(tree jsonview.Object) ([]byte, error) {
	actor, method, ok := strings.Cut(tree[0].Name, ".")
	if len(tree) != 1 || !ok {
		return nil, fmt.Errorf(`want bytes in hex, or {"ACTOR.METHOD": …}`)
	}
	m, err := FindMethod(c.m.Version, actor, method)
	switch {
	case err != nil:
		return nil, err
	case m.Number != c.number:
		return nil, fmt.Errorf("these are parameters of method %d (%s), and the call is of method %d", m.Number, tree[0].Name, c.number)
	case c.actor != "" && c.actor != m.Actor:
		return nil, fmt.Errorf("these are parameters of %s, and the receiver is %s", m.Actor, c.actor)
	}
	return payload{m, tree[0].Name, m.params}.Assign(tree)
}
