package addr

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
	"unsafe"

	"github.com/filecoin-project/go-address"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rep is a hex digit pair written n times.
func rep(pair string, n int) string {
	var b bytes.Buffer
	for range n {
		b.WriteString(pair)
	}
	return b.String()
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ name, in, out, text string }{
		{"id 0", "0000", "0000", "f00"},
		{"id 127", "007f", "007f", "f0127"},
		{"id 128", "008001", "008001", "f0128"},
		{"id of 2^63-1", "00" + rep("ff", 8) + "7f", "00" + rep("ff", 8) + "7f", "f09223372036854775807"},
		{"secp", "01" + rep("00", 20), "01" + rep("00", 20), "f1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaahaui6xa"},
		{"bls zero", "03c0" + rep("00", 47), "03c0" + rep("00", 47), "f3yaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaby2smx7a"},
		{"delegated without subaddress", "040a", "040a", "f410fbtt5w6q"},
		{"delegated, longest", "040a" + rep("ff", 54), "040a" + rep("ff", 54), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseAddress(unhex(t, c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(a.Bytes()); got != c.out {
				t.Errorf("bytes %s, want %s", got, c.out)
			}
			if got := String(a); c.text != "" && got != c.text {
				t.Errorf("text %s, want %s", got, c.text)
			}
			if got, want := String(a), a.String(); got != want {
				t.Errorf("text %s, go-address says %s", got, want)
			}
		})
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"empty":                          "",
		"protocol alone":                 "00",
		"delegated protocol alone":       "04",
		"unknown protocol":               "0500",
		"id with a byte after it":        "000100",
		"id cut":                         "0080",
		"id not in its shortest form":    "008000",
		"id of eleven bytes":             "00" + rep("80", 10) + "01",
		"secp too short":                 "01" + rep("00", 19),
		"secp too long":                  "01" + rep("00", 21),
		"actor too short":                "02" + rep("00", 19),
		"bls too short":                  "03" + rep("00", 47),
		"bls too long":                   "03" + rep("00", 49),
		"namespace not shortest":         "048a00",
		"subaddress of 55 bytes":         "040a" + rep("00", 55),
		"namespace cut":                  "04ff",
		"subaddress of 55, ns ten bytes": "04" + rep("ff", 9) + "01" + rep("00", 55),
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := ParseAddress(unhex(t, in)); !errors.Is(err, ErrInvalid) || a != address.Undef {
				t.Fatalf("%q, %v", a.Bytes(), err)
			}
		})
	}
}

func TestQuirkIDOfSixtyFourBits(t *testing.T) {
	in := unhex(t, "00"+rep("ff", 9)+"01")
	a, err := ParseAddress(in)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := ID(a); !ok || id != math.MaxUint64 {
		t.Errorf("id %d, %v", id, ok)
	}
	if !bytes.Equal(a.Bytes(), in) || a != NewID(math.MaxUint64) {
		t.Errorf("bytes %x", a.Bytes())
	}
	if got, want := String(a), "f018446744073709551615"; got != want {
		t.Errorf("text %s, want %s", got, want)
	}
}

func TestQuirkNamespaceOfSixtyFourBits(t *testing.T) {
	in := unhex(t, "04"+rep("ff", 9)+"01"+"0102")
	a, err := ParseAddress(in)
	if err != nil {
		t.Fatal(err)
	}
	ns, sub, ok := Delegated(a)
	if !ok || ns != math.MaxUint64 || !bytes.Equal(sub, []byte{1, 2}) || !bytes.Equal(a.Bytes(), in) {
		t.Errorf("%d %x %v %x", ns, sub, ok, a.Bytes())
	}
	if got, want := String(a), "f418446744073709551615faebb5jgtcu"; got != want {
		t.Errorf("text %s, want %s", got, want)
	}
}

func TestQuirkTenthByteDropsBits(t *testing.T) {
	for in, want := range map[string]uint64{
		rep("80", 9) + "02": 0,
		rep("80", 9) + "03": 1 << 63,
		rep("ff", 9) + "7e": 1<<63 - 1,
	} {
		a, err := ParseAddress(unhex(t, "00"+in))
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := ID(a); !ok || id != want || a != NewID(want) {
			t.Errorf("%s: id %d, %v, bytes %x", in, id, ok, a.Bytes())
		}
	}
}

func TestIsBLSZeroAddress(t *testing.T) {
	zero, err := address.NewFromString("f3yaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaby2smx7a")
	if err != nil {
		t.Fatal(err)
	}
	if !IsBLSZeroAddress(zero) {
		t.Error("the zero key is not told")
	}
	other := zero.Bytes()
	other[48] = 1
	for _, b := range [][]byte{other, {0, 0xc0, 1}, append([]byte{4, 10, 0xc0}, make([]byte, 47)...)} {
		a, err := ParseAddress(b)
		if err != nil || IsBLSZeroAddress(a) {
			t.Errorf("%x: %v", b, err)
		}
	}
	if IsBLSZeroAddress(address.Undef) {
		t.Error("undef")
	}
}

// TestLayout guards fromBytes: address.Address must be one string.
func TestLayout(t *testing.T) {
	if unsafe.Sizeof(address.Address{}) != unsafe.Sizeof("") {
		t.Fatal("address.Address is no longer one string")
	}
	b := append([]byte{0}, unhex(t, rep("ff", 9)+"01")...)
	if a := fromBytes(b); !bytes.Equal(a.Bytes(), b) || a.Protocol() != address.ID {
		t.Fatalf("%x", a.Bytes())
	}
}

func TestAccessorsOnOtherAddresses(t *testing.T) {
	if _, ok := ID(address.Undef); ok {
		t.Error("undef has an ID")
	}
	if _, _, ok := Delegated(address.Undef); ok {
		t.Error("undef is delegated")
	}
	if String(address.Undef) != "<empty>" {
		t.Error(String(address.Undef))
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"", "0000", "01" + rep("00", 20), "040a0102", "00" + rep("ff", 9) + "01"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAddress(b)
		theirs, theirErr := address.NewFromBytes(b)
		if theirErr == nil && len(b) > 0 && (err != nil || a != theirs) {
			t.Fatalf("go-address takes %x as %v, we say %v", b, theirs, err)
		}
		if err != nil {
			return
		}
		again, err := ParseAddress(a.Bytes())
		if err != nil || again != a {
			t.Fatalf("%x does not come back: %x, %v", b, again.Bytes(), err)
		}
		if len(a.Bytes()) > MaxLen || String(a) == "" {
			t.Fatalf("%x", a.Bytes())
		}
	})
}
