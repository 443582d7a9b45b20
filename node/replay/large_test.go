package replay

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/carfile"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// A replay of a chain from a large file of small blocks needs little memory, and opening the file again takes no time.
// EDGEFVM_LARGE_ARCHIVE=GIB says how large the file is, which is made in TMPDIR: 10 takes an hour of patience and as much room.
//
//	EDGEFVM_LARGE_ARCHIVE=3 go test ./node/replay -run TestLargeArchive -v -timeout 2h
func TestLargeArchive(t *testing.T) {
	const (
		mostMemory = 600 << 20
		mostAgain  = 10 * time.Second
	)
	gib, err := strconv.ParseFloat(os.Getenv("EDGEFVM_LARGE_ARCHIVE"), 64)
	if err != nil {
		t.Skip("SKIPPED: EDGEFVM_LARGE_ARCHIVE does not say how many GiB the file is to have")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "large.car")
	writeLarge(t, path, int64(gib*(1<<30)))
	resetPeak(t)
	open := func() (*carfile.Store, time.Duration) {
		start := time.Now()
		a, err := carfile.Open(t.Context(), path, carfile.Options{Folder: filepath.Join(dir, "cache")})
		if err != nil {
			t.Fatal(err)
		}
		return a, time.Since(start)
	}
	a, first := open()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	indexed := peak(t)
	a, again := open()
	defer a.Close()
	c := load(t, "testdata", "two29")
	o := c.options(t)
	o.Archive, o.Roots, o.Validate = a, a.Roots(), true
	rep, err := Run(t.Context(), o)
	if err != nil || rep.Passed != 22 {
		t.Fatalf("%+v, %v", rep, err)
	}
	most := peak(t)
	t.Logf("%.1f GiB: opened in %v, at most %d MiB; again in %v; replayed, at most %d MiB", gib, first.Round(time.Second), indexed>>20, again.Round(time.Millisecond), most>>20)
	if most > mostMemory || again > mostAgain {
		t.Errorf("want at most %d MiB, and %v to open it again", mostMemory>>20, mostAgain)
	}
}

// writeLarge writes a chain into a file of so many bytes, between blocks of 200 bytes that belong to nothing.
func writeLarge(t *testing.T, path string, size int64) {
	t.Helper()
	const (
		fillBytes = 200
		section   = fillBytes + 40
	)
	chain, roots := open(t, "testdata/two29.car.zst")
	keys := chain.Keys()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fills := size / section
	every := max(fills/int64(len(keys)), 1)
	err = blockstore.WriteCAR(f, roots, func(yield func(blocks.Block, error) bool) {
		for i := range fills {
			if i%every == 0 && len(keys) > 0 {
				if !yield(chain.Get(t.Context(), keys[0])) {
					return
				}
				keys = keys[1:]
			}
			data := binary.BigEndian.AppendUint64(make([]byte, 0, fillBytes), uint64(i))[:fillBytes]
			b, err := blocks.NewBlockWithCid(data, cbor.Blake2bCID(cid.Raw, blake2b.Sum256(data)))
			if !yield(b, err) {
				return
			}
		}
		for _, k := range keys {
			if !yield(chain.Get(t.Context(), k)) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// resetPeak makes peak begin anew (proc(5), clear_refs).
func resetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Logf("the peak counts from the beginning: %v", err)
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory that the process has had, in bytes.
func peak(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	m := highWater.FindSubmatch(data)
	if m == nil {
		t.Skipf("SKIPPED: this system does not tell memory: %v", err)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
