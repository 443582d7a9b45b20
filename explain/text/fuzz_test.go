package text_test

import (
	"encoding/json"
	"io"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/flame"
	"github.com/edgefvm/fvm/explain/pprof"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/trace"
)

// FuzzWrite prints and draws whatever trace makes a tree, here and in the packages beside this one: they may not panic.
func FuzzWrite(f *testing.F) {
	f.Add([]byte(`[["call",1,"f05",9,"3",10,true,81,"gQc="],["invoke",5,"bafkqaaa"],["call",5,"f06",0,"-3",null,null,null,null],["error",6,"no"],["gas","x",-9223372036854775808,-1],["gas","wasm_exec",9223372036854775807,0]]`), uint8(80))
	f.Fuzz(func(t *testing.T, data []byte, columns uint8) {
		var events trace.Events
		if json.Unmarshal(data, &events) != nil {
			t.Skip()
		}
		m, err := explain.Trace(explain.Applied{Trace: events}, explain.Options{ActorName: func(c cid.Cid) (string, bool) { return c.String(), true }})
		if err != nil {
			t.Skip()
		}
		x := &explain.Explanation{Messages: []explain.Message{*m}}
		if err := text.Write(io.Discard, x, text.Options{Columns: int(columns)}); err != nil {
			t.Error(err)
		}
		if err := flame.Write(io.Discard, x, flame.Options{}); err != nil {
			t.Error(err)
		}
		if err := pprof.Write(io.Discard, x, pprof.Options{}); err != nil {
			t.Error(err)
		}
	})
}
