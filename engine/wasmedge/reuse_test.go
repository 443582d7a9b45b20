//go:build wasmedge && cgo && linux

package wasmedge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/enginetest"
)

// keeper is a module whose guests can be kept, and its environment.
func keeper(t testing.TB, opts Options, wasm []byte) (*env, *module) {
	t.Helper()
	ctx := context.Background()
	e := mustOpen(t, opts)
	t.Cleanup(func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	host := enginetest.Host(func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		if n == 7 {
			return 0, errors.New("seven")
		}
		return n, nil
	})
	v, err := e.Env(ctx, engine.EnvConfig{Host: host, Counter: enginetest.CounterName, Reset: enginetest.ResetName})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Compile(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	return v.(*env), m.(*module)
}

func newInstance(t testing.TB, m *module) *instance {
	t.Helper()
	in, err := m.Instantiate(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return in.(*instance)
}

func closeAll(t testing.TB, ins ...*instance) {
	t.Helper()
	for _, in := range ins {
		if err := in.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// use leaves nothing of an instance as it was new.
func use(t testing.TB, in *instance) {
	t.Helper()
	for _, step := range []step{{"private", []uint64{99}}, {"grow", []uint64{2}}, {"fill", []uint64{0, 0xee, 3 * engine.PageSize}}} {
		if _, err := invoke(in, step.export, step.args...); err != nil {
			t.Fatalf("%s: %v", step.export, err)
		}
	}
	in.SetCounter(5)
	if _, err := invoke(in, "echo32", 1); err != nil {
		t.Fatal(err)
	}
}

func onBoth(t *testing.T, run func(t *testing.T, opts Options)) {
	for name, opts := range map[string]Options{"Native": aot(), "Interpreter": {Interpreter: true}} {
		t.Run(name, func(t *testing.T) { run(t, opts) })
	}
}

// A used guest comes back as a new one, in an instance of its own.
func TestReuse(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		opts.CheckReset = true
		v, m := keeper(t, opts, enginetest.Kitchen(1))
		first := newInstance(t, m)
		guest := first.c
		fresh := bytes.Clone(first.Memory())
		use(t, first)
		closeAll(t, first, first)
		for round := range 3 {
			in := newInstance(t, m)
			if in.c != guest {
				t.Fatalf("round %d: another guest", round)
			}
			if !bytes.Equal(in.Memory(), fresh) || in.Counter() != 0 {
				t.Errorf("round %d: %d bytes, counter %d", round, len(in.Memory()), in.Counter())
			}
			if got, err := invoke(in, "private", 1); err != nil || got != 11 {
				t.Errorf("round %d: the global is %d, %v", round, got, err)
			}
			use(t, in)
			closeAll(t, in)
			if err := in.Call(context.Background(), "echo32", []uint64{0}); !errors.Is(err, errClosed) || in.Memory() != nil || in.Counter() != 0 {
				t.Errorf("round %d: a closed instance answers: %v", round, err)
			}
		}
		if err := wantTrap(newInstance(t, m), engine.TrapMemoryOutOfBounds, "load8", engine.PageSize); err != nil {
			t.Errorf("beyond the first size: %v", err)
		}
		if err := m.Close(context.Background()); err != nil || len(m.kept) != 0 || v.kept.bytes != 0 || v.kept.order.Len() != 0 {
			t.Errorf("after Close: %d kept, %d bytes, %v", len(m.kept), v.kept.bytes, err)
		}
	})
}

// CheckReset finds what each part of a reset sets back, so it is needed.
func TestResetParts(t *testing.T) {
	for part, want := range map[cure]string{
		resetZeros: "memory, at 4096", resetImage: "memory, at 0", resetGlobals: "global, at 1", resetAccess: "",
	} {
		if out, err := runScene(t, "reset", 0); err != nil {
			t.Fatalf("whole: %v\n%s", err, out)
		}
		out, err := runScene(t, "reset", part)
		if err == nil || want != "" && !strings.Contains(out, want) {
			t.Errorf("without part %d: %v\n%s", part, err, out)
		}
		t.Logf("without part %d: %s", part, firstLines(out, 3))
	}
}

// resets is a scene: a guest dirties everything that it can, a few times.
func resets() error {
	ctx := context.Background()
	opts := aot()
	opts.CheckReset = true
	e, err := New(opts)
	if err != nil {
		return err
	}
	v, err := e.Env(ctx, engine.EnvConfig{Host: enginetest.Host(nil), Counter: enginetest.CounterName, Reset: enginetest.ResetName})
	if err != nil {
		return err
	}
	m, err := v.Compile(ctx, enginetest.Kitchen(2))
	if err != nil {
		return err
	}
	// One part each, so that each shows by itself.
	for _, steps := range [][]step{
		{{"fill", []uint64{0, 0xee, 4}}, {"fill", []uint64{4096, 0xee, 4}}},
		{{"fill", []uint64{16, 0xee, 7}}},
		{{"private", []uint64{99}}},
		{{"grow", []uint64{2}}, {"fill", []uint64{2 * engine.PageSize, 0xee, 2 * engine.PageSize}}},
	} {
		in, err := m.Instantiate(ctx, nil)
		if err != nil {
			return err
		}
		for _, s := range steps {
			if _, err := invoke(in, s.export, s.args...); err != nil {
				return err
			}
		}
		if err := in.Close(ctx); err != nil {
			return err
		}
	}
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		return err
	}
	return wantTrap(in, engine.TrapMemoryOutOfBounds, "load8", 2*engine.PageSize)
}

type step struct {
	export string
	args   []uint64
}

// What did not return from each call is not kept, nor what says nothing of resets.
func TestNotKept(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		_, m := keeper(t, opts, enginetest.Kitchen(1))
		for name, spoil := range map[string]func(in *instance) error{
			"trap":       func(in *instance) error { return wantTrap(in, engine.TrapUnreachable, "unreachable") },
			"fault":      outOfBoundsOf,
			"host error": func(in *instance) error { _, err := invoke(in, "invoke", 7); return wantError(err) },
			"error, then success": func(in *instance) error {
				_, err := invoke(in, "invoke", 7)
				if _, err := invoke(in, "echo32", 1); err != nil {
					return err
				}
				return wantError(err)
			},
		} {
			in := newInstance(t, m)
			if err := spoil(in); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			closeAll(t, in)
			if len(m.kept) != 0 {
				t.Errorf("%s: the guest is kept", name)
			}
		}
	})
	opts := Options{Interpreter: true, NoReuse: true}
	_, m := keeper(t, opts, enginetest.Kitchen(1))
	closeAll(t, newInstance(t, m))
	if len(m.kept) != 0 {
		t.Error("kept without reuse")
	}
	// The section is the module's word; without it nothing is known.
	_, m = keeper(t, Options{Interpreter: true}, bytes.Replace(enginetest.Kitchen(1), []byte("\x05"+enginetest.ResetName), []byte("\x05other"), 1))
	closeAll(t, newInstance(t, m))
	if len(m.kept) != 0 || m.facts.resettable {
		t.Error("kept without the section")
	}
	_, m = keeper(t, Options{Interpreter: true}, enginetest.Kitchen(maxResetBytes/engine.PageSize+1))
	closeAll(t, newInstance(t, m))
	if len(m.kept) != 0 {
		t.Error("a large memory is kept")
	}
}

func outOfBoundsOf(in *instance) error { return outOfBounds(in) }

func wantError(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return nil
}

// A section that leaves a mutable global out, or names none, is refused.
func TestResetSection(t *testing.T) {
	good := enginetest.Kitchen(1)
	if f, err := scan(good, enginetest.CounterName, enginetest.ResetName); err != nil || !f.resettable || len(f.mutable) != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	for name, at := range map[string][2]string{
		"twice the one": {"\x09mutable 0\x09mutable 1", "\x09mutable 0\x09mutable 0"},
		"unknown":       {"\x09mutable 0\x09mutable 1", "\x09mutable 0\x09mutable 2"},
		"a function":    {"\x09mutable 0\x09mutable 1", "\x09mutable 0\x09\x01echo32xx"},
	} {
		bad := bytes.Replace(good, []byte(at[0]), []byte(at[1]), 1)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s: nothing to replace", name)
		}
		if _, err := scan(bad, enginetest.CounterName, enginetest.ResetName); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// There is room for some guests of each module, the latest ones.
func TestRoom(t *testing.T) {
	v, m := keeper(t, Options{Interpreter: true}, enginetest.Kitchen(60))
	other, err := v.Compile(context.Background(), enginetest.Kitchen(59))
	if err != nil {
		t.Fatal(err)
	}
	var ins []*instance
	for range maxKept + 3 {
		ins = append(ins, newInstance(t, m))
	}
	closeAll(t, ins...)
	if len(m.kept) != maxKept || m.instances != maxKept {
		t.Errorf("%d kept, %d counted", len(m.kept), m.instances)
	}
	ins = nil
	for range maxKept + maxKept {
		ins = append(ins, newInstance(t, other.(*module)))
	}
	third, err := v.Compile(context.Background(), enginetest.Kitchen(58))
	if err != nil {
		t.Fatal(err)
	}
	for range maxKept {
		ins = append(ins, newInstance(t, third.(*module)))
	}
	closeAll(t, ins...)
	if v.kept.bytes > maxKeptBytes || v.kept.bytes < maxKeptBytes*9/10 || len(m.kept) >= maxKept || len(third.(*module).kept) != maxKept {
		t.Errorf("%d bytes, %d of the oldest, %d of the newest", v.kept.bytes, len(m.kept), len(third.(*module).kept))
	}
}

// Many goroutines take and put guests of one module, while it may be closed.
func TestReuseConcurrently(t *testing.T) {
	opts := aot()
	opts.CheckReset = true
	_, m := keeper(t, opts, enginetest.Kitchen(1))
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			for n := range 40 {
				in, err := m.Instantiate(context.Background(), n)
				if err == nil && (in.Data() != n || in.Counter() != 0 || slices.Max(in.Memory()[100:]) != 0) {
					err = fmt.Errorf("round %d: not new", n)
				}
				if err == nil {
					_, err = invoke(in, "grow", uint64(n%3))
				}
				if err == nil {
					_, err = invoke(in, "fill", 0, uint64(n+1), uint64(len(in.Memory())))
				}
				if err == nil {
					err = in.Close(context.Background())
				}
				if err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// The place of the page count is known for the versions that were studied.
func TestShrinks(t *testing.T) {
	if nestingIsBroken && !canShrink() {
		t.Error("grown memories cannot be taken back")
	}
}
