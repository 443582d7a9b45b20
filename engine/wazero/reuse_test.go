package wazero

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// keeper is a module whose guests can be kept, and its environment.
func keeper(t testing.TB, opts Options, wasm []byte) (*env, *module) {
	t.Helper()
	ctx := context.Background()
	e := open(t, opts)
	t.Cleanup(func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	host := enginetest.Host(func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		switch n {
		case 7:
			return 0, errors.New("seven")
		case 8:
			panic("eight")
		}
		return n, nil
	})
	v, err := e.Env(ctx, engine.EnvConfig{Host: host, Counter: enginetest.CounterName, Reset: enginetest.ResetName})
	if err != nil {
		t.Fatal(err)
	}
	return v.(*env), compileIn(t, v, wasm)
}

func compileIn(t testing.TB, v engine.Env, wasm []byte) *module {
	t.Helper()
	m, err := v.Compile(context.Background(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*module)
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

func invoke(in *instance, export string, args ...uint64) (uint64, error) {
	stack := make([]uint64, max(len(args), 1))
	copy(stack, args)
	err := in.Call(context.Background(), export, stack)
	return stack[0], err
}

// soil leaves nothing of an instance as it was new.
func soil(t testing.TB, in *instance) {
	t.Helper()
	must(t, in, "private", 99)
	must(t, in, "grow", 2)
	must(t, in, "fill", 0, 0xee, 3*engine.PageSize)
	must(t, in, "echo32", 1)
	in.SetCounter(5)
}

func must(t testing.TB, in *instance, export string, args ...uint64) {
	t.Helper()
	if _, err := invoke(in, export, args...); err != nil {
		t.Fatalf("%s: %v", export, err)
	}
}

func onBoth(t *testing.T, run func(t *testing.T, opts Options)) {
	t.Run("Compiler", func(t *testing.T) { run(t, Options{CheckReset: true}) })
	t.Run("Interpreter", func(t *testing.T) { run(t, Options{CheckReset: true, Interpreter: true}) })
	t.Run("NoPagemap", func(t *testing.T) { run(t, Options{CheckReset: true, noPagemap: true}) })
}

// A used guest comes back as a new one, in an instance of its own, however its last call ended.
func TestReuse(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		v, m := keeper(t, opts, enginetest.Kitchen(1))
		first := newInstance(t, m)
		old, fresh := first.guest, bytes.Clone(first.Memory())
		soil(t, first)
		closeAll(t, first, first)
		for round, last := range []string{"echo32 1", "unreachable", "load8 4000000", "invoke 7", "echo32 1"} {
			in := newInstance(t, m)
			if in.guest != old {
				t.Fatalf("round %d: another guest", round)
			}
			if !bytes.Equal(in.Memory(), fresh) || in.Counter() != 0 {
				t.Errorf("round %d: %d bytes, counter %d", round, len(in.Memory()), in.Counter())
			}
			if got, err := invoke(in, "private", 1); err != nil || got != 11 {
				t.Errorf("round %d: the global is %d, %v", round, got, err)
			}
			if got, err := invoke(in, "load8", engine.PageSize); err == nil {
				t.Errorf("round %d: %d read beyond the first size", round, got)
			}
			soil(t, in)
			var export string
			var arg uint64
			fmt.Sscan(last, &export, &arg)
			if _, err := invoke(in, export, arg); (err == nil) != (export == "echo32") {
				t.Errorf("round %d: %s: %v", round, last, err)
			}
			closeAll(t, in)
			if err := in.Call(context.Background(), "echo32", []uint64{0}); !errors.Is(err, errClosed) || in.Memory() != nil {
				t.Errorf("round %d: a closed instance answers: %v", round, err)
			}
		}
		if err := m.Close(context.Background()); err != nil || len(m.kept) != 0 || v.eng.shelf.size != 0 || v.eng.shelf.order.Len() != 0 {
			t.Errorf("after Close: %d kept, %d bytes, %v", len(m.kept), v.eng.shelf.size, err)
		}
		if n := Reused(v.eng); n != 5 {
			t.Errorf("%d resets", n)
		}
	})
}

// What each part of a reset sets back shows as a difference without it.
func TestDifference(t *testing.T) {
	_, m := keeper(t, Options{}, enginetest.Kitchen(2))
	fresh := newInstance(t, m)
	for want, dirty := range map[string]func(*instance){
		"":                         func(*instance) {},
		"memory, at 4099":          func(in *instance) { must(t, in, "fill", 4099, 0xee, 4) },
		"memory, at 16":            func(in *instance) { must(t, in, "fill", 16, 0xee, 4) },
		"global mutable 1":         func(in *instance) { must(t, in, "private", 99) },
		"global mutable 0":         func(in *instance) { in.SetCounter(3) },
		"size of the memory, 4":    func(in *instance) { must(t, in, "grow", 2) },
		"what the memory grows in": func(in *instance) { in.mem.size -= 100; in.mem.buf[in.mem.size] = 1 },
	} {
		in := newInstance(t, m)
		dirty(in)
		other := fresh.guest
		if strings.HasPrefix(want, "what") {
			other = newInstance(t, m).guest
			other.mem.size -= 100
		}
		if want == "size of the memory, 4" {
			want = fmt.Sprintf("size of the memory, %d and %d bytes", 4*engine.PageSize, 2*engine.PageSize)
		}
		if got := m.difference(in.guest, other); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// Whatever was written is visited, wherever it is and however often the memory was used before.
func TestTouched(t *testing.T) {
	_, m := keeper(t, Options{}, enginetest.Kitchen(20))
	if m.env.eng.pages == nil {
		t.Skip("this system does not tell which pages are in use")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	g := newInstance(t, m).guest
	if n := blocksTouched(m, g); n > g.mem.size/blockSize/4 {
		t.Errorf("%d blocks of a new guest", n)
	}
	for round := range 200 {
		written := map[int]bool{}
		for range rnd.IntN(30) {
			at := rnd.IntN(g.mem.size)
			g.mem.buf[at] = byte(1 + rnd.IntN(255))
			written[at/blockSize] = true
		}
		m.env.eng.touched(g, func(i int, block []byte) {
			delete(written, i)
			clear(block)
		})
		if len(written) > 0 {
			t.Fatalf("round %d: %d blocks were written and not visited", round, len(written))
		}
		if round%20 == 0 && !forgetBuffer(g.mem.buf) {
			t.Fatal("the pages stay")
		}
	}
}

// A guest without a memory maps none, and what others mapped they give back.
func TestMappedGivenBack(t *testing.T) {
	v, m := keeper(t, Options{CheckReset: true}, handMade(false))
	closeAll(t, newInstance(t, m), newInstance(t, m))
	if len(m.kept) != 2 || len(v.eng.pool.mapped) != 0 {
		t.Errorf("%d kept, %d mapped", len(m.kept), len(v.eng.pool.mapped))
	}
	closeAll(t, newInstance(t, m))
	m = compileIn(t, v, enginetest.Kitchen(1))
	var ins []*instance
	for range maxKept + keptMapped + 3 {
		ins = append(ins, newInstance(t, m))
	}
	closeAll(t, ins...)
	if v.eng.pages != nil && len(v.eng.pool.mapped) != maxKept+len(v.eng.pool.freeMapped) || len(v.eng.pool.freeMapped) > keptMapped {
		t.Errorf("%d kept, %d mapped, %d free", len(m.kept), len(v.eng.pool.mapped), len(v.eng.pool.freeMapped))
	}
	if err := m.Close(context.Background()); err != nil || len(v.eng.pool.mapped) != len(v.eng.pool.freeMapped) {
		t.Errorf("%d mapped, %d free, %v", len(v.eng.pool.mapped), len(v.eng.pool.freeMapped), err)
	}
}

func blocksTouched(m *module, g *guest) (n int) {
	m.env.eng.touched(g, func(int, []byte) { n++ })
	return n
}

// A guest of which nothing is known is not kept, nor what says nothing of resets, or is large.
func TestNotKept(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		_, m := keeper(t, opts, enginetest.Kitchen(1))
		in := newInstance(t, m)
		if _, err := invoke(in, "invoke", 8); err == nil {
			t.Fatal("no error")
		}
		must(t, in, "echo32", 1)
		closeAll(t, in)
		if len(m.kept) != 0 {
			t.Error("kept after a panic of the host")
		}
		in = newInstance(t, m)
		must(t, in, "grow", maxResetBytes/engine.PageSize)
		closeAll(t, in)
		if len(m.kept) != 0 {
			t.Error("a guest that grew large is kept")
		}
	})
	kitchen := enginetest.Kitchen(1)
	for name, x := range map[string]struct {
		opts Options
		wasm []byte
	}{
		"without reuse": {Options{NoReuse: true}, kitchen},
		"without pool":  {Options{MaxPoolBytes: -1}, kitchen},
		// The section is the module's word; without it nothing is known.
		"without the section": {Options{}, bytes.Replace(kitchen, []byte("\x05"+enginetest.ResetName), []byte("\x05other"), 1)},
		"too large":           {Options{}, enginetest.Kitchen(maxResetBytes/engine.PageSize + 1)},
	} {
		_, m := keeper(t, x.opts, x.wasm)
		closeAll(t, newInstance(t, m))
		if len(m.kept) != 0 {
			t.Errorf("kept %s", name)
		}
	}
}

// handMade is a module that returns what it is given or, with a memory of one page and at most two, grows it.
func handMade(memory bool) []byte {
	section := func(id byte, content string) string { return string([]byte{id, byte(len(content))}) + content }
	name := func(s string) string { return string([]byte{byte(len(s))}) + s }
	mem, exports, body := "", "\x02", "\x04\x00\x20\x00\x0b"
	if memory {
		mem, exports, body = section(5, "\x01\x01\x01\x02"), "\x03"+name("memory")+"\x02\x00", "\x06\x00\x20\x00\x40\x00\x0b"
	}
	return []byte("\x00asm\x01\x00\x00\x00" +
		section(1, "\x01\x60\x01\x7f\x01\x7f") + section(3, "\x01\x00") + mem + section(6, "\x01\x7e\x01\x42\x00\x0b") +
		section(7, exports+name("grow")+"\x00\x00"+name(enginetest.CounterName)+"\x03\x00") + section(10, "\x01"+body) +
		section(0, name(enginetest.ResetName)+"\x01"+name(enginetest.CounterName)))
}

// A memory at its own maximum cannot be asked to grow, which is how it is made smaller.
func TestMaximumNotKept(t *testing.T) {
	onBoth(t, func(t *testing.T, opts Options) {
		_, m := keeper(t, opts, handMade(true))
		closeAll(t, newInstance(t, m))
		if len(m.kept) != 1 {
			t.Fatal("not kept as it was")
		}
		in := newInstance(t, m)
		must(t, in, "grow", 1)
		if len(in.Memory()) != 2*engine.PageSize {
			t.Fatal("it did not grow")
		}
		closeAll(t, in)
		if len(m.kept) != 0 {
			t.Error("kept")
		}
		if in = newInstance(t, m); len(in.Memory()) != engine.PageSize {
			t.Errorf("a memory of %d bytes", len(in.Memory()))
		}
	})
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

// There is room for some guests of each module, and for the latest ones of all.
func TestRoom(t *testing.T) {
	opts := Options{MaxPoolBytes: 2 * 50 * engine.PageSize}
	v, m := keeper(t, opts, enginetest.Kitchen(4))
	var ins []*instance
	for range maxKept + 3 {
		ins = append(ins, newInstance(t, m))
	}
	closeAll(t, ins...)
	if len(m.kept) != maxKept || v.eng.shelf.size != maxKept*4*engine.PageSize {
		t.Errorf("%d kept, %d bytes", len(m.kept), v.eng.shelf.size)
	}
	other := compileIn(t, v, enginetest.Kitchen(5))
	ins = nil
	for range maxKept {
		ins = append(ins, newInstance(t, other))
	}
	closeAll(t, ins...)
	if v.eng.shelf.size > v.eng.shelf.max || len(other.kept) != maxKept || len(m.kept) != 2 {
		t.Errorf("%d bytes, %d of the older, %d of the newer", v.eng.shelf.size, len(m.kept), len(other.kept))
	}
	if err := v.Close(context.Background()); err != nil || v.eng.shelf.order.Len() != 0 {
		t.Errorf("%d kept after the environment's end, %v", v.eng.shelf.order.Len(), err)
	}
	in := &instance{guest: &guest{}, m: m}
	if v.eng.shelf.put(in.m, in.guest) {
		t.Error("a guest of a closed environment was kept")
	}
}

// Many goroutines take and put guests of one module.
func TestReuseConcurrently(t *testing.T) {
	_, m := keeper(t, Options{CheckReset: true}, enginetest.Kitchen(1))
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
					_, err = invoke(in.(*instance), "grow", uint64(n%3))
				}
				if err == nil {
					_, err = invoke(in.(*instance), "fill", 0, uint64(n+1), uint64(len(in.Memory())))
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
