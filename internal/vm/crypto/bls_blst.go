//go:build cgo && blst

package crypto

import (
	"context"

	blst "github.com/supranational/blst/bindings/go"
)

const blstSuccess = 0 // BLST_SUCCESS

// verifyPairs judges signatures by blst, on the caller's thread. It says what verifyPairsGo says, in 0.7 of the time; the
// tests compare them.
func verifyPairs(ctx context.Context, sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) (bool, error) {
	if isInfinity(sig[0]) {
		return verifyPairsGo(ctx, sig, keys, msgs) // blst leaves such a signature out; the rule is in one place
	}
	s := new(blst.P2Affine)
	if s.Uncompress(sig[:]) == nil || !s.InG2() {
		return false, nil
	}
	pairing := blst.PairingCtx(true, []byte(blsDomain))
	for i, key := range keys {
		if i%signersPart == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		k := new(blst.P1Affine)
		if k.Uncompress(key[:]) == nil || !k.KeyValidate() {
			return false, nil
		}
		if blst.PairingAggregatePkInG1(pairing, k, false, s, false, msgs[i]) != blstSuccess {
			return false, nil
		}
		s = nil // once
	}
	blst.PairingCommit(pairing)
	return blst.PairingFinalVerify(pairing), nil
}

// isInfinity looks at the first byte of an encoded point.
func isInfinity(first byte) bool { return first&0x40 != 0 }
