package shadow_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
)

// A message on two code generators in lock-step.
func Example() {
	ctx := context.Background()
	var engines []*fvm.Engine
	for _, name := range []string{"wazero", "wazero-interpreter"} {
		e, err := fvm.NewEngine(fvm.EngineConfig{Name: name})
		check(err)
		defer e.Close(ctx)
		engines = append(engines, e)
	}
	v, err := vector.Load("../lab/conformance/testdata/nv28-multisig-007.json")
	check(err)
	s, err := vector.PrepareOn(ctx, v, 0, vector.NewActors(bundle.Options{}), nil, func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		return shadow.New(ctx, cfg, shadow.Options{Engines: engines, Parallel: true})
	})
	check(err)
	res, err := s.Apply(ctx, 0)
	if d := (*shadow.Difference)(nil); errors.As(err, &d) {
		log.Fatalf("message %d differs on %s and %s: %v", d.Number, d.Primary, d.Engine, d.Parts)
	}
	check(err)
	_, err = s.Flush(ctx) // compares the state roots
	check(err)
	fmt.Println("both say exit code", int64(res.ExitCode), "and gas", res.GasUsed)
	// Output: both say exit code 17 and gas 1868263
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
