package proofs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/proofs/porep"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// goodAggregate is a good aggregate of three seals (four proofs, two rounds) of the testdata.
func goodAggregate(t testing.TB, version string) (*Verifier, proof.AggregateSealVerifyProofAndInfos) {
	t.Helper()
	f := readVectors(t, filepath.Join("testdata", "aggregate.json"))
	for _, vector := range f.Vectors {
		if strings.HasSuffix(vector.Name, "2KiB-v11-3-"+version+"/good") {
			var in aggregateInput
			decodeJSON(t, vector.Input, &in)
			return openKeys(t, filepath.Join("testdata", "keys")), f.aggregate(&in)
		}
	}
	t.Fatalf("no good aggregate of %s", version)
	return nil, proof.AggregateSealVerifyProofAndInfos{}
}

// Offsets in an aggregate of two rounds, in bytes (../shared/reference/proofs.md, section 7).
const (
	gtLen, g1Len, g2Len = 288, 48, 96
	rounds              = 2

	atAggC   = 5 * gtLen
	atCount  = atAggC + g1Len
	atRounds = atCount + 4
	atCommsC = atRounds + 4*rounds*gtLen
	atZAB    = atCommsC + 4*rounds*gtLen
	atZC     = atZAB + 2*rounds*gtLen
	atFinal  = atZC + 2*rounds*g1Len
	atFinalB = atFinal + g1Len
	atFinalC = atFinalB + g2Len
	atVKey   = atFinalC + g1Len
	atWKey   = atVKey + 2*g2Len
	atVOpen  = atWKey + 2*g1Len
	atWOpen  = atVOpen + 2*g2Len
	atEnd    = atWOpen + 2*g1Len
)

// TestSpoiledAggregates spoils a good aggregate in the ways of the shared vectors, whose names and verdicts these are.
func TestSpoiledAggregates(t *testing.T) {
	const sign = 0x20 // of y, in a point's first byte
	infinity := append([]byte{0xc0}, make([]byte, g2Len-1)...)
	// No point of the subgroup: x = 4 is on the curve, with another order.
	outside := make([]byte, g1Len)
	outside[0], outside[g1Len-1] = 0x80, 4
	var p bls12381.G1Affine
	if _, err := p.SetBytes(outside); err == nil {
		t.Fatal("the example of a point outside the subgroup is in it")
	}
	order := bytes.Repeat([]byte{0xff}, 48)
	flip := func(at int, bit byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= bit; return b }
	}
	write := func(at int, with []byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], with); return b }
	}
	move := func(to, from, length int) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[to:to+length], bytes.Clone(b[from:from+length])); return b }
	}
	count := func(n uint32) func([]byte) []byte { return write(atCount, binary.LittleEndian.AppendUint32(nil, n)) }
	cases := []struct {
		name  string
		spoil func([]byte) []byte
		want  string
	}{
		{"good", func(b []byte) []byte { return b }, "valid"},
		{"long", func(b []byte) []byte { return append(b, 1, 2, 3) }, "valid"},
		{"twice", func(b []byte) []byte { return append(b, b...) }, "valid"},
		{"short", func(b []byte) []byte { return b[:len(b)-1] }, "error"},
		{"empty", func([]byte) []byte { return nil }, "error"},
		{"nproofs-zero", count(0), "error"},
		{"nproofs-one", count(1), "error"},
		{"nproofs-odd", count(3), "error"},
		{"nproofs-less", count(2), "error"},
		{"nproofs-more", count(8), "error"},
		{"nproofs of 2^14", count(1 << 14), "error"},
		{"nproofs of 2^15", count(1 << 15), "error"},
		{"nproofs of 2^31", count(1 << 31), "error"},
		{"nproofs of 2^32-1", count(1<<32 - 1), "error"},
		{"negated-agg_c", flip(atAggC, sign), "invalid"},
		{"negated-final_a", flip(atFinal, sign), "invalid"},
		{"negated-final_b", flip(atFinalB, sign), "invalid"},
		{"negated-final_c", flip(atFinalC, sign), "invalid"},
		{"negated-final_vkey.0", flip(atVKey, sign), "invalid"},
		{"negated-final_vkey.1", flip(atVKey+g2Len, sign), "invalid"},
		{"negated-final_wkey.0", flip(atWKey, sign), "invalid"},
		{"negated-final_wkey.1", flip(atWKey+g1Len, sign), "invalid"},
		{"negated-vkey_opening.0", flip(atVOpen, sign), "invalid"},
		{"negated-vkey_opening.1", flip(atVOpen+g2Len, sign), "invalid"},
		{"negated-wkey_opening.0", flip(atWOpen, sign), "invalid"},
		{"negated-wkey_opening.1", flip(atWOpen+g1Len, sign), "invalid"},
		{"replaced-com_ab.0", move(0, gtLen, gtLen), "invalid"},
		{"replaced-com_ab.1", move(gtLen, 0, gtLen), "invalid"},
		{"replaced-com_c.0", move(2*gtLen, 0, gtLen), "invalid"},
		{"replaced-com_c.1", move(3*gtLen, 0, gtLen), "invalid"},
		{"replaced-ip_ab", move(4*gtLen, 0, gtLen), "invalid"},
		{"replaced-comms_ab[1].l.0", move(atRounds+4*gtLen, 0, gtLen), "invalid"},
		{"replaced-comms_c[0].r.1", move(atCommsC+3*gtLen, 0, gtLen), "invalid"},
		{"replaced-z_ab[0].r", move(atZAB+gtLen, 0, gtLen), "invalid"},
		{"replaced-z_c[1].l", move(atZC+2*g1Len, atAggC, g1Len), "invalid"},
		{"gt-bit", flip(5, 1), "error"},
		{"gt-order", write(0, order), "error"},
		{"no-subgroup-agg_c", write(atAggC, outside), "error"},
		{"infinity-agg_c, which is a point here", write(atAggC, infinity[:g1Len]), "invalid"},
		{"infinity-final_b", write(atFinalB, infinity[:g2Len]), "invalid"},
		{"infinity-vkey_opening.0", write(atVOpen, infinity[:g2Len]), "invalid"},
	}
	for _, version := range []string{"snarkpack1", "snarkpack2"} {
		v, info := goodAggregate(t, version)
		good := info.Proof
		if len(good) != atEnd {
			t.Fatalf("%d bytes, want %d", len(good), atEnd)
		}
		for _, c := range cases {
			t.Run(version+"/"+c.name, func(t *testing.T) {
				info.Proof = c.spoil(bytes.Clone(good))
				ok, err := v.VerifyAggregateSeals(context.Background(), info)
				if got := verdictOf(ok, err); got != c.want || errors.Is(err, externs.ErrNodeFailure) {
					t.Errorf("%s (%v), want %s", got, err, c.want)
				}
			})
		}
	}
}

// TestIncluded compares what of the seals goes into the challenges with the reference's (transcript_include of the shared
// vectors), and looks at what does not go in for non-interactive seals.
func TestIncluded(t *testing.T) {
	_, info := goodAggregate(t, "snarkpack2")
	var seals []porep.Seal
	for _, s := range info.Infos {
		seal, err := sealOf(proof.SealVerifyInfo{SealProof: info.SealProof, Randomness: s.Randomness, InteractiveRandomness: s.InteractiveRandomness,
			SealedCID: s.SealedCID, UnsealedCID: s.UnsealedCID})
		if err != nil {
			t.Fatal(err)
		}
		seals = append(seals, *seal)
	}
	const want = "82e3406f5de0d2437fe67cfb167eaf5bac4b7ab28a0e95397d625a78497c5593"
	if got := fmt.Sprintf("%x", included(seals, registered.V1_1)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	before := included(seals, registered.NI)
	seals[1].Seed[0] ^= 1
	if got := included(seals, registered.NI); got != before {
		t.Error("the seed of a non-interactive seal matters")
	}
	seals[1].CommR[0] ^= 1
	if got := included(seals, registered.NI); got == before {
		t.Error("the comm_r of a non-interactive seal does not matter")
	}
}

func verdictOf(ok bool, err error) string {
	switch {
	case err != nil:
		return "error"
	case ok:
		return "valid"
	}
	return "invalid"
}

// TestAggregateStatements changes what a good aggregate is said to be about.
func TestAggregateStatements(t *testing.T) {
	type statement = proof.AggregateSealVerifyProofAndInfos
	cases := []struct {
		name  string
		spoil func(*statement)
		want  string
	}{
		{"no infos", func(s *statement) { s.Infos = nil }, "error"},
		{"two of three infos, which need two proofs", func(s *statement) { s.Infos = s.Infos[:2] }, "error"},
		{"the repetition spelled out", func(s *statement) { s.Infos = append(slices.Clone(s.Infos), s.Infos[2]) }, "invalid"},
		{"five infos, which need eight proofs", func(s *statement) { s.Infos = append(slices.Clone(s.Infos), s.Infos[:2]...) }, "error"},
		{"more infos than proofs can be", func(s *statement) { s.Infos = slices.Repeat(s.Infos[:1], 16385) }, "error"},
		{"unknown aggregation", func(s *statement) { s.AggregateProof = 2 }, "error"},
		{"unknown seal type", func(s *statement) { s.SealProof = 20 }, "error"},
		{"a ticket of 31 bytes", func(s *statement) { s.Infos[1].Randomness = s.Infos[1].Randomness[:31] }, "error"},
		{"a sealed CID in the place of an unsealed one", func(s *statement) { s.Infos[1].UnsealedCID = s.Infos[1].SealedCID }, "error"},
		{"the other version", func(s *statement) { s.AggregateProof ^= 1 }, "invalid"},
		{"another miner", func(s *statement) { s.Miner++ }, "invalid"},
	}
	for _, version := range []string{"snarkpack1", "snarkpack2"} {
		v, good := goodAggregate(t, version)
		for _, c := range cases {
			t.Run(version+"/"+c.name, func(t *testing.T) {
				s := good
				s.Infos = slices.Clone(good.Infos)
				c.spoil(&s)
				ok, err := v.VerifyAggregateSeals(context.Background(), s)
				if got := verdictOf(ok, err); got != c.want || errors.Is(err, externs.ErrNodeFailure) {
					t.Errorf("%s (%v), want %s", got, err, c.want)
				}
			})
		}
	}
}

// TestCancelledAggregate: a context that is done is no verdict.
func TestCancelledAggregate(t *testing.T) {
	v, info := goodAggregate(t, "snarkpack2")
	if ok, err := v.VerifyAggregateSeals(context.Background(), info); !ok {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := v.VerifyAggregateSeals(ctx, info); !externs.IsNodeFailure(err) {
		t.Errorf("%v is taken for an answer", err)
	}
}
