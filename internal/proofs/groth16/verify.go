package groth16

import (
	"crypto/rand"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/gt"
)

// Statement is the public inputs of one proof.
//
// All of them stand in Inputs, unless Sum is set: then Inputs is not looked at, and Sum is IC₀ + Σ xᵢ·ICᵢ, for callers that
// know a shorter way to it (a window PoSt repeats inputs).
type Statement struct {
	Inputs []curve.Scalar
	Sum    *curve.G1
}

// Statements are those of proofs with these public inputs.
func Statements(inputs [][]curve.Scalar) []Statement {
	statements := make([]Statement, len(inputs))
	for i := range inputs {
		statements[i].Inputs = inputs[i]
	}
	return statements
}

// check compares the number of inputs with the key's.
func (k *Key) check(proofs []Proof, statements []Statement) error {
	if len(proofs) == 0 || len(proofs) != len(statements) {
		return fmt.Errorf("%w: %d proofs of %d statements", ErrInputs, len(proofs), len(statements))
	}
	for i, s := range statements {
		if s.Sum == nil && len(s.Inputs) != k.Inputs() {
			return fmt.Errorf("%w: %d of proof %d, the key has %d", ErrInputs, len(s.Inputs), i, k.Inputs())
		}
	}
	return nil
}

// Verify tells whether every proof proves the statement of its place: e(A, B) = e(Alpha, Beta)·e(sum, Gamma)·e(C, Delta).
// Several are judged by one equation with random coefficients of 128 bits, which a false proof passes with a
// probability of 2⁻¹²⁸; so the verdict is the same on every node. There must be as many statements as proofs, and one
// at least; the error wraps ErrInputs.
func (k *Key) Verify(proofs []Proof, statements []Statement) (bool, error) {
	if err := k.check(proofs, statements); err != nil {
		return false, err
	}
	return k.holds(proofs, statements), nil
}

// VerifyEach tells of every proof whether it proves the statement of its place: by one equation if all do, else each
// alone. Errors as of Verify.
func (k *Key) VerifyEach(proofs []Proof, statements []Statement) ([]bool, error) {
	if err := k.check(proofs, statements); err != nil {
		return nil, err
	}
	verdicts := make([]bool, len(proofs))
	all := k.holds(proofs, statements)
	for i := range verdicts {
		verdicts[i] = all || len(proofs) > 1 && k.holds(proofs[i:i+1], statements[i:i+1])
	}
	return verdicts, nil
}

// holds tells whether Σ rᵢ·(the equation of proof i) holds, r₀ = 1.
//
// Written so that everything but the left side's pairings is one for all proofs:
// Π e(-rᵢ·Aᵢ, Bᵢ) · e(Σ rᵢ·sumᵢ, Gamma) · e(Σ rᵢ·Cᵢ, Delta) · e(Alpha, Beta)^Σrᵢ = 1.
func (k *Key) holds(proofs []Proof, statements []Statement) bool {
	r := coefficients(len(proofs))
	n := len(proofs)
	ps, qs := make([]curve.G1, n+2), make([]curve.G2, n+2)
	qs[n], qs[n+1] = k.Gamma, k.Delta
	var right curve.GT
	curve.Parallel(n+2, func(i int) {
		switch i { // the longest first
		case 0:
			ps[n] = k.sums(statements, r)
		case 1:
			ps[n+1] = sumOfC(proofs, r)
			right = k.alphaBetaTo(r)
		default:
			ps[i-2], qs[i-2] = proofs[i-2].A, proofs[i-2].B
			if i > 2 {
				ps[i-2] = curve.Sum(ps[i-2:i-1], r[i-2:i-1])
			}
			ps[i-2].Neg(&ps[i-2])
		}
	})
	// All pairs at once: those that one processor has share their squarings.
	f := curve.Miller(ps, qs)
	f = curve.Final(&f)
	f.Mul(&f, &right)
	return f.IsOne()
}

// alphaBetaTo is e(Alpha, Beta)^Σrᵢ.
func (k *Key) alphaBetaTo(r []curve.Scalar) curve.GT {
	if len(r) == 1 {
		return k.alphaBeta
	}
	var total curve.Scalar
	for i := range r {
		total.Add(&total, &r[i])
	}
	return gt.Product([]curve.GT{k.alphaBeta}, []curve.Scalar{total})
}

// sumOfC is Σ rᵢ·Cᵢ.
func sumOfC(proofs []Proof, r []curve.Scalar) curve.G1 {
	if len(proofs) == 1 {
		return proofs[0].C
	}
	cs := make([]curve.G1, len(proofs))
	for i := range proofs {
		cs[i] = proofs[i].C
	}
	return curve.Sum(cs, r)
}

// sum is IC₀ + Σ xᵢ·ICᵢ.
func (k *Key) sum(s Statement) curve.G1 {
	if s.Sum != nil {
		return *s.Sum
	}
	scalars := make([]curve.Scalar, 1, len(k.IC))
	scalars[0].SetOne()
	return k.SumIC(append(scalars, s.Inputs...))
}

// manyInputs is from where on the sums of several statements are made one by one: their scalars are mostly short, and
// are not after a multiplication by a coefficient.
const manyInputs = 4096

// sums is Σ rⱼ·(sum of statement j).
func (k *Key) sums(statements []Statement, r []curve.Scalar) curve.G1 {
	if len(statements) == 1 {
		return k.sum(statements[0])
	}
	var (
		points  []curve.G1
		scalars []curve.Scalar
		inputs  = make([]curve.Scalar, len(k.IC)) // of those that are summed up together
		some    bool
	)
	for j, s := range statements {
		if s.Sum != nil || len(s.Inputs) >= manyInputs {
			points, scalars = append(points, k.sum(s)), append(scalars, r[j])
			continue
		}
		some = true
		inputs[0].Add(&inputs[0], &r[j])
		var x curve.Scalar
		for i := range s.Inputs {
			x.Mul(&s.Inputs[i], &r[j])
			inputs[i+1].Add(&inputs[i+1], &x)
		}
	}
	if len(points) == 0 {
		return k.SumIC(inputs)
	}
	if some {
		points, scalars = append(points, k.SumIC(inputs)), append(scalars, fr.One())
	}
	return curve.Sum(points, scalars)
}

// coefficients are 1 and then n-1 random numbers of 128 bits.
func coefficients(n int) []curve.Scalar {
	r := make([]curve.Scalar, n)
	r[0].SetOne()
	for i := range r[1:] {
		var b [fr.Bytes]byte
		rand.Read(b[:16]) // never fails: crypto/rand ends the program
		c, err := fr.LittleEndian.Element(&b)
		if err != nil {
			panic(err) // it is below 2¹²⁸
		}
		r[i+1] = c
	}
	return r
}
