package proofvectors

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
)

// Question is one proof in hand.
type Question struct {
	Name string
	Kind string

	file *File
	in   *input
}

// Questions reads a file of vectors, one vector with its kind, or the input of one alone.
func Questions(path string) ([]Question, error) {
	f, err := ReadFile(path)
	if err == nil {
		var all []Question
		for i := range f.Vectors {
			v := &f.Vectors[i]
			in, err := f.input(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", path, v.Name, err)
			}
			all = append(all, Question{v.Name, f.Kind, f, in})
		}
		return all, nil
	}
	b, readErr := os.ReadFile(path)
	if readErr != nil {
		return nil, readErr
	}
	var one Vector
	if json.Unmarshal(b, &one) != nil {
		return nil, err
	}
	if one.Input == nil {
		one.Input = b
	}
	f = &File{path: path}
	in, err := f.input(&one)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if one.Kind == "" {
		one.Kind = in.kind()
	}
	if one.Kind == "" {
		return nil, fmt.Errorf("%s is no file of proof vectors, no vector with a kind, and no input of one", path)
	}
	f.Kind = one.Kind
	return []Question{{one.Name, one.Kind, f, in}}, nil
}

// NewQuestion is about an input as vectors have it, its proofs spelled out.
func NewQuestion(kind string, in json.RawMessage) (Question, error) {
	f := &File{Kind: kind}
	parsed, err := f.input(&Vector{Input: in})
	return Question{Kind: kind, file: f, in: parsed}, err
}

// Verdict judges a proof: valid, invalid or error. The error is of the node, or of the question.
func (q *Question) Verdict(ctx context.Context, v *proofs.Verifier) (string, error) {
	ok, err := ask(ctx, v, q.file, q.in)
	switch {
	case externs.IsNodeFailure(err):
		return "", err
	case err != nil:
		return "error", nil
	case ok:
		return "valid", nil
	}
	return "invalid", nil
}

// kind tells what an input is of by what it has.
func (in *input) kind() string {
	switch {
	case len(in.Infos) > 0:
		return "aggregate"
	case in.NewSealed.Defined():
		return "update"
	case len(in.Sectors.List) > 0 && len(in.Proofs) > 0:
		if in.Proofs[0].PoStProof < 5 {
			return "winning"
		}
		return "window"
	case in.SealedCID.Defined():
		return "seal"
	}
	return ""
}

// OfSeal is a question about a seal.
func OfSeal(info proof.SealVerifyInfo) Question {
	return Question{"", "seal", &File{Kind: "seal"}, &input{
		SealProof: info.SealProof, Miner: info.Miner, Number: info.Number, Randomness: octets(info.Randomness), Seed: octets(info.InteractiveRandomness),
		SealedCID: link{info.SealedCID}, Unsealed: link{info.UnsealedCID}, Proof: fmt.Sprintf("%x", info.Proof),
	}}
}

// Answer is a verdict with what stands behind it.
type Answer struct {
	Name       string   `json:"name,omitempty"`
	Kind       string   `json:"kind"`
	Verdict    string   `json:"verdict"` // valid, invalid, error
	Error      string   `json:"error,omitempty"`
	Partitions []bool   `json:"partitions,omitempty"` // of an invalid proof, where it has them
	Notes      []string `json:"notes,omitempty"`
	Values     *Values  `json:"values,omitempty"`
}

// Ask judges a proof. The error is of the node, or of the question's file.
func (q *Question) Ask(ctx context.Context, v *proofs.Verifier) (*Answer, error) {
	d, err := q.diagnose(ctx, v)
	if err != nil {
		return nil, err
	}
	a := Answer{Name: q.Name, Kind: q.Kind, Verdict: "invalid", Partitions: d.Partitions, Notes: d.Notes}
	switch {
	case d.Error != nil:
		a.Verdict, a.Error = "error", d.Error.Error()
	case d.Valid:
		a.Verdict = "valid"
	}
	if values, err := valuesOf(q.Kind, q.in); err == nil { // of an error there may be none
		a.Values = values
	}
	return &a, nil
}

func (q *Question) diagnose(ctx context.Context, v *proofs.Verifier) (*proofs.Diagnosis, error) {
	switch q.Kind {
	case "seal":
		info, err := q.file.seal(q.in)
		if err != nil {
			return nil, err
		}
		return v.DiagnoseSeal(ctx, info)
	case "aggregate":
		info, err := q.file.aggregate(q.in)
		if err != nil {
			return nil, err
		}
		return v.DiagnoseAggregateSeals(ctx, info)
	case "update":
		info, err := q.file.update(q.in)
		if err != nil {
			return nil, err
		}
		return v.DiagnoseReplicaUpdate(ctx, info)
	case "window", "winning":
		return q.diagnosePoSt(ctx, v)
	}
	return nil, fmt.Errorf("there is nothing to verify in %s: its kind is %q", cmp.Or(q.Name, q.file.path), q.Kind)
}

func (q *Question) diagnosePoSt(ctx context.Context, v *proofs.Verifier) (*proofs.Diagnosis, error) {
	info, err := q.file.post(q.in)
	if err != nil {
		return nil, err
	}
	winning := proof.WinningPoStVerifyInfo(info)
	winning.Randomness = abi.PoStRandomness(info.Randomness)
	switch {
	case q.Kind == "window" && q.in.masked():
		return v.DiagnoseWindowPoSt(ctx, info)
	case q.in.masked():
		return v.DiagnoseWinningPoSt(ctx, winning)
	}
	d := proofs.Diagnosis{Notes: []string{"the randomness was taken as it is"}}
	if q.Kind == "window" {
		d.Valid, d.Error = v.VerifyWindowPoSt(ctx, info)
	} else {
		d.Valid, d.Error = v.VerifyWinningPoStAsIs(ctx, winning)
	}
	if externs.IsNodeFailure(d.Error) {
		return nil, d.Error
	}
	return &d, nil
}
