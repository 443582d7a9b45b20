package follow

import (
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/follow/standin"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
)

// A node that misbehaves now and then is asked again: everything passes, once, and no block is kept that was not asked for.
func TestBadNode(t *testing.T) {
	other := []byte("this is not what was asked for")
	for name, fault := range map[string]standin.Fault{
		"other bytes":      {Block: other},
		"garbage":          {Body: []byte("<html>")},
		"half an answer":   {Body: []byte(`{"jsonrpc":"2.0","id":1,"result":"aGVs`)},
		"nothing":          {Body: []byte{}},
		"a cut connection": {Drop: true},
		"a server's error": {Code: 503},
		"too slow":         {Wait: 400 * time.Millisecond},
		"too much":         {Body: []byte(`{"result":"` + strings.Repeat("x", 5<<20) + `"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "two29", 8)
			var n atomic.Int64
			w.node.Faulty(func(method string, _ []json.RawMessage) *standin.Fault {
				if method == "ChainReadObj" && n.Add(1)%5 == 0 {
					return &fault
				}
				return nil
			})
			o := w.options("http")
			a := *o.Node.Address()
			o.Node = lotusrpc.New(lotusrpc.Options{Address: &a, Timeout: 200 * time.Millisecond, MaxAnswer: 4 << 20})
			defer o.Node.Close()
			o.From, o.To = 1, w.chain.Tipsets[7].Height()
			r := w.run(o)
			if err := r.end(); err != nil {
				t.Fatal(err)
			}
			w.passed(1, 7)
			if s := r.Status(); (s.Lies > 0) != (name == "other bytes") {
				t.Errorf("%+v", s)
			}
			for _, m := range w.disks.dirs {
				for _, c := range m.Keys() {
					b, err := m.Get(t.Context(), c)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := c.Prefix().Sum(b.RawData()); err != nil || !got.Equals(c) {
						t.Errorf("block %s was kept with other bytes", c)
					}
				}
			}
		})
	}
}

// A node that never gives a block is waited for, and nothing is lost.
func TestStubbornNode(t *testing.T) {
	w := newWorld(t, "two29", 8)
	root := w.chain.Tipsets[6].ParentStateRoot()
	w.node.Faulty(func(method string, params []json.RawMessage) *standin.Fault {
		if method == "ChainReadObj" && strings.Contains(string(params[0]), root.String()) {
			return &standin.Fault{Block: []byte("no")}
		}
		return nil
	})
	o := w.options("http")
	o.From = w.chain.Tipsets[6].Height()
	f := w.run(o)
	f.fetch.tries = 2
	f.until("its word", func(s Status) bool { return strings.Contains(s.Error, root.String()) })
	if s := f.Status(); s.Passed+s.Skipped+s.Undecided+s.Differs > 0 {
		t.Errorf("%+v", s)
	}
	w.node.Faulty(nil)
	f.until("the rest", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[7].Height() })
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	w.passed(6, 7)
}

// A state that the node does not have any more is passed over, with a word; what stands above is judged.
func TestGone(t *testing.T) {
	w := newWorld(t, "two29", 10)
	lacks := func(c cid.Cid) {
		w.node.Faulty(func(method string, params []json.RawMessage) *standin.Fault {
			if method == "ChainReadObj" && strings.Contains(string(params[0]), c.String()) {
				return &standin.Fault{Error: "ipld: could not find " + c.String()}
			}
			return nil
		})
	}
	lacks(w.chain.Tipsets[5].ParentStateRoot())
	o := w.options("http")
	o.From = w.chain.Tipsets[5].Height()
	r := w.run(o)
	r.until("the rest", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[9].Height() })
	if s := r.Status(); s.Skipped != 1 || s.Passed != 4 || s.Undecided+s.Differs != 0 || !strings.Contains(w.logged(), `msg="tipset skipped"`) {
		t.Errorf("%+v", s)
	}
	// Headers that end are as far as it can go.
	w = newWorld(t, "two29", 10)
	lacks(w.chain.Tipsets[4].CIDs[0])
	o = w.options("http")
	o.From = 1
	r = w.run(o)
	r.until("the rest", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[9].Height() })
	if s := r.Status(); s.Passed != 4 || s.Skipped > 1 || !strings.Contains(w.logged(), "headers end") {
		t.Errorf("%+v", s)
	}
}

// What waiting does not mend ends the run at the start, in words that say what to do.
func TestNotThisNode(t *testing.T) {
	genesis := load(t, "two29").Tipsets[0].CIDs[0].String()
	for _, c := range []struct {
		name   string
		change func(*world, *Options)
		is     error
		says   []string
	}{
		{"a network that nobody knows", func(_ *world, o *Options) { o.Network = nil }, ErrIdentity, []string{genesis, "--network", `"two29"`}},
		{"another network", func(_ *world, o *Options) { o.Network, _ = network.ByName("mainnet") }, ErrIdentity, []string{genesis, "mainnet"}},
		{"another time", func(_ *world, o *Options) { o.Network = o.Network.WithGenesis(cid.Undef, 5) }, ErrIdentity, []string{"of time"}},
		{"another pace", func(w *world, _ *Options) { w.restart(map[string]any{"BlockDelaySecs": 30}) }, ErrIdentity, []string{"30 s", "4 s"}},
		{"another chain ID", func(w *world, _ *Options) { w.restart(map[string]any{"Eip155ChainID": 7}) }, ErrIdentity, []string{"chain ID is 7"}},
		{"a token", func(w *world, _ *Options) { w.node.Down(); w.node.Token = "a.b.c"; w.node.Up() }, lotusrpc.ErrDenied, []string{"401"}},
		{"a method that it does not know", func(w *world, _ *Options) {
			w.node.Faulty(func(m string, _ []json.RawMessage) *standin.Fault {
				if m == "ChainGetGenesis" {
					return &standin.Fault{Body: []byte(`{"error":{"code":-32601,"message":"method 'Filecoin.ChainGetGenesis' not found"}}`)}
				}
				return nil
			})
		}, errNode, []string{"not found"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "two29", 8)
			o := w.options("http")
			c.change(w, &o)
			err := w.run(o).end()
			if !errors.Is(err, c.is) {
				t.Errorf("%v", err)
			}
			for _, s := range c.says {
				if err == nil || !strings.Contains(err.Error(), s) {
					t.Errorf("%v does not say %q", err, s)
				}
			}
		})
	}
}

// What only says who the node is may be missing, as at gateways.
func TestFewMethods(t *testing.T) {
	w := newWorld(t, "two29", 8)
	w.node.Faulty(func(m string, _ []json.RawMessage) *standin.Fault {
		if m == "StateNetworkName" || m == "StateGetNetworkParams" || m == "Version" {
			return &standin.Fault{Body: []byte(`{"error":{"code":-32601,"message":"method not found"}}`)}
		}
		return nil
	})
	o := w.options("http")
	o.From, o.To = 1, w.chain.Tipsets[6].Height()
	if err := w.run(o).end(); err != nil {
		t.Error(err)
	}
}

// restart makes the node one that says something of its network.
func (w *world) restart(params any) {
	w.node.Down()
	w.node.Params = params
	w.node.Up()
}

// A folder belongs to a network, and to one process.
func TestFolder(t *testing.T) {
	w := newWorld(t, "two29", 8)
	o := w.options("http")
	r := w.run(o)
	r.until("the first", func(s Status) bool { return s.Passed == 1 })
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Error(err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	x := newWorld(t, "real28", 8)
	x.dir, x.disks.dirs = w.dir, w.disks.dirs
	if err := x.run(x.options("http")).end(); !errors.Is(err, ErrIdentity) || !strings.Contains(err.Error(), "another folder") {
		t.Error(err)
	}
	for _, bad := range []Options{{}, {Node: o.Node, Engines: o.Engines, Open: o.Open}, {Node: o.Node, Engines: o.Engines, Open: o.Open, Dir: w.dir, From: 9, To: 3}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v", bad)
		}
	}
}

// A node that came back as another network's is not followed, and what it lacks is not taken for lost.
func TestAnotherNodeComes(t *testing.T) {
	w := newWorld(t, "two29", 6)
	r := w.run(w.options("http"))
	r.until("the first", func(s Status) bool { return s.Passed == 1 })
	w.node.Down()
	r.until("the node's end", func(s Status) bool { return !s.Connected })
	mine := w.chain.Tipsets
	other := load(t, "real28")
	*w.chain = *other
	w.node.SetHead(other.Tipsets[9])
	w.node.Up()
	r.until("its word", func(s Status) bool { return strings.Contains(s.Error, "genesis") })
	if s := r.Status(); s.Connected || s.Passed != 1 || s.Skipped+s.Differs+s.Undecided != 0 {
		t.Errorf("%+v", s)
	}
	w.node.Down()
	*w.chain = *load(t, "two29")
	w.node.SetHead(mine[8])
	w.node.Up()
	r.until("the old one", func(s Status) bool { return s.JudgedTo == mine[7].Height() && s.Connected })
}

// A head that is none is waited out.
func TestBadHeads(t *testing.T) {
	w := newWorld(t, "two29", 6)
	ts := w.chain.Tipsets[8]
	words := func(height abi.ChainEpoch, blocks ...cid.Cid) []byte {
		var list []map[string]string
		for _, c := range blocks {
			list = append(list, map[string]string{"/": c.String()})
		}
		data, err := json.Marshal(map[string]any{"Cids": list, "Height": height})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var head atomic.Pointer[[]byte]
	w.node.Faulty(func(m string, _ []json.RawMessage) *standin.Fault {
		if h := head.Load(); m == "ChainHead" && h != nil {
			return &standin.Fault{Body: *h}
		}
		return nil
	})
	o := w.options("http")
	r := w.run(o)
	r.fetch.tries = 2
	r.until("the first", func(s Status) bool { return s.Passed == 1 })
	absurd := w.fork(ts, ts.Blocks[0], "absurd")
	absurd.Height = 1 << 60
	far := w.node.Add(absurd)
	for name, h := range map[string][]byte{
		"another height":        words(99, ts.CIDs...),
		"no blocks":             words(5),
		"a state":               words(5, ts.ParentStateRoot()),
		"an absurd height":      words(1<<60, far.CIDs...),
		"blocks of two tipsets": words(ts.Height(), ts.CIDs[0], w.chain.Tipsets[3].CIDs[0]),
	} {
		text := append([]byte(`{"jsonrpc":"2.0","result":`), append(h, []byte(`}`)...)...)
		head.Store(&text)
		before := len(w.logged())
		_ = name
		time.Sleep(150 * time.Millisecond)
		if s := r.Status(); s.Passed != 1 || s.Differs+s.Skipped+s.Undecided != 0 {
			t.Errorf("%s: %+v\n%s", name, s, w.logged()[before:])
		}
	}
	head.Store(nil)
	w.node.SetHead(ts)
	r.until("the rest", func(s Status) bool { return s.JudgedTo == w.chain.Tipsets[7].Height() })
}

// What cannot be executed is told as loudly as a difference, and ends a run that is to halt.
func TestUndecided(t *testing.T) {
	w := newWorld(t, "two29", 8)
	like := w.chain.Tipsets[8].Blocks[0]
	bad := w.fork(w.chain.Tipsets[7], like, "no messages")
	bad.Messages = w.chain.Tipsets[8].ParentReceipts() // a list of another kind
	on := w.node.Add(bad)
	child := w.node.Add(w.fork(on, w.chain.Tipsets[9].Blocks[0], "its child"))
	w.node.SetHead(child)
	o := w.options("http")
	o.From = w.chain.Tipsets[7].Height()
	o.Halt = true
	r := w.run(o)
	if err := r.end(); !errors.Is(err, ErrHalted) {
		t.Error(err)
	}
	if s := r.Status(); s.Undecided != 1 || s.Passed != 1 || !strings.Contains(w.logged(), `msg="TIPSET COULD NOT BE EXECUTED"`) {
		t.Errorf("%+v\n%s", s, w.logged())
	}
}

// A tipset that takes too long is passed over.
func TestSlow(t *testing.T) {
	w := newWorld(t, "two29", 8)
	o := w.options("http")
	o.TipsetTimeout = time.Nanosecond
	r := w.run(o)
	r.until("the judgement", func(s Status) bool { return s.Skipped == 1 })
	if !strings.Contains(w.logged(), errSlow.Error()) {
		t.Error(w.logged())
	}
}

// A run ends within seconds, whatever it waits for.
func TestEnds(t *testing.T) {
	w := newWorld(t, "two29", 8)
	w.node.Faulty(func(string, []json.RawMessage) *standin.Fault { return &standin.Fault{Wait: time.Minute} })
	for _, scheme := range []string{"http", "ws"} {
		r := w.run(w.options(scheme))
		time.Sleep(50 * time.Millisecond)
		start := time.Now()
		if err := r.stop(); err != nil || time.Since(start) > 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	}
	w.node.Down()
	r := w.run(w.options("http"))
	time.Sleep(50 * time.Millisecond)
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}
