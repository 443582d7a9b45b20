package vector

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
)

// realSeals are seals with the verdicts of the network's library.
func realSeals(t *testing.T) (infos []proof.SealVerifyInfo, verdicts []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "proofs", "testdata", "seal.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Vectors []struct {
			Verdict string
			Input   struct {
				Type     abi.RegisteredSealProof `json:"seal_proof"`
				Miner    abi.ActorID
				Sector   abi.SectorNumber
				Ticket   string `json:"randomness"`
				Seed     string `json:"interactive_randomness"`
				Sealed   string `json:"sealed_cid"`
				Unsealed string `json:"unsealed_cid"`
				Proof    string
			}
		}
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	for _, v := range f.Vectors {
		in := v.Input
		info := proof.SealVerifyInfo{SealProof: in.Type, SectorID: abi.SectorID{Miner: in.Miner, Number: in.Sector}}
		for to, text := range map[*[]byte]string{
			(*[]byte)(&info.Randomness): in.Ticket, (*[]byte)(&info.InteractiveRandomness): in.Seed, &info.Proof: in.Proof,
		} {
			if *to, err = hex.DecodeString(text); err != nil {
				t.Fatal(err)
			}
		}
		if info.SealedCID, err = cid.Decode(in.Sealed); err != nil {
			t.Fatal(err)
		}
		if info.UnsealedCID, err = cid.Decode(in.Unsealed); err != nil {
			t.Fatal(err)
		}
		infos, verdicts = append(infos, info), append(verdicts, v.Verdict)
	}
	return infos, verdicts
}

// A vector may carry real proofs, with the folder of their keys.
func TestJudgedProofs(t *testing.T) {
	keys, err := filepath.Abs(filepath.Join("..", "proofs", "testdata", "keys-real"))
	if err != nil {
		t.Fatal(err)
	}
	infos, verdicts := realSeals(t)
	listed, err := ProofKey(infos[0])
	if err != nil {
		t.Fatal(err)
	}
	config := func(keys string, answers ...any) (externs.ProofVerifier, error) {
		t.Helper()
		v, err := Load(edit(t, func(f map[string]any) {
			p := f["preconditions"].(map[string]any)
			p["proofs"], p["proof_keys"] = "judged", keys
			f["proof_answers"] = answers
		}))
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := v.Config(0)
		return cfg.Proofs, err
	}
	v, err := config(keys)
	if err != nil {
		t.Fatal(err)
	}
	if j, ok := v.(externs.Judge); !ok || !j.JudgesProofs() {
		t.Error("the machine does not hear that proofs are judged")
	}
	for i, info := range infos {
		ok, err := v.VerifySeal(t.Context(), info)
		got := map[bool]string{true: "valid", false: "invalid"}[ok]
		if err != nil {
			got = "error"
		}
		if got != verdicts[i] || externs.IsNodeFailure(err) {
			t.Errorf("seal %d: %s (%v), want %s", i, got, err, verdicts[i])
		}
	}
	// What is listed comes first.
	if v, err = config(keys, map[string]any{"key": listed, "valid": false}); err != nil {
		t.Fatal(err)
	}
	if ok, err := v.VerifySeal(t.Context(), infos[0]); ok || err != nil {
		t.Errorf("listed as invalid: %v, %v", ok, err)
	}
	// Keys that are not there are a failure of the node; a folder that is not named is a mistake of the file.
	if v, err = config("none"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.VerifySeal(t.Context(), infos[0]); !externs.IsNodeFailure(err) {
		t.Errorf("without keys: %v", err)
	}
	if _, err := config(""); err == nil || !strings.Contains(err.Error(), "proof_keys") {
		t.Errorf("no folder: %v", err)
	}
}
