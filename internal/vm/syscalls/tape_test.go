package syscalls_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
)

// program is a guest that computes, asks for its balance and the network's context, computes again and returns 7.
func (g *guest) program(first int64, calls ...string) func(context.Context, string, []uint64) error {
	return func(_ context.Context, _ string, stack []uint64) error {
		g.counter -= first
		for i, name := range calls {
			if n, err := g.call(name, uint64(256*i)); err != nil || n != 0 {
				return err
			}
			g.counter -= 1_000_000
		}
		stack[0] = 7
		return nil
	}
}

// played is a guest whose calls are those of a program.
type played struct {
	*guest
	run func(context.Context, string, []uint64) error
}

func (p *played) Call(ctx context.Context, export string, stack []uint64) error {
	return p.run(ctx, export, stack)
}

const askBalance, askNetwork = "self::current_balance", "network::context"

// A tape stands for a guest with the same answers, at the same price; with other answers, or less gas than it takes, a guest takes over; and
// one that does not repeat itself is a failure of the node, not a result.
func TestTape(t *testing.T) {
	const limit = 1_000_000
	record := func(room int64, calls ...string) (*guest, *syscalls.Tape) {
		g := newGuest(t, 28, limit)
		var left atomic.Int64
		left.Store(room)
		in, tape := g.inv.Record(&played{g, g.program(5_000_000, calls...)}, &left)
		var stack [1]uint64
		if err := in.Call(t.Context(), "invoke", stack[:]); err != nil || stack[0] != 7 {
			t.Fatal(stack, err)
		}
		return g, tape
	}
	first, whole := record(1<<20, askBalance, askNetwork)
	second, cut := record(1, askBalance, askNetwork)
	third, other := record(1<<20, askNetwork, askBalance)
	for _, c := range []struct {
		name  string
		tape  *syscalls.Tape
		by    *guest
		limit uint64
		later abi.ChainEpoch // than when it was recorded
		takes bool
		want  string // part of the error
	}{
		{"whole", whole, first, limit, 0, false, ""},
		{"another answer", whole, first, limit, 1, true, ""},
		{"no room for all of it", cut, second, limit, 0, true, ""},
		{"of another guest", other, third, limit, 1, true, "did not repeat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t, 28, c.limit)
			g.funcs = c.by.funcs // the guests of one engine have the same
			g.m.Epoch += c.later
			took := false
			p := g.inv.Play(c.tape, func() (engine.Instance, error) {
				took = true
				return &played{g, g.program(5_000_000, askBalance, askNetwork)}, nil
			})
			outside, err := g.inside.Leave()
			if err != nil {
				t.Fatal(err)
			}
			inside := outside.Enter(p)
			var stack [1]uint64
			err = inside.Call(t.Context(), "invoke", stack[:])
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !isNodeFailure(err) {
					t.Fatalf("%v, want a failure of the node: %s", err, c.want)
				}
				return
			}
			if err != nil || stack[0] != 7 || took != c.takes {
				t.Fatalf("returned %d, %v; a guest took over: %v, want %v", stack[0], err, took, c.takes)
			}
			if _, err := inside.Leave(); err != nil {
				t.Fatal(err)
			}
			if got := g.inv.Kernel.Gas().Available(); got != plain(t, c.limit) {
				t.Errorf("%d milligas are left, want %d", got, plain(t, c.limit))
			}
		})
	}
}

// plain is what is left of a limit after the program without tapes.
func plain(t *testing.T, limit uint64) gas.Gas {
	g := newGuest(t, 28, limit)
	var stack [1]uint64
	if err := g.program(5_000_000, askBalance, askNetwork)(t.Context(), "invoke", stack[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := g.inside.Leave(); err != nil {
		t.Fatal(err)
	}
	return g.inv.Kernel.Gas().Available()
}
