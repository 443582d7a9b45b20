package snarkpack

import (
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

func generator1() curve.G1 { _, _, g, _ := bls12381.Generators(); return g }
func generator2() curve.G2 { _, _, _, h := bls12381.Generators(); return h }
