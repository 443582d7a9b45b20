package textform

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// made is what Lotus v1.36.3 makes of transactions and messages; testdata/README.md says how.
type made struct {
	Name, Raw, Signed, Bare string // hex
	JSON                    json.RawMessage
	Eth                     json.RawMessage
	Length                  int
	CID                     string
}

func lotus(t testing.TB) (all []made) {
	t.Helper()
	if err := json.Unmarshal(read(t, "testdata/lotus.json"), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func marshal(t testing.TB, m *fvm.Message) string {
	t.Helper()
	var buf bytes.Buffer
	if err := m.MarshalCBOR(&buf); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(buf.Bytes())
}

// pair is the CBOR of a signed message, in hex.
func pair(t testing.TB, m *Message) string {
	t.Helper()
	var buf bytes.Buffer
	if err := m.Signature.MarshalCBOR(&buf); err != nil {
		t.Fatal(err)
	}
	return "82" + marshal(t, m.Message) + hex.EncodeToString(buf.Bytes())
}

// Whatever form a message has, it is the one that a node has.
func TestMessagesOfLotus(t *testing.T) {
	forms := map[string]int{}
	for _, want := range lotus(t) {
		for form, data := range map[string][]byte{"raw": unhex(t, want.Raw), "signed": unhex(t, want.Signed), "bare": unhex(t, want.Bare), "json": want.JSON, "eth": want.Eth} {
			if len(data) == 0 {
				continue
			}
			forms[form]++
			m, err := DecodeMessage(data)
			if err != nil {
				t.Errorf("%s, %s: %v", want.Name, form, err)
				continue
			}
			length, err := m.ChainLength()
			switch {
			case err != nil || len(m.Notes) > 0:
				t.Errorf("%s, %s: %v %v", want.Name, form, m.Notes, err)
			case m.Signature != nil && (pair(t, m) != want.Signed || length != want.Length):
				t.Errorf("%s, %s: %s, %d bytes; want %s, %d", want.Name, form, pair(t, m), length, want.Signed, want.Length)
			case m.Signature == nil && marshal(t, m.Message) != want.Bare:
				t.Errorf("%s, %s: %s, want %s", want.Name, form, marshal(t, m.Message), want.Bare)
			case m.Signature == nil && want.Signed == "" && length != want.Length:
				t.Errorf("%s, %s: %d bytes, want %d", want.Name, form, length, want.Length)
			}
			if want.Raw != "" && form != "signed" && form != "json" && m.ChainID != map[bool]uint64{true: 0, false: 314}[strings.HasPrefix(want.Name, "homestead")] {
				t.Errorf("%s, %s: chain %d", want.Name, form, m.ChainID)
			}
		}
	}
	if forms["raw"] < 30 || forms["eth"] < 30 || forms["json"] < 50 || forms["bare"] < 10 {
		t.Errorf("of each form there are %v", forms)
	}
}

const bareMessage = `{"Version":0,"To":"f0101","From":"f0100","Nonce":36,"Value":"1","GasLimit":10000000,"GasFeeCap":"100","GasPremium":"0","Method":0,"Params":null}`

// with changes fields of bareMessage: a name and its new text, "" to leave it out.
func with(changes ...string) string {
	var fields []string
	for _, f := range strings.Split(strings.Trim(bareMessage, "{}"), ",") {
		for i := 0; i < len(changes); i += 2 {
			if strings.HasPrefix(f, `"`+changes[i]+`"`) {
				if f = ""; changes[i+1] != "" {
					f = `"` + changes[i] + `":` + changes[i+1]
				}
			}
		}
		if f != "" {
			fields = append(fields, f)
		}
	}
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(bareMessage, `"`+changes[i]+`"`) {
			fields = append(fields, `"`+changes[i]+`":`+changes[i+1])
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// The same message in the forms of wallets and explorers.
func TestMessageJSON(t *testing.T) {
	// By hand: ten fields; addresses 00 65 and 00 64; nonce 36; value 00 01; 10^7; 00 64; nothing; method 0; nothing.
	const want = "8a0042006542006418244200011a009896804200644000" + "40"
	for _, tt := range []struct{ name, text, want, note string }{
		{"a node's", bareMessage, want, ""},
		{"in a file", string(read(t, "testdata/message.json")), want, ""},
		{"small letters", strings.ToLower(bareMessage), want, ""},
		{"snake case", strings.NewReplacer("GasLimit", "gas_limit", "GasFeeCap", "gas_fee_cap", "GasPremium", "gas_premium").Replace(bareMessage), want, ""},
		{"numbers for strings", with("Value", "1", "GasFeeCap", "100", "GasPremium", "0"), want, ""},
		{"strings for numbers", with("Nonce", `"36"`, "GasLimit", `"10000000"`, "Method", `"0"`), want, ""},
		{"with a unit", with("Value", `"1 attoFIL"`, "GasFeeCap", `"0.0000001 nanofil"`), want, ""},
		{"no version, no parameters", with("Version", "", "Params", ""), want, ""},
		{"empty parameters", with("Params", `""`), want, ""},
		{"of a test network, and 0x", with("To", `"t0101"`, "From", `"0xff00000000000000000000000000000000000064"`), want, ""},
		{"its CID", with("CID", `{"/":"bafy2bzacedqrhzblngcrxzjgaorkvfyi43uqbxpjmlqmucz7zkr7odckpqn6q"}`), want, "its CID is another message's"},
		{"an answer", `{"jsonrpc":"2.0","result":` + bareMessage + `,"id":1}`, want, ""},
		{"a question", `{"jsonrpc":"2.0","method":"Filecoin.StateCall","params":[` + bareMessage + `,null],"id":1}`, want, ""},
		{"alone in a list", "[" + bareMessage + "]", want, ""},
		{"of a replay", `{"MsgCid":{"/":"x"},"Msg":` + bareMessage + `,"Error":""}`, want, ""},
		{"a string of hex", `"0x` + want + `"`, want, ""},
		{"fields of explorers", with("height", "1", "timestamp", "2", "receipt", `{"exitCode":0}`), want, "passed over: height, timestamp, receipt"},
		{"an indexer's method", with("Method", "", "method_num", "0"), want, ""},
		{"an explorer's method", with("Method", `"Send"`, "methodNumber", "0"), want, ""},
	} {
		m, err := MessageFromJSON([]byte(tt.text))
		if err != nil || marshal(t, m.Message) != tt.want || m.Signature != nil || strings.Join(m.Notes, "; ") != tt.note && (tt.note == "" || !strings.HasPrefix(strings.Join(m.Notes, "; "), tt.note)) {
			t.Errorf("%s: %+v, %v", tt.name, m, err)
			continue
		}
	}

	m, err := MessageFromJSON([]byte(with("Method", `"InvokeContract"`)))
	if err != nil || m.MethodName != "InvokeContract" {
		t.Errorf("a method's name: %+v, %v", m, err)
	}
	m, err = MessageFromJSON([]byte(with("Params", `{"To":"f00"}`)))
	if err != nil || string(m.ParamsJSON) != `{"To":"f00"}` || m.Params != nil {
		t.Errorf("decoded parameters: %+v, %v", m, err)
	}
	for text, want := range map[string]string{`"gA=="`: "80", `"0x80"`: "80", `"80"`: "80", `"passages"`: "a5ab2c6a07ac", `"base64:cafebabe"`: "71a7de6da6de", `"0xcafebabe"`: "cafebabe"} {
		if m, err := MessageFromJSON([]byte(with("Params", text))); err != nil || hex.EncodeToString(m.Params) != want {
			t.Errorf("Params %s: %+v, %v", text, m, err)
		}
	}
	if m, err := MessageFromJSON([]byte(with("CID", `"bafkqaaa"`))); err != nil || len(m.Notes) > 0 { // an explorer's may be the signed message's
		t.Errorf("an explorer's CID: %+v, %v", m, err)
	}
}

// The CID tells hex from base64.
func TestMessageCIDDecides(t *testing.T) {
	for _, params := range []string{"0xcafebabe", "base64:cafebabe"} {
		m, err := MessageFromJSON([]byte(with("Params", `"`+params+`"`)))
		if err != nil {
			t.Fatal(err)
		}
		c, err := m.unsignedCID()
		if err != nil {
			t.Fatal(err)
		}
		again, err := MessageFromJSON([]byte(with("Params", `"cafebabe"`, "CID", `{"/":"`+c.String()+`"}`)))
		if err != nil || !bytes.Equal(again.Params, m.Params) || len(again.Notes) > 0 {
			t.Errorf("%s: %+v, %v", params, again, err)
		}
	}
}

// Parameters that are an address alone are for the receiver's method, not base64.
func TestMessageParamsAddress(t *testing.T) {
	for params, decoded := range map[string]bool{
		"f0100": true, "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq": true, "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y": true,
		"QgBk": false, "0x420064": false, "": false,
	} {
		m, err := MessageFromJSON([]byte(`{"To":"f05","From":"f0100","Nonce":0,"Value":"1","GasLimit":1,"GasFeeCap":"1","GasPremium":"0","Method":2,"Params":"` + params + `"}`))
		if err != nil || (string(m.ParamsJSON) == `"`+params+`"`) != decoded || decoded && m.Params != nil {
			t.Errorf("%q: %v, %+v", params, err, m)
		}
	}
}

// The length tells whether the data of a signature are hex or base64, where they could be both.
func TestSignatureOfZeros(t *testing.T) {
	message := `{"To":"f0101","From":"f0108","Nonce":0,"Value":"1","GasLimit":1,"GasFeeCap":"1","GasPremium":"0","Method":0}`
	for _, tt := range []struct {
		name, data string
		of, length int
	}{
		{"BLS in base64", strings.Repeat("A", 128), 2, 96},
		{"BLS in hex", strings.Repeat("ab", 96), 2, 96},
		{"of neither length", strings.Repeat("A", 64), 2, 0},
	} {
		m, err := MessageFromJSON([]byte(fmt.Sprintf(`{"Message":%s,"Signature":{"Type":%d,"Data":"%s"}}`, message, tt.of, tt.data)))
		if tt.length == 0 {
			if !errors.Is(err, ErrAmbiguous) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil || len(m.Signature.Data) != tt.length || len(m.Notes) != 0 {
			t.Errorf("%s: %v, %+v", tt.name, err, m)
		}
	}
}

func TestMessageErrors(t *testing.T) {
	raw1559 := "02f86b82013a"
	for _, tt := range []struct {
		name, text string
		says       string
	}{
		{"nothing", "", "no bytes"},
		{"another CBOR list", "\x83\x00\x00\x00", "the first byte is 0x83"},
		{"a text", "hello", "the first byte is 0x68"},
		{"cut", "\x8a\x00\x42\x00\x65", "reading a message's from: it ends early"},
		{"a cut pair", "\x82\x8a\x00", "reading a message's to: it ends early"},
		{"a pair without a message", "\x82\x00\x00", "not a list of 10 fields"},
		{"a cut transaction", string(unhex(t, raw1559)), "an Ethereum transaction's: it ends early"},
		{"EIP-2930", "\x01\xc0", "EIP-2930"},
		{"EIP-4844", "\x03\xc0", "EIP-4844"},
		{"EIP-7702", "\x04\xc0", "EIP-7702"},
		{"an empty list of RLP", "\xc0", "it has 0 fields, and a legacy one has 9"},
		{"a transaction that is not signed", "\xc6\x80\x80\x80\x80\x80\x80", "it is not signed"},
		{"one of EIP-1559 that is not signed", "\x02\xc9\x80\x80\x80\x80\x80\x80\x80\x80\xc0", "it is not signed"},
		{"no JSON", "{", "no JSON: line 1, column 1"},
		{"no message", "{}", "none of To, From, Nonce"},
		{"another object", `{"a":1}`, "none of To, From"},
		{"a list of two", "[" + bareMessage + "," + bareMessage + "]", "a list of 2"},
		{"an empty list", "[]", "a list of 0"},
		{"wrapped for ever", strings.Repeat("[", 30) + "1" + strings.Repeat("]", 30), "wrapped more than 8 times"},
		{"an error of a node", `{"jsonrpc":"2.0","error":{"code":1,"message":"not found"},"id":1}`, "not found"},
		{"no result", `{"jsonrpc":"2.0","result":null,"id":1}`, "knows no such message"},
		{"an answer that is no message", `{"jsonrpc":"2.0","result":7,"id":1}`, "no message: 7"},
		{"a call of Ethereum", `{"to":"0x0426d88556bf538d6eefea76f16386fcd8ca5353","data":"0x01"}`, "--calldata"},
		{"no gas limit", with("GasLimit", ""), "the message lacks GasLimit"},
		{"null for a field", with("Value", "null", "Nonce", "null"), "the message lacks Nonce, Value"},
		{"a misspelt field", with("GasLimit", "", "GasLimt", "5"), "lacks GasLimit; it has GasLimt, which no message has"},
		{"twice", strings.Replace(bareMessage, "{", `{"to":"f00",`, 1), "the field To is there twice"},
		{"an address", with("To", `"f1abc"`), "To: "},
		{"a plain number as address", with("To", `1000`), "To: a number alone is no address; the actor of that ID is f01000"},
		{"a fraction", with("Nonce", "1.5"), "Nonce: 1.5 is no whole number"},
		{"an exponent", with("GasLimit", "1e7"), "GasLimit: 1e7 is no whole number"},
		{"a negative number", with("Nonce", "-1"), "Nonce: -1"},
		{"a large number", with("Nonce", "18446744073709551616"), "Nonce: 18446744073709551616 is more than"},
		{"a large gas limit", with("GasLimit", "9223372036854775808"), "GasLimit: "},
		{"a value in floating point", with("Value", "1e18"), "Value: exponents"},
		{"a value that is true", with("Value", "true"), "Value: true is neither a string nor a number"},
		{"a method in floating point", with("Method", "1.0"), "Method: 1.0 is no method"},
		{"a negative method", with("Method", "-1"), "Method: -1 is no method"},
		{"a method that is true", with("Method", "true"), "Method: true"},
		{"two readings", with("Params", `"cafebabe"`), "hex of 4 bytes and base64 of 6 bytes, and no CID tells which"},
		{"no reading", with("Params", `"what?"`), "Params: neither hex"},
		{"parameters that are a number", with("Params", `5`), "Params: 5 is no string"},
		{"half a signature", `{"Message":` + bareMessage + `,"Signature":{"Type":1}}`, ""},
		{"a signature of no type", `{"Message":` + bareMessage + `,"Signature":{"Type":9,"Data":"gA=="}}`, "the Signature's Type 9: want secp256k1, bls or delegated"},
		{"a signature that is text", `{"Message":` + bareMessage + `,"Signature":"gA=="}`, "Signature: "},
		{"a long signature", `{"Message":` + bareMessage + `,"Signature":{"Type":1,"Data":"0x` + strings.Repeat("00", 200) + `"}}`, "no signature is that long"},
		{"a message that is text", `{"Message":"gA==","Signature":{"Type":1,"Data":"gA=="}}`, "Message: "},
	} {
		m, err := DecodeMessage([]byte(tt.text))
		if tt.says == "" {
			if err != nil || len(m.Notes) != 1 || m.Notes[0] != "no secp256k1 signature has 0 bytes" {
				t.Errorf("%s: %+v, %v", tt.name, m, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %+v, %v", tt.name, m, err)
		}
	}
}

// A signature makes a message longer, a BLS signature does not.
func TestSignatureLength(t *testing.T) {
	for _, tt := range []struct {
		sig  *crypto.Signature
		want int
	}{
		{nil, 0}, {&crypto.Signature{Type: crypto.SigTypeBLS, Data: make([]byte, 96)}, 0},
		{&crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: make([]byte, 65)}, 69},
		{&crypto.Signature{Type: crypto.SigTypeDelegated, Data: make([]byte, 67)}, 71},
		{&crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: make([]byte, 22)}, 25},
		{&crypto.Signature{Type: crypto.SigTypeSecp256k1}, 3},
	} {
		if n := SignatureLength(tt.sig); n != tt.want {
			t.Errorf("%+v: %d, want %d", tt.sig, n, tt.want)
		}
	}
	if a, b := UsualSignatureLength(crypto.SigTypeDelegated), UsualSignatureLength(crypto.SigTypeBLS); a != 69 || b != 0 {
		t.Errorf("%d, %d", a, b)
	}
	for name, want := range map[string]crypto.SigType{"secp256k1": 1, "BLS": 2, "delegated": 3, "1": 1} {
		if s, err := SignatureType(name); err != nil || s != want {
			t.Errorf("%s: %d, %v", name, s, err)
		}
	}
	if _, err := SignatureType("rsa"); !errors.Is(err, ErrNoReading) {
		t.Error(err)
	}
}

// A transaction that was changed has another sender, or none: a node's view of it says so.
func TestEthereumChanged(t *testing.T) {
	for _, want := range lotus(t) {
		if want.Eth == nil {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(want.Eth, &fields); err != nil {
			t.Fatal(err)
		}
		fields["gas"] = "0x12345"
		changed, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := DecodeMessage(changed); err == nil || !strings.Contains(err.Error(), "sign") {
			t.Errorf("%s: %+v, %v", want.Name, m, err)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range lotus(f) {
		for _, s := range []string{m.Raw, m.Signed, m.Bare} {
			f.Add(unhex(f, s))
		}
		f.Add([]byte(m.JSON))
		f.Add([]byte(m.Eth))
	}
	f.Add([]byte(bareMessage))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeMessage(data)
		if err != nil || m.ParamsJSON != nil {
			return
		}
		// The same again, from the chain's form and from a node's JSON.
		cbor := marshal(t, m.Message)
		if m.Signature != nil {
			cbor = pair(t, m)
		}
		again, err := DecodeMessage(unhex(t, cbor))
		if err != nil || marshal(t, again.Message) != marshal(t, m.Message) {
			t.Errorf("%s: %v", cbor, err)
		}
		params, err := json.Marshal(m.Params)
		if err != nil {
			t.Fatal(err)
		}
		c, err := m.unsignedCID()
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"Version":%d,"To":%q,"From":%q,"Nonce":%d,"Value":%q,"GasLimit":%d,"GasFeeCap":%q,"GasPremium":%q,"Method":%d,"Params":%s,"CID":{"/":%q}}`,
			m.Version, addr.String(m.To), addr.String(m.From), m.Nonce, m.Value.String(), m.GasLimit, m.GasFeeCap.String(), m.GasPremium.String(), m.Method, params, c.String())
		if m.Value.Sign() < 0 || m.GasFeeCap.Sign() < 0 || m.GasPremium.Sign() < 0 {
			return
		}
		again, err = DecodeMessage([]byte(text))
		if err != nil || marshal(t, again.Message) != marshal(t, m.Message) || len(again.Notes) > 0 {
			t.Errorf("%s: %+v, %v", text, again, err)
		}
	})
}
