package proofs

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/post"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Diagnosis is a verdict for a person with one proof in hand.
type Diagnosis struct {
	Valid bool
	// Error is why the proof could not be judged; actors hear an illegal argument.
	Error error
	// Partitions are the verdicts on each, where the proof has them.
	Partitions []bool
	// Notes say in words what was found, of an invalid proof: which check fails first, and under which other reading the
	// proof would hold. A proof does not tell which of its public inputs is another one than the prover's.
	Notes []string
}

// diagnose asks for a verdict, and for more if it is false. The error is of the node.
func diagnose(valid bool, err error, more func(*Diagnosis) error) (*Diagnosis, error) {
	if isNode(err) {
		return nil, err
	}
	d := &Diagnosis{Valid: valid, Error: err}
	if err != nil || valid {
		return d, nil
	}
	if err := more(d); isNode(err) {
		return nil, err
	}
	return d, nil
}

// firstFalse notes the first partition that fails.
func (d *Diagnosis) firstFalse(verdicts []bool) {
	d.Partitions = verdicts
	var bad []int
	for i, ok := range verdicts {
		if !ok {
			bad = append(bad, i)
		}
	}
	if len(bad) > 0 {
		d.note("the equation of Groth16 fails first in partition %d, in %d of %d", bad[0], len(bad), len(verdicts))
	}
}

func (d *Diagnosis) note(format string, a ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, a...))
}

// DiagnoseSeal judges a seal. The error is of the node.
func (v *Verifier) DiagnoseSeal(ctx context.Context, info proof.SealVerifyInfo) (*Diagnosis, error) {
	valid, err := v.VerifySeal(ctx, info)
	return diagnose(valid, err, func(d *Diagnosis) error {
		size, variant, err := registered.Seal(info.SealProof)
		if err != nil {
			return err
		}
		if variant == registered.NI {
			d.note("an aggregate of %d partitions is judged as a whole", size.NIPartitions)
		} else if err := v.sealPartitions(ctx, info, d); err != nil {
			return err
		}
		for other := registered.V1; other <= registered.NI; other++ {
			if other == variant {
				continue
			}
			as := info
			as.SealProof = abi.RegisteredSealProof(int(other)*5 + size.Index())
			if ok, err := v.VerifySeal(ctx, as); ok && err == nil { // if there is no SRS, nothing is said of that variant
				d.note("it is valid as type %d (%s)", as.SealProof, other)
			}
		}
		return nil
	})
}

func (v *Verifier) sealPartitions(ctx context.Context, info proof.SealVerifyInfo, d *Diagnosis) error {
	s, err := v.prepareSeal(ctx, info)
	if err != nil {
		return err
	}
	verdicts, err := s.key.VerifyEach(s.proofs, groth16.Statements(s.inputs))
	if err != nil {
		return err
	}
	d.firstFalse(verdicts)
	return nil
}

// DiagnoseWindowPoSt judges a window PoSt, as VerifyPoSt. The error is of the node.
func (v *Verifier) DiagnoseWindowPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (*Diagnosis, error) {
	valid, err := v.VerifyPoSt(ctx, info)
	return diagnose(valid, err, func(d *Diagnosis) error {
		w, bytes, err := windowOf(info)
		if err != nil {
			return err
		}
		w.Randomness = post.Mask(w.Randomness)
		key, err := v.windowKey(ctx, w.Size)
		if err != nil {
			return err
		}
		verdicts, err := w.VerifyEach(key, bytes)
		if err != nil {
			return err
		}
		d.firstFalse(verdicts)
		w.V11 = !w.V11
		if ok, err := w.Verify(key, bytes); err == nil && ok {
			version := "V1"
			if w.V11 {
				version = "V1_1 (V1P1)"
			}
			d.note("it is valid as a window PoSt of version %s", version)
		}
		return nil
	})
}

// DiagnoseWinningPoSt judges a winning PoSt. The error is of the node.
func (v *Verifier) DiagnoseWinningPoSt(ctx context.Context, info proof.WinningPoStVerifyInfo) (*Diagnosis, error) {
	valid, err := v.VerifyWinningPoSt(ctx, info)
	return diagnose(valid, err, func(d *Diagnosis) error {
		d.firstFalse([]bool{false})
		return nil
	})
}

// DiagnoseReplicaUpdate judges a sector update. The error is of the node.
func (v *Verifier) DiagnoseReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (*Diagnosis, error) {
	valid, err := v.VerifyReplicaUpdate(ctx, info)
	return diagnose(valid, err, func(d *Diagnosis) error {
		u, err := updateOf(info)
		if err != nil {
			return err
		}
		key, err := v.keys.Key(ctx, keys.Update, u.Size)
		if err != nil {
			return err
		}
		inputs, err := u.Inputs()
		if err != nil {
			return err
		}
		proofs, err := groth16.DecodeProofs(info.Proof, len(inputs))
		if err != nil {
			return err
		}
		verdicts, err := key.VerifyEach(proofs, groth16.Statements(inputs))
		if err != nil {
			return err
		}
		d.firstFalse(verdicts)
		return nil
	})
}

// DiagnoseAggregateSeals judges an aggregate. The error is of the node.
func (v *Verifier) DiagnoseAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (*Diagnosis, error) {
	valid, err := v.VerifyAggregateSeals(ctx, info)
	return diagnose(valid, err, func(d *Diagnosis) error {
		as := info
		as.AggregateProof = 1 - info.AggregateProof
		ok, err := v.VerifyAggregateSeals(ctx, as)
		if isNode(err) {
			return err
		}
		if ok {
			d.note("it is valid as an aggregate of type %d", as.AggregateProof)
		}
		return nil
	})
}
