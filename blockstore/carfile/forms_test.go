package carfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/blockstore"
)

// car is an archive of blocks.
func car(t testing.TB, n, again int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := blockstore.WriteCAR(&out, []cid.Cid{block(0).Cid()}, numbers(n, again)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
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

// zst is data in frames of so many bytes.
func zst(t testing.TB, data []byte, frame int) (out []byte) {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for len(data) > 0 {
		n := min(frame, len(data))
		out = z.EncodeAll(data[:n], out)
		data = data[n:]
	}
	return out
}

// v2 is an archive of version 2 around one of version 1.
func v2(car []byte) []byte {
	head := append([]byte("\x0a\xa1\x67version\x02"), make([]byte, 16)...)
	for _, n := range []int{11 + 40 + 100, len(car), 11 + 40 + 100 + len(car)} {
		head = binary.LittleEndian.AppendUint64(head, uint64(n))
	}
	return bytes.Join([][]byte{head, make([]byte, 100), car, []byte("an index, of a kind that nobody knows")}, nil)
}

// skippable is a frame of zstd that holds nothing, as Forest's index has them.
func skippable(n int) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte{0x5e, 0x2a, 0x4d, 0x18}, uint32(n)), make([]byte, n)...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

const whole = 1 << 30 // one frame

// TestForms: archives of each form are read by an index that is made once, where they lie or from a copy.
func TestForms(t *testing.T) {
	const n = 80_000 // blocks in 4.8 MB before the last, which is deeper than 4 MiB in one frame
	all := car(t, n, 3)
	pad := make([]byte, 5000)
	for _, tt := range []struct {
		name   string
		in     []byte
		copied bool
		padded int
	}{
		{"version 2", v2(all), false, 0},
		{"padded", join(all, pad), false, len(all)},
		{"gzip", gz(t, all), true, 0},
		{"gzip, members", join(gz(t, all[:1000]), gz(t, all[1000:])), true, 0},
		{"gzip of version 2", gz(t, v2(all)), true, 0},
		{"gzip, padded within", gz(t, join(all, pad)), true, len(all)},
		{"gzip, padded behind", join(gz(t, all), pad), true, len(gz(t, all))},
		{"zstd, a frame", zst(t, all, whole), true, 0},
		{"zstd, large frames", zst(t, all, 5<<20), true, 0},
		{"zstd, small frames", zst(t, all, 8000), false, 0},
		{"zstd, frames of 4 MiB", zst(t, all, 4<<20), false, 0},
		{"zstd, small frames, skippable ones", join(skippable(10), zst(t, all, 30_000), skippable(100_000), skippable(0)), false, 0},
		{"zstd, small frames, version 2", zst(t, v2(all), 8000), false, 0},
		{"zstd, small frames, padded", join(zst(t, all, 8000), pad), false, len(zst(t, all, 8000))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.car")
			if err := os.WriteFile(path, tt.in, 0o600); err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			for again := range 2 {
				var last Work
				heard, from := 0, int64(0)
				s, err := open(t.Context(), path, Options{Folder: folder, CAR: blockstore.CAROptions{Padding: func(at int64) { from = at }}, Progress: func(w Work) {
					if w.Done < last.Done && w.Unpacked >= last.Unpacked || w.Done > w.Size || w.Size != int64(len(tt.in)) {
						t.Errorf("progress %+v after %+v", w, last)
					}
					last, heard = w, heard+1
				}}, 0)
				if err != nil {
					t.Fatal(err)
				}
				if (heard > 0) != (again == 0) || (last.Copy != "") != (tt.copied && again == 0) {
					t.Errorf("opening %d: progress was told %d times, at last %+v", again, heard, last)
				}
				if from != int64(tt.padded) {
					t.Errorf("padded from byte %d, want %d", from, tt.padded)
				}
				if (s.Unpacked() != "") != tt.copied || filepath.Dir(s.Indexed()) != folder || tt.copied && filepath.Dir(s.Unpacked()) != folder {
					t.Errorf("index %q, copy %q", s.Indexed(), s.Unpacked())
				}
				for i := 0; i < n; i += 997 {
					if got, err := s.Get(t.Context(), block(i).Cid()); err != nil || !bytes.Equal(got.RawData(), block(i).RawData()) {
						t.Fatalf("block %d: %v", i, err)
					}
				}
				if has, err := s.Has(t.Context(), block(n).Cid()); has || err != nil {
					t.Errorf("it has what is not there: %v", err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				want := 1
				if tt.copied {
					want = 2
				}
				if files, err := os.ReadDir(folder); err != nil || len(files) != want {
					t.Errorf("in the folder: %v, %v", files, err)
				}
			}
			if tt.padded > 0 {
				if _, err := open(t.Context(), path, Options{Folder: folder}, 0); !errors.Is(err, blockstore.ErrCAR) || !strings.Contains(err.Error(), fmt.Sprintf("padded with zeros from byte %d", tt.padded)) {
					t.Errorf("padding not taken: %v", err)
				}
			}
		})
	}
}

// A long block that nobody asks for, as that of F3, does not make a file of small frames one that must be copied.
func TestLongFrame(t *testing.T) {
	var out bytes.Buffer
	long := blocks.NewBlock(make([]byte, 40<<20))
	err := blockstore.WriteCAR(&out, []cid.Cid{block(0).Cid()}, func(yield func(blocks.Block, error) bool) {
		yield(block(1), nil)
		yield(long, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	if err := blockstore.WriteCAR(&rest, nil, numbers(1000, 0)); err != nil {
		t.Fatal(err)
	}
	const noRoots = 1 + 17 // the header's length, and what it is of no roots
	path := filepath.Join(t.TempDir(), "a.car.zst")
	if err := os.WriteFile(path, join(zst(t, out.Bytes(), whole), zst(t, rest.Bytes()[noRoots:], 8000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), path, Options{Folder: t.TempDir(), CAR: blockstore.CAROptions{MaxBlock: 50 << 20}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, b := range []blocks.Block{block(1), block(999), long, block(500)} {
		if got, err := s.Get(t.Context(), b.Cid()); err != nil || !bytes.Equal(got.RawData(), b.RawData()) {
			t.Errorf("block %s: %v", b.Cid(), err)
		}
	}
	if s.Unpacked() != "" {
		t.Error("it was copied")
	}
}

// A copy that was lost, cut, or is of the archive as it was before is made anew; what a dead process left goes.
func TestCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car.gz")
	folder := t.TempDir()
	write := func(n int) {
		t.Helper()
		if err := os.WriteFile(path, gz(t, car(t, n, 0)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opened := func(n, made int) string {
		t.Helper()
		heard := 0
		s, err := open(t.Context(), path, Options{Folder: folder, Progress: func(w Work) {
			if w.Blocks == int64(n) {
				heard = 1
			}
		}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Get(t.Context(), block(n-1).Cid()); err != nil || heard != made {
			t.Errorf("made %d times, want %d: %v", heard, made, err)
		}
		if files, err := os.ReadDir(folder); err != nil || len(files) != 2 {
			t.Errorf("in the folder: %v, %v", files, err)
		}
		return s.Unpacked()
	}
	write(1000)
	first := opened(1000, 1)
	opened(1000, 0)
	if err := os.Truncate(first, 100); err != nil {
		t.Fatal(err)
	}
	opened(1000, 1)
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	opened(1000, 1)
	write(1001)
	base := strings.TrimSuffix(filepath.Base(first), ".car")
	index := base[:strings.LastIndex(base, "-")] + Extension
	for _, left := range []string{"." + base + ".car123456789", "." + index + "1234", "." + index + ".scratch77"} {
		if err := os.WriteFile(filepath.Join(folder, left), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if second := opened(1001, 1); second == first {
		t.Error("another archive has the same copy")
	}
	opened(1001, 0)

	cancelled, cancel := context.WithCancel(t.Context())
	write(5000)
	_, err := open(cancelled, path, Options{Folder: folder, Progress: func(Work) { cancel() }}, 0)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	opened(5000, 1)
}

// Several at once make one copy.
func TestCopyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car.gz")
	if err := os.WriteFile(path, gz(t, car(t, 20_000, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var all sync.WaitGroup
	var made sync.Map
	for i := range 6 {
		all.Go(func() {
			s, err := open(context.Background(), path, Options{Folder: folder, Progress: func(Work) { made.Store(i, true) }}, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Get(context.Background(), block(i).Cid()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	n := 0
	made.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d made it", n)
	}
}

// Small archives need no folder, however they are packed, unless they unpack to much.
func TestSmall(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made when needed")
	o := Options{Folder: folder}
	all := car(t, 2000, 0)
	zero := blocks.NewBlock(make([]byte, 4<<20))
	var vast bytes.Buffer
	if err := blockstore.WriteCAR(&vast, nil, func(yield func(blocks.Block, error) bool) {
		for range 24 {
			if !yield(zero, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		in       []byte
		has      blocks.Block
		unpacked bool
	}{
		{"plain", all, block(5), false},
		{"gzip", gz(t, all), block(5), false},
		{"zstd", zst(t, all, whole), block(5), false},
		{"zstd, frames", zst(t, all, 1000), block(5), false},
		{"vast", gz(t, vast.Bytes()), zero, true},
	} {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, tt.in, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), tt.has.Cid()); err != nil || (s.Unpacked() != "") != tt.unpacked {
			t.Errorf("%s: %v, copy %q", tt.name, err, s.Unpacked())
		}
		s.Close()
		if _, err := os.Stat(folder); (err == nil) != tt.unpacked {
			t.Errorf("%s: the folder: %v", tt.name, err)
		}
		// A copy that is there is taken, and nothing unpacked once more.
		again, err := Open(t.Context(), path, Options{Folder: folder, CAR: blockstore.CAROptions{MaxMemory: 200 << 20}, Progress: func(w Work) { t.Errorf("%s: once more: %+v", tt.name, w) }})
		if err != nil || (again.Unpacked() != "") != tt.unpacked {
			t.Fatalf("%s: opened again: %v, copy %q", tt.name, err, again.Unpacked())
		}
		again.Close()
	}
	path := filepath.Join(t.TempDir(), "vast")
	if err := os.WriteFile(path, gz(t, vast.Bytes()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{NoWrite: true}); !errors.Is(err, blockstore.ErrCARBound) {
		t.Errorf("without a place to unpack to: %v", err)
	}
	if s, err := Open(t.Context(), path, Options{NoWrite: true, CAR: blockstore.CAROptions{MaxMemory: 100 << 20, MaxUnpacked: -1}}); err != nil || s.Unpacked() != "" {
		t.Errorf("to memory, as was asked: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(path+Extension, 0o700), os.Mkdir(path+Extension+".lock", 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{Folder: filepath.Join(file, "none")}); !errors.Is(err, blockstore.ErrCARBound) || !strings.Contains(err.Error(), "no folder can be written to") {
		t.Errorf("nowhere to unpack to: %v", err)
	}
	if _, err := Open(t.Context(), path, Options{Folder: t.TempDir(), CAR: blockstore.CAROptions{MaxUnpacked: 50 << 20}}); !errors.Is(err, blockstore.ErrCARBound) {
		t.Errorf("more than the disk may take: %v", err)
	}
}

// A disk without room is told, before it is full.
func TestRoom(t *testing.T) {
	if free, ok := freeBytes(t.TempDir()); ok && free < 1<<20 {
		t.Skip("this disk is full")
	}
	var out bytes.Buffer
	left := uint64(leaveFree + 2*lookEvery)
	r := newRoomy(&out, "a folder")
	r.free = func(string) (uint64, bool) {
		left -= lookEvery
		return left, true
	}
	part := make([]byte, 1<<20)
	var err error
	for i := 0; err == nil && i < 300; i++ {
		_, err = r.Write(part)
	}
	if !errors.Is(err, errNoRoom) || r.n != 2*lookEvery || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("after %d bytes: %v", r.n, err)
	}
}

// Each byte of an index of frames changed: a block is right, or an error.
func TestDamagedFrames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car.zst")
	if err := os.WriteFile(path, zst(t, car(t, 600, 0), 100), 0o600); err != nil { // more than a chunk of frames
		t.Fatal(err)
	}
	folder := t.TempDir()
	o := Options{Folder: folder}
	s, err := open(t.Context(), path, o, 0)
	if err != nil {
		t.Fatal(err)
	}
	place := s.Indexed()
	if s.index.frames < 300 || len(s.index.top) < 2 {
		t.Fatalf("%d frames", s.index.frames)
	}
	s.Close()
	good, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for i := 0; i < len(good); i += 151 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x11
		if err := os.WriteFile(place, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(t.Context(), path, Options{Folder: folder, NoWrite: true}, 0)
		if err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
		if s.Indexed() == "" {
			noticed++
			s.Close()
			continue
		}
		for j := 0; j < 600; j += 7 {
			if got, err := s.Get(t.Context(), block(j).Cid()); err == nil && !bytes.Equal(got.RawData(), block(j).RawData()) {
				t.Fatalf("byte %d: block %d", i, j)
			} else if err != nil {
				noticed++
				break
			}
		}
		s.Close()
	}
	if tried := len(good) / 151; noticed < tried*9/10 {
		t.Errorf("%d changes of %d were noticed", noticed, tried)
	}
	for _, cut := range []int{0, 10, headLen, len(good) / 2, len(good) - 1} {
		if err := os.WriteFile(place, good[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(t.Context(), path, o, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if now, err := os.ReadFile(place); err != nil || !bytes.Equal(now, good) {
			t.Errorf("cut to %d bytes it was not made anew: %v", cut, err)
		}
	}
}

// The archive changed under an open store: what is read is right, or an error.
func TestFramesChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car.zst")
	in := zst(t, car(t, 6000, 0), 1000)
	if err := os.WriteFile(path, in, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), path, Options{Folder: t.TempDir()}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := 90_000; i < len(in); i += 700 {
		in[i] ^= 0x40
	}
	if err := os.WriteFile(path, in, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for j := range 6000 {
		got, err := s.Get(t.Context(), block(j).Cid())
		if err == nil && !bytes.Equal(got.RawData(), block(j).RawData()) {
			t.Fatalf("block %d", j)
		}
		if err != nil {
			if !errors.Is(err, blockstore.ErrCAR) || !strings.Contains(err.Error(), path) {
				t.Fatal(err)
			}
			bad++
		}
	}
	if bad == 0 {
		t.Error("nothing was noticed")
	}
}

// Whatever an index of frames holds, a block that comes is the right one.
func FuzzFrames(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "a.car.zst")
	if err := os.WriteFile(path, zst(f, car(f, 30, 0), 100), 0o600); err != nil {
		f.Fatal(err)
	}
	when := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, when, when); err != nil {
		f.Fatal(err)
	}
	s, err := open(context.Background(), path, Options{Folder: dir}, 0)
	if err != nil {
		f.Fatal(err)
	}
	place := s.Indexed()
	s.Close()
	good, err := os.ReadFile(place)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 0)
	f.Add(good[headLen:], headLen)
	f.Add(good[headLen+30*entryLen:], headLen+30*entryLen)
	f.Fuzz(func(t *testing.T, data []byte, keep int) {
		data = append(bytes.Clone(good[:min(max(keep, 0), len(good))]), data...)
		if err := os.WriteFile(place, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(t.Context(), path, Options{Folder: dir, NoWrite: true}, 0)
		if err != nil {
			return
		}
		defer s.Close()
		for i := range 35 {
			b := block(i)
			if got, err := s.Get(t.Context(), b.Cid()); err == nil && !bytes.Equal(got.RawData(), b.RawData()) {
				t.Fatalf("block %d is %x", i, got.RawData())
			}
		}
	})
}
