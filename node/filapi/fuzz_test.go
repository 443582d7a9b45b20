package filapi

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/filecoin-project/go-state-types/crypto"
)

// Messages as parameters: whatever comes is an error or a message that is written and read again as it is.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"To":"t01000","From":"f410f6op5nzi2vwepn5gonk4ie4tzz773sitggxp4hiy","Value":"1000","Method":0,"Params":null}`,
		`{"Version":0,"To":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8","From":"t1nqjokbjze2a2nx36kz6oq54wns4w5jcwhzuzy2i","Nonce":1,"Value":1,"GasLimit":5,"GasFeeCap":"","GasPremium":"7","Method":3844450837,"Params":"AAE="}`,
		`{"To":"","From":"<empty>"}`, `{"Value":"-1"}`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p *Message
		if json.Unmarshal(data, &p) != nil {
			return
		}
		m, err := p.message()
		if err != nil {
			return
		}
		out, err := messageOut(m)
		if err != nil {
			return // an amount that no chain has
		}
		text, err := marshal('t', out)
		if err != nil {
			t.Fatal(err)
		}
		var again *Message
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		back, err := again.message()
		if err != nil {
			t.Fatal(err)
		}
		x, err := messageCID(m)
		if err != nil {
			t.Fatal(err)
		}
		if y, err := messageCID(back); err != nil || x != y {
			t.Fatalf("%s came back as %s, %v", x, y, err)
		}
		if signed, err := onChain(m, &crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: make([]byte, 65)}); err == nil && signed.Message.From != m.From {
			t.Fatal("another message was signed")
		}
	})
}

// Receipts as a chain has them.
func FuzzReceipt(f *testing.F) {
	f.Add([]byte{0x83, 0x00, 0x40, 0x0a})
	f.Add([]byte{0x84, 0x20, 0x41, 0x01, 0x1a, 0, 0, 1, 0, 0xf6})
	f.Add([]byte{0x84, 0x00, 0x40})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readReceipt(data)
		if err != nil {
			return
		}
		if _, err := marshal('f', r); err != nil {
			t.Fatalf("%x: %v", data, err)
		}
	})
}

// Tipset selectors and keys of /rpc/v2 and /rpc/v1.
func FuzzSelector(f *testing.F) {
	for _, s := range []string{`{"tag":"latest"}`, `{"height":{"at":5,"previous":true,"anchor":{"tag":"finalized"}}}`, `{"key":[]}`, `[]`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s selector
		var k tipsetKey
		_, _ = json.Unmarshal(data, &s), json.Unmarshal(data, &k)
		if bytes.Equal(data, []byte("null")) && k.Set {
			t.Fatal("null is a key")
		}
	})
}
