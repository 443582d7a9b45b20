package messages_test

import (
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/messages"
	"github.com/edgefvm/fvm/node/textform"
)

// What JSON says of the world outside is taken or refused.
func FuzzFacts(f *testing.F) {
	for _, s := range []string{
		`{"5800000": "0x` + bytes0to31 + `"}`, `{"5": "` + bytes0to31 + `", "5": "` + bytes0to31 + `"}`, `{"randomness": [{"on": ["beacon", 1], "ret": "AAE="}]}`,
		`[{"on": ["chain", 5800000], "ret": "//////////////////////////////////////////8="}]`, `{"tipsets": [{"epoch": 5, "cid": "bafkqaaa"}]}`,
		`{"faults": []}`, `{"faults": [{"h1": "AA==", "h2": "AA==", "extra": "", "target": 1000, "epoch": 5, "type": 1}]}`, `[1]`, `{}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := textform.Parse(text)
		if err != nil || d.Form != textform.JSON {
			return
		}
		if n, err := messages.ReadFacts(d.Bytes); err == nil && n > len(text) {
			t.Errorf("%d answers of %q", n, text)
		}
	})
}

// What compilers write has init code, or an error that says why not.
func FuzzInitCode(f *testing.F) {
	for _, s := range []string{`{"bytecode":"0x6000"}`, `{"bytecode":{"object":"6000"}}`, `{"bytecode":"0x60__$aa$__00"}`, `{"bytecode":null}`, `[1]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if code, err := messages.InitCode(text); (err == nil) != (len(code) > 0) {
			t.Errorf("%q: %x, %v", text, code, err)
		}
	})
}
