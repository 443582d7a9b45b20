package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/edgefvm/fvm/engine"
)

// A host function may call back into the guest that called it.
func testReentrant(x *fixture) {
	in := x.kitchen()
	type key struct{}
	x.f = func(ctx context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if ctx.Value(key{}) != n {
			x.t.Errorf("host function at %d got the context of %v", n, ctx.Value(key{}))
		}
		if n == 0 {
			return 100, nil
		}
		stack := []uint64{uint64(n - 1)}
		if err := caller.Call(context.WithValue(ctx, key{}, n-1), "invoke", stack); err != nil {
			return 0, err
		}
		if ctx.Value(key{}) != n {
			x.t.Errorf("context changed")
		}
		// A failed inner call leaves the outer one as it was.
		if _, err := invoke(caller, "unreachable"); err == nil {
			x.t.Error("unreachable returned")
		}
		return uint32(stack[0]) + 1, nil
	}
	stack := []uint64{20}
	if err := in.Call(context.WithValue(context.Background(), key{}, uint32(20)), "invoke", stack); err != nil {
		x.t.Fatal(err)
	}
	if uint32(stack[0]) != 120 {
		x.t.Errorf("result %d, want 120", uint32(stack[0]))
	}
}

// maxDepth is how deep the tests nest invocations: the network's limit.
const maxDepth = 1024

// nest makes host.f run a new instance of m one level deeper, down to 0.
func (x *fixture) nest(m engine.Module, bottom func(engine.Instance) (uint32, error)) {
	x.f = func(ctx context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if n == 0 {
			return bottom(caller)
		}
		in, err := m.Instantiate(ctx, n)
		if err != nil {
			return 0, err
		}
		in.Memory()[0] = byte(n)
		in.SetCounter(int64(n))
		stack := []uint64{uint64(n - 1)}
		err = in.Call(ctx, "invoke", stack)
		if in.Memory()[0] != byte(n) || in.Counter() != int64(n) || in.Data() != n {
			x.t.Errorf("level %d has the state of another", n)
		}
		return uint32(stack[0]) + 1, errors.Join(err, in.Close(ctx))
	}
}

func testNested(x *fixture) {
	m := x.compile(kitchen(3))
	x.nest(m, func(engine.Instance) (uint32, error) { return 5, nil })
	for range 2 {
		in := x.instantiate(m, nil)
		x.want32(in, maxDepth+5, "invoke", maxDepth)
		x.close(in)
	}
}

func testNestedErrors(x *fixture) {
	m := x.compile(kitchen(1))
	in := x.instantiate(m, nil)
	x.nest(m, func(engine.Instance) (uint32, error) { return 0, errHost })
	if _, err := invoke(in, "invoke", 100); !errors.Is(err, errHost) {
		x.t.Errorf("error from 100 levels down: %v", err)
	}
	x.nest(m, func(caller engine.Instance) (uint32, error) {
		_, err := invoke(caller, "unreachable")
		return 0, err
	})
	_, err := invoke(in, "invoke", 100)
	x.wantTrap(err, "trap from 100 levels down", engine.TrapUnreachable)
}

func testConcurrent(x *fixture) {
	m := x.compile(kitchen(2))
	x.f = func(_ context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if caller.Data() != n {
			return 0, fmt.Errorf("data %v in the call of %d", caller.Data(), n)
		}
		caller.SetCounter(caller.Counter() - int64(n))
		return n * 2, nil
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 40 {
				if err := concurrentStep(m, uint32(g*1000+i)); err != nil {
					x.t.Errorf("goroutine %d: %v", g, err)
					return
				}
			}
		}()
	}
	// Compiling meanwhile, the same and another module.
	for _, wasm := range [][]byte{kitchen(2), kernel()} {
		x.compile(wasm)
	}
	wg.Wait()
}

func concurrentStep(m engine.Module, n uint32) error {
	ctx := context.Background()
	in, err := m.Instantiate(ctx, n)
	if err != nil {
		return err
	}
	in.SetCounter(1 << 40)
	if in.Memory()[1000] != 0 {
		return errors.New("dirty memory")
	}
	stack := []uint64{uint64(n)}
	if err := in.Call(ctx, "count", stack); err != nil {
		return err
	}
	if uint32(stack[0]) != 2*n || in.Counter() != 1<<40-12-int64(n) {
		return fmt.Errorf("got %d, counter %d for %d", uint32(stack[0]), in.Counter(), n)
	}
	if _, err := invoke(in, "grow", 1); err != nil {
		return err
	}
	in.Memory()[1000] = 1
	if _, err := invoke(in, "unreachable"); err == nil {
		return errors.New("unreachable returned")
	}
	return in.Close(ctx)
}
