package kernel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	stcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/conformance/goldentest"
)

// From nv21 on an actor opens only what it has learnt of: its own root, what
// it linked, and what blocks that it was given or opened link to.
func TestReachability(t *testing.T) {
	for _, nv := range []network.Version{20, 21} {
		w := newWorld(t, nv, plenty)
		leaf := w.store(0x55, []byte("leaf"))
		node := w.store(0x71, links(leaf))
		if err := w.m.Tree.SetActor(self, state.ActorState{Code: code("account"), Head: node, Balance: big.Zero()}); err != nil {
			t.Fatal(err)
		}
		unreachable := execerr.Errno(0)
		if nv >= 21 {
			unreachable = execerr.NotFound
		}
		open := func(c cid.Cid, want execerr.Errno) {
			t.Helper()
			if _, _, err := w.BlockOpen(t.Context(), c); execerrtest.Errno(err) != want || (want == 0 && err != nil) {
				t.Errorf("nv%d: %v, want errno %d", nv, err, want)
			}
		}
		open(node, unreachable)
		if r, err := w.Root(t.Context()); err != nil || r != node {
			t.Fatalf("nv%d: root %s, %v", nv, r, err)
		}
		if nv >= 21 {
			open(leaf, unreachable) // a link of a block that is not open yet
			if err := w.SetRoot(t.Context(), leaf); execerrtest.Errno(err) != execerr.NotFound {
				t.Errorf("nv%d: set an unreachable root: %v", nv, err)
			}
			if _, err := w.BlockCreate(0x71, links(leaf)); execerrtest.Errno(err) != execerr.NotFound {
				t.Errorf("nv%d: made a block that links to what is unreachable: %v", nv, err)
			}
		}
		open(node, 0)
		open(leaf, 0)
		id, err := w.BlockCreate(0x71, links(leaf, node))
		if err != nil {
			t.Fatalf("nv%d: %v", nv, err)
		}
		c, err := w.BlockLink(id, 0xb220, 32)
		if err != nil {
			t.Fatalf("nv%d: %v", nv, err)
		}
		open(c, 0)
		if err := w.SetRoot(t.Context(), c); err != nil {
			t.Errorf("nv%d: %v", nv, err)
		}
		if st, _ := w.m.Tree.Actor(t.Context(), self); st.Head != c {
			t.Errorf("nv%d: the root is %s, want %s", nv, st.Head, c)
		}
	}
}

func TestBlockCreate(t *testing.T) {
	full := make([]byte, 1<<20)
	for _, c := range []struct {
		name  string
		nv    network.Version
		codec uint64
		data  []byte
		want  execerr.Errno
		paid  uint64 // gas
	}{
		{"1 MiB", 28, 0x55, full, 0, 10 << 20},
		{"a byte more", 28, 0x55, append(full, 0), execerr.LimitExceeded, 0},
		{"a byte more, bad codec", 28, 0x99, append(full, 0), execerr.LimitExceeded, 0},
		{"bad codec", 28, 0x70, []byte("abc"), execerr.IllegalCodec, 0},
		{"bad codec, charged", 20, 0x70, []byte("abc"), execerr.IllegalCodec, 30},
		{"no data", 28, 0x51, nil, 0, 0},
		{"not CBOR, in plain CBOR", 28, 0x51, []byte{0xff}, 0, 10},
		{"not CBOR", 28, 0x71, []byte{0xff}, execerr.Serialization, 0},
		{"not CBOR, nobody looks", 20, 0x71, []byte{0xff}, 0, 10},
		{"unreachable link", 28, 0x71, links(code("x")), execerr.NotFound, 0},
	} {
		w := newWorld(t, c.nv, plenty)
		_, err := w.BlockCreate(c.codec, c.data)
		if execerrtest.Errno(err) != c.want || (c.want == 0 && err != nil) {
			t.Errorf("%s: %v, want errno %d", c.name, err, c.want)
		}
		if c.want != execerr.NotFound && w.paid["OnBlockCreate"] != c.paid {
			t.Errorf("%s: paid %v, want %d", c.name, w.paid, c.paid)
		}
	}
	// The search for links costs 35 a field and 400 a link, also when it fails.
	for _, c := range []struct {
		data []byte
		want uint64
	}{
		{links(machine.EmptyArray()), 35 + 35 + 400}, {[]byte{0x82, 1, 2}, 3 * 35},
		{[]byte{0x82, 1}, 3 * 35}, // the field that is not there was paid for before it was read
	} {
		w := newWorld(t, 28, plenty)
		_, _ = w.Root(t.Context())
		if _, err := w.BlockCreate(0x71, c.data); w.paid["OnScanIpldLinks"] != c.want {
			t.Errorf("%x: %v, paid %v, want %d", c.data, err, w.paid, c.want)
		}
	}
	// The actor's bytes are copied.
	w := newWorld(t, 28, plenty)
	data := []byte("abc")
	id, err := w.BlockCreate(0x55, data)
	if err != nil {
		t.Fatal(err)
	}
	data[0] = 'x'
	if b, err := w.Blocks.Get(id); err != nil || string(b.Data) != "abc" {
		t.Errorf("the block is %+v, %v", b, err)
	}
}

func TestBlockOpenFailures(t *testing.T) {
	gone := code("gone")
	for _, c := range []struct {
		name string
		nv   network.Version
		cid  cid.Cid
		want string
	}{
		{"a block that the node lacks", 28, gone, "node"},
		{"a block that the state lacks", 20, gone, "guest"},
	} {
		w := newWorld(t, c.nv, plenty)
		w.Blocks.MarkReachable(c.cid)
		_, _, err := w.BlockOpen(t.Context(), c.cid)
		if execerrtest.Kind(err) != c.want || !strings.Contains(err.Error(), c.cid.String()) {
			t.Errorf("%s: %v, want a failure of the %s that names the block", c.name, err, c.want)
		}
	}
	w := newWorld(t, 20, plenty)
	if _, _, err := w.BlockOpen(t.Context(), w.store(0x70, []byte("x"))); execerrtest.Errno(err) != execerr.IllegalCodec {
		t.Errorf("another codec: %v", err)
	}
	w = newWorld(t, 28, plenty)
	bad := w.store(0x71, []byte{0x82})
	w.Blocks.MarkReachable(bad)
	if _, _, err := w.BlockOpen(t.Context(), bad); execerrtest.Errno(err) != execerr.Serialization {
		t.Errorf("a malformed block: %v", err)
	}
}

func TestBlockLink(t *testing.T) {
	for _, c := range []struct {
		id      kernel.BlockID
		hash    uint64
		hashLen uint32
		want    execerr.Errno
	}{
		{1, 0xb220, 32, 0}, {1, 0xb220, 31, execerr.IllegalCid}, {1, 0x12, 32, execerr.IllegalCid}, {2, 0xb220, 32, execerr.InvalidHandle},
		{0, 0xb220, 32, execerr.InvalidHandle}, {9, 0x12, 32, execerr.IllegalCid}, // the hash is looked at first
	} {
		w := newWorld(t, 28, plenty)
		if _, err := w.BlockCreate(0x55, []byte("abc")); err != nil {
			t.Fatal(err)
		}
		k, err := w.BlockLink(c.id, c.hash, c.hashLen)
		if execerrtest.Errno(err) != c.want || (c.want == 0 && err != nil) {
			t.Errorf("%+v: %v", c, err)
		}
		if c.want != 0 {
			continue
		}
		digest := blake2b.Sum256([]byte("abc"))
		if want := "\x01\x55\xa0\xe4\x02\x20" + string(digest[:]); k.KeyString() != want {
			t.Errorf("the CID is %x, want %x", k.KeyString(), want)
		}
		if data, err := w.m.Store.GetRaw(t.Context(), k); err != nil || string(data) != "abc" {
			t.Errorf("stored %q, %v", data, err)
		}
	}
}

// What BlockRead returns: how much lies beyond, or how much too long the buffer was.
func TestBlockRead(t *testing.T) {
	for _, c := range []struct {
		id, offset uint32
		n          int
		want       int32
		read       string
		errno      execerr.Errno
	}{
		{1, 0, 10, 0, "0123456789", 0}, {1, 0, 4, 6, "0123", 0}, {1, 3, 4, 3, "3456", 0}, {1, 9, 1, 0, "9", 0}, {1, 9, 3, -2, "9", 0},
		{1, 10, 0, 0, "", 0}, {1, 10, 3, -3, "", 0}, {1, 100, 3, -93, "", 0}, {1, 0, 0, 10, "", 0},
		{1, 1<<31 - 2, 1, 10 - (1<<31 - 1), "", 0}, {1, 1<<31 - 1, 1, 0, "", execerr.IllegalArgument}, {1, 1<<32 - 1, 0, 0, "", execerr.IllegalArgument},
		{2, 0, 1, 0, "", execerr.InvalidHandle}, {0, 0, 1, 0, "", execerr.InvalidHandle},
		{9, 1<<32 - 1, 0, 0, "", execerr.IllegalArgument}, // the range is looked at first
	} {
		w := newWorld(t, 28, plenty)
		if _, err := w.BlockCreate(0x55, []byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		buf := bytes.Repeat([]byte{'-'}, c.n)
		got, err := w.BlockRead(c.id, c.offset, buf)
		if execerrtest.Errno(err) != c.errno || got != c.want || !strings.HasPrefix(string(buf), c.read) || strings.Trim(string(buf[len(c.read):]), "-") != "" {
			t.Errorf("%+v: %d, %q, %v", c, got, buf, err)
		}
		// 0.4 gas a byte that was read.
		if err == nil && w.paid["OnBlockRead"] != uint64(len(c.read)*4/10) {
			t.Errorf("%+v: paid %v", c, w.paid)
		}
	}
}

// What a read-only call may not do, and that it is told before it pays.
func TestReadOnly(t *testing.T) {
	for name, do := range map[string]func(w *world) error{
		"set_root":            func(w *world) error { return w.SetRoot(t.Context(), machine.EmptyArray()) },
		"create_actor":        func(w *world) error { w.Self = 1; return w.CreateActor(t.Context(), code("account"), 500, nil) },
		"self_destruct":       func(w *world) error { return w.SelfDestruct(t.Context(), true) },
		"self_destruct to":    func(w *world) error { return w.SelfDestructTo(t.Context(), addr.NewID(other)) },
		"emit_event":          func(w *world) error { return w.EmitEvent(0, nil, nil, nil) },
		"emit_event, encoded": func(w *world) error { return w.EmitEncodedEvent([]byte{0x80}) },
		"send of value":       func(w *world) error { return send(w, kernel.SendParams{Value: big.NewInt(1)}) },
		"send, new account":   func(w *world) error { return send(w, kernel.SendParams{To: f1(t), Value: big.Zero()}) },
		"read-only send, flag": func(w *world) error {
			w.ReadOnly = false
			return send(w, kernel.SendParams{Value: big.NewInt(1), ReadOnly: true})
		},
	} {
		w := newWorld(t, 28, plenty)
		w.ReadOnly = true
		initActor(t, w)
		before, err := w.m.Tree.Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := do(w); execerrtest.Errno(err) != execerr.ReadOnly {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := w.m.Tree.Flush(t.Context()); after != before {
			t.Errorf("%s: the state changed", name)
		}
		if w.calls.Gas().Used() != 0 {
			t.Errorf("%s: paid %v", name, w.paid)
		}
	}
}

// initActor gives the world an init actor without addresses.
func initActor(t *testing.T, w *world) {
	t.Helper()
	empty := w.store(0x71, []byte{0x82, 0x40, 0x80})
	data := append([]byte{0x83}, links(empty)[1:]...)
	head := w.store(0x71, append(data, 0x19, 0x03, 0xe8, 0x64, 't', 'e', 's', 't'))
	if err := w.m.Tree.SetActor(1, state.ActorState{Code: code("init"), Head: head, Balance: big.Zero()}); err != nil {
		t.Fatal(err)
	}
}

func f1(t *testing.T) address.Address {
	t.Helper()
	a, err := address.NewSecp256k1Address([]byte("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(w *world, p kernel.SendParams) error {
	if p.To == address.Undef {
		p.To = addr.NewID(other)
	}
	_, err := w.Send(context.Background(), p)
	return err
}

// sends is a call manager that notes the calls of other actors and answers them.
type sends struct {
	kernel.CallManager
	got    kernel.SendRequest
	answer kernel.Result
	err    error
}

func (s *sends) Send(_ context.Context, r kernel.SendRequest) (kernel.Result, error) {
	s.got = r
	return s.answer, s.err
}

func TestSend(t *testing.T) {
	w := newWorld(t, 28, plenty)
	s := &sends{CallManager: w.calls}
	k := kernel.New(s, kernel.Invocation{Caller: other, Self: self, Value: big.Zero()})
	limit := gas.New(5)
	params := &kernel.Block{Codec: 0x55, Data: []byte("params")}
	if _, err := k.Blocks.PutReachable(params); err != nil {
		t.Fatal(err)
	}
	leaf := w.store(0x55, []byte("leaf"))
	s.answer = kernel.Result{ExitCode: 33, Return: &kernel.Block{Codec: 0x71, Data: links(leaf), Links: []cid.Cid{leaf}}}
	r, err := k.Send(t.Context(), kernel.SendParams{To: addr.NewID(other), Method: 7, Params: 1, Value: big.NewInt(3), GasLimit: &limit})
	want := kernel.SendRequest{From: self, To: addr.NewID(other), Method: 7, Params: params, Value: big.NewInt(3), GasLimit: &limit}
	if err != nil || !reflect.DeepEqual(s.got, want) {
		t.Errorf("sent %+v, %v; want %+v", s.got, err, want)
	}
	// The returned block is the actor's now, whatever the exit code; what it links to can be opened.
	if want := (kernel.SendResult{ExitCode: 33, Return: 2, Stat: kernel.BlockStat{Codec: 0x71, Size: uint32(len(links(leaf)))}}); r != want {
		t.Errorf("returned %+v, want %+v", r, want)
	}
	if !k.Blocks.Reachable(leaf) {
		t.Error("what the returned block links to is not reachable")
	}
	// Whoever is read-only passes that on.
	for _, c := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		k.ReadOnly = c[0]
		if _, err := k.Send(t.Context(), kernel.SendParams{To: addr.NewID(other), Value: big.Zero(), ReadOnly: c[1]}); err != nil || s.got.ReadOnly != (c[0] || c[1]) {
			t.Errorf("read-only %v, asked for %v: sent %v, %v", c[0], c[1], s.got.ReadOnly, err)
		}
	}
	k.ReadOnly = false
	s.got = kernel.SendRequest{}
	if _, err := k.Send(t.Context(), kernel.SendParams{To: addr.NewID(other), Params: 99, Value: big.Zero()}); execerrtest.Errno(err) != execerr.InvalidHandle || s.got.Value.Int != nil {
		t.Errorf("params that do not exist: %v", err)
	}
	s.err = execerr.ErrOutOfGas
	if _, err := k.Send(t.Context(), kernel.SendParams{To: addr.NewID(other), Value: big.Zero()}); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("an error of the call: %v", err)
	}
}

// Randomness costs 146,200 and 75 an epoch of looking back (nv21 and later).
func TestRandomness(t *testing.T) {
	for _, c := range []struct {
		round abi.ChainEpoch
		want  string // kind of error
		paid  uint64
	}{
		{epoch, "", 146_200}, {epoch - 1, "", 146_275}, {0, "", 146_200 + 75*epoch}, {-1, "", 146_200 + 75*(epoch+1)},
		{math.MinInt64 + epoch, "errno", 0}, {math.MinInt64, "errno", 0},
	} {
		for kindOf, first := range map[kernel.RandomnessKind]byte{kernel.ChainRandomness: 0xc0, kernel.BeaconRandomness: 0xbe} {
			w := newWorld(t, 28, plenty)
			d, err := w.Randomness(t.Context(), kindOf, c.round)
			if execerrtest.Kind(err) != c.want || w.paid["OnGetRandomness"] != c.paid {
				t.Errorf("round %d: %v, paid %v; want %q, %d", c.round, err, w.paid, c.want, c.paid)
			}
			if err == nil && (d[0] != first || d[1] != byte(c.round)) {
				t.Errorf("round %d of %v: %x", c.round, kindOf, d)
			}
			if err != nil && execerrtest.Errno(err) != execerr.IllegalArgument {
				t.Errorf("round %d: %v", c.round, err)
			}
		}
	}
}

// A round in the future looks back by a negative number, which as a price is more gas than there can be.
func TestQuirkFutureRandomnessCostsAllGas(t *testing.T) {
	for _, round := range []abi.ChainEpoch{epoch + 1, epoch + 900, math.MaxInt64} {
		w := newWorld(t, 28, math.MaxInt64/1000)
		_, err := w.Randomness(t.Context(), kernel.ChainRandomness, round)
		if !errors.Is(err, execerr.ErrOutOfGas) || w.calls.Gas().Available() != 0 {
			t.Errorf("round %d: %v, %d left", round, err, w.calls.Gas().Available())
		}
	}
	// Until nv20 there was no such price: the node is asked.
	w := newWorld(t, 20, plenty)
	if _, err := w.DrawRandomness(t.Context(), kernel.ChainRandomness, 1, epoch+1, nil); err != nil {
		t.Errorf("nv20: %v", err)
	}
	goldentest.Run(t, "nv28-script-epochs-005", "nv21-script-epochs-005", "nv18-script-epochs-005")
}

// Until nv20 randomness is drawn here: a hash of the purpose, the digest, the round and the entropy.
func TestDrawRandomness(t *testing.T) {
	w := newWorld(t, 20, plenty)
	got, err := w.DrawRandomness(t.Context(), kernel.BeaconRandomness, -2, 0x0102, []byte("entropy"))
	if err != nil {
		t.Fatal(err)
	}
	in := append([]byte("\xff\xff\xff\xff\xff\xff\xff\xfe\xbe\x02"), make([]byte, 30)...)
	in = append(in, "\x00\x00\x00\x00\x00\x00\x01\x02entropy"...)
	if want := blake2b.Sum256(in); got != want {
		t.Errorf("%x, want %x", got, want)
	}
	// An extern is 21,000, 480 for the 48 bytes of fixed length and 10 a byte of entropy.
	if w.paid["OnGetRandomness"] != 21_480+70 {
		t.Errorf("paid %v", w.paid)
	}
}

func TestTipsetCID(t *testing.T) {
	for _, c := range []struct {
		nv    network.Version
		epoch abi.ChainEpoch
		want  string
		paid  uint64
	}{
		{20, epoch - 1, "", 50_000}, {20, epoch - 2, "", 215_000}, {20, epoch - 899, "", 215_000}, {20, epoch - 900, "errno", 0}, {20, 0, "errno", 0},
		{20, epoch, "errno", 0}, {20, epoch + 1, "errno", 0}, {20, -1, "errno", 0}, {20, math.MinInt64, "errno", 0},
		{21, epoch - 1, "", 146_275}, {21, epoch - 899, "", 146_200 + 75*899}, {21, epoch - 900, "", 146_200 + 75*900}, {21, 0, "", 146_200 + 75*epoch},
		{21, epoch, "errno", 0}, {21, epoch + 1, "errno", 0}, {21, math.MaxInt64, "errno", 0}, {21, -1, "errno", 0},
	} {
		w := newWorld(t, c.nv, plenty)
		k, err := w.TipsetCID(t.Context(), c.epoch)
		if execerrtest.Kind(err) != c.want || w.paid["OnTipsetCid"] != c.paid || (err == nil) != (k == code("tipset")) {
			t.Errorf("nv%d, epoch %d: %s, %v, paid %v; want %q, %d", c.nv, c.epoch, k, err, w.paid, c.want, c.paid)
		}
		if err != nil && execerrtest.Errno(err) != execerr.IllegalArgument {
			t.Errorf("nv%d, epoch %d: %v", c.nv, c.epoch, err)
		}
	}
}

// An extern's error is the actor's to hear, but for what is this node's own.
func TestExternErrors(t *testing.T) {
	plain := errors.New("there is no such round")
	nodes := fmt.Errorf("the database: %w", externs.ErrNodeFailure)
	ask := map[string]func(w *world) error{
		"randomness": func(w *world) error {
			_, err := w.Randomness(t.Context(), kernel.BeaconRandomness, 1)
			return err
		},
		"draw": func(w *world) error {
			_, err := w.DrawRandomness(t.Context(), kernel.ChainRandomness, 1, 1, nil)
			return err
		},
		"fault": func(w *world) error { _, err := w.VerifyConsensusFault(t.Context(), nil, nil, nil); return err },
		"post":  func(w *world) error { _, err := w.VerifyPoSt(t.Context(), proof.WindowPoStVerifyInfo{}); return err },
		"update": func(w *world) error {
			_, err := w.VerifyReplicaUpdate(t.Context(), proof.ReplicaUpdateInfo{})
			return err
		},
		"aggregate": func(w *world) error {
			_, err := w.VerifyAggregateSeals(t.Context(), proof.AggregateSealVerifyProofAndInfos{})
			return err
		},
		"tipset": func(w *world) error { _, err := w.TipsetCID(t.Context(), 1); return err },
	}
	for name, do := range ask {
		for err, want := range map[error]string{nil: "", plain: "errno", nodes: "node", context.Canceled: "node", context.DeadlineExceeded: "node"} {
			if name == "tipset" && err != nil {
				want = "node"
			}
			w := newWorld(t, 28, plenty)
			w.m.Externs, w.m.Proofs = &node{err: err}, &verifier{err: err}
			got := do(w)
			if execerrtest.Kind(got) != want || (want == "errno" && execerrtest.Errno(got) != execerr.IllegalArgument) || (want == "node" && !errors.Is(got, err)) {
				t.Errorf("%s, extern error %v: %v, want %q", name, err, got, want)
			}
		}
		if name == "randomness" || name == "draw" || name == "fault" || name == "tipset" {
			continue
		}
		w := newWorld(t, 28, plenty)
		w.m.Proofs = nil
		if err := do(w); execerrtest.Kind(err) != "node" || !strings.Contains(err.Error(), "Config.Proofs") {
			t.Errorf("%s without a verifier: %v", name, err)
		}
	}
}

// A seal that cannot be judged is invalid. Each costs 2000, from nv25 on 42,000,000.
func TestBatchVerifySeals(t *testing.T) {
	infos := make([]proof.SealVerifyInfo, 3)
	infos[0].Number, infos[1].Number, infos[2].Number = 2, 13, 15
	for nv, each := range map[network.Version]uint64{18: 2000, 24: 2000, 25: 42_000_000, 29: 42_000_000} {
		w := newWorld(t, nv, plenty)
		w.m.Proofs = &verifier{err: errors.New("malformed")}
		got, err := w.BatchVerifySeals(t.Context(), infos)
		if err != nil || !reflect.DeepEqual(got, []bool{true, false, false}) || w.paid["OnVerifySeal"] != 3*each {
			t.Errorf("nv%d: %v, %v, paid %v", nv, got, err, w.paid)
		}
	}
	w := newWorld(t, 28, plenty)
	w.m.Proofs = &freeVerifier{}
	if got, err := w.BatchVerifySeals(t.Context(), infos); err != nil || !reflect.DeepEqual(got, []bool{true, true, false}) || len(w.paid) > 0 {
		t.Errorf("a free batch: %v, %v, paid %v", got, err, w.paid)
	}
	w.m.Proofs = &verifier{err: externs.ErrNodeFailure}
	if _, err := w.BatchVerifySeals(t.Context(), infos); execerrtest.Kind(err) != "node" {
		t.Errorf("a failure of the node: %v", err)
	}
	w.m.Proofs = nil
	if _, err := w.BatchVerifySeals(t.Context(), infos); execerrtest.Kind(err) != "node" {
		t.Errorf("no verifier: %v", err)
	}
	if got, err := w.BatchVerifySeals(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("an empty batch needs no verifier: %v, %v", got, err)
	}
	short := newWorld(t, 28, 84_000_000)
	v := &verifier{}
	short.m.Proofs = v
	if _, err := short.BatchVerifySeals(t.Context(), infos); !errors.Is(err, execerr.ErrOutOfGas) || v.seals != 0 {
		t.Errorf("gas for two of three: %v, %d judged", err, v.seals)
	}
}

// Calibnet had verified 32 GiB proofs of type V1P1 as V1 until a fix at epoch 498,691.
func TestQuirkCalibnetPoSt(t *testing.T) {
	const (
		v1   = abi.RegisteredPoStProof_StackedDrgWindow32GiBV1
		v1p1 = abi.RegisteredPoStProof_StackedDrgWindow32GiBV1_1
		w64  = abi.RegisteredPoStProof_StackedDrgWindow64GiBV1_1
	)
	type types = []abi.RegisteredPoStProof
	for _, c := range []struct {
		nv      network.Version
		chain   uint64
		epoch   abi.ChainEpoch
		in, out types
	}{
		{20, 314159, 498691, types{v1p1, v1p1}, types{v1, v1p1}}, // the first alone
		{19, 314159, 0, types{v1p1}, types{v1}},
		{20, 314159, 498692, types{v1p1}, types{v1p1}},
		{20, 314, 498691, types{v1p1}, types{v1p1}},
		{20, 314159, 498691, types{w64, v1p1}, types{w64, v1p1}},
		{20, 314159, 498691, types{}, types{}},
		{21, 314159, 498691, types{v1p1}, types{v1p1}},
	} {
		w := newWorld(t, c.nv, plenty)
		v := &verifier{ok: true}
		w.m.Proofs, w.m.ChainID, w.m.Epoch = v, c.chain, c.epoch
		info := proof.WindowPoStVerifyInfo{Proofs: []proof.PoStProof{}}
		for _, p := range c.in {
			info.Proofs = append(info.Proofs, proof.PoStProof{PoStProof: p})
		}
		if ok, err := w.VerifyPoSt(t.Context(), info); err != nil || !ok {
			t.Fatalf("%+v: %v, %v", c, ok, err)
		}
		for i, p := range v.posts[0].Proofs {
			if p.PoStProof != c.out[i] {
				t.Errorf("%+v: proof %d was verified as type %d", c, i, p.PoStProof)
			}
			if info.Proofs[i].PoStProof != c.in[i] {
				t.Errorf("%+v: the caller's proof %d was changed", c, i)
			}
		}
	}
}

func TestSelfDestruct(t *testing.T) {
	for _, c := range []struct {
		name          string
		do            func(w *world) error
		want          execerr.Errno
		fatal         bool
		burnt, others int64
	}{
		{"burning", func(w *world) error { return w.SelfDestruct(t.Context(), true) }, 0, false, 100, 50},
		{"not burning", func(w *world) error { return w.SelfDestruct(t.Context(), false) }, execerr.IllegalOperation, false, 50, 50},
		{"to another", func(w *world) error { return w.SelfDestructTo(t.Context(), addr.NewID(other)) }, 0, false, 50, 100},
		{"to itself", func(w *world) error { return w.SelfDestructTo(t.Context(), addr.NewID(self)) }, execerr.Forbidden, false, 50, 50},
		{"to nobody", func(w *world) error { return w.SelfDestructTo(t.Context(), addr.NewID(777)) }, execerr.NotFound, false, 50, 50},
		{"burning without a place", func(w *world) error {
			if err := w.m.Tree.DeleteActor(99); err != nil {
				t.Fatal(err)
			}
			return w.SelfDestruct(t.Context(), true)
		}, 0, true, 0, 50},
	} {
		w := newWorld(t, 28, plenty)
		err := c.do(w)
		if execerrtest.Errno(err) != c.want || (execerrtest.Kind(err) == "guest") != c.fatal {
			t.Errorf("%s: %v", c.name, err)
		}
		st, _ := w.m.Tree.Actor(t.Context(), self)
		if (st == nil) != (err == nil) {
			t.Errorf("%s: the actor is %+v", c.name, st)
		}
		for id, want := range map[abi.ActorID]int64{99: c.burnt, other: c.others} {
			if st, _ := w.m.Tree.Actor(t.Context(), id); st != nil && !st.Balance.Equals(big.NewInt(want)) {
				t.Errorf("%s: the actor %d has %s, want %d", c.name, id, st.Balance, want)
			}
		}
		if err != nil {
			continue
		}
		// It is gone for itself as well, and can be deleted again.
		if _, err := w.Root(t.Context()); execerrtest.Errno(err) != execerr.IllegalOperation {
			t.Errorf("%s: its root: %v", c.name, err)
		}
		w.Blocks.MarkReachable(machine.EmptyArray())
		if err := w.SetRoot(t.Context(), machine.EmptyArray()); execerrtest.Errno(err) != execerr.IllegalOperation {
			t.Errorf("%s: a new root: %v", c.name, err)
		}
		if b, err := w.CurrentBalance(t.Context()); err != nil || !b.IsZero() {
			t.Errorf("%s: its balance: %s, %v", c.name, b, err)
		}
		if err := w.SelfDestruct(t.Context(), false); err != nil {
			t.Errorf("%s: a second time: %v", c.name, err)
		}
	}
}

func TestActorQuestions(t *testing.T) {
	w := newWorld(t, 28, plenty)
	if _, err := w.BalanceOf(t.Context(), 777); execerrtest.Errno(err) != execerr.NotFound {
		t.Errorf("balance of nobody: %v", err)
	}
	if _, err := w.ActorCodeCID(t.Context(), 777); execerrtest.Errno(err) != execerr.NotFound {
		t.Errorf("code of nobody: %v", err)
	}
	if _, err := w.LookupDelegatedAddress(t.Context(), 777); execerrtest.Errno(err) != execerr.NotFound {
		t.Errorf("address of nobody: %v", err)
	}
	if a, err := w.LookupDelegatedAddress(t.Context(), self); err != nil || a != nil {
		t.Errorf("address of one without: %v, %v", a, err)
	}
	if id, err := w.ResolveAddress(t.Context(), addr.NewID(1<<64-1)); err != nil || id != 1<<64-1 {
		t.Errorf("an ID stands for itself: %d, %v", id, err)
	}
	for typ, want := range map[uint32]cid.Cid{0: cid.Undef, 1: code("system"), 6: code("ethaccount"), 7: cid.Undef, 1<<32 - 1: cid.Undef} {
		c, err := w.CodeCIDForType(typ)
		if c != want || (want == cid.Undef) != (execerrtest.Errno(err) == execerr.IllegalArgument) {
			t.Errorf("type %d: %s, %v", typ, c, err)
		}
		if n, err := w.BuiltinActorType(want); want.Defined() && (n != typ || err != nil) {
			t.Errorf("code of type %d: %d, %v", typ, n, err)
		}
	}
	if err := w.CreateActor(t.Context(), code("account"), 500, nil); execerrtest.Errno(err) != execerr.Forbidden {
		t.Errorf("an actor made by another than the init actor: %v", err)
	}
}

// Events of nv21 and later: what is refused, and that a refusal is paid for but for read-only calls.
func TestEmitEvent(t *testing.T) {
	type header = kernel.EventHeader
	ok := header{Flags: 3, Codec: 0x55, KeyLen: 1, ValueLen: 1}
	with := func(change func(*header)) []header { h := ok; change(&h); return []header{h} }
	for _, c := range []struct {
		name         string
		headers      []header
		keys, values string
		want         execerr.Errno
	}{
		{"nothing", nil, "", "", 0},
		{"one", []header{ok}, "k", "v", 0},
		{"CBOR", with(func(h *header) { h.Codec = 0x51 }), "k", "v", 0},
		{"DAG-CBOR", with(func(h *header) { h.Codec = 0x71 }), "k", "v", execerr.IllegalCodec},
		{"unknown flags", with(func(h *header) { h.Flags = 4 }), "k", "v", execerr.IllegalArgument},
		{"255 entries", slicesOf(ok, 255), strings.Repeat("k", 255), strings.Repeat("v", 255), 0},
		{"256 entries", slicesOf(ok, 256), strings.Repeat("k", 256), strings.Repeat("v", 256), execerr.LimitExceeded},
		{"key of 31", with(func(h *header) { h.KeyLen = 31 }), strings.Repeat("k", 31), "v", 0},
		{"key of 32", with(func(h *header) { h.KeyLen = 32 }), strings.Repeat("k", 32), "v", execerr.LimitExceeded},
		{"values of 8 KiB", with(func(h *header) { h.ValueLen = 8192 }), "k", strings.Repeat("v", 8192), 0},
		{"a byte more", with(func(h *header) { h.ValueLen = 8193 }), "k", strings.Repeat("v", 8193), execerr.LimitExceeded},
		{"value longer than the buffer", with(func(h *header) { h.ValueLen = 2 }), "k", "v", execerr.IllegalArgument},
		{"value longer than can be", with(func(h *header) { h.ValueLen = 8193 }), "k", "v", execerr.IllegalArgument},
		{"key longer than the buffer", with(func(h *header) { h.KeyLen = 2 }), "k", "v", execerr.IllegalArgument},
		{"keys left over", []header{ok}, "kk", "v", execerr.IllegalArgument},
		{"values left over", []header{ok}, "k", "vv", execerr.IllegalArgument},
		{"keys not UTF-8", []header{ok}, "\xff", "v", execerr.IllegalArgument},
		{"key of two bytes", with(func(h *header) { h.KeyLen = 2 }), "é", "v", 0},
		{"a character split among keys", []header{ok, {0, 0x55, 1, 0}}, "é", "v", execerr.IllegalArgument},
		{"no key, no value", []header{{0, 0x55, 0, 0}}, "", "", 0},
		{"too many values before bad keys", []header{ok}, "\xff", strings.Repeat("v", 8193), execerr.LimitExceeded},
	} {
		w := newWorld(t, 28, plenty)
		err := w.EmitEvent(len(c.headers), func(i int) header { return c.headers[i] }, []byte(c.keys), []byte(c.values))
		if execerrtest.Errno(err) != c.want || (c.want == 0 && err != nil) {
			t.Errorf("%s: %v, want errno %d", c.name, err, c.want)
		}
		n, k, v := uint64(len(c.headers)), uint64(len(c.keys)), uint64(len(c.values))
		if want := (1000*(2500+1400*n+16*k) + 17200*(12+9*n+k+v)) / 1000; w.calls.Gas().Used().RoundDown() != want {
			t.Errorf("%s: paid %v, want %d", c.name, w.paid, want)
		}
		if events := w.calls.Events(); (len(events) == 1) != (err == nil) || err == nil && (events[0].Emitter != self || len(events[0].Entries) != len(c.headers)) {
			t.Errorf("%s: the events are %+v", c.name, events)
		}
	}
}

func slicesOf[T any](v T, n int) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// Events until nv20 are CBOR: 1750 and 27.4 a byte before decoding, 15.2 a byte and 12 more after it.
func TestEmitEncodedEvent(t *testing.T) {
	entry := func(key, value string, codec byte) string {
		return "\x84\x03\x78" + string(byte(len(key))) + key + "\x18" + string([]byte{codec}) + "\x59" + string([]byte{byte(len(value) >> 8), byte(len(value))}) + value
	}
	for _, c := range []struct {
		name, raw string
		want      execerr.Errno
		accepted  bool
	}{
		{"nothing", "\x80", 0, true},
		{"one", "\x81" + entry("k", "v", 0x55), 0, true},
		{"CBOR", "\x81" + entry("k", "v", 0x51), execerr.IllegalCodec, false},
		{"key of 32", "\x81" + entry(strings.Repeat("k", 32), "v", 0x55), 0, true},
		{"key of 33", "\x81" + entry(strings.Repeat("k", 33), "v", 0x55), execerr.IllegalArgument, false},
		{"values of 8 KiB", "\x82" + entry("a", strings.Repeat("v", 4096), 0x55) + entry("b", strings.Repeat("v", 4096), 0x55), 0, true},
		{"a byte more", "\x82" + entry("a", strings.Repeat("v", 4096), 0x55) + entry("b", strings.Repeat("v", 4097), 0x55), execerr.IllegalArgument, false},
		{"256 entries", "\x99\x01\x00" + strings.Repeat(entry("k", "", 0x55), 256), 0, true},
		{"257 entries", "\x99\x01\x01" + strings.Repeat(entry("k", "", 0x55), 257), execerr.IllegalArgument, false},
		{"malformed", "\x81", execerr.IllegalArgument, false},
		{"empty", "", execerr.IllegalArgument, false},
		{"more than a block", strings.Repeat("x", 1<<20+1), execerr.IllegalArgument, false},
	} {
		w := newWorld(t, 20, plenty)
		err := w.EmitEncodedEvent([]byte(c.raw))
		if execerrtest.Errno(err) != c.want || (c.want == 0 && err != nil) || (len(w.calls.Events()) == 1) != c.accepted {
			t.Errorf("%s: %v, %d events; want errno %d", c.name, err, len(w.calls.Events()), c.want)
		}
		n := uint64(len(c.raw))
		want := 1_750_000 + 27_400*n
		if c.accepted {
			want += 15_200 * (n + 12)
		}
		if got := uint64(w.calls.Gas().Used()); got != want {
			t.Errorf("%s: paid %d, want %d milligas", c.name, got, want)
		}
	}
}

func TestSignatures(t *testing.T) {
	w := newWorld(t, 28, plenty)
	for _, a := range []address.Address{addr.NewID(self), f2(t)} {
		if _, err := w.VerifySignature(t.Context(), stcrypto.SigTypeSecp256k1, make([]byte, 65), a, nil); execerrtest.Errno(err) != execerr.IllegalArgument {
			t.Errorf("a signature by %s: %v", a, err)
		}
	}
	// Whether it is known is asked before the charge: the type and the hash function are.
	if _, err := w.AppendHash(t.Context(), nil, 0x99, []byte("x")); execerrtest.Errno(err) != execerr.IllegalArgument || w.paid["OnHashing"] != 0 {
		t.Errorf("an unknown hash function: %v, paid %v", err, w.paid)
	}
	for nv, most := range map[network.Version]abi.RegisteredSealProof{20: 14, 21: 19} {
		w := newWorld(t, nv, plenty)
		for typ, want := range map[abi.RegisteredSealProof]bool{-1: false, 0: true, most: true, most + 1: false} {
			if w.KnownSealProof(typ) != want {
				t.Errorf("nv%d: seal proof %d", nv, typ)
			}
		}
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

func TestArtifactNames(t *testing.T) {
	w := newWorld(t, 28, plenty)
	for name, ok := range map[string]bool{
		"a": true, "a.b": true, strings.Repeat("a", 256): true,
		"": false, ".": false, ".a": false, "a/b": false, strings.Repeat("a", 257): false,
	} {
		if err := w.CheckArtifactName(name); (err == nil) != ok || (!ok && execerrtest.Errno(err) != execerr.IllegalArgument) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// The transfer to the burnt funds may take the last gas: that is no ordinary end.
func TestQuirkBurningOutOfGas(t *testing.T) {
	const found = 500_000 // what reading its own balance costs; the transfer costs 475,000
	w := newWorld(t, 28, found+400_000)
	if err := w.SelfDestruct(t.Context(), true); execerrtest.Kind(err) != "guest" {
		t.Errorf("without the gas for it: %v", err)
	}
	w = newWorld(t, 28, found-1)
	if err := w.SelfDestruct(t.Context(), true); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("without the gas to get there: %v", err)
	}
	w = newWorld(t, 18, found+400_000)
	if err := w.SelfDestructTo(t.Context(), addr.NewID(other)); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("to a beneficiary: %v", err)
	}
}

// Long work of the machine's own ends when the context is done, as a failure of this node.
func TestInterruptedWork(t *testing.T) {
	sector := pieces(t)
	for name, work := range map[string]func(*world, context.Context) error{
		"a hash of much data": func(w *world, ctx context.Context) error {
			_, err := w.AppendHash(ctx, nil, 0x1b, make([]byte, 3<<20))
			return err
		},
		"an aggregate": func(w *world, ctx context.Context) error {
			keys, lens := make([][48]byte, 100), make([]uint32, 100)
			texts := make([]byte, 100)
			for i := range keys {
				lens[i], texts[i] = 1, byte(i)
			}
			_, err := w.VerifyBLSAggregate(ctx, infinitySignature(), keys, texts, lens)
			return err
		},
		"a sector of many pieces": func(w *world, ctx context.Context) error {
			_, err := w.ComputeUnsealedSectorCID(ctx, 3, sector)
			return err
		},
		"many seals": func(w *world, ctx context.Context) error {
			_, err := w.BatchVerifySeals(ctx, make([]proof.SealVerifyInfo, 3))
			return err
		},
	} {
		w := newWorld(t, 28, plenty)
		err := work(w, &execerrtest.Countdown{Context: t.Context()})
		if execerrtest.Kind(err) != "node" || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// infinitySignature is the point at infinity, which is read before any key.
func infinitySignature() *[96]byte { return &[96]byte{0xc0} }

func pieces(t *testing.T) []abi.PieceInfo {
	c, err := cid.Decode("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq")
	if err != nil {
		t.Fatal(err)
	}
	return []abi.PieceInfo{{Size: 1 << 34, PieceCID: c}}
}

// Data that is hashed in parts has the digest of the whole.
func TestHashInParts(t *testing.T) {
	data := make([]byte, 5<<19)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	for _, code := range []uint64{0x12, 0x1b, 0x1053, 0xb220, 0xb240} {
		for _, size := range []int{0, 1 << 20, 1<<20 + 1, 2 << 20, len(data)} {
			got, err := newWorld(t, 28, plenty).AppendHash(t.Context(), []byte("x"), code, data[:size])
			if want, _ := crypto.AppendHash([]byte("x"), code, data[:size]); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%#x of %d bytes: %x, %v, not %x", code, size, got, err, want)
			}
		}
	}
}
