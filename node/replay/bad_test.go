package replay

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/proofs"
	"github.com/edgefvm/fvm/vector"
)

// changed is a store in which some blocks are others, or missing (nil).
type changed struct {
	blockstore.Blockstore
	blocks map[cid.Cid][]byte
}

func (s changed) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	data, ok := s.blocks[c]
	if !ok {
		return s.Blockstore.Get(ctx, c)
	}
	if data == nil {
		return nil, format.ErrNotFound{Cid: c}
	}
	return blocks.NewBlockWithCid(data, c)
}

func (s changed) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if data, ok := s.blocks[c]; ok {
		return data != nil, nil
	}
	return s.Blockstore.Has(ctx, c)
}

// at is the tipset at an epoch.
func (c *theirs) at(t testing.TB, epoch abi.ChainEpoch) *chain.Tipset {
	t.Helper()
	s := chain.NewStore(c.archive)
	head, err := s.Head(t.Context(), c.roots)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := chain.NewLine(s, head).At(t.Context(), epoch)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// Archives and networks that are wrong are errors that say what and where.
func TestBadArchives(t *testing.T) {
	c := load(t, "testdata", "two29")
	ts := c.at(t, 20)
	header, messages := ts.CIDs[0], ts.Blocks[0].Messages
	get := func(id cid.Cid) []byte {
		b, err := c.archive.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte{}, b.RawData()...)
	}
	flipped := get(header)
	flipped[len(flipped)-3] ^= 1
	genesis := c.at(t, 0)
	for _, b := range []struct {
		name   string
		blocks map[cid.Cid][]byte
		change func(*Options)
		says   []string
	}{
		{"a header is missing", map[cid.Cid][]byte{header: nil}, nil, []string{header.String(), "missing"}},
		{"a header has another hash", map[cid.Cid][]byte{header: flipped}, nil, []string{header.String(), "hash"}},
		{"a header is cut", map[cid.Cid][]byte{header: get(header)[:40]}, nil, []string{header.String()}},
		{"lists of messages are missing", map[cid.Cid][]byte{messages: nil}, nil, []string{messages.String(), "missing", "epoch 20"}},
		{"the genesis state is missing", map[cid.Cid][]byte{genesis.ParentStateRoot(): nil}, nil, []string{"no state to begin with"}},
		{"no root", nil, func(o *Options) { o.Roots = nil }, []string{"no root"}},
		{"the root is a state", nil, func(o *Options) { o.Roots = []cid.Cid{genesis.ParentStateRoot()} }, []string{"no block header"}},
		{"a network that nobody knows", nil, func(o *Options) { o.Network = nil }, []string{genesis.CIDs[0].String(), "--network"}},
		{"another network", nil, func(o *Options) { o.Network, _ = network.ByName("mainnet") }, []string{"mainnet", genesis.CIDs[0].String()}},
		{"an epoch above the head", nil, func(o *Options) { o.From = 1000 }, []string{"1000", "above the head"}},
		{"epochs the wrong way", nil, func(o *Options) { o.From, o.To = 20, 10 }, []string{"from 20 to 10"}},
		{"an epoch without a state", nil, func(o *Options) { o.From = 20 }, []string{"epoch 20", "not in the archive"}},
	} {
		t.Run(b.name, func(t *testing.T) {
			o := c.options(t)
			o.Archive = changed{c.archive, b.blocks}
			if b.change != nil {
				b.change(&o)
			}
			rep, err := Run(t.Context(), o)
			if err == nil {
				t.Fatalf("no error, but %d passed", rep.Passed)
			}
			for _, s := range b.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if rep == nil || rep.Error == "" {
				t.Error("the report does not have the error")
			}
		})
	}
}

// A replay with rules that are not the chain's fails at the first tipset that shows it, says where, and writes a vector.
func TestDifferences(t *testing.T) {
	for _, d := range []struct {
		name   string
		change func(*network.Network)
		what   string
		says   string
	}{
		{"actors do not log", func(n *network.Network) { n.Constants.ActorDebugging = false }, "receipts root", "one of the 8 messages"},
		{"another rule of base fees", func(n *network.Network) { n.Constants.FireHorse = 1 << 40 }, "base fee of the next tipset", "only the base fee"},
	} {
		t.Run(d.name, func(t *testing.T) {
			c := load(t, "testdata", "two29")
			d.change(c.network)
			o := c.options(t)
			o.Vectors = t.TempDir()
			rep, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			f := rep.Failure
			if rep.Good() || rep.Failed != 1 || f == nil || f.Epoch != 1 || rep.Skipped != len(c.wants)-1 {
				t.Fatalf("%+v, want a failure at epoch 1", rep)
			}
			if len(f.Differences) != 1 || f.Differences[0].What != d.what || !strings.Contains(f.Verdict, d.says) {
				t.Errorf("%v, %q, want %s, and words with %q", f.Differences, f.Verdict, d.what, d.says)
			}
			if f.VectorError != "" || filepath.Dir(f.Vector) != o.Vectors {
				t.Fatalf("vector %q, %s", f.Vector, f.VectorError)
			}
			v, err := vector.Load(f.Vector)
			if err != nil {
				t.Fatal(err)
			}
			// 8 messages, a reward for each block, cron.
			if n := len(v.Receipts()); n != 8+len(f.Blocks)+1 {
				t.Errorf("the vector has %d messages", n)
			}
		})
	}
}

// A replay that was stopped goes on after the last tipset whose state is in the store.
func TestResume(t *testing.T) {
	c := load(t, "testdata", "two29")
	store := &failing{Memory: blockstore.NewMemory(), left: 7}
	o := c.options(t)
	o.Store = store
	rep, err := Run(t.Context(), o)
	if !errors.Is(err, errFull) {
		t.Fatalf("%v, want the store's error", err)
	}
	store.left = 1 << 20
	o.Workers = 2
	began := abi.ChainEpoch(-1)
	o.OnTipset = func(ts *Tipset) {
		if began < 0 {
			began = ts.Epoch
		}
	}
	var at Progress
	o.Progress = func(p Progress) {
		if p.Doing == "" {
			at = p
		}
	}
	again, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if at.Began != c.wants[7].Epoch || at.Epoch != c.wants[len(c.wants)-1].Epoch || at.Done != at.All || at.Before != 7 {
		t.Errorf("the last word on progress: %+v", at)
	}
	if began != c.wants[7].Epoch || again.Resumed != c.wants[6].Epoch || again.Passed != len(c.wants)-1 || again.Skipped != 1 {
		t.Errorf("it began at %d, after %d had passed: %+v", began, rep.Passed, again)
	}
}

var errFull = errors.New("the disk is full")

// failing is a store that takes so many writes.
type failing struct {
	*blockstore.Memory
	left int
}

func (f *failing) PutMany(ctx context.Context, bs []blocks.Block) error {
	if f.left == 0 {
		return errFull
	}
	f.left--
	return f.Memory.PutMany(ctx, bs)
}

// A part of a chain is replayed with the states of an earlier replay, and --to ends it.
func TestPart(t *testing.T) {
	c := load(t, "testdata", "two29")
	o := c.options(t)
	o.To = c.wants[5].Epoch
	store := blockstore.NewMemory()
	o.Store = store
	rep, err := Run(t.Context(), o)
	if err != nil || rep.Passed != 6 || rep.Skipped != 0 || rep.Last != o.To {
		t.Fatalf("%+v, %v, want 6 tipsets", rep, err)
	}
	o.From, o.To = c.wants[3].Epoch, c.wants[8].Epoch
	if rep, err = Run(t.Context(), o); err != nil || rep.Passed != 6 || rep.Resumed != c.wants[5].Epoch {
		t.Fatalf("%+v, %v, want 6 tipsets, three of them done", rep, err)
	}
}

// The null rounds before the first tipset run the actors of the version before an upgrade that lies among them.
func TestBeginBeforeAnUpgrade(t *testing.T) {
	chain := load(t, "testdata", "upgrades16") // without actors' code; the upgrade at 20 is in a null round
	o := chain.options(t)
	o.Store, o.To = blockstore.NewMemory(), 19
	if rep, err := Run(t.Context(), o); err != nil || rep.Failed > 0 {
		t.Fatal(rep, err)
	}
	o.From, o.To, o.Engines = 21, 22, nil // an engine that has compiled nothing yet
	if rep, err := Run(t.Context(), o); err != nil || rep.Passed == 0 || rep.First != 21 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// A context that ends stops a replay between tipsets.
func TestCancelled(t *testing.T) {
	c := load(t, "testdata", "two29")
	ctx, cancel := context.WithCancel(t.Context())
	o := c.options(t)
	o.OnTipset = func(*Tipset) { cancel() }
	rep, err := Run(ctx, o)
	if !errors.Is(err, context.Canceled) || rep.Passed != 1 {
		t.Errorf("%v after %d tipsets", err, rep.Passed)
	}
}

// Without the judge of proofs that a message needs there is no receipt, and no difference either.
func TestNoJudge(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("SKIPPED: ../shared/chains is not there")
	}
	c := load(t, shared, "sealed29")
	rep, err := Run(t.Context(), c.options(t))
	if err == nil || rep.Failed != 0 || !strings.Contains(err.Error(), "epoch 25") || !strings.Contains(err.Error(), "seals") {
		t.Errorf("%+v, %v", rep, err)
	}
}

// With the keys of its network a chain with real proofs is replayed whole.
func TestJudge(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("SKIPPED: ../shared/chains is not there")
	}
	v, err := proofs.Open(t.Context(), proofs.Options{Dir: filepath.Join(shared, "sealed29-vk"), TrustParams: true})
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, shared, "sealed29")
	o := c.options(t)
	o.Proofs = v
	c.replayed(t, o, 0)
}

// An archive without the genesis state, but with the states of its last epochs, is replayed from the first of those; with roots as exports
// have them, and as snapshots by FRC-0108.
func TestSnapshot(t *testing.T) {
	c := load(t, "testdata", "two29")
	o := c.options(t)
	states := blockstore.NewMemory()
	o.Store = states
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	const first = 12 // of wants: what is replayed
	gone := map[cid.Cid][]byte{c.at(t, 0).ParentStateRoot(): nil}
	for _, w := range c.wants[:first] {
		gone[c.at(t, w.Epoch).ParentStateRoot()] = nil
	}
	o.Archive, o.Store = changed{&blockstore.Overlay{Top: states, Base: c.archive}, gone}, nil
	for name, roots := range map[string][]cid.Cid{"an export": c.roots, "a snapshot": {snapshot(t, states, c.roots)}} {
		o.Roots = roots
		rep, err := Run(t.Context(), o)
		if err != nil || rep.First != c.wants[first].Epoch || rep.Passed != len(c.wants)-first-1 || rep.Skipped != 1 {
			t.Errorf("%s: %+v, %v, want it from %d", name, rep, err, c.wants[first].Epoch)
		}
	}
	// One whose headers end before its states do.
	for _, b := range c.at(t, c.wants[first+1].Epoch).Blocks[0].Parents {
		gone[b] = nil
	}
	r := run{Options: o, report: &Report{}, store: chain.NewStore(o.Archive)}
	head, err := r.store.Head(t.Context(), o.Roots)
	if err != nil {
		t.Fatal(err)
	}
	r.line, r.rules.Network = chain.NewLine(r.store, head), c.network
	if got, err := r.lowest(t.Context()); err != nil || got != c.wants[first+2].Epoch {
		t.Errorf("headers that end at %d: it begins at %d, %v, want %d", c.wants[first+1].Epoch, got, err, c.wants[first+2].Epoch)
	}
}

// snapshot is the metadata of one, in a store.
func snapshot(t *testing.T, store blockstore.Blockstore, head []cid.Cid) cid.Cid {
	t.Helper()
	b := []byte{0xa3}
	b = cbor.AppendUint(cbor.AppendText(b, "Version"), 2)
	b = cbor.AppendArray(cbor.AppendText(b, "HeadTipsetKey"), len(head))
	for _, c := range head {
		b = cbor.AppendCID(b, c)
	}
	b = append(cbor.AppendText(b, "F3Data"), cbor.Null)
	c, err := abi.CidBuilder.Sum(b)
	if err != nil {
		t.Fatal(err)
	}
	blk, err := blocks.NewBlockWithCid(b, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), blk); err != nil {
		t.Fatal(err)
	}
	return c
}

// Two engines in lock-step give the same; one that gives something else is a difference that names the message.
func TestLockStep(t *testing.T) {
	c := load(t, "testdata", "two29")
	second, err := fvm.NewEngine(fvm.EngineConfig{Name: "wazero-interpreter"})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close(context.Background())
	o := c.options(t)
	o.Engines = append(o.Engines, second)
	o.To = c.wants[2].Epoch
	rep, err := Run(t.Context(), o)
	if err != nil || rep.Passed != 3 || len(rep.Engines) != 2 {
		t.Fatalf("%+v, %v", rep, err)
	}
	one := &fvm.TipsetResult{Receipts: []*fvm.Result{{}, {GasUsed: 5}}, Cron: &fvm.Result{}}
	two := &fvm.TipsetResult{Receipts: []*fvm.Result{{}, {GasUsed: 6}}, Cron: &fvm.Result{}}
	var ts Tipset
	ts.between("first", "second", one, two)
	if len(ts.Differences) != 1 || ts.Differences[0] != (Difference{"gas of message 1 on second, against first", "5", "6"}) {
		t.Errorf("%v", ts.Differences)
	}
}

// A network that is not the chain's is told by its actors, before anything differs.
func TestOtherActors(t *testing.T) {
	c := load(t, "testdata", "two29")
	o := c.options(t)
	o.Network, _ = network.ByName("2k")
	o.To = c.wants[0].Epoch
	rep, err := Run(t.Context(), o)
	if err != nil || len(rep.Notes) != 1 || !strings.Contains(rep.Notes[0], "actors of testing-fake-proofs") {
		t.Errorf("%+v, %v", rep, err)
	}
}
