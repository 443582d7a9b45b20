package call

import (
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/trace"
)

const (
	sender   = 100
	receiver = 101
	script   = 102 // an actor whose code a test chooses
	plenty   = 1_000_000_000
	maxDepth = 1024 // calls of a message at once, since nv18
)

// world is a message's call stack over a small state.
type world struct {
	*Manager
	t     *testing.T
	store *blockstore.Buffered
	paid  map[string]int // charges by name, how often
}

func rawCID(data []byte) cid.Cid { return cbor.Blake2bCID(0x55, crypto.Blake2b256(data)) }

var builtins = []string{"system", "init", "account", "placeholder", "eam", "ethaccount"}

// newWorld takes the code of accounts, nil for one that the store lacks.
func newWorld(t *testing.T, nv network.Version, limit uint64, account []byte) *world {
	t.Helper()
	store := blockstore.NewBuffered(blockstore.NewMemory())
	w := &world{t: t, store: store, paid: map[string]int{}}
	var entries []actors.Entry
	for _, n := range builtins {
		entries = append(entries, actors.Entry{Name: n, Code: rawCID([]byte("code of " + n))})
	}
	if account != nil {
		entries[2].Code = w.put(account)
	}
	manifest, err := actors.NewManifest(entries)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine.Machine{
		Context: machine.Context{NetworkVersion: nv, BaseFee: big.Zero(), CircSupply: big.Zero()},
		Store:   store, Tree: state.New(store), Manifest: manifest,
		Hooks: &trace.Hooks{OnGasCharge: func(c trace.GasCharge) { w.paid[c.Name]++ }},
	}
	if m.Profile, err = machine.ProfileFor(nv, false); err != nil {
		t.Fatal(err)
	}
	if m.Prices, err = gas.PricesFor(nv, false); err != nil {
		t.Fatal(err)
	}
	store.PutRaw(machine.EmptyArray(), []byte{0x80})
	addresses := w.putCBOR([]byte{0x82, 0x40, 0x80}) // an empty map
	initState := cbor.AppendText(cbor.AppendUint(cbor.AppendCID(cbor.AppendArray(nil, 3), addresses), 1000), "test")
	for id, a := range map[abi.ActorID]state.ActorState{
		1:      {Code: entries[1].Code, Head: w.putCBOR(initState)},
		sender: {Code: entries[2].Code}, receiver: {Code: entries[2].Code},
	} {
		if !a.Head.Defined() {
			a.Head = machine.EmptyArray()
		}
		a.Balance = big.NewInt(1000)
		if err := m.Tree.SetActor(id, a); err != nil {
			t.Fatal(err)
		}
	}
	e, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(t.Context()) })
	modules, err := NewModules(t.Context(), e, m.Profile)
	if err != nil {
		t.Fatal(err)
	}
	w.Manager = NewManager(m, modules, Message{GasLimit: limit, Origin: sender, From: addr.NewID(sender), To: addr.NewID(receiver), Nonce: 5})
	return w
}

func (w *world) put(data []byte) cid.Cid {
	c := rawCID(data)
	w.store.PutRaw(c, data)
	return c
}

func (w *world) putCBOR(data []byte) cid.Cid {
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
	w.store.PutRaw(c, data)
	return c
}

// deploy gives the actor script its code.
func (w *world) deploy(code []byte) *world {
	w.t.Helper()
	return w.setCode(script, w.put(code))
}

func (w *world) setCode(id abi.ActorID, code cid.Cid) *world {
	w.t.Helper()
	if err := w.m.Tree.SetActor(id, state.ActorState{Code: code, Head: machine.EmptyArray(), Balance: big.Zero()}); err != nil {
		w.t.Fatal(err)
	}
	return w
}

func (w *world) balance(id abi.ActorID) int64 {
	w.t.Helper()
	st, err := w.m.Tree.Actor(w.t.Context(), id)
	if err != nil || st == nil {
		w.t.Fatalf("actor %d: %v, %v", id, st, err)
	}
	return st.Balance.Int64()
}

// invoke calls method 2 of the script.
func (w *world) invoke() (kernel.Result, error) {
	return w.Send(w.t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(script), Method: 2, Value: big.Zero()})
}

// transfer sends funds, and nothing else.
func (w *world) transfer(to address.Address, v int64) (kernel.Result, error) {
	return w.Send(w.t.Context(), kernel.SendRequest{From: sender, To: to, Value: big.NewInt(v)})
}

// guestCode is a Wasm module in the making: it imports one function with index 0,
// and has "invoke" and perhaps a start function.
type guestCode struct {
	imports         string // module::name; "": vm::exit
	params, results string // of the import; empty: those of vm::exit
	invokeParams    string // "": i32
	invokeResults   string // "": i32, "-": none
	invoke          string // instructions
	start           string // instructions; "": none
	pages           byte   // of memory; 0: 1
	noMemory        bool
	noInvoke        bool
}

const (
	tI32 = "\x7f"
	tI64 = "\x7e"
	end  = "\x0b"
	zero = "\x41\x00"
	trap = "\x00"
	// exit20 ends with exit code 20 by vm::exit.
	exit20 = "\x41\x14" + zero + zero + zero + "\x10\x00\x1a" + zero
	// forever is an endless loop.
	forever = "\x03\x40\x0c\x00\x0b\x00"
)

func vec(items ...string) string {
	out := string([]byte{byte(len(items))})
	for _, i := range items {
		out += i
	}
	return out
}

func text(s string) string { return string([]byte{byte(len(s))}) + s }

func section(id byte, body string) string { return string([]byte{id}) + text(body) }

func (g guestCode) bytes() []byte {
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	module, name, _ := strings.Cut(or(g.imports, "vm::exit"), "::")
	g.invokeParams, g.invokeResults = or(g.invokeParams, tI32), or(g.invokeResults, tI32)
	if g.invokeResults == "-" {
		g.invokeResults = ""
	}
	types := vec("\x60"+text(or(g.params, tI32+tI32+tI32+tI32))+text(or(g.results, tI32)), "\x60"+text(g.invokeParams)+text(g.invokeResults), "\x60\x00\x00")
	out := "\x00asm\x01\x00\x00\x00" + section(1, types) + section(2, vec(text(module)+text(name)+"\x00\x00")) + section(3, vec("\x01", "\x02"))
	if !g.noMemory {
		out += section(5, vec("\x00"+string([]byte{max(g.pages, 1)})))
	}
	var exports []string
	if !g.noMemory {
		exports = append(exports, text("memory")+"\x02\x00")
	}
	if !g.noInvoke {
		exports = append(exports, text("invoke")+"\x00\x01")
	}
	out += section(7, vec(exports...))
	if g.start != "" {
		out += section(8, "\x02")
	}
	return []byte(out + section(10, vec(text("\x00"+g.invoke+end), text("\x00"+g.start+end))))
}
