package kernel_test

import (
	"context"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/trace"
)

const (
	self   = 100
	other  = 101
	epoch  = 5_000_000
	plenty = 100_000_000_000 // gas
)

// world is a running actor: the kernel, the machine, and what was charged.
type world struct {
	*kernel.Kernel
	t     *testing.T
	m     *machine.Machine
	calls *call.Manager
	paid  map[string]uint64 // gas by charge, what is not whole rounded down
}

func code(name string) cid.Cid {
	return cbor.Blake2bCID(0x55, crypto.Blake2b256([]byte("code of "+name)))
}

func newWorld(t *testing.T, nv network.Version, limit uint64) *world {
	t.Helper()
	store := blockstore.NewBuffered(blockstore.NewMemory())
	var entries []actors.Entry
	for _, n := range []string{"system", "init", "account", "placeholder", "eam", "ethaccount"} {
		entries = append(entries, actors.Entry{Name: n, Code: code(n)})
	}
	manifest, err := actors.NewManifest(entries)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, paid: map[string]uint64{}}
	w.m = &machine.Machine{
		Context: machine.Context{NetworkVersion: nv, Epoch: epoch, ChainID: 314},
		Store:   store, Tree: state.New(store), Manifest: manifest, Externs: &node{}, Proofs: &verifier{},
		Hooks: &trace.Hooks{OnGasCharge: func(c trace.GasCharge) { w.paid[c.Name] += (c.Compute + c.Other) / 1000 }},
	}
	if w.m.Profile, err = machine.ProfileFor(nv, false); err != nil {
		t.Fatal(err)
	}
	if w.m.Prices, err = gas.PricesFor(nv, false); err != nil {
		t.Fatal(err)
	}
	store.PutRaw(machine.EmptyArray(), []byte{0x80})
	for _, id := range []abi.ActorID{self, other, 99} {
		if err := w.m.Tree.SetActor(id, state.ActorState{Code: code("account"), Head: machine.EmptyArray(), Balance: big.NewInt(50)}); err != nil {
			t.Fatal(err)
		}
	}
	w.calls = call.NewManager(w.m, nil, call.Message{GasLimit: limit, Origin: 102, From: addr.NewID(102), To: addr.NewID(self), Nonce: 3})
	w.Kernel = kernel.New(w.calls, kernel.Invocation{Caller: other, Self: self, Method: 2, Value: big.Zero()})
	return w
}

// store keeps a block and returns its CID.
func (w *world) store(codec uint64, data []byte) cid.Cid {
	c := cbor.Blake2bCID(codec, crypto.Blake2b256(data))
	w.m.Store.PutRaw(c, data)
	return c
}

// links is a DAG-CBOR list of links.
func links(cs ...cid.Cid) []byte {
	data := cbor.AppendArray(nil, len(cs))
	for _, c := range cs {
		data = cbor.AppendCID(data, c)
	}
	return data
}

// node answers with the round that it was asked for.
type node struct{ err error }

func (n *node) ChainRandomness(_ context.Context, e abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{0xc0, byte(e)}, n.err
}

func (n *node) BeaconRandomness(_ context.Context, e abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{0xbe, byte(e)}, n.err
}

func (n *node) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, n.err
}

func (n *node) TipsetCID(_ context.Context, e abi.ChainEpoch) (cid.Cid, error) {
	return code("tipset"), n.err
}

// verifier remembers what it was asked.
type verifier struct {
	ok    bool
	err   error
	posts []proof.WindowPoStVerifyInfo
	seals int
}

func (v *verifier) VerifySeal(_ context.Context, i proof.SealVerifyInfo) (bool, error) {
	v.seals++
	if i.Number == 13 {
		return true, v.err
	}
	return i.Number%2 == 0, nil
}

func (v *verifier) VerifyAggregateSeals(context.Context, proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return v.ok, v.err
}

func (v *verifier) VerifyPoSt(_ context.Context, i proof.WindowPoStVerifyInfo) (bool, error) {
	v.posts = append(v.posts, i)
	return v.ok, v.err
}

func (v *verifier) VerifyReplicaUpdate(context.Context, proof.ReplicaUpdateInfo) (bool, error) {
	return v.ok, v.err
}

// freeVerifier is the verifier of the official vectors.
type freeVerifier struct{ verifier }

func (*freeVerifier) BatchVerifySealsIsFree() bool { return true }
