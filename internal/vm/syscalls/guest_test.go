package syscalls_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/trace"
)

const (
	memSize = 4096
	self    = 0x0a0b
	other   = 0x0c0d
)

// guest is an engine's instance without an engine: its memory and its counter.
type guest struct {
	t       testing.TB
	mem     []byte
	counter int64
	inv     *syscalls.Invocation
	inside  syscalls.Inside // as long as no step was made in the test itself
	code    func() error    // of all exports
	m       *machine.Machine
	charges []trace.GasCharge // since the last call began
	funcs   map[string]engine.HostFunc
}

func (g *guest) Call(context.Context, string, []uint64) error { return g.code() }
func (*guest) Close(context.Context) error                    { return nil }
func (g *guest) Memory() []byte                               { return g.mem }
func (g *guest) Counter() int64                               { return g.counter }
func (g *guest) SetCounter(n int64)                           { g.counter = n }
func (g *guest) Data() any                                    { return g.inv }

// account is a call stack's memory of at most limit bytes.
type account struct{ used, limit uint64 }

func (a *account) Used() uint64 { return a.used }

func (a *account) Grow(n uint64) bool {
	if a.used+n > a.limit {
		return false
	}
	a.used += n
	return true
}

func code(name string) cid.Cid {
	return cbor.Blake2bCID(0x55, crypto.Blake2b256([]byte("code of "+name)))
}

// newGuest is the actor self, called by other with gas left, and given gas once.
func newGuest(t testing.TB, nv network.Version, limit uint64) *guest {
	t.Helper()
	g := &guest{t: t, mem: bytes.Repeat([]byte{0xaa}, memSize), funcs: map[string]engine.HostFunc{}}
	store := blockstore.NewBuffered(blockstore.NewMemory())
	var entries []actors.Entry
	for _, n := range []string{"system", "init", "account", "placeholder", "eam", "ethaccount"} {
		entries = append(entries, actors.Entry{Name: n, Code: code(n)})
	}
	manifest, err := actors.NewManifest(entries)
	if err != nil {
		t.Fatal(err)
	}
	g.m = &machine.Machine{
		Context: machine.Context{
			NetworkVersion: nv, Epoch: 0x11223344, Timestamp: 0x0102030405060708, ChainID: 0x0a0b0c0d0e0f1011,
			BaseFee: amount(t, "18446744073709551618"), CircSupply: amount(t, "36893488147419103235"),
		},
		Store: store, Tree: state.New(store), Manifest: manifest, Externs: chain{}, Proofs: verifier{},
		Hooks: &trace.Hooks{OnGasCharge: func(c trace.GasCharge) { g.charges = append(g.charges, c) }},
	}
	if g.m.Profile, err = machine.ProfileFor(nv, false); err != nil {
		t.Fatal(err)
	}
	if g.m.Prices, err = gas.PricesFor(nv, false); err != nil {
		t.Fatal(err)
	}
	store.PutRaw(machine.EmptyArray(), []byte{0x80})
	delegated, err := addr.ParseAddress([]byte("\x04\x0aabc"))
	if err != nil {
		t.Fatal(err)
	}
	for id, a := range map[abi.ActorID]state.ActorState{
		self:  {Code: code("self"), Head: machine.EmptyArray(), Balance: amount(t, "18446744073709551617")},
		other: {Code: code("account"), Head: machine.EmptyArray(), Balance: big.NewInt(9), Delegated: &delegated},
	} {
		if err := g.m.Tree.SetActor(id, a); err != nil {
			t.Fatal(err)
		}
	}
	c := call.NewManager(g.m, nil, call.Message{
		GasLimit: limit, Origin: 0x0e0f, From: addr.NewID(0x0e0f), To: addr.NewID(self), Nonce: 0x0102030405060708, GasPremium: big.NewInt(0x77),
	})
	k := kernel.New(c, kernel.Invocation{Caller: other, Self: self, Method: 0x1112131415161718, Value: amount(t, "18446744073709551621")})
	var outside syscalls.Outside
	g.inv, outside = syscalls.NewInvocation(k, code("self"), &account{limit: machine.MaxMessageMemory}, g.m.Profile)
	for _, h := range syscalls.HostFuncs(g.m.Profile.ABI) {
		g.funcs[h.Module+"::"+h.Name] = h
	}
	g.inside = outside.Enter(g)
	return g
}

func amount(t testing.TB, s string) abi.TokenAmount {
	t.Helper()
	v, err := big.FromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// call makes a syscall and returns its error number.
func (g *guest) call(name string, args ...uint64) (uint32, error) {
	g.t.Helper()
	h, ok := g.funcs[name]
	if !ok || len(args) != len(h.Params) {
		g.t.Fatalf("%s does not take %d arguments", name, len(args))
	}
	stack := append(append([]uint64(nil), args...), 0)
	g.charges = nil
	err := h.Fn(g.t.Context(), g, stack)
	return uint32(stack[0]), err
}

func (g *guest) must(name string, args ...uint64) {
	g.t.Helper()
	if n, err := g.call(name, args...); n != 0 || err != nil {
		g.t.Fatalf("%s: errno %d, %v (%+v)", name, n, err, g.inv.Last)
	}
}

// charged is what the last call charged under a name, in milligas.
func (g *guest) charged(name string) (sum uint64, times int) {
	for _, c := range g.charges {
		if c.Name == name {
			sum += c.Compute + c.Other
			times++
		}
	}
	return sum, times
}

// write puts data into the memory and returns where and how long it is.
func (g *guest) write(off int, data []byte) (uint64, uint64) {
	copy(g.mem[off:], data)
	return uint64(off), uint64(len(data))
}

// chain is a node whose answers differ by kind.
type chain struct{}

func (chain) ChainRandomness(_ context.Context, e abi.ChainEpoch) (d [32]byte, _ error) {
	return [32]byte{0: 0xc0, 31: byte(e)}, nil
}

func (chain) BeaconRandomness(_ context.Context, e abi.ChainEpoch) (d [32]byte, _ error) {
	return [32]byte{0: 0xbe, 31: byte(e)}, nil
}

func (chain) VerifyConsensusFault(_ context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	if string(h1) != "a" || string(h2) != "bb" || string(extra) != "ccc" {
		return nil, nil
	}
	return &externs.ConsensusFault{Epoch: 0x0102030405060708, Target: 0x1112131415161718, Type: 3}, nil
}

func (chain) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) { return code("tipset"), nil }

// verifier finds seals of even miners valid and everything else invalid.
type verifier struct{}

func (verifier) VerifySeal(_ context.Context, i proof.SealVerifyInfo) (bool, error) {
	return i.Miner%2 == 0, nil
}

func (verifier) VerifyAggregateSeals(context.Context, proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return false, nil
}

func (verifier) VerifyPoSt(context.Context, proof.WindowPoStVerifyInfo) (bool, error) {
	return false, nil
}

func (verifier) VerifyReplicaUpdate(context.Context, proof.ReplicaUpdateInfo) (bool, error) {
	return false, nil
}

func isNodeFailure(err error) bool { return execerr.KindOf(err) == execerr.KindNode }

// unhex reads bytes in hex, spaces ignored.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	s = strings.Join(strings.Fields(s), "")
	out := make([]byte, len(s)/2)
	for i := range out {
		const digits = "0123456789abcdef"
		out[i] = byte(strings.IndexByte(digits, s[2*i])<<4 | strings.IndexByte(digits, s[2*i+1]))
	}
	return out
}

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}
