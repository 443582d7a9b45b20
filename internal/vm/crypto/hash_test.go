package crypto

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The digests of "" and "abc", as FIPS 180-4, RFC 7693, the Keccak team and the authors of RIPEMD-160 publish them.
func TestHash(t *testing.T) {
	for _, c := range []struct {
		code uint64
		in   string
		want string
	}{
		{SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{BLAKE2b256, "", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
		{BLAKE2b256, "abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
		{BLAKE2b512, "abc", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1" +
			"7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
		{Keccak256, "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{Keccak256, "abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
		{RIPEMD160, "", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
		{RIPEMD160, "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
	} {
		t.Run(fmt.Sprintf("%#x %q", c.code, c.in), func(t *testing.T) {
			got, ok := AppendHash(nil, c.code, []byte(c.in))
			if !ok || hex.EncodeToString(got) != c.want || !SupportedHash(c.code) {
				t.Errorf("%x, %v, want %s", got, ok, c.want)
			}
			got, ok = AppendHash([]byte("x"), c.code, []byte(c.in))
			if !ok || got[0] != 'x' || hex.EncodeToString(got[1:]) != c.want {
				t.Errorf("appended: %x, %v", got, ok)
			}
		})
	}
}

func TestHashUnsupported(t *testing.T) {
	for _, code := range []uint64{0, 0x11, 0x13, 0x16, 0x1a, 0x1e, 0x1012, 0xb21f, 0xb221, 0xb23f, 0xb241, 1<<63 | SHA256} {
		got, ok := AppendHash([]byte("x"), code, nil)
		if ok || SupportedHash(code) || string(got) != "x" {
			t.Errorf("%#x: %q, %v", code, got, ok)
		}
	}
}

func TestBlake2b(t *testing.T) {
	data := bytes.Repeat([]byte{7}, 300)
	want, _ := AppendHash(nil, BLAKE2b256, data)
	if got := Blake2b256(data); !bytes.Equal(got[:], want) {
		t.Errorf("%x, want %x", got, want)
	}
	if got, want := Blake2b160(nil), "3345524abf6bbe1809449224b5972c41790b6cf2"; hex.EncodeToString(got[:]) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

func TestHashAllocations(t *testing.T) {
	data := make([]byte, 1000)
	var buf [64]byte
	for _, code := range []uint64{SHA256, BLAKE2b256, BLAKE2b512} {
		if n := testing.AllocsPerRun(10, func() { AppendHash(buf[:0], code, data) }); n != 0 {
			t.Errorf("%#x: %v allocations", code, n)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Blake2b256(data) }); n != 0 {
		t.Errorf("blake2b-256: %v allocations", n)
	}
}

func BenchmarkHash(b *testing.B) {
	data := make([]byte, 4096)
	for _, code := range []uint64{SHA256, Keccak256, RIPEMD160, BLAKE2b256, BLAKE2b512} {
		b.Run(fmt.Sprintf("%#x", code), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			var buf [64]byte
			for b.Loop() {
				AppendHash(buf[:0], code, data)
			}
		})
	}
}
