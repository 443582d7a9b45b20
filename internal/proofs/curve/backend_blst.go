//go:build cgo && blst

package curve

import (
	"fmt"
	"unsafe"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	blst "github.com/supranational/blst/bindings/go"
)

// Backend names what computes.
const Backend = "blst"

// Types of the two libraries have the same layout; the compiler checks the sizes, tests the values.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(G1{})-unsafe.Sizeof(blst.P1Affine{})]
	_ = [1]struct{}{}[unsafe.Sizeof(G2{})-unsafe.Sizeof(blst.P2Affine{})]
	_ = [1]struct{}{}[unsafe.Sizeof(bls12381.G1Jac{})-unsafe.Sizeof(blst.P1{})]
	_ = [1]struct{}{}[unsafe.Sizeof(GT{})-unsafe.Sizeof(blst.Fp12{})]
)

func p1(p *G1) *blst.P1Affine    { return (*blst.P1Affine)(unsafe.Pointer(p)) }
func p2(p *G2) *blst.P2Affine    { return (*blst.P2Affine)(unsafe.Pointer(p)) }
func p1s(p []G1) []blst.P1Affine { return unsafe.Slice(p1(unsafe.SliceData(p)), len(p)) }
func p2s(p []G2) []blst.P2Affine { return unsafe.Slice(p2(unsafe.SliceData(p)), len(p)) }
func gt(f *GT) *blst.Fp12        { return (*blst.Fp12)(unsafe.Pointer(f)) }

func errOutside(group, why string) error { return fmt.Errorf("%w %s: %s", ErrPoint, group, why) }

func decodeG1(b []byte) (p G1, err error) {
	if len(b) != G1Len || b[0]&flagCompressed == 0 {
		return G1{}, errShape("G1", b, G1Len)
	}
	if p1(&p).Uncompress(b) == nil {
		return G1{}, errOutside("G1", "no point of the curve")
	}
	if !p1(&p).InG1() {
		return G1{}, errOutside("G1", "not in the subgroup")
	}
	return p, nil
}

func decodeG2(b []byte) (p G2, err error) {
	if len(b) != G2Len || b[0]&flagCompressed == 0 {
		return G2{}, errShape("G2", b, G2Len)
	}
	if p2(&p).Uncompress(b) == nil {
		return G2{}, errOutside("G2", "no point of the curve")
	}
	if !p2(&p).InG2() {
		return G2{}, errOutside("G2", "not in the subgroup")
	}
	return p, nil
}

func sumOf(points []G1, scalars []Scalar, bits int) bls12381.G1Jac {
	if len(points) > 1 && len(points) < fewPoints {
		return straus(points, scalars) // blst does the doublings of few points apart
	}
	width := (bits + 7) / 8
	flat := make([]byte, 0, width*len(scalars)) // least significant byte first
	for i := range scalars {
		b := scalars[i].Bytes()
		for j := range width {
			flat = append(flat, b[31-j])
		}
	}
	sum := blst.P1AffinesMult(p1s(points), flat, bits)
	return *(*bls12381.G1Jac)(unsafe.Pointer(sum))
}

func miller(p []G1, q []G2) GT { return *(*GT)(unsafe.Pointer(blst.Fp12MillerLoopN(p2s(q), p1s(p)))) }

func final(f *GT) GT {
	out := *f
	gt(&out).FinalExp()
	return out
}

func inSubgroup(p *G1) bool { return p1(p).InG1() }

func inTargetGroup(f *GT) bool { return gt(f).InGroup() }
