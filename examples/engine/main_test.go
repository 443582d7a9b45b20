package main

import (
	"os"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// Every adapter must pass the contract.
func TestContract(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) engine.Engine {
		e, err := newCounting("", &counts{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

func Example() {
	os.Args = []string{"engine", "../../lab/conformance/testdata/nv28-multisig-007.json"}
	main()
	// Output:
	// engines: wazero and 5 others
	// exit code 17 gas 1868263
	// 1 modules, 1 instances, 1 calls of guests, 14 calls of the host, 0 traps
}
