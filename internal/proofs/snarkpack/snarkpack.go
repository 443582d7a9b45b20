// Package snarkpack judges aggregates of Groth16 proofs (SnarkPack, FIP-0013; version 2, FIP-0090) as the network's library
// bellperson 0.27 does.
//
// An error means that the library would have raised one (an illegal argument to an actor); false means that a
// well-formed aggregate does not prove the statement. All functions are safe for concurrent use.
//
// Names are those of the paper (Gailly, Maller, Nitulescu: SnarkPack, 2021) where it has some: TIPP and MIPP are the
// arguments about the products of A and B and about C, GIPA the rounds that halve them, KZG the proofs that the folded
// commitment keys are right.
package snarkpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/gt"
)

// MaxProofs is the greatest number of proofs in an aggregate: for more the library has no reference string.
const MaxProofs = 16384

// Errors of Decode and Verify.
var (
	ErrProof  = errors.New("malformed aggregate")
	ErrInputs = errors.New("the aggregate has another number of proofs than the statement")
)

// Proof is a decoded aggregate. Points at infinity pass, unlike in single proofs.
type Proof struct {
	comAB [2]curve.GT // T and U: commitments to all A and B
	comC  [2]curve.GT // to all C
	ipAB  curve.GT    // Π e(Aᵢ, Bᵢ)^(rⁱ)
	aggC  curve.G1    // Σ rⁱ·Cᵢ
	n     int         // proofs, a power of two

	rounds []round // log2(n)

	finalA, finalC curve.G1
	finalB         curve.G2
	vkey           [2]curve.G2 // the folded commitment keys
	wkey           [2]curve.G1
	vOpening       [2]curve.G2 // their KZG openings
	wOpening       [2]curve.G1

	encoded []byte // what was read
}

// round is what a round of GIPA sends: left and right parts.
type round struct {
	ab [4]curve.GT // T left, U left, T right, U right
	c  [4]curve.GT
	z  [2]curve.GT // left, right, of A and B
	zc [2]curve.G1 // of C
}

// Lengths in bytes.
const (
	headLen  = 5*gt.Len + curve.G1Len // before the number of proofs
	roundLen = 10*gt.Len + 2*curve.G1Len
	tailLen  = 6*curve.G1Len + 5*curve.G2Len // what comes after the rounds
)

// ProofLen is the length of an aggregate of n proofs, a power of two, in bytes.
func ProofLen(n int) int { return headLen + 4 + (bits.Len(uint(n))-1)*roundLen + tailLen }

// Decode reads an aggregate. Bytes after its end are not looked at.
func Decode(b []byte) (*Proof, error) {
	if len(b) < headLen+4 {
		return nil, fmt.Errorf("%w: %d bytes, the number of proofs stands at %d", ErrProof, len(b), headLen)
	}
	count := binary.LittleEndian.Uint32(b[headLen:])
	if count < 2 || count > MaxProofs || count&(count-1) != 0 {
		return nil, fmt.Errorf("%w: %d proofs, want a power of two from 2 to %d", ErrProof, count, MaxProofs)
	}
	n := int(count)
	if want := ProofLen(n); len(b) < want {
		return nil, fmt.Errorf("%w: %d bytes, %d proofs need %d", ErrProof, len(b), n, want)
	}
	p := &Proof{n: n, rounds: make([]round, bits.Len(uint(n))-1), encoded: b[:ProofLen(n)]}
	var l layout
	p.lay(&l)
	if err := l.read(p.encoded); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	return p, nil
}

// lay says what stands where.
func (p *Proof) lay(l *layout) {
	l.gt(&p.comAB[0], &p.comAB[1], &p.comC[0], &p.comC[1], &p.ipAB)
	l.g1(&p.aggC)
	l.skip(4) // the number of proofs
	for i := range p.rounds {
		ab := &p.rounds[i].ab
		l.gt(&ab[0], &ab[1], &ab[2], &ab[3])
	}
	for i := range p.rounds {
		c := &p.rounds[i].c
		l.gt(&c[0], &c[1], &c[2], &c[3])
	}
	for i := range p.rounds {
		l.gt(&p.rounds[i].z[0], &p.rounds[i].z[1])
	}
	for i := range p.rounds {
		l.g1(&p.rounds[i].zc[0], &p.rounds[i].zc[1])
	}
	l.g1(&p.finalA)
	l.g2(&p.finalB)
	l.g1(&p.finalC)
	l.g2(&p.vkey[0], &p.vkey[1])
	l.g1(&p.wkey[0], &p.wkey[1])
	l.g2(&p.vOpening[0], &p.vOpening[1])
	l.g1(&p.wOpening[0], &p.wOpening[1])
}

// layout is the elements of an aggregate with their places in the bytes.
type layout struct {
	at  int
	gts []placed[curve.GT]
	g1s []placed[curve.G1]
	g2s []placed[curve.G2]
}

type placed[T any] struct {
	at int
	to *T
}

func (l *layout) skip(n int)         { l.at += n }
func (l *layout) gt(to ...*curve.GT) { l.gts = place(l, l.gts, gt.Len, to) }
func (l *layout) g1(to ...*curve.G1) { l.g1s = place(l, l.g1s, curve.G1Len, to) }
func (l *layout) g2(to ...*curve.G2) { l.g2s = place(l, l.g2s, curve.G2Len, to) }

func place[T any](l *layout, list []placed[T], length int, to []*T) []placed[T] {
	for _, t := range to {
		list = append(list, placed[T]{l.at, t})
		l.at += length
	}
	return list
}

// read decodes all elements. Which error it returns does not depend on which core found it first.
func (l *layout) read(b []byte) error {
	errs := make([]error, len(l.g2s)+len(l.g1s)+1)
	curve.Parallel(len(errs), func(i int) {
		var err error
		switch n := len(l.g2s); {
		case i == 0: // the longest first; it shares its own work out
			err = l.readGT(b)
		case i <= n:
			e := l.g2s[i-1]
			if *e.to, err = curve.DecodeG2(b[e.at : e.at+curve.G2Len]); err != nil {
				err = fmt.Errorf("at byte %d: %w", e.at, err)
			}
		default:
			e := l.g1s[i-1-n]
			if *e.to, err = curve.DecodeG1(b[e.at : e.at+curve.G1Len]); err != nil {
				err = fmt.Errorf("at byte %d: %w", e.at, err)
			}
		}
		errs[i] = err
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) readGT(b []byte) error {
	encoded := make([][]byte, len(l.gts))
	for i, e := range l.gts {
		encoded[i] = b[e.at : e.at+gt.Len]
	}
	elements, err := gt.Decode(encoded)
	if err != nil {
		return err
	}
	for i, e := range l.gts {
		*e.to = elements[i]
	}
	return nil
}
