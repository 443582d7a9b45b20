// Command explain shows what a message called and what it cost, from its trace: a small form of `edgefvm explain`.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
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
		res, err := s.Apply(ctx, i)
		if err != nil {
			return err
		}
		events := rec.Take()
		calls(events, s.Machine.ActorName)
		prices(events)
		fmt.Println("exit code", int64(res.ExitCode), "gas", res.GasUsed)
		if res.Failure != "" {
			fmt.Println(res.Failure)
		}
	}
	return nil
}

// calls prints the tree of calls. A call begins with *trace.Call and ends with *trace.Return or *trace.Error; between them
// *trace.Invoke tells the receiver.
func calls(events trace.Events, name func(code cid.Cid) (string, bool)) {
	depth := -1
	for _, e := range events {
		switch e := e.(type) {
		case *trace.Call:
			depth++
			fmt.Printf("%s%s method %d, %s attoFIL\n", strings.Repeat("  ", depth), e.To, e.Method, e.Value)
		case *trace.Invoke:
			if n, ok := name(e.Code); ok {
				fmt.Printf("%sf0%d is of %s\n", strings.Repeat("  ", depth+1), e.ID, n)
			}
		case *trace.Return:
			if e.ExitCode != 0 {
				fmt.Printf("%sexit code %d\n", strings.Repeat("  ", depth+1), int64(e.ExitCode))
			}
			depth--
		case *trace.Error:
			fmt.Printf("%s%s\n", strings.Repeat("  ", depth+1), e.Text)
			depth--
		}
	}
}

// prices prints the dearest kinds of charge.
func prices(events trace.Events) {
	sums := map[string]uint64{} // milligas
	for _, e := range events {
		if g, ok := e.(*trace.GasCharge); ok {
			sums[g.Name] += g.Compute + g.Other
		}
	}
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b))
	})
	for _, n := range names[:min(len(names), 5)] {
		fmt.Printf("%12d %s\n", sums[n]/1000, n)
	}
}
