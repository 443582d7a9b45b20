package packing

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// content is n bytes, half of which do not shrink.
func content(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(append(b, "eight by"...), rnd.Uint64())
	}
	return b[:n]
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(data); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// frame is one frame. A stream's does not say how long it is.
func frame(t testing.TB, data []byte, stream bool, o ...zstd.EOption) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, append(o, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if !stream {
		return z.EncodeAll(data, nil)
	}
	for part := range slices.Chunk(data, 10_000) {
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// skippable is a frame that holds nothing of the stream (RFC 8878, 3.1.2).
func skippable(id byte, data []byte) []byte {
	b := append([]byte{0x50 + id, 0x2a, 0x4d, 0x18}, binary.LittleEndian.AppendUint32(nil, uint32(len(data)))...)
	return append(b, data...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func unpack(in []byte, o func(*Reader)) ([]byte, error) {
	r := NewReader(bytes.NewReader(in), KindOf(in), 0)
	defer r.Close()
	if o != nil {
		o(r)
	}
	return io.ReadAll(r)
}

// Whatever parts a file is made of, what comes out is their contents in order.
func TestReader(t *testing.T) {
	a, b, long := content(5000), content(70_000), content(9<<20)
	no := zstd.WithEncoderCRC(false)
	single := zstd.WithSingleSegment(true)
	for _, tt := range []struct {
		name     string
		in, want []byte
	}{
		{"gzip", gz(t, a), a},
		{"gzip of nothing", gz(t, nil), nil},
		{"members", join(gz(t, a), gz(t, nil), gz(t, b)), join(a, b)},
		{"a long member", gz(t, long), long},
		{"a frame", frame(t, a, false), a},
		{"a frame of nothing", frame(t, nil, false, zstd.WithZeroFrames(true)), nil},
		{"a stream", frame(t, b, true), b},
		{"without checksum", frame(t, b, false, no), b},
		{"one segment", frame(t, b, false, single), b},
		{"a long frame", frame(t, long, false), long},
		{"a long stream", frame(t, long, true), long},
		{"frames", join(frame(t, a, false), frame(t, b, true, no), frame(t, nil, false, zstd.WithZeroFrames(true)), frame(t, a, true)), join(a, b, a)},
		{"frames, a long one between", join(frame(t, a, false), frame(t, long, true), frame(t, b, false)), join(a, long, b)},
		{"skippable first", join(skippable(0, b), frame(t, a, false)), a},
		{"skippable between", join(frame(t, a, false), skippable(15, nil), skippable(3, a), frame(t, b, false)), join(a, b)},
		{"skippable last", join(frame(t, a, false), skippable(14, b)), a},
		{"skippable alone", skippable(2, b), nil},
		{"zeros, which shrink to nearly nothing", frame(t, make([]byte, 20<<20), true), make([]byte, 20<<20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := unpack(tt.in, nil)
			if err != nil || !bytes.Equal(got, tt.want) {
				t.Errorf("%d bytes of %d: %v", len(got), len(tt.want), err)
			}
			if len(tt.want) > 1<<20 {
				return
			}
			r := NewReader(iotest.HalfReader(bytes.NewReader(tt.in)), KindOf(tt.in), 0)
			defer r.Close()
			if err := iotest.TestReader(r, tt.want); err != nil {
				t.Error(err)
			}
			if r.Packed() != int64(len(tt.in)) || r.Unpacked() != int64(len(tt.want)) {
				t.Errorf("it says %d of %d bytes, %d unpacked of %d", r.Packed(), len(tt.in), r.Unpacked(), len(tt.want))
			}
		})
	}
}

// Cut anywhere but between parts, a file is an error that says where; flipped, it gives an error or what it held.
func TestReaderCutAndFlipped(t *testing.T) {
	a, b := content(300), content(500)
	for name, parts := range map[string][][]byte{
		"gzip": {gz(t, a), gz(t, b)},
		"zstd": {frame(t, a, false), skippable(1, a), frame(t, b, true)},
	} {
		in := join(parts...)
		var ends []int
		for end, i := 0, 0; i < len(parts); i++ {
			end += len(parts[i])
			ends = append(ends, end)
		}
		kind := KindOf(in)
		for cut := 1; cut < len(in); cut++ {
			r := NewReader(bytes.NewReader(in[:cut]), kind, 0)
			_, err := io.ReadAll(r)
			if well := slices.Contains(ends, cut); well != (err == nil) || err != nil && (!errors.Is(err, ErrPacking) || !strings.Contains(err.Error(), " of the file: ") || !strings.Contains(err.Error(), "cut short")) {
				t.Errorf("%s cut to %d bytes: %v", name, cut, err)
			}
		}
		want := join(a, b)
		for i := range in {
			bad := bytes.Clone(in)
			bad[i] ^= 0x20
			r := NewReader(bytes.NewReader(bad), kind, 0)
			r.Bound = func(packed int64) int64 { return 1 << 20 }
			if got, err := io.ReadAll(r); err == nil && name == "gzip" && !bytes.Equal(got, want) {
				t.Errorf("%s, byte %d: %d other bytes", name, i, len(got))
			} else if err != nil && !errors.Is(err, ErrPacking) && !errors.Is(err, ErrBound) {
				t.Errorf("%s, byte %d: %v", name, i, err)
			}
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	a := content(300)
	broken := errors.New("broken disk")
	dict := join([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, 0x07}, make([]byte, 20))                  // a frame that asks for dictionary 7
	window := join([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, (29 - 10) << 3}, []byte{1, 0, 0})             // one with a window of 512 MiB
	one := join([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, bytes.Repeat([]byte{0x7f}, 8), []byte{1, 0, 0}) // one segment of 2^63 bytes
	zeros := make([]byte, 100)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"gzip, then a text", join(gz(t, a), []byte("more")), fmt.Sprintf("byte %d of the file: what follows its end is no gzip", len(gz(t, a)))},
		{"gzip, then zeros", join(gz(t, a), zeros), fmt.Sprintf("padded with zeros from byte %d to the end", len(gz(t, a)))},
		{"gzip, then zeros and a text", join(gz(t, a), zeros, []byte("more")), fmt.Sprintf("byte %d of the file", len(gz(t, a))+100)},
		{"zstd, then a text", join(frame(t, a, false), []byte("more")), "what follows its end is no zstd"},
		{"zstd, then zeros", join(frame(t, a, false), zeros), "padded with zeros from byte"},
		{"zstd, then two zeros", join(frame(t, a, false), zeros[:2]), "padded with zeros from byte"},
		{"a dictionary", dict, "a dictionary, number 7"},
		{"a window", window, "512 MiB of memory to unpack, more than 128: unpack it first, with zstd -d --long=31"},
		{"a segment", one, "more than 128"},
		{"a block of a reserved type", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x07, 0, 0}, "reserved type"},
		{"a skippable frame, cut", skippable(0, a)[:50], "byte 50 of the file: it is cut short"},
		{"a head alone", []byte{0x28, 0xb5, 0x2f, 0xfd}, "cut short"},
	} {
		if _, err := unpack(tt.in, nil); !errors.Is(err, ErrPacking) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for name, in := range map[string][]byte{"gzip": gz(t, content(200_000)), "zstd": frame(t, content(200_000), false), "zstd, long": frame(t, content(9<<20), true)} {
		r := NewReader(io.MultiReader(bytes.NewReader(in[:90_000]), iotest.ErrReader(broken)), KindOf(in), 0)
		if _, err := io.ReadAll(r); !errors.Is(err, broken) || errors.Is(err, ErrPacking) {
			t.Errorf("%s, a disk that fails: %v", name, err)
		}
		r = NewReader(bytes.NewReader(in), KindOf(in), 0)
		r.Bound = func(packed int64) int64 { return 199_999 }
		if n, err := io.Copy(io.Discard, r); !errors.Is(err, ErrBound) || n > 199_999 {
			t.Errorf("%s, beyond a bound: %d bytes, %v", name, n, err)
		}
	}
	for name, in := range map[string][]byte{"gzip": gz(t, a), "zstd": frame(t, a, true)} {
		from := int64(0)
		if got, err := unpack(join(in, zeros), func(r *Reader) { r.Padding = func(n int64) { from = n } }); err != nil || !bytes.Equal(got, a) || from != int64(len(in)) {
			t.Errorf("%s, padding that is taken: from %d, %v", name, from, err)
		}
	}
}

// A view gives what the stream gives, wherever one reads.
func TestView(t *testing.T) {
	long := content(5 << 20)
	var packed, want []byte
	for i, n := range []int{8000, 1, 8100, 40_000, 0, 8000, 200_000, 5 << 20, 9000} {
		part := content(n)
		packed = append(packed, frame(t, part, i%2 == 0, zstd.WithZeroFrames(true))...)
		if i == 3 {
			packed = append(packed, skippable(9, long[:1000])...)
		}
		want = append(want, part...)
	}
	packed = append(packed, skippable(14, long)...)
	list := &FrameList{}
	r := NewReader(bytes.NewReader(packed), Zstd, 0)
	r.OnFrame = func(f Frame) { list.List = append(list.List, f) }
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("the stream: %v", err)
	}
	list.End = r.Unpacked()
	if len(list.List) != 9 {
		t.Fatalf("%d frames", len(list.List))
	}
	v := NewView(bytes.NewReader(packed), int64(len(packed)), list.End, list)
	rnd := rand.New(rand.NewPCG(3, 4))
	check := func(at, n int) {
		t.Helper()
		p := make([]byte, n)
		got, err := v.ReadAt(p, int64(at))
		whole := min(n, len(want)-at)
		if got != whole || !bytes.Equal(p[:got], want[at:at+whole]) || (err != nil) != (whole < n) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%d bytes at %d: %d, %v", n, at, got, err)
		}
	}
	for range 300 {
		check(rnd.IntN(len(want)), rnd.IntN(30_000))
	}
	for _, f := range list.List { // at the seams
		for at := max(0, int(f.At)-2); at < min(int(f.At)+3, len(want)); at++ {
			for n := range 5 {
				check(at, n)
			}
		}
	}
	check(0, len(want)+1)
	check(len(want)-1, 5)
	check(len(want), 1)
	if _, err := v.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("it reads before the beginning")
	}

	// Lists that are wrong give errors, or other bytes; they do not reach beyond the file.
	for name, bad := range map[string]*FrameList{
		"empty":      {End: list.End},
		"beyond":     {List: []Frame{{Packed: int64(len(packed)) + 9}}, End: list.End},
		"before":     {List: []Frame{{Packed: -4}}, End: list.End},
		"too long":   {List: list.List[:2], End: list.End},
		"in between": {List: []Frame{{Packed: 5}}, End: list.End},
		"late":       {List: []Frame{{Packed: 0, At: 8300}}, End: list.End},
	} {
		v := NewView(bytes.NewReader(packed), int64(len(packed)), list.End, bad)
		if _, err := v.ReadAt(make([]byte, 10), 8200); name != "too long" && !errors.Is(err, ErrPacking) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Goroutines read at once.
func TestViewAtOnce(t *testing.T) {
	var packed, want []byte
	list := &FrameList{}
	for range 50 {
		list.List = append(list.List, Frame{int64(len(packed)), int64(len(want))})
		part := content(300_000 + len(want)%7)
		packed, want = append(packed, frame(t, part, false)...), append(want, part...)
	}
	list.End = int64(len(want))
	v := NewView(bytes.NewReader(packed), int64(len(packed)), list.End, list)
	done := make(chan error)
	for i := range 8 {
		go func() {
			rnd := rand.New(rand.NewPCG(5, uint64(i)))
			p := make([]byte, 1000)
			for range 100 {
				at := rnd.IntN(len(want) - len(p))
				if _, err := v.ReadAt(p, int64(at)); err != nil || !bytes.Equal(p, want[at:at+len(p)]) {
					done <- fmt.Errorf("at %d: %v", at, err)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if v.kept > 2*keptFrames {
		t.Errorf("%d bytes of frames are kept", v.kept)
	}
}

func TestDepth(t *testing.T) {
	var d Depth
	if d.Shallow(0) {
		t.Error("in no frame")
	}
	d.Frame(Frame{0, 0})
	d.Frame(Frame{10, 100})
	d.Frame(Frame{20, 100})
	for _, tt := range []struct {
		at   int64
		want bool
	}{{0, true}, {99, true}, {100, true}, {100 + smallFrame, true}, {101 + smallFrame, false}} {
		if d.Shallow(tt.at) != tt.want {
			t.Errorf("at %d", tt.at)
		}
	}
	if len(d.frames) != 1 {
		t.Errorf("%d frames are kept", len(d.frames))
	}
}

func FuzzReader(f *testing.F) {
	a := content(100)
	f.Add(gz(f, a))
	f.Add(join(gz(f, a), gz(f, nil)))
	f.Add(frame(f, a, false))
	f.Add(join(skippable(0, a), frame(f, a, true), frame(f, a, false)))
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 4 << 20
		var list FrameList
		got, err := unpack(in, func(r *Reader) {
			r.Bound = func(int64) int64 { return most }
			r.OnFrame = func(f Frame) { list.List = append(list.List, f) }
		})
		if len(got) > most {
			t.Fatalf("%d bytes", len(got))
		}
		if err != nil {
			if !errors.Is(err, ErrPacking) && !errors.Is(err, ErrBound) {
				t.Fatal(err)
			}
			return
		}
		if KindOf(in) != Zstd {
			return
		}
		list.End = int64(len(got))
		again := make([]byte, len(got))
		v := NewView(bytes.NewReader(in), int64(len(in)), list.End, &list)
		for at := 0; at < len(got); at += 1000 { // here and there
			end := min(at+700, len(got))
			if _, err := v.ReadAt(again[at:end], int64(at)); err != nil || !bytes.Equal(again[at:end], got[at:end]) {
				t.Fatalf("at %d: %v", at, err)
			}
		}
	})
}
