package snarkpack

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/gt"
)

// transcript draws a challenge from what was said before (bellperson groth16/aggregate/transcript.rs).
type transcript struct{ hash hash.Hash }

func newTranscript(tag string) *transcript {
	t := &transcript{sha256.New()}
	t.hash.Write([]byte("snarkpack-v1" + tag))
	return t
}

func (t *transcript) scalar(list ...*curve.Scalar) *transcript {
	for _, s := range list {
		var le [fr.Bytes]byte
		fr.LittleEndian.PutElement(&le, *s)
		t.hash.Write(le[:])
	}
	return t
}

func (t *transcript) gt(list ...*curve.GT) *transcript {
	b := make([]byte, 0, gt.RawLen)
	for _, z := range list {
		t.hash.Write(gt.AppendRaw(b, z))
	}
	return t
}

func (t *transcript) g1(list ...*curve.G1) *transcript {
	for _, p := range list {
		b := p.Bytes()
		t.hash.Write(b[:])
	}
	return t
}

func (t *transcript) g2(list ...*curve.G2) *transcript {
	for _, p := range list {
		b := p.Bytes()
		t.hash.Write(b[:])
	}
	return t
}

// bytes writes the length before the bytes.
func (t *transcript) bytes(b []byte) *transcript {
	t.hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
	t.hash.Write(b)
	return t
}

// round writes what a round of GIPA sent.
func (t *transcript) round(r *round) *transcript {
	return t.gt(&r.z[0], &r.z[1]).g1(&r.zc[0], &r.zc[1]).
		gt(&r.ab[0], &r.ab[1], &r.ab[2], &r.ab[3]).
		gt(&r.c[0], &r.c[1], &r.c[2], &r.c[3])
}

// challenge draws a scalar that is neither zero nor one. What is not below the order is drawn again, with a greater
// counter on top of all that was written.
func (t *transcript) challenge() curve.Scalar {
	for counter := uint64(1); ; counter++ {
		t.hash.Write(binary.BigEndian.AppendUint64(nil, counter))
		digest := [fr.Bytes]byte(t.hash.Sum(nil))
		digest[len(digest)-1] &= 0x7f // the order has 255 bits
		if c, err := fr.LittleEndian.Element(&digest); err == nil && !c.IsZero() && !c.IsOne() {
			return c
		}
	}
}
