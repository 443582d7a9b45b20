package ethtx

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(t testing.TB, s string) *secp256k1.PrivateKey {
	return secp256k1.PrivKeyFromBytes(unhex(t, s))
}

// The example of EIP-155.
func TestSignEIP155(t *testing.T) {
	tx := &Transaction{
		ChainID: 1, Nonce: 9, FeeCap: big.NewInt(20e9), Premium: big.NewInt(20e9), GasLimit: 21000,
		To: bytes.Repeat([]byte{0x35}, 20), Value: big.NewInt(1e18),
	}
	if got, want := hex.EncodeToString(tx.Unsigned()), "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"; got != want {
		t.Errorf("signing data %s, want %s", got, want)
	}
	hash := Keccak256(tx.Unsigned())
	if got, want := hex.EncodeToString(hash[:]), "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	tx.Sign(key(t, strings.Repeat("46", 32)))
	want := "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
	if got := hex.EncodeToString(tx.Encode()); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
	if from, err := tx.Sender(); err != nil || from != KeyAddress(key(t, strings.Repeat("46", 32)).PubKey()) {
		t.Errorf("sender %x, %v", from, err)
	}
}

// The first accounts of the mnemonic that all development nodes use.
func TestKeyAddress(t *testing.T) {
	for secret, want := range map[string]string{
		"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80": "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
		"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d": "70997970c51812dc3a010c7d01b50e0d17dc79c8",
	} {
		if got := KeyAddress(key(t, secret).PubKey()); hex.EncodeToString(got[:]) != want {
			t.Errorf("%x, want %s", got, want)
		}
	}
}

type lotusCase struct {
	Name, Raw string
	Eth       struct{ Hash, From string }
	JSON      struct {
		Signature struct{ Data []byte }
	}
}

// lotus are transactions and what Lotus makes of them: textform/testdata/README.md.
func lotus(t testing.TB) (cases []lotusCase) {
	data, err := os.ReadFile("../textform/testdata/lotus.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		var c lotusCase
		if json.Unmarshal(one, &c) == nil && c.Raw != "" {
			cases = append(cases, c)
		}
	}
	if len(cases) < 20 {
		t.Fatalf("%d transactions", len(cases))
	}
	return cases
}

func TestLotus(t *testing.T) {
	for _, c := range lotus(t) {
		raw := unhex(t, c.Raw)
		tx, err := Decode(raw)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if !bytes.Equal(tx.Encode(), raw) {
			t.Errorf("%s: again %x", c.Name, tx.Encode())
		}
		if got := tx.Hash(); "0x"+hex.EncodeToString(got[:]) != c.Eth.Hash {
			t.Errorf("%s: hash %x, want %s", c.Name, got, c.Eth.Hash)
		}
		from, err := tx.Sender()
		if "0x"+hex.EncodeToString(from[:]) != c.Eth.From {
			t.Errorf("%s: sender %x, %v, want %s", c.Name, from, err, c.Eth.From)
		}
		n, err := tx.Native()
		if err != nil || !bytes.Equal(n.Signature, c.JSON.Signature.Data) {
			t.Errorf("%s: %+v, %v", c.Name, n, err)
			continue
		}
		again, err := FromNative(n, 314)
		if err != nil || !bytes.Equal(again.Encode(), raw) {
			t.Errorf("%s: from the chain %+v, %v", c.Name, again, err)
		}
	}
}

// What no node takes as a transaction on the chain.
func TestFromNativeRefuses(t *testing.T) {
	fresh := func(chain uint64, dynamic bool) *Native {
		tx := &Transaction{Dynamic: dynamic, ChainID: chain, FeeCap: big.NewInt(7), Premium: big.NewInt(7), Value: new(big.Int), GasLimit: 9, Input: []byte{1}, To: make([]byte, 20)}
		tx.Sign(key(t, strings.Repeat("46", 32)))
		n, err := tx.Native()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, tt := range []struct {
		name string
		n    *Native
		with func(n *Native)
		says string
	}{
		{"nothing changed", fresh(314, true), func(n *Native) {}, ""},
		{"nothing changed in a legacy one", fresh(0, false), func(n *Native) {}, ""},
		{"another method", fresh(314, true), func(n *Native) { n.Method = 2 }, "method 2"},
		{"another method of the manager", fresh(314, true), func(n *Native) { n.To, n.Method = addr.NewID(10), 3 }, "method 3 of the address manager"},
		{"parameters that are a list", fresh(314, true), func(n *Native) { n.Params = []byte{0x80} }, "string of bytes"},
		{"an empty string", fresh(314, true), func(n *Native) { n.Params = []byte{0x40} }, "not empty"},
		{"something behind them", fresh(314, true), func(n *Native) { n.Params = []byte{0x41, 1, 1} }, "string of bytes"},
		{"another chain", fresh(315, false), func(n *Native) {}, "chain 315, and this is 314"},
		{"another mark", fresh(0, false), func(n *Native) { n.Signature[0] = 2 }, "marked as another kind"},
		{"a v that is not the mark's", fresh(314, false), func(n *Native) { n.Signature = append(n.Signature[:65], 0, 27) }, "marked as another kind"},
		{"a v with a zero before it", fresh(314, false), func(n *Native) { n.Signature = append(n.Signature[:65:65], append([]byte{0}, n.Signature[65:]...)...) }, "begins with a zero"},
		{"a short signature", fresh(314, true), func(n *Native) { n.Signature = n.Signature[:64] }, "64 bytes"},
		{"no signature", fresh(314, true), func(n *Native) { n.Signature = nil }, "0 bytes"},
		{"a premium of its own", fresh(0, false), func(n *Native) { n.Premium = big.NewInt(6) }, "premium 6 is not its fee cap 7"},
		{"v of 2", fresh(314, true), func(n *Native) { n.Signature[64] = 2 }, "want 0 or 1"},
	} {
		tt.with(tt.n)
		_, err := FromNative(tt.n, 314)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, kind := range []byte{0, 1, 3, 4, 5, 0x7f} {
		var unsupported *UnsupportedError
		if _, err := Decode([]byte{kind, 0xc0}); !errors.As(err, &unsupported) || unsupported.Type != kind {
			t.Errorf("type %d: %v", kind, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range lotus(f) {
		f.Add(unhex(f, c.Raw))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tx, err := Decode(data)
		if err != nil {
			return
		}
		if again := tx.Encode(); !bytes.Equal(again, data) {
			t.Errorf("%x, again %x", data, again)
		}
		n, err := tx.Native()
		if err != nil {
			return
		}
		back, err := FromNative(n, tx.ChainID)
		if err == nil && !bytes.Equal(back.Encode(), data) {
			t.Errorf("%x, from the chain %x", data, back.Encode())
		}
	})
}
