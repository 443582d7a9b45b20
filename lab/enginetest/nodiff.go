package enginetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Program is a module and what to do with one instance of it.
type Program struct {
	Name    string
	Wasm    []byte
	Counter string
	// Host makes the host functions, with state of their own if they have any:
	// it is called once per engine.
	Host  func() []engine.HostFunc
	Steps []Step
}

// Step is one call.
type Step struct {
	Export  string
	Args    []uint64
	Results []engine.ValueType
	Counter int64 // value of the counter before the call
}

// NoDiff runs programs on two engines, Programs if none are given, and fails for
// every difference: in results, errors, kinds of trap, memory, or counter. It
// closes neither engine.
func NoDiff(t *testing.T, a, b engine.Engine, programs ...Program) {
	t.Helper()
	if len(programs) == 0 {
		programs = Programs()
	}
	for _, p := range programs {
		t.Run(p.Name, func(t *testing.T) {
			outA, outB := p.run(t, a), p.run(t, b)
			for i := range min(len(outA), len(outB)) {
				if outA[i] != outB[i] {
					t.Errorf("step %d %+v:\n%s: %s\n%s: %s", i-1, p.step(i-1), a.Name(), outA[i], b.Name(), outB[i])
					break // what follows starts from different states
				}
			}
			if len(outA) != len(outB) {
				t.Errorf("%d steps on one, %d on the other", len(outA), len(outB))
			}
		})
	}
}

func (p *Program) step(i int) any {
	if i < 0 {
		return "instantiation"
	}
	return p.Steps[i]
}

// run returns a description of the state after instantiation and each step.
func (p *Program) run(t *testing.T, e engine.Engine) (out []string) {
	t.Helper()
	ctx := context.Background()
	var host []engine.HostFunc
	if p.Host != nil {
		host = p.Host()
	}
	v, err := e.Env(ctx, engine.EnvConfig{Host: host, Counter: p.Counter, Reset: resetName})
	if err != nil {
		t.Fatalf("%s: %v", e.Name(), err)
	}
	defer v.Close(ctx)
	m, err := v.Compile(ctx, p.Wasm)
	if err != nil {
		return []string{"does not compile"}
	}
	defer m.Close(ctx)
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		return []string{failure(err)}
	}
	defer in.Close(ctx)
	out = append(out, state(in))
	for _, s := range p.Steps {
		stack := make([]uint64, max(len(s.Args), len(s.Results)))
		copy(stack, s.Args)
		in.SetCounter(s.Counter)
		if err := in.Call(ctx, s.Export, stack); err != nil {
			out = append(out, failure(err)+", "+state(in))
			continue
		}
		text := "returned"
		for i, typ := range s.Results {
			if typ == engine.I32 {
				stack[i] = uint64(uint32(stack[i]))
			}
			text += fmt.Sprintf(" %#x", stack[i])
		}
		out = append(out, text+", "+state(in))
	}
	return out
}

func failure(err error) string {
	var trap *engine.Trap
	switch {
	case errors.As(err, &trap) && trap.Kind == engine.TrapIndirectCallToNull:
		return "trap " + engine.TrapTableOutOfBounds.String() // not every engine can tell
	case errors.As(err, &trap):
		return "trap " + trap.Kind.String()
	case errors.Is(err, engine.ErrNoExport):
		return "no export"
	}
	return "error " + err.Error()
}

func state(in engine.Instance) string {
	mem := in.Memory()
	sum := sha256.Sum256(mem)
	return fmt.Sprintf("counter %d, memory of %d bytes %x", in.Counter(), len(mem), sum[:8])
}

// Programs is what NoDiff runs by default: the guests of the contract tests, and
// random code that is the same in every run.
func Programs() []Program {
	host := func() []engine.HostFunc { return hostFuncs(echo, new([3]uint64)) }
	i32s, i64s := []engine.ValueType{engine.I32}, []engine.ValueType{engine.I64}
	ps := []Program{
		{Name: "kitchen", Wasm: lastingKitchen(2), Counter: counterName, Host: host, Steps: []Step{
			{"invoke", []uint64{7}, i32s, 0},
			{"invoke", []uint64{failWith}, i32s, 3},
			{"count", []uint64{8}, i32s, 100},
			{"count", []uint64{failWith}, i32s, 100},
			{"fill", []uint64{40, 0x5a, 70000}, nil, 1},
			{"fill", []uint64{131000, 1, 1000}, nil, 1},
			{"growcall", []uint64{1}, i32s, 0},
			{"grow", []uint64{65536}, i32s, 0},
			{"table", []uint64{0}, i32s, 0},
			{"table", []uint64{2}, i32s, 0},
			{"table", []uint64{5}, i32s, 0},
			{"table", []uint64{6}, i32s, 0},
			{"div", []uint64{1 << 31, 0xffffffff}, i32s, 0},
			{"div", []uint64{7, 0}, i32s, 0},
			{"nan", nil, i32s, 0},
			{"huge", nil, i32s, 0},
			{"down", []uint64{900}, i64s, 0},
			{"absent", nil, nil, 0},
			{"drop", nil, nil, 0},
			{"init", []uint64{0}, nil, 0},
		}},
		{Name: "kernel", Wasm: kernel(), Counter: counterName, Steps: []Step{
			{"work", []uint64{1000, 1}, i64s, 1 << 40},
			{"work", []uint64{77, ^uint64(0)}, i64s, 0},
		}},
		{Name: "garbage", Wasm: []byte("garbage")},
	}
	for seed := range uint64(40) {
		ps = append(ps, randomProgram(seed))
	}
	return ps
}

// randomProgram is arithmetic, loads and stores on three locals, in a loop.
// About one in three traps on the way.
func randomProgram(seed uint64) Program {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &wasmModule{}
	m.counter()
	m.memory(limits{min: 1})
	var body []byte
	for range 60 {
		body = cat(body, randomStatement(r))
	}
	m.fn("f", []byte{i64, i64, i64}, one64, 0,
		op(ops.Loop, ops.BlockEmpty), count(1), body,
		globalGet(0), i64c(0), op(0x55) /* i64.gt_s */, op(ops.BrIf, 0), op(ops.End),
		get(0), get(1), op(ops.I64Xor), get(2), op(ops.I64Add))
	p := Program{Name: fmt.Sprintf("random%d", seed), Wasm: m.bytes(), Counter: counterName}
	for range 4 {
		p.Steps = append(p.Steps, Step{"f", []uint64{r.Uint64(), r.Uint64() >> 40, 0}, []engine.ValueType{engine.I64}, 20})
	}
	return p
}

func randomStatement(r *rand.Rand) []byte {
	local := func() []byte { return get(r.Uint32N(3)) }
	into := set(r.Uint32N(3))
	address := func() []byte { return cat(local(), op(ops.I32WrapI64), i32c(0xfff0), op(0x71)) } // i32.and
	switch r.IntN(12) {
	case 0:
		return cat(address(), local(), store64())
	case 1:
		return cat(address(), op(0x29, 3, 0), into) // i64.load
	case 2: // a comparison selects
		return cat(local(), local(), local(), local(), op(0x51+byte(r.IntN(10)), 0x1b), into)
	case 3: // a 32-bit operation, shifts and rotations included
		return cat(local(), op(ops.I32WrapI64), local(), op(ops.I32WrapI64),
			op(0x71+byte(r.IntN(8))), op(0xac+byte(r.IntN(2))), into) // i64.extend_i32_s or _u
	case 4: // sign extension, clz, ctz, popcnt
		return cat(local(), op([]byte{0xc2, 0xc3, 0xc4, 0x79, 0x7a, 0x7b}[r.IntN(6)]), into)
	case 5:
		return cat(i64c(int64(r.Uint64())>>r.IntN(64)), local(), op(ops.I64Add), into)
	case 6: // division; the divisor is odd nearly always
		div := cat(local(), i64c(1), op(0x84)) // i64.or
		if r.IntN(8) == 0 {
			div = local()
		}
		return cat(local(), div, op(0x7f+byte(r.IntN(4))), into)
	default: // add, sub, mul; and, or, xor, shifts, rotations
		return cat(local(), local(), op([]byte{0x7c, 0x7d, 0x7e, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a}[r.IntN(11)]), into)
	}
}
