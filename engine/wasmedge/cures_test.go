//go:build wasmedge && cgo && linux

package wasmedge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// What stands between the library and the process is tested by what it does for
// guests that harm nobody.

// kitchen is an instance of enginetest's usual guest.
func kitchen(f func(n uint32) (uint32, error)) (engine.Instance, error) {
	return guest(aot(), enginetest.Kitchen(1), f)
}

// guest is an instance of an engine of its own.
func guest(opts Options, wasm []byte, f func(n uint32) (uint32, error)) (engine.Instance, error) {
	ctx := context.Background()
	e, err := New(opts)
	if err != nil {
		return nil, err
	}
	host := enginetest.Host(func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) { return f(n) })
	v, err := e.Env(ctx, engine.EnvConfig{Host: host, Counter: enginetest.CounterName})
	if err != nil {
		return nil, err
	}
	m, err := v.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return m.Instantiate(ctx, nil)
}

func echo(n uint32) (uint32, error) { return n, nil }

func invoke(in engine.Instance, export string, args ...uint64) (uint32, error) {
	stack := append(args, 0, 0)
	err := in.Call(context.Background(), export, stack)
	return uint32(stack[0]), err
}

// wantTrap makes the guest trap.
func wantTrap(in engine.Instance, kind engine.TrapKind, export string, args ...uint64) error {
	_, err := invoke(in, export, args...)
	var trap *engine.Trap
	if !errors.As(err, &trap) || trap.Kind != kind {
		return fmt.Errorf("%s%v: %v", export, args, err)
	}
	return nil
}

func outOfBounds(in engine.Instance) error {
	return wantTrap(in, engine.TrapMemoryOutOfBounds, "load8", 1<<31)
}

// faultInGo dereferences nil and recovers.
func faultInGo() (err error) {
	defer func() {
		if _, ok := recover().(runtime.Error); !ok {
			err = errors.New("no fault")
		}
	}()
	dereference(nil)
	return nil
}

// scenes need a process that did nothing else before, and its first thread.
var scenes = map[string]func() error{
	"fault in Go before and after": beforeAndAfter,
	"stack":                        stackSize,
}

func TestScenes(t *testing.T) {
	for name := range scenes {
		t.Run(name, func(t *testing.T) {
			if out, err := runScene(t, name); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// beforeAndAfter faults in Go before there is an engine, and between calls of guests
// that trap.
func beforeAndAfter() error {
	errs := []error{faultInGo()}
	in, err := kitchen(echo)
	errs = append(errs, err, faultInGo())
	for range 100 {
		_, err := invoke(in, "invoke", 1)
		errs = append(errs, err, faultInGo(), outOfBounds(in), faultInGo())
	}
	return errors.Join(append(errs, in.Close(context.Background()), faultInGo())...)
}

// stackSize looks at the stacks of the first thread and of another: guests run
// on both, unless the system's limit is hard.
func stackSize() error {
	runtime.LockOSThread()
	sizes := []uint64{stackLeft()}
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		sizes = append(sizes, stackLeft())
		close(done)
	}()
	<-done
	for _, n := range sizes {
		if n < 32<<20 || n > 64<<20 {
			return fmt.Errorf("stacks of %d bytes", sizes)
		}
	}
	return nil
}

// The library's handlers are not installed: not in a guest's call of the host, not
// after a trap, not after an error. A fault in a host function is Go's, and an error
// where nobody recovers it.
func TestHandlers(t *testing.T) {
	in, err := kitchen(func(n uint32) (uint32, error) {
		if !guarded() {
			t.Error("the handlers are not ours while a guest runs")
		}
		if n == 7 {
			dereference(nil) // unwinds to the binding
		}
		return n, faultInGo()
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(1000) {
		if got, err := invoke(in, "invoke", n&3); err != nil || got != uint32(n&3) {
			t.Fatalf("invoke: %d, %v", got, err)
		}
	}
	if _, err := invoke(in, "invoke", 7); err == nil || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("a fault in a host function came back as %v", err)
	}
	if err := outOfBounds(in); err != nil {
		t.Error(err)
	}
	if !guarded() {
		t.Error("the handlers are not ours after a trap")
	}
}

func TestFaultsBesideGuests(t *testing.T) {
	if err := beside(); err != nil {
		t.Error(err)
	}
}

// beside faults in Go on some threads while guests trap, and run, on others.
func beside() error {
	var stop atomic.Bool
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for g := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var in engine.Instance
			var err error
			if g < 2 {
				in, err = kitchen(echo)
			}
			for err == nil && !stop.Load() {
				if in == nil {
					err = faultInGo()
				} else {
					_, bad := invoke(in, "down", 500)
					err = errors.Join(outOfBounds(in), bad)
				}
			}
			if err != nil {
				errs <- err
			}
		}()
	}
	time.Sleep(time.Second)
	stop.Store(true)
	wg.Wait()
	close(errs)
	return <-errs
}

// After a trap the thread gets the signals that it got before.
func TestMask(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := blockedSignals()
	in, err := kitchen(echo)
	if err == nil {
		err = errors.Join(outOfBounds(in), outOfBounds(in))
	}
	if now := blockedSignals(); err != nil || now != before {
		t.Errorf("signals %x are blocked, %x were; %v", now, before, err)
	}
}

// Whose a fault is: the addresses of a guest's memory are its own, unless the stack is
// used up; the rest is nobody's that could be answered with a trap.
func TestJudge(t *testing.T) {
	const (
		mib, gib  = uint64(1) << 20, uint64(1) << 30
		base, low = 100 * gib, 500 * gib // of the memory and of the stack
		deep      = low + 32*mib         // a stack pointer with room below it
		segv, fpe = int(syscall.SIGSEGV), int(syscall.SIGFPE)
	)
	for _, tt := range []struct {
		name              string
		sig               int
		at, base, sp, low uint64
		want              int
	}{
		{"first byte", segv, base, base, deep, low, faultOfGuest},
		{"beyond a small memory", segv, base + 2*engine.PageSize, base, deep, low, faultOfGuest},
		{"last reserved byte", segv, base + 8*gib - 1, base, deep, low, faultOfGuest},
		{"first byte behind", segv, base + 8*gib, base, deep, low, faultOfNative},
		{"lowest reserved byte", segv, base - 4*gib, base, deep, low, faultOfGuest},
		{"below it", segv, base - 4*gib - 1, base, deep, low, faultOfNative},
		{"no memory", segv, 5, 0, deep, low, faultOfNative},
		{"null", segv, 0, base, deep, low, faultOfNative},
		{"a bus error in the memory", int(syscall.SIGBUS), base, base, deep, low, faultOfGuest},
		{"arithmetic", fpe, base, base, deep, low, faultOfNative},
		{"stack used up", segv, low - 8, base, low + 512, low, faultOfStack},
		{"stack used up, by a mebibyte", segv, low - mib, base, low - mib, low, faultOfStack},
		{"stack used up beside a memory", segv, low - 8, low - 4*gib, low + 512, low, faultOfStack},
		{"memory beside a stack with room", segv, low - 8, low - 4*gib, deep, low, faultOfGuest},
		{"far below a stack used up", segv, low - 65*mib, base, low + 512, low, faultOfNative},
	} {
		if got := judge(tt.sig, tt.at, tt.base, tt.sp, tt.low); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A nested call leaves the library's state of this thread as it was, and is seen to
// have another one of its own.
func TestStateOfNestedCalls(t *testing.T) {
	if !nestingIsBroken {
		if libraryState() != nil {
			t.Error("state is saved where the library does it")
		}
		t.Skip("NOT RUN: this version of the library needs no cure")
	}
	var outer, inner engine.Instance
	var within []byte
	var err error
	inner, err = kitchen(func(n uint32) (uint32, error) {
		within = libraryState()
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	outer, err = kitchen(func(n uint32) (uint32, error) {
		before := libraryState()
		if got, err := invoke(inner, "invoke", 1); err != nil || got != 1 {
			return 0, fmt.Errorf("inner: %d, %w", got, err)
		}
		if after := libraryState(); !bytes.Equal(before, after) || bytes.Equal(before, within) {
			t.Errorf("the state was %x, %x inside, and is %x", shown(before), shown(within), shown(after))
		}
		if err := outOfBounds(inner); err != nil {
			return 0, err
		}
		if after := libraryState(); !bytes.Equal(before, after) {
			t.Errorf("after a trap the state is %x, was %x", shown(after), shown(before))
		}
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := invoke(outer, "invoke", 5); err != nil || got != 5 {
		t.Errorf("outer: %d, %v", got, err)
	}
}

func shown(state []byte) []byte { return bytes.TrimRight(state, "\x00") }

func TestNested(t *testing.T) {
	e := mustOpen(t, aot())
	if err := errors.Join(enginetest.Nest(e, 64, 3), e.Close(context.Background())); err != nil {
		t.Error(err)
	}
}

// As deep as the network allows, with calls of its own on each level: more than one
// stack has room for, so it goes on with others.
func TestDeep(t *testing.T) {
	threads := map[int]bool{}
	least := uint64(1 << 62)
	e := &watched{mustOpen(t, aot()), func() {
		threads[syscall.Gettid()] = true
		least = min(least, stackLeft())
	}}
	if err := errors.Join(enginetest.Nest(e, 1024, 1000), e.Close(context.Background())); err != nil {
		t.Error(err)
	}
	// What is left when the host is called pays for it and for nothing of a guest.
	if len(threads) < 2 || len(threads) > 200 || least < 16<<20 {
		t.Errorf("%d threads, %d bytes of stack at least", len(threads), least)
	}
}

// watched is an engine whose host functions do something else first.
type watched struct {
	engine.Engine
	look func()
}

func (w *watched) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	for i := range cfg.Host {
		fn := cfg.Host[i].Fn
		cfg.Host[i].Fn = func(ctx context.Context, in engine.Instance, stack []uint64) error {
			w.look()
			return fn(ctx, in, stack)
		}
	}
	return w.Engine.Env(ctx, cfg)
}

// A memory is as large as its module says, or there is no instance: here of more than
// the engine was made for.
func TestPages(t *testing.T) {
	ctx := context.Background()
	e, err := newEngine(Options{Interpreter: true}, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	v, err := e.Env(ctx, engine.EnvConfig{Host: enginetest.Host(nil), Counter: enginetest.CounterName})
	if err != nil {
		t.Fatal(err)
	}
	for pages, fits := range map[uint32]bool{1: true, 100: true, 101: false, 120: false} {
		m, err := v.Compile(ctx, enginetest.Kitchen(pages))
		if err != nil {
			t.Fatal(err)
		}
		in, err := m.Instantiate(ctx, nil)
		var trap *engine.Trap
		switch {
		case fits && (err != nil || len(in.Memory()) != int(pages)*engine.PageSize):
			t.Errorf("%d pages: %v", pages, err)
		case !fits && (err == nil || errors.As(err, &trap) || !strings.Contains(err.Error(), fmt.Sprintf("pages of %d", pages))):
			t.Errorf("instance of %d pages: %v, %v", pages, in, err)
		}
	}
}

// Everything at once, on more threads than processors.
func TestMixedLoad(t *testing.T) {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	until := time.Now().Add(2 * time.Second)
	for range 6 {
		wg.Go(func() {
			in, err := kitchen(func(n uint32) (uint32, error) { return n, faultInGo() })
			for err == nil && time.Now().Before(until) {
				_, e1 := invoke(in, "invoke", 1)
				_, e2 := invoke(in, "down", 900)
				err = errors.Join(e1, e2, outOfBounds(in), faultInGo(),
					wantTrap(in, engine.TrapUnreachable, "unreachable"),
					wantTrap(in, engine.TrapIntegerDivisionByZero, "div", 1, 0),
					wantTrap(in, engine.TrapMemoryOutOfBounds, "load32", engine.PageSize-1))
				runtime.GC()
			}
			if err == nil {
				e := mustOpen(t, aot())
				err = errors.Join(enginetest.Nest(e, 64, 3), e.Close(context.Background()))
			}
			if err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	if err := <-errs; err != nil {
		t.Error(err)
	}
}

// The self-test passes, and would not if one of the things that it looks at were
// otherwise.
func TestSelfTest(t *testing.T) {
	e, err := newEngine(aot(), maxPages)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.probe(context.Background()), e.Close(context.Background())); err != nil {
		t.Error(err)
	}
	x, answer := uint64(probeBase), int64(probeAnswer)
	good := func() *probing {
		return &probing{
			result: probeResult, args: []uint64{x & (1<<32 - 1), x + 1, (x + 2) & (1<<32 - 1), x + 3}, answer: uint64(answer), guarded: true,
			hostErr: errors.New("fault"), loadErr: &engine.Trap{Kind: engine.TrapMemoryOutOfBounds}, still: true, blocked: 4, blocked2: 4,
		}
	}
	for want, change := range map[string]func(p *probing){
		"":                               func(*probing) {},
		"a host function gave 0x5eed":    func(p *probing) { p.result++ },
		"a host function got":            func(p *probing) { p.args[1], p.args[2] = p.args[2], p.args[1] },
		"and the guest":                  func(p *probing) { p.answer >>= 32 },
		"handlers were not kept out":     func(p *probing) { p.guarded = false },
		"host function went unnoticed":   func(p *probing) { p.hostErr = nil },
		"a load beyond the memory gave":  func(p *probing) { p.loadErr = &engine.Trap{Kind: engine.TrapUnreachable} },
		"the signal handlers changed":    func(p *probing) { p.still = false },
		"the signal mask changed":        func(p *probing) { p.blocked2 |= 1 << syscall.SIGSEGV },
		"a load beyond the memory gave ": func(p *probing) { p.loadErr = nil },
	} {
		p := good()
		change(p)
		err := p.calls()
		if err == nil {
			err = p.faults()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
