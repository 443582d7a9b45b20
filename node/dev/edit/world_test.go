package edit

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// versions have actors 10, 15, 16 and 18: before and since contracts keep transient slots.
var versions = []netver.Version{18, 24, 25, 28}

var geneses sync.Map // by version: func() (*genesis.Genesis, error)

// world is a genesis that a test changes.
type world struct {
	t *testing.T
	*Editor
	g     *genesis.Genesis
	epoch abi.ChainEpoch
}

func begin(t *testing.T, nv netver.Version) *world {
	t.Helper()
	once, _ := geneses.LoadOrStore(nv, sync.OnceValues(func() (*genesis.Genesis, error) {
		return genesis.Make(context.Background(), blockstore.NewMemory(), genesis.Options{NetworkVersion: nv})
	}))
	g, err := once.(func() (*genesis.Genesis, error))()
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), &blockstore.Overlay{Top: blockstore.NewMemory(), Base: g.Store}, g.Root)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, Editor: e, g: g, epoch: 10}
}

// drawn answers what a chain would.
type drawn struct{}

func (drawn) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{1}, nil
}
func (drawn) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{2}, nil
}
func (drawn) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, nil
}
func (drawn) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, externs.ErrNodeFailure
}

func (w *world) config() fvm.Config {
	return fvm.Config{
		NetworkVersion: w.g.NetworkVersion, Epoch: w.epoch, ChainID: w.g.ChainID, BaseFee: big.NewInt(100), CircSupply: big.Mul(big.NewInt(1e9), big.NewInt(1e18)), Externs: drawn{},
	}
}

// result executes a message on the state, and the state is what it leaves.
func (w *world) result(msg fvm.Message) *fvm.Result {
	w.t.Helper()
	root, err := w.Flush(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := w.config()
	cfg.StateRoot, cfg.Blockstore = root, w.base
	m, err := fvm.New(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	if msg.Value.Int == nil {
		msg.Value = big.Zero()
	}
	msg.GasLimit, msg.GasFeeCap, msg.GasPremium = 9_000_000_000, big.NewInt(200), big.Zero()
	res, err := m.Apply(w.t.Context(), &msg, fvm.Explicit, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	if root, err = m.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.must(w.load(w.t.Context(), root))
	return res
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// send sends from an account of the genesis, and must succeed.
func (w *world) send(from int, to address.Address, method abi.MethodNum, params []byte, value int64) []byte {
	w.t.Helper()
	me := w.g.Accounts[from].F410
	_, st, err := w.Actor(w.t.Context(), me)
	w.must(err)
	res := w.result(fvm.Message{From: me, To: to, Nonce: st.Nonce, Method: method, Params: params, Value: big.NewInt(value)})
	if res.ExitCode != 0 {
		w.t.Fatalf("exit code %d: %s", res.ExitCode, res.Failure)
	}
	return res.Return
}

// invoke calls a contract.
func (w *world) invoke(to address.Address, data []byte) []byte {
	w.t.Helper()
	r := cbor.NewReader(w.send(0, to, 3844450837, cbor.AppendBytes(nil, data), 0))
	return r.Bytes()
}

// create deploys a contract as wallets do.
func (w *world) create(runtime []byte) (address.Address, [20]byte) {
	w.t.Helper()
	n := len(runtime)
	// PUSH2 n, DUP1, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 0, RETURN
	init := append([]byte{0x61, byte(n >> 8), byte(n), 0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xf3}, runtime...)
	r := cbor.NewReader(w.send(0, addr.NewID(10), 4, cbor.AppendBytes(nil, init), 0))
	r.Tuple(3)
	id := r.Uint()
	r.Raw()
	return addr.NewID(id), [20]byte(r.Bytes())
}

func (w *world) head(a address.Address) cid.Cid {
	w.t.Helper()
	_, st, err := w.Actor(w.t.Context(), a)
	w.must(err)
	return st.Head
}

func eth(b byte) address.Address { return addr.FromEthereum([20]byte(bytes.Repeat([]byte{b}, 20))) }

func word(n int64) (w [32]byte) {
	big.NewInt(n).FillBytes(w[:])
	return w
}

func code(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(fmt.Sprint(text, ": ", err))
	}
	return b
}

// Contracts for tests. store takes pairs of slot and value and keeps them: for i := 0; i < CALLDATASIZE; i += 64 { SSTORE }. load gives
// the slot that it is called with. size gives EXTCODESIZE of an address.
var (
	store = code("60005b368110600a57005b8060200135813555604001600256")
	load  = code("60003554" + "60005260206000f3")
	size  = code("6000353b" + "60005260206000f3")
)
