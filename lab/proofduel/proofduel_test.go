package proofduel

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/lab/proofvectors"
	"github.com/edgefvm/fvm/proofs"
)

// This program is its own judge: it says the same word to everything, "refused" to lines that are no requests.
const wordVariable = "PROOFDUEL_WORD"

func TestMain(m *testing.M) {
	word := os.Getenv(wordVariable)
	if word == "" {
		os.Exit(m.Run())
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var request struct {
			Kind  string
			Input json.RawMessage
			Runs  int
		}
		if json.Unmarshal(lines.Bytes(), &request) != nil || request.Kind == "" || request.Runs < 1 {
			word = "refused"
		}
		fmt.Printf("{\"verdict\":%q,\"error\":\"\",\"ns\":[1000000]}\n", word)
	}
	os.Exit(0)
}

func options(t *testing.T, word string) Options {
	t.Helper()
	t.Setenv(wordVariable, word)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join("..", "..", "proofs", "testdata")
	return Options{Program: self, Keys: filepath.Join(here, "keys-real"), Files: []string{filepath.Join(here, "seal.json")}, Count: 60, Seed: 5}
}

// Differences are found, and are the same for the same seed.
func TestRun(t *testing.T) {
	o := options(t, "valid")
	seen := 0
	o.Progress = func(Report) { seen++ }
	rep, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Inputs != o.Count || seen != o.Count || rep.Verdicts["valid"] != o.Count || len(rep.Differences) < o.Count/2 {
		t.Errorf("%d inputs, %v, %d differences from a judge that finds everything valid", rep.Inputs, rep.Verdicts, len(rep.Differences))
	}
	ours := map[string]int{}
	for _, d := range rep.Differences {
		ours[d.Ours]++
	}
	if ours["invalid"] == 0 || ours["error"] == 0 {
		t.Errorf("what was spoiled is %v: both of it should come up", ours)
	}
	again, err := Run(t.Context(), o)
	if err != nil || len(again.Differences) != len(rep.Differences) {
		t.Fatalf("%v", err)
	}
	for i := range again.Differences {
		if string(again.Differences[i].Input) != string(rep.Differences[i].Input) {
			t.Fatalf("difference %d is another one the second time", i)
		}
	}
	if _, err := Run(t.Context(), options(t, "refused")); err == nil || !strings.Contains(err.Error(), "refuses it") {
		t.Errorf("a judge that refuses: %v", err)
	}
}

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		ours, theirs string
		same         bool
	}{
		{"valid", "valid", true}, {"invalid", "invalid", true}, {"error", "error", true}, {"error", "panic", true},
		{"valid", "invalid", false}, {"invalid", "error", false}, {"error", "invalid", false}, {"invalid", "panic", false},
	} {
		if got := (&Reply{Verdict: c.theirs}).Same(c.ours); got != c.same {
			t.Errorf("%s here, %s there: %v", c.ours, c.theirs, got)
		}
	}
}

func TestBench(t *testing.T) {
	var all []Timing
	err := Bench(t.Context(), options(t, "valid"), []string{"seal/s-v11-0/good"}, 2, func(x Timing) { all = append(all, x) })
	if err != nil || len(all) != 1 || all[0].Ours <= 0 || all[0].Theirs.Milliseconds() != 1 || all[0].Ratio <= 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := Bench(t.Context(), options(t, "valid"), []string{"none"}, 1, nil); err == nil {
		t.Error("a vector that there is not")
	}
}

// Whatever is spoiled stays a question, and is answered without a panic.
func TestSpoiledInputsStayQuestions(t *testing.T) {
	here := filepath.Join("..", "..", "proofs", "testdata")
	v, err := proofs.Open(t.Context(), proofs.Options{Dir: filepath.Join(here, "keys"), TrustParams: true})
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, kind := range []string{"seal", "window", "winning", "update", "aggregate"} {
		files = append(files, filepath.Join(here, kind+".json"))
	}
	vectors, others, err := valid(Options{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	s := spoiler{r: rand.New(rand.NewPCG(1, 1))}
	verdicts := map[string]int{}
	for i := range 300 {
		from := vectors[i%len(vectors)]
		s.others = others[from.kind]
		input, err := s.spoil(from.input)
		if err != nil {
			t.Fatal(err)
		}
		q, err := proofvectors.NewQuestion(from.kind, input)
		if err != nil {
			t.Fatalf("%s: %v\n%s", from.name, err, input)
		}
		if verdict, err := q.Verdict(t.Context(), v); err == nil {
			verdicts[verdict]++
		}
	}
	if verdicts["valid"] == 0 || verdicts["invalid"] == 0 || verdicts["error"] == 0 {
		t.Errorf("%v", verdicts)
	}
}
