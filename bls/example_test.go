package bls_test

import (
	"fmt"

	"github.com/edgefvm/fvm/bls"
)

// Two signers of two messages, and one signature for both, as a block has it.
func Example() {
	messages := [][]byte{[]byte("the first"), []byte("the second")}
	var keys []bls.PublicKey
	var signatures []bls.Signature
	for i, m := range messages {
		secret := bls.KeyFromSeed([32]byte{byte(i)}) // of tests; bls.GenerateKey makes one that nobody knows
		key, ok := bls.PublicKeyOf(secret)
		sig, ok2 := bls.Sign(secret, m)
		if !ok || !ok2 {
			fmt.Println("not a key")
		}
		keys, signatures = append(keys, key), append(signatures, sig)
	}
	sum, ok := bls.Aggregate(signatures)
	fmt.Println(ok, bls.Verify(sum, messages, keys))
	messages[1] = []byte("another")
	fmt.Println(bls.Verify(sum, messages, keys))
	// Output:
	// true true
	// false
}
