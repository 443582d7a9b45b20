package fvm_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine/wasmedge"
)

func TestEngineNames(t *testing.T) {
	names := fvm.EngineNames()
	if names[0] != "wazero" {
		t.Errorf("the default is %s", names[0])
	}
	if slices.Contains(names, "wasmedge") != wasmedge.Built {
		t.Errorf("names %v, and WasmEdge is built in: %t", names, wasmedge.Built)
	}
	if !wasmedge.Built {
		for _, name := range []string{"wasmedge", "wasmedge-o0", "wasmedge-o2"} {
			if _, err := fvm.NewEngine(fvm.EngineConfig{Name: name}); err == nil || !strings.Contains(err.Error(), "-tags wasmedge") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := fvm.NewEngine(fvm.EngineConfig{Name: "v8"}); !errors.Is(err, fvm.ErrUnknownEngine) || !strings.Contains(err.Error(), "wazero") {
		t.Errorf("v8: %v", err)
	}
}

// An engine of one kind has nothing to wait for and nothing to count.
func TestOneKindOfCode(t *testing.T) {
	e, err := fvm.NewEngine(fvm.EngineConfig{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Wait(t.Context()); err != nil || e.Tally() != nil {
		t.Errorf("%v, %v", err, e.Tally())
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
