package carfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// block is the block of number i, of 20 bytes, and now and then 9,000.
func block(i int) blocks.Block {
	data := binary.BigEndian.AppendUint64(make([]byte, 12, 20), uint64(i))
	if i%1000 == 7 {
		data = append(data, make([]byte, 9000)...)
	}
	codec := uint64(cbor.CodecRaw)
	if i%3 == 0 {
		codec = cbor.CodecDagCBOR
	}
	b, err := blocks.NewBlockWithCid(data, cbor.Blake2bCID(codec, blake2b.Sum256(data)))
	if err != nil {
		panic(err)
	}
	return b
}

// numbers are the blocks of numbers 0 to n-1, then those of 0 to again-1 once more.
func numbers(n, again int) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		for i := range n + again {
			if !yield(block(i%max(n, 1)), nil) {
				return
			}
		}
	}
}

// write makes an archive of blocks.
func write(t testing.TB, path string, bs iter.Seq2[blocks.Block, error]) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(blockstore.WriteCAR(f, []cid.Cid{block(0).Cid()}, bs), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// opening counts how often the archive was read whole.
type opening struct {
	folder string
	scans  int
}

func (o *opening) open(path string) (*Store, error) {
	last := int64(-1)
	if o.folder == "" {
		o.folder = filepath.Dir(path) // beside it
	}
	return open(context.Background(), path, Options{Folder: o.folder, CAR: blockstore.CAROptions{Progress: func(bytes, _ int64) {
		if info, err := os.Stat(path); err == nil && bytes == info.Size() && bytes != last {
			o.scans++
			last = bytes
		}
	}}}, 0)
}

// check opens an archive of n numbers and looks at each block, and that it was read whole so often in all.
func (o *opening) check(t *testing.T, path string, n, scans int) (where string) {
	t.Helper()
	s, err := o.open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := 0; i < n; i += 1 + n/5000 {
		b := block(i)
		got, err := s.Get(t.Context(), b.Cid())
		has, herr := s.Has(t.Context(), b.Cid())
		if err != nil || herr != nil || !has || !bytes.Equal(got.RawData(), b.RawData()) {
			t.Fatalf("block %d: %v, %v, %v", i, err, has, herr)
		}
	}
	for i := n; i < n+100; i++ {
		if _, err := s.Get(t.Context(), block(i).Cid()); !format.IsNotFound(err) {
			t.Fatalf("block %d, which is not there: %v", i, err)
		}
	}
	if roots := s.Roots(); len(roots) != 1 || roots[0] != block(0).Cid() {
		t.Errorf("the roots are %v", roots)
	}
	if o.scans != scans {
		t.Errorf("the archive was read %d times, not %d", o.scans, scans)
	}
	return s.Indexed()
}

func TestIndex(t *testing.T) {
	for _, n := range []int{0, 1, 127, 129, 5000, 100_000} { // the last fills a buffer of each part
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.car")
			write(t, path, numbers(n, n/2))
			var o opening
			for range 2 {
				if where := o.check(t, path, n, 1); where != path+Extension {
					t.Errorf("the index is %q", where)
				}
			}
			if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 2 {
				t.Errorf("left: %v, %v", files, err)
			}
			if info, err := os.Stat(path + Extension); err != nil || info.Size() > int64(headLen+2*rowLen+n*(entryLen+1)) {
				t.Errorf("the index has %v bytes: %v", info.Size(), err)
			}
		})
	}
}

// Any change of the archive is noticed, by size, time or ends.
func TestChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car")
	write(t, path, numbers(3000, 0))
	when := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	var o opening
	o.check(t, path, 3000, 1)
	for i, change := range []func() error{
		func() error { return os.Chtimes(path, when, when.Add(time.Nanosecond)) },
		func() error { write(t, path, numbers(3000, 1)); return os.Chtimes(path, when, when) },
		func() error { // as long, with another block in the end
			all, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var last bytes.Buffer
			if err := blockstore.WriteCAR(&last, nil, numbers(2, 0)); err != nil {
				return err
			}
			const section = 1 + 38 + 20 // length, CID, block
			all = append(all[:len(all)-section], last.Bytes()[last.Len()-section:]...)
			return errors.Join(os.WriteFile(path, all, 0o600), os.Chtimes(path, when, when))
		},
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		o.check(t, path, 3000, i+2)
	}
}

// Where no index can lie beside the archive it lies in the folder, or in memory.
func TestPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car")
	write(t, path, numbers(1000, 0))
	for _, name := range []string{path + Extension, path + Extension + ".lock"} { // root may write to any folder
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	o := opening{folder: filepath.Join(t.TempDir(), "new")}
	for range 2 {
		if where := o.check(t, path, 1000, 1); filepath.Dir(where) != o.folder {
			t.Errorf("the index is %q", where)
		}
	}
	o = opening{}
	if where := o.check(t, path, 1000, 1); where != "" {
		t.Errorf("the index is %q", where)
	}
	// By another name it is the same archive.
	link := filepath.Join(t.TempDir(), "link.car")
	o = opening{folder: t.TempDir()}
	where := o.check(t, path, 1000, 1)
	if err := os.Symlink(path, link); err == nil {
		if again := o.check(t, link, 1000, 1); again != where {
			t.Errorf("by a link the index is %q, not %q", again, where)
		}
	}
	// What lies beside the archive is used, and made there if the folder cannot be.
	beside := filepath.Join(t.TempDir(), "b.car")
	write(t, beside, numbers(1000, 0))
	o = opening{folder: filepath.Join(beside, "no", "folder")}
	if where := o.check(t, beside, 1000, 1); where != beside+Extension {
		t.Errorf("the index is %q", where)
	}
	o.folder = t.TempDir()
	if where := o.check(t, beside, 1000, 1); where != beside+Extension {
		t.Errorf("the index is %q", where)
	}
	t.Setenv("EDGEFVM_CACHE", filepath.Join(t.TempDir(), "cache"))
	s, err := open(t.Context(), beside, Options{}, 0)
	if err != nil || s.Indexed() != beside+Extension {
		t.Errorf("with no folder named: %v", err)
	}
	s.Close()
	os.Remove(beside + Extension)
	s, err = open(t.Context(), beside, Options{}, 0)
	if want, _ := DefaultFolder(); err != nil || filepath.Dir(s.Indexed()) != want || filepath.Base(want) != "archives" {
		t.Errorf("with no folder named, the index is %q, not in %q: %v", s.Indexed(), want, err)
	}
	s.Close()
	s, err = Open(t.Context(), path, Options{Folder: t.TempDir()})
	if err != nil || s.Indexed() != "" {
		t.Errorf("a small archive has an index on disk: %v", err)
	}
	s.Close()
	if s, err = open(t.Context(), path, Options{Folder: t.TempDir(), NoWrite: true}, 0); err != nil || s.Indexed() != "" {
		t.Errorf("an index was written: %v", err)
	}
	s.Close()
}

// Each byte of an index changed: a block is right, or an error that does not say that there is none. Only the numbers of the
// head may make another index of it.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car")
	write(t, path, numbers(300, 0))
	var o opening
	o.check(t, path, 300, 1)
	good, err := os.ReadFile(path + Extension)
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for i := 0; i < len(good); i += 1 + i/200 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x11
		if err := os.WriteFile(path+Extension, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		before := o.scans
		s, err := o.open(path)
		if err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
		if o.scans > before {
			noticed++
		} else {
			for j := range 300 {
				b := block(j)
				if got, err := s.Get(t.Context(), b.Cid()); err == nil && !bytes.Equal(got.RawData(), b.RawData()) || format.IsNotFound(err) {
					t.Fatalf("byte %d: block %d: %v", i, j, err)
				} else if err != nil {
					if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), path+Extension) {
						t.Fatal(err)
					}
					noticed++
					break
				}
			}
		}
		s.Close()
	}
	if tried := o.scans; noticed < headLen || tried < headLen {
		t.Errorf("%d changes were noticed, %d of them by making it anew", noticed, tried)
	}
	if err := os.WriteFile(path+Extension, good[:len(good)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	o.check(t, path, 300, o.scans+1)
}

// An index that points elsewhere hands out nothing wrong.
func TestIndexOfLies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car")
	write(t, path, numbers(50, 0))
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(-1); at < info.Size()+2; at += 3 {
		s, err := blockstore.NewCARStore(f, info.Size(), anywhere(at), blockstore.CAROptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), block(3).Cid()); err == nil && !bytes.Equal(got.RawData(), block(3).RawData()) || err != nil && !errors.Is(err, blockstore.ErrCAR) {
			t.Errorf("at %d: %v", at, err)
		}
	}
}

type anywhere int64

func (a anywhere) Find(blockstore.CARKey) (int64, bool, error) { return int64(a), true, nil }

// Several at once make one index, and all use it.
func TestAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.car")
	write(t, path, numbers(20_000, 0))
	var all sync.WaitGroup
	openings := make([]opening, 8)
	for i := range openings {
		all.Go(func() {
			s, err := openings[i].open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Get(context.Background(), block(i).Cid()); err != nil || s.Indexed() == "" {
				t.Errorf("%v, index %q", err, s.Indexed())
			}
		})
	}
	all.Wait()
	scans := 0
	for i := range openings {
		scans += openings[i].scans
	}
	if scans != 1 {
		t.Errorf("the archive was read %d times", scans)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 2 {
		t.Errorf("left: %v, %v", files, err)
	}
}

// Faults of the archive are errors, and leave nothing behind.
func TestRefused(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "a.car")
	write(t, path, numbers(3000, 0))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := open(cancelled, path, Options{Folder: filepath.Dir(path)}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	unlock, err := filelock.Try(path + Extension + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	waiting, end := context.WithTimeout(ctx, 150*time.Millisecond)
	defer end()
	if _, err := open(waiting, path, Options{Folder: filepath.Dir(path)}, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another makes the index: %v", err)
	}
	unlock()
	if _, err := open(ctx, path, Options{Folder: filepath.Dir(path), CAR: blockstore.CAROptions{MaxTotal: 1000}}, 0); !errors.Is(err, blockstore.ErrCARBound) {
		t.Errorf("beyond a bound: %v", err)
	}
	growing := Options{Folder: filepath.Dir(path), CAR: blockstore.CAROptions{Progress: func(int64, int64) {
		os.Chtimes(path, time.Time{}, time.Now().Add(time.Minute)) //nolint:errcheck // then the test fails
	}}}
	if _, err := open(ctx, path, growing, 0); !errors.Is(err, errChanged) {
		t.Errorf("changed while it is read: %v", err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	if _, err := open(ctx, path, Options{Folder: filepath.Dir(path)}, 0); !errors.Is(err, blockstore.ErrCAR) || !strings.Contains(err.Error(), path) {
		t.Errorf("cut: %v", err)
	}
	if _, err := Open(ctx, filepath.Dir(path), Options{Folder: filepath.Dir(path)}); err == nil {
		t.Error("a folder opens")
	}
	if _, err := Open(ctx, path+"x", Options{Folder: filepath.Dir(path)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left: %v, %v", files, err)
	}
}

// Whatever an index holds, a block that comes is the right one.
func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "a.car")
	file, err := os.Create(path)
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(blockstore.WriteCAR(file, []cid.Cid{block(0).Cid()}, numbers(20, 0)), file.Close()); err != nil {
		f.Fatal(err)
	}
	var o opening
	s, err := o.open(path)
	if err != nil {
		f.Fatal(err)
	}
	s.Close()
	good, err := os.ReadFile(path + Extension)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 0)
	f.Add(good[headLen:], headLen) // the head as it is, and what comes behind it
	f.Fuzz(func(t *testing.T, data []byte, keep int) {
		data = append(bytes.Clone(good[:min(max(keep, 0), len(good))]), data...)
		if err := os.WriteFile(path+Extension, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := open(t.Context(), path, Options{NoWrite: true}, 0)
		if err != nil {
			return
		}
		defer s.Close()
		for i := range 25 {
			b := block(i)
			if got, err := s.Get(t.Context(), b.Cid()); err == nil && !bytes.Equal(got.RawData(), b.RawData()) {
				t.Fatalf("block %d is %x", i, got.RawData())
			}
		}
	})
}
