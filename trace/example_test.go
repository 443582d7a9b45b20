package trace_test

import (
	"context"
	"fmt"
	"log"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// A recorder's hooks on a machine: the calls of a message, and what its charges add up to.
func ExampleRecorder() {
	ctx := context.Background()
	v, err := vector.Load("../lab/conformance/testdata/nv28-onboard-035.json")
	check(err)
	var rec trace.Recorder
	s, err := vector.Prepare(ctx, v, 0, vector.NewActors(bundle.Options{}), nil, rec.Hooks())
	check(err)
	res, err := s.Apply(ctx, 0)
	check(err)

	var milligas uint64
	for _, e := range rec.Take() {
		switch e := e.(type) {
		case *trace.GasCharge:
			milligas += e.Compute + e.Other
		case *trace.Call:
			fmt.Println(e.From, "calls", e.To, "method", e.Method)
		}
	}
	fmt.Println((milligas+999)/1000, "units of gas; the receipt says", res.GasUsed)
	// Output:
	// 108 calls f0119 method 9
	// 119 calls f02 method 3
	// 119 calls f04 method 9
	// 119 calls f099 method 0
	// 119 calls f04 method 6
	// 119 calls f05 method 7
	// 5 calls f099 method 0
	// 57960614 units of gas; the receipt says 57960614
}

// Two traces, and where they part.
func ExampleDiff() {
	a := []trace.Event{&trace.GasCharge{Name: "OnBlockOpen", Compute: 1000}, &trace.GasCharge{Name: "OnBlockRead", Compute: 20}}
	b := []trace.Event{&trace.GasCharge{Name: "OnBlockOpen", Compute: 1000}, &trace.GasCharge{Name: "OnBlockRead", Compute: 30}}
	fmt.Println(trace.Diff(a, b))
	// Output: event 1: gas charge OnBlockRead: compute milligas is 30, want 20
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
