package actors

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/fxamacker/cbor/v2"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// Value is data of an actor, decoded.
type Value struct {
	// JSON is what it says: nil, bool, json.Number, string, jsonview.Object or []any. Nil too if there is no data, or if the
	// types do not fit.
	JSON any
	// Diagnostic is the same in CBOR's diagnostic notation (RFC 8949), "" if the data are no CBOR.
	Diagnostic string
	// Typed says that JSON is by the method's types.
	Typed bool
	// Note says in words what a reader should know: why JSON is missing, or that encoding it again gives other bytes.
	Note string
}

// DecodeParams decodes parameters. Data that the types do not fit are no error, as the network may take what go-state-types
// refuses: the value then has a note and no JSON. It errs for data that are not one whole CBOR item, where CBOR is wanted.
func (m *Method) DecodeParams(data []byte) (Value, error) { return m.decode(m.params, data) }

// DecodeReturn decodes what a call returned that ended with exit code 0. After another exit code the bytes are those of an
// error, of contracts only; see [Revert].
func (m *Method) DecodeReturn(data []byte) (Value, error) { return m.decode(m.result, data) }

// EncodeParams makes parameters of JSON, as DecodeParams shows them. Unknown, missing and repeated fields are errors that
// name the place. Null, or no text at all, is no data where the method takes none.
func (m *Method) EncodeParams(text []byte) ([]byte, error) { return m.encode(m.params, text) }

// EncodeReturn makes a return value of JSON.
func (m *Method) EncodeReturn(text []byte) ([]byte, error) { return m.encode(m.result, text) }

func (m *Method) decode(t reflect.Type, data []byte) (Value, error) {
	if len(data) == 0 {
		v := Value{Typed: t == emptyType && !m.unknown}
		if !v.Typed {
			v.Note = "no data"
		}
		return v, nil
	}
	diagnostic, err := Diagnostic(data)
	if t == rawType {
		return Value{JSON: jsonview.Hex(data), Diagnostic: diagnostic, Typed: true}, nil
	}
	if err != nil {
		return Value{}, err
	}
	v := Value{Diagnostic: diagnostic}
	switch {
	case m.unknown:
		v.Note = fmt.Sprintf("the types of %s are not known", m)
		return v, nil
	case t == emptyType:
		v.Note = fmt.Sprintf("%s has no data here, and these are %d bytes", m, len(data))
		return v, nil
	}
	at := reflect.New(t)
	err = unmarshalAll(data, at.Elem())
	if short := shortest(data); err != nil && !bytes.Equal(short, data) {
		at = reflect.New(t)
		if unmarshalAll(short, at.Elem()) == nil {
			err = nil // and the note below says that the data are another form
		}
	}
	if err != nil {
		v.Note = fmt.Sprintf("these data do not fit %s: %v. The actors' own code may take them", typeName(t), err)
		return v, nil
	}
	tree, err := m.coder().View(at.Interface())
	if err != nil {
		v.Note = fmt.Sprintf("JSON cannot show this %s: %v", typeName(t), err)
		return v, nil
	}
	v.JSON, v.Typed = tree, true
	if delegated(at.Elem()) {
		v.Note = "a delegated signature is inside, which go-state-types takes and the actors' own code refuses: exit code 21"
		return v, nil
	}
	if again, err := m.encodeTree(t, tree); err != nil || !bytes.Equal(again, data) {
		v.Note = "these data are not in the shortest form: encoding this JSON gives other bytes that say the same"
	}
	return v, nil
}

// delegated tells whether a signature of that type is in a value. Actors know two types, whatever blocks may hold.
func delegated(v reflect.Value) bool {
	if s, ok := v.Interface().(crypto.Signature); ok {
		return s.Type == crypto.SigTypeDelegated
	}
	switch {
	case v.Kind() == reflect.Pointer:
		return !v.IsNil() && delegated(v.Elem())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		for i := range v.Len() {
			if delegated(v.Index(i)) {
				return true
			}
		}
	case isTuple(v.Type()):
		for i := range v.NumField() {
			if delegated(v.Field(i)) {
				return true
			}
		}
	}
	return false
}

// unmarshalAll reads one value that is all of the data.
func unmarshalAll(data []byte, v reflect.Value) (err error) {
	r := bytes.NewReader(data)
	if err := unmarshal(r, v); err != nil {
		return err
	}
	if r.Len() > 0 {
		return fmt.Errorf("%d bytes are left over", r.Len())
	}
	return nil
}

func (m *Method) encode(t reflect.Type, text []byte) ([]byte, error) {
	if m.unknown {
		return nil, fmt.Errorf("the types of %s are not known", m)
	}
	if t == emptyType && len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	tree, err := jsonview.Parse(text)
	if err != nil {
		return nil, err
	}
	return m.encodeTree(t, tree)
}

func (m *Method) encodeTree(t reflect.Type, tree any) ([]byte, error) {
	at := reflect.New(t)
	if err := m.coder().Assign(tree, at.Interface()); err != nil {
		return nil, err
	}
	if t == rawType {
		return at.Elem().Bytes(), nil
	}
	var b bytes.Buffer
	if err := marshal(&b, at.Elem()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func typeName(t reflect.Type) string {
	if t == emptyType {
		return "no data"
	}
	if strings.HasPrefix(t.PkgPath(), "github.com/filecoin-project/go-state-types/") {
		return t.String() + " of go-state-types"
	}
	return t.String()
}

var diagMode = func() cbor.DiagMode {
	mode, err := cbor.DiagOptions{MaxNestedLevels: 64, MaxArrayElements: 1 << 21, MaxMapPairs: 1 << 21}.DiagMode()
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}()

// Diagnostic is CBOR in diagnostic notation (RFC 8949, section 8), links as 42(h'00…'). It errs for data that are not one
// whole item.
func Diagnostic(data []byte) (string, error) {
	if len(data) == 0 {
		return "", errors.New("no data")
	}
	text, err := diagMode.Diagnose(data)
	var more *cbor.ExtraneousDataError
	if errors.As(err, &more) {
		if _, rest, err := diagMode.DiagnoseFirst(data); err == nil {
			return "", fmt.Errorf("not one item of CBOR: it ends at byte %d of %d", len(data)-len(rest), len(data))
		}
	}
	if err != nil {
		return "", fmt.Errorf("not one item of CBOR: %w", err)
	}
	return text, nil
}
