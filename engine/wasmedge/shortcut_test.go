//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

// shortWay is a scene: the library carries no call of the host, and hears of those
// that fail.
func shortWay() error {
	var calls uint64
	var inner engine.Instance
	errSeven := errors.New("seven")
	outer, err := kitchen(func(n uint32) (uint32, error) {
		calls++
		switch n {
		case 7:
			return 0, errSeven
		case 8:
			panic("eight")
		case 9: // another guest fails in between, and this one goes on
			if _, err := invoke(inner, "invoke", 1); !errors.Is(err, errSeven) {
				return 0, fmt.Errorf("inner guest: %w", err)
			}
		}
		return n + 1, nil
	})
	if err != nil {
		return err
	}
	inner, err = kitchen(func(uint32) (uint32, error) { return 0, errSeven })
	if err != nil {
		return err
	}
	for _, tt := range []struct {
		n        uint64
		fails    bool
		longWays uint64
	}{{1, false, 0}, {7, true, 1}, {1, false, 0}, {8, true, 1}, {8, true, 1}, {1, false, 0}, {9, false, 1}} {
		calls = 0
		before := longWays()
		got, err := invoke(outer, "invoke", tt.n)
		switch {
		case (err != nil) != tt.fails || err == nil && got != uint32(tt.n+1):
			return fmt.Errorf("host.f(%d) gave %d, %w", tt.n, got, err)
		case calls != 1:
			return fmt.Errorf("host.f(%d) was called %d times", tt.n, calls)
		case longWays()-before != tt.longWays:
			return fmt.Errorf("the library carried %d calls of host.f(%d)", longWays()-before, tt.n)
		}
	}
	return errors.Join(outOfBounds(outer), outer.Close(context.Background()), inner.Close(context.Background()))
}

// All arguments and the result arrive whole, up to the most that there may be.
func TestManyArguments(t *testing.T) {
	ctx := context.Background()
	for _, n := range []int{0, 1, 2, 63, 64} {
		var got []uint64
		host := engine.HostFunc{Module: "h", Name: "many", Results: []engine.ValueType{engine.I64},
			Fn: func(_ context.Context, _ engine.Instance, stack []uint64) error {
				got = slices.Clone(stack[:n])
				stack[0] = 1<<63 + 5
				return nil
			}}
		var want []uint64
		for i := range n {
			host.Params = append(host.Params, []engine.ValueType{engine.I64, engine.I32}[i%2])
			want = append(want, ^uint64(i))
			if i%2 == 1 {
				want[i] = uint64(^uint32(i))
			}
		}
		e := mustOpen(t, aot())
		v, err := e.Env(ctx, engine.EnvConfig{Host: []engine.HostFunc{host}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := v.Compile(ctx, passer(host.Params))
		if err != nil {
			t.Fatal(err)
		}
		in, err := m.Instantiate(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		before := longWays()
		stack := []uint64{^uint64(0)}
		if err := in.Call(ctx, "pass", stack); err != nil || stack[0] != 1<<63+5 || !slices.Equal(got, want) {
			t.Errorf("%d arguments: got %x and gave %x, %v; want %x", n, got, stack[0], err, want)
		}
		if longWays() != before {
			t.Errorf("%d arguments: the library carried the call", n)
		}
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// passer is a module with pass(i64) -> i64, which calls h.many with its argument less
// 0, 1, 2 and so on: with the low half of that where the parameter is small.
func passer(params []engine.ValueType) []byte {
	var body, list []byte
	for i, t := range params {
		body = slices.Concat(body, []byte{0x20, 0, 0x42, byte(i), 0x7d}) // subtract: there are not more than 64
		list = append(list, byte(t))
		if t == engine.I32 {
			body = append(body, 0xa7) // wrap
		}
	}
	body = slices.Concat([]byte{0}, body, []byte{0x10, 0, 0x0b})
	types := slices.Concat([]byte{2, 0x60}, uleb(len(params)), list, []byte{1, 0x7e}, []byte{0x60, 1, 0x7e, 1, 0x7e})
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		[]byte{1}, uleb(len(types)), types,
		section(2, 1, 'h', 4, 'm', 'a', 'n', 'y', 0, 0), section(3, 1), section(7, 4, 'p', 'a', 's', 's', 0, 1),
		section(10, slices.Concat(uleb(len(body)), body)...))
}
