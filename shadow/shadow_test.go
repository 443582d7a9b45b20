package shadow_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// Two code generators agree on a thirtieth of the golden vector, whichever way they run.
func TestEnginesAgree(t *testing.T) {
	a, b := newEngine(t, "wazero"), newEngine(t, "wazero-interpreter")
	files, err := conformance.Find(goldens)
	if err != nil {
		t.Fatal(err)
	}
	step := 30
	if testing.Short() {
		step = 150
	}
	for i := 0; i < len(files); i += step {
		v := load(t, files[i])
		opts := shadow.Options{Engines: []*fvm.Engine{a, b}, Parallel: i/step%2 == 1, RootEachMessage: i/step%3 == 1, Dir: t.TempDir()}
		if o := inStep(t, v, opts, nil); o.Status != conformance.Passed || !o.Traced {
			t.Errorf("%s: %+v", v.Name, o)
		}
	}
}

// flips changes the last byte of each block that a guest makes.
func flips() *fault {
	return &fault{host: func(name string, in engine.Instance, stack []uint64, call func() error) error {
		if name != "ipld::block_create" || uint32(stack[3]) == 0 {
			return call()
		}
		off, n := uint32(stack[2]), uint32(stack[3])
		b := &in.Memory()[off+n-1]
		*b ^= 1
		defer func() { *b ^= 1 }()
		return call()
	}}
}

// counts makes the gas of each call into a guest wrong by n milligas.
func counts(n int64) *fault {
	return &fault{call: func(in engine.Instance, call func() error) error {
		err := call()
		in.SetCounter(in.Counter() - n)
		return err
	}}
}

// mistakes makes each trap one of another kind.
func mistakes() *fault {
	return &fault{call: func(_ engine.Instance, call func() error) error {
		err := call()
		var trap *engine.Trap
		if errors.As(err, &trap) {
			return &engine.Trap{Kind: trap.Kind%engine.TrapBadConversionToInteger + 1}
		}
		return err
	}}
}

var errBroke = errors.New("the engine broke down")

func breaks() *fault {
	return &fault{call: func(_ engine.Instance, call func() error) error {
		_ = call()
		return errBroke
	}}
}

// lags sets a new root of a guest's state to the one that it read before, if wrong says so of that: neither gas nor
// trace tell.
func lags(wrong func(old []byte) bool) *fault {
	old := map[engine.Instance][]byte{}
	return &fault{host: func(name string, in engine.Instance, stack []uint64, call func() error) error {
		switch name {
		case "self::root":
			out, off := uint32(stack[0]), uint32(stack[1])
			err := call()
			if mem := in.Memory(); err == nil && uint32(stack[0]) == 0 {
				old[in] = bytes.Clone(mem[off : off+binary.LittleEndian.Uint32(mem[out:])])
			}
			return err
		case "self::set_root":
			if root := old[in]; root != nil && wrong(root) {
				mem := in.Memory()[uint32(stack[0]):]
				now := bytes.Clone(mem[:len(root)])
				copy(mem, root)
				defer copy(mem, now)
			}
			delete(old, in)
		}
		return call()
	}}
}

func always([]byte) bool { return true }

// Each fault is caught, says what differs, and leaves a bundle that a sound engine passes and the faulty one does not.
func TestFaults(t *testing.T) {
	good := newEngine(t, "wazero")
	for _, c := range []struct {
		name, vector string
		fault        *fault
		want         []string
	}{
		{"one milligas", "nv28-multisig-007", counts(1), []string{"trace: event ", "gas charge wasm_exec: compute milligas is "}},
		{"one gas", "nv28-multisig-007", counts(1000), []string{"gas_used: want 1868263, got 1868264", "base_fee_burn: want", "compute milligas is "}},
		{"one byte of memory", "nv28-evmnew-008", flips(), []string{"trace: event "}},
		{"one byte of memory, nv18", "nv18-wat-op-i64", flips(), []string{"return: want "}},
		{"one kind of trap", "nv28-wat-height-2044", mistakes(), []string{"failure: want ", "wasm trap"}},
		{"a failure", "nv28-multisig-007", breaks(), []string{"error: want a receipt with exit code 17, got ", errBroke.Error()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := load(t, c.vector)
			opts := shadow.Options{Engines: []*fvm.Engine{good, newFaulty(t, c.fault)}, Dir: t.TempDir(), Logger: quiet}
			var reported []shadow.Difference
			opts.Report = func(d shadow.Difference) { reported = append(reported, d) }
			o := inStep(t, v, opts, nil)
			if o.Status != conformance.Failed || len(reported) != 1 {
				t.Fatalf("%d reports, %+v", len(reported), o)
			}
			d := &reported[0]
			for _, w := range append(c.want, "engine faulty differs from wazero in message 0 (", "differed in the same way", d.Bundle) {
				if !strings.Contains(o.Error, w) {
					t.Errorf("it lacks %q: %s", w, o.Error)
				}
			}
			again(t, d, good, opts)
		})
	}
}

// again opens a bundle: the good engine passes, and in lock-step the difference is there again.
func again(t *testing.T, d *shadow.Difference, good *fvm.Engine, opts shadow.Options) {
	t.Helper()
	if d.BundleError != nil {
		t.Fatal(d.BundleError)
	}
	b := load(t, d.Bundle)
	if o := runOn(t, b, good); o.Status != conformance.Passed || !o.Traced || o.Messages != 1 {
		t.Errorf("the bundle on the good engine: %+v", o)
	}
	if x := b.EngineDifference(); x == nil || x.Primary != d.Primary || x.Engine != d.Engine || len(x.Differences) != len(d.Parts) || x.Again != d.Again {
		t.Errorf("the bundle says %+v", x)
	} else if _, err := os.Stat(filepath.Join(opts.Dir, x.Trace)); err != nil {
		t.Error(err)
	}
	var second *shadow.Difference
	opts.Report = func(d shadow.Difference) { second = &d }
	o := inStep(t, b, opts, nil)
	if o.Status != conformance.Failed || second == nil || second.Parts[0] != d.Parts[0] {
		t.Errorf("the bundle in lock-step: %+v", o)
	}
	if second != nil && second.Bundle != d.Bundle {
		t.Errorf("the bundle's bundle is %s, not %s", second.Bundle, d.Bundle)
	}
}

// A fault in the middle of a vector makes a bundle of that one message.
func TestMiddle(t *testing.T) {
	good := newEngine(t, "wazero")
	v := load(t, "nv28-script-random-003")
	const at = 5
	for _, each := range []bool{false, true} {
		f := counts(1)
		f.off.Store(true)
		var d *shadow.Difference
		opts := shadow.Options{
			Engines: []*fvm.Engine{good, newFaulty(t, f)}, Dir: t.TempDir(), Logger: quiet, RootEachMessage: each,
			Report: func(x shadow.Difference) { d = &x },
		}
		n := 0
		o := conformance.RunVector(t.Context(), v, 0, &conformance.Options{Actors: actors, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
			m, err := shadow.New(ctx, cfg, opts)
			return &before{Machine: m, apply: func() { f.off.Store(n != at); n++ }}, err
		}})
		if d == nil || d.Number != at || !strings.Contains(o.Error, "in message 5 (") {
			t.Fatalf("%+v, %+v", d, o)
		}
		again(t, d, good, opts)
	}
}

// before does something before each message.
type before struct {
	vector.Machine
	apply func()
}

func (b *before) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	b.apply()
	return b.Machine.Apply(ctx, msg, kind, length)
}

// A difference that only the root shows is found at its message: by roots after each, or by running again at the flush.
func TestRootOnly(t *testing.T) {
	good := newEngine(t, "wazero")
	for _, name := range []string{"nv28-createminer-003", "nv28-script-destroy-001", "nv28-deals-002"} {
		v := load(t, name)
		for _, each := range []bool{false, true} {
			var d *shadow.Difference
			opts := shadow.Options{
				Engines: []*fvm.Engine{good, newFaulty(t, lags(always))}, Dir: t.TempDir(), Logger: quiet, RootEachMessage: each,
				Report: func(x shadow.Difference) { d = &x },
			}
			o := inStep(t, v, opts, nil)
			if d == nil {
				t.Fatalf("%s: no difference: %+v", name, o)
			}
			if len(d.Parts) != 1 || d.Parts[0].Field != "state_root" || d.Number != 0 {
				t.Errorf("%s, roots after each: %v: %v", name, each, d)
			}
			opts.RootEachMessage = true
			again(t, d, good, opts)
		}
	}
}

// Where a root differed unseen and a later message shows it, the bundle is of the message that began it.
func TestCauseIsEarlier(t *testing.T) {
	good := newEngine(t, "wazero")
	s := settingOf(t, "nv28-market-001")
	var only []byte // the root that is wrongly kept: that of the first message
	f := lags(func(old []byte) bool {
		if only == nil {
			only = old
		}
		return bytes.Equal(only, old)
	})
	opts := shadow.Options{Engines: []*fvm.Engine{good, newFaulty(t, f)}, Dir: t.TempDir(), Logger: quiet}
	m, err := shadow.New(t.Context(), s.cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	first, second := s.messages[0], s.again()
	if _, err := m.Apply(t.Context(), first.msg, first.kind, first.length); err != nil {
		t.Fatal(err)
	}
	_, err = m.Apply(t.Context(), second.msg, second.kind, second.length)
	var d *shadow.Difference
	if !errors.As(err, &d) || d.Number != 0 || d.Parts[0].Field != "state_root" || !strings.HasPrefix(d.Again, "seen first in message 1 (") {
		t.Fatal(err)
	}
	opts.RootEachMessage = true
	if o := runOn(t, load(t, d.Bundle), good); o.Status != conformance.Passed {
		t.Errorf("%+v", o)
	}
	if o := inStep(t, load(t, d.Bundle), opts, nil); !strings.Contains(o.Error, "state_root: want") {
		t.Errorf("%+v", o)
	}
}

// A flush refuses what that of the network version does, and no more.
func TestFlushByRulesOfVersion(t *testing.T) {
	a, b := newEngine(t, "wazero"), newEngine(t, "wazero-interpreter")
	for _, each := range []bool{true, false} {
		v := load(t, filepath.Join("..", "lab", "conformance", "found", "nv16-found-shadow-flush.json"))
		opts := shadow.Options{Engines: []*fvm.Engine{a, b}, Logger: quiet, RootEachMessage: each}
		if o := inStep(t, v, opts, nil); o.Status != conformance.Passed {
			t.Errorf("a root each message %v: %+v", each, o)
		}
	}
}
