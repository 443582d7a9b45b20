// Command shadow runs vectors on two engines in lock-step. The engines decide no result of the network's, so that any
// difference is a fault of one of them; it becomes a file that `edgefvm explain` reads.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: shadow VECTOR...")
	}
	if err := run(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, paths []string) error {
	var opts shadow.Options
	for _, name := range []string{"wazero", "wazero-interpreter"} { // any two of fvm.EngineNames; the first one's results count
		e, err := fvm.NewEngine(fvm.EngineConfig{Name: name})
		if err != nil {
			return err
		}
		defer e.Close(ctx)
		opts.Engines = append(opts.Engines, e)
	}
	opts.Parallel, opts.Dir = true, filepath.Join(os.TempDir(), "differences")
	actors := vector.NewActors(bundle.Options{Progress: os.Stderr})
	for _, path := range paths {
		if err := compare(ctx, path, actors, opts); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func compare(ctx context.Context, path string, actors *vector.Actors, opts shadow.Options) error {
	v, err := vector.Load(path)
	if err != nil {
		return err
	}
	s, err := vector.PrepareOn(ctx, v, 0, actors, nil, func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		return shadow.New(ctx, cfg, opts)
	})
	if err != nil {
		return err
	}
	for i := range s.Len() {
		res, err := s.Apply(ctx, i)
		var d *shadow.Difference
		switch {
		case errors.As(err, &d):
			return fmt.Errorf("%s and %s differ: %v; edgefvm explain %s", d.Primary, d.Engine, d.Parts, d.Bundle)
		case errors.Is(err, vector.ErrNoReceipt):
			fmt.Println(v.Name, "has no receipt, on both")
		case err != nil:
			return err
		default:
			fmt.Println(v.Name, "exit code", int64(res.ExitCode), "gas", res.GasUsed, "on both")
		}
	}
	_, err = s.Flush(ctx) // compares the state roots too
	return err
}
