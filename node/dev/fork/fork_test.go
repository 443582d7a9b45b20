package fork

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/follow/standin"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
)

// transfer is money from the first account to an address of nobody.
func transfer(t testing.TB, n *dev.Node, to byte) *dev.Executed {
	t.Helper()
	key := n.Genesis().Accounts[0]
	receiver, err := address.NewDelegatedAddress(10, append(make([]byte, 19), to))
	if err != nil {
		t.Fatal(err)
	}
	nonce, err := n.PendingNonce(t.Context(), key.F410)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := n.SubmitUnsigned(t.Context(), &fvm.Message{
		From: key.F410, To: receiver, Nonce: nonce, Value: big.NewInt(7), GasLimit: 10_000_000, GasFeeCap: big.NewInt(1e9), GasPremium: big.Zero(), Method: 3844450837,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, i, ok := n.Transaction(sent.Hash)
	if !ok {
		t.Fatal("it is in no block")
	}
	return b.Messages[i]
}

// A fork goes on where the chain was: epoch, time, base fee, chain ID, and the chain's own state, with the accounts funded.
func TestForkGoesOn(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	w := newWorld(t, c)
	s := w.source(Options{Accounts: accounts(t), Balance: fil(1000)})
	ts := c.Tipsets[len(c.Tipsets)-2]
	now := time.Unix(2_000_000_000, 0)
	n := begin(t, w.fork(s, Where{}), dev.Options{Clock: func() time.Time { return now }})
	first := n.Latest()
	if first.Epoch() != ts.Height() || first.Tipset.Key() != ts.Key() || n.ChainID() != c.Network.ChainID || n.Version(first.Epoch()+1) != c.Network.VersionAt(ts.Height()) {
		t.Fatalf("epoch %d, chain %d", first.Epoch(), n.ChainID())
	}
	for _, a := range accounts(t) {
		if got, err := n.Balance(t.Context(), first, a); err != nil || !got.Equals(fil(1000)) {
			t.Fatalf("%s has %s, %v", a, got, err)
		}
	}
	child := c.Tipsets[len(c.Tipsets)-1]
	if !first.NextBaseFee.Equals(child.BaseFee()) {
		t.Errorf("base fee %s, want %s", first.NextBaseFee, child.BaseFee())
	}
	now = now.Add(5 * time.Second)
	if res := transfer(t, n, 1); res.Result.ExitCode != 0 {
		t.Fatalf("%+v", res.Result)
	}
	next := n.Latest()
	if next.Epoch() != first.Epoch()+1 || next.Timestamp() != first.Timestamp()+5 || chain.NewKey(next.Tipset.Blocks[0].Parents...) != ts.Key() {
		t.Errorf("the next block is at epoch %d, at %d after %d", next.Epoch(), next.Timestamp(), first.Timestamp())
	}
	if err := n.Reset(t.Context()); err != nil || n.Latest().Hash != first.Hash {
		t.Fatal(err)
	}
	if got, err := n.Balance(t.Context(), n.Latest(), accounts(t)[0]); err != nil || !got.Equals(fil(1000)) {
		t.Errorf("after a reset: %s, %v", got, err)
	}
	// Null rounds upon the fork have their cron.
	if err := n.SkipEpochs(3); err != nil {
		t.Fatal(err)
	}
	if b, err := n.Mine(t.Context(), dev.MineOptions{}); err != nil || b.Epoch() != first.Epoch()+4 {
		t.Fatal(b, err)
	}
}

// No block is fetched twice, whoever asks; what a second run reads it has.
func TestOnceAndOffline(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	w := newWorld(t, c)
	asked := map[string]int{}
	var mu sync.Mutex
	w.node.Faulty(func(method string, params []json.RawMessage) *standin.Fault {
		if method == "ChainReadObj" && len(params) > 0 {
			mu.Lock()
			defer mu.Unlock()
			asked[string(params[0])]++
		}
		return nil
	})
	work := func(n *dev.Node) string {
		for i := range 4 {
			transfer(t, n, byte(i+1))
		}
		if err := n.SkipEpochs(20); err != nil {
			t.Fatal(err)
		}
		b, err := n.Mine(t.Context(), dev.MineOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return b.Root.String()
	}
	now := func() time.Time { return time.Unix(2_000_000_000, 0) }
	s := w.source(Options{Accounts: accounts(t), Balance: fil(1000)})
	f := w.fork(s, Where{})
	want := work(begin(t, f, dev.Options{Clock: now}))
	stats := s.Stats()
	mu.Lock()
	for k, n := range asked {
		if n > 2 { // by HTTP the fault is asked for twice: by the connection, and by the method
			t.Errorf("%s was fetched %d times", k, n)
		}
	}
	if int64(len(asked)) != stats.Fetched {
		t.Errorf("%d blocks were asked for, and %d fetched", len(asked), stats.Fetched)
	}
	mu.Unlock()
	s.Close()
	if err := s.o.Disk.cache.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.node.Down()
	before := w.node.Requests.Load()
	again := w.source(Options{Accounts: accounts(t), Balance: fil(1000), Offline: true})
	if got := work(begin(t, w.fork(again, Where{}), dev.Options{Clock: now})); got != want {
		t.Errorf("offline %s, before %s", got, want)
	}
	if n := w.node.Requests.Load() - before; n != 0 || again.Stats().Fetched != 0 {
		t.Errorf("%d requests offline", n)
	}
	// What was never read is an error that names it.
	e := c.Tipsets[5].Height()
	n := begin(t, w.fork(again, Where{}), dev.Options{Clock: now})
	_, err := n.Until(t.Context(), e)
	if !errors.Is(err, remote.ErrOffline) || !errors.Is(err, dev.ErrPast) {
		t.Errorf("the past: %v", err)
	}
	_, err = n.Call(t.Context(), n.Latest(), &fvm.Message{
		From: n.Genesis().Accounts[0].F410, To: firstMiner(t), Value: big.Zero(), GasLimit: 1e9, GasFeeCap: big.Zero(), GasPremium: big.Zero(), Method: 2,
	}, dev.CallOptions{})
	if err != nil && (!errors.Is(err, remote.ErrOffline) || !strings.Contains(err.Error(), "bafy")) {
		t.Errorf("a call: %v", err)
	}
	if _, err := again.At(t.Context(), Where{Epoch: &e}); !errors.Is(err, ErrFork) {
		t.Errorf("another epoch: %v", err)
	}
}

func firstMiner(t testing.TB) address.Address {
	t.Helper()
	a, err := address.NewIDAddress(1000)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A node that fails makes errors of what is asked, in time, and nothing that is wrong; when it is well again all goes on.
func TestBadNode(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	for name, f := range map[string]standin.Fault{
		"dies":            {Drop: true},
		"is slow":         {Wait: time.Hour},
		"garbage":         {Body: []byte("<html>")},
		"half an answer":  {Body: []byte(`{"jsonrpc":"2.0","id":`)},
		"another's":       {Body: []byte(`{"jsonrpc":"2.0","id":"x","result":"gA=="}`)},
		"too many":        {Code: http.StatusTooManyRequests, Body: []byte("slow down")},
		"refuses":         {Code: http.StatusForbidden, Body: []byte("no")},
		"lies":            {Block: []byte("\x80")},
		"an error":        {Error: "blockstore: disk on fire"},
		"says it is gone": {Error: "ipld: could not find it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c)
			a, err := lotusrpc.ParseAddress(w.node.URL("http"))
			if err != nil {
				t.Fatal(err)
			}
			s := w.source(Options{Accounts: accounts(t), Balance: fil(1), Node: lotusrpc.New(lotusrpc.Options{Address: a, Timeout: 500 * time.Millisecond})})
			n := begin(t, w.fork(s, Where{}), dev.Options{})
			before := n.Latest()
			w.node.Faulty(func(string, []json.RawMessage) *standin.Fault { return &f })
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if _, err := n.Mine(ctx, dev.MineOptions{}); err == nil || ctx.Err() != nil {
				t.Fatalf("a block was made of blocks that nobody had, or it hung: %v", err)
			} else if !errors.Is(err, remote.ErrNode) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %s", took)
			}
			if n.Latest() != before {
				t.Error("the chain has changed")
			}
			if _, err := s.At(ctx, Where{}); err == nil && name != "lies" && name != "says it is gone" {
				t.Error("it was forked again")
			}
			w.node.Faulty(nil)
			if _, err := n.Mine(t.Context(), dev.MineOptions{}); err != nil {
				t.Errorf("after it: %v", err)
			}
			if got := n.Latest().Epoch(); got != before.Epoch()+1 {
				t.Errorf("after it: epoch %d", got)
			}
		})
	}
}

// A node that names another tipset for an epoch than is there is found out by the headers.
func TestWrongTipset(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	w := newWorld(t, c)
	s := w.source(Options{})
	wrong := c.Tipsets[8]
	w.node.Faulty(func(method string, _ []json.RawMessage) *standin.Fault {
		if method != "ChainGetTipSetAfterHeight" {
			return nil
		}
		data, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "result": map[string]any{"Cids": cids(wrong), "Height": wrong.Height()}})
		if err != nil {
			t.Error(err)
		}
		return &standin.Fault{Body: data}
	})
	for _, at := range []int{3, 7, 9, 12} {
		e := c.Tipsets[at].Height() - 1
		if _, err := s.At(t.Context(), Where{Epoch: &e}); err == nil && c.Tipsets[at] != wrong {
			t.Errorf("epoch %d was forked upon tipset %d", e, wrong.Height())
		}
	}
}

func cids(ts *chain.Tipset) (list []map[string]string) {
	for _, c := range ts.CIDs {
		list = append(list, map[string]string{"/": c.String()})
	}
	return list
}

// The past is what the chain has: by epoch, hash and transaction, with receipts, through the node or an archive.
func TestPast(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"node", "archive"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := load(t, testdata, "real28")
			w := newWorld(t, c)
			s := (*Source)(nil)
			if how == "node" {
				s = w.source(Options{})
			} else {
				s = openArchive(t, c)
			}
			wants := expectations(t, testdata, "real28")
			at := wants[len(wants)-4].Epoch
			n := begin(t, w.fork(s, Where{Epoch: &at}), dev.Options{})
			byEpoch := map[abi.ChainEpoch]*expected{}
			for i := range wants {
				byEpoch[wants[i].Epoch] = &wants[i]
			}
			checked := 0
			for e := at; e > max(at-60, 0); e-- {
				b, err := n.Until(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				want := byEpoch[e]
				if (b.Epoch() == e) != (want != nil) {
					t.Fatalf("epoch %d: got the block at %d", e, b.Epoch())
				}
				if want == nil || len(want.Messages) == 0 || checked > 12 {
					continue
				}
				whole, err := n.Whole(t.Context(), b)
				if err != nil {
					t.Fatalf("epoch %d: %v", e, err)
				}
				if len(whole.Messages) != len(want.Messages) {
					t.Fatalf("epoch %d: %d messages, want %d", e, len(whole.Messages), len(want.Messages))
				}
				for i, m := range whole.Messages {
					x := want.Messages[i]
					if m.CID.String() != x.CID || m.Result.ExitCode != x.ExitCode || m.Result.GasUsed != x.GasUsed {
						t.Errorf("epoch %d, message %d: %s exit %d gas %d, want %+v", e, i, m.CID, m.Result.ExitCode, m.Result.GasUsed, x)
					}
				}
				last := whole.Messages[len(whole.Messages)-1]
				got, i, ok, err := n.Find(t.Context(), last.Hash)
				if err != nil || !ok || got.Epoch() != e || i != len(whole.Messages)-1 {
					t.Errorf("epoch %d: the transaction %s: %v, %v", e, last.Hash, ok, err)
				}
				if same, err := n.ByHash(t.Context(), b.Hash); err != nil || same == nil || same.Epoch() != e {
					t.Errorf("epoch %d by its hash: %v", e, err)
				}
				if up, err := n.Above(t.Context(), b); e < at && (err != nil || up.Tipset.Parents() != b.Tipset.Key()) {
					t.Errorf("above epoch %d: %v", e, err)
				}
				checked++
			}
			if checked < 5 {
				t.Errorf("only %d blocks were looked at", checked)
			}
			if b, err := n.ByHash(t.Context(), eth.Hash{1}); err != nil || b != nil {
				t.Errorf("an unknown block: %v, %v", b, err)
			}
			if _, _, ok, err := n.Find(t.Context(), eth.Hash{1}); ok || err != nil {
				t.Errorf("an unknown transaction: %v, %v", ok, err)
			}
			if above := byEpoch[wants[len(wants)-3].Epoch]; above != nil && len(above.Messages) > 0 {
				ts := c.At(t, above.Epoch)
				key, err := ts.Key().CID()
				if err != nil {
					t.Fatal(err)
				}
				h, err := eth.HashOf(key)
				if err != nil {
					t.Fatal(err)
				}
				if b, err := n.ByHash(t.Context(), h); b != nil || err != nil {
					t.Errorf("a block above the fork is there: %v, %v", b, err)
				}
			}
			if b, err := n.Until(t.Context(), 0); err != nil || b.Epoch() != 0 || b.Tipset.Key() != c.Tipsets[0].Key() {
				t.Errorf("the genesis: %v", err)
			}
		})
	}
}

// openArchive is the chain as an archive that has its genesis' state alone.
func openArchive(t testing.TB, c *standin.Chain) *Source {
	t.Helper()
	head := c.Tipsets[len(c.Tipsets)-1]
	s, err := Open(t.Context(), Options{
		Archive: c.Blocks, Roots: head.CIDs, Name: c.Name + ".car", Network: c.Network, Engine: engine(t), States: blockstore.NewMemory(),
		Accounts: accounts(t), Balance: fil(5),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Randomness of epochs before the fork is the chain's.
func TestRandomnessBeforeFork(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	w := newWorld(t, c)
	s := w.source(Options{})
	at := c.Tipsets[18].Height()
	n := begin(t, w.fork(s, Where{Epoch: &at}), dev.Options{})
	cfg, err := n.Setting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules := chain.Rules{Network: s.Network(), State: c.Blocks}
	top := c.Tipsets[18]
	want := rules.Externs(chain.NewLine(c.Store, top).View(top), at, top.ParentStateRoot())
	for _, e := range []abi.ChainEpoch{at, at - 1, at - 2, at - 7, at - 12, at - 13, 3, 0} {
		a, aerr := want.ChainRandomness(t.Context(), e)
		b, berr := cfg.Externs.ChainRandomness(t.Context(), e)
		if aerr != nil || berr != nil || a != b {
			t.Errorf("tickets of epoch %d: %x %v, want %x %v", e, b, berr, a, aerr)
		}
		x, xerr := want.BeaconRandomness(t.Context(), e)
		y, yerr := cfg.Externs.BeaconRandomness(t.Context(), e)
		if (xerr == nil) != (yerr == nil) || x != y {
			t.Errorf("the beacon of epoch %d: %x %v, want %x %v", e, y, yerr, x, xerr)
		}
		p, perr := want.TipsetCID(t.Context(), e)
		q, qerr := cfg.Externs.TipsetCID(t.Context(), e)
		if perr != nil || qerr != nil || p != q {
			t.Errorf("the tipset of epoch %d: %s %v, want %s %v", e, q, qerr, p, perr)
		}
	}
	if _, err := cfg.Externs.BeaconRandomness(t.Context(), at+1); err != nil {
		t.Errorf("the beacon of the epoch at hand: %v", err)
	}
}

// A chain that is kept goes on upon the tipset that it was begun with, wherever its node is by then.
func TestKeptFork(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	w := newWorld(t, c)
	w.node.SetHead(c.Tipsets[14])
	s := w.source(Options{Accounts: accounts(t), Balance: fil(1000)})
	store, dir := blockstore.NewMemory(), t.TempDir()
	open := func() dev.Journal {
		j, err := dev.OpenJournal(dir+"/journal", false)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	n, err := dev.New(t.Context(), dev.Options{Fork: w.fork(s, Where{}), Store: store, Journal: open(), Engine: engine(t)})
	if err != nil {
		t.Fatal(err)
	}
	first := n.First()
	transfer(t, n, 9)
	root, time := n.Latest().Root, n.Latest().Timestamp()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	w.node.SetHead(c.Tipsets[20])
	j := open()
	at, err := dev.ForkedAt(t.Context(), j)
	if err != nil || chain.NewKey(at...) != first.Tipset.Key() {
		t.Fatalf("it began at %v, %v", at, err)
	}
	n, err = dev.New(t.Context(), dev.Options{Fork: w.fork(s, Where{Tipset: at}), Store: store, Journal: j, Engine: engine(t)})
	if err != nil {
		t.Fatal(err)
	}
	if b := n.Latest(); b.Root != root || b.Timestamp() != time || b.Epoch() != first.Epoch()+1 || len(b.Messages) != 1 {
		t.Errorf("it goes on at epoch %d with %s", b.Epoch(), b.Root)
	}
	transfer(t, n, 10)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]dev.Options{"another tipset": {Fork: w.fork(s, Where{})}, "no fork": {Genesis: genesis.Options{}}} {
		j := open()
		o.Store, o.Journal, o.Engine = store, j, engine(t)
		if _, err := dev.New(t.Context(), o); !errors.Is(err, dev.ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
		if c, ok := j.(interface{ Close() error }); ok {
			_ = c.Close()
		}
	}
}

// A reset forks somewhere else, and a chain that began with its own genesis may fork by it.
func TestResetTo(t *testing.T) {
	t.Parallel()
	c := load(t, testdata, "two29")
	w := newWorld(t, c)
	s := w.source(Options{Accounts: accounts(t), Balance: fil(3)})
	n, err := dev.New(t.Context(), dev.Options{Engine: engine(t), BlockTime: c.Network.BlockDelay})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	transfer(t, n, 1)
	for _, i := range []int{12, 5, 15} {
		at := c.Tipsets[i].Height()
		if err := n.ResetTo(t.Context(), w.fork(s, Where{Epoch: &at})); err != nil {
			t.Fatal(err)
		}
		if n.Latest().Epoch() != at || n.Len() != 1 || n.Fork() == nil {
			t.Fatalf("after a reset to epoch %d it is at %d", at, n.Latest().Epoch())
		}
		if got, err := n.Balance(t.Context(), n.Latest(), accounts(t)[0]); err != nil || !got.Equals(fil(3)) {
			t.Errorf("the account has %s, %v", got, err)
		}
		transfer(t, n, 2)
	}
	if _, err := s.At(t.Context(), Where{Epoch: new(abi.ChainEpoch)}); err == nil {
		t.Log("the genesis can be forked")
	}
	for name, e := range map[string]abi.ChainEpoch{"the head": c.Tipsets[len(c.Tipsets)-1].Height(), "above it": 1 << 40, "negative": -5} {
		if _, err := s.At(t.Context(), Where{Epoch: &e}); !errors.Is(err, ErrFork) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
