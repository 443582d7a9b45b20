package pebble_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/big"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/vm/links"
	"github.com/edgefvm/fvm/vector"
)

const environment = "EDGEFVM_TEST_STORE"

// TestMain is the process that is killed too: it flushes one state after the other into the store that the environment names.
func TestMain(m *testing.M) {
	if dir := os.Getenv(environment); dir != "" {
		if err := flushForEver(context.Background(), dir); err != nil {
			fmt.Println("error:", err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// chain is a setting in which one account sends to another, over and over.
type chain struct {
	cfg  fvm.Config
	msg  *fvm.Message
	code blockstore.Blockstore
}

func newChain(ctx context.Context) (*chain, error) {
	v, err := vector.Load(filepath.Join("..", "..", "lab", "conformance", "testdata", "nv28-send-001.json"))
	if err != nil {
		return nil, err
	}
	x := &chain{}
	if x.cfg, err = v.Config(0); err != nil {
		return nil, err
	}
	if x.msg, _, _, err = v.Messages()[0].Decode(); err != nil {
		return nil, err
	}
	name, err := v.BundleFor(v.Variants()[0])
	if err != nil {
		return nil, err
	}
	actors, err := vector.NewActors(bundle.Options{}).Store(ctx, name)
	if err != nil {
		return nil, err
	}
	x.code = actors
	state := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(ctx, bytes.NewReader(v.CAR()), state, blockstore.CAROptions{}); err != nil {
		return nil, err
	}
	x.code = &blockstore.Overlay{Top: state, Base: actors}
	return x, nil
}

// run flushes the states after message 0, 1, ... into store, from a root on, and tells of each.
func (x *chain) run(ctx context.Context, store blockstore.Blockstore, root cid.Cid, from int, each func(i int, root cid.Cid) bool) error {
	cfg := x.cfg
	cfg.StateRoot, cfg.Blockstore = root, &blockstore.Overlay{Top: store, Base: x.code}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return err
	}
	for i := from; ; i++ {
		msg := *x.msg
		msg.Nonce += uint64(i)
		msg.Value = big.NewInt(int64(i + 1))
		res, err := m.Apply(ctx, &msg, fvm.Explicit, 100)
		if err != nil {
			return err
		}
		if res.ExitCode != 0 {
			return fmt.Errorf("message %d: exit code %d: %s", i, res.ExitCode, res.Failure)
		}
		if root, err = m.Flush(ctx); err != nil {
			return err
		}
		if !each(i, root) {
			return nil
		}
	}
}

func flushForEver(ctx context.Context, dir string) error {
	x, err := newChain(ctx)
	if err != nil {
		return err
	}
	store, err := pebble.Open(dir)
	if err != nil {
		return err
	}
	return x.run(ctx, store, x.cfg.StateRoot, 0, func(i int, root cid.Cid) bool {
		fmt.Println(i, root)
		return true
	})
}

// A process is killed while it flushes: the store opens again, and the last root that it told of is whole.
func TestKill(t *testing.T) {
	x, err := newChain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	for round := range 6 {
		dir := filepath.Join(t.TempDir(), "store")
		at, root := kill(t, dir, 1+r.IntN(30), time.Duration(r.IntN(4000))*time.Microsecond)
		t.Logf("round %d: killed after flush %d", round, at)
		x.check(t, dir, at, root)
	}
}

// kill starts the process, waits for so many flushes and a little longer, and kills it. It returns the last flush that it told of.
func kill(t *testing.T, dir string, flushes int, longer time.Duration) (int, cid.Cid) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), environment+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	at, root := -1, cid.Undef
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var text string
		if n, err := fmt.Sscan(lines.Text(), &at, &text); n != 2 {
			t.Fatalf("the process says %q: %v", lines.Text(), err)
		}
		if root, err = cid.Decode(text); err != nil {
			t.Fatal(err)
		}
		if at+1 == flushes {
			if _, err := pebble.Open(dir); err == nil || !strings.Contains(err.Error(), "another process has it open") {
				t.Errorf("a store that a process has open: %v", err)
			}
			time.Sleep(longer) // into one of the next flushes
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return at, root
}

// check compares the store with what a run in memory wrote up to the same flush, and goes on from there.
func (x *chain) check(t *testing.T, dir string, at int, root cid.Cid) {
	t.Helper()
	memory := blockstore.NewMemory()
	var next cid.Cid
	err := x.run(t.Context(), memory, x.cfg.StateRoot, 0, func(i int, got cid.Cid) bool {
		if i == at && got != root {
			t.Fatalf("flush %d: the root is %s, in memory it is %s", i, root, got)
		}
		next = got
		return i <= at
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := pebble.Open(dir)
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	defer store.Close()
	if n := same(t, store, memory, root); n < 2 {
		t.Fatalf("only %d blocks were compared", n)
	}
	err = x.run(t.Context(), store, root, at+1, func(_ int, got cid.Cid) bool {
		if got != next {
			t.Errorf("going on from the last root gives %s, want %s", got, next)
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
}

// same checks that the store has every block below root that the run in memory wrote, and counts them.
func same(t *testing.T, store, memory blockstore.Blockstore, root cid.Cid) int {
	t.Helper()
	seen := map[cid.Cid]bool{}
	list := []cid.Cid{root}
	for len(list) > 0 {
		c := list[0]
		list = list[1:]
		if seen[c] {
			continue
		}
		want, err := memory.Get(t.Context(), c)
		if format.IsNotFound(err) {
			continue // of the state before
		}
		if err != nil {
			t.Fatal(err)
		}
		seen[c] = true
		got, err := store.Get(t.Context(), c)
		if err != nil || !bytes.Equal(got.RawData(), want.RawData()) {
			t.Fatalf("block %s below root %s: %v", c, root, err)
		}
		links, _, err := links.ScanLinks[uint64](c.Prefix().Codec, want.RawData(), 0, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, links...)
	}
	return len(seen)
}

func TestStore(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	s, err := pebble.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, b := blocks.NewBlock([]byte("a")), blocks.NewBlock([]byte("b"))
	if _, err := s.Get(ctx, a.Cid()); !format.IsNotFound(err) {
		t.Errorf("a block that is not there: %v", err)
	}
	if has, err := s.Has(ctx, a.Cid()); has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
	if err := s.Put(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := s.PutMany(ctx, []blocks.Block{a, b}); err != nil {
		t.Fatal(err)
	}
	if _, err := pebble.Open(dir); err == nil {
		t.Error("it was opened twice")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = pebble.Open(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, want := range []blocks.Block{a, b} {
		got, err := s.Get(ctx, want.Cid())
		if err != nil || got.Cid() != want.Cid() || !bytes.Equal(got.RawData(), want.RawData()) {
			t.Errorf("%v, %v", got, err)
		}
		if has, err := s.Has(ctx, want.Cid()); !has || err != nil {
			t.Errorf("%v, %v", has, err)
		}
	}
	if _, err := pebble.Open("/dev/null/x"); err == nil {
		t.Error("a folder that cannot be made was opened")
	}
}
