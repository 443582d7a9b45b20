package gt

import (
	"math/bits"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// base is the absolute value of the curve's parameter x. In the group z^p = z^x for the field's characteristic p, so
// that z^base is the conjugate of the Frobenius map's image of z, which costs nearly nothing. Exponents are written as
// four digits to this base.
const base = 0xd201000000010000

const (
	rows    = 4  // digits of an exponent
	places  = 66 // of a digit's signed form, the least significant first
	entries = 4  // odd powers in a table: z, z³, z⁵, z⁷
)

// Product is Π basesᵢ^exponentsᵢ, for bases in the group of order r. There must be as many bases as exponents. All share
// 64 squarings.
func Product(bases []curve.GT, exponents []curve.Scalar) (product curve.GT) {
	if len(bases) != len(exponents) {
		panic("gt.Product: the lengths differ")
	}
	product.SetOne()
	digits := make([][rows][places]int8, len(bases))
	tables := make([][rows][entries]curve.GT, len(bases))
	top := -1
	for i := range bases {
		for row, digit := range split(&exponents[i]) {
			top = max(top, signed(&digits[i][row], digit))
		}
		powers(&tables[i], &bases[i])
	}
	for place := top; place >= 0; place-- {
		if place < top {
			product.CyclotomicSquare(&product)
		}
		for i := range bases {
			for row := range rows {
				switch d := digits[i][row][place]; {
				case d > 0:
					product.Mul(&product, &tables[i][row][d/2])
				case d < 0:
					var inverse curve.GT
					inverse.Conjugate(&tables[i][row][-d/2])
					product.Mul(&product, &inverse)
				}
			}
		}
	}
	return product
}

// split writes an exponent to the base, least significant digit first. The group's order is below base⁴.
func split(e *curve.Scalar) (digits [rows]uint64) {
	n := e.Bits()
	for row := range rows {
		var rest uint64
		for i := len(n) - 1; i >= 0; i-- {
			n[i], rest = bits.Div64(rest, n[i], base)
		}
		digits[row] = rest
	}
	return digits
}

// signed writes a digit with odd numbers from -7 to 7, of which at most one in four places is not zero. It returns the
// highest place that is not, or -1.
func signed(to *[places]int8, n uint64) (top int) {
	top = -1
	high := uint64(0) // what is above 64 bits, for a moment
	for place := 0; n != 0 || high != 0; place++ {
		if n&1 == 1 {
			d := int8(n & 15)
			if d > 8 {
				d -= 16
			}
			to[place], top = d, place
			var carry uint64
			if d > 0 {
				n -= uint64(d)
			} else {
				n, carry = bits.Add64(n, uint64(-d), 0)
				high += carry
			}
		}
		n = n>>1 | high<<63
		high >>= 1
	}
	return top
}

// powers fills a table with odd powers of z, and of z^base, z^base², z^base³.
func powers(table *[rows][entries]curve.GT, z *curve.GT) {
	var square curve.GT
	square.CyclotomicSquare(z)
	table[0][0] = *z
	for k := 1; k < entries; k++ {
		table[0][k].Mul(&table[0][k-1], &square)
	}
	for k := range entries {
		from := &table[0][k]
		table[1][k].Frobenius(from)
		table[3][k].FrobeniusSquare(&table[1][k])
		table[1][k].Conjugate(&table[1][k])
		table[2][k].FrobeniusSquare(from)
		table[3][k].Conjugate(&table[3][k])
	}
}
