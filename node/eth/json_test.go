package eth

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/builtin"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]uint64{`"0x0"`: 0, `"0x1f"`: 31, `"0x00ff"`: 255, `31`: 31, `"31"`: 31, `"0xffffffffffffffff"`: 1<<64 - 1} {
		var q Quantity
		if err := json.Unmarshal([]byte(text), &q); err != nil || uint64(q) != want {
			t.Errorf("%s: %d, %v", text, q, err)
		}
		var a Amount
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.Big().Uint64() != want {
			t.Errorf("%s: %s, %v", text, a, err)
		}
	}
	for _, text := range []string{`""`, `"0x"`, `"0xg"`, `1.5`, `1e3`, `-1`, `"-1"`, `"0x-1"`, `"0x10000000000000000"`, `true`, `[]`, `{}`, `"ff"`, `"1_0"`, `"` + strings.Repeat("1", 100) + `"`} {
		var q Quantity
		if err := json.Unmarshal([]byte(text), &q); err == nil {
			t.Errorf("%s: %d", text, q)
		}
	}
	for v, want := range map[Quantity]string{0: `"0x0"`, 10: `"0xa"`} {
		if b, _ := json.Marshal(v); string(b) != want {
			t.Errorf("%d: %s", v, b)
		}
	}
	if b, _ := json.Marshal(Amount{}); string(b) != `"0x0"` {
		t.Errorf("no amount: %s", b)
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]string{`"0x"`: "", `""`: "", `"0x0102"`: "\x01\x02", `"0102"`: "\x01\x02", `"0x102"`: "\x01\x02", `"0XaB"`: "\xab"} {
		var d Data
		if err := json.Unmarshal([]byte(text), &d); err != nil || string(d) != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{`"0xzz"`, `7`, `"0x0x01"`, `"0x 1"`, `[]`} {
		var d Data
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s: %s", text, d)
		}
	}
	var a Address
	if err := json.Unmarshal([]byte(`"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"`), &a); err != nil || a.String() != "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826" {
		t.Errorf("%s, %v", a, err)
	}
	for _, text := range []string{`"0x12"`, `""`, `"0x` + strings.Repeat("0", 42) + `"`} {
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			t.Errorf("%s: %s", text, a)
		}
	}
}

// f0 addresses are masked IDs (FIP-0054), and back.
func TestMaskedID(t *testing.T) {
	a := MaskedID(1001)
	if a.String() != "0xff000000000000000000000000000000000003e9" || a.Filecoin() != addr.NewID(1001) {
		t.Errorf("%s, %s", a, a.Filecoin())
	}
	if NoAddress.String() != "0xff0000000000000000000000ffffffffffffffff" {
		t.Errorf("%s", NoAddress)
	}
}

func TestBlockRef(t *testing.T) {
	hash := `"0x` + strings.Repeat("ab", 32) + `"`
	for _, tt := range []struct{ text, want, again string }{
		{`"latest"`, "latest", `"latest"`}, {`"0x19"`, "0x19", `"0x19"`}, {`25`, "0x19", `"0x19"`}, {`"25"`, "0x19", `"0x19"`}, {hash, strings.Trim(hash, `"`), hash},
		{`{"blockNumber":"0x1"}`, "0x1", `"0x1"`}, {`{"blockHash":` + hash + `}`, strings.Trim(hash, `"`), hash},
		{`{"blockHash":` + hash + `,"requireCanonical":true}`, strings.Trim(hash, `"`), `{"blockHash":` + hash + `,"requireCanonical":true}`}, {`null`, "no block", "null"},
	} {
		var r BlockRef
		if err := json.Unmarshal([]byte(tt.text), &r); err != nil || r.String() != tt.want {
			t.Errorf("%s: %s, %v", tt.text, r, err)
		}
		if b, err := json.Marshal(r); err != nil || string(b) != tt.again {
			t.Errorf("%s: again %s, %v", tt.text, b, err)
		}
	}
	for _, text := range []string{`"lates"`, `""`, `{}`, `{"blockNumber":"0x1","blockHash":` + hash + `}`, `[]`, `true`, `"0x"`, `-1`} {
		var r BlockRef
		if err := json.Unmarshal([]byte(text), &r); err == nil {
			t.Errorf("%s: %s", text, r)
		}
	}
}

// The forms that clients send, recorded in dev-node.md of ../shared.
func TestCall(t *testing.T) {
	const to = "0x0426d88556bf538d6eefea76f16386fcd8ca5353"
	for _, tt := range []struct {
		text   string
		to     string
		method uint64
		params string
	}{
		{`{"to":"` + to + `","data":"0x0102"}`, to, uint64(builtin.MethodsEVM.InvokeContract), "\x42\x01\x02"},
		{`{"to":"` + to + `","data":"0x0102","input":"0x03"}`, to, uint64(builtin.MethodsEVM.InvokeContract), "\x41\x03"},
		{`{"to":"` + to + `","data":"0x01","input":"0x"}`, to, uint64(builtin.MethodsEVM.InvokeContract), ""},
		{`{"to":null,"data":"0x01","nonce":"0x0","chainId":"0x1df5e76","type":"0x2","from":null,"value":null}`, "0xff0000000000000000000000000000000000000a", uint64(builtin.MethodsEAM.CreateExternal), "\x41\x01"},
		{`{"to":"0xff00000000000000000000000000000000000064","gas":"0x1"}`, "0xff00000000000000000000000000000000000064", uint64(builtin.MethodsEVM.InvokeContract), ""},
		{`{}`, "0xff0000000000000000000000000000000000000a", uint64(builtin.MethodsEAM.CreateExternal), ""},
	} {
		var c Call
		if err := json.Unmarshal([]byte(tt.text), &c); err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		m, err := c.Message(Strict)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if to, _ := addr.Ethereum(m.To); to != tt.to || uint64(m.Method) != tt.method || string(m.Params) != tt.params || m.GasLimit != 10_000_000_000 || m.Value.Sign() != 0 {
			t.Errorf("%s: %+v", tt.text, m)
		}
		if from, _ := addr.Ethereum(m.From); from != "0x0000000000000000000000000000000000000000" {
			t.Errorf("%s: from %s", tt.text, from)
		}
	}
	masked := MaskedID(100)
	c := Call{From: &masked}
	if _, err := c.Message(Strict); err == nil {
		t.Error("a masked ID sends")
	}
	if m, err := c.Message(Tools); err != nil || m.From != addr.NewID(100) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestUnsigned(t *testing.T) {
	for _, tt := range []struct {
		text    string
		dynamic bool
		says    string
	}{
		{`{"nonce":1,"gas":2,"maxFeePerGas":"0x5","maxPriorityFeePerGas":"0x4"}`, true, ""},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5"}`, false, ""},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5","type":"0x2"}`, true, ""},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5","type":"0x0","chainId":"0x13a"}`, false, ""},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5","accessList":[]}`, false, ""},
		{`{"nonce":1,"gas":2,"maxFeePerGas":"0x3","maxPriorityFeePerGas":"0x4"}`, true, "above maxFeePerGas"},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5","type":"0x1"}`, false, "type 1"},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5","chainId":1}`, false, "chain 314"},
		{`{"nonce":1,"gas":2,"gasPrice":"0x5","accessList":[{}]}`, false, "access lists"},
		{`{"gas":2,"gasPrice":"0x5"}`, false, "nonce"},
		{`{"nonce":1,"gas":2}`, false, "maxFeePerGas"},
		{`{"nonce":1,"gas":2,"type":0}`, false, "gasPrice"},
	} {
		var c Call
		if err := json.Unmarshal([]byte(tt.text), &c); err != nil {
			t.Fatal(err)
		}
		tx, err := c.Unsigned(314)
		if tt.says == "" && (err != nil || tx.Dynamic != tt.dynamic) || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %+v, %v", tt.text, tx, err)
		}
	}
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{`{"to":null,"data":"0x01","input":"0x","value":"0x1"}`, `"latest"`, `{"blockHash":"0x00"}`, `{"address":["0x00"],"topics":[null,["0x00"]],"fromBlock":"0x0"}`, `25`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Call
		if json.Unmarshal(data, &c) == nil {
			if _, err := c.Message(Tools); err != nil {
				t.Error(err)
			}
			_, _ = c.Unsigned(314)
		}
		var r, again BlockRef
		if json.Unmarshal(data, &r) == nil {
			b, err := json.Marshal(r)
			if err != nil || json.Unmarshal(b, &again) != nil || again.String() != r.String() {
				t.Errorf("%s: again %s, %v", data, b, err)
			}
		}
		var filter Filter
		if json.Unmarshal(data, &filter) == nil {
			filter.Match(&Log{})
			filter.MayMatch(&Bloom{})
			_, _, _ = filter.Range(Tools, 10, 5)
		}
		_, _ = PersonalMessage(data)
	})
}
