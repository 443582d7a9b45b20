//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// sceneTime is the most that a scene can take: one that lacks a cure may hang.
const sceneTime = time.Minute

// scenes are what the cures are for. They run in a process of their own.
var scenes = map[string]func() error{
	"fault in Go before and after": beforeAndAfter,
	"fault in a host function":     inside,
	"fault beside guests":          beside,
	"mask":                         mask,
	"nested":                       nested,
	"overflow":                     overflows,
	"pages":                        pages,
	"deep":                         deep,
	"mixed":                        mixed,
	"self-test":                    selfTest,
	"stack":                        stackSize,
	"reset":                        resets,
	"short way":                    shortWay,
}

// Each cure works, and each is needed.
func TestCures(t *testing.T) {
	for _, tt := range []struct {
		scene  string
		needed cure
	}{
		{"fault in Go before and after", cureHandlers},
		{"fault in a host function", cureHandlers},
		{"fault in a host function", cureCallback},
		{"fault beside guests", cureHandlers},
		{"mask", cureMask},
		{"nested", cureThreadLocal},
		{"pages", curePages},
		{"deep", cureRoom},
		{"short way", shortcut},
	} {
		t.Run(fmt.Sprintf("%s/%d", tt.scene, tt.needed), func(t *testing.T) {
			if out, err := runScene(t, tt.scene, 0); err != nil {
				t.Errorf("with all cures: %v\n%s", err, out)
			}
			if tt.needed == cureThreadLocal && !nestingIsBroken {
				t.Skip("NOT RUN: this version of the library needs no cure")
			}
			out, err := runScene(t, tt.scene, tt.needed)
			if err == nil {
				t.Errorf("it works without the cure: %s", out)
			}
			t.Logf("without it: %v\n%s", err, firstLines(out, 4))
		})
	}
}

// The end of the native stack ends the process, with a reason, and without the
// cure looks like a fault of the guest.
func TestOverflow(t *testing.T) {
	out, err := runScene(t, "overflow", 0)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() == 3 || !strings.Contains(out, "native stack overflowed") || !strings.Contains(out, "goroutine ") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = runScene(t, "overflow", cureOverflow)
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(out, engine.TrapMemoryOutOfBounds.String()) {
		t.Errorf("without the cure: %v\n%s", err, out)
	}
}

func firstLines(s string, n int) string {
	lines := strings.SplitAfterN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "")
}

// kitchen is an instance of enginetest's usual guest.
func kitchen(f func(n uint32) (uint32, error)) (engine.Instance, error) {
	return guest(enginetest.Kitchen(1), f)
}

// guest is an instance on machine code.
func guest(wasm []byte, f func(n uint32) (uint32, error)) (engine.Instance, error) {
	ctx := context.Background()
	e, err := New(aot())
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

func inside() error {
	in, err := kitchen(func(n uint32) (uint32, error) {
		if n == 7 {
			dereference(nil) // unwinds to the binding
		}
		return n, faultInGo()
	})
	if err != nil {
		return err
	}
	for n := range uint64(1000) {
		if got, err := invoke(in, "invoke", n&3); err != nil || got != uint32(n&3) {
			return fmt.Errorf("invoke: %d, %w", got, err)
		}
	}
	if _, err := invoke(in, "invoke", 7); err == nil || !strings.Contains(err.Error(), "nil pointer") {
		return fmt.Errorf("a fault in a host function came back as %w", err)
	}
	return outOfBounds(in)
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

func mask() error {
	runtime.LockOSThread()
	before := blockedSignals()
	in, err := kitchen(echo)
	if err == nil {
		err = outOfBounds(in)
	}
	if now := blockedSignals(); err == nil && now != before {
		err = fmt.Errorf("signals %x are blocked, %x were", now, before)
	}
	return err
}

func nested() error {
	e, err := New(aot())
	if err != nil {
		return err
	}
	return errors.Join(enginetest.Nest(e, 64, 3), e.Close(context.Background()))
}

// deep nests as far as the network allows, with 400 frames on each level, and with
// so many that one stack cannot hold them.
func deep() error {
	e, err := New(aot())
	if err != nil {
		return err
	}
	if err := enginetest.Nest(e, 1024, 400); err != nil {
		return err
	}
	return errors.Join(enginetest.Nest(e, 1024, 1500), e.Close(context.Background()))
}

// overflows recurses without end. It is an error for it to return.
func overflows() error {
	in, err := guest(enginetest.Diver(), echo)
	if err != nil {
		return err
	}
	_, err = invoke(in, "dive", 1<<40, 0)
	return fmt.Errorf("endless recursion came back: %w", err)
}

// pages asks for more memory than an engine gives that was made for less: the
// library then gives what it has.
func pages() error {
	ctx := context.Background()
	e, err := newEngine(Options{Interpreter: true}, 8192)
	if err != nil {
		return err
	}
	v, err := e.Env(ctx, engine.EnvConfig{Host: enginetest.Host(nil), Counter: enginetest.CounterName})
	if err != nil {
		return err
	}
	m, err := v.Compile(ctx, enginetest.Kitchen(9000))
	if err != nil {
		return err
	}
	in, err := m.Instantiate(ctx, nil)
	var trap *engine.Trap
	if err == nil || errors.As(err, &trap) {
		return fmt.Errorf("instance of 9000 pages: %v, %w", in, err)
	}
	return e.Close(ctx)
}

// mixed is everything at once, on more threads than processors.
func mixed() error {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	until := time.Now().Add(2 * time.Second)
	for range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
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
				err = nested()
			}
			if err != nil {
				errs <- err
			}
		}()
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// selfTest is that of New, which does not run where a cure is missing.
func selfTest() error {
	e, err := newEngine(aot(), maxPages)
	if err != nil {
		return err
	}
	return e.probe(context.Background())
}

func TestSelfTest(t *testing.T) {
	for missing, want := range map[cure]string{0: "", cureHandlers: "handlers were not kept out", cureMask: "mask changed"} {
		out, err := runScene(t, "self-test", missing)
		var exit *exec.ExitError
		if want == "" && err != nil || want != "" && (!errors.As(err, &exit) || exit.ExitCode() != 3) || !strings.Contains(out, want) {
			t.Errorf("without cure %d: %v\n%s", missing, err, out)
		}
	}
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

func TestStackSize(t *testing.T) {
	if out, err := runScene(t, "stack", 0); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestMixedLoad(t *testing.T) {
	if out, err := runScene(t, "mixed", 0); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
