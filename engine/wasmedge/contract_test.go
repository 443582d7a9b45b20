//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// overflow is left out of the contract tests: it wants a trap, and here the end of the
// native stack is none (TestJudge).
const overflow = "StackOverflow"

func TestContract(t *testing.T) {
	enginetest.RunWithout(t, func(t *testing.T) engine.Engine { return mustOpen(t, aot()) }, overflow)
}

// All of it also holds where the library carries the calls of the host, as one does
// that was never run.
func TestContractLongWay(t *testing.T) {
	before := longWays()
	enginetest.RunWithout(t, func(t *testing.T) engine.Engine { return mustOpen(t, longWay(t)) }, overflow)
	if longWays() == before {
		t.Error("the library carried no call")
	}
}

func TestContractInterpreter(t *testing.T) {
	enginetest.RunWithout(t, func(t *testing.T) engine.Engine { return mustOpen(t, Options{Interpreter: true}) }, overflow)
}

func TestLikeWazero(t *testing.T) {
	other, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]Options{"Native": aot(), "Interpreter": {Interpreter: true}} {
		t.Run(name, func(t *testing.T) {
			e := mustOpen(t, opts)
			enginetest.NoDiff(t, e, other)
			if err := e.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	if err := other.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func BenchmarkEngine(b *testing.B) {
	enginetest.Bench(b, func(b *testing.B) engine.Engine { return mustOpen(b, aot()) })
}
