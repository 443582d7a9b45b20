package ffi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
)

// judged is a question with the verdict of filecoin-proofs-api 19.1.0: proofs of 2 KiB sectors (../proofs/testdata).
type judged struct {
	Name    string
	Verdict string
	Input   struct {
		SealProof  abi.RegisteredSealProof `json:"seal_proof"`
		Miner      abi.ActorID
		Prover     abi.ActorID
		Sector     abi.SectorNumber
		SealedCID  string `json:"sealed_cid"`
		Unsealed   string `json:"unsealed_cid"`
		Randomness string
		Seed       string `json:"interactive_randomness"`
		Proof      string
		Mask       *bool
		Update     abi.RegisteredUpdateProof `json:"update_proof"`
		Old        string                    `json:"old_sealed_cid"`
		New        string                    `json:"new_sealed_cid"`
		NewData    string                    `json:"new_unsealed_cid"`
		Proofs     []struct {
			PoStProof abi.RegisteredPoStProof `json:"post_proof"`
			Proof     string
		}
		Sectors []struct {
			SealProof abi.RegisteredSealProof `json:"seal_proof"`
			Sector    abi.SectorNumber
			SealedCID string `json:"sealed_cid"`
		}
	}
}

func readJudged(t *testing.T, name string) []judged {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "proofs", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []judged }
	if err := json.Unmarshal(b, &file); err != nil || len(file.Vectors) == 0 {
		t.Fatalf("%s: %v, %d vectors", name, err, len(file.Vectors))
	}
	return file.Vectors
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoded(t *testing.T, text string) cid.Cid {
	t.Helper()
	c, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Verdicts without anything registered, with the keys of a folder.
func TestVerdictsAreTheOriginals(t *testing.T) {
	t.Cleanup(func() { RegisterProofVerifier(nil) })
	for _, f := range []struct {
		file, keys string
		ask        func(v *judged) (bool, error)
	}{
		{"seal.json", "keys-real", func(v *judged) (bool, error) {
			in := &v.Input
			return VerifySeal(proof.SealVerifyInfo{
				SealProof: in.SealProof, SectorID: abi.SectorID{Miner: in.Miner, Number: in.Sector}, Randomness: unhex(t, in.Randomness),
				InteractiveRandomness: unhex(t, in.Seed), Proof: unhex(t, in.Proof), SealedCID: decoded(t, in.SealedCID), UnsealedCID: decoded(t, in.Unsealed),
			})
		}},
		{"window.json", "keys", func(v *judged) (bool, error) { return VerifyWindowPoSt(v.post(t)) }},
		{"winning.json", "keys", func(v *judged) (bool, error) { return VerifyWinningPoSt(proof.WinningPoStVerifyInfo(v.post(t))) }},
		{"update.json", "keys", func(v *judged) (bool, error) {
			in := &v.Input
			return SectorUpdate.VerifyUpdateProof(proof.ReplicaUpdateInfo{
				UpdateProofType: in.Update, OldSealedSectorCID: decoded(t, in.Old), NewSealedSectorCID: decoded(t, in.New),
				NewUnsealedSectorCID: decoded(t, in.NewData), Proof: unhex(t, in.Proof),
			})
		}},
	} {
		keys := filepath.Join("..", "proofs", "testdata", f.keys)
		RegisterProofVerifier(verifierFrom(func(name string) string {
			return map[string]string{"FIL_PROOFS_PARAMETER_CACHE": keys, "TRUST_PARAMS": "1"}[name]
		}))
		for _, v := range readJudged(t, f.file) {
			ok, err := f.ask(&v)
			got := "invalid"
			switch {
			case err != nil:
				got = "error"
			case ok:
				got = "valid"
			}
			if got != v.Verdict {
				t.Errorf("%s: %s (%v), want %s", v.Name, got, err, v.Verdict)
			}
		}
	}
}

// post is the question as a node asks it, which clears the bits of the randomness first if the vector says so.
func (v *judged) post(t *testing.T) proof.WindowPoStVerifyInfo {
	in := &v.Input
	info := proof.WindowPoStVerifyInfo{Randomness: unhex(t, in.Randomness), Prover: in.Prover}
	if in.Mask == nil || *in.Mask {
		info.Randomness[31] &= 0x3f
	}
	for _, p := range in.Proofs {
		info.Proofs = append(info.Proofs, proof.PoStProof{PoStProof: p.PoStProof, ProofBytes: unhex(t, p.Proof)})
	}
	for _, s := range in.Sectors {
		info.ChallengedSectors = append(info.ChallengedSectors, proof.SectorInfo{SealProof: s.SealProof, SectorNumber: s.Sector, SealedCID: decoded(t, s.SealedCID)})
	}
	return info
}

// filecoin-ffi cuts tickets and seeds or fills them up with zeroes.
func TestBytes32(t *testing.T) {
	for _, c := range []struct{ in, want []byte }{
		{nil, make([]byte, 32)},
		{[]byte{1, 2}, append([]byte{1, 2}, make([]byte, 30)...)},
		{bytes.Repeat([]byte{7}, 40), bytes.Repeat([]byte{7}, 32)},
	} {
		if got := bytes32(c.in); !bytes.Equal(got, c.want) {
			t.Errorf("%x: %x", c.in, got)
		}
	}
}

// seeded is what the sectors of the proof vectors hold.
func seeded(label string, n int) (data []byte) {
	for i := 0; len(data) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "edgefvm proof vectors 1/%s#%d", label, i))
		data = append(data, sum[:]...)
	}
	return data[:n]
}

// A piece and a sector of seal/s-v11-0 of the proof vectors, which is one piece.
func TestPieceAndSectorCID(t *testing.T) {
	const want = "baga6ea4seaqekvaln4m6s25ua42cf4ikwnpnrlkf4vuzc2anfc4drzyndqevibq"
	data := seeded("s-v11-0/piece/0", 2032)
	path := filepath.Join(t.TempDir(), "piece")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	piece, err := GeneratePieceCID(5, path, 2032)
	if err != nil || piece.String() != want {
		t.Errorf("%v, %v, want %s", piece, err, want)
	}
	sector, err := GenerateUnsealedCID(5, []abi.PieceInfo{{Size: 2048, PieceCID: piece}})
	if err != nil || sector.String() != want {
		t.Errorf("the sector: %v, %v, want %s", sector, err, want)
	}
	if c, err := GeneratePieceCID(5, path, 2032*2); err == nil {
		t.Errorf("a file that is too short: %v", c)
	}
	if c, err := GeneratePieceCID(20, path, 2032); err == nil {
		t.Errorf("a seal type that there is not: %v", c)
	}
}
