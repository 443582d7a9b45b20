package addr

import (
	"encoding/hex"
	"testing"

	"github.com/filecoin-project/go-address"
)

// The pairs are of FIP-0048, FIP-0054 and of Lotus's tests of its Ethereum API.
func TestEthereum(t *testing.T) {
	for filecoin, want := range map[string]string{
		"f01000": "0xff000000000000000000000000000000000003e8", "f00": "0xff00000000000000000000000000000000000000",
		"f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq": "0x0426d88556bf538d6eefea76f16386fcd8ca5353", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y": "",
	} {
		a, err := address.NewFromString(filecoin)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Ethereum(a)
		if got != want || ok != (want != "") {
			t.Errorf("%s: %s, want %s", filecoin, got, want)
		}
		if !ok {
			continue
		}
		b, err := hex.DecodeString(got[2:])
		if err != nil {
			t.Fatal(err)
		}
		if back := FromEthereum([EthLen]byte(b)); back != a {
			t.Errorf("%s: back %s", filecoin, String(back))
		}
	}
	id, err := hex.DecodeString("ff00000000000000000000000000000000000064")
	if err != nil {
		t.Fatal(err)
	}
	a, err := address.NewDelegatedAddress(EthNamespace, id) // no actor has it
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]address.Address{"the bytes of a masked ID": a, "none": address.Undef} {
		if got, ok := Ethereum(a); ok {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got, ok := Ethereum(NewID(1<<64 - 1)); !ok || got != "0xff0000000000000000000000ffffffffffffffff" {
		t.Errorf("the greatest ID: %s", got)
	}
}
