//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// longWay is for an engine that knows nothing of the short way. Its machine code is a
// copy, since that of others has been given it.
func longWay(t *testing.T) Options {
	dir := t.TempDir()
	return Options{longWay: true, Native: func(ctx context.Context, wasm []byte) (string, error) {
		path, err := compiler.native(ctx, wasm)
		if err != nil {
			return "", err
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, filepath.Base(path))
		if _, err := os.Stat(path); err == nil {
			return path, nil // others may have loaded it
		}
		return path, os.WriteFile(path, code, 0o700)
	}}
}

// The library carries no call of the host, and hears of those that fail; on the long
// way it carries each, with the same outcome.
func TestShortWay(t *testing.T) {
	for name, tt := range map[string]struct {
		opts Options
		ways [7]uint64
	}{
		"short": {aot(), [7]uint64{0, 1, 0, 1, 1, 0, 1}},
		"long":  {longWay(t), [7]uint64{1, 1, 1, 1, 1, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "short" && !knowsTable(libraryVersion(), 0) {
				t.Skip("NOT RUN: this version of the library is not known")
			}
			testWays(t, tt.opts, tt.ways)
		})
	}
}

func testWays(t *testing.T, opts Options, ways [7]uint64) {
	var calls uint64
	var inner engine.Instance
	errSeven := errors.New("seven")
	outer, err := guest(opts, enginetest.Kitchen(1), func(n uint32) (uint32, error) {
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
		t.Fatal(err)
	}
	inner, err = guest(opts, enginetest.Kitchen(1), func(uint32) (uint32, error) { return 0, errSeven })
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		n     uint64
		fails bool
	}{{1, false}, {7, true}, {1, false}, {8, true}, {8, true}, {1, false}, {9, false}} {
		calls = 0
		before := longWays()
		got, err := invoke(outer, "invoke", tt.n)
		switch {
		case (err != nil) != tt.fails || err == nil && got != uint32(tt.n+1):
			t.Errorf("host.f(%d) gave %d, %v", tt.n, got, err)
		case calls != 1:
			t.Errorf("host.f(%d) was called %d times", tt.n, calls)
		case longWays()-before != ways[i]:
			t.Errorf("the library carried %d calls of host.f(%d), want %d", longWays()-before, tt.n, ways[i])
		}
	}
	if err := errors.Join(outOfBounds(outer), outer.Close(context.Background()), inner.Close(context.Background())); err != nil {
		t.Error(err)
	}
}

// The short way is for the versions that were run, with their own machine code.
func TestKnownTables(t *testing.T) {
	for _, tt := range []struct {
		library string
		number  uint32
		want    bool
	}{
		{"0.14.1", 1, true}, {"0.17.1", 2, true}, {"0.14.1", 0, true}, {"0.17.1", 0, true},
		{"0.14.1", 2, false}, {"0.17.1", 1, false}, {"0.17.1", 3, false},
		{"0.14.0", 1, false}, {"0.15.0", 2, false}, {"0.16.1", 2, false}, {"0.17.0", 2, false}, {"0.17.2", 0, false},
		{"0.14.1-2", 1, false}, {"0.14", 1, false}, {"", 0, false},
	} {
		if got := knowsTable(tt.library, tt.number); got != tt.want {
			t.Errorf("library %q with machine code %d: %t", tt.library, tt.number, got)
		}
	}
}

// A library that was never run is said so, once.
func TestUnknownLibrary(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	var once sync.Once
	for _, version := range []string{"0.14.1", "0.99.0", "0.99.0"} {
		warnUnknown(&once, logger, version)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "library=0.99.0") {
		t.Errorf("the log:\n%s", log.String())
	}
}

// All arguments and the result arrive whole, up to the most that there may be.
func TestManyArguments(t *testing.T) {
	t.Run("short", func(t *testing.T) { testManyArguments(t, aot(), knowsTable(libraryVersion(), 0)) })
	t.Run("long", func(t *testing.T) { testManyArguments(t, longWay(t), false) })
}

func testManyArguments(t *testing.T, opts Options, short bool) {
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
		e := mustOpen(t, opts)
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
		if (longWays() == before) != short {
			t.Errorf("%d arguments: the library carried %d calls", n, longWays()-before)
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
