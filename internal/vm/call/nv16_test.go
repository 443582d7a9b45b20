package call

import (
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
	"github.com/edgefvm/fvm/trace"
)

// What the call stack did differently on network versions 16 and 17.

// install puts code into the manifest, as nothing else runs, and gives it to the actor script.
func (w *world) install(code []byte) *world {
	w.t.Helper()
	var entries []actors.Entry
	for i, name := range builtins {
		entries = append(entries, actors.Entry{Name: name, Code: w.m.Manifest.Codes()[i]})
	}
	m, err := actors.NewManifest(append(entries, actors.Entry{Name: "script", Code: rawCID(code)}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.m.Manifest = m
	return w.deploy(code)
}

// abort20 ends with exit code 20 by vm::abort.
const abort20 = "\x41\x14" + zero + zero + "\x10\x00\x1a" + zero

func abortCode(g guestCode) []byte {
	g.imports, g.params = "vm::abort", tI32+tI32+tI32
	return g.bytes()
}

// A call and its transfer have one price, taken before the transfer; accesses to the state tree and memory have none. The
// return value is paid for when the message's call is over, even an empty one; a failed call pays for none.
func TestSendChargedFirst(t *testing.T) {
	const message, method, funds, only = 29_233, -5377, 27_500, 159_672
	ok, fails := abortCode(guestCode{invoke: zero, pages: 9}), abortCode(guestCode{invoke: abort20})
	for _, c := range []struct {
		name    string
		to      abi.ActorID
		method  abi.MethodNum
		value   int64
		code    []byte
		price   uint64 // of the call, in gas
		want    string
		returns int // charges for a return value
	}{
		{"nothing", receiver, 0, 0, ok, message, "", 1},
		{"funds", receiver, 0, 5, ok, message + funds + only, "", 1},
		{"a method", script, 2, 0, ok, message + method, "", 1},
		{"a method, with funds", script, 2, 5, ok, message + method + funds, "", 1},
		{"a method that fails", script, 2, 0, fails, message + method, "", 0},
		{"too much", receiver, 0, 1001, ok, message + funds + only, "errno", 0},
		{"nobody", 777, 0, 5, ok, 0, "errno", 0},
	} {
		w := newWorld(t, 17, plenty, nil).install(c.code)
		price := gas.Gas(0)
		w.hooks.OnGasCharge = func(g trace.GasCharge) {
			w.paid[g.Name]++
			if g.Name == "OnMethodInvocation" {
				price += gas.Gas(g.Compute)
			}
		}
		w.Manager = NewManager(w.m, w.modules, w.msg)
		_, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(uint64(c.to)), Method: c.method, Value: big.NewInt(c.value)})
		if execerrtest.Kind(err) != c.want || price != gas.New(c.price) || w.paid["OnChainReturnValue"] != c.returns {
			t.Errorf("%s: %v, %d for the call, want %d; paid %v", c.name, err, price.RoundUp(), c.price, w.paid)
		}
		for _, none := range []string{"OnValueTransfer", "OnActorLookup", "OnActorUpdate", "wasm_memory_init", "wasm_table_init", "wasm_memory_grow"} {
			if w.paid[none] != 0 {
				t.Errorf("%s: paid for %s", c.name, none)
			}
		}
	}
	// Only the message's own return value goes on the chain.
	inner := newWorld(t, 17, plenty, nil)
	inner.depth = 1
	if _, err := inner.transfer(addr.NewID(receiver), 5); err != nil || inner.paid["OnChainReturnValue"] != 0 {
		t.Errorf("a call of an actor: %v, paid %v", err, inner.paid)
	}
	// A return value that cannot be paid for is that of a failed message: what it did is undone.
	w := newWorld(t, 17, message+funds+only-1, nil)
	if _, err := w.transfer(addr.NewID(receiver), 5); execerrtest.Kind(err) != "out of gas" || w.balance(sender) != 1000 {
		t.Errorf("%v, the sender has %d", err, w.balance(sender))
	}
}

// Key addresses alone become accounts. Creation is paid for first, then the BLS zero address is refused; the constructor's
// params are DAG-CBOR.
func TestAutoCreateBefore18(t *testing.T) {
	const price = 1_108_454 + 98_800
	for _, c := range []struct {
		name string
		to   address.Address
		want execerr.Errno
		paid int
	}{
		{"f1", f1(t, "new"), 0, 1}, {"f3", f3(t, 0x80, 1), 0, 1}, {"f4", f4(t, 10, "new"), execerr.NotFound, 0}, {"f2", f2(t), execerr.NotFound, 0},
	} {
		w := newWorld(t, 17, plenty, abortCode(guestCode{invoke: zero}))
		_, err := w.transfer(c.to, 7)
		if execerrtest.Errno(err) != c.want || (c.want == 0) != (err == nil) || w.paid["OnCreateActor"] != c.paid {
			t.Errorf("%s: %v, paid %v", c.name, err, w.paid)
		}
	}
	for nv, codec := range map[network.Version]uint64{17: 0x71, 18: 0x51} {
		if got := newWorld(t, nv, plenty, nil).paramsCodec(); got != codec {
			t.Errorf("nv%d: the constructor's params have codec %#x", nv, got)
		}
	}
	w := newWorld(t, 17, price+1_000_000, abortCode(guestCode{invoke: zero}))
	if _, err := w.transfer(f3(t, 0x80, 1), 0); err != nil || w.gas.Used() < gas.New(price) {
		t.Errorf("%v, used %d", err, w.gas.Used())
	}
}

// Quirk: the account of the BLS zero address is paid for before it is refused.
func TestQuirkZeroKeyIsPaidFor(t *testing.T) {
	for nv, paid := range map[network.Version]int{16: 1, 17: 1, 18: 0, 28: 0} {
		w := newWorld(t, nv, plenty, nil)
		_, err := w.transfer(f3(t, 0xc0), 7)
		if execerrtest.Errno(err) != execerr.IllegalArgument || w.paid["OnCreateActor"] != paid {
			t.Errorf("nv%d: %v, paid %v", nv, err, w.paid)
		}
		if _, ok, _ := w.m.Tree.LookupID(t.Context(), f3(t, 0xc0)); ok {
			t.Errorf("nv%d: it exists", nv)
		}
	}
	w := newWorld(t, 17, 1000, nil)
	if _, err := w.transfer(f3(t, 0xc0), 7); execerrtest.Kind(err) != "out of gas" {
		t.Errorf("too dear: %v", err)
	}
}

// Quirk: the message's own call did not count, so that one more could be open.
func TestQuirkOneCallDeeper(t *testing.T) {
	for nv, most := range map[network.Version]uint32{16: 1025, 17: 1025, 18: 1024, 28: 1024} {
		for depth, want := range map[uint32]execerr.Errno{most - 1: 0, most: execerr.LimitExceeded} {
			w := newWorld(t, nv, plenty, nil)
			w.depth = depth
			if _, err := w.transfer(addr.NewID(receiver), 1); execerrtest.Errno(err) != want || (want == 0) != (err == nil) {
				t.Errorf("nv%d, depth %d: %v", nv, depth, err)
			}
		}
	}
}

// No call has a gas limit of its own, so that one that runs out of gas ends the message.
func TestOutOfGasEndsTheMessage(t *testing.T) {
	w := newWorld(t, 17, 20_000_000, nil).install(abortCode(guestCode{invoke: forever}))
	w.depth = 3
	if _, err := w.invoke(); execerrtest.Kind(err) != "out of gas" || w.gas.Available() != 0 {
		t.Errorf("%v, %d left", err, w.gas.Available())
	}
}

// Whatever keeps an instance from being made is fatal, and so is a start function.
// Quirk: the guest has no gas until it is called.
func TestQuirkStartFunctionHasNoGas(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		exit exitcode.ExitCode
		err  string
		text string
	}{
		{"nothing returned", abortCode(guestCode{invoke: zero}), 0, "", ""},
		{"exit code 20", abortCode(guestCode{invoke: abort20}), 20, "", ""},
		{"exit code 0", abortCode(guestCode{invoke: zero + zero + zero + "\x10\x00"}), 9, "", ""},
		{"a system's exit code", abortCode(guestCode{invoke: "\x41\x0f" + zero + zero + "\x10\x00"}), 9, "", ""},
		{"a returned block that does not exist", abortCode(guestCode{invoke: "\x41\x05"}), 11, "", ""},
		{"trap", abortCode(guestCode{invoke: trap}), 4, "", ""},
		{"start function", abortCode(guestCode{start: zero + "\x1a", invoke: zero}), 0, "guest", "start function"},
		{"start function that does nothing", abortCode(guestCode{start: "\x01", invoke: zero}), 0, "guest", "start function"},
		{"no memory", abortCode(guestCode{invoke: zero, noMemory: true}), 0, "guest", "no memory"},
		{"an import that is not there", guestCode{invoke: zero}.bytes(), 0, "guest", "vm::exit"},
		{"no invoke", abortCode(guestCode{invoke: zero, noInvoke: true}), 0, "guest", "no function invoke"},
		{"invoke with an i64 result", abortCode(guestCode{invokeResults: tI64, invoke: trap}), 0, "guest", "another type"},
	} {
		w := newWorld(t, 17, 20_000_000, nil).install(c.code)
		res, err := w.invoke()
		if execerrtest.Kind(err) != c.err || res.ExitCode != c.exit || res.Return != nil || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %+v, %v", c.name, res, err)
		}
	}
}

// Code that is in no manifest does not run, be it in the store or not. Code of the manifest that is refused would have kept the
// reference from making a machine, so that there is no receipt.
func TestOnlyBuiltinCodeRuns(t *testing.T) {
	w := newWorld(t, 17, plenty, nil).deploy(abortCode(guestCode{invoke: zero}))
	if _, err := w.invoke(); execerrtest.Kind(err) != "guest" || !strings.Contains(err.Error(), "no builtin actor") {
		t.Errorf("code of nobody: %v", err)
	}
	w = newWorld(t, 17, plenty, nil).install([]byte("no Wasm"))
	if _, err := w.invoke(); execerrtest.Kind(err) != "node" || !strings.Contains(err.Error(), "not accepted") {
		t.Errorf("bad code: %v", err)
	}
}

// The memory of a call stack has no limit of the network. Where this node's ends there is no receipt.
func TestMemoryOfTheNode(t *testing.T) {
	code := abortCode(guestCode{invoke: zero, pages: 3})
	w := newWorld(t, 17, plenty, nil).install(code)
	w.memory.used = w.m.Profile.Memory - 3*65536
	if res, err := w.invoke(); err != nil || res.ExitCode != 0 {
		t.Errorf("just enough: %+v, %v", res, err)
	}
	w.memory.used++
	if _, err := w.invoke(); execerrtest.Kind(err) != "node" {
		t.Errorf("a byte too little: %v", err)
	}
	if w.m.Profile.Memory <= machine.MaxMemory {
		t.Errorf("the node gives %d bytes", w.m.Profile.Memory)
	}
	// A module's own maximum is the guest's business.
	mod, err := w.modules.build(t.Context(), &instrument.Module{Memory: &instrument.Extent{Min: 1, Max: 5, HasMax: true}, Imports: []instrument.Import{{Module: "vm", Name: "exit"}}})
	if err != nil || mod.memory.Declared != 5 || mod.memory.Instance != 65536 {
		t.Errorf("%+v, %v", mod, err)
	}
}

// A memory may have all 65,536 pages. There are engines that cannot reach the last byte of them, so that an access out of bounds
// there has no receipt; in any smaller memory it is a trap.
func TestEndOfFourGiB(t *testing.T) {
	load := "\x41\x7f\x28\x00\x00\x1a" // four bytes from 2^32 - 1 on
	for _, c := range []struct {
		name, grow string // by so many pages
		exit       exitcode.ExitCode
		err        string
	}{{"a page less", "\x41\xfe\xff\x03", 4, ""}, {"all", "\x41\xff\xff\x03", 0, "node"}} {
		w := newWorld(t, 17, 20_000_000, nil).install(abortCode(guestCode{invoke: c.grow + "\x40\x00\x1a" + load + zero}))
		res, err := w.invoke()
		if execerrtest.Kind(err) != c.err || res.ExitCode != c.exit {
			t.Errorf("%s: %+v, %v", c.name, res, err)
		}
	}
}

// Traces have no limits and no codecs; running out of gas is an error; an invocation is marked as extra.
func TestFirstTraces(t *testing.T) {
	var r trace.Recorder
	w := newWorld(t, 17, 20_000_000, nil).install(abortCode(guestCode{invoke: "\x20\x00"}))
	w.m.Hooks = r.Hooks()
	w.m.Hooks.OnGasCharge = nil
	w.Manager = NewManager(w.m, w.modules, w.msg)
	send := func(params *kernel.Block) trace.Events {
		_, _ = w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(script), Method: 2, Params: params, Value: big.Zero()})
		return r.Take()
	}
	for _, c := range []struct {
		name   string
		params *kernel.Block
		want   string
	}{
		{"a block", &kernel.Block{Codec: 0x71, Data: []byte{0x80}}, `[["call",100,"f0102",2,"0",null,null,null,"gA=="],["return",0,null,"gA=="]]`},
		{"an empty block", &kernel.Block{Codec: 0x71}, `[["call",100,"f0102",2,"0",null,null,null,null],["return",0,null,null]]`},
		{"none", nil, `[["call",100,"f0102",2,"0",null,null,null,null],["return",0,null,null]]`},
	} {
		es := send(c.params)
		if got, err := es.MarshalJSON(); err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
		if i, ok := es[1].(*trace.Invoke); !ok || !i.Extra || i.ID != script {
			t.Errorf("%s: no invocation: %v", c.name, es)
		}
	}
	w.install(abortCode(guestCode{invoke: forever}))
	es := send(nil)
	if e, ok := es[len(es)-1].(*trace.Error); !ok || e.Errno != uint32(execerr.Forbidden) || e.Text != "out of gas" {
		t.Errorf("out of gas: %v", es)
	}
}
