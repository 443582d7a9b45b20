package msm

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// somePoints are multiples of the generator.
func somePoints(n int) []point {
	_, _, g, _ := bls12381.Generators()
	scalars := make([]fr.Element, n)
	for i := range scalars {
		scalars[i].SetUint64(uint64(i)*0x9e3779b97f4a7c15 + 1)
	}
	return bls12381.BatchScalarMultiplicationG1(&g, scalars)
}

func scalar(r *rand.Rand) (s fr.Element) {
	for i := range s {
		s[i] = r.Uint64()
	}
	s[3] >>= 2
	return s
}

// plain is the sum by gnark-crypto, one multiple after the other.
func plain(points []point, scalars []fr.Element) (sum point) {
	var total bls12381.G1Jac
	for i := range points {
		var q bls12381.G1Jac
		q.FromAffine(&points[i])
		q.ScalarMultiplication(&q, scalars[i].BigInt(new(big.Int)))
		total.AddAssign(&q)
	}
	sum.FromJacobian(&total)
	return sum
}

func TestSums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := somePoints(60)
	var minusOne, half fr.Element
	minusOne.SetOne().Neg(&minusOne)
	half.SetUint64(2).Inverse(&half)
	cases := map[string]func(points []point, scalars []fr.Element){
		"random":       func([]point, []fr.Element) {},
		"all the same": func(p []point, s []fr.Element) { fill(p, p[0]); fill(s, s[0]) },
		"one point":    func(p []point, s []fr.Element) { fill(p, p[0]) },
		"one scalar":   func(p []point, s []fr.Element) { fill(s, s[0]) },
		"zero scalars": func(p []point, s []fr.Element) { fill(s, fr.Element{}) },
		"infinities": func(p []point, s []fr.Element) {
			for i := range p {
				if i%3 == 0 {
					p[i] = point{}
				}
			}
		},
		"all infinite": func(p []point, s []fr.Element) { fill(p, point{}) },
		"opposites": func(p []point, s []fr.Element) {
			for i := 1; i < len(p); i += 2 {
				p[i].Neg(&p[i-1])
				s[i] = s[i-1]
			}
		},
		"minus one": func(p []point, s []fr.Element) { fill(s, minusOne) },
		"half":      func(p []point, s []fr.Element) { fill(s, half) },
		"ones":      func(p []point, s []fr.Element) { fill(s, fr.One()) },
	}
	for name, spoil := range cases {
		for _, n := range []int{1, 2, 3, 60} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				points, scalars := append([]point(nil), all[:n]...), make([]fr.Element, n)
				for i := range scalars {
					scalars[i] = scalar(r)
				}
				spoil(points, scalars)
				want := plain(points, scalars)
				if got := Sums(Job{Points: points, Scalars: scalars})[0]; !got.Equal(&want) {
					t.Errorf("%s, want %s", got.String(), want.String())
				}
			})
		}
	}
	if got := Sums(Job{}, Job{Points: all, Small: make([]uint64, len(all))}); !got[0].IsInfinity() || !got[1].IsInfinity() {
		t.Errorf("empty sums are %v", got)
	}
	if len(Sums()) != 0 {
		t.Error("a sum of no job")
	}
}

func fill[T any](list []T, v T) {
	for i := range list {
		list[i] = v
	}
}

// TestSumsOfSmall takes scalars at the edges of windows, together with another job, on one core and on several.
func TestSumsOfSmall(t *testing.T) {
	points := somePoints(300)
	r := rand.New(rand.NewPCG(3, 4))
	for _, length := range []int{1, 2, 8, 30, 31, 63, 64} {
		small, scalars := make([]uint64, len(points)), make([]fr.Element, len(points))
		for i := range small {
			small[i] = r.Uint64() >> (64 - length)
			switch i % 5 {
			case 0:
				small[i] = 1<<(length-1)<<1 - 1 // all ones
			case 1:
				small[i] = 1 << r.IntN(length)
			}
			scalars[i].SetUint64(small[i])
		}
		want := plain(points, scalars)
		other := plain(points[:7], scalars[:7])
		for _, workers := range []int{1, 3} {
			before := runtime.GOMAXPROCS(workers)
			got := Sums(Job{Points: points, Small: small}, Job{Points: points[:7], Scalars: scalars[:7]})
			runtime.GOMAXPROCS(before)
			if !got[0].Equal(&want) || !got[1].Equal(&other) {
				t.Errorf("%d bits on %d cores: another sum", length, workers)
			}
		}
	}
}

func TestTails(t *testing.T) {
	points := somePoints(22)
	points[21].Neg(&points[10]) // a tail at infinity
	tails := make([]point, len(points))
	for first := range 11 {
		Tails(tails, points, first, 11)
	}
	for i := range points {
		want := points[i]
		if i < 11 {
			want.Add(&points[i], &points[i+11])
		}
		if !tails[i].Equal(&want) {
			t.Errorf("tail %d is another point", i)
		}
	}
	if !tails[10].IsInfinity() {
		t.Error("p - p is not infinite")
	}
	Tails(tails, nil, 0, 11)
}

func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	points := somePoints(70)
	points[5] = point{}
	points[9] = points[8]
	points[11].Neg(&points[10])
	var minusOne fr.Element
	minusOne.SetOne().Neg(&minusOne)
	for _, n := range []int{1, 2, 40, 70} {
		table := NewTable(points[:n])
		if table.n != n {
			t.Fatalf("%d points, want %d", table.n, n)
		}
		for name, next := range map[string]func(i int) fr.Element{
			"random":    func(int) fr.Element { return scalar(r) },
			"small":     func(i int) (s fr.Element) { s.SetUint64(uint64(i * i * 77)); return s },
			"minus one": func(int) fr.Element { return minusOne },
			"edges of bytes": func(i int) (s fr.Element) {
				s.SetUint64([]uint64{127, 128, 129, 255, 256, 0x8080, 0x7f80, 0}[i%8])
				return s
			},
			"zero": func(int) fr.Element { return fr.Element{} },
		} {
			scalars := make([]fr.Element, n)
			for i := range scalars {
				scalars[i] = next(i)
			}
			want := plain(points[:n], scalars)
			for _, workers := range []int{1, 3} {
				before := runtime.GOMAXPROCS(workers)
				got := table.Sum(scalars)
				runtime.GOMAXPROCS(before)
				if !got.Equal(&want) {
					t.Errorf("%s of %d on %d cores: another sum", name, n, workers)
				}
			}
		}
	}
}

func BenchmarkTable(b *testing.B) {
	points := somePoints(328)
	r := rand.New(rand.NewPCG(9, 10))
	scalars := make([]fr.Element, len(points))
	for i := range scalars {
		scalars[i] = scalar(r)
	}
	b.Run("prepare", func(b *testing.B) {
		for b.Loop() {
			NewTable(points)
		}
	})
	table := NewTable(points)
	b.Run("sum", func(b *testing.B) {
		for b.Loop() {
			table.Sum(scalars)
		}
	})
	b.Run("gnark", func(b *testing.B) {
		var p point
		for b.Loop() {
			p.MultiExp(points, scalars, ecc.MultiExpConfig{})
		}
	})
}

func BenchmarkSums(b *testing.B) {
	points := somePoints(23490)
	r := rand.New(rand.NewPCG(5, 6))
	small, asScalars, full := make([]uint64, len(points)), make([]fr.Element, len(points)), make([]fr.Element, len(points))
	for i := range small {
		small[i], full[i] = r.Uint64()>>34, scalar(r)
		asScalars[i].SetUint64(small[i])
	}
	b.Run("23490 of 30 bits", func(b *testing.B) {
		for b.Loop() {
			Sums(Job{Points: points, Small: small})
		}
	})
	b.Run("23490 of 30 bits by gnark", func(b *testing.B) {
		var p point
		for b.Loop() {
			p.MultiExp(points, asScalars, ecc.MultiExpConfig{})
		}
	})
	for _, n := range []int{39, 327, 2349, 23490} {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			for b.Loop() {
				Sums(Job{Points: points[:n], Scalars: full[:n]})
			}
		})
		b.Run(fmt.Sprintf("%d by gnark", n), func(b *testing.B) {
			var p point
			for b.Loop() {
				p.MultiExp(points[:n], full[:n], ecc.MultiExpConfig{})
			}
		})
	}
}
