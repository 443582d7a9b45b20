package event

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-state-types/abi"
	cbornode "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sample(i int) Stamped {
	s := Stamped{Emitter: abi.ActorID(1000 + i)}
	for j := range i % 3 {
		s.Entries = append(s.Entries, Entry{Flags: uint64(j), Key: strings.Repeat("k", i%31), Codec: cbor.CodecRaw, Value: bytes.Repeat([]byte{byte(i)}, j*40)})
	}
	return s
}

func TestAppendCBOR(t *testing.T) {
	events := []Stamped{{Emitter: 1001, Entries: []Entry{{Flags: 3, Key: "t1", Codec: 0x55, Value: []byte{0xaa, 0xbb}}}}, {Emitter: 5}}
	got := []byte{0x80 | byte(len(events))} // the list that nodes store and exchange
	for i := range events {
		got = events[i].AppendCBOR(got)
	}
	if want := unhex(t, "82"+"821903e981"+"84"+"03"+"627431"+"1855"+"42aabb"+"820580"); !bytes.Equal(got, want) {
		t.Fatalf("%x", got)
	}
}

// TestRoot compares with go-amt-ipld.
func TestRoot(t *testing.T) {
	ctx := context.Background()
	if c, err := Root(ctx, nil); c != nil || err != nil {
		t.Fatal(c, err)
	}
	for _, n := range []int{1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 1023, 1024, 1025, 1057, 2500, 32769} {
		store := cbornode.NewCborStore(cbornode.NewMemCborStore().(*cbornode.BasicIpldStore).Blocks)
		a, err := amt.NewAMT(store, amt.UseTreeBitWidth(5))
		if err != nil {
			t.Fatal(err)
		}
		events := make([]Stamped, n)
		for i := range events {
			events[i] = sample(i)
			if err := a.Set(ctx, uint64(i), &cbg.Deferred{Raw: events[i].AppendCBOR(nil)}); err != nil {
				t.Fatal(err)
			}
		}
		want, err := a.Flush(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Root(ctx, events)
		if err != nil || *got != want {
			t.Errorf("%d events: %v, not %v (%v)", n, got, want, err)
		}
	}
}

func TestDecodeEntries(t *testing.T) {
	want := []Entry{{Flags: 1, Key: "ab", Codec: 0x55, Value: []byte{1, 2}}}
	for _, tt := range []struct {
		name, in string
		bad      bool
	}{
		{name: "plain", in: "8184016261621855420102"},
		{name: "long forms", in: "9b000000000000000198041801780261621900555a000000020102"},
		{name: "value in chunks", in: "81840162616218555f41015f4102ffff"},
		{name: "key in chunks", in: "8184017f61616162ff1855420102"},
		{name: "empty", in: "", bad: true},
		{name: "bytes after it", in: "818401626162185542010200", bad: true},
		{name: "three fields", in: "818301626162" + "1855", bad: true},
		{name: "five fields", in: "818501626162185542010200", bad: true},
		{name: "missing entry", in: "8284016261621855420102", bad: true},
		{name: "indefinite list", in: "9f84016261621855420102ff", bad: true},
		{name: "indefinite entry", in: "819f016261621855420102ff", bad: true},
		{name: "negative flags", in: "8184206261621855420102", bad: true},
		{name: "key that is no UTF-8", in: "81840162ff621855420102", bad: true},
		{name: "value as text", in: "8184016261621855620102", bad: true},
		{name: "value cut short", in: "81840162616218554201", bad: true},
		{name: "chunks cut short", in: "81840162616218555f4101", bad: true},
		{name: "huge list", in: "9bffffffffffffffff", bad: true},
		{name: "huge value", in: "8184016261621855" + "5bffffffffffffffff", bad: true},
		{name: "null", in: "f6", bad: true},
	} {
		got, err := DecodeEntries(unhex(t, tt.in))
		if tt.bad {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v, %v", tt.name, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	if got, err := DecodeEntries([]byte{0x80}); err != nil || len(got) != 0 {
		t.Errorf("no entries: %v, %v", got, err)
	}
}

// TestQuirkEventMajorTypes: where the decoder expects an array, a byte string or a text, a header whose major type has a part of
// the bits of the one expected will do.
func TestQuirkEventMajorTypes(t *testing.T) {
	want := []Entry{{Flags: 1, Key: "ab", Codec: 0x55, Value: []byte{1, 2}}}
	for _, in := range []string{
		"0184016261621855420102", // an integer for the list
		"8104016261621855420102", // an integer for the entry
		"8184014261621855420102", // a byte string for the key
		"8184012261621855420102", // a negative integer for the key
		"8184010261621855420102", // an integer for the key
		"8184016261621855020102", // an integer for the value
	} {
		if got, err := DecodeEntries(unhex(t, in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"4184016261621855420102", // a byte string for the list
		"a184016261621855420102", // a map
		"8184016261621855220102", // a negative integer for the value
		"8184416162611855420102", // a byte string for the flags
	} {
		if got, err := DecodeEntries(unhex(t, in)); err == nil {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestDecodeDepth(t *testing.T) {
	nested := func(n int) []byte {
		return unhex(t, "818401626162"+"1855"+strings.Repeat("5f", n)+"420102"+strings.Repeat("ff", n))
	}
	// The list, the entry and every chunk are levels, 256 in all.
	if _, err := DecodeEntries(nested(254)); err != nil {
		t.Error("254 chunks in each other:", err)
	}
	if _, err := DecodeEntries(nested(255)); err == nil {
		t.Error("255 chunks in each other are decoded")
	}
}

func FuzzDecodeEntries(f *testing.F) {
	f.Add(unhex(f, "8184016261621855420102"))
	f.Add(unhex(f, "81840162616218555f41015f4102ffff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		entries, err := DecodeEntries(in)
		if err != nil {
			return
		}
		s := Stamped{Entries: entries}
		again, err := DecodeEntries(s.AppendCBOR(nil)[2:])
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%v, %v, %v", entries, again, err)
		}
	})
}

func BenchmarkRoot(b *testing.B) {
	events := make([]Stamped, 10)
	for i := range events {
		events[i] = sample(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Root(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRootInterrupted(t *testing.T) {
	events := make([]Stamped, 100)
	for i := range events {
		events[i] = sample(i)
	}
	for n := 0; ; n++ {
		c, err := Root(&execerrtest.Countdown{Context: t.Context(), Left: n}, events)
		switch {
		case err == nil && c != nil && n == 104: // each event, and each of four leaves
			return
		case !errors.Is(err, context.Canceled) || c != nil:
			t.Fatalf("after %d looks: %v, %v", n, c, err)
		}
	}
}
