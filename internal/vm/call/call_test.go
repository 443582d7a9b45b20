package call

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

func f1(t *testing.T, key string) address.Address {
	t.Helper()
	a, err := address.NewSecp256k1Address([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func f3(t *testing.T, key ...byte) address.Address {
	t.Helper()
	a, err := address.NewBLSAddress(append(key, make([]byte, 48-len(key))...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func f4(t *testing.T, namespace uint64, sub string) address.Address {
	t.Helper()
	a, err := address.NewDelegatedAddress(namespace, []byte(sub))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAccessTracker(t *testing.T) {
	a, b := f1(t, "a"), f1(t, "b")
	tr := newAccessTracker([]abi.ActorID{1})
	check := func(when string, want map[abi.ActorID]access, known map[address.Address]bool) {
		t.Helper()
		for id, w := range want {
			if got := tr.actor(id); got != w {
				t.Errorf("%s: actor %d is %d, want %d", when, id, got, w)
			}
		}
		for x, w := range known {
			if tr.addressKnown(x) != w {
				t.Errorf("%s: address %s known: %v", when, x, !w)
			}
		}
	}
	check("at first", map[abi.ActorID]access{1: accessUpdated, 5: accessNone}, map[address.Address]bool{addr.NewID(5): true, a: false})
	tr.begin()
	tr.record(5, accessRead)
	tr.recordAddress(a)
	tr.record(1, accessRead) // no way back from updated
	tr.begin()
	tr.record(5, accessUpdated)
	tr.record(6, accessUpdated)
	tr.recordAddress(b)
	tr.recordAddress(a)
	tr.recordAddress(addr.NewID(9))
	check("inside", map[abi.ActorID]access{1: accessUpdated, 5: accessUpdated, 6: accessUpdated}, map[address.Address]bool{a: true, b: true})
	tr.end(true)
	check("inner reverted", map[abi.ActorID]access{1: accessUpdated, 5: accessRead, 6: accessNone}, map[address.Address]bool{a: true, b: false})
	tr.begin()
	tr.record(6, accessRead)
	tr.begin()
	tr.record(6, accessUpdated)
	tr.end(false)
	check("inner kept", map[abi.ActorID]access{6: accessUpdated}, nil)
	tr.end(true)
	check("both reverted", map[abi.ActorID]access{5: accessRead, 6: accessNone}, map[address.Address]bool{a: true})
	tr.end(true)
	check("all reverted", map[abi.ActorID]access{1: accessUpdated, 5: accessNone, 6: accessNone}, map[address.Address]bool{a: false})
	if len(tr.log) != 0 || len(tr.marks) != 0 {
		t.Errorf("the log has %d entries, %d marks", len(tr.log), len(tr.marks))
	}
}

// A look-up is charged once a message, an update once, and both anew after a revert.
func TestAccessCharges(t *testing.T) {
	const lookup, update = 500_000, 475_000
	w := newWorld(t, 28, plenty, nil)
	pays := func(what string, want uint64, do func() error) {
		t.Helper()
		before := w.gas.Used()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if got := w.gas.Used().Sub(before); got != gas.New(want) {
			t.Errorf("%s: paid %d milligas, want %d gas", what, got, want)
		}
	}
	read := func(id abi.ActorID) func() error {
		return func() error { _, err := w.Actor(t.Context(), id); return err }
	}
	write := func(id abi.ActorID) func() error {
		st, err := w.m.Tree.Actor(t.Context(), receiver)
		if err != nil {
			t.Fatal(err)
		}
		return func() error { return w.SetActor(t.Context(), id, st) }
	}
	pays("the sender", 0, read(sender))
	pays("the sender's update", 0, write(sender))
	pays("a preloaded actor's update", 0, write(99))
	pays("another", lookup, read(receiver))
	pays("another again", 0, read(receiver))
	pays("its update", update, write(receiver))
	pays("its update again", 0, write(receiver))
	pays("one that does not exist", lookup, read(777))
	pays("that one again", 0, read(777))
	pays("an update of what was not looked up", lookup+update, write(555))
	pays("a deletion", lookup+update, func() error { return w.DeleteActor(t.Context(), 556) })
	w.access.begin()
	pays("inside", lookup+update, write(888))
	w.access.end(true)
	pays("after the revert", lookup+update, write(888))

	// The receiver was looked up before, if it existed.
	id := abi.ActorID(receiver)
	w.Manager = NewManager(w.m, w.modules, Message{GasLimit: plenty, Origin: sender, From: addr.NewID(sender), To: addr.NewID(receiver), Receiver: &id})
	pays("the receiver", 0, read(receiver))
	pays("the receiver's update", update, write(receiver))
	// A charge that cannot be paid records nothing.
	w.Manager = NewManager(w.m, w.modules, Message{GasLimit: lookup + update - 1, Origin: sender, From: addr.NewID(sender), To: addr.NewID(receiver)})
	if err := write(600)(); !errors.Is(err, execerr.ErrOutOfGas) || w.access.actor(600) != accessNone {
		t.Errorf("%v, access %d", err, w.access.actor(600))
	}
}

func TestTransfer(t *testing.T) {
	for _, c := range []struct {
		from, to abi.ActorID
		v        int64
		want     execerr.Errno
		a, b     int64 // what sender and receiver have
	}{
		{sender, receiver, 400, 0, 600, 1400}, {sender, receiver, 1000, 0, 0, 2000}, {sender, receiver, 0, 0, 1000, 1000},
		{sender, receiver, 1001, execerr.InsufficientFunds, 1000, 1000}, {sender, receiver, -1, execerr.IllegalArgument, 1000, 1000},
		{sender, sender, 1000, 0, 1000, 1000}, {sender, sender, 1001, execerr.InsufficientFunds, 1000, 1000},
		{777, receiver, 0, execerr.InsufficientFunds, 1000, 1000}, {sender, 777, 1, execerr.NotFound, 1000, 1000},
		{sender, 777, 1001, execerr.InsufficientFunds, 1000, 1000},
	} {
		w := newWorld(t, 28, plenty, nil)
		err := w.Transfer(t.Context(), c.from, c.to, big.NewInt(c.v))
		if execerrtest.Errno(err) != c.want || (c.want == 0 && err != nil) || w.balance(sender) != c.a || w.balance(receiver) != c.b {
			t.Errorf("%+v: %v, balances %d and %d", c, err, w.balance(sender), w.balance(receiver))
		}
	}
}

// Whose address makes an actor of it when funds arrive, and at what price.
func TestAutoCreate(t *testing.T) {
	const price = 650_000 + 1_000_000 + 1_050_000 // OnCreateActor with a new address
	account := guestCode{invoke: zero}.bytes()
	for _, c := range []struct {
		name string
		to   address.Address
		want execerr.Errno
		code string
	}{
		{"f1", f1(t, "new"), 0, "account"},
		{"f3", f3(t, 0x80, 1), 0, "account"},
		{"the BLS zero address", f3(t, 0xc0), execerr.IllegalArgument, ""},
		{"f4 of the Ethereum address manager", f4(t, 10, "new"), 0, "placeholder"},
		{"f4 of another", f4(t, 11, "new"), execerr.NotFound, ""},
		{"f2", f2(t), execerr.NotFound, ""},
		{"f0", addr.NewID(777), execerr.NotFound, ""},
	} {
		w := newWorld(t, 28, plenty, account)
		_, err := w.transfer(c.to, 7)
		if execerrtest.Errno(err) != c.want || (c.want == 0 && err != nil) {
			t.Errorf("%s: %v, want errno %d", c.name, err, c.want)
			continue
		}
		id, ok, lerr := w.m.Tree.LookupID(t.Context(), c.to)
		if lerr != nil {
			t.Fatal(lerr)
		}
		if c.want != 0 {
			// Nothing was paid but, for an ID, the look-up.
			if ok && c.name != "f0" || w.balance(sender) != 1000 || (c.name != "f0") != (w.gas.Used() == 0) {
				t.Errorf("%s: exists %v, paid %v", c.name, ok, w.paid)
			}
			continue
		}
		st, err := w.m.Tree.Actor(t.Context(), id)
		if err != nil || st == nil {
			t.Fatal(st, err)
		}
		code, _ := w.m.Manifest.ByName(c.code)
		if id != 1000 || st.Code != code || w.balance(id) != 7 || st.Head != machine.EmptyArray() || st.Nonce != 0 {
			t.Errorf("%s: actor %d is %+v", c.name, id, st)
		}
		if (st.Delegated != nil) != (c.code == "placeholder") || st.Delegated != nil && *st.Delegated != c.to {
			t.Errorf("%s: delegated address %v", c.name, st.Delegated)
		}
		// Creation, look-up and update, transfer; the constructor of an account besides.
		fixed := gas.New(price + 975_000 + 6000)
		if used := w.gas.Used(); (c.code == "placeholder") != (used == fixed) || used < fixed || (w.paid["OnMethodInvocation"] == 1) != (c.code == "account") {
			t.Errorf("%s: paid %d milligas, %v", c.name, used, w.paid)
		}
		if w.created != 0 {
			t.Errorf("%s: counts for next_actor_address", c.name)
		}
		// It exists now.
		w.paid = map[string]int{}
		if _, err := w.transfer(c.to, 1); err != nil || w.paid["OnCreateActor"] != 0 || w.balance(id) != 8 {
			t.Errorf("%s, again: %v, paid %v", c.name, err, w.paid)
		}
	}
	w := newWorld(t, 28, plenty, account)
	_, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: f1(t, "new"), Value: big.Zero(), ReadOnly: true})
	if execerrtest.Errno(err) != execerr.ReadOnly || w.gas.Used() != 0 {
		t.Errorf("read-only: %v", err)
	}
	if _, err = w.transfer(f1(t, "new"), 1001); execerrtest.Errno(err) != execerr.InsufficientFunds {
		t.Errorf("too much: %v", err)
	}
	if _, ok, _ := w.m.Tree.LookupID(t.Context(), f1(t, "new")); ok {
		t.Error("the account stays though the transfer failed")
	}
}

func f2(t *testing.T) address.Address {
	t.Helper()
	a, err := address.NewActorAddress([]byte("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An account is there even if its constructor fails, unless that runs out of gas or fails fatally.
func TestQuirkAccountConstructorExitIgnored(t *testing.T) {
	for _, c := range []struct {
		name string
		code guestCode
		want string
	}{
		{"success", guestCode{invoke: zero}, ""},
		{"exit code 20", guestCode{invoke: exit20}, ""},
		{"trap", guestCode{invoke: trap}, ""},
		{"a block that does not exist", guestCode{invoke: "\x41\x05"}, ""},
		{"endless", guestCode{invoke: forever}, "out of gas"},
		{"no memory", guestCode{invoke: zero, noMemory: true}, "guest"},
	} {
		w := newWorld(t, 28, 10_000_000, c.code.bytes())
		res, err := w.transfer(f1(t, "new"), 7)
		if execerrtest.Kind(err) != c.want || res.ExitCode != 0 {
			t.Errorf("%s: %+v, %v", c.name, res, err)
		}
		id, ok, _ := w.m.Tree.LookupID(t.Context(), f1(t, "new"))
		if ok != (c.want == "") || ok && w.balance(id) != 7 {
			t.Errorf("%s: the account exists: %v", c.name, ok)
		}
		if err == nil && !w.Backtrace.Empty() {
			t.Errorf("%s: the backtrace is %q", c.name, w.Backtrace.String())
		}
	}
}

func TestCreateActor(t *testing.T) {
	eth, otherEth := f4(t, 10, "eth"), f4(t, 10, "other")
	for _, c := range []struct {
		name      string
		code      string
		id        abi.ActorID
		delegated *address.Address
		want      string
	}{
		{"new", "account", 500, nil, ""},
		{"new with an address", "account", 500, &eth, ""},
		{"a placeholder", "placeholder", 500, &eth, "errno"},
		{"taken", "account", receiver, nil, "errno"},
		{"a placeholder's place", "account", 300, &eth, ""},
		{"another's place", "account", 300, &otherEth, "errno"},
		{"a placeholder's place without an address", "account", 300, nil, "errno"},
		{"a placeholder that lacks an address", "account", 301, &eth, "guest"},
	} {
		w := newWorld(t, 28, plenty, nil)
		placeholder := w.m.Manifest.Placeholder()
		w.setCode(300, placeholder).setCode(301, placeholder)
		st, _ := w.m.Tree.Actor(t.Context(), 300)
		st.Delegated, st.Balance = &eth, big.NewInt(9)
		if err := w.m.Tree.SetActor(300, *st); err != nil {
			t.Fatal(err)
		}
		code, _ := w.m.Manifest.ByName(c.code)
		err := w.CreateActor(t.Context(), code, c.id, c.delegated)
		if execerrtest.Kind(err) != c.want || (c.want == "errno" && execerrtest.Errno(err) != execerr.Forbidden) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if (w.created == 1) != (err == nil) {
			t.Errorf("%s: %d created", c.name, w.created)
		}
		if err != nil {
			continue
		}
		got, _ := w.m.Tree.Actor(t.Context(), c.id)
		if got == nil || got.Code != code || (c.delegated == nil) != (got.Delegated == nil) || (c.id == 300) != (w.balance(c.id) == 9) {
			t.Errorf("%s: made %+v", c.name, got)
		}
		if (w.paid["OnCreateActor"] == 1) != (c.id == 500) {
			t.Errorf("%s: paid %v", c.name, w.paid)
		}
	}
}

// The next actor's address is a hash of the sender's address as CBOR, its nonce and how many were created.
func TestNextActorAddress(t *testing.T) {
	w := newWorld(t, 28, plenty, nil)
	for created := range uint64(2) {
		h, err := blake2b.New(20, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := append([]byte{0x42, 0x00, sender}, 0, 0, 0, 0, 0, 0, 0, 5)
		h.Write(binary.BigEndian.AppendUint64(in, created))
		want := append([]byte{2}, h.Sum(nil)...)
		for range 2 { // asking changes nothing
			if a, err := w.NextActorAddress(); err != nil || string(a.Bytes()) != string(want) {
				t.Errorf("%x, %v; want %x", a.Bytes(), err, want)
			}
		}
		if err := w.CreateActor(t.Context(), w.m.Manifest.Account(), abi.ActorID(500+created), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A call that does not end with exit code 0 leaves nothing behind: no funds moved, no events.
func TestSendReverts(t *testing.T) {
	const emit = zero + zero + zero + zero + zero + zero + "\x10\x00\x1a" // an event without entries
	for name, c := range map[string]struct {
		after string
		exit  exitcode.ExitCode
	}{
		"success": {zero, 0}, "a returned block that does not exist": {"\x41\x05", 11}, "trap": {trap, 4},
	} {
		code := guestCode{imports: "event::emit_event", params: tI32 + tI32 + tI32 + tI32 + tI32 + tI32, invoke: emit + c.after}
		w := newWorld(t, 28, plenty, nil).deploy(code.bytes())
		w.AppendEvent(event.Stamped{Emitter: 1}) // of an earlier call
		res, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(script), Method: 2, Value: big.NewInt(7)})
		if err != nil || res.ExitCode != c.exit {
			t.Fatalf("%s: %+v, %v", name, res, err)
		}
		moved, events := int64(7), 2
		if c.exit != 0 {
			moved, events = 0, 1
		}
		if w.balance(script) != moved || w.balance(sender) != 1000-moved || len(w.events) != events {
			t.Errorf("%s: the actor has %d, the sender %d; %d events", name, w.balance(script), w.balance(sender), len(w.events))
		}
		if (w.access.actor(script) == accessNone) != (c.exit != 0) {
			t.Errorf("%s: access %d", name, w.access.actor(script))
		}
		if w.depth != 0 || w.memory.used != 0 || len(w.marks) != 0 {
			t.Errorf("%s: depth %d, %d bytes in use, %d marks", name, w.depth, w.memory.used, len(w.marks))
		}
	}
}

// How a call ends that is given a limit of its own.
func TestGasLimits(t *testing.T) {
	loop, quick := guestCode{invoke: forever}.bytes(), guestCode{invoke: zero}.bytes()
	for _, c := range []struct {
		name         string
		code         []byte
		total, given uint64
		exit         exitcode.ExitCode
		err          string
		least, most  uint64 // gas left
	}{
		{"endless with a limit", loop, 10_000_000, 2_000_000, 7, "", 8_000_000, 8_000_000},
		{"endless with a limit beyond what is left", loop, 2_000_000, 10_000_000, 0, "out of gas", 0, 0},
		{"endless with all that is left", loop, 2_000_000, 2_000_000, 0, "out of gas", 0, 0},
		{"enough", quick, 10_000_000, 5_000_000, 0, "", 9_300_000, 9_500_000},
		{"no gas", quick, 10_000_000, 0, 7, "", 10_000_000, 10_000_000},
	} {
		w := newWorld(t, 28, c.total, nil).deploy(c.code)
		limit := gas.New(c.given)
		res, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(script), Method: 2, Value: big.Zero(), GasLimit: &limit})
		if execerrtest.Kind(err) != c.err || res.ExitCode != c.exit {
			t.Errorf("%s: %+v, %v", c.name, res, err)
		}
		if left := w.gas.Available().RoundDown(); left < c.least || left > c.most {
			t.Errorf("%s: %d left, want %d to %d", c.name, left, c.least, c.most)
		}
	}
}

func TestDepthLimit(t *testing.T) {
	for depth, want := range map[uint32]execerr.Errno{maxDepth - 1: 0, maxDepth: execerr.LimitExceeded} {
		w := newWorld(t, 28, plenty, nil)
		w.depth = depth
		_, err := w.transfer(addr.NewID(receiver), 1)
		if execerrtest.Errno(err) != want || (want == 0 && err != nil) || w.depth != depth {
			t.Errorf("at depth %d: %v, depth %d after it", depth, err, w.depth)
		}
		if want != 0 && w.gas.Used() != 0 {
			t.Errorf("at depth %d: paid %v", depth, w.paid)
		}
	}
}

// Until nv20 a call that is too deep leaves its gas limit in force for its caller.
func TestQuirkDepthKeepsLimit(t *testing.T) {
	for nv, want := range map[network.Version]uint64{18: 1000, 20: 1000, 21: plenty, 28: plenty} {
		w := newWorld(t, nv, plenty, nil)
		w.depth = maxDepth
		limit := gas.New(1000)
		_, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(receiver), Value: big.Zero(), GasLimit: &limit})
		if execerrtest.Errno(err) != execerr.LimitExceeded || w.gas.Available() != gas.New(want) {
			t.Errorf("nv%d: %v, %d gas left, want %d", nv, err, w.gas.Available().RoundDown(), want)
		}
		// A call of the deepest caller that fails for another reason ends its limit.
		w = newWorld(t, nv, plenty, nil)
		w.depth = maxDepth - 1
		_, err = w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(777), Value: big.Zero(), GasLimit: &limit})
		if w.gas.Limit() != gas.New(plenty) {
			t.Errorf("nv%d: %v, the limit is %d", nv, err, w.gas.Limit())
		}
	}
}

func TestMemoryAccount(t *testing.T) {
	for _, c := range []struct {
		used, delta uint64
		want        bool
	}{
		{0, 2 << 30, true}, {0, 2<<30 + 1, false}, {1, 2 << 30, false}, {2 << 30, 0, true}, {2 << 30, 1, false}, {5, 1<<64 - 1, false},
	} {
		a := memoryAccount{used: c.used, limit: machine.MaxMemory}
		left := c.used
		if c.want {
			left += c.delta
		}
		if a.Grow(c.delta) != c.want || a.Used() != left {
			t.Errorf("%+v: %d in use", c, a.Used())
		}
	}
}

// The ways in which an actor's code can end, or not even begin.
func TestInvoke(t *testing.T) {
	bad := func(data string) []byte { return []byte(data) }
	for _, c := range []struct {
		name     string
		code     []byte
		nv       network.Version // 0: both eras
		exit     exitcode.ExitCode
		err      string
		reason   string
		backward string // in the backtrace
	}{
		{"nothing returned", guestCode{invoke: zero}.bytes(), 0, 0, "", "", ""},
		{"exit code 20", guestCode{invoke: exit20}.bytes(), 0, 20, "", "", "f0102 (method 2) -- actor aborted (20)"},
		{"exit code 0", guestCode{invoke: zero + zero + zero + zero + "\x10\x00"}.bytes(), 0, 0, "", "", ""},
		{"a system's exit code", guestCode{invoke: "\x41\x05" + zero + zero + zero + "\x10\x00"}.bytes(), 0, 9, "", "", "with code 5"},
		{"exit with a block that does not exist", guestCode{invoke: zero + "\x41\x05" + zero + zero + "\x10\x00"}.bytes(), 0, 0, "guest", "block", ""},
		{"a returned block that does not exist", guestCode{invoke: "\x41\x05"}.bytes(), 0, 11, "", "", "does not exist (11)"},
		{"trap", guestCode{invoke: trap}.bytes(), 0, 4, "", "", "unreachable"},
		{"out of gas", guestCode{invoke: forever}.bytes(), 0, 0, "out of gas", "", "out of gas"},
		{"no memory", guestCode{invoke: zero, noMemory: true}.bytes(), 0, 0, "guest", "no memory", "fatal"},
		{"an import that is not there", guestCode{imports: "vm::abort", invoke: zero}.bytes(), 0, 0, "guest", "vm::abort", ""},
		{"an import of another type", guestCode{params: tI64, invoke: zero}.bytes(), 0, 0, "guest", "vm::exit", ""},
		{"the pass's own import", guestCode{imports: "edgefvm::grow", params: tI32 + tI32, invoke: zero}.bytes(), 0, 0, "guest", "edgefvm::grow", ""},
		{"no code", bad("no Wasm"), 0, 0, "guest", "not accepted", ""},
		{"empty code", bad("\x00asm\x01\x00\x00\x00"), 0, 0, "guest", "no function section", ""},
		{"no invoke", guestCode{invoke: zero, noInvoke: true}.bytes(), 20, 0, "guest", "no function invoke", ""},
		{"no invoke", guestCode{invoke: zero, noInvoke: true}.bytes(), 21, 5, "", "", "no entry point"},
		{"invoke with two parameters", guestCode{invokeParams: tI32 + tI32, invoke: zero}.bytes(), 20, 0, "guest", "another type", ""},
		{"invoke with two parameters", guestCode{invokeParams: tI32 + tI32, invoke: zero}.bytes(), 21, 0, "guest", "one i32", ""},
		{"invoke without a result", guestCode{invokeResults: "-", invoke: ""}.bytes(), 20, 0, "guest", "another type", ""},
		{"invoke without a result", guestCode{invokeResults: "-", invoke: ""}.bytes(), 21, 0, "guest", "one i32", ""},
		{"invoke with an i64 result", guestCode{invokeResults: tI64, invoke: trap}.bytes(), 20, 0, "guest", "another type", ""},
		{"an i64 result that never comes", guestCode{invokeResults: tI64, invoke: trap}.bytes(), 21, 4, "", "", "unreachable"},
		{"start function", guestCode{start: zero + "\x1a", invoke: zero}.bytes(), 0, 0, "", "", ""},
		{"start function that traps", guestCode{start: trap, invoke: zero}.bytes(), 0, 4, "", "", "start function"},
		{"start function that does not end", guestCode{start: forever, invoke: zero}.bytes(), 0, 0, "out of gas", "", ""},
	} {
		for _, nv := range []network.Version{20, 21} {
			if c.nv != 0 && c.nv != nv {
				continue
			}
			w := newWorld(t, nv, 20_000_000, nil).deploy(c.code)
			res, err := w.invoke()
			if execerrtest.Kind(err) != c.err || res.ExitCode != c.exit || (err != nil && !strings.Contains(err.Error(), c.reason)) {
				t.Errorf("%s, nv%d: %+v, %v; want exit %d, %q about %q", c.name, nv, res, err, c.exit, c.err, c.reason)
			}
			if got := w.Backtrace.String(); !strings.Contains(got, c.backward) || (c.err == "" && c.exit == 0) != w.Backtrace.Empty() {
				t.Errorf("%s, nv%d: backtrace %q, want %q", c.name, nv, got, c.backward)
			}
			// The same code again: what is refused is remembered, and refused alike.
			if again, err2 := w.invoke(); w.gas.Available() > 0 && (execerrtest.Kind(err2) != c.err || again.ExitCode != c.exit) {
				t.Errorf("%s, nv%d, again: %+v, %v", c.name, nv, again, err2)
			}
		}
	}
}

// What an actor returned is read only where it is what the network reads. The guest here is an ordinary one, and the test alone says that it is not.
func TestResultOfAnotherType(t *testing.T) {
	for nv, c := range map[network.Version]struct{ kind, text string }{20: {"guest", "another type"}, 21: {"node", "is not read"}} {
		w := newWorld(t, nv, 20_000_000, nil).deploy(guestCode{invoke: zero}.bytes())
		if _, err := w.invoke(); err != nil {
			t.Fatal(err)
		}
		st, err := w.m.Tree.Actor(t.Context(), script)
		if err != nil {
			t.Fatal(err)
		}
		w.modules.entry(st.Code).mod.invoke = invokeResult
		if res, err := w.invoke(); execerrtest.Kind(err) != c.kind || !strings.Contains(err.Error(), c.text) || errors.Is(err, execerr.ErrNoReference) != (nv == 21) {
			t.Errorf("nv%d: %+v, %v", nv, res, err)
		}
	}
}

// starter is an instance that notes what its invocation says while it is made.
type starter struct {
	engine.Instance
	inv      *syscalls.Invocation
	starting bool
}

func (s *starter) Counter() int64 { return 0 }

func (s *starter) Call(context.Context, string, []uint64) error {
	s.starting = s.inv.Starting
	return nil
}

// While an instance is made it is not served; then it is.
func TestStarting(t *testing.T) {
	w := newWorld(t, 28, plenty, nil)
	inv := &syscalls.Invocation{Kernel: kernel.New(w.Manager, kernel.Invocation{}), Memory: &w.memory}
	inv.Begin()
	in := &starter{inv: inv}
	if err := w.start(t.Context(), inv, in, "start"); err != nil || !in.starting || inv.Starting {
		t.Errorf("%v, starting %v, after it %v", err, in.starting, inv.Starting)
	}
}

// Whose code is missing decides whose failure that is.
func TestMissingCode(t *testing.T) {
	w := newWorld(t, 28, plenty, nil)
	unknown := rawCID([]byte("nobody's"))
	w.setCode(script, unknown)
	if _, err := w.invoke(); execerrtest.Kind(err) != "guest" || !strings.Contains(err.Error(), unknown.String()) {
		t.Errorf("unknown code: %v", err)
	}
	account := w.m.Manifest.Account()
	w.setCode(script, account)
	_, err := w.invoke()
	for _, s := range []string{account.String(), `"account"`, "network version 28", "bundle"} {
		if execerrtest.Kind(err) != "node" || !strings.Contains(err.Error(), s) {
			t.Errorf("a builtin actor's code: %v, want a failure of the node that says %s", err, s)
		}
	}
	// Code that arrives later is found.
	w = newWorld(t, 28, plenty, nil)
	code := guestCode{invoke: exit20}.bytes()
	w.setCode(script, rawCID(code))
	if _, err := w.invoke(); execerrtest.Kind(err) != "guest" {
		t.Errorf("before: %v", err)
	}
	w.put(code)
	if res, err := w.invoke(); err != nil || res.ExitCode != 20 {
		t.Errorf("after: %+v, %v", res, err)
	}
}

// Compiling that failed leaves nothing behind for the machines that share the cache.
func TestCompilingFails(t *testing.T) {
	w := newWorld(t, 28, plenty, nil).deploy(guestCode{invoke: exit20}.bytes())
	w.modules.env = &failsOnce{Env: w.modules.env}
	if _, err := w.invoke(); execerrtest.Kind(err) != "node" || !errors.Is(err, context.Canceled) {
		t.Errorf("at first: %v, want a failure of the node", err)
	}
	if res, err := w.invoke(); err != nil || res.ExitCode != 20 {
		t.Errorf("then: %+v, %v", res, err)
	}
}

// failsOnce cannot compile at first.
type failsOnce struct {
	engine.Env
	called bool
}

func (f *failsOnce) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	if !f.called {
		f.called = true
		return nil, context.Canceled
	}
	return f.Env.Compile(ctx, wasm)
}

// A module's memory is charged and put on the account; what the account refuses exits with code 4.
func TestInstantiation(t *testing.T) {
	code := guestCode{invoke: zero, pages: 3}.bytes()
	w := newWorld(t, 28, plenty, nil).deploy(code)
	w.memory.used = machine.MaxMemory - 3*65536
	if res, err := w.invoke(); err != nil || res.ExitCode != 0 || w.memory.used != machine.MaxMemory-3*65536 {
		t.Errorf("just enough memory: %+v, %v, %d in use after it", res, err, w.memory.used)
	}
	if w.paid["wasm_memory_init"] != 1 || w.paid["wasm_table_init"] != 0 {
		t.Errorf("paid %v", w.paid)
	}
	w = newWorld(t, 28, plenty, nil).deploy(code)
	w.memory.used = machine.MaxMemory - 3*65536 + 1
	if res, err := w.invoke(); err != nil || res.ExitCode != 4 || !strings.Contains(w.Backtrace.String(), "memory is used up") {
		t.Errorf("a byte too little: %+v, %v, %q", res, err, w.Backtrace.String())
	}
}

// How far memory and table may grow: a table's limit of 20,000 is refused before the account is asked, a memory's after.
func TestGrowthLimits(t *testing.T) {
	w := newWorld(t, 28, plenty, nil)
	for _, c := range []struct {
		extent        instrument.Extent
		memory, table syscalls.GrowthLimits
	}{
		{instrument.Extent{Min: 1}, syscalls.GrowthLimits{Declared: 65536, Instance: 8192}, syscalls.GrowthLimits{Declared: 20_000, Instance: 20_000}},
		{instrument.Extent{Min: 1, Max: 5, HasMax: true}, syscalls.GrowthLimits{Declared: 5, Instance: 8192}, syscalls.GrowthLimits{Declared: 5, Instance: 20_000}},
		{instrument.Extent{Min: 1, Max: 65536, HasMax: true}, syscalls.GrowthLimits{Declared: 65536, Instance: 8192}, syscalls.GrowthLimits{Declared: 20_000, Instance: 20_000}},
	} {
		// A module that cannot be linked is not compiled.
		meta := &instrument.Module{Memory: &c.extent, Table: &c.extent, Imports: []instrument.Import{{Module: "vm", Name: "abort"}}}
		mod, err := w.modules.build(t.Context(), meta)
		if err != nil || mod.memory != c.memory || mod.table != c.table {
			t.Errorf("%+v: %+v, %v", c, mod, err)
		}
	}
}

func TestBacktrace(t *testing.T) {
	var b Backtrace
	if !b.Empty() || b.String() != "" {
		t.Errorf("empty: %q", b.String())
	}
	b.Frames = append(b.Frames, Frame{Actor: 1})
	b.begin(&syscalls.Cause{Module: "send", Name: "send", Err: &execerr.Syscall{Number: 5, Reason: "no funds"}})
	b.Frames = append(b.Frames, Frame{102, 3, 20, "inner"}, Frame{101, 2, 21, "outer"})
	want := "00: f0101 (method 2) -- outer (21)\n01: f0102 (method 3) -- inner (20)\n--> caused by: send::send -- no funds (5: insufficient funds)"
	if got := b.String(); got != want || b.Empty() {
		t.Errorf("%q, want %q", got, want)
	}
}

// Method 0 moves funds and runs no code.
func TestMethodZero(t *testing.T) {
	w := newWorld(t, 28, plenty, nil).deploy(guestCode{invoke: trap}.bytes())
	params := &kernel.Block{Codec: 0x55, Data: []byte("x")}
	res, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(script), Params: params, Value: big.NewInt(5)})
	if err != nil || res.ExitCode != 0 || res.Return != nil || w.balance(script) != 5 || w.paid["OnMethodInvocation"] != 0 {
		t.Errorf("%+v, %v, paid %v", res, err, w.paid)
	}
}

// Params come back when the guest returns their handle, with what that costs at depth 1: 1300 a byte.
func TestParamsReturned(t *testing.T) {
	w := newWorld(t, 28, plenty, nil).deploy(guestCode{invoke: "\x20\x00"}.bytes())
	params := &kernel.Block{Codec: 0x71, Data: []byte("\x81\x01"), Links: []cid.Cid{machine.EmptyArray()}}
	res, err := w.Send(t.Context(), kernel.SendRequest{From: sender, To: addr.NewID(script), Method: 2, Params: params, Value: big.Zero()})
	if err != nil || res.Return != params || w.paid["OnChainReturnValue"] != 1 {
		t.Errorf("%+v, %v, paid %v", res, err, w.paid)
	}
	res, err = w.invoke()
	if err != nil || res.Return != nil {
		t.Errorf("no params: %+v, %v", res, err)
	}
}
