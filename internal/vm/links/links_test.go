package links

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

const (
	sum   = "0202020202020202020202020202020202020202020202020202020202020202"
	plain = "d82a5827000171a0e40220" + sum // a link to a DAG-CBOR block
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// link is a link to a CID of the given bytes.
func link(c string) string {
	b := cbor.AppendHeader(nil, cbor.Tag, cbor.TagCID)
	b = cbor.AppendHeader(b, cbor.Bytes, uint64(len(c)/2+1))
	return hex.EncodeToString(b) + "00" + c
}

func TestScanLinks(t *testing.T) {
	const (
		field  = 1
		perCID = 1000
	)
	for _, tt := range []struct {
		name, in string
		codec    uint64
		links    int
		used     uint64
		errno    execerr.Errno
	}{
		{name: "raw", in: plain, codec: cbor.CodecRaw},
		{name: "CBOR", in: plain, codec: cbor.CodecCBOR},
		{name: "other codec", in: plain, codec: cbor.CodecDagPB, errno: execerr.IllegalCodec},
		{name: "integer", in: "00", used: 1},
		{name: "long form", in: "1b0000000000000000", used: 1},
		{name: "link", in: plain, links: 1, used: 1001},
		{name: "links in a map", in: "a2" + "6161" + plain + "6162" + plain, links: 2, used: 2005},
		{name: "tags", in: "c1c2d9002a" + plain[4:], links: 1, used: 1003},
		{name: "inline", in: link("01710006" + "8501020304f6"), used: 1001 + 6},
		{name: "inline link", in: link("0171002b" + plain), links: 1, used: 1001 + 1001},
		{name: "inline link and no more", in: link("0171002c" + "82" + plain), used: 1001 + 1003, errno: execerr.Serialization},
		{name: "inline raw", in: link("015500028142"), used: 1001},
		{name: "piece of any hash", in: link("0181e203922020" + sum), used: 1001},
		{name: "sector of short hash", in: link("0182e203b401026364"), used: 1001},
		{name: "DAG-PB", in: link("0170a0e40220" + sum), used: 1001, errno: execerr.NotFound},
		{name: "version 0", in: link("1220" + sum), used: 1001, errno: execerr.NotFound},
		{name: "sha256", in: link("01711220" + sum), used: 1001, errno: execerr.NotFound},
		{name: "short blake2b", in: link("0171a0e4021f" + sum[2:]), used: 1001, errno: execerr.NotFound},
		{name: "bytes after the CID", in: link("0171a0e40220" + sum + "00"), used: 1001, errno: execerr.Serialization},
		{name: "empty link", in: "d82a40", used: 1001, errno: execerr.Serialization},
		{name: "link of one byte", in: "d82a4100", used: 1001, errno: execerr.Serialization},
		{name: "link without zero byte", in: "d82a4101", used: 1001, errno: execerr.Serialization},
		{name: "link as text", in: "d82a6100", used: 1001, errno: execerr.Serialization},
		{name: "link cut short", in: "d82a5827", used: 1001, errno: execerr.Serialization},
		{name: "empty", in: "", used: 1, errno: execerr.Serialization},
		{name: "bytes after it", in: "0000", used: 1, errno: execerr.Serialization},
		{name: "indefinite", in: "9fff", used: 1, errno: execerr.Serialization},
		{name: "long string", in: "4200", used: 1, errno: execerr.Serialization},
		{name: "missing items", in: "8200", used: 3, errno: execerr.Serialization},
		{name: "2^64-1 items", in: "9bffffffffffffffff", used: 2, errno: execerr.Serialization},
		{name: "too many items", in: "829bffffffffffffffff", used: 2, errno: execerr.Serialization},
		{name: "2^63 pairs", in: "bb8000000000000000", used: 1, errno: execerr.Serialization},
	} {
		codec := tt.codec
		if codec == 0 {
			codec = cbor.CodecDagCBOR
		}
		in := unhex(t, tt.in)
		links, used, err := ScanLinks(codec, in, uint64(field), perCID, math.MaxUint64)
		if len(links) != tt.links || used != tt.used || execerrtest.Errno(err) != tt.errno || (err != nil) != (tt.errno != 0) {
			t.Errorf("%s: %d links, %d used, %v", tt.name, len(links), used, err)
		}
		// With just enough the result is the same, with less all of it is used.
		if _, got, err := ScanLinks(codec, in, uint64(field), perCID, tt.used); got != tt.used || execerrtest.Errno(err) != tt.errno {
			t.Errorf("%s: %d used of %d, %v", tt.name, got, tt.used, err)
		}
		for _, less := range []uint64{tt.used / 2, tt.used - 1} {
			if tt.used == 0 {
				continue
			}
			if _, got, err := ScanLinks(codec, in, uint64(field), perCID, less); got != less || err != execerr.ErrOutOfGas {
				t.Errorf("%s: %d used of %d, %v", tt.name, got, less, err)
			}
		}
	}
}

func TestScanLinksInline(t *testing.T) {
	want, _, err := ParseCID(unhex(t, plain[10:]))
	if err != nil {
		t.Fatal(err)
	}
	links, used, err := ScanLinks(cbor.CodecDagCBOR, unhex(t, link("0171002b"+plain)), uint64(1), 1000, 1<<40)
	if err != nil || !slices.Equal(links, []cid.Cid{want}) || used != 2002 {
		t.Fatalf("%v, %d used, %v", links, used, err)
	}
	// Each level in another takes seven bytes of the digest's 64.
	deep := "00"
	for len(deep)/2+10 <= 64 {
		deep = link("017100" + hex.EncodeToString([]byte{byte(len(deep) / 2)}) + deep)
	}
	if _, used, err := ScanLinks(cbor.CodecDagCBOR, unhex(t, deep), uint64(1), 1000, 1<<40); err != nil || used != uint64(strings.Count(deep, "d82a"))*1001+1 {
		t.Errorf("%s: %d used, %v", deep, used, err)
	}
}

func TestScanLinksAllocates(t *testing.T) {
	block := cbor.AppendArray(nil, 100)
	for i := range 100 {
		block = cbor.AppendBytes(block, make([]byte, i))
	}
	if n := testing.AllocsPerRun(100, func() { ScanLinks(cbor.CodecDagCBOR, block, uint64(1), 1, 1<<40) }); n > 0 {
		t.Errorf("%v allocations for a block without links", n)
	}
}

func FuzzScanLinks(f *testing.F) {
	f.Add(unhex(f, plain), uint64(1<<20))
	f.Add(unhex(f, link("01710006"+"8501020304f6")), uint64(100))
	f.Add(unhex(f, "829bffffffffffffffff"), uint64(100))
	f.Fuzz(func(t *testing.T, data []byte, available uint64) {
		available %= 1 << 24
		links, used, err := ScanLinks(cbor.CodecDagCBOR, data, 3, 700, available)
		switch {
		case used > available:
			t.Fatalf("%d used of %d", used, available)
		case err == execerr.ErrOutOfGas && used != available, err != nil && err != execerr.ErrOutOfGas && execerrtest.Errno(err) == 0:
			t.Fatalf("%d used of %d: %v", used, available, err)
		case err != nil:
			return
		}
		// What an actor can make a block of, a flush can read, and finds the same links at top level.
		n := 0
		if err := cbor.Links(data, &cbor.LinkRules{}, func([]byte) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		if uint64(n) > used/700 {
			t.Fatalf("%d links, %d at the flush", len(links), n)
		}
	})
}

// Runs of one-byte items are read at once. Item by item must come to the same, whatever gas there is.
func TestScanLinksAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"00", "17", "20", "37", "f4", "f6", "e0", "f7", "80", "a0", "40", "60", "1800", "f818", "81", "82", "a1", "c1", "4161", "6161", "83", "88", plain, "ff", "1c", "9b00000000ffffffff"}
	oneByOne := func(data []byte, available uint64) (used uint64, err error) {
		for left := uint64(1); left > 0; left-- {
			if available-used < 3 {
				return available, execerr.ErrOutOfGas
			}
			used += 3
			major, arg, n := cbor.Header(data)
			if n <= 0 {
				return used, malformed("")
			}
			data = data[n:]
			switch {
			case major == cbor.Bytes || major == cbor.Text:
				if arg > uint64(len(data)) {
					return used, malformed("")
				}
				data = data[arg:]
			case major == cbor.Array:
				left += arg
			case major == cbor.Map:
				left += 2 * arg
			case major == cbor.Tag && arg == cbor.TagCID:
				if available-used < 700 {
					return available, execerr.ErrOutOfGas
				}
				used += 700
				if len(data) < 2+39 {
					return used, malformed("")
				}
				data = data[2+39:]
			case major == cbor.Tag:
				left++
			}
		}
		if len(data) > 0 {
			return used, malformed("")
		}
		return used, nil
	}
	outcomes := map[string]int{}
	for range 20_000 {
		data := []byte{0x80 | byte(r.IntN(24))}
		for range r.IntN(40) {
			kind := unhex(t, kinds[r.IntN(len(kinds))])
			for range 1 + r.IntN(1+r.IntN(9)) {
				data = append(data, kind...)
			}
		}
		available := uint64(r.IntN(1 + r.IntN(3000)))
		want, wantErr := oneByOne(data, available)
		_, got, err := ScanLinks(cbor.CodecDagCBOR, data, 3, 700, available)
		if got != want || execerrtest.Errno(err) != execerrtest.Errno(wantErr) || (err == execerr.ErrOutOfGas) != (wantErr == execerr.ErrOutOfGas) {
			t.Fatalf("%x with %d: %d used, %v; item by item %d, %v", data, available, got, err, want, wantErr)
		}
		outcomes[fmt.Sprint(wantErr == nil, wantErr == execerr.ErrOutOfGas)]++
	}
	if len(outcomes) != 3 {
		t.Errorf("not all outcomes came up: %v", outcomes)
	}
}

// BenchmarkScanWide is the list that takes longest for its bytes.
func BenchmarkScanWide(b *testing.B) {
	block := append(cbor.AppendArray(nil, 1<<20-5), make([]byte, 1<<20-5)...)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		if _, _, err := ScanLinks(cbor.CodecDagCBOR, block, uint64(1), 1, 1<<40); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanLinks(b *testing.B) {
	node := cbor.AppendArray(cbor.AppendBytes(cbor.AppendArray(nil, 2), "\xff\xff\xff\xff"), 32)
	for range 32 {
		node = append(node, unhex(b, plain)...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if links, _, err := ScanLinks(cbor.CodecDagCBOR, node, uint64(1), 1, 1<<40); err != nil || len(links) != 32 {
			b.Fatal(err)
		}
	}
}
