package proofs

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
)

// shared is the folder with vectors that the reference judged.
const shared = "../../shared/proofs"

// vectorFile is a file of the form that ../shared/proofs/README.md describes.
type vectorFile struct {
	Kind    string            `json:"kind"`
	Keys    string            `json:"keys"`
	Proofs  map[string]string `json:"proofs"`
	Vectors []judgedVector    `json:"vectors"`
}

type judgedVector struct {
	Name    string          `json:"name"`
	Input   json.RawMessage `json:"input"`
	Verdict string          `json:"verdict"`
}

// hexed are bytes in hex; "@name" stands for an entry of the file's proofs.
type hexed []byte

func (h *hexed) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(text, "@"); ok {
		*h = hexed("@" + name)
		return nil
	}
	decoded, err := hex.DecodeString(text)
	*h = decoded
	return err
}

func (f *vectorFile) bytes(h hexed) []byte {
	if len(h) > 0 && h[0] == '@' {
		if text, ok := f.Proofs[string(h[1:])]; ok {
			b, err := hex.DecodeString(text)
			if err == nil {
				return b
			}
		}
	}
	return h
}

// lenientCID is a CID, or undefined where the text is none.
type lenientCID struct{ cid.Cid }

func (c *lenientCID) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	c.Cid, _ = cid.Decode(text)
	return nil
}

type postInput struct {
	Mask       bool  `json:"mask"`
	Randomness hexed `json:"randomness"`
	Prover     abi.ActorID
	Proofs     []struct {
		Type  abi.RegisteredPoStProof `json:"post_proof"`
		Proof hexed                   `json:"proof"`
	}
	Sectors []struct {
		Type   abi.RegisteredSealProof `json:"seal_proof"`
		CID    lenientCID              `json:"sealed_cid"`
		Number abi.SectorNumber        `json:"sector"`
	}
}

func (f *vectorFile) window(in *postInput) (info proof.WindowPoStVerifyInfo) {
	info.Randomness, info.Prover = abi.PoStRandomness(in.Randomness), in.Prover
	for _, p := range in.Proofs {
		info.Proofs = append(info.Proofs, proof.PoStProof{PoStProof: p.Type, ProofBytes: f.bytes(p.Proof)})
	}
	for _, s := range in.Sectors {
		info.ChallengedSectors = append(info.ChallengedSectors, proof.SectorInfo{SealProof: s.Type, SectorNumber: s.Number, SealedCID: s.CID.Cid})
	}
	return info
}

type updateInput struct {
	Type    abi.RegisteredUpdateProof `json:"update_proof"`
	OldR    lenientCID                `json:"old_sealed_cid"`
	NewR    lenientCID                `json:"new_sealed_cid"`
	NewData lenientCID                `json:"new_unsealed_cid"`
	Proof   hexed
}

type sealInput struct {
	SealProof             abi.RegisteredSealProof `json:"seal_proof"`
	Sector                abi.SectorNumber
	SealedCID             lenientCID `json:"sealed_cid"`
	UnsealedCID           lenientCID `json:"unsealed_cid"`
	Randomness            hexed
	InteractiveRandomness hexed `json:"interactive_randomness"`
	Miner                 abi.ActorID
	Proof                 hexed
}

type aggregateInput struct {
	Miner          abi.ActorID
	SealProof      abi.RegisteredSealProof        `json:"seal_proof"`
	AggregateProof abi.RegisteredAggregationProof `json:"aggregate_proof"`
	Proof          hexed
	Infos          []sealInput
}

// judge gives the verdict of a vector as its file spells it.
func (f *vectorFile) judge(t testing.TB, v *Verifier, vector *judgedVector) (string, error) {
	var ok bool
	var err error
	ctx := context.Background()
	switch f.Kind {
	case "window", "winning":
		var in postInput
		decodeJSON(t, vector.Input, &in)
		info := f.window(&in)
		switch {
		case f.Kind == "winning" && in.Mask:
			ok, err = v.VerifyWinningPoSt(ctx, proof.WinningPoStVerifyInfo(info))
		case f.Kind == "winning":
			ok, err = v.VerifyWinningPoStAsIs(ctx, proof.WinningPoStVerifyInfo(info))
		case in.Mask:
			ok, err = v.VerifyPoSt(ctx, info)
		default:
			ok, err = v.VerifyWindowPoSt(ctx, info)
		}
	case "update":
		var in updateInput
		decodeJSON(t, vector.Input, &in)
		ok, err = v.VerifyReplicaUpdate(ctx, proof.ReplicaUpdateInfo{UpdateProofType: in.Type, OldSealedSectorCID: in.OldR.Cid,
			NewSealedSectorCID: in.NewR.Cid, NewUnsealedSectorCID: in.NewData.Cid, Proof: f.bytes(in.Proof)})
	case "aggregate":
		var in aggregateInput
		decodeJSON(t, vector.Input, &in)
		ok, err = v.VerifyAggregateSeals(ctx, f.aggregate(&in))
	case "seal":
		var in sealInput
		decodeJSON(t, vector.Input, &in)
		ok, err = v.VerifySeal(ctx, f.seal(&in))
	default:
		t.Fatalf("kind %q", f.Kind)
	}
	switch {
	case errors.Is(err, externs.ErrNodeFailure):
		t.Fatalf("%s: %v", vector.Name, err)
	case err != nil:
		return "error", err
	case ok:
		return "valid", nil
	}
	return "invalid", nil
}

func (f *vectorFile) seal(in *sealInput) proof.SealVerifyInfo {
	return proof.SealVerifyInfo{SealProof: in.SealProof, SectorID: abi.SectorID{Miner: in.Miner, Number: in.Sector}, Randomness: abi.SealRandomness(in.Randomness),
		InteractiveRandomness: abi.InteractiveSealRandomness(in.InteractiveRandomness), Proof: f.bytes(in.Proof), SealedCID: in.SealedCID.Cid, UnsealedCID: in.UnsealedCID.Cid}
}

func (f *vectorFile) aggregate(in *aggregateInput) proof.AggregateSealVerifyProofAndInfos {
	info := proof.AggregateSealVerifyProofAndInfos{Miner: in.Miner, SealProof: in.SealProof, AggregateProof: in.AggregateProof, Proof: f.bytes(in.Proof)}
	for _, i := range in.Infos {
		info.Infos = append(info.Infos, proof.AggregateSealVerifyInfo{Number: i.Sector, Randomness: abi.SealRandomness(i.Randomness),
			InteractiveRandomness: abi.InteractiveSealRandomness(i.InteractiveRandomness), SealedCID: i.SealedCID.Cid, UnsealedCID: i.UnsealedCID.Cid})
	}
	return info
}

func decodeJSON(t testing.TB, b []byte, to any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(to); err != nil {
		t.Fatal(err)
	}
}

func readVectors(t testing.TB, path string) *vectorFile {
	t.Helper()
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("NOT TESTED: there is no %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	decodeJSON(t, b, &f)
	if len(f.Vectors) == 0 {
		t.Fatalf("%s has no vectors", path)
	}
	return &f
}

func openKeys(t testing.TB, dir string) *Verifier {
	t.Helper()
	v, err := Open(context.Background(), Options{Dir: dir, TrustParams: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// judgeAll judges the vectors of a file, each as a test of its name.
func judgeAll(t *testing.T, f *vectorFile, v *Verifier) {
	for i := range f.Vectors {
		vector := &f.Vectors[i]
		t.Run(vector.Name, func(t *testing.T) {
			if got, err := f.judge(t, v, vector); got != vector.Verdict {
				t.Errorf("%s (%v), want %s", got, err, vector.Verdict)
			}
		})
	}
}

// TestCases judges a selection of the shared vectors, of 2 KiB sectors: one for each case, error or false.
func TestCases(t *testing.T) {
	v := openKeys(t, filepath.Join("testdata", "keys"))
	for _, kind := range []string{"window", "winning", "update", "aggregate"} {
		t.Run(kind, func(t *testing.T) { judgeAll(t, readVectors(t, filepath.Join("testdata", kind+".json")), v) })
	}
}

// TestReal judges proofs of 2 KiB sectors that were really made: by the reference's circuits and aggregator, with keys of its
// own generator. Seals are in TestSealsByCase.
func TestReal(t *testing.T) {
	for _, name := range []string{"real-aggregate", "real-aggregate-several", "real-seal-ni", "real-update"} {
		t.Run(name, func(t *testing.T) {
			f := readVectors(t, filepath.Join("testdata", name+".json"))
			judgeAll(t, f, openKeys(t, filepath.Join("testdata", f.Keys)))
		})
	}
}

// TestSharedVectors judges all that the reference judged.
func TestSharedVectors(t *testing.T) {
	for _, name := range []string{"window", "winning", "simulated-window", "simulated-winning", "simulated-update", "simulated-aggregate", "seal", "simulated-seal"} {
		t.Run(name, func(t *testing.T) {
			f := readVectors(t, filepath.Join(shared, "vectors", name+".json"))
			judgeAll(t, f, openKeys(t, filepath.Join(shared, f.Keys)))
		})
	}
}
