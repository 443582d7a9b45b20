package explain

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

func TestDiagnostic(t *testing.T) {
	for _, tt := range []struct {
		name, hex, want string // want "": none
	}{
		{"number", "1818", "24"}, {"most", "1bffffffffffffffff", "18446744073709551615"}, {"negative", "20", "-1"}, {"least", "3bffffffffffffffff", "-18446744073709551616"},
		{"bytes", "42c0ff", "0xc0ff"}, {"no bytes", "40", "0x"}, {"text", "6568656c6c6f", `"hello"`}, {"text with a quote", "6122", `"\""`}, {"text that is no UTF-8", "61ff", "0xff"},
		{"array", "83010243aabbcc", "[1, 2, 0xaabbcc]"}, {"no items", "80", "[]"}, {"arrays in arrays", "818180", "[[[]]]"}, {"simple", "83f4f5f6", "[false, true, null]"},
		{"link", "d82a582500017112200000000000000000000000000000000000000000000000000000000000000000", "bafyreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		{"nothing", "", ""}, {"cut", "18", ""}, {"bytes cut", "42c0", ""}, {"array cut", "8301", ""}, {"more than one", "0101", ""}, {"map", "a0", ""}, {"float", "fb0000000000000000", ""},
		{"another tag", "c100", ""}, {"undefined", "f7", ""}, {"many items announced", "9bffffffffffffffff", ""}, {"long bytes announced", "5bffffffffffffffff", ""},
		{"as deep as it may", strings.Repeat("81", 16) + "00", strings.Repeat("[", 16) + "0" + strings.Repeat("]", 16)}, {"deeper", strings.Repeat("81", 17) + "00", ""},
	} {
		data, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := Diagnostic(data); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestViewEvent(t *testing.T) {
	e := fvm.Event{Emitter: 5, Entries: []fvm.EventEntry{
		{Flags: 3, Key: "$type", Codec: cbor.CodecCBOR, Value: []byte("\x64sold")}, {Flags: 1, Key: "id", Codec: cbor.CodecCBOR, Value: []byte{7}},
		{Key: "bad", Codec: cbor.CodecCBOR, Value: []byte{0x18}}, {Key: "t1", Codec: 0x55, Value: []byte{7}},
	}}
	want := Event{Emitter: 5, Actor: "storagemarket", Type: "sold", Entries: []EventEntry{
		{"$type", `"sold"`, 3, cbor.CodecCBOR, "64736f6c64"}, {"id", "7", 1, cbor.CodecCBOR, "07"}, {"bad", "0x18", 0, cbor.CodecCBOR, "18"}, {"t1", "0x07", 0, 0x55, "07"},
	}}
	if got := ViewEvent(e, "storagemarket"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The actor's own address of Ethereum, or the masked form of its ID (FIP-0054).
func TestEthAddress(t *testing.T) {
	contract, err := address.NewFromString("f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq") // FIP-0048
	if err != nil {
		t.Fatal(err)
	}
	other, err := address.NewDelegatedAddress(32, []byte("another namespace"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		delegated *address.Address
		want      string
	}{
		{"a contract", &contract, "0x0426d88556bf538d6eefea76f16386fcd8ca5353"},
		{"none", nil, "0xff000000000000000000000000000000000003e8"},
		{"of another namespace", &other, "0xff000000000000000000000000000000000003e8"},
	} {
		if got := EthAddress(1000, tt.delegated); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
