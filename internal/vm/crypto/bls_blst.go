//go:build cgo && blst

package crypto

import blst "github.com/supranational/blst/bindings/go"

const blstSuccess = 0 // BLST_SUCCESS

// verifyPairs judges signatures by blst, on the caller's thread. It says what verifyPairsGo says, in 0.7 of the time; the
// tests compare them.
func verifyPairs(sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) bool {
	if isInfinity(sig[0]) {
		return verifyPairsGo(sig, keys, msgs) // blst leaves such a signature out; the rule is in one place
	}
	s := new(blst.P2Affine)
	if s.Uncompress(sig[:]) == nil || !s.InG2() {
		return false
	}
	ctx := blst.PairingCtx(true, []byte(blsDomain))
	for i, key := range keys {
		k := new(blst.P1Affine)
		if k.Uncompress(key[:]) == nil || !k.KeyValidate() {
			return false
		}
		if blst.PairingAggregatePkInG1(ctx, k, false, s, false, msgs[i]) != blstSuccess {
			return false
		}
		s = nil // once
	}
	blst.PairingCommit(ctx)
	return blst.PairingFinalVerify(ctx)
}

// isInfinity looks at the first byte of an encoded point.
func isInfinity(first byte) bool { return first&0x40 != 0 }
