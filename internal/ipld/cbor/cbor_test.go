package cbor

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/ipfs/go-cid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeader(t *testing.T) {
	for _, v := range []uint64{0, 1, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
		for major := range byte(8) {
			b := AppendHeader(nil, major, v)
			m, arg, n := Header(b)
			if m != major || arg != v || n != len(b) || !minimal(arg, n) {
				t.Errorf("major %d, %d: read back as %d, %d, %d bytes of %d", major, v, m, arg, n, len(b))
			}
			for cut := range b {
				if _, _, n := Header(b[:cut]); n != 0 {
					t.Errorf("%x cut to %d bytes: n = %d", b, cut, n)
				}
			}
		}
	}
	for _, bad := range []string{"1c", "1d", "1e", "1f", "5f", "9f", "bf", "ff"} {
		if _, _, n := Header(unhex(t, bad)); n != -1 {
			t.Errorf("%s: n = %d, not -1", bad, n)
		}
	}
	if _, arg, n := Header(unhex(t, "1b0000000000000001")); arg != 1 || n != 9 || minimal(arg, n) {
		t.Error("a long form of 1 is not read as such")
	}
}

const digest = "0101010101010101010101010101010101010101010101010101010101010101"

func TestParseCID(t *testing.T) {
	long := hex.EncodeToString(bytes.Repeat([]byte{7}, 64))
	for _, tt := range []struct {
		name, in string
		n        int // 0: an error
	}{
		{"version 1", "0171a0e40220" + digest, 38},
		{"bytes after it", "0171a0e40220" + digest + "0000", 38},
		{"version 0", "1220" + digest, 34},
		{"version 0 cut short", "1220" + digest[2:], 0},
		{"empty", "", 0},
		{"version alone", "01", 0},
		{"version 2", "0271a0e40220" + digest, 0},
		{"explicit version 0", "0071a0e40220" + digest, 0},
		{"empty identity", "01550000", 4},
		{"digest of 64 bytes", "01550040" + long, 68},
		{"digest of 65 bytes", "01550041" + long + "07", 0},
		{"digest cut short", "0155002001", 0},
		{"long form of the version", "810071a0e40220" + digest, 0},
		{"long form of the length", "0171a0e402a000" + digest, 0},
		{"codec of 64 bits", "01ffffffffffffffffff01a0e40220" + digest, 47},
		{"codec of 11 bytes", "01ffffffffffffffffffff01a0e40220" + digest, 0},
	} {
		in := unhex(t, tt.in)
		c, n, err := ParseCID(in)
		if (err != nil) != (tt.n == 0) || n != tt.n {
			t.Errorf("%s: n = %d, error %v", tt.name, n, err)
			continue
		}
		if err != nil {
			if !errors.Is(err, ErrCID) {
				t.Errorf("%s: %v is not ErrCID", tt.name, err)
			}
			continue
		}
		if !bytes.Equal(c.Bytes(), in[:n]) {
			t.Errorf("%s: came out as %x", tt.name, c.Bytes())
		}
		if p, ok := Split(c); !ok || p.Codec != c.Prefix().Codec || p.Hash != c.Prefix().MhType {
			t.Errorf("%s: split as %+v", tt.name, p)
		}
	}
}

// TestQuirkUvarintTenthByte: bits above the 64th are dropped, and the CID is the one without them.
func TestQuirkUvarintTenthByte(t *testing.T) {
	in := unhex(t, "01f18080808080808080"+"02"+"a0e40220"+digest)
	want := unhex(t, "0171a0e40220"+digest)
	c, n, err := ParseCID(in)
	if err != nil || n != len(in) || !bytes.Equal(c.Bytes(), want) {
		t.Fatalf("%v, n = %d, error %v", c, n, err)
	}
	p, n, err := SplitCID(in)
	if err != nil || !bytes.Equal(p.Bytes(in[:n]), want) {
		t.Fatalf("split: %x", p.Bytes(in[:n]))
	}
}

func TestAppendCID(t *testing.T) {
	c := Blake2bCID(CodecDagCBOR, [32]byte(unhex(t, digest)))
	b := AppendCID(nil, c)
	if want := unhex(t, "d82a5827000171a0e40220"+digest); !bytes.Equal(b, want) {
		t.Fatalf("got %x", b)
	}
	r := NewReader(b)
	if got := r.CID(); got != c || r.End() != nil {
		t.Fatalf("read back as %v, %v", got, r.End())
	}
}

// The forms are of RFC 8949, appendix A; that of -2^63 follows from its section 3.1.
func TestAppendInt(t *testing.T) {
	for v, want := range map[int64]string{
		0: "00", 1000: "1903e8", -1: "20", -10: "29", -100: "3863", -1000: "3903e7", math.MinInt64: "3b7fffffffffffffff", math.MaxInt64: "1b7fffffffffffffff",
	} {
		if got := hex.EncodeToString(AppendInt(nil, v)); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
}

func TestReader(t *testing.T) {
	var b []byte
	b = AppendArray(b, 5)
	b = AppendText(AppendBytes(AppendUint(b, 300), "ab"), "cd")
	b = append(b, Null)
	b = AppendHeader(AppendUint(AppendHeader(b, Map, 1), 1), Tag, 7)
	b = AppendArray(b, 0)
	r := NewReader(b)
	r.Tuple(5)
	if r.Uint() != 300 || string(r.Bytes()) != "ab" || r.Text() != "cd" || r.Peek() != Simple || !r.Null() {
		t.Fatal(r.Err())
	}
	if raw := r.Raw(); !bytes.Equal(raw, unhex(t, "a101c780")) || r.End() != nil {
		t.Fatalf("%x, %v", raw, r.End())
	}
	for cut := range b {
		r := NewReader(b[:cut])
		r.Raw()
		if err := r.End(); !errors.Is(err, ErrMalformed) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
	for _, tt := range []struct {
		name, in string
		read     func(*Reader)
	}{
		{"wrong type", "60", func(r *Reader) { r.Uint() }},
		{"wrong length", "8101", func(r *Reader) { r.Tuple(2) }},
		{"huge array", "9bffffffffffffffff", func(r *Reader) { r.Len() }},
		{"huge string", "5bffffffffffffffff", func(r *Reader) { r.Bytes() }},
		{"huge array to skip", "9bffffffffffffffff", func(r *Reader) { r.Raw() }},
		{"huge map to skip", "bbffffffffffffffff", func(r *Reader) { r.Raw() }},
		{"no UTF-8", "61ff", func(r *Reader) { r.Text() }},
		{"bytes left", "0101", func(r *Reader) { r.Uint() }},
		{"link without zero byte", "d82a450171000000", func(r *Reader) { r.CID() }},
		{"link with bytes after it", "d82a46000155000000", func(r *Reader) { r.CID() }},
	} {
		r := NewReader(unhex(t, tt.in))
		tt.read(&r)
		if err := r.End(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// The links of a block come in order, and each rule of LinkRules changes what it says and nothing else.
func TestLinks(t *testing.T) {
	const link = "d82a582700" + "0171a0e40220" + digest // 42 bytes
	all := LinkRules{Shortest: true, LooseStrings: true, MaxLink: 39, AnyPrefix: true}
	for _, tt := range []struct {
		name, in string
		none     int // links found by no rules, -1: an error
		all      int // by all rules
	}{
		{"an integer", "00", 0, 0},
		{"bytes after the first item", "0061", 0, 0},
		{"a link", link, 1, 1},
		{"links in lists, maps and tags", "82" + link + "a101c1" + link, 2, 2},
		{"a map of none, and nothing", "a0", 0, 0},
		{"an integer in a long form", "1800", 0, -1},
		{"a list whose length is in a long form", "980100", 0, -1},
		{"a string beyond the end", "6261", -1, 0},
		{"a string beyond the end, which is not the last item", "82636161", -1, -1},
		{"a link of another first byte", "d82a5827ff" + "0171a0e40220" + digest, -1, 1},
		{"a link of 40 bytes", "d82a582800" + "0171a0e40220" + digest + "00", 1, -1},
		{"nothing", "", -1, -1},
		{"an item too few", "8200", -1, -1},
		{"an indefinite length", "9fff", -1, -1},
		{"a link that is text", "d82a6100", -1, -1},
		{"a link of no bytes", "d82a40", -1, -1},
		{"a link cut short", "d82a424e", -1, -1},
	} {
		for rules, want := range map[*LinkRules]int{{}: tt.none, &all: tt.all} {
			var got [][]byte
			err := Links(unhex(t, tt.in), rules, func(raw []byte) error {
				got = append(got, raw)
				return nil
			})
			if (err != nil) != (want < 0) || err != nil && !errors.Is(err, ErrMalformed) || err == nil && len(got) != want {
				t.Errorf("%s, %+v: %x, %v", tt.name, *rules, got, err)
			}
			for _, raw := range got {
				if !bytes.HasPrefix(raw, unhex(t, "0171a0e40220"+digest)) {
					t.Errorf("%s, %+v: link %x", tt.name, *rules, raw)
				}
			}
		}
	}
	stop := errors.New("enough")
	if err := Links(unhex(t, "82"+link+link), &LinkRules{}, func([]byte) error { return stop }); err != stop {
		t.Errorf("an error of visit became %v", err)
	}
}

func FuzzParseCID(f *testing.F) {
	f.Add(unhex(f, "0171a0e40220"+digest))
	f.Add(unhex(f, "1220"+digest))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, n, err := ParseCID(b)
		goN, goC, goErr := cid.CidFromBytes(b)
		if err != nil {
			return
		}
		again, m, err := ParseCID(c.Bytes())
		if err != nil || again != c || m != len(c.Bytes()) {
			t.Fatalf("%x reads back as %v, %v", c.Bytes(), again, err)
		}
		if goErr == nil && goN == n && goC != c {
			t.Fatalf("go-cid reads %v, not %v", goC, c)
		}
	})
}
