package shadow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	builtin "github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
)

// fickle answers each question another way each time, or with an error every third time.
type fickle struct {
	externs.Externs
	n    *atomic.Int64
	errs bool
}

var errFickle = errors.New("no answer today")

func (f fickle) answer() ([32]byte, error) {
	n := f.n.Add(1)
	if f.errs && n%3 == 0 {
		return [32]byte{}, errFickle
	}
	return [32]byte{byte(n), 1, 2, 3}, nil
}

func (f fickle) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) { return f.answer() }

func (f fickle) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return f.answer()
}

func (f fickle) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	if n := f.n.Add(1); n%2 == 0 {
		return &externs.ConsensusFault{Target: abi.ActorID(1000 + n), Epoch: abi.ChainEpoch(n), Type: 1}, nil
	}
	return nil, errFickle
}

func (f fickle) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256([]byte{byte(f.n.Add(1))})), nil
}

// coin is a verifier whose verdicts alternate.
type coin struct{ n *atomic.Int64 }

func (c coin) flip() (bool, error) { return c.n.Add(1)%2 == 1, nil }

func (c coin) VerifySeal(context.Context, proof.SealVerifyInfo) (bool, error) { return c.flip() }

func (c coin) VerifyAggregateSeals(context.Context, proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return c.flip()
}

func (c coin) VerifyPoSt(context.Context, proof.WindowPoStVerifyInfo) (bool, error) { return c.flip() }

func (c coin) VerifyReplicaUpdate(context.Context, proof.ReplicaUpdateInfo) (bool, error) {
	return c.flip()
}

// A world that never says the same twice makes no difference of engines, and what it said is in the bundle.
func TestFickleWorld(t *testing.T) {
	a, b := newEngine(t, "wazero"), newEngine(t, "wazero")
	bad := newFaulty(t, counts(1))
	asked := 0
	var sections []string
	for _, name := range []string{
		"nv28-onboard-007", "nv28-onboard-028", "nv28-batch-002", "nv28-script-nested-random-015", "nv28-script-random-005", "nv28-script-crypto-002",
		"nv21-script-random-017", "nv20-script-random-004", "nv25-script-random-009", "nv27-script-cuts-004",
	} {
		for _, errs := range []bool{false, true} {
			var n atomic.Int64
			world := func(cfg *fvm.Config) {
				cfg.Externs, cfg.Proofs = fickle{cfg.Externs, &n, errs}, coin{&n}
			}
			opts := shadow.Options{Engines: []*fvm.Engine{a, b}, Logger: quiet, Parallel: errs, RootEachMessage: true}
			opts.Report = func(d shadow.Difference) { t.Errorf("%s: %v", name, &d) }
			inStep(t, load(t, name), opts, world) // its expectations are of another world
			asked += int(n.Load())

			opts.Engines[1], opts.Dir, opts.OnDifference = bad, t.TempDir(), shadow.Continue
			var bundles []string
			opts.Report = func(d shadow.Difference) {
				if d.BundleError != nil {
					t.Errorf("%s: %v", name, d.BundleError)
				}
				bundles = append(bundles, d.Bundle)
			}
			v := load(t, name)
			conformance.RunVector(t.Context(), v, 0, &conformance.Options{Actors: actors, NoTrace: true, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
				world(&cfg)
				m, err := shadow.New(ctx, cfg, opts)
				return &flushing{Machine: m}, err
			}})
			if len(bundles) == 0 {
				t.Errorf("%s: no bundle", name)
			}
			for _, p := range bundles {
				if o := runOn(t, load(t, p), a); o.Status != conformance.Passed || !o.Traced {
					t.Errorf("%s: %+v", name, o)
				}
				sections = append(sections, answersIn(t, p)...)
			}
		}
	}
	if asked == 0 {
		t.Error("nothing was asked")
	}
	for _, want := range []string{"randomness", "randomness error", "tipsets", "faults", "faults error", "proof_answers", "proofs invalid"} {
		if !slices.Contains(sections, want) {
			t.Errorf("no bundle has %s", want)
		}
	}
}

// flushing flushes after each message, so that an engine that differs is back for the next.
type flushing struct{ vector.Machine }

func (f *flushing) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	res, err := f.Machine.Apply(ctx, msg, kind, length)
	if err == nil {
		_, err = f.Flush(ctx)
	}
	return res, err
}

// answersIn names the kinds of answers in a bundle.
func answersIn(t *testing.T, path string) (names []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"randomness", "tipsets", "faults", "proof_answers"} {
		if file[section] != nil {
			names = append(names, section)
		}
		if bytes.Contains(file[section], []byte(errFickle.Error())) {
			names = append(names, section+" error")
		}
	}
	if bytes.Contains(file["preconditions"], []byte(`"proofs": "invalid"`)) {
		names = append(names, "proofs invalid")
	}
	return names
}

// Code of one's own is in a bundle; that of the network's actors is not, unless they are none that anybody knows.
func TestBundledCode(t *testing.T) {
	good := newEngine(t, "wazero")
	s := settingOf(t, "nv21-wat-op-i64")
	x := s.messages[0]
	for _, strangers := range []bool{false, true} {
		cfg := s.cfg
		if strangers {
			cfg.StateRoot = withStrangers(t, cfg)
		}
		opts := shadow.Options{Engines: []*fvm.Engine{good, newFaulty(t, counts(1))}, Dir: t.TempDir()}
		_, err := machine(t, cfg, opts).Apply(t.Context(), x.msg, x.kind, x.length)
		var d *shadow.Difference
		if !errors.As(err, &d) || d.Bundle == "" {
			t.Fatal(err)
		}
		b, want := load(t, d.Bundle), "v12/mainnet"
		if strangers {
			want = vector.NoBundle
		}
		if b.Bundle() != want {
			t.Errorf("its actors are %q, want %q", b.Bundle(), want)
		}
		info, err := os.Stat(d.Bundle)
		if err != nil || info.Size() > 200<<10 && !strangers {
			t.Errorf("%d bytes, %v", info.Size(), err)
		}
		// An engine that has compiled nothing needs all the code.
		if o := runOn(t, b, newEngine(t, "wazero")); o.Status != conformance.Passed {
			t.Errorf("%+v", o)
		}
	}
}

// withStrangers is a state whose actors are the same under another manifest, as of a network that Lotus does not know.
func withStrangers(t *testing.T, cfg fvm.Config) cid.Cid {
	t.Helper()
	ctx := t.Context()
	store := blockstore.NewBuffered(cfg.Blockstore)
	put := func(data []byte) cid.Cid {
		c := cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(data))
		b, err := blocks.NewBlockWithCid(data, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.Blockstore.Put(ctx, b); err != nil {
			t.Fatal(err)
		}
		return c
	}
	tree, err := state.Load(ctx, store, cfg.StateRoot)
	if err != nil {
		t.Fatal(err)
	}
	m, err := builtin.LoadManifest(ctx, tree, store)
	if err != nil {
		t.Fatal(err)
	}
	codes := m.Codes()
	list := cbor.AppendArray(nil, len(codes)+1)
	for i, c := range append(codes, put([]byte("a stranger"))) {
		name := "stranger"
		if i < len(codes) {
			name, _ = m.Name(c)
		}
		list = cbor.AppendCID(cbor.AppendText(cbor.AppendArray(list, 2), name), c)
	}
	system, err := tree.Actor(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	system.Head = put(cbor.AppendCID(cbor.AppendArray(nil, 1), put(list)))
	if err := tree.SetActor(0, *system); err != nil {
		t.Fatal(err)
	}
	root, err := tree.Flush(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.FlushAll(ctx); err != nil {
		t.Fatal(err)
	}
	return root
}

// A bundle that cannot be written is no less a difference.
func TestNoBundle(t *testing.T) {
	s := settingOf(t, "nv28-market-001")
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := machine(t, s.cfg, shadow.Options{Engines: []*fvm.Engine{newEngine(t, "wazero"), newFaulty(t, counts(1))}, Dir: file})
	x := s.messages[0]
	_, err := m.Apply(t.Context(), x.msg, x.kind, x.length)
	var d *shadow.Difference
	if !errors.As(err, &d) || d.Bundle != "" || d.BundleError == nil {
		t.Error(err)
	}
}

// A fault that comes only once is written down as such.
func TestOnce(t *testing.T) {
	good := newEngine(t, "wazero")
	s := settingOf(t, "nv28-market-001")
	x := s.messages[0]
	for _, primary := range []bool{false, true} {
		var f *fault
		f = &fault{call: func(in engine.Instance, call func() error) error {
			err := call()
			in.SetCounter(in.Counter() - 1)
			f.off.Store(true)
			return err
		}}
		engines := []*fvm.Engine{good, newFaulty(t, f)}
		want := "run again, they did not differ"
		if primary {
			slices.Reverse(engines)
			want = "run again, faulty itself gave something else: trace: event "
		}
		_, err := machine(t, s.cfg, shadow.Options{Engines: engines, Dir: t.TempDir()}).Apply(t.Context(), x.msg, x.kind, x.length)
		var d *shadow.Difference
		if !errors.As(err, &d) || d.Bundle == "" || len(d.Again) < len(want) || d.Again[:len(want)] != want {
			t.Error(err)
		}
	}
}
