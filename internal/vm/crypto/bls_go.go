//go:build !cgo || !blst

package crypto

import "context"

// verifyPairs judges signatures in Go.
func verifyPairs(ctx context.Context, sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) (bool, error) {
	return verifyPairsGo(ctx, sig, keys, msgs)
}
