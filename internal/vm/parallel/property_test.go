package parallel_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v16/multisig"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/parallel"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

var bundles = vector.NewActors(bundle.Options{})

// world is the state of a golden vector, and who can be called in it.
type world struct {
	cfg      fvm.Config
	vector   []parallel.Step // the vector's own
	accounts []abi.ActorID
	others   []abi.ActorID
	modules  *call.Modules
	ends     map[exitcode.ExitCode]int
	nonces   map[abi.ActorID]uint64
}

func load(t testing.TB, name string) *world {
	t.Helper()
	v, err := conformance.Load(filepath.Join("..", "..", "..", "lab", "conformance", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var w world
	// The config is taken where the machine is made.
	s, err := vector.Prepare(t.Context(), v, 0, bundles, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.cfg = fvm.Config{
		NetworkVersion: s.Variant.NV, Epoch: s.Variant.Epoch, Timestamp: uint64(s.Variant.Epoch) * 30, ChainID: 314,
		BaseFee: big.NewInt(100), CircSupply: big.Mul(big.NewInt(2_000_000_000), big.NewInt(1e18)), StateRoot: v.PreRoot(), Blockstore: s.Store,
	}
	w.nonces, w.ends = map[abi.ActorID]uint64{}, map[exitcode.ExitCode]int{}
	eng, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close(context.Background()) })
	profile, err := machine.ProfileFor(w.cfg.NetworkVersion, false)
	if err != nil {
		t.Fatal(err)
	}
	if w.modules, err = call.NewModules(t.Context(), eng, profile); err != nil {
		t.Fatal(err)
	}
	for i := range s.Len() {
		if msg, err := s.Message(i); err == nil && !s.Implicit(i) {
			w.vector = append(w.vector, parallel.Step{Message: (*executor.Message)(msg), ChainLength: 200})
		}
	}
	for id := abi.ActorID(0); id < 1400; id++ {
		_, st, err := s.Machine.Actor(t.Context(), idAddress(id))
		if err != nil {
			t.Fatal(err)
		}
		if st == nil {
			continue
		}
		name, _ := s.Machine.ActorName(st.Code)
		w.nonces[id] = st.Nonce
		switch {
		case (name == "account" || name == "ethaccount") && st.Balance.GreaterThan(big.NewInt(1e15)) && id != 99:
			w.accounts = append(w.accounts, id)
		default:
			w.others = append(w.others, id)
		}
	}
	return &w
}

// messages makes random messages: transfers, new accounts, contracts, calls of whatever is there, messages that fail,
// and senders that share few or many receivers.
func (w *world) messages(t testing.TB, r *rand.Rand, n int) []parallel.Step {
	nonces := map[abi.ActorID]uint64{}
	for k, v := range w.nonces {
		nonces[k] = v
	}
	crowd := 1 + r.IntN(len(w.accounts))
	var msgs []parallel.Step
	for range n {
		from := w.accounts[r.IntN(crowd)]
		m := &executor.Message{
			From: idAddress(from), To: idAddress(w.accounts[r.IntN(crowd)]), Nonce: nonces[from], Value: big.NewInt(r.Int64N(1e6)),
			GasLimit: 100_000_000, GasFeeCap: big.NewInt(110 + r.Int64N(10)), GasPremium: big.NewInt(r.Int64N(20)),
		}
		nonces[from]++
		w.vary(t, r, m)
		switch r.IntN(30) {
		case 0:
			m.Nonce += 1 + uint64(r.IntN(2)) // refused
			nonces[from]--
		case 1:
			m.GasLimit = 300_000 + r.Int64N(5_000_000) // some run out of gas
		case 2:
			m.Value = big.Mul(big.NewInt(1e18), big.NewInt(1e12)) // too much
		case 3:
			m.GasFeeCap = big.NewInt(r.Int64N(100)) // below the base fee
		}
		msgs = append(msgs, parallel.Step{Message: m, ChainLength: 100 + r.IntN(100)})
		if r.IntN(40) == 0 {
			msgs = append(msgs, msgs[r.IntN(len(msgs))]) // again: refused, its nonce is used
		}
		if len(w.vector) > 0 && r.IntN(12) == 0 {
			msgs = append(msgs, w.vector[r.IntN(len(w.vector))]) // mostly refused: its sender's nonce is used
		}
	}
	return msgs
}

func (w *world) vary(t testing.TB, r *rand.Rand, m *executor.Message) {
	switch r.IntN(12) {
	case 0, 1: // an account that may be new
		key := bytes.Repeat([]byte{byte(r.IntN(4))}, 65)
		m.To = must(address.NewSecp256k1Address(key))(t)
	case 2: // a placeholder
		m.To = must(address.NewDelegatedAddress(10, bytes.Repeat([]byte{byte(r.IntN(4) + 1)}, 20)))(t)
	case 3: // burnt funds, the reward actor, whoever
		m.To = idAddress([]abi.ActorID{99, 2, 1, 0, 5, 98765}[r.IntN(6)])
	case 4: // a contract of three bytes
		m.To, m.Method, m.Value = idAddress(10), 4, big.Zero()
		m.Params = []byte{0x46, 0x60, byte(r.IntN(256)), 0x60, 0x00, 0x55, 0x00} // initcode: store a byte, stop
	case 5, 6: // any actor
		m.To = idAddress(w.others[r.IntN(len(w.others))])
		m.Method = abi.MethodNum([]uint64{0, 2, 3, 3844450837}[r.IntN(4)])
	case 7: // a multisig's proposal
		m.To, m.Method = idAddress(w.others[r.IntN(len(w.others))]), 2
		m.Params = encode(t, &multisig.ProposeParams{To: m.From, Value: big.NewInt(1)})
	case 8: // runs Wasm of an account
		m.Method = 2
	}
}

func encode(t testing.TB, v interface{ MarshalCBOR(io.Writer) error }) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := v.MarshalCBOR(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// outcome is all that serial and parallel execution must agree on. A message for which the vector's state lacks a block
// ends it; its number is then returned, or else -1.
func (w *world) outcome(t testing.TB, msgs []parallel.Step, workers int, traced bool) (string, int, parallel.Stats, error) {
	ctx := t.Context()
	store := blockstore.NewMemory()
	var rec trace.Recorder
	var hooks *trace.Hooks
	if traced {
		hooks = rec.Hooks()
	}
	m, err := machine.New(ctx, machine.Context{
		NetworkVersion: w.cfg.NetworkVersion, Epoch: w.cfg.Epoch, Timestamp: w.cfg.Timestamp, ChainID: w.cfg.ChainID,
		BaseFee: w.cfg.BaseFee, CircSupply: w.cfg.CircSupply,
	}, machine.Setup{Root: w.cfg.StateRoot, Base: &blockstore.Overlay{Top: store, Base: w.cfg.Blockstore}, Externs: answers{}, Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	p := parallel.Pool{Machine: m, Modules: w.modules, Workers: workers}
	var b bytes.Buffer
	bad := 0
	err = p.Apply(ctx, msgs, func(i int, r *executor.Result) error {
		root := "none"
		if r.EventsRoot != nil {
			root = r.EventsRoot.String()
		}
		own := *r
		own.EventsRoot = nil
		fmt.Fprintf(&b, "%d %+v %s\n", i, own, root)
		bad = i + 1
		w.ends[r.ExitCode]++
		return nil
	})
	if err != nil {
		return "", bad, p.Stats, err
	}
	root, err := m.Flush(ctx, traced) // traced: what a message wrote in vain shows too
	if err != nil {
		return "", -1, p.Stats, err
	}
	text, err := rec.Take().MarshalJSON()
	fmt.Fprintf(&b, "root %s\nblocks %v\ntrace %s\n", root, store.Keys(), text)
	return b.String(), -1, p.Stats, err
}

// answers are a node's, the same each time.
type answers struct{}

func (answers) ChainRandomness(_ context.Context, e abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{byte(e)}, nil
}

func (answers) BeaconRandomness(_ context.Context, e abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{1, byte(e)}, nil
}

func (answers) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, nil
}

func (answers) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return machine.EmptyArray(), nil
}

// envRounds is how many tipsets of each world are compared; envSeed is where they begin.
const envRounds, envSeed = "FVM_TIPSETS", "FVM_TIPSET_SEED"

func number(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return or
}

// worlds are golden vectors whose state has the whole state tree, and accounts with funds.
var worlds = []string{"nv28-multisig-007", "nv28-send-001"}

// differences are the rounds of n in which parallel execution gives something else, and what became of the messages.
func (w *world) differences(t testing.TB, n int) (wrong []uint64, sum parallel.Stats) {
	first := number(envSeed, 1)
	for i := range n {
		seed := uint64(first + i)
		r := rand.New(rand.NewPCG(seed, 28))
		msgs := w.messages(t, r, 2+r.IntN(120))
		traced := i%4 == 0
		want, bad, _, err := w.outcome(t, msgs, 1, traced)
		for ; bad >= 0; want, bad, _, err = w.outcome(t, msgs, 1, traced) {
			msgs = without(msgs, bad)
		}
		if err != nil {
			t.Fatalf("seed %d, serial: %v", seed, err)
		}
		restore := func() {}
		if i%2 == 1 {
			restore = parallel.Eager()
		}
		got, _, stats, err := w.outcome(t, msgs, 2+r.IntN(3), traced)
		restore()
		if err != nil || got != want {
			wrong = append(wrong, seed)
		}
		sum.Merged, sum.Repeated, sum.Serial = sum.Merged+stats.Merged, sum.Repeated+stats.Repeated, sum.Serial+stats.Serial
	}
	return wrong, sum
}

// without is the messages but one, whose nonce the sender's next has.
func without(msgs []parallel.Step, bad int) []parallel.Step {
	from := msgs[bad].From
	out := slices.Clone(msgs[:bad])
	for _, m := range msgs[bad+1:] {
		if m.From == from && m.Nonce > 0 {
			own := *m.Message
			own.Nonce--
			m.Message = &own
		}
		out = append(out, m)
	}
	return out
}

// Random messages give the same receipts, traces, blocks and roots on one goroutine and on several.
func TestSerialAndParallelAgree(t *testing.T) {
	for _, name := range worlds {
		t.Run(name, func(t *testing.T) {
			w := load(t, name)
			n := number(envRounds, 4)
			wrong, sum := w.differences(t, n)
			if len(wrong) > 0 {
				t.Errorf("seeds %v differ", wrong)
			}
			if n >= 4 && (sum.Merged == 0 || sum.Repeated == 0) {
				t.Errorf("nothing is tested: %+v", sum)
			}
			t.Logf("%d accounts, %+v, exit codes %v", len(w.accounts), sum, w.ends)
		})
	}
}

// Without the comparison of what was read, the same tipsets give something else: the test above would see it.
func TestBlindnessIsSeen(t *testing.T) {
	defer parallel.Blind()()
	w := load(t, worlds[0])
	if wrong, sum := w.differences(t, 4); len(wrong) == 0 {
		t.Errorf("nothing differs: %+v", sum)
	}
}
