package follow

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/follow/standin"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
	"github.com/edgefvm/fvm/node/replay"
)

const testdata = "../replay/testdata"

// engine is one for all tests of the package: compiling actors takes longer than running them.
var engine = sync.OnceValues(func() (*fvm.Engine, error) { return fvm.NewEngine(fvm.EngineConfig{}) })

func theEngine(t testing.TB) *fvm.Engine {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var loaded sync.Map // chains by name: their states are made once

func load(t testing.TB, name string) *standin.Chain {
	t.Helper()
	once, _ := loaded.LoadOrStore(name, &sync.Once{})
	once.(*sync.Once).Do(func() { loaded.Store(name+" chain", standin.Load(t, testdata, name, theEngine(t))) })
	c, ok := loaded.Load(name + " chain")
	if !ok {
		t.Fatalf("chain %s could not be loaded", name)
	}
	of := *c.(*standin.Chain)
	return &of
}

// world is a node and who follows it.
type world struct {
	t     *testing.T
	chain *standin.Chain
	node  *standin.Node
	dir   string
	disks *remote.Memories

	mu   sync.Mutex
	seen []*Judgement
	log  strings.Builder
}

func newWorld(t *testing.T, name string, head int) *world {
	c := load(t, name)
	if head < 0 {
		head += len(c.Tipsets)
	}
	return &world{disks: new(remote.Memories), t: t, chain: c, node: standin.Start(t, c, c.Tipsets[head]), dir: t.TempDir()}
}

// client of the node.
func (w *world) client(t testing.TB, scheme string) *lotusrpc.Client {
	t.Helper()
	a, err := lotusrpc.ParseAddress(w.node.URL(scheme))
	if err != nil {
		t.Fatal(err)
	}
	c := lotusrpc.New(lotusrpc.Options{Address: a, Timeout: 2 * time.Second})
	t.Cleanup(c.Close)
	return c
}

func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) options(scheme string) Options {
	return Options{
		Node: w.client(w.t, scheme), Network: w.chain.Network, Engines: []*fvm.Engine{theEngine(w.t)}, Dir: w.dir, Open: w.disks.Open,
		Poll: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnTipset: func(_ *replay.Tipset, d *Judgement) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, d)
		},
	}
}

// running is a run that a test looks at.
type running struct {
	*Follower
	w      *world
	cancel context.CancelFunc
	ended  chan error
	once   sync.Once
	err    error
}

func (w *world) run(o Options) *running {
	w.t.Helper()
	f, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Follower: f, w: w, cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- f.Run(ctx) }()
	w.t.Cleanup(func() { r.stop() })
	return r
}

// stop ends the run, which must not take long.
func (r *running) stop() error {
	r.once.Do(func() {
		r.cancel()
		select {
		case r.err = <-r.ended:
		case <-time.After(10 * time.Second):
			r.w.t.Error("it did not end for ten seconds")
			return
		}
		if err := r.Close(); err != nil {
			r.w.t.Error(err)
		}
	})
	return r.err
}

// end waits for the run to end by itself.
func (r *running) end() error {
	r.w.t.Helper()
	select {
	case err := <-r.ended:
		r.ended <- err
		return r.stop2(err)
	case <-time.After(60 * time.Second):
		r.w.t.Fatalf("it did not end: %+v\n%s", r.Status(), r.w.logged())
		return nil
	}
}

func (r *running) stop2(err error) error { _ = r.stop(); return err }

// until waits for something.
func (r *running) until(what string, ok func(Status) bool) {
	r.w.t.Helper()
	for start := time.Now(); time.Since(start) < 2*time.Minute; time.Sleep(5 * time.Millisecond) {
		if ok(r.Status()) {
			return
		}
	}
	r.w.t.Fatalf("%s did not come: %+v\n%s", what, r.Status(), r.w.logged())
}

// passed checks that all tipsets from one up to another passed, each once, and nothing else happened.
func (w *world) passed(first, last int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := map[string]int{}
	for _, d := range w.seen {
		if d.Result != Passed {
			w.t.Errorf("%+v", d)
		}
		n[d.Tipset]++
	}
	for _, ts := range w.chain.Tipsets[first : last+1] {
		name, err := nameOf(ts)
		if err != nil {
			w.t.Fatal(err)
		}
		if n[name] != 1 {
			w.t.Errorf("epoch %d was judged %d times", ts.Height(), n[name])
		}
		delete(n, name)
	}
	if len(n) > 0 {
		w.t.Errorf("%d more were judged", len(n))
	}
}

// Whole chains pass, from their first tipset on: by HTTP and WebSocket, one after the other and several at a time, with migrations, null
// rounds and consensus faults in them.
func TestCatchUp(t *testing.T) {
	for _, c := range []struct {
		chain, scheme     string
		workers, parallel int
	}{{"two29", "http", 1, 1}, {"two29", "ws", 2, 3}, {"upgrades16", "http", 1, 1}, {"upgrades16", "ws", 1, 4}, {"real28", "ws", 2, 2}} {
		t.Run(strings.Join([]string{c.chain, c.scheme}, " "), func(t *testing.T) {
			w := newWorld(t, c.chain, -1)
			o := w.options(c.scheme)
			o.From, o.Workers, o.Parallel = 1, c.workers, c.parallel
			o.To = w.chain.Tipsets[len(w.chain.Tipsets)-2].Height()
			r := w.run(o)
			if err := r.end(); err != nil {
				t.Fatal(err)
			}
			w.passed(1, len(w.chain.Tipsets)-2)
			s := r.Status()
			if s.JudgedTo != o.To || s.Passed != len(w.chain.Tipsets)-2 || s.Differs+s.Undecided+s.Skipped+s.Reorgs != 0 || s.Messages == 0 {
				t.Errorf("%+v", s)
			}
			t.Logf("%d tipsets, %d requests, %d blocks of %d bytes fetched", s.Passed, w.node.Requests.Load(), s.Fetched, s.FetchedBytes)
		})
	}
}

// A run ends at an epoch that is a null round, too, and at once when all was judged before.
func TestToNullRound(t *testing.T) {
	w := newWorld(t, "upgrades16", 12)
	var to abi.ChainEpoch
	for i := 3; i < 12; i++ {
		if e := w.chain.Tipsets[i].Height() + 1; e < w.chain.Tipsets[i+1].Height() {
			to = e
		}
	}
	if to == 0 {
		t.Fatal("no null round")
	}
	o := w.options("http")
	o.From, o.To = w.chain.Tipsets[1].Height(), to
	for range 2 {
		r := w.run(o)
		if err := r.end(); err != nil || r.Status().JudgedTo != to {
			t.Errorf("%v, %+v", err, r.Status())
		}
	}
}

// A head that moves is followed, tipset by tipset, from the head of the beginning on.
func TestFollow(t *testing.T) {
	for _, scheme := range []string{"http", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			w := newWorld(t, "two29", 5)
			r := w.run(w.options(scheme))
			for i := 5; i < len(w.chain.Tipsets); i++ {
				if i%3 != 0 { // two at a time, now and then
					w.node.SetHead(w.chain.Tipsets[i])
					at := w.chain.Tipsets[i-1].Height()
					r.until("the judgement", func(s Status) bool { return s.JudgedTo >= at && s.Lag == 0 })
				}
			}
			if ok, why := r.Status().Ready(0); !ok {
				t.Error(why)
			}
			if err := r.stop(); err != nil {
				t.Error(err)
			}
			w.passed(4, len(w.chain.Tipsets)-2)
		})
	}
}

// With a confidence a tipset waits until the chain has grown above its child.
func TestConfidence(t *testing.T) {
	w := newWorld(t, "two29", 6)
	o := w.options("ws")
	o.From, o.Confidence = 1, 10
	r := w.run(o)
	for _, i := range []int{10, 14, len(w.chain.Tipsets) - 1} {
		head := w.chain.Tipsets[i]
		w.node.SetHead(head)
		var want abi.ChainEpoch
		for k := 1; k < i; k++ {
			if w.chain.Tipsets[k+1].Height() <= head.Height()-10 {
				want = w.chain.Tipsets[k].Height()
			}
		}
		r.until("the judgement", func(s Status) bool { return s.JudgedTo == want && s.Lag == 0 })
		time.Sleep(50 * time.Millisecond)
		if s := r.Status(); s.JudgedTo != want {
			t.Errorf("at head %d it judged up to %d, want %d", head.Height(), s.JudgedTo, want)
		}
	}
}

// A run goes on where the one before ended, and the node may be away in between.
func TestRestarts(t *testing.T) {
	for _, scheme := range []string{"http", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			w := newWorld(t, "two29", 4)
			o := w.options(scheme)
			o.From = 1
			r := w.run(o)
			r.until("the first", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[3].Height() })
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			w.node.SetHead(w.chain.Tipsets[9])
			r = w.run(o)
			r.until("the second", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[8].Height() })
			w.node.Down()
			r.until("the node's end", func(s Status) bool { return !s.Connected })
			if ok, why := r.Status().Ready(100); ok || !strings.Contains(strings.Join(why, " "), "does not answer") {
				t.Errorf("ready: %v, %v", ok, why)
			}
			w.node.SetHead(w.chain.Tipsets[15])
			w.node.Up()
			r.until("the third", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[14].Height() && s.Connected })
			w.node.Down()
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			o = w.options(scheme)
			o.From = 1
			r = w.run(o) // before the node is there
			time.Sleep(100 * time.Millisecond)
			w.node.SetHead(w.chain.Tipsets[20])
			w.node.Up()
			r.until("the fourth", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[19].Height() })
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			w.passed(1, 19)
		})
	}
}

// Another first epoch begins anew, the same one goes on.
func TestFromAgain(t *testing.T) {
	w := newWorld(t, "two29", 8)
	o := w.options("http")
	o.To = w.chain.Tipsets[7].Height()
	for i, want := range []int{3, 0, 5, 0} {
		o.From = w.chain.Tipsets[5-i/2*2].Height()
		r := w.run(o)
		if err := r.end(); err != nil || r.Status().Passed != want {
			t.Errorf("from %d: %v, %d passed, want %d", o.From, err, r.Status().Passed, want)
		}
	}
}

// fork is a block on a tipset of the chain, as another miner would have made it: a copy of the one that is there, with another ticket.
func (w *world) fork(on *chain.Tipset, like *chain.Header, ticket string) *chain.Header {
	h := *like
	h.Parents = on.CIDs
	h.Ticket = &chain.Ticket{VRFProof: []byte(ticket)}
	return &h
}

// A fork is judged as well, and what both have in common is not judged again.
func TestReorg(t *testing.T) {
	w := newWorld(t, "two29", 8)
	r := w.run(w.options("ws"))
	r.until("the first", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[7].Height() })
	// Another child of 7: what it says of 7 is as before. One above it, which says of the fork's tipset what is not so.
	side := w.node.Add(w.fork(w.chain.Tipsets[7], w.chain.Tipsets[8].Blocks[0], "a fork"))
	w.node.SetHead(side)
	r.until("the fork", func(s Status) bool { return s.Reorgs == 1 && s.Lag == 0 })
	if s := r.Status(); s.Passed != 1 || s.Differs != 0 {
		t.Errorf("%+v", s)
	}
	w.node.SetHead(w.chain.Tipsets[9])
	r.until("the way back", func(s Status) bool { return s.Reorgs == 2 && s.JudgedTo == w.chain.Tipsets[8].Height() })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	w.passed(7, 8)
}

// A block that says what is not so is a difference: told loudly, with a vector, once, and the run goes on.
func TestDifference(t *testing.T) {
	w := newWorld(t, "two29", 8)
	o := w.options("http")
	o.Vectors = filepath.Join(w.dir, "differences")
	r := w.run(o)
	r.until("the first", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[7].Height() })
	lie := w.fork(w.chain.Tipsets[8], w.chain.Tipsets[9].Blocks[0], "a lie")
	lie.ParentStateRoot = w.chain.Tipsets[3].ParentStateRoot()
	w.node.SetHead(w.node.Add(lie))
	r.until("the difference", func(s Status) bool { return s.Differs == 1 })
	w.mu.Lock()
	d := *w.seen[len(w.seen)-1]
	w.mu.Unlock()
	if d.Result != Differs || d.Epoch != w.chain.Tipsets[8].Height() || !strings.Contains(d.Reason, lie.ParentStateRoot.String()) {
		t.Errorf("%+v", d)
	}
	if _, err := os.Stat(d.Vector); err != nil {
		t.Errorf("the vector %q: %v", d.Vector, err)
	}
	for _, want := range []string{`level=ERROR msg="TIPSET DIFFERS"`, "alarm=true", "vector=" + d.Vector, "epoch=" + d.Epoch.String()} {
		if !strings.Contains(w.logged(), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	if ok, why := r.Status().Ready(100); ok {
		t.Error("ready", why)
	}
	w.node.SetHead(w.chain.Tipsets[12])
	r.until("the rest", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[11].Height() })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if s := r.Status(); s.Differs != 1 || s.Passed != 4 { // 7, and 9 to 11
		t.Errorf("%+v", s)
	}
	r = w.run(o) // it is not told again
	r.until("the same", func(s Status) bool { return s.Connected && s.Head >= 0 && s.Waiting == 0 })
	if s := r.Status(); s.Differs != 0 {
		t.Errorf("%+v", s)
	}
}

// With Halt the run ends there.
func TestHalt(t *testing.T) {
	w := newWorld(t, "two29", 8)
	lie := w.fork(w.chain.Tipsets[8], w.chain.Tipsets[9].Blocks[0], "a lie")
	lie.ParentMessageReceipts = w.chain.Tipsets[3].ParentReceipts()
	w.node.SetHead(w.node.Add(lie))
	o := w.options("http")
	o.Halt = true
	if err := w.run(o).end(); !errors.Is(err, ErrHalted) || !strings.Contains(err.Error(), "receipts root") {
		t.Error(err)
	}
}
