// Command explain shows what a message called and what it cost, from its trace: a small form of `edgefvm explain`.
// Package explain makes the tree, and package explain/text would print it whole; here the program walks it itself.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: explain VECTOR")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string) error {
	v, err := vector.Load(path)
	if err != nil {
		return err
	}
	var rec trace.Recorder
	s, err := vector.Prepare(ctx, v, 0, vector.NewActors(bundle.Options{Progress: os.Stderr}), nil, rec.Hooks())
	if err != nil {
		return err
	}
	for i := range s.Len() {
		msg, kind, length, err := s.Decode(i)
		if err != nil {
			return err
		}
		res, err := s.Execute(ctx, msg, kind, length)
		if err != nil {
			return err
		}
		x, err := explain.Trace(explain.Applied{Message: msg, Trace: rec.Take(), Result: res}, explain.Options{ActorName: s.Machine.ActorName})
		if err != nil {
			return err
		}
		for _, c := range x.Calls.Calls {
			calls(c, 0)
		}
		for _, k := range x.ByKind {
			fmt.Printf("%12d %s\n", k.Milli/1000, k.Kind)
		}
		fmt.Println("exit code", int64(res.ExitCode), "gas", res.GasUsed)
		if res.Failure != "" {
			fmt.Println(res.Failure)
		}
	}
	return nil
}

// calls prints a call and those that it made, with the gas of each in all.
func calls(c *explain.Call, depth int) {
	fmt.Printf("%s%s · %s: %d gas", strings.Repeat("  ", depth), c.Who(), c.Name, c.Total/1000)
	if c.Failed() {
		fmt.Print(", ", c.Why())
	}
	fmt.Println()
	for _, sub := range c.Calls {
		calls(sub, depth+1)
	}
}
