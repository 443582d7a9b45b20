package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// consistent checks what is true of every tree: no call and no gas of the trace is lost or counted twice.
func consistent(m *Message, events trace.Events) error {
	var calls int
	var milli int64
	for _, e := range events {
		switch e := e.(type) {
		case *trace.Call:
			calls++
		case *trace.GasCharge:
			milli += int64(e.Compute + e.Other)
		}
	}
	if n := m.Calls.Count(); n != calls {
		return fmt.Errorf("%d calls in the tree, %d in the trace", n, calls)
	}
	var kinds, charges int64
	for _, s := range m.ByKind {
		kinds += s.Milli
	}
	for _, s := range m.ByCharge {
		charges += s.Milli
	}
	if m.Calls.Total != milli || kinds != milli || charges != milli {
		return fmt.Errorf("the trace has %d milligas, the tree %d, the kinds %d, the charges %d", milli, m.Calls.Total, kinds, charges)
	}
	return nil
}

// edit changes events: each pair of bytes is what to do, and where.
func edit(events trace.Events, edits []byte) trace.Events {
	events = slices.Clone(events)
	for ; len(edits) > 1 && len(events) > 0; edits = edits[2:] {
		at := int(edits[1]) * len(events) / 256
		switch edits[0] % 8 {
		case 0:
			events = slices.Delete(events, at, at+1)
		case 1:
			events = slices.Insert(events, at, events[at])
		case 2:
			events[at], events[0] = events[0], events[at]
		case 3:
			events = events[:at]
		case 4:
			events[at] = &trace.Return{ExitCode: exitcode.ExitCode(edits[1])}
		case 5:
			events[at] = &trace.Call{To: addr.NewID(uint64(edits[1]))}
		case 6:
			events[at] = &trace.GasCharge{Name: "OnDeleteActor", Compute: -uint64(edits[1])}
		case 7:
			if len(events) < 1000 {
				events = append(events, events[at:]...)
			}
		}
	}
	return events
}

// FuzzTrace changes traces: of vectors event by event, and one as its JSON. Whatever a trace says, it is refused by name or
// makes a tree that has it all.
func FuzzTrace(f *testing.F) {
	var seeds []trace.Events
	for _, name := range []string{"nv16-createminer-017", "nv17-script-destroy-001", "nv28-evmcalls-027", "nv28-onboard-035"} {
		v, err := vector.Load(filepath.Join(goldens, name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		traces, err := v.Traces(0, "")
		if err != nil || len(traces) == 0 {
			f.Fatal("no trace", err)
		}
		f.Add(uint8(len(seeds)), "", []byte{0, 10, 1, 100, 3, 200})
		seeds = append(seeds, traces[0])
	}
	f.Add(uint8(0), `[]`, []byte{})
	f.Add(uint8(0), `[["gas","OnChainMessage",1,2],["call",1,"f05",9,"3",10,true,81,"gQc="],["invoke",5,"bafkqaaa"],["call",5,"f06",0,"-3",null,null,null,null],["error",6,"no"],["gas","wasm_exec",-5,0],["return",16,81,"gA=="]]`, []byte{7, 0})
	f.Fuzz(func(t *testing.T, seed uint8, text string, edits []byte) {
		events := seeds[int(seed)%len(seeds)]
		if text != "" {
			events = nil
			if json.Unmarshal([]byte(text), &events) != nil {
				t.Skip()
			}
		}
		events = edit(events, edits)
		m, err := Trace(Applied{Trace: events}, Options{ActorName: names, Decoders: CBOR()})
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooDeep) {
				t.Errorf("an error without a name: %v", err)
			}
			return
		}
		if err := consistent(m, events); err != nil {
			t.Error(err)
		}
		out, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Message
		if err := json.Unmarshal(out, &back); err != nil {
			t.Errorf("its JSON does not read back: %v", err)
		}
	})
}
