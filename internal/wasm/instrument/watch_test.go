package instrument

import (
	"bytes"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// watchedGuest has one imported function and one of its own: (a, b i32) that drops a + b, at offset 1, and calls itself not.
func watchedGuest() []byte {
	w := &ops.Writer{}
	w.Append([]byte(ops.Header))
	w.Section(ops.SecType, []byte{2, ops.FuncType, 2, i32, i32, 0, ops.FuncType, 0, 0})
	w.Section(ops.SecImport, []byte{1, 1, 'm', 1, 'f', ops.KindFunc, 1})
	w.Section(ops.SecFunction, []byte{1, 0})
	w.Section(ops.SecExport, []byte{1, 1, 'r', ops.KindFunc, 1})
	body := []byte{0, ops.LocalGet, 0, ops.LocalGet, 1, ops.I32Add, ops.Drop, ops.End}
	w.Section(ops.SecCode, append([]byte{1, byte(len(body))}, body...))
	return w.B
}

// The call is where it is asked for, with the locals, and nothing else of the module is different but the import.
func TestWatched(t *testing.T) {
	rules := RulesV040()
	plain, err := Instrument(watchedGuest(), &rules)
	if err != nil {
		t.Fatal(err)
	}
	none, err := Watched(watchedGuest(), &rules, nil)
	if err != nil || !bytes.Equal(none.Code, plain.Code) {
		t.Errorf("watching nothing changes the output: %v", err)
	}
	m, err := Watched(watchedGuest(), &rules, &Watch{Func: 1, At: 5, Locals: [3]uint32{1, 0, 1}, Add: [3]uint32{0, 3, 0}})
	if err != nil {
		t.Fatal(err)
	}
	// exhausted is function 1, opcode 2: after the guest's own import.
	want := []byte{ops.LocalGet, 0, ops.LocalGet, 1, ops.LocalGet, 1, ops.LocalGet, 0, ops.I32Const, 3, ops.I32Add, ops.LocalGet, 1, ops.Call, 2, ops.I32Add, ops.Drop}
	if !bytes.Contains(m.Code, want) {
		t.Errorf("%x is not in\n%x", want, m.Code)
	}
	if !bytes.Contains(m.Code, []byte("\x07edgefvm\x06opcode\x00")) || bytes.Contains(plain.Code, []byte("opcode")) {
		t.Error("the import is not there, or without watching it is")
	}
	if _, err := Instrument(m.Code, &rules); err != nil {
		t.Errorf("the output is not valid: %v", err)
	}
}

func TestWatchedRefuses(t *testing.T) {
	rules := RulesV040()
	for name, c := range map[string]struct {
		watch Watch
		want  string
	}{
		"imported":       {Watch{Func: 0, At: 1}, "no code of it"},
		"no function":    {Watch{Func: 2, At: 1}, "no code of it"},
		"in the locals":  {Watch{Func: 1, At: 0}, "its instructions are from 0x1 to 0x8"},
		"behind the end": {Watch{Func: 1, At: 8}, "its instructions are from 0x1 to 0x8"},
		"no local":       {Watch{Func: 1, At: 1, Locals: [3]uint32{0, 1, 2}}, "no local 2"},
	} {
		_, err := Watched(watchedGuest(), &rules, &c.watch)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
