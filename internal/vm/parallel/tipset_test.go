package parallel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/vector"
)

// ground is a state to run tipsets on, with what is found in it. Its store is not changed.
type ground struct {
	cfg      fvm.Config
	store    blockstore.Blockstore
	accounts []account
	miner    address.Address
	worker   abi.ActorID // an account with a BLS key
}

type account struct {
	id    abi.ActorID
	nonce uint64
}

var tipsetActors = vector.NewActors(bundle.Options{Progress: os.Stderr})

// newGround opens one of the worlds of package fuzz, which are whole: cron and rewards run on them.
func newGround(t testing.TB, nv network.Version) *ground {
	t.Helper()
	ctx := t.Context()
	text, err := os.ReadFile("../../../lab/fuzz/worlds/worlds.json")
	if err != nil {
		t.Fatal(err)
	}
	type world struct {
		NV       network.Version `json:"nv"`
		Bundle   string          `json:"bundle"`
		Epoch    abi.ChainEpoch  `json:"epoch"`
		Accounts []struct {
			Kind string      `json:"kind"`
			ID   abi.ActorID `json:"id"`
		} `json:"accounts"`
	}
	var worlds []world
	if err := json.Unmarshal(text, &worlds); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(worlds, func(w world) bool { return w.NV == nv })
	if at < 0 {
		t.Fatalf("there is no world of network version %d", nv)
	}
	car, err := os.Open(fmt.Sprintf("../../../lab/fuzz/worlds/nv%d.car.gz", nv))
	if err != nil {
		t.Fatal(err)
	}
	defer car.Close()
	top := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(ctx, car, top, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	code, err := tipsetActors.Store(ctx, worlds[at].Bundle)
	if err != nil {
		t.Fatal(err)
	}
	g := &ground{store: &blockstore.Overlay{Top: top, Base: code}}
	g.cfg = fvm.Config{
		NetworkVersion: nv, Epoch: worlds[at].Epoch, Timestamp: uint64(worlds[at].Epoch) * 30, ChainID: 314, BaseFee: big.NewInt(100),
		StateRoot: roots[0], Blockstore: g.store,
	}
	buf := blockstore.NewBuffered(g.store)
	tree, err := state.Load(ctx, buf, g.cfg.StateRoot, state.Versions()...)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := actors.LoadManifest(ctx, tree, buf, "account")
	if err != nil {
		t.Fatal(err)
	}
	err = tree.ForEach(ctx, func(id abi.ActorID, st *state.ActorState) error {
		if kind, _ := manifest.Name(st.Code); kind == "account" && id != actors.BurntFunds && st.Balance.GreaterThan(big.NewInt(1e18)) {
			g.accounts = append(g.accounts, account{id, st.Nonce})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.accounts) < 3 {
		t.Fatalf("the world has %d accounts with funds", len(g.accounts))
	}
	for _, a := range worlds[at].Accounts {
		if a.Kind == "bls" {
			g.worker = a.ID
		}
	}
	// An account may stand for a miner: it cannot be paid, so that the reward is burnt.
	g.miner = idAddress(g.accounts[0].id)
	return g
}

func idAddress(id abi.ActorID) address.Address {
	a, err := address.NewIDAddress(uint64(id))
	if err != nil {
		panic(err)
	}
	return a
}

// config is the ground's, over a store of its own.
func (g *ground) config() fvm.Config {
	cfg := g.cfg
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: g.store}
	return cfg
}

func transfer(from account, nonce uint64, to address.Address, value int64) *fvm.Message {
	return &fvm.Message{
		From: idAddress(from.id), To: to, Nonce: nonce, Value: big.NewInt(value), GasLimit: 10_000_000,
		GasFeeCap: big.NewInt(1000), GasPremium: big.NewInt(7),
	}
}

// A tipset is its null rounds' cron, its messages without duplicates, the blocks' rewards, and cron: the same as a node
// does with machines. It is so for any number of workers.
func TestApplyTipset(t *testing.T) {
	first, last, _ := fvm.NetworkVersions()
	for nv := first; nv <= last; nv++ {
		for _, workers := range []int{1, 3} {
			t.Run(fmt.Sprint("nv", nv, "/", workers), func(t *testing.T) { testTipset(t, nv, workers) })
		}
	}
}

func testTipset(t *testing.T, nv network.Version, workers int) {
	g := newGround(t, nv)
	a, b, c := g.accounts[0], g.accounts[1], g.accounts[2]
	first := transfer(a, a.nonce, idAddress(b.id), 5)
	wrong := transfer(c, c.nonce+9, idAddress(c.id), 5) // its nonce: a penalty for the miner
	second := transfer(b, b.nonce, idAddress(a.id), 6)
	copied := *first
	ts := fvm.Tipset{
		Config: g.config(), ParentEpoch: g.cfg.Epoch - 2, Workers: workers,
		Blocks: []fvm.TipsetBlock{
			{Miner: g.miner, WinCount: 1, Messages: chain(100, first, wrong)},
			{Miner: g.miner, WinCount: 2, Messages: append(chain(100, &copied), chain(120, second)...)},
		},
	}
	got, err := fvm.ApplyTipset(t.Context(), ts)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Receipts) != 3 || len(got.Rewards) != 2 || len(got.NullRounds) != 1 || got.Merged+got.Repeated+got.Serial != 3 {
		t.Fatalf("%d receipts, %d rewards, %d null rounds, %+v", len(got.Receipts), len(got.Rewards), len(got.NullRounds), got)
	}
	if got.Receipts[0].ExitCode != 0 || got.Receipts[1].Penalty.IsZero() || got.Receipts[2].MinerTip.IsZero() {
		t.Fatal("the receipts are not what the messages were made for")
	}

	cfg := g.config()
	cfg.Epoch, cfg.Timestamp = cfg.Epoch-1, cfg.Timestamp-30
	null := newNode(t, cfg)
	null.system(3, nil)
	cfg.Epoch, cfg.Timestamp, cfg.StateRoot = cfg.Epoch+1, cfg.Timestamp+30, null.flush()
	m := newNode(t, cfg)
	r1, r2 := m.apply(first, fvm.Explicit, 100), m.apply(wrong, fvm.Explicit, 100)
	m.system(2, awardParams(t, g.miner, big.Add(r1.Penalty, r2.Penalty), big.Add(r1.MinerTip, r2.MinerTip), 1))
	r3 := m.apply(second, fvm.Explicit, 120)
	m.system(2, awardParams(t, g.miner, r3.Penalty, r3.MinerTip, 2))
	m.system(3, nil)
	if root := m.flush(); root != got.Root {
		t.Errorf("root %s, machines alone give %s", got.Root, root)
	}
}

// chain is messages of a length on the chain.
func chain(length int, msgs ...*fvm.Message) (list []fvm.ChainMessage) {
	for _, m := range msgs {
		list = append(list, fvm.ChainMessage{Message: m, ChainLength: length})
	}
	return list
}

// node does by hand what a tipset does.
type node struct {
	*testing.T
	*fvm.Machine
	epoch abi.ChainEpoch
}

func newNode(t *testing.T, cfg fvm.Config) *node {
	t.Helper()
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &node{t, m, cfg.Epoch}
}

func (n *node) apply(msg *fvm.Message, kind fvm.Kind, length int) *fvm.Result {
	n.Helper()
	res, err := n.Apply(n.Context(), msg, kind, length)
	if err != nil {
		n.Fatal(err)
	}
	return res
}

func (n *node) system(to abi.ActorID, params []byte) {
	n.Helper()
	res := n.apply(&fvm.Message{
		From: idAddress(0), To: idAddress(to), Nonce: uint64(n.epoch), Method: 2, Params: params, GasLimit: math.MaxInt64 / 2,
		Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	}, fvm.Implicit, 0)
	if res.ExitCode != 0 {
		n.Fatal(res.Failure)
	}
}

func (n *node) flush() cid.Cid {
	n.Helper()
	root, err := n.Flush(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	return root
}

// awardParams is written by hand: [miner, penalty, gas reward, win count].
func awardParams(t *testing.T, miner address.Address, penalty, tips abi.TokenAmount, wins byte) []byte {
	t.Helper()
	b := bytes.NewBuffer([]byte{0x84})
	for _, f := range []func() error{
		func() error { return miner.MarshalCBOR(b) },
		func() error { return penalty.MarshalCBOR(b) },
		func() error { return tips.MarshalCBOR(b) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	return append(b.Bytes(), wins)
}
