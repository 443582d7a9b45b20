package proving_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/lab/proofduel"
	"github.com/edgefvm/fvm/lab/proofvectors"
)

// duel is a command line of a duel with the test's own program as the judge.
func duel(t *testing.T, word string, more ...string) []string {
	t.Helper()
	t.Setenv(asJudge, word)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"proofs", "duel", "--judge", self, "--keys", real, "--seed", "5", seals}, more...)
}

// With --bench both judge one vector in turns. The judge says that it takes 2 ms.
func TestDuelBench(t *testing.T) {
	args := duel(t, "valid", "--bench", "seal/s-v11-0/good", "--rounds", "2")
	out := edgefvm.OK(t, args...)
	if !strings.HasPrefix(out, "seal/s-v11-0/good ") || !strings.Contains(out, " ms, crates    2.00 ms, ratio ") {
		t.Errorf("%s", out)
	}
	all := clitest.FromJSON[[]proofduel.Timing](t, edgefvm.OK(t, append(args, "--json")...))
	if len(all) != 1 || all[0].Theirs.Milliseconds() != 2 || all[0].Ours <= 0 || all[0].Name != "seal/s-v11-0/good" {
		t.Errorf("%+v", all)
	}
	edgefvm.Fails(t, kit.ExitFailed, duel(t, "valid", "--bench", "none"), "none")
}

// Each vector is judged as the published crates judged it, one by one, with what stands behind the verdict.
func TestVerifyAsTheCrates(t *testing.T) {
	for _, kind := range []string{"seal", "winning", "window", "update"} {
		path := filepath.Join(testdata, kind+".json")
		var file struct {
			Keys    string
			Vectors []struct{ Name, Verdict string }
		}
		if err := json.Unmarshal(clitest.ReadFrom(t, path), &file); err != nil {
			t.Fatal(err)
		}
		keys := filepath.Join(testdata, file.Keys)
		r := edgefvm.Run(t, "proofs", "verify", "--trust-params", "--keys", keys, "--json", path)
		if r.Code != kit.ExitFailed { // some are not valid
			t.Fatalf("%s: exit code %d: %s", kind, r.Code, r.Err)
		}
		answers := clitest.FromJSON[[]proofvectors.Answer](t, r.Out)
		if len(answers) != len(file.Vectors) {
			t.Fatalf("%s: %d answers to %d questions", kind, len(answers), len(file.Vectors))
		}
		counts := map[string]int{}
		for i, a := range answers {
			w := file.Vectors[i]
			counts[a.Verdict]++
			if a.Name != w.Name || a.Verdict != w.Verdict || a.Kind != kind || (a.Error != "") != (a.Verdict == "error") {
				t.Errorf("%+v, want %+v", a, w)
			}
		}
		if counts["valid"] == 0 || counts["invalid"] == 0 || counts["error"] == 0 {
			t.Errorf("%s: %v", kind, counts)
		}
		text := edgefvm.Run(t, "proofs", "verify", "--trust-params", "--keys", keys, path).Out
		clitest.Plain(t, text)
		for _, w := range file.Vectors {
			if !strings.Contains(text, fmt.Sprintf("%-8s %s %s\n", w.Verdict, kind, w.Name)) {
				t.Errorf("the text lacks %s of %s", w.Verdict, w.Name)
			}
		}
		// One of them alone, by its name.
		one := file.Vectors[0]
		alone := edgefvm.Run(t, "proofs", "verify", "--trust-params", "--keys", keys, path, "--name", one.Name)
		if !strings.HasPrefix(alone.Out, fmt.Sprintf("%-8s %s %s\n", one.Verdict, kind, one.Name)) || (alone.Code == kit.ExitOK) != (one.Verdict == "valid") {
			t.Errorf("%s alone: %+v", one.Name, alone)
		}
	}
}

// What is wrong with flags and files is one line that says what.
func TestProofsMistakes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string { return clitest.WriteTo(t, filepath.Join(dir, name), []byte(text)) }
	digest := strings.Repeat("00", 32)
	seal := func(more ...string) []string {
		return append([]string{"proofs", "verify", "--trust-params", "--keys", real, "--seal", "--type", "5", "--miner", "1", "--sector", "1", "--ticket", digest,
			"--sealed", "bagboea4b5abcaaabaibqibiga4eascqlbqgq4dyqcejbgfavcylrqgi2dmob2hq7", "--unsealed", "baga6ea4seaqaaaicamcakbqhbaequcymbuha6earcijrifiwc4mbsgq3dqor4hy", "--proof", "00"}, more...)
	}
	for name, c := range map[string]struct {
		code int
		args []string
		want string
	}{
		"a ticket that is no hex":     {kit.ExitUsage, seal("--ticket", "zz"), "--ticket"},
		"a seed that is no hex":       {kit.ExitUsage, seal("--seed", "0"), "--seed"},
		"a sealed CID cut":            {kit.ExitUsage, seal("--sealed", "bagboea4b5abc"), "--sealed"},
		"an unsealed CID cut":         {kit.ExitUsage, seal("--unsealed", "baga6ea4"), "--unsealed"},
		"a proof that is not there":   {kit.ExitUsage, seal("--proof", "@"+filepath.Join(dir, "none")), "none"},
		"a type that is none":         {kit.ExitUsage, seal("--type", "many"), "--type"},
		"a miner below nothing":       {kit.ExitUsage, seal("--miner", "-1"), "--miner"},
		"no such file":                {kit.ExitFailed, []string{"proofs", "verify", "--keys", real, filepath.Join(dir, "none.json")}, "none.json"},
		"no JSON":                     {kit.ExitFailed, []string{"proofs", "verify", "--trust-params", "--keys", real, file("a.json", "{")}, "a.json"},
		"JSON of something else":      {kit.ExitFailed, []string{"proofs", "verify", "--trust-params", "--keys", real, file("b.json", `{"a":1}`)}, "b.json"},
		"a kind that is none":         {kit.ExitFailed, []string{"proofs", "verify", "--trust-params", "--keys", real, file("c.json", `{"kind":"sael","input":{}}`)}, "c.json"},
		"a file for the keys":         {kit.ExitFailed, []string{"proofs", "verify", "--trust-params", "--keys", seals, seals}, "seal.json"},
		"two files":                   {kit.ExitUsage, []string{"proofs", "verify", seals, seals}, "takes FILE.json, not 2 arguments"},
		"keys with an argument":       {kit.ExitUsage, []string{"proofs", "keys", real}, "takes no arguments"},
		"a command of another spell":  {kit.ExitUsage, []string{"proofs", "verfy"}, "did you mean verify?"},
		"vectors without any vectors": {kit.ExitUsage, []string{"proofs", "vectors", t.TempDir()}, ""},
	} {
		t.Run(name, func(t *testing.T) { edgefvm.Fails(t, c.code, c.args, c.want) })
	}
	// A seal of no sector is judged, and no proof of 1 byte is valid.
	if r := edgefvm.Run(t, seal()...); r.Code != kit.ExitFailed || strings.HasPrefix(r.Out, "valid") || r.Out == "" {
		t.Errorf("%+v", r)
	}
}

// Interrupted, it says so and how far it came.
func TestProofsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"proofs", "vectors", seals}, {"proofs", "verify", "--trust-params", "--keys", real, seals}, duel(t, "agrees", "--count", "5"),
	} {
		r := edgefvm.RunWith(ctx, args...)
		if r.Code != kit.ExitInterrupted || strings.Contains(r.Out, "23 passed") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
