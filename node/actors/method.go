package actors

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
)

// Method is a method of a builtin actor.
type Method struct {
	Version int    // of the actors
	Actor   string // its name in a manifest
	Number  abi.MethodNum
	// Name as go-state-types has it: a public method beside one with an old number ends in "Exported".
	Name string
	// Gone says that the actors of this version have the method no more, or never had: in words, "" if they have it.
	Gone string

	params, result reflect.Type // abi.EmptyValue: no data
	unknown        bool         // no types are known
}

// String is the method as errors name it.
func (m *Method) String() string {
	return fmt.Sprintf("%s.%s of actors v%d", m.Actor, m.Name, m.Version)
}

// ParamsType and ReturnType are the Go types, nil if there is no data or the types are not known.
func (m *Method) ParamsType() reflect.Type { return shown(m.params) }

// ReturnType is that of what it returns.
func (m *Method) ReturnType() reflect.Type { return shown(m.result) }

// raw are bytes that no method reads, whatever they are.
type raw []byte

var rawType = reflect.TypeFor[raw]()

func shown(t reflect.Type) reflect.Type {
	if t == emptyType {
		return nil
	}
	return t
}

// table are the methods of one actor of one version.
type table struct {
	byNumber map[abi.MethodNum]*Method
	byName   map[string]*Method
}

// UnknownMethodError is the error of a method that an actor does not have.
type UnknownMethodError struct {
	Method  string
	Actor   string
	Version int
	Known   []string // names
}

func (e *UnknownMethodError) Error() string {
	return fmt.Sprintf("%s of actors v%d has no method %q", e.Actor, e.Version, e.Method)
}

// FindMethod finds a method by its number or name. actor is what [ParseActor] takes. Where an old number and a public one
// (FRC-0042) go by the same name, the name is the old number's, and the public one has "Exported" behind it:
// "WithdrawBalance" is 16, "WithdrawBalanceExported" 2280458852. The names from which numbers are made ("InvokeEVM",
// "Receive") are taken too.
func FindMethod(version int, actor, method string) (*Method, error) {
	actor, err := ParseActor(version, actor)
	if err != nil {
		return nil, err
	}
	t := tables[version]()[actor]
	if n, err := strconv.ParseUint(method, 10, 64); err == nil {
		if m := find(t, version, actor, abi.MethodNum(n)); m != nil {
			return m, nil
		}
	} else if m := t.byName[method]; m != nil {
		return m, nil
	} else if method == "Send" {
		return find(t, version, actor, builtin.MethodSend), nil
	} else if n, err := builtin.GenerateFRCMethodNum(strings.TrimSuffix(method, "Exported")); err == nil {
		if m := find(t, version, actor, n); m != nil {
			return m, nil
		}
	}
	return nil, &UnknownMethodError{Method: method, Actor: actor, Version: version, Known: namesOf(t)}
}

// find is a method by its number, one of the actor's own or one that any actor may have.
func find(t *table, version int, actor string, n abi.MethodNum) *Method {
	if m := t.byNumber[n]; m != nil {
		return m
	}
	for _, p := range public {
		if frc(p.name) == n {
			m := &Method{Version: version, Actor: actor, Number: n, Name: p.name, params: p.params, result: p.result}
			return m.fill()
		}
	}
	if n == builtin.MethodSend {
		return (&Method{Version: version, Actor: actor, Name: "Send", params: rawType}).fill()
	}
	return nil
}

// Methods are the methods of an actor, by number; those that are gone are left out.
func Methods(version int, actor string) ([]*Method, error) {
	actor, err := ParseActor(version, actor)
	if err != nil {
		return nil, err
	}
	t := tables[version]()[actor]
	var list []*Method
	for _, n := range slices.Sorted(maps.Keys(t.byNumber)) {
		if m := t.byNumber[n]; m.Gone == "" {
			list = append(list, m)
		}
	}
	return list, nil
}

func namesOf(t *table) (names []string) {
	for _, n := range slices.Sorted(maps.Keys(t.byNumber)) {
		if m := t.byNumber[n]; m.Gone == "" {
			names = append(names, m.Name)
		}
	}
	return names
}

func (m *Method) fill() *Method {
	if m.params == nil {
		m.params = emptyType
	}
	if m.result == nil {
		m.result = emptyType
	}
	return m
}

// makeTables makes the tables of a version from go-state-types' and what is to be corrected in them.
func makeTables(version int, all declared) map[string]*table {
	made := map[string]*table{}
	for actor, methods := range all {
		t := &table{byNumber: map[abi.MethodNum]*Method{}, byName: map[string]*Method{}}
		for n, meta := range methods {
			t.byNumber[n] = methodOf(version, actor, n, meta)
		}
		made[actor] = t
	}
	for _, c := range corrections {
		if t := made[c.actor]; t != nil && c.from <= version && version <= c.to {
			correct(t, version, c)
		}
	}
	for _, g := range gone {
		if m := made[g.actor].byNumber[g.number]; m != nil && version > g.last {
			m.Gone = "no actors have it"
			if g.last > 0 {
				m.Gone = fmt.Sprintf("actors have it until v%d", g.last)
			}
		}
	}
	for actor, t := range made {
		nameAll(actor, t)
	}
	return made
}

func methodOf(version int, actor string, n abi.MethodNum, meta builtin.MethodMeta) *Method {
	m := &Method{Version: version, Actor: actor, Number: n, Name: meta.Name}
	f := reflect.TypeOf(meta.Method)
	if f == nil {
		m.unknown = true
		return m.fill()
	}
	m.params, m.result = f.In(0).Elem(), f.Out(0).Elem()
	return m
}

func correct(t *table, version int, c correction) {
	m := t.byNumber[c.number]
	if m == nil {
		m = (&Method{Version: version, Actor: c.actor, Number: c.number, Name: c.name}).fill()
		t.byNumber[c.number] = m
	}
	if c.params != nil {
		m.params = c.params
	}
	if c.result != nil {
		m.result = c.result
	}
}

// nameAll fills byName: a method's own name first, then the shorter one of a public method that no other has, then aliases.
func nameAll(actor string, t *table) {
	for _, m := range t.byNumber {
		t.byName[m.Name] = m
	}
	for _, m := range t.byNumber {
		bare := strings.TrimSuffix(m.Name, "Exported")
		if t.byName[bare] == nil || t.byName[bare].Gone != "" {
			t.byName[bare] = m
		}
	}
	for alias, name := range aliases[actor] {
		if m := t.byName[name]; m != nil && t.byName[alias] == nil {
			t.byName[alias] = m
		}
	}
}
