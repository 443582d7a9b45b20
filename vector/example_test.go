package vector_test

import (
	"context"
	"fmt"
	"log"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/vector"
)

// A vector runs, and what came of it is compared with what it expects.
func Example() {
	ctx := context.Background()
	v, err := vector.Load("../lab/conformance/testdata/nv28-multisig-007.json")
	check(err)
	s, err := vector.Prepare(ctx, v, 0, vector.NewActors(bundle.Options{}), nil, nil)
	check(err)
	for i := range s.Len() {
		res, err := s.Apply(ctx, i)
		check(err)
		fmt.Println("exit code", int64(res.ExitCode), "gas", res.GasUsed)
		for _, d := range vector.Compare(i, &v.Receipts()[i], res) {
			fmt.Println(d)
		}
	}
	root, err := s.Flush(ctx)
	check(err)
	fmt.Println("the state is as expected:", root == v.PostRoot())
	// Output:
	// exit code 17 gas 1868263
	// the state is as expected: true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
