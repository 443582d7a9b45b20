package proofs

import (
	"context"
	"slices"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

var _ externs.SealBatch = (*Verifier)(nil)

// atOnce is how many seals are judged together: more save little, and their public inputs take 100 kB each.
const atOnce = 64

// VerifySeals judges seals together: those of one key by one equation, and each alone if that fails, so that the
// verdicts are those of VerifySeal. A seal for which that has an error is invalid here. The error is of the node, or
// ctx's.
func (v *Verifier) VerifySeals(ctx context.Context, infos []proof.SealVerifyInfo) ([]bool, error) {
	verdicts := make([]bool, 0, len(infos))
	for part := range slices.Chunk(infos, atOnce) {
		of, err := v.verifySeals(ctx, part)
		if err != nil {
			return nil, err
		}
		verdicts = append(verdicts, of...)
	}
	return verdicts, nil
}

func (v *Verifier) verifySeals(ctx context.Context, infos []proof.SealVerifyInfo) ([]bool, error) {
	verdicts := make([]bool, len(infos))
	var order []*groth16.Key // of groups
	groups := map[*groth16.Key]*group{}
	for i, info := range infos {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := v.prepareSeal(ctx, info)
		if isNode(err) {
			return nil, err
		}
		switch {
		case err != nil:
		case s.variant == registered.NI:
			if verdicts[i], err = v.verifyNI(ctx, s.key, s.seal, s.inputs, info.Proof); isNode(err) {
				return nil, err
			}
			verdicts[i] = verdicts[i] && err == nil
		default:
			g, ok := groups[s.key]
			if !ok {
				g = new(group)
				groups[s.key], order = g, append(order, s.key)
			}
			g.add(i, s)
		}
	}
	for _, key := range order {
		if err := groups[key].judge(ctx, key, verdicts); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// group are seals of one key.
type group struct {
	places     []int // in the list of seals
	first      []int // proof of each
	proofs     []groth16.Proof
	statements []groth16.Statement
}

func (g *group) add(place int, s *preparedSeal) {
	g.places, g.first = append(g.places, place), append(g.first, len(g.proofs))
	g.proofs, g.statements = append(g.proofs, s.proofs...), append(g.statements, groth16.Statements(s.inputs)...)
}

func (g *group) judge(ctx context.Context, key *groth16.Key, verdicts []bool) error {
	all, err := key.Verify(g.proofs, g.statements)
	if err != nil {
		return nodeFailure(err) // a key for another number of inputs is none of the store's
	}
	for i, place := range g.places {
		verdicts[place] = all
		if all || len(g.places) == 1 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		from, to := g.first[i], len(g.proofs)
		if i+1 < len(g.first) {
			to = g.first[i+1]
		}
		if verdicts[place], err = key.Verify(g.proofs[from:to], g.statements[from:to]); err != nil {
			return nodeFailure(err)
		}
	}
	return nil
}
