package actors

import (
	"reflect"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// ParamsTemplate is JSON of parameters to be filled in, which EncodeParams takes: one element in each list, nothing
// elsewhere. Nil if the method takes none.
func (m *Method) ParamsTemplate() (any, error) { return template(m.params) }

// ReturnTemplate is that of a return value.
func (m *Method) ReturnTemplate() (any, error) { return template(m.result) }

// someCID is the empty list in a block, which is in every state.
var someCID = cid.MustParse("bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a")

func template(t reflect.Type) (any, error) {
	if t == emptyType {
		return nil, nil
	}
	v := reflect.New(t).Elem()
	if err := fillTemplate(v); err != nil {
		return nil, err
	}
	return jsonview.View(v.Interface())
}

func fillTemplate(v reflect.Value) error {
	switch v.Type() {
	case addressType:
		a, err := address.NewIDAddress(0)
		v.Set(reflect.ValueOf(a))
		return err
	case cidType:
		v.Set(reflect.ValueOf(someCID))
		return nil
	case reflect.TypeFor[cbg.CborCid]():
		v.Set(reflect.ValueOf(cbg.CborCid(someCID)))
		return nil
	case reflect.TypeFor[crypto.Signature]():
		v.Set(reflect.ValueOf(crypto.Signature{Type: crypto.SigTypeSecp256k1}))
		return nil
	case reflect.TypeFor[cbg.Deferred]():
		v.Set(reflect.ValueOf(cbg.Deferred{Raw: cbg.CborNull}))
		return nil
	}
	switch {
	case v.Kind() == reflect.Pointer && isTuple(v.Type().Elem()):
		v.Set(reflect.New(v.Type().Elem()))
		return fillTemplate(v.Elem())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return fillTemplate(v.Index(0))
	case isTuple(v.Type()):
		for i := range v.NumField() {
			if err := fillTemplate(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
