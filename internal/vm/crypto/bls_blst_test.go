//go:build cgo && blst

package crypto

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// blsCase is signers of different messages, and what they signed together.
type blsCase struct {
	sig  [BLSSignatureLen]byte
	keys [][BLSKeyLen]byte
	msgs [][]byte
}

func goodCase(t testing.TB, signers int) (c blsCase) {
	var sigs []bls12381.G2Affine
	for i := range signers {
		secret, public := blsKey(uint64(i))
		msg := bytes.Repeat([]byte("m"), 40*i) // the first is empty
		c.keys, c.msgs, sigs = append(c.keys, public), append(c.msgs, msg), append(sigs, blsSign(t, secret, msg))
	}
	c.sig = sum(sigs...)
	return c
}

// verdict is what both say, and fails the test if they differ.
func verdict(t *testing.T, what string, c blsCase) bool {
	t.Helper()
	ours, err := verifyPairsGo(t.Context(), c.sig, c.keys, c.msgs)
	theirs, terr := verifyPairs(t.Context(), c.sig, c.keys, c.msgs)
	if ours != theirs || err != nil || terr != nil {
		t.Errorf("%s: %v in Go, %v by blst: %x %x %x", what, ours, theirs, c.sig, c.keys, c.msgs)
	}
	return ours
}

// blst and the code in Go accept and refuse the same bytes.
func TestBLSTLikeGo(t *testing.T) {
	for n := 1; n <= 5; n++ {
		if !verdict(t, "good", goodCase(t, n)) {
			t.Errorf("%d signers are not believed", n)
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for round := range 3000 {
		c := goodCase(t, 1+round%2)
		if round%3 == 0 {
			spoil(rnd, c.sig[:])
		} else {
			spoil(rnd, c.keys[rnd.IntN(len(c.keys))][:])
		}
		if !verdict(t, fmt.Sprint("round ", round), c) {
			refused++
		}
	}
	if refused < 2900 {
		t.Errorf("%d of 3000 spoiled cases are refused", refused)
	}
}

// spoil changes the encoding of a point.
func spoil(rnd *rand.Rand, b []byte) {
	const p = "\x1a\x01\x11\xea\x39\x7f\xe6\x9a\x4b\x1b\xa7\xb6\x43\x4b\xac\xd7\x64\x77\x4b\x84\xf3\x85\x12\xbf\x67\x30\xd2\xa0\xf6\xb0\xf6\x24\x1e\xab\xff\xfe\xb1\x53\xff\xff\xb9\xfe\xff\xff\xff\xff\xaa\xab"
	half := b[len(b)-48:]
	switch rnd.IntN(8) {
	case 0: // a bit
		b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
	case 1: // the flags
		b[0] ^= byte(1+rnd.IntN(7)) << 5
	case 2: // another x, mostly on the curve half the time, and then outside the subgroup
		b[len(b)-1-rnd.IntN(4)] = byte(rnd.IntN(256))
	case 3: // small x
		clear(b)
		b[0], b[len(b)-1] = 0x80|byte(rnd.IntN(2))<<5, byte(rnd.IntN(40))
	case 4: // infinity, and almost
		clear(b)
		b[0] = byte(0xc0 | rnd.IntN(2)<<5)
		b[len(b)-1] = byte(rnd.IntN(3) / 2)
	case 5: // x = p, or one more or less: not reduced
		copy(half, p)
		half[47] += byte(rnd.IntN(3)) - 1
		b[0] = b[0]&0x1f | 0x80
	case 6:
		for i := range half {
			half[i] = 0xff
		}
		b[0] |= 0x80
	case 7: // the other root
		b[0] ^= 0x20
	}
}

// A key of small order, alone and added to a good one, is refused by both.
func TestBLSTSubgroup(t *testing.T) {
	var n int
	for x := range byte(200) {
		c := goodCase(t, 1)
		clear(c.keys[0][:])
		c.keys[0][0], c.keys[0][47] = 0x80, x
		if bls12381.NewDecoder(bytes.NewReader(c.keys[0][:]), bls12381.NoSubgroupChecks()).Decode(new(bls12381.G1Affine)) == nil {
			n++
		}
		verdict(t, "key", c)
		c = goodCase(t, 1)
		clear(c.sig[:])
		c.sig[0], c.sig[95] = 0x80, x
		verdict(t, "signature", c)
	}
	if n < 50 {
		t.Errorf("%d keys are on the curve", n)
	}
}
