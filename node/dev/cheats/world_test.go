package cheats

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// begun is when the clock of tests stands, in seconds since 1970.
const begun = 1_800_000_000

// world is a node whose methods a test calls.
type world struct {
	t *testing.T
	n *dev.Node
	c *jsonrpc.Client
	// clock stands still unless a test moves it.
	mu  sync.Mutex
	now time.Time
}

func begin(t *testing.T, o dev.Options) *world {
	t.Helper()
	w := &world{t: t, now: time.Unix(begun, 0)}
	o.Clock = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.now
	}
	if o.Store == nil {
		o.Store = blockstore.NewMemory()
	}
	n, err := dev.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	ms := &jsonrpc.Methods{}
	Register(ms, n, Options{ClientVersion: "anvil/v1.7.1-test"})
	w.n, w.c = n, jsonrpc.New(ms, jsonrpc.Options{}).Client()
	return w
}

// ask calls a method with a list of parameters as it is sent, and gives the result as it came. "" means no parameters.
func (w *world) ask(method, params string) (string, error) {
	w.t.Helper()
	var list []any
	if params != "" {
		var raw []json.RawMessage
		if err := json.Unmarshal([]byte(params), &raw); err != nil {
			w.t.Fatalf("%s: %v", params, err)
		}
		for _, r := range raw {
			list = append(list, r)
		}
	}
	var out json.RawMessage
	err := w.c.Call(w.t.Context(), &out, method, list...)
	return string(out), err
}

// must calls a method, which must succeed, and compares what it gives.
func (w *world) must(method, params, want string) string {
	w.t.Helper()
	got, err := w.ask(method, params)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, params, err)
	}
	if want != "" && got != want {
		w.t.Fatalf("%s %s gives %s, not %s", method, params, got, want)
	}
	return got
}

// fails calls a method, which must fail with a code, and words.
func (w *world) fails(method, params string, code int, words string) {
	w.t.Helper()
	got, err := w.ask(method, params)
	var e *jsonrpc.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, words) {
		w.t.Errorf("%s %s gives %s, %v; want the code %d and %q", method, params, got, err, code, words)
	}
}

func (w *world) epoch() int64 { return int64(w.n.Latest().Epoch()) }

// account is one of the genesis in Ethereum's form.
func (w *world) account(i int) string {
	return eth.Address(w.n.Genesis().Accounts[i].Eth).String()
}

// send sends a transaction of an account, and gives its hash; the node mines it or keeps it.
func (w *world) send(from int, to string, data []byte, value int64) eth.Hash {
	w.t.Helper()
	a := w.n.Genesis().Accounts[from]
	nonce, err := w.n.PendingNonce(w.t.Context(), a.F410)
	if err != nil {
		w.t.Fatal(err)
	}
	tx := w.transaction(from, nonce, to, data, value)
	sent, err := w.n.SubmitTransaction(w.t.Context(), tx)
	if err != nil {
		w.t.Fatal(err)
	}
	return sent.Hash
}

func (w *world) transaction(from int, nonce uint64, to string, data []byte, value int64) *ethtx.Transaction {
	w.t.Helper()
	a := w.n.Genesis().Accounts[from]
	tx := &ethtx.Transaction{
		Dynamic: true, ChainID: w.n.ChainID(), Nonce: nonce, GasLimit: 100_000_000, Premium: big.Zero().Int, FeeCap: big.NewInt(1_000_000_000).Int,
		Value: big.NewInt(value).Int, Input: data,
	}
	if to != "" {
		var e eth.Address
		if err := e.UnmarshalJSON([]byte(`"` + to + `"`)); err != nil {
			w.t.Fatal(err)
		}
		tx.To = e[:]
	}
	tx.Sign(secp256k1.PrivKeyFromBytes(a.Private[:]))
	return tx
}

// executed is a transaction of the chain.
func (w *world) executed(h eth.Hash) *dev.Executed {
	w.t.Helper()
	b, i, ok := w.n.Transaction(h)
	if !ok {
		w.t.Fatalf("%s is not on the chain", h)
	}
	return b.Messages[i]
}

// call asks a contract.
func (w *world) call(to string, data []byte) []byte {
	w.t.Helper()
	var a, from eth.Address
	if err := a.UnmarshalJSON([]byte(`"` + to + `"`)); err != nil {
		w.t.Fatal(err)
	}
	c := eth.Call{From: &from, To: &a, Input: data}
	m, err := c.Message(eth.Tools)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := w.n.Call(w.t.Context(), w.n.Latest(), m, dev.CallOptions{Next: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if res.ExitCode != 0 {
		w.t.Fatalf("exit code %d: %s", res.ExitCode, res.Failure)
	}
	r := cbor.NewReader(res.Return)
	return r.Bytes()
}

// actor is one of the latest state.
func (w *world) actor(a string) *fvm.ActorState {
	w.t.Helper()
	var x Address
	if err := x.UnmarshalJSON([]byte(`"` + a + `"`)); err != nil {
		w.t.Fatal(err)
	}
	_, st, err := w.n.Actor(w.t.Context(), w.n.Latest(), x.Address)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

func (w *world) balance(a string) string {
	if st := w.actor(a); st != nil {
		return st.Balance.String()
	}
	return "nobody"
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

func contains(t *testing.T, s, words string) {
	t.Helper()
	if !strings.Contains(s, words) {
		t.Errorf("%.500s does not have %s", s, words)
	}
}

func zeros(n int) string { return strings.Repeat("0", n) }
