// Package gt computes in the target group of BLS12-381's pairing: elements in their compressed form, and products of
// powers.
//
// Sources: blstrs 0.7.1 gt.rs for the form; Galbraith and Scott, Exponentiation in pairing-friendly groups using
// homomorphisms, for powers by way of the Frobenius map.
package gt

import (
	"errors"
	"fmt"
	"sync"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// Len is the length of a compressed element, in bytes.
const Len = 6 * fp.Bytes

// RawLen is the length of all coordinates of an element, in bytes.
const RawLen = 12 * fp.Bytes

// Errors of Decode.
var (
	ErrForm     = errors.New("no compressed element of the target group")
	ErrSubgroup = errors.New("the element is outside the target group")
)

// Decode reads compressed elements of Len bytes each: b = (1 + c0)/c1 of c0 + c1·w, six coordinates with their least
// significant byte first. A coordinate that is not below the modulus and an element outside the subgroup of order r are
// errors. One and minus one have no such form.
func Decode(encoded [][]byte) ([]curve.GT, error) {
	torus := make([]bls12381.E6, len(encoded))
	norms := make([]bls12381.E6, len(encoded))
	for i, e := range encoded {
		if err := decodeE6(&torus[i], e); err != nil {
			return nil, fmt.Errorf("%w: number %d: %w", ErrForm, i, err)
		}
		// (b + w)/(b - w) = (b + w)²/(b² - v), as w² = v. b² is never v, which is no square.
		norms[i].Square(&torus[i])
		norms[i].B1.A0.Sub(&norms[i].B1.A0, &one)
	}
	inverses := inverted(norms)
	elements := make([]curve.GT, len(encoded))
	outside := make([]bool, len(encoded))
	curve.Parallel(len(encoded), func(i int) {
		z := &elements[i]
		z.C0 = norms[i]
		z.C0.B1.A0.Add(&z.C0.B1.A0, &one)
		z.C0.B1.A0.Add(&z.C0.B1.A0, &one) // b² + v
		z.C0.Mul(&z.C0, &inverses[i])
		z.C1.Double(&torus[i])
		z.C1.Mul(&z.C1, &inverses[i])
		outside[i] = !curve.InTargetGroup(z)
	})
	for i := range outside {
		if outside[i] {
			return nil, fmt.Errorf("%w: number %d", ErrSubgroup, i)
		}
	}
	return elements, nil
}

var one = fp.One()

// inverted are the inverses of numbers that are not zero, with one inversion for all.
func inverted(list []bls12381.E6) []bls12381.E6 {
	inverses := make([]bls12381.E6, len(list))
	var product bls12381.E6
	product.SetOne()
	for i := range list {
		inverses[i] = product // of those before
		product.Mul(&product, &list[i])
	}
	product.Inverse(&product)
	for i := len(list) - 1; i >= 0; i-- {
		inverses[i].Mul(&inverses[i], &product)
		product.Mul(&product, &list[i])
	}
	return inverses
}

func decodeE6(z *bls12381.E6, b []byte) error {
	if len(b) != Len {
		return fmt.Errorf("%d bytes, want %d", len(b), Len)
	}
	for i, c := range [6]*fp.Element{&z.B0.A0, &z.B0.A1, &z.B1.A0, &z.B1.A1, &z.B2.A0, &z.B2.A1} {
		var err error
		if *c, err = fp.LittleEndian.Element((*[fp.Bytes]byte)(b[i*fp.Bytes:])); err != nil {
			return fmt.Errorf("coordinate %d is not below the modulus", i)
		}
	}
	return nil
}

// AppendRaw appends all twelve coordinates, least significant byte first.
func AppendRaw(b []byte, z *curve.GT) []byte {
	for _, c := range [12]*fp.Element{
		&z.C0.B0.A0, &z.C0.B0.A1, &z.C0.B1.A0, &z.C0.B1.A1, &z.C0.B2.A0, &z.C0.B2.A1,
		&z.C1.B0.A0, &z.C1.B0.A1, &z.C1.B1.A0, &z.C1.B1.A1, &z.C1.B2.A0, &z.C1.B2.A1,
	} {
		var le [fp.Bytes]byte
		fp.LittleEndian.PutElement(&le, *c)
		b = append(b, le[:]...)
	}
	return b
}

// Generator is the pairing of the generators of both groups.
var Generator = sync.OnceValue(func() curve.GT {
	_, _, g, h := bls12381.Generators()
	f := curve.Miller([]curve.G1{g}, []curve.G2{h})
	return curve.Final(&f)
})
