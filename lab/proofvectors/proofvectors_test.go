package proofvectors

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/proofs"
)

// Vectors that are part of this repository, and those beside it.
var (
	here   = filepath.Join("..", "..", "proofs", "testdata")
	graphs = filepath.Join("..", "..", "internal", "proofs", "porep", "testdata")
	shared = filepath.Join("..", "..", "..", "shared", "proofs", "vectors")
)

func runAll(t *testing.T, o Options, paths ...string) Count {
	t.Helper()
	files, err := Find(paths)
	if err != nil {
		t.Fatal(err)
	}
	o.Each = func(r Result) {
		if r.State == Failed {
			t.Errorf("%s: %.400s", r.Name, r.Detail)
		}
	}
	count, err := Run(t.Context(), files, o)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestVectorsHere(t *testing.T) {
	if c := runAll(t, Options{}, here, graphs); c.Failed > 0 || c.Skipped > 0 || c.Passed < 150 {
		t.Error(c)
	}
}

func TestSharedVectors(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the shared vectors are not there: ", err)
	}
	if testing.Short() {
		t.Skip("half a minute")
	}
	if c := runAll(t, Options{}, shared); c.Failed > 0 || c.Skipped > 0 || c.Passed < 1256 {
		t.Error(c)
	}
}

// A vector whose key is not there is skipped; that of statements without proofs need none.
func TestVectorsWithoutKeys(t *testing.T) {
	seals := filepath.Join(here, "seal.json")
	if c := runAll(t, Options{Keys: t.TempDir()}, seals, graphs); c.Skipped != 23 || c.Failed > 0 || c.Passed == 0 {
		t.Error(c)
	}
	if c := runAll(t, Options{Keys: filepath.Join(here, "none")}, seals); c.Skipped != 23 {
		t.Error(c)
	}
	if c := runAll(t, Options{Keys: here}, seals); c.Passed != 23 { // the folder of folders
		t.Error(c)
	}
	if c := runAll(t, Options{Keys: filepath.Join(here, "keys-real")}, seals); c.Passed != 23 { // the folder itself
		t.Error(c)
	}
}

// rewrite changes the first vector of a file and gives its path.
func rewrite(t *testing.T, path string, change func(v map[string]any)) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]any
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	first := f["vectors"].([]any)[0].(map[string]any)
	change(first)
	f["vectors"] = []any{first}
	if b, err = json.Marshal(f); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "changed.json")
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// A vector that expects something else fails, and says what differs.
func TestVectorsThatFail(t *testing.T) {
	seals := filepath.Join(here, "seal.json")
	for _, c := range []struct {
		name, path string
		change     func(v map[string]any)
		want       string
	}{
		{"another verdict", seals, func(v map[string]any) { v["verdict"] = "error" }, "it is valid, want error"},
		{"another replica id", seals, func(v map[string]any) { v["debug"].(map[string]any)["replica_id"] = "00" }, "replica id"},
		{"another porep id", seals, func(v map[string]any) { v["debug"].(map[string]any)["porep_id"] = "00" }, "porep id"},
		{"another digest of inputs", seals, func(v map[string]any) { v["debug"].(map[string]any)["inputs_sha256"] = "00" }, "digest of all public inputs"},
		{"another input", seals, func(v map[string]any) {
			v["debug"].(map[string]any)["inputs"].([]any)[0].([]any)[4] = "0x7"
		}, "partition 0: public input 4 is"},
		{"more partitions", seals, func(v map[string]any) { v["debug"].(map[string]any)["partitions"] = 2 }, "partitions"},
		{"a proof that is not in the file", seals, func(v map[string]any) { v["input"].(map[string]any)["proof"] = "@none" }, "is not in the file"},
		{"no hex", seals, func(v map[string]any) { v["input"].(map[string]any)["randomness"] = "zz" }, "its input"},
		{"other parents", filepath.Join(graphs, "graph.json"), func(v map[string]any) {
			v["parents"].([]any)[3].([]any)[1].([]any)[13] = 1.0
		}, "node 3 has the parents"},
		{"other inputs", filepath.Join(graphs, "inputs.json"), func(v map[string]any) { v["expect"].(map[string]any)["comm_r"] = "00" }, "comm_r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var detail string
			count, err := Run(t.Context(), []string{rewrite(t, c.path, c.change)}, Options{Keys: here, Each: func(r Result) { detail = r.Detail }})
			if err != nil || count.Failed != 1 || !strings.Contains(detail, c.want) {
				t.Errorf("%v, %v, %q, want %q", count, err, detail, c.want)
			}
		})
	}
}

func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty.json": "", "list.json": "[]", "format.json": `{"format":2,"kind":"seal","vectors":[]}`, "kind.json": `{"format":1,"vectors":[]}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), []string{path}, Options{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Find([]string{filepath.Join(dir, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Find([]string{t.TempDir()}); err == nil {
		t.Error("a folder of nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, []string{filepath.Join(here, "seal.json")}, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// One proof in hand, in each of the forms, is judged as in its file.
func TestQuestions(t *testing.T) {
	for _, kind := range []string{"seal", "window", "winning", "update", "aggregate"} {
		path := filepath.Join(here, kind+".json")
		f, err := ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := proofs.Open(t.Context(), proofs.Options{Dir: filepath.Join(here, f.Keys), TrustParams: true})
		if err != nil {
			t.Fatal(err)
		}
		all, err := Questions(path)
		if err != nil || len(all) != len(f.Vectors) {
			t.Fatalf("%s: %d questions, %v", kind, len(all), err)
		}
		for i := range all {
			if i > 8 {
				break
			}
			want := f.Vectors[i].Verdict
			a, err := all[i].Ask(t.Context(), v)
			if err != nil || a.Verdict != want || (a.Error != "") != (want == "error") {
				t.Errorf("%s: %+v, %v, want %s", all[i].Name, a, err, want)
			}
			input, err := f.Spelled(&f.Vectors[i])
			if err != nil {
				t.Fatal(err)
			}
			for form, text := range map[string]any{
				"with its kind": map[string]any{"kind": kind, "input": input}, "the input alone": input,
			} {
				if form == "the input alone" && (want == "error" || kind == "winning") {
					continue // its kind cannot always be told
				}
				b, err := json.Marshal(text)
				if err != nil {
					t.Fatal(err)
				}
				one := filepath.Join(t.TempDir(), "one.json")
				if err := os.WriteFile(one, b, 0o600); err != nil {
					t.Fatal(err)
				}
				q, err := Questions(one)
				if err != nil || len(q) != 1 {
					t.Fatalf("%s, %s: %v", all[i].Name, form, err)
				}
				if got, err := q[0].Verdict(t.Context(), v); err != nil || got != want {
					t.Errorf("%s, %s: %s, %v, want %s", all[i].Name, form, got, err, want)
				}
			}
		}
	}
}
