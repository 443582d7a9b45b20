package proofvectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/proofs/post"
)

// File is a file of vectors.
type File struct {
	Format  int               `json:"format"`
	Kind    string            `json:"kind"`
	Keys    string            `json:"keys"`   // folder of the keys, beside the file's folder
	Proofs  map[string]string `json:"proofs"` // long proofs, named by vectors with "@" before the name
	Vectors []Vector          `json:"vectors"`

	path string
}

// Vector is a question with its answer.
type Vector struct {
	Name    string          `json:"name"`
	Why     string          `json:"why"`
	Kind    string          `json:"kind"` // of inputs
	Input   json.RawMessage `json:"input"`
	Verdict string          `json:"verdict"` // valid, invalid, error
	Error   string          `json:"error"`   // the other library's words, for people
	Debug   *Values         `json:"debug"`
	Expect  *Values         `json:"expect"` // of inputs

	SealProof abi.RegisteredSealProof `json:"seal_proof"` // of graph
	Parents   []NodeParents           `json:"parents"`
}

// NodeParents is a node of a graph and what its label is made of.
type NodeParents struct {
	Node    uint64
	Parents []uint64
}

// UnmarshalJSON reads [node, parents].
func (n *NodeParents) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&n.Node, &n.Parents})
}

// Values are what is computed on the way to a verdict. What is empty is not compared.
type Values struct {
	Partitions int        `json:"partitions,omitempty"`
	PerPart    int        `json:"inputs_per_partition,omitempty"`
	SHA256     string     `json:"inputs_sha256,omitempty"`   // of all inputs, 32 bytes each, least significant first
	Inputs     [][]string `json:"inputs,omitempty"`          // of the first partitions
	First      []string   `json:"first_partition,omitempty"` // the beginning of the first partition's
	Last       []string   `json:"last_partition,omitempty"`
	ReplicaID  string     `json:"replica_id,omitempty"`
	ProverID   string     `json:"prover_id,omitempty"`
	PorepID    string     `json:"porep_id,omitempty"`
	CommR      string     `json:"comm_r,omitempty"`
	CommD      string     `json:"comm_d,omitempty"`
	Include    string     `json:"transcript_include,omitempty"`
	Sectors    []Values   `json:"sectors,omitempty"`
	Chosen     []string   `json:"chosen,omitempty"`
}

// maxFile bounds a file of vectors, in bytes.
const maxFile = 256 << 20

// ReadFile reads a file of vectors.
func ReadFile(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes: more than a file of vectors may have (%d)", path, info.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := File{path: path}
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%s is no file of proof vectors: %w", path, err)
	}
	if f.Format != 1 || f.Kind == "" {
		return nil, fmt.Errorf("%s is no file of proof vectors of format 1 (format %d, kind %q)", path, f.Format, f.Kind)
	}
	return &f, nil
}

// Find gives the files of vectors at paths: folders are searched for .json, without their folders.
func Find(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		found, err := filepath.Glob(filepath.Join(p, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no .json files", p)
		}
		files = append(files, found...)
	}
	return files, nil
}

// input is the union of the kinds' inputs.
type input struct {
	SealProof  abi.RegisteredSealProof        `json:"seal_proof"`
	PoStProof  abi.RegisteredPoStProof        `json:"post_proof"`
	Update     abi.RegisteredUpdateProof      `json:"update_proof"`
	Aggregate  abi.RegisteredAggregationProof `json:"aggregate_proof"`
	Miner      abi.ActorID                    `json:"miner"`
	Prover     abi.ActorID                    `json:"prover"`
	Number     abi.SectorNumber               `json:"sector"`
	Randomness octets                         `json:"randomness"`
	Seed       octets                         `json:"interactive_randomness"`
	SealedCID  link                           `json:"sealed_cid"`
	Unsealed   link                           `json:"unsealed_cid"`
	OldSealed  link                           `json:"old_sealed_cid"`
	NewSealed  link                           `json:"new_sealed_cid"`
	NewData    link                           `json:"new_unsealed_cid"`
	Proof      string                         `json:"proof"`
	Mask       *bool                          `json:"mask"`
	Eligible   string                         `json:"eligible"` // of a challenge
	CommR0     octets                         `json:"comm_r_0"`
	Infos      []input                        `json:"infos"`
	Proofs     []input                        `json:"proofs"`
	Sectors    sectors                        `json:"sectors"`
}

// sectors is a list of them, or, among inputs, how many there are.
type sectors struct {
	List     []input
	Count    int
	invented []post.Sector
}

func (s *sectors) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &s.Count) == nil {
		return nil
	}
	return json.Unmarshal(b, &s.List)
}

// octets are bytes in hex.
type octets []byte

func (o *octets) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	raw, err := hex.DecodeString(text)
	*o = raw
	return err
}

// link is a CID.
type link struct{ cid.Cid }

func (l *link) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	c, err := cid.Decode(text)
	l.Cid = c
	return err
}

// Spelled is a vector's input with its proofs spelled out, as it can stand without the file.
func (f *File) Spelled(v *Vector) (json.RawMessage, error) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(v.Input, &in); err != nil {
		return nil, err
	}
	var text string
	if in["proof"] == nil || json.Unmarshal(in["proof"], &text) != nil || !strings.HasPrefix(text, "@") {
		return v.Input, nil
	}
	b, err := f.proof(text)
	if err != nil {
		return nil, err
	}
	if in["proof"], err = json.Marshal(hex.EncodeToString(b)); err != nil {
		return nil, err
	}
	return json.Marshal(in)
}

// input reads a vector's input; what is wrong with it is a fault of the file.
func (f *File) input(v *Vector) (*input, error) {
	var in input
	if err := json.Unmarshal(v.Input, &in); err != nil {
		return nil, fmt.Errorf("its input: %w", err)
	}
	return &in, nil
}

// proof is the bytes of a proof, which may stand under a name.
func (f *File) proof(text string) ([]byte, error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		named, ok := f.Proofs[name]
		if !ok {
			return nil, fmt.Errorf("its proof %q is not in the file", name)
		}
		text = named
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("its proof: %w", err)
	}
	return b, nil
}

func (f *File) seal(in *input) (info proof.SealVerifyInfo, err error) {
	info = proof.SealVerifyInfo{
		SealProof: in.SealProof, SectorID: abi.SectorID{Miner: in.Miner, Number: in.Number}, Randomness: abi.SealRandomness(in.Randomness),
		InteractiveRandomness: abi.InteractiveSealRandomness(in.Seed), SealedCID: in.SealedCID.Cid, UnsealedCID: in.Unsealed.Cid,
	}
	info.Proof, err = f.proof(in.Proof)
	return info, err
}

func (f *File) aggregate(in *input) (info proof.AggregateSealVerifyProofAndInfos, err error) {
	info = proof.AggregateSealVerifyProofAndInfos{Miner: in.Miner, SealProof: in.SealProof, AggregateProof: in.Aggregate}
	for _, i := range in.Infos {
		info.Infos = append(info.Infos, proof.AggregateSealVerifyInfo{
			Number: i.Number, Randomness: abi.SealRandomness(i.Randomness), InteractiveRandomness: abi.InteractiveSealRandomness(i.Seed),
			SealedCID: i.SealedCID.Cid, UnsealedCID: i.Unsealed.Cid,
		})
	}
	info.Proof, err = f.proof(in.Proof)
	return info, err
}

func (f *File) update(in *input) (info proof.ReplicaUpdateInfo, err error) {
	info = proof.ReplicaUpdateInfo{
		UpdateProofType: in.Update, OldSealedSectorCID: in.OldSealed.Cid, NewSealedSectorCID: in.NewSealed.Cid, NewUnsealedSectorCID: in.NewData.Cid,
	}
	info.Proof, err = f.proof(in.Proof)
	return info, err
}

func (f *File) post(in *input) (info proof.WindowPoStVerifyInfo, err error) {
	info = proof.WindowPoStVerifyInfo{Randomness: abi.PoStRandomness(in.Randomness), Prover: in.Prover}
	for _, p := range in.Proofs {
		b, err := f.proof(p.Proof)
		if err != nil {
			return info, err
		}
		info.Proofs = append(info.Proofs, proof.PoStProof{PoStProof: p.PoStProof, ProofBytes: b})
	}
	for _, s := range in.Sectors.List {
		info.ChallengedSectors = append(info.ChallengedSectors, proof.SectorInfo{SealProof: s.SealProof, SectorNumber: s.Number, SealedCID: s.SealedCID.Cid})
	}
	return info, nil
}
