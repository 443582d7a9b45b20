package explain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/vector"
)

var update = flag.Bool("update", false, "write the JSON of vectors to testdata")

const goldens = "../lab/conformance/testdata"

// actors give code to all tests, and skips those that need some where there is none.
func actors(t testing.TB) *vector.Actors {
	t.Helper()
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	return sharedActors
}

var sharedActors = vector.NewActors(bundle.Options{})

func load(t testing.TB, name string) *vector.Vector {
	t.Helper()
	v, err := vector.Load(filepath.Join(goldens, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The JSON of these vectors stays as it is to the byte: a contract with events, a message that no block may hold, and an
// era without invocations in its traces. It reads back to the same.
func TestJSON(t *testing.T) {
	for _, name := range []string{"nv28-evmcalls-027", "nv28-sendedge-019", "nv16-createminer-017"} {
		t.Run(name, func(t *testing.T) {
			x, err := Vector(t.Context(), load(t, name), VectorOptions{Actors: actors(t)})
			if err != nil {
				t.Fatal(err)
			}
			got := indented(t, x)
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the JSON is not that of %s:\n%s", path, got)
			}
			var back Explanation
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if again := indented(t, &back); !bytes.Equal(again, want) {
				t.Errorf("it reads back otherwise:\n%s", again)
			}
		})
	}
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A vector that does not come to what it says is explained all the same.
func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		name   string
		vector string
		edit   func(file map[string]any)
		want   []string // what differs
	}{
		{"as it is", "nv28-send-001", func(map[string]any) {}, nil},
		{"another exit code", "nv28-send-001", func(f map[string]any) { receiptOf(f)["exit_code"] = 16 }, []string{"exit_code", "16"}},
		{"another root", "nv28-send-001", func(f map[string]any) {
			post(f)["state_tree"].(map[string]any)["root_cid"] = map[string]string{"/": "bafkqaaa"}
		}, []string{"state_root", "bafkqaaa"}},
		{"a receipt that does not come", "nv28-sendedge-019", func(f map[string]any) { delete(receiptOf(f), "error") }, []string{"receipt", "none"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := edited(t, tt.vector, tt.edit)
			x, err := Vector(t.Context(), v, VectorOptions{Actors: actors(t)})
			if err != nil {
				t.Fatal(err)
			}
			if x.Matches != (tt.want == nil) || len(x.Differs) != min(1, len(tt.want)) || !x.Traced || len(x.Messages) == 0 {
				t.Errorf("matches %v, differs %v, traced %v", x.Matches, x.Differs, x.Traced)
			}
			for _, w := range tt.want {
				if !strings.Contains(strings.Join(x.Differs, "\n"), w) {
					t.Errorf("%v does not say %q", x.Differs, w)
				}
			}
		})
	}
}

func post(f map[string]any) map[string]any { return f["postconditions"].(map[string]any) }

func receiptOf(f map[string]any) map[string]any {
	return post(f)["receipts"].([]any)[0].(map[string]any)
}

// edited is a golden vector with changes, and its trace beside it.
func edited(t *testing.T, name string, edit func(map[string]any)) *vector.Vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldens, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	edit(f)
	if data, err = json.Marshal(f); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	traceFile := name + ".trace.gz"
	events, err := os.ReadFile(filepath.Join(goldens, traceFile))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".json")
	if err := errors.Join(os.WriteFile(path, data, 0o644), os.WriteFile(filepath.Join(dir, traceFile), events, 0o644)); err != nil {
		t.Fatal(err)
	}
	v, err := vector.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Decoders, the judge and the engine are the caller's; each message stands where the vector has it.
func TestVectorOptions(t *testing.T) {
	engine, err := fvm.NewEngine(fvm.EngineConfig{NoCache: true, Name: "wazero-interpreter"})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	v := load(t, "nv28-evmcalls-027")
	verdict := Verdict{Differs: []string{"a rule of ours"}}
	x, err := Vector(t.Context(), v, VectorOptions{Actors: actors(t), Engine: engine, Decoders: CBOR(), Judge: func(_ context.Context, of *vector.Vector, variant int) Verdict {
		if of != v || variant != 0 {
			t.Errorf("judged %v, variant %d", of, variant)
		}
		return verdict
	}})
	if err != nil {
		t.Fatal(err)
	}
	if x.Engine != "wazero-interpreter" || !reflect.DeepEqual(*x.Verdict, verdict) {
		t.Errorf("engine %q, verdict %+v", x.Engine, x.Verdict)
	}
	if c := x.Messages[0].Calls.Calls[0]; c.ReturnValue != "0x"+x.Messages[0].Return[4:] {
		t.Errorf("the return value is %v, the bytes are %s", c.ReturnValue, x.Messages[0].Return)
	}
	if _, err := Vector(t.Context(), v, VectorOptions{Variant: 1, Actors: actors(t)}); err == nil {
		t.Error("there is no variant 1")
	}
	if x, err = Vector(t.Context(), load(t, "nv28-script-exit-003"), VectorOptions{Actors: actors(t)}); err != nil || len(x.Messages) != 14 || !x.Matches {
		t.Errorf("%v; %d messages, want 14", err, len(x.Messages))
	}
}

// The traces in the repository are none of them malformed, and the calls' gas is all that was charged.
func TestGoldenTraces(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldens, "nv*.json"))
	if err != nil {
		t.Fatal(err)
	}
	step, messages, deepest := 1, 0, 0
	if testing.Short() {
		step = 20
	}
	for i := 0; i < len(files); i += step {
		v, err := vector.Load(files[i])
		if err != nil {
			t.Fatal(err)
		}
		traces, err := v.Traces(0, "")
		if err != nil {
			t.Fatal(err)
		}
		for j, events := range traces {
			m, err := Trace(Applied{Trace: events}, Options{})
			if err != nil {
				t.Errorf("%s, message %d: %v", v.Name, j+1, err)
				continue
			}
			if err := consistent(m, events); err != nil {
				t.Errorf("%s, message %d: %v", v.Name, j+1, err)
			}
			messages++
			deepest = max(deepest, depth(m.Calls))
		}
	}
	if messages < len(files)/step || step == 1 && (messages < 4900 || deepest != 1025) {
		t.Errorf("%d messages with traces, the deepest of %d calls", messages, deepest)
	}
}

func depth(c *Call) int {
	deepest := 0
	for _, below := range c.Calls {
		deepest = max(deepest, 1+depth(below))
	}
	return deepest
}
