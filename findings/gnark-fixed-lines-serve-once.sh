#!/usr/bin/env bash
# gnark-crypto: lines that were computed beforehand for a pairing are good for one pairing.
#
# Package   github.com/consensys/gnark-crypto v0.22.0 (Go), ecc/bls12-381; the same in ecc/bn254
# Needs     Go 1.25 or newer
# Expected  PrecomputeLines(Q) is done once for a point Q that stays the same, as in a verifying key, and
#           PairFixedQ(P, lines) gives e(P, Q) each time it is called with them.
# Seen      PairFixedQ, PairingCheckFixedQ and MillerLoopFixedQ write into the lines that they are given: the first call
#           is right, the next ones with the same slice give another element, without an error. A verifier that keeps the
#           lines refuses good proofs from the second on; two goroutines that share them race. A copy before each call
#           helps. (The library's own kzg passes a copy of the key, and does not notice.)
#
# What it printed, and must print:
#> bls12-381: first call e(P, Q): true, lines as before: false
#> bls12-381: second call e(P, Q): false
#> bls12-381: with a copy of the lines, three calls: true true true
#> bn254: first call e(P, Q): true, lines as before: false
#> bn254: second call e(P, Q): false
#> bn254: with a copy of the lines, three calls: true true true
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v go >/dev/null || { echo "needs Go" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod

cat > go.mod <<'EOF'
module finding

go 1.25.0

require github.com/consensys/gnark-crypto v0.22.0
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"slices"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bn254"
)

func main() {
	{
		_, _, p, q := bls12381.Generators()
		want, _ := bls12381.Pair([]bls12381.G1Affine{p}, []bls12381.G2Affine{q})
		lines := [][2][len(bls12381.LoopCounter) - 1]bls12381.LineEvaluationAff{bls12381.PrecomputeLines(q)}
		kept := slices.Clone(lines)
		pair := func(with [][2][len(bls12381.LoopCounter) - 1]bls12381.LineEvaluationAff) bool {
			z, _ := bls12381.PairFixedQ([]bls12381.G1Affine{p}, with)
			return z.Equal(&want)
		}
		fmt.Printf("bls12-381: first call e(P, Q): %t, lines as before: %t\n", pair(lines), lines[0] == kept[0])
		fmt.Printf("bls12-381: second call e(P, Q): %t\n", pair(lines))
		fmt.Println("bls12-381: with a copy of the lines, three calls:", pair(slices.Clone(kept)), pair(slices.Clone(kept)), pair(slices.Clone(kept)))
	}
	{
		_, _, p, q := bn254.Generators()
		want, _ := bn254.Pair([]bn254.G1Affine{p}, []bn254.G2Affine{q})
		lines := [][2][len(bn254.LoopCounter)]bn254.LineEvaluationAff{bn254.PrecomputeLines(q)}
		kept := slices.Clone(lines)
		pair := func(with [][2][len(bn254.LoopCounter)]bn254.LineEvaluationAff) bool {
			z, _ := bn254.PairFixedQ([]bn254.G1Affine{p}, with)
			return z.Equal(&want)
		}
		fmt.Printf("bn254: first call e(P, Q): %t, lines as before: %t\n", pair(lines), lines[0] == kept[0])
		fmt.Printf("bn254: second call e(P, Q): %t\n", pair(lines))
		fmt.Println("bn254: with a copy of the lines, three calls:", pair(slices.Clone(kept)), pair(slices.Clone(kept)), pair(slices.Clone(kept)))
	}
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
