package msm

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
)

// outside is a point of the curve that is not in the subgroup: the lowest x that has one.
func outside(t testing.TB) point {
	t.Helper()
	four := fp.NewElement(4)
	for x := uint64(1); ; x++ {
		var p point
		p.X.SetUint64(x)
		p.Y.Square(&p.X).Mul(&p.Y, &p.X).Add(&p.Y, &four)
		if p.Y.Sqrt(&p.Y) != nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
}

// A point outside the subgroup is found among few and among many, wherever it is; two that cancel each other too.
func TestAllInSubgroup(t *testing.T) {
	bad := outside(t)
	var minus point
	minus.Neg(&bad)
	for _, n := range []int{1, 100, 5000} {
		points := somePoints(n)
		if !AllInSubgroup(points) {
			t.Errorf("%d points of the subgroup", n)
		}
		for _, at := range []int{0, n / 2, n - 1} {
			spoiled := append([]point(nil), points...)
			spoiled[at] = bad
			if AllInSubgroup(spoiled) {
				t.Errorf("%d points: the one at %d is outside", n, at)
			}
			spoiled[(at+1)%n] = minus
			if n > 1 && AllInSubgroup(spoiled) {
				t.Errorf("%d points: two are outside", n)
			}
		}
	}
	if !AllInSubgroup(nil) {
		t.Error("no points")
	}
}

func BenchmarkAllInSubgroup(b *testing.B) {
	points := somePoints(25840)
	for b.Loop() {
		if !AllInSubgroup(points) {
			b.Fatal("outside")
		}
	}
}
