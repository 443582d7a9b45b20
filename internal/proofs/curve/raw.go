package curve

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
)

// DecodeRawG1 reads an uncompressed point of 96 bytes: flags, coordinates below the modulus, on the curve. Whether it is in
// the subgroup is not looked at. The point at infinity passes. The error wraps ErrPoint.
func DecodeRawG1(b []byte) (p G1, err error) {
	if len(b) != RawG1Len {
		return G1{}, fmt.Errorf("%w G1: %d bytes, want %d", ErrPoint, len(b), RawG1Len)
	}
	switch b[0] & flags {
	case 0:
	case flagInfinity:
		if !infinite(b) {
			return G1{}, fmt.Errorf("%w G1: infinity with coordinates", ErrPoint)
		}
		return G1{}, nil
	default:
		return G1{}, fmt.Errorf("%w G1: flags %#x of an uncompressed point", ErrPoint, b[0]&flags)
	}
	if p.X, err = fp.BigEndian.Element((*[fp.Bytes]byte)(b[:fp.Bytes])); err != nil {
		return G1{}, fmt.Errorf("%w G1: x: %w", ErrPoint, err)
	}
	if p.Y, err = fp.BigEndian.Element((*[fp.Bytes]byte)(b[fp.Bytes:])); err != nil {
		return G1{}, fmt.Errorf("%w G1: y: %w", ErrPoint, err)
	}
	if p.IsInfinity() || !p.IsOnCurve() {
		return G1{}, fmt.Errorf("%w G1: not on the curve", ErrPoint)
	}
	return p, nil
}

// DecodeRawG2 reads an uncompressed point of 192 bytes: flags, coordinates below the modulus, on the curve, in the
// subgroup. The point at infinity passes. The error wraps ErrPoint.
func DecodeRawG2(b []byte) (p G2, err error) {
	if len(b) != RawG2Len || b[0]&(flags&^flagInfinity) != 0 {
		return G2{}, fmt.Errorf("%w G2: %d bytes, want %d without the flags of compression", ErrPoint, len(b), RawG2Len)
	}
	if b[0]&flagInfinity != 0 {
		if !infinite(b) {
			return G2{}, fmt.Errorf("%w G2: infinity with coordinates", ErrPoint)
		}
		return G2{}, nil
	}
	if n, err := p.SetBytes(b); err != nil || n != len(b) {
		return G2{}, fmt.Errorf("%w G2: %w", ErrPoint, err)
	}
	if p.IsInfinity() { // zeroes without the flag
		return G2{}, fmt.Errorf("%w G2: not on the curve", ErrPoint)
	}
	return p, nil
}

// infinite tells whether nothing but the flag of infinity is set.
func infinite(b []byte) bool {
	for i, c := range b {
		if c != 0 && (i > 0 || c != flagInfinity) {
			return false
		}
	}
	return true
}
