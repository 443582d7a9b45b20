package actors_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/node/actors"
)

// allMethods are the methods of all versions, each with data once.
func allMethods(t testing.TB) (list []*actors.Method) {
	for v := actors.OldestVersion; v <= actors.NewestVersion; v++ {
		names, err := actors.Names(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, actor := range names {
			methods, err := actors.Methods(v, actor)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, methods...)
		}
	}
	return list
}

// FuzzDecode decodes any bytes as parameters and returns of any method. What has JSON encodes again, and to the same bytes
// unless a note says otherwise.
func FuzzDecode(f *testing.F) {
	methods := allMethods(f)
	for i := 0; i < len(methods); i += 61 {
		f.Add(uint16(i), []byte{0x82, 0x42, 0x00, 0x64, 0x40})
		f.Add(uint16(i), []byte{0x42, 0x50, 0x02})
	}
	f.Add(uint16(3), []byte("\x82\xd8\x2a\x58\x27\x00\x01\x55\xa0\xe4\x02\x20"))
	f.Fuzz(func(t *testing.T, i uint16, data []byte) {
		m := methods[int(i)%len(methods)]
		for _, part := range []struct {
			decode func([]byte) (actors.Value, error)
			encode func([]byte) ([]byte, error)
		}{{m.DecodeParams, m.EncodeParams}, {m.DecodeReturn, m.EncodeReturn}} {
			v, err := part.decode(data)
			if err != nil || !v.Typed || len(data) == 0 {
				continue
			}
			text, err := json.Marshal(v.JSON)
			if err != nil {
				t.Fatal(err)
			}
			again, err := part.encode(text)
			if v.Note == "" && (err != nil || !bytes.Equal(again, data)) {
				t.Fatalf("%s: %x became %x by %s, %v", m, data, again, text, err)
			}
		}
		if events, err := actors.ReadEvents(data); err == nil {
			for _, e := range events {
				actors.DecodeEvent(e, nil)
			}
		}
		_, _ = actors.Revert(nil, data)
		actors.ExplainExit(m.Version, m.Actor, exitcode.ExitCode(i))
	})
}

// FuzzEncode makes parameters of any text. What is made decodes to JSON that makes the same again.
func FuzzEncode(f *testing.F) {
	methods := allMethods(f)
	for i := 0; i < len(methods); i += 97 {
		f.Add(uint16(i), []byte(`"f0100"`))
		f.Add(uint16(i), []byte(`{"ProviderOrClientAddress":"f0100","Amount":"200"}`))
	}
	f.Add(uint16(0), []byte(`{"To":"f05","Value":"0","Method":2,"Params":{"storagemarket.AddBalance":"f01"}}`))
	f.Add(uint16(0), []byte(`null`))
	f.Fuzz(func(t *testing.T, i uint16, text []byte) {
		m := methods[int(i)%len(methods)]
		data, err := m.EncodeParams(text)
		if err != nil || len(data) == 0 {
			return
		}
		v, err := m.DecodeParams(data)
		if err != nil || !v.Typed {
			t.Fatalf("%s made %x of %s, and cannot read it: %v, %s", m, data, text, err, v.Note)
		}
		shown, err := json.Marshal(v.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := m.EncodeParams(shown); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%s: %x became %x by %s, %v", m, data, again, shown, err)
		}
	})
}
