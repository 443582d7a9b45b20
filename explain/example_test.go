package explain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// A vector runs, and what came of its message is printed.
func ExampleVector() {
	v, err := vector.Load("../lab/conformance/testdata/nv28-onboard-035.json")
	if err != nil {
		log.Fatal(err)
	}
	x, err := explain.Vector(context.Background(), v, explain.VectorOptions{})
	if err != nil {
		log.Fatal(err)
	}
	m := &x.Messages[0]
	fmt.Printf("%s: %s, %d gas, as expected: %v\n", m.Name, m.Meaning, m.GasUsed, x.Matches)
	for _, c := range m.Calls.Calls[0].Calls {
		fmt.Printf("%s, %s: %.1f%%\n", c.Who(), c.Name, 100*c.Share(m.Calls.Total))
	}
	fmt.Println("most of it for", m.ByKind[0].Kind)
	// Output:
	// TerminateSectors: ok, 57960614 gas, as expected: true
	// reward f02, ThisEpochReward: 1.7%
	// storagepower f04, CurrentTotalPower: 1.8%
	// account f099, Send: 0.0%
	// storagepower f04, UpdatePledgeTotal: 4.8%
	// storagemarket f05, OnMinerSectorsTerminate: 17.8%
	// most of it for block writes
}

// A trace that was kept as JSON is explained without running anything. With a machine at hand, ActorName is its method,
// and the trace comes from a trace.Recorder.
func ExampleTrace() {
	var events trace.Events
	err := json.Unmarshal([]byte(`[
		["gas", "OnChainMessage", 38863, 721000],
		["call", 100, "f01005", 9, "0", 10000000, false, 81, "gQc="],
		["invoke", 1005, "bafkqaaa"], ["gas", "wasm_exec", 4200000, 0],
		["call", 1005, "f05", 0, "1500000000000000000", 9000, false, null, null], ["error", 5, "insufficient funds"],
		["return", 19, null, null]
	]`), &events)
	if err != nil {
		log.Fatal(err)
	}
	m, err := explain.Trace(explain.Applied{Trace: events}, explain.Options{
		ActorName: func(cid.Cid) (string, bool) { return "storageminer", true },
		Decoders:  explain.CBOR(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("parameters:", m.Calls.Calls[0].ParamsValue)
	err = text.Write(os.Stdout, &explain.Explanation{Messages: []explain.Message{*m}}, text.Options{Columns: 80})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// parameters: [7]
	//
	//   f0100 → storageminer f01005
	//   TerminateSectors (method 9), value 0 FIL
	//
	// Calls                                      gas with calls        its own   share
	//   storageminer f01005 · TerminateSectors            4,200          4,200   84.7%
	//   │ ✗ exit code 19, insufficient funds (actor)
	//   └─ f05 · Send (1.5 FIL)                               0              0    0.0%
	//        ✗ not run: insufficient funds
	//   inclusion and return on the chain                                  760   15.3%
	//
	// Gas by kind
	//   Wasm execution     ███████████████████████████████████           4,200   84.7%
	//   chain inclusion    ██████▎                                         760   15.3%
}

// A decoder knows what the data of some methods mean. Here: the amount that a market's withdrawal asks for.
func ExampleDecoders() {
	withdrawals := func(p explain.Payload) (any, bool) {
		if p.Actor != "storagemarket" || p.Name != "WithdrawBalance" || len(p.Data) < 5 {
			return nil, false
		}
		return map[string]any{"amount": big.PositiveFromUnsignedBytes(p.Data[5:])}, true
	}
	events := trace.Events{
		&trace.Call{From: 100, Method: 3, Value: big.Zero(), Params: &trace.Block{Codec: 0x51, Data: []byte{0x82, 0x42, 0x00, 0x07, 0x43, 0x00, 0x03, 0xe8}}},
		&trace.Invoke{ID: 5, Code: cid.MustParse("bafkqaaa")}, &trace.Return{},
	}
	m, err := explain.Trace(explain.Applied{Trace: events}, explain.Options{
		ActorName: func(cid.Cid) (string, bool) { return "storagemarket", true },
		Decoders:  explain.Decoders{Params: withdrawals},
	})
	if err != nil {
		log.Fatal(err)
	}
	value, err := json.Marshal(m.Calls.Calls[0].ParamsValue)
	fmt.Println(string(value), err)
	// Output: {"amount":"1000"} <nil>
}
