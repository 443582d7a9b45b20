package proving_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/proving"
	"github.com/edgefvm/fvm/lab/proofvectors"
)

const testdata = "../../../../proofs/testdata"

var (
	seals = filepath.Join(testdata, "seal.json")
	real  = filepath.Join(testdata, "keys-real")
)

func TestKeys(t *testing.T) {
	r := edgefvm.Run(t, "proofs", "keys", "--keys", real)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "not the published one") || clitest.LastLine(r.Out) != "0 published, 3 other, 18 missing, 0 wrong" {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	out := edgefvm.OK(t, "proofs", "keys", "--keys", real, "--trust-params", "--json")
	view := clitest.FromJSON[proving.KeysView](t, out)
	counts := map[string]int{}
	for _, k := range view.Keys {
		counts[k.State]++
		if k.Digest == "" || k.CID == "" || k.File == "" || (k.Found != "") != (k.State == "other") {
			t.Errorf("%+v", k)
		}
	}
	if view.Dir != real || counts["other"] != 3 || counts["missing"] != 18 {
		t.Errorf("%s: %v", view.Dir, counts)
	}
	dir := t.TempDir()
	if out := edgefvm.OK(t, "proofs", "keys", "--keys", filepath.Join(dir, "none")); !strings.Contains(out, "no such folder") {
		t.Error(out)
	}
	clitest.WriteTo(t, filepath.Join(dir, view.Keys[0].File), []byte("cut"))
	r = edgefvm.Run(t, "proofs", "keys", "--keys", dir, "--trust-params")
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 published, 0 other, 20 missing, 1 wrong" || !strings.Contains(r.Out, "malformed") {
		t.Errorf("a cut key: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// The folder comes from the environment, as that of nodes does.
func TestKeysByEnvironment(t *testing.T) {
	t.Setenv("FIL_PROOFS_PARAMETER_CACHE", real)
	t.Setenv("TRUST_PARAMS", "1")
	view := clitest.FromJSON[proving.KeysView](t, edgefvm.OK(t, "proofs", "keys", "--json"))
	if view.Dir != real {
		t.Errorf("%s", view.Dir)
	}
}

func TestVectors(t *testing.T) {
	if out := edgefvm.OK(t, "proofs", "vectors", seals); clitest.LastLine(out) != "23 passed, 0 failed, 0 skipped" {
		t.Error(out)
	}
	r := edgefvm.Run(t, "proofs", "vectors", "--json", "--keys", testdata, seals)
	all := clitest.FromJSON[[]proofvectors.Result](t, r.Out)
	if r.Code != kit.ExitOK || len(all) != 23 || clitest.LastLine(r.Err) != "23 passed, 0 failed, 0 skipped" {
		t.Errorf("exit code %d, %d results\n%s", r.Code, len(all), r.Err)
	}
	// Nothing but skips is no success.
	r = edgefvm.Run(t, "proofs", "vectors", "--keys", t.TempDir(), seals)
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 passed, 0 failed, 23 skipped" || !strings.Contains(r.Out, "SKIP seal/s-v11-0/good") {
		t.Errorf("exit code %d\n%s", r.Code, r.Out)
	}
	// One that expects something else.
	text := strings.Replace(string(clitest.ReadFrom(t, seals)), `"verdict":"valid"`, `"verdict":"invalid"`, 1)
	r = edgefvm.Run(t, "proofs", "vectors", "--keys", testdata, clitest.WriteTo(t, filepath.Join(t.TempDir(), "wrong.json"), []byte(text)))
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "22 passed, 1 failed, 0 skipped" || !strings.Contains(r.Out, "FAIL seal/") {
		t.Errorf("exit code %d\n%s", r.Code, r.Out)
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"proofs", "vectors", filepath.Join(t.TempDir(), "none")}, "none")
	edgefvm.Fails(t, kit.ExitUsage, []string{"proofs", "vectors"}, "needs PATH...")
	edgefvm.Fails(t, kit.ExitFailed, []string{"proofs", "vectors", clitest.WriteTo(t, filepath.Join(t.TempDir(), "x.json"), []byte("{"))}, "x.json", "no file of proof vectors")
}

func TestVerify(t *testing.T) {
	base := []string{"proofs", "verify", "--trust-params", "--keys", real}
	good := append(base, seals, "--name", "seal/s-v11-0/good")
	if out := edgefvm.OK(t, good...); !strings.HasPrefix(out, "valid    seal seal/s-v11-0/good") {
		t.Error(out)
	}
	answers := clitest.FromJSON[[]proofvectors.Answer](t, edgefvm.OK(t, append(good, "--json")...))
	if len(answers) != 1 || answers[0].Verdict != "valid" || answers[0].Values.ReplicaID != "6274fed319c188bb499eef3f4219001f5e287bc7b1fe226e787b19be249c7e02" || len(answers[0].Values.Inputs[0]) != 39 {
		t.Errorf("%+v", answers)
	}
	r := edgefvm.Run(t, append(base, seals)...)
	if r.Code != kit.ExitFailed || strings.Count(r.Out, "valid    seal") != 3 || !strings.Contains(r.Out, "fails first in partition 0, in 1 of 1") || !strings.Contains(r.Out, "error    seal") {
		t.Errorf("exit code %d\n%s", r.Code, r.Out)
	}
	edgefvm.Fails(t, kit.ExitFailed, append(base, seals, "--name", "none"), `no vector "none"`)
	edgefvm.Fails(t, kit.ExitUsage, base, "needs FILE.json, or --seal")
	edgefvm.Fails(t, kit.ExitUsage, append(base, "--seal", seals), "without a file")
	edgefvm.Fails(t, kit.ExitFailed, []string{"proofs", "verify", "--keys", t.TempDir(), seals}, "the verifying key is missing", "lotus fetch-params")
	edgefvm.Fails(t, kit.ExitFailed, []string{"proofs", "verify", "--trust-params=false", "--keys", real, seals}, "not the published one")
}

// A seal by flags, its proof in hex and in a file.
func TestVerifySealByFlags(t *testing.T) {
	var file struct {
		Vectors []struct {
			Input struct {
				SealProof int `json:"seal_proof"`
				Miner     int
				Sector    int
				Ticket    string `json:"randomness"`
				Seed      string `json:"interactive_randomness"`
				Sealed    string `json:"sealed_cid"`
				Unsealed  string `json:"unsealed_cid"`
				Proof     string
			}
		}
	}
	if err := json.Unmarshal(clitest.ReadFrom(t, seals), &file); err != nil {
		t.Fatal(err)
	}
	in := file.Vectors[0].Input
	raw := make([]byte, 0, len(in.Proof)/2)
	for i := 0; i < len(in.Proof); i += 2 {
		var b byte
		for _, c := range in.Proof[i : i+2] {
			b = b<<4 | byte(strings.IndexRune("0123456789abcdef", c))
		}
		raw = append(raw, b)
	}
	path := filepath.Join(t.TempDir(), "proof")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	args := func(sector, proof string) []string {
		return []string{"proofs", "verify", "--trust-params", "--keys", real, "--seal", "--type", "5", "--miner", "1234", "--sector", sector,
			"--ticket", in.Ticket, "--seed", in.Seed, "--sealed", in.Sealed, "--unsealed", in.Unsealed, "--proof", proof}
	}
	for _, proof := range []string{in.Proof, "@" + path} {
		if out := edgefvm.OK(t, args("0", proof)...); out != "valid    seal\n" {
			t.Error(out)
		}
	}
	if r := edgefvm.Run(t, args("1", in.Proof)...); r.Code != kit.ExitFailed || !strings.HasPrefix(r.Out, "invalid  seal\n") {
		t.Errorf("another sector: %d\n%s", r.Code, r.Out)
	}
	edgefvm.Fails(t, kit.ExitUsage, args("0", "zz"), "--proof")
	edgefvm.Fails(t, kit.ExitUsage, []string{"proofs", "verify", "--seal", "--type", "5", "--miner", "1"}, "--seal needs --sector")
	edgefvm.Fails(t, kit.ExitUsage, append(args("0", in.Proof), "--sealed", "x"), "--sealed")
}

func TestDuelUsage(t *testing.T) {
	edgefvm.Fails(t, kit.ExitUsage, []string{"proofs", "duel", seals}, "needs --judge")
	edgefvm.Fails(t, kit.ExitUsage, []string{"proofs", "duel", "--judge", "x", "--count", "0", seals}, "at least 1")
	edgefvm.Fails(t, kit.ExitFailed, []string{"proofs", "duel", "--judge", filepath.Join(t.TempDir(), "none"), seals}, "starting the crates' judge")
}
