package evmtrace_test

import (
	"context"
	"fmt"
	"log"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/vector"
)

// The first opcodes of a contract's call. The hooks go into fvm.Config in the same way.
func Example() {
	ctx := context.Background()
	v, err := vector.Load("../../lab/conformance/testdata/nv28-evmcalls-027.json")
	check(err)
	t := evmtrace.New(evmtrace.Options{})
	s, err := vector.Prepare(ctx, v, 0, vector.NewActors(bundle.Options{}), nil, t.Hooks(nil))
	check(err)
	res, err := s.Apply(ctx, 0)
	check(err)
	for _, step := range t.Take(uint64(res.GasUsed)).Steps[:4] {
		fmt.Println(step.Depth, step.PC, evmtrace.OpName(step.Op), step.Stack)
	}
	// Output:
	// 1 0 PUSH1 []
	// 1 2 PUSH1 [0x80]
	// 1 4 MSTORE [0x80 0x40]
	// 1 5 PUSH1 []
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
