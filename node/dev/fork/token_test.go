package fork

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
)

// served is a development node behind the methods of a Filecoin node, so far away.
type served struct {
	*devtest.Net
	url      string
	requests atomic.Int64
	far      time.Duration
	dir      string
	disks    remote.Memories
}

func serve(t testing.TB, o dev.Options) *served {
	t.Helper()
	o.Engine = engine(t)
	v := &served{Net: devtest.New(t, o), dir: t.TempDir()}
	api, err := filapi.OfNode(v.Node, filapi.NodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ms := &jsonrpc.Methods{}
	api.Register(ms)
	s := jsonrpc.New(ms, jsonrpc.Options{})
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.requests.Add(1)
		time.Sleep(v.far)
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	v.url = h.URL
	return v
}

// fork opens the node's chain; what is kept stays for the next one. end closes it.
func (v *served) fork(t testing.TB, o Options) (s *Source, end func()) {
	t.Helper()
	a, err := lotusrpc.ParseAddress(v.url)
	if err != nil {
		t.Fatal(err)
	}
	if o.Disk, err = OpenDisk(v.dir, 0, v.disks.Open); err != nil {
		t.Fatal(err)
	}
	o.Node = lotusrpc.New(lotusrpc.Options{Address: a, Timeout: 5 * time.Second})
	o.Network, o.Engine, o.Accounts, o.Balance = v.Network(), engine(t), accounts(t), fil(77)
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		s.Close()
		o.Node.Close()
		if err := o.Disk.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return s, end
}

func read(t testing.TB, n *dev.Node, at [20]byte, data []byte) (string, error) {
	t.Helper()
	from, to := eth.Address(n.Genesis().Accounts[1].Eth), eth.Address(at)
	msg, err := (&eth.Call{From: &from, To: &to, Input: data}).Message(eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	msg.GasLimit = 10_000_000_000
	res, err := n.Call(t.Context(), n.Latest(), msg, dev.CallOptions{Next: true})
	if err != nil {
		return "", err
	}
	if res.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", res.ExitCode, res.Failure)
	}
	return hex.EncodeToString(res.Return), nil
}

// The first call of a token on a fork of a node that is far away takes less than a second and fetches each block once; the second run,
// offline, fetches none. Its holder sends tokens without a key.
func TestToken(t *testing.T) {
	v := serve(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
	token := v.Deploy(t, 0, devtest.Token())
	holder := v.Account(0)
	v.far = 50 * time.Millisecond
	want := "000000000000000000000000000000000000000000000100000000000000000000"[2:] // 2^80
	for _, offline := range []bool{false, true} {
		s, end := v.fork(t, Options{Offline: offline})
		f, err := s.At(t.Context(), Where{})
		if err != nil {
			t.Fatal(err)
		}
		n := begin(t, f, dev.Options{Clock: func() time.Time { return devtest.Begin }})
		if n.Latest().Hash != v.Latest().Hash {
			t.Fatalf("forked at epoch %d", n.Latest().Epoch())
		}
		before, requests, start := s.Stats(), v.requests.Load(), time.Now()
		got, err := read(t, n, token, devtest.BalanceOf(holder.Eth))
		took, after := time.Since(start), s.Stats()
		if err != nil || !strings.HasSuffix(got, want) {
			t.Fatalf("a balance of %s, %v", got, err)
		}
		t.Logf("offline %t: %s, %d blocks, %d requests, after %d blocks at the start", offline, took, after.Fetched-before.Fetched, v.requests.Load()-requests, before.Fetched)
		if took > time.Second {
			t.Errorf("the first call took %s", took)
		}
		if _, err = read(t, n, token, devtest.BalanceOf(holder.Eth)); err != nil || s.Stats().Fetched != after.Fetched {
			t.Errorf("the second call fetched %d blocks more", s.Stats().Fetched-after.Fetched)
		}
		if offline && (after.Fetched != 0 || v.requests.Load() != requests) {
			t.Errorf("offline %d blocks were fetched, by %d requests", after.Fetched, v.requests.Load()-requests)
		}
		n.Impersonate(holder.F410)
		_, kept, err := n.Actor(t.Context(), n.Latest(), holder.F410)
		if err != nil {
			t.Fatal(err)
		}
		from, to := eth.Address(holder.Eth), eth.Address(token)
		msg, err := (&eth.Call{From: &from, To: &to, Input: devtest.Transfer(n.Genesis().Accounts[2].Eth, 5)}).Message(eth.Tools)
		if err != nil {
			t.Fatal(err)
		}
		msg.Nonce, msg.GasLimit, msg.GasFeeCap, msg.GasPremium = kept.Nonce, 100_000_000, big.NewInt(1e9), big.Zero()
		start = time.Now()
		sent, err := n.Submit(t.Context(), msg, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("offline %t: a transfer, with its block's cron: %s, %d blocks", offline, time.Since(start), s.Stats().Fetched-after.Fetched)
		b, i, _ := n.Transaction(sent.Hash)
		if r := b.Messages[i].Result; r.ExitCode != 0 || len(r.Events) != 1 {
			t.Errorf("%+v", r)
		}
		// The same message on the chain itself comes to the same.
		if !offline {
			twin := devtest.New(t, dev.Options{Engine: engine(t), Genesis: genesis.Options{Miners: 1}})
			twin.Deploy(t, 0, devtest.Token())
			twin.Impersonate(holder.F410)
			again, err := twin.Submit(t.Context(), msg, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, j, _ := twin.Node.Transaction(again.Hash)
			x, y := b.Messages[i].Result, c.Messages[j].Result
			if x.GasUsed != y.GasUsed || x.ExitCode != y.ExitCode || *x.EventsRoot != *y.EventsRoot {
				t.Errorf("on the fork %d gas, events %s; on the chain %d, %s", x.GasUsed, x.EventsRoot, y.GasUsed, y.EventsRoot)
			}
		}
		if out, err := read(t, n, token, devtest.BalanceOf(n.Genesis().Accounts[2].Eth)); err != nil || !strings.HasSuffix(out, "05") {
			t.Errorf("the receiver has %s, %v", out, err)
		}
		// The deployment is in the past, with the receipt that the chain gave.
		if !offline {
			want := v.Latest().Messages[0]
			b, i, ok, err := n.FindMessage(t.Context(), want.CID)
			if err != nil || !ok || b.Messages[i].Result.GasUsed != want.Result.GasUsed {
				t.Fatalf("the deployment: %v, %v", ok, err)
			}
			// A message that was executed on the fork is a vector of its own.
			if _, err := n.ExtractVector(t.Context(), n.Latest(), 0, t.TempDir()); err != nil {
				t.Error(err)
			}
			if res, err := n.Trace(t.Context(), b, i); err != nil || len(res.Trace) == 0 || res.GasUsed != want.Result.GasUsed {
				t.Errorf("a trace of it: %v", err)
			}
		}
		end()
	}
}
