//go:build wasmedge && cgo && linux

package wasmedge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// hostOf is host.f of the tests: it fails for some arguments.
func hostOf(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
	switch n {
	case 7:
		return 0, errors.New("seven")
	case 8:
		panic("eight")
	case 9:
		runtime.Goexit()
	}
	return n, nil
}

// keeper is a module whose guests can be kept, and its environment.
func keeper(t testing.TB, opts Options, wasm []byte) (*env, *module) {
	t.Helper()
	return keeperOf(t, opts, wasm, hostOf)
}

func keeperOf(t testing.TB, opts Options, wasm []byte, f func(context.Context, engine.Instance, uint32) (uint32, error)) (*env, *module) {
	t.Helper()
	ctx := context.Background()
	e := mustOpen(t, opts)
	t.Cleanup(func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	v, err := e.Env(ctx, engine.EnvConfig{Host: enginetest.Host(f), Counter: enginetest.CounterName, Reset: enginetest.ResetName})
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

// A reset sets back each thing that a guest can change, and the comparison finds each
// that is not set back.
func TestResetParts(t *testing.T) {
	const page = engine.PageSize
	for name, tt := range map[string]struct {
		steps []step
		what  string
		at    uint64
	}{
		"a data segment":        {[]step{{"fill", []uint64{16, 0xee, 7}}}, "memory", 16},
		"zeros beside it":       {[]step{{"fill", []uint64{0, 0xee, 4}}}, "memory", 0},
		"a block of zeros":      {[]step{{"fill", []uint64{4096, 0xee, 4}}}, "memory", 4096},
		"the last byte":         {[]step{{"fill", []uint64{2*page - 1, 0xee, 1}}}, "memory", 2*page - 1},
		"a global":              {[]step{{"private", []uint64{99}}}, "global", 1},
		"the counter":           {[]step{{"count", []uint64{1}}}, "global", 0},
		"the size":              {[]step{{"grow", []uint64{2}}, {"fill", []uint64{2 * page, 0xee, 2 * page}}}, "size of the memory", 4 * page},
		"nothing but two pages": {[]step{{"load8", []uint64{100}}}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, opts Options) {
				_, m := keeper(t, opts, enginetest.Kitchen(2))
				in, fresh := newInstance(t, m), newInstance(t, m)
				for _, s := range tt.steps {
					if _, err := invoke(in, s.export, s.args...); err != nil {
						t.Fatalf("%s: %v", s.export, err)
					}
				}
				if what, at := difference(in, fresh); what != tt.what || what != "" && at != tt.at {
					t.Errorf("used: %q at %d, want %q at %d", what, at, tt.what, tt.at)
				}
				guest := in.c
				closeAll(t, in)
				if in = newInstance(t, m); in.c != guest {
					t.Fatal("another guest")
				}
				if what, at := difference(in, fresh); what != "" {
					t.Errorf("reset: %q at %d", what, at)
				}
				if err := wantTrap(in, engine.TrapMemoryOutOfBounds, "load8", 2*page); err != nil {
					t.Errorf("beyond the first size: %v", err)
				}
			})
		})
	}
}

// CheckReset refuses an instance that is not as a new one: here somebody writes to a
// guest that is kept.
func TestCheckReset(t *testing.T) {
	opts := aot()
	opts.CheckReset = true
	_, m := keeper(t, opts, enginetest.Kitchen(1))
	in := newInstance(t, m)
	memory := in.Memory()
	closeAll(t, in)
	memory[77] = 1
	if _, err := m.Instantiate(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "memory, at 77") {
		t.Errorf("got %v", err)
	}
}

type step struct {
	export string
	args   []uint64
}

// A guest that failed comes back as new as any other: by each trap, and by an error
// or panic of the host, after it changed all that it can.
func TestKeptAfterFailure(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		opts.CheckReset = true
		_, m := keeper(t, opts, enginetest.Kitchen(1))
		for name, fail := range failures() {
			for round := range 3 {
				in := newInstance(t, m)
				guest := in.c
				use(t, in)
				if err := fail(in); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				use(t, in) // what failed can go on
				if err := fail(in); err != nil {
					t.Fatalf("%s, again: %v", name, err)
				}
				closeAll(t, in)
				next := newInstance(t, m)
				if next.c != guest {
					t.Fatalf("%s, round %d: the guest is not kept", name, round)
				}
				if got, err := invoke(next, "private", 1); err != nil || got != 11 {
					t.Errorf("%s, round %d: the global is %d, %v", name, round, got, err)
				}
				closeAll(t, next)
			}
		}
	})
}

// failures are ways in which a guest of 4 pages that may have grown can fail.
func failures() map[string]func(in *instance) error {
	all := map[string]func(in *instance) error{
		"host error": func(in *instance) error { _, err := invoke(in, "invoke", 7); return wantText(err, "seven") },
		"host panic": func(in *instance) error { _, err := invoke(in, "invoke", 8); return wantText(err, "eight") },
		"host error of an export": func(in *instance) error {
			_, err := invoke(in, "direct", 7)
			return wantText(err, "seven")
		},
		"host error after growth": func(in *instance) error { _, err := invoke(in, "growcall", 7); return wantText(err, "seven") },
	}
	for _, c := range []struct {
		kind   engine.TrapKind
		export string
		args   []uint64
	}{
		{engine.TrapUnreachable, "unreachable", nil},
		{engine.TrapMemoryOutOfBounds, "load8", []uint64{1 << 31}},
		{engine.TrapMemoryOutOfBounds, "store32", []uint64{0xffffffff, 1}},
		{engine.TrapMemoryOutOfBounds, "fill", []uint64{1, 0xee, 1 << 31}},
		{engine.TrapMemoryOutOfBounds, "init", []uint64{1 << 31}},
		{engine.TrapTableOutOfBounds, "table", []uint64{6}},
		{engine.TrapIndirectCallToNull, "table", []uint64{3}},
		{engine.TrapBadSignature, "table", []uint64{2}},
		{engine.TrapIntegerOverflow, "div", []uint64{1 << 31, 0xffffffff}},
		{engine.TrapIntegerDivisionByZero, "rem", []uint64{1, 0}},
		{engine.TrapIntegerOverflow, "huge", nil},
		{engine.TrapBadConversionToInteger, "nan", nil},
	} {
		all[fmt.Sprintf("%s in %s", c.kind, c.export)] = func(in *instance) error { return wantTrap(in, c.kind, c.export, c.args...) }
	}
	return all
}

// The outer guests of one that fails are unwound in turn, on one thread after the
// other, and come back new.
func TestKeptAfterNestedFailure(t *testing.T) {
	const depth = 200
	onBoth(t, func(t *testing.T, opts Options) {
		opts.CheckReset = true
		var m *module
		var fail func(in *instance) error
		ctx := context.Background()
		errInner := errors.New("from the innermost")
		v, m := keeperOf(t, opts, enginetest.Kitchen(1), func(_ context.Context, in engine.Instance, n uint32) (uint32, error) {
			if n == 7 || n == 8 {
				return hostOf(ctx, in, n)
			}
			if n == 1000 {
				if err := fail(in.(*instance)); err != nil {
					t.Error(err)
				}
				return 0, errInner
			}
			inner, err := m.Instantiate(ctx, nil)
			if err != nil {
				return 0, err
			}
			_, err = invoke(inner, "growcall", uint64(n+1))
			return 0, errors.Join(err, inner.Close(ctx))
		})
		for name, f := range failures() {
			fail = f
			for round := range 2 {
				in := newInstance(t, m)
				if _, err := invoke(in, "growcall", 1000-depth); !errors.Is(err, errInner) {
					t.Fatalf("%s, round %d: %v", name, round, err)
				}
				closeAll(t, in)
				if len(m.kept) != depth+1 || v.kept.order.Len() != depth+1 {
					t.Errorf("%s, round %d: %d guests are kept", name, round, len(m.kept))
				}
			}
		}
	})
}

// What an unknown way out of the library leaves behind is not kept, nor what says
// nothing of resets.
func TestNotKept(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		_, m := keeper(t, opts, enginetest.Kitchen(1))
		in := newInstance(t, m)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := invoke(in, "invoke", 9)
			t.Errorf("a goroutine that ended returned %v", err)
		}()
		<-done
		closeAll(t, in)
		if len(m.kept) != 0 {
			t.Error("a guest whose goroutine ended is kept")
		}
	})
	for _, code := range []uint32{tornCode, interruptedCode} {
		if wholeAfter(code) {
			t.Errorf("a guest is kept after code %#x", code)
		}
	}
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

func wantText(err error, text string) error {
	if err == nil || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("want an error with %q, got %v", text, err)
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
	const most, pages = 16, 60
	v, m := keeper(t, Options{Interpreter: true}, enginetest.Kitchen(pages))
	v.kept.most, v.kept.mostBytes = most, 128<<20
	mods := []*module{m}
	for _, n := range []uint32{pages - 1, pages - 2} {
		next, err := v.Compile(context.Background(), enginetest.Kitchen(n))
		if err != nil {
			t.Fatal(err)
		}
		mods = append(mods, next.(*module))
	}
	touched := func(m *module) *instance {
		in := newInstance(t, m)
		if _, err := invoke(in, "fill", 0, 1, uint64(len(in.Memory()))); err != nil {
			t.Fatal(err)
		}
		return in
	}
	var ins []*instance
	for range most + 3 {
		ins = append(ins, touched(m))
	}
	closeAll(t, ins...)
	if len(m.kept) != most || m.instances != most {
		t.Errorf("%d kept, %d counted", len(m.kept), m.instances)
	}
	if want := most * (pages*engine.PageSize + m.heapBytes()); v.kept.bytes != want {
		t.Errorf("%d bytes of %d are counted", v.kept.bytes, want)
	}
	ins = nil
	for _, m := range mods[1:] {
		for range most {
			ins = append(ins, touched(m))
		}
	}
	closeAll(t, ins...)
	if v.kept.bytes > v.kept.mostBytes || v.kept.bytes < v.kept.mostBytes*9/10 || len(m.kept) >= most || len(mods[2].kept) != most {
		t.Errorf("%d bytes, %d of the oldest, %d of the newest", v.kept.bytes, len(m.kept), len(mods[2].kept))
	}
}

// A guest takes what it touched, not what its module declares, and reset does not
// change that.
func TestResidents(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		v, m := keeper(t, opts, enginetest.Kitchen(60))
		for round := range 3 {
			in := newInstance(t, m)
			if _, err := invoke(in, "fill", 30*engine.PageSize, 1, 2*engine.PageSize); err != nil {
				t.Fatal(err)
			}
			closeAll(t, in)
			if n := v.kept.bytes - m.heapBytes(); n < 2*engine.PageSize || n > 3*engine.PageSize {
				t.Errorf("round %d: %d bytes are resident", round, n)
			}
		}
	})
}

// What the system says of pages decides nothing: a guest is new although all its
// pages are said to be none.
func TestResetTrustsNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		_, m := keeper(t, opts, enginetest.Kitchen(2))
		in, fresh := newInstance(t, m), newInstance(t, m)
		use(t, in)
		resetBlind(in)
		if what, at := difference(in, fresh); what != "" {
			t.Errorf("%q at %d", what, at)
		}
	})
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

// The places of the page count and of counters are known for the versions that were studied.
func TestShrinks(t *testing.T) {
	if nestingIsBroken && !canShrink() {
		t.Error("grown memories cannot be taken back")
	}
	if nestingIsBroken && !knowsCounters() {
		t.Error("counters cannot be read in place")
	}
}

// The part of a memory above LARGE has large pages once the host was called, wherever a whole one fits, in a guest
// that was kept too.
func TestLargePages(t *testing.T) {
	const large, page, whole = 8 << 20, engine.PageSize, 2 << 20
	if _, err := enginetest.LargePages(make([]byte, 1)); err != nil {
		t.Skip("the kernel: ", err)
	}
	covered, most := 0, 0
	look := func(_ context.Context, in engine.Instance, n uint32) (uint32, error) {
		b := in.Memory()
		base := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
		first, end := (base+large+whole-1)/whole*whole-base, (base+len(b))/whole*whole-base
		looks := map[int]bool{0: false}
		if len(b) >= large {
			looks[large-page] = false
		}
		if first < end {
			looks[first], looks[first+page], looks[end-page] = true, true, true
			covered++
		}
		for at, want := range looks {
			got, err := enginetest.LargePages(b[at:])
			if err != nil || got != want {
				t.Errorf("%d bytes, at %d: large pages %v, %v", len(b), at, got, err)
			}
		}
		most = max(most, len(b))
		return n, nil
	}
	onBoth(t, func(t *testing.T, opts Options) {
		_, m := keeperOf(t, opts, enginetest.Kitchen(60), look)
		for range 2 {
			in := newInstance(t, m)
			for _, n := range []uint64{large/page - 60, 1, 30, 40, 3, 100} {
				if _, err := invoke(in, "grow", n); err != nil {
					t.Fatal(err)
				}
				if _, err := invoke(in, "invoke", 1); err != nil {
					t.Fatal(err)
				}
			}
			closeAll(t, in)
		}
	})
	if want := 2 * 2 * 3; covered < want || most < large+100*page {
		t.Errorf("%d memories had room for large pages, want %d; %d bytes at most", covered, want, most)
	}
}
