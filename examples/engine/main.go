// Command engine runs a vector's messages on an engine of its own: an adapter around wazero that counts what guests do. An
// adapter decides no result; the contract that it must keep is lab/enginetest, which main_test.go runs.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/vector"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: engine VECTOR")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string) error {
	counts := &counts{}
	// What a program can start by name is a list that it makes itself.
	kinds := append(fvm.Engines(), fvm.EngineKind{Name: "counting", Built: true, Start: func(cfg fvm.EngineConfig) (engine.Engine, error) {
		return newCounting(cfg.CacheDir, counts)
	}})
	fmt.Println("engines:", kinds.Names()[0], "and", len(kinds)-1, "others")
	eng, err := kinds.New(fvm.EngineConfig{Name: "counting"})
	if err != nil {
		return err
	}
	defer eng.Close(ctx)

	v, err := vector.Load(path)
	if err != nil {
		return err
	}
	s, err := vector.Prepare(ctx, v, 0, vector.NewActors(bundle.Options{Progress: os.Stderr}), eng, nil)
	if err != nil {
		return err
	}
	for i := range s.Len() {
		res, err := s.Apply(ctx, i)
		if err != nil {
			return err
		}
		fmt.Println("exit code", int64(res.ExitCode), "gas", res.GasUsed)
	}
	fmt.Println(counts)
	return nil
}
