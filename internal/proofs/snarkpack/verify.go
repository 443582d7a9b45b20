package snarkpack

import (
	"fmt"
	"math/bits"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/keys"
)

// Statement is what an aggregate is about.
type Statement struct {
	Version Version
	Key     *groth16.Key
	SRS     *keys.SRS
	// Include is what the statement adds to the challenges: a hash over the seals.
	Include [32]byte
	// Groups is how many groups of proofs there are, each of PerGroup: the partitions of a seal. Inputs gives the public
	// inputs of each proof of a group. It is called once for each group, on several goroutines.
	Groups, PerGroup int
	Inputs           func(group int) ([][]curve.Scalar, error)
}

// proofs is how many proofs the statement has, without repetitions.
func (s *Statement) proofs() int { return s.Groups * s.PerGroup }

// Verify tells whether the aggregate proves the statement. The last proof is repeated up to the next power of two, and the
// aggregate must have that many.
func (p *Proof) Verify(s *Statement) (bool, error) {
	e, err := p.equationsOf(s)
	if err != nil {
		return false, err
	}
	return e.hold(), nil
}

// equationsOf are the equations of the aggregate for a statement that it fits.
func (p *Proof) equationsOf(s *Statement) (*equations, error) {
	if s.Groups < 1 || s.PerGroup < 1 || s.Groups > MaxProofs || padded(s.proofs()) != p.n {
		return nil, fmt.Errorf("%w: %d, the statement has %d", ErrInputs, p.n, s.proofs())
	}
	if p.n > s.SRS.MaxProofs {
		return nil, fmt.Errorf("an aggregate of %d proofs: the SRS has room for %d", p.n, s.SRS.MaxProofs)
	}
	r := p.combiner(s.Include[:])
	sum, err := s.combine(&r, p.n)
	if err != nil {
		return nil, err
	}
	return p.equations(s, p.challenges(r, s.Version), sum), nil
}

// padded is the next power of two, two at least.
func padded(n int) int { return 1 << max(1, bits.Len(uint(n-1))) }

// combined is the statements of all proofs as one.
type combined struct {
	sum   curve.G1     // Σ rʲ·(IC₀ + Σ xⱼᵢ·ICᵢ)
	total curve.Scalar // Σ rʲ
}

// combine multiplies the inputs of proof j with rʲ and adds them up.
func (s *Statement) combine(r *curve.Scalar, n int) (*combined, error) {
	powers := make([]curve.Scalar, n)
	powers[0].SetOne()
	var c combined
	for j := range powers {
		if j > 0 {
			powers[j].Mul(&powers[j-1], r)
		}
		c.total.Add(&c.total, &powers[j])
	}
	// The last proof stands for all repetitions of it.
	last := s.proofs() - 1
	for _, power := range powers[last+1:] {
		powers[last].Add(&powers[last], &power)
	}
	inputs, err := s.accumulate(powers)
	if err != nil {
		return nil, err
	}
	inputs[0] = c.total
	c.sum = s.Key.SumIC(inputs)
	return &c, nil
}

// accumulate gives Σ powersⱼ·xⱼᵢ at place i + 1, group by group, so that the inputs of all groups are never there at once.
func (s *Statement) accumulate(powers []curve.Scalar) ([]curve.Scalar, error) {
	parts := min(s.Groups, 64)
	sums := make([][]curve.Scalar, parts)
	errs := make([]error, parts)
	curve.Parallel(parts, func(part int) {
		sums[part] = make([]curve.Scalar, len(s.Key.IC))
		for group := part * s.Groups / parts; group < (part+1)*s.Groups/parts; group++ {
			if errs[part] = s.add(sums[part], group, powers); errs[part] != nil {
				return
			}
		}
	})
	for part := range parts {
		if errs[part] != nil {
			return nil, errs[part]
		}
		if part > 0 {
			for i := range sums[0] {
				sums[0][i].Add(&sums[0][i], &sums[part][i])
			}
		}
	}
	return sums[0], nil
}

func (s *Statement) add(sums []curve.Scalar, group int, powers []curve.Scalar) error {
	inputs, err := s.Inputs(group)
	if err != nil {
		return err
	}
	if len(inputs) != s.PerGroup {
		return fmt.Errorf("%w: group %d has %d, not %d", ErrInputs, group, len(inputs), s.PerGroup)
	}
	for k := range inputs {
		if len(inputs[k]) != s.Key.Inputs() {
			return fmt.Errorf("%w: %d, the key has %d", groth16.ErrInputs, len(inputs[k]), s.Key.Inputs())
		}
		power := &powers[group*s.PerGroup+k]
		var x curve.Scalar
		for i := range inputs[k] {
			x.Mul(&inputs[k][i], power)
			sums[i+1].Add(&sums[i+1], &x)
		}
	}
	return nil
}
