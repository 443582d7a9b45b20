package executor_test

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

func newModules(t *testing.T) *call.Modules {
	t.Helper()
	e, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(t.Context()) })
	p, err := machine.ProfileFor(28, false)
	if err != nil {
		t.Fatal(err)
	}
	mods, err := call.NewModules(t.Context(), e, p)
	if err != nil {
		t.Fatal(err)
	}
	return mods
}

func encode(t testing.TB, m *executor.Message) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.MarshalCBOR(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func messages(t testing.TB) map[string]executor.Message {
	large, err := big.FromString("-123456789012345678901234567890")
	if err != nil {
		t.Fatal(err)
	}
	zero := executor.Message{
		To: addr.NewID(0), From: addr.NewID(1), Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero(), Params: []byte{},
	}
	full := executor.Message{
		Version: 3, To: *f4(t, 10, "subaddress"), From: f1(t, "sender"), Nonce: 1<<64 - 1, Value: large, GasLimit: 1<<63 - 1,
		GasFeeCap: big.NewInt(256), GasPremium: big.NewInt(-255), Method: 1<<64 - 1, Params: bytes.Repeat([]byte{7}, 300),
	}
	alice := fromAlice()
	alice.Params = []byte{}
	// An ID and a namespace that only the network reads, not go-address.
	wide := zero
	wide.To = addr.NewID(1<<64 - 1)
	var bad error
	if wide.From, bad = addr.ParseAddress(append([]byte("\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), make([]byte, 54)...)); bad != nil {
		t.Fatal(bad)
	}
	return map[string]executor.Message{"zero": zero, "full": full, "alice": alice, "wide": wide}
}

// The bytes of a message, by hand: a list of ten fields, amounts as a sign byte and a magnitude.
func TestMessageBytes(t *testing.T) {
	m := fromAlice()
	m.Value, m.Method, m.Params = big.NewInt(256), 2, []byte{0xaa}
	want := "\x8a\x00\x43\x00\xc8\x01\x42\x00\x64\x07\x43\x00\x01\x00\x1a\x00\x0f\x42\x40\x42\x00\x96\x42\x00\x14\x02\x41\xaa"
	if got := encode(t, &m); string(got) != want {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestMessageRoundTrip(t *testing.T) {
	for name, m := range messages(t) {
		raw := encode(t, &m)
		got, err := executor.DecodeMessage(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again := encode(t, got); !bytes.Equal(again, raw) {
			t.Errorf("%s: encoded again %x, want %x", name, again, raw)
		}
		if got.Value.Cmp(m.Value.Int) != 0 || got.GasFeeCap.Cmp(m.GasFeeCap.Int) != 0 || got.GasPremium.Cmp(m.GasPremium.Int) != 0 {
			t.Errorf("%s: amounts of %+v, want %+v", name, got, m)
		}
		got.Value, got.GasFeeCap, got.GasPremium = m.Value, m.GasFeeCap, m.GasPremium
		if len(got.Params) == 0 && len(m.Params) == 0 {
			got.Params = m.Params
		}
		if !reflect.DeepEqual(*got, m) {
			t.Errorf("%s: %+v, want %+v", name, got, m)
		}
		for n := range raw {
			if _, err := executor.DecodeMessage(raw[:n]); err == nil {
				t.Errorf("%s: the first %d of %d bytes decode", name, n, len(raw))
			}
		}
		if _, err := executor.DecodeMessage(append(raw, 0)); err == nil || !strings.Contains(err.Error(), "1 bytes follow it") {
			t.Errorf("%s: with a byte more: %v", name, err)
		}
	}
}

func TestDecodeMessageRefuses(t *testing.T) {
	const good = "\x8a\x00\x43\x00\xc8\x01\x42\x00\x64\x07\x40\x1a\x00\x0f\x42\x40\x40\x40\x02\x41\xaa"
	if _, err := executor.DecodeMessage([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"nine fields", "\x8a", "\x89", "not a list of 10 fields"},
		{"eleven fields", "\x8a", "\x8b", "not a list of 10 fields"},
		{"a map", "\x8a", "\xaa", "not a list of 10 fields"},
		{"a version of text", "\x8a\x00", "\x8a\x60", "version"},
		{"an address of one byte", "\x43\x00\xc8\x01", "\x41\x00", "to"},
		{"an unknown protocol", "\x42\x00\x64", "\x42\x05\x64", "from"},
		{"a negative nonce", "\x07\x40", "\x27\x40", "nonce"},
		{"a value of unknown sign", "\x07\x40", "\x07\x42\x02\x01", "value"},
		{"a value of text", "\x07\x40", "\x07\x60", "value"},
		{"a negative gas limit", "\x1a\x00\x0f\x42\x40", "\x3a\x00\x0f\x42\x40", "gas limit"},
		{"a gas limit of 64 bits", "\x1a\x00\x0f\x42\x40", "\x1b\x80\x00\x00\x00\x00\x00\x00\x00", "beyond 63 bits"},
		{"params too long", "\x41\xaa", "\x5a\x7f\xff\xff\xff", "params"},
		{"params of text", "\x41\xaa", "\x61\x61", "params"},
		{"a number that could be shorter", "\x8a\x00", "\x8a\x18\x00", "version"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%s: nothing to replace", c.name)
		}
		bad := strings.Replace(good, c.old, c.new, 1)
		if m, err := executor.DecodeMessage([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want an error about %q", c.name, m, err, c.want)
		}
	}
}

// What decodes encodes to bytes that decode to the same and encode to themselves.
func FuzzDecodeMessage(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(encode(f, &m))
	}
	if raw, err := os.ReadFile("../../../testdata/multisig.msg"); err == nil {
		f.Add(raw)
	}
	f.Add([]byte("\x8a\x00\x43\x00\x80\x00\x4b\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x07\x43\x00\x00\x01\x00\x41\x01\x40\x00\x40"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := executor.DecodeMessage(raw)
		if err != nil {
			return
		}
		canonical := encode(t, m)
		again, err := executor.DecodeMessage(canonical)
		if err != nil {
			t.Fatalf("%x decodes, but what it encodes to, %x, does not: %v", raw, canonical, err)
		}
		if b := encode(t, again); !bytes.Equal(b, canonical) {
			t.Fatalf("%x encodes to %x and that to %x", raw, canonical, b)
		}
		if again.To != m.To || again.From != m.From || again.Value.Cmp(m.Value.Int) != 0 {
			t.Fatalf("%+v became %+v", m, again)
		}
	})
}
