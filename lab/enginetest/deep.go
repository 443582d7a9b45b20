package enginetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// CounterName is the counter of the guests that are exported here.
const CounterName = counterName

// ResetName is their section by which they can be reset.
const ResetName = resetName

// Kitchen is the guest of most contract tests, for tests of one adapter: see
// kitchen for its exports.
func Kitchen(pages uint32) []byte { return kitchen(pages) }

// Host is what Kitchen and Diver import. f is host.f.
func Host(f func(ctx context.Context, in engine.Instance, n uint32) (uint32, error)) []engine.HostFunc {
	return hostFuncs(f, new([3]uint64))
}

// Diver is a guest that goes down a number of its own calls before it calls the
// host: dive(frames i64, n i32) is host.f(n). On the way back each frame uses the
// memory and the counter, and calls a function that does.
func Diver() []byte {
	m := &wasmModule{}
	f := m.imp("host", "f", one32, one32)
	m.counter()
	m.memory(limits{min: 1})
	touch := m.fn("", one64, none, 0, i32c(64), get(0), store64(), count(1))
	params := []byte{i64, i32}
	self := uint32(len(m.imports) + len(m.funcs))
	m.fn("dive", params, one32, 2,
		get(0), set(2),
		op(ops.Block, ops.BlockEmpty),
		get(0), op(ops.I64Eqz), op(ops.BrIf, 0),
		get(0), i64c(1), op(ops.I64Sub), get(1), call(self), op(0xad) /* i64.extend_i32_u */, set(3),
		i32c(72), get(2), store64(),
		get(2), call(touch),
		get(3), op(ops.I32WrapI64), set(1),
		op(ops.End),
		// At the bottom the local still counts nothing.
		op(ops.Block, ops.BlockEmpty),
		get(2), op(ops.I64Eqz), op(ops.I32Eqz), op(ops.BrIf, 0),
		get(1), call(f), set(1),
		i64c(99), call(touch),
		op(ops.End),
		get(1))
	return m.bytes()
}

// Nest nests depth invocations of Diver, each with frames calls of its own (at
// least one) above the host's, and checks that each finds its state again.
func Nest(e engine.Engine, depth uint32, frames uint64) error {
	ctx := context.Background()
	var m engine.Module
	invokeOne := func(n uint32) (uint32, error) {
		in, err := m.Instantiate(ctx, n)
		if err != nil {
			return 0, err
		}
		in.Memory()[0] = byte(n)
		in.SetCounter(int64(n))
		stack := []uint64{frames, uint64(n)}
		if err := in.Call(ctx, "dive", stack); err != nil {
			return 0, errors.Join(err, in.Close(ctx))
		}
		if in.Memory()[0] != byte(n) || in.Counter() != int64(n)-int64(frames)-1 || in.Memory()[64] != byte(frames) || in.Memory()[72] != byte(frames) {
			err = fmt.Errorf("level %d: counter %d, memory %x and %x", n, in.Counter(), in.Memory()[0], in.Memory()[64])
		}
		return uint32(stack[0]), errors.Join(err, in.Close(ctx))
	}
	v, err := e.Env(ctx, engine.EnvConfig{Counter: counterName, Host: Host(func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		if n == 0 {
			return 0, nil
		}
		below, err := invokeOne(n - 1)
		return below + 1, err
	})})
	if err != nil {
		return err
	}
	defer v.Close(ctx)
	if m, err = v.Compile(ctx, Diver()); err != nil {
		return err
	}
	got, err := invokeOne(depth)
	if err == nil && got != depth {
		err = fmt.Errorf("%d levels deep: result %d", depth, got)
	}
	return err
}
