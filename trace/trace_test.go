package trace

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// The files hold traces of the reference implementation: v2.json of network
// versions 16 and 17, v3.json of 18 to 20, v4.json of 21 and later. Between them they have every kind
// of event but logs, every name of a charge, and every form of address.
func readTraces(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, data); err != nil {
		t.Fatal(err)
	}
	return flat.Bytes()
}

func TestJSONRoundTrip(t *testing.T) {
	for _, name := range []string{"v2.json", "v3.json", "v4.json"} {
		t.Run(name, func(t *testing.T) {
			want := readTraces(t, name)
			var traces []Events
			if err := json.Unmarshal(want, &traces); err != nil {
				t.Fatal(err)
			}
			if len(traces) < 40 {
				t.Fatalf("only %d traces", len(traces))
			}
			// Not json.Marshal, which would escape what it compacts.
			var parts [][]byte
			for _, es := range traces {
				one, err := es.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, one)
			}
			got := append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
			if !bytes.Equal(got, want) {
				t.Errorf("the traces did not survive: got %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

func events(t testing.TB, text string) Events {
	t.Helper()
	var es Events
	if err := json.Unmarshal([]byte(text), &es); err != nil {
		t.Fatal(err)
	}
	return es
}

const everyKind = `[["gas","OnChainMessage",38863000,-1],` +
	`["call",100,"f410f6mhdpljztkz44mkuj4qb6b5st5pxzjiuabze3va",3844450837,"12",5918479,true,81,"RDcTA8A="],` +
	`["invoke",119,"bafk2bzacecmnyfiwb52tkbwmm2dsd7ysi3nvuxl3lmspy7pl26wxj4zj7w4wi"],["log","a\n\"b\" <é> \u0001"],` +
	`["ipld","get","bafy2bzacedhkszqxvvtxuqy4ddbgrowj4abvelcpoqv4kcp3s3kiv4mgb5jwa",123],` +
	`["call",119,"f018446744073709551615",0,"0",9,false,null,null],["error",6,"no such actor"],["return",33,81,"gA=="],` +
	`["call",100,"f05",2,"1",null,null,null,"gA=="],["return",0,null,"gA=="]]` // network versions 16 and 17

func TestJSONEveryKind(t *testing.T) {
	es := events(t, everyKind)
	got, err := es.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != everyKind {
		t.Errorf("got %s\nwant %s", got, everyKind)
	}
	if c := es[0].(*GasCharge); c.Other != 1<<64-1 {
		t.Errorf("-1 is %d milligas", c.Other)
	}
}

// Invocations that the network's traces of before nv18 do not have are for tools alone.
func TestExtraInvocations(t *testing.T) {
	es := Events{&Invoke{Extra: true}, &Log{Text: "a"}, &Invoke{ID: 7, Extra: true}, &Log{Text: "b"}}
	got, err := es.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `[["log","a"],["log","b"]]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if d := Diff(events(t, want), es); d != "" {
		t.Error(d)
	}
	if d := Diff(events(t, `[["log","a"]]`), es); !strings.Contains(d, "event 1: got log") {
		t.Errorf("%q", d)
	}
}

func TestJSONZeroEvents(t *testing.T) {
	got, err := Events{&Call{To: addr.NewID(1)}, &Return{Data: &Block{Codec: 85}}}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `[["call",0,"f01",0,"0",0,false,null,null],["return",0,85,""]]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{}`, "list of lists"},
		{`[[]]`, "is missing"},
		{`[[1]]`, "no string"},
		{`[["charge"]]`, "no kind of event"},
		{`[["gas","x",1]]`, "is missing"},
		{`[["gas","x",1,2,3]]`, "5 items, want 4"},
		{`[["gas","x",1.5,2]]`, "invalid syntax"},
		{`[["gas",null,1,2]]`, "no string"},
		{`[["call",1,"f9abc",0,"0",1,false,null,null]]`, "protocol"},
		{`[["call",1,"f410fabc",0,"0",1,false,null,null]]`, "no address"},
		{`[["call",1,"f410f6mhdpljztkz44mkuj4qb6b5st5pxzjiuabze3vb",0,"0",1,false,null,null]]`, "checksum"},
		{`[["call",1,"f01",0,"x",1,false,null,null]]`, "parse"},
		{`[["return",0,81,null]]`, "no string"},
		{`[["return",0,null,1]]`, "no string"},
		{`[["call",1,"f01",0,"0",null,false,null,null]]`, "invalid syntax"},
		{`[["call",1,"f01",0,"0",1,null,null,null]]`, "invalid syntax"},
		{`[["call",1,"f01",0,"0",null]]`, "invalid syntax"},
		{`[["return",0,81,"*"]]`, "illegal base64"},
		{`[["ipld","take","bafy2bzacedhkszqxvvtxuqy4ddbgrowj4abvelcpoqv4kcp3s3kiv4mgb5jwa",1]]`, "neither"},
		{`[["invoke",1,"x"]]`, "cid"},
	} {
		var es Events
		err := json.Unmarshal([]byte(c.text), &es)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.text, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everyKind))
	f.Add([]byte(`[["gas","x",1,2],["return",0,null,null]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var es Events
		if json.Unmarshal(data, &es) != nil {
			return
		}
		again, err := es.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var back Events
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("%s does not parse: %v", again, err)
		}
		if d := Diff(es, back); d != "" {
			t.Errorf("%s: %s", data, d)
		}
	})
}

func TestRecorder(t *testing.T) {
	var r Recorder
	if got := r.Take(); got == nil || len(got) != 0 {
		t.Errorf("nothing recorded is %#v", got)
	}
	h, want := r.Hooks(), events(t, everyKind)
	play := func() {
		for _, e := range want {
			switch e := e.(type) {
			case *GasCharge:
				h.OnGasCharge(*e)
			case *Call:
				h.OnCall(e)
			case *Invoke:
				h.OnInvoke(e)
			case *Return:
				h.OnReturn(e)
			case *Error:
				h.OnError(e)
			case *Log:
				h.OnLog(e)
			case *IPLD:
				h.OnIPLD(e)
			}
		}
	}
	for range 2 { // the second message does not see the first
		play()
		if d := Diff(want, r.Take()); d != "" {
			t.Error(d)
		}
	}
}

func TestDiff(t *testing.T) {
	change := func(i int, to Event) Events {
		es := events(t, everyKind)
		es[i] = to
		return es
	}
	base := events(t, everyKind)
	call, ret := *base[1].(*Call), *base[7].(*Return)
	call.Value, call.Params = abi.NewTokenAmount(13), nil
	ret.Data = &Block{Codec: 85, Data: []byte{0x81}}
	for _, c := range []struct {
		name, want string
		got        Events
	}{
		{"same", "", events(t, everyKind)},
		{"error text", "", change(6, &Error{Errno: 6, Text: "in other words"})},
		{"error number", "error: number is 5 (no such actor), want 6 (no such actor)", change(6, &Error{Errno: 5, Text: "no such actor"})},
		{"gas", "event 0: gas charge OnChainMessage: compute milligas is 1, want 38863000", change(0, &GasCharge{Name: "OnChainMessage", Compute: 1, Other: 1<<64 - 1})},
		{"name", `name is "x", want "OnChainMessage"`, change(0, &GasCharge{Name: "x", Compute: 38863000, Other: 1<<64 - 1})},
		{"call", `value is 13, want 12; parameters is none, want "44371303c0"`, change(1, &call)},
		{"invoke", "actor is 1, want 119; code is b, want bafk", change(2, &Invoke{ID: 1, Code: cid.Undef})},
		{"log", `text is "x", want "a\n`, change(3, &Log{Text: "x"})},
		{"ipld", "direction is put, want get", change(4, &IPLD{Put: true})},
		{"return", `codec of the data is 85, want 81; data is "81", want "80"`, change(7, &ret)},
		{"where", "event 6 (in f410f6mhdpljztkz44mkuj4qb6b5st5pxzjiuabze3va method 3844450837 > f018446744073709551615 method 0): got return with exit code 0, want error 6", change(6, &Return{})},
		{"short", "event 7 (in f410f6mhdpljztkz44mkuj4qb6b5st5pxzjiuabze3va method 3844450837): the trace ends, want return with exit code 33 (and 2 more)", base[:7]},
		{"long", "event 10: got log \"x\" (and 1 more), want the trace to end", append(events(t, everyKind), &Log{Text: "x"}, &Log{})},
	} {
		got := Diff(base, c.got)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDiffDeep(t *testing.T) {
	var es Events
	for i := range 10 {
		es = append(es, &Call{To: addr.NewID(uint64(i)), Method: 2})
	}
	got := Diff(append(es, &Log{}), append(es[:10:10], &Return{}))
	if !strings.HasPrefix(got, "event 10 (in 7 calls > f07 method 2 > f08 method 2 > f09 method 2): ") {
		t.Error(got)
	}
}
