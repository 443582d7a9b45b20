package eth

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/edgefvm/fvm/node/ethtx"
)

// PersonalHash is the hash of a message that personal_sign and eth_sign sign (EIP-191, version 0x45).
func PersonalHash(message []byte) Hash {
	return ethtx.Keccak256(fmt.Appendf(nil, "\x19Ethereum Signed Message:\n%d", len(message)), message)
}

// PersonalMessage are the bytes that personal_sign's first parameter means: those of hex, or of the text itself where
// it is none.
func PersonalMessage(param []byte) (Data, error) {
	var d Data
	if d.UnmarshalJSON(param) == nil && len(param) >= 4 && param[1] == '0' && (param[2] == 'x' || param[2] == 'X') && len(param)%2 == 0 {
		return d, nil
	}
	var s string
	if err := json.Unmarshal(param, &s); err != nil {
		return nil, invalid("%s is no message: want hex or text", show(param))
	}
	if !utf8.ValidString(s) {
		return nil, invalid("the message is no text")
	}
	return Data(s), nil
}

// Sign signs a hash as wallets do: 65 bytes, R, S, and 27 or 28.
func Sign(key *secp256k1.PrivateKey, hash Hash) Data {
	sig := ethtx.SignHash(key, hash)
	return sig.Bytes()
}

// Recover finds who signed a hash. The last byte of a signature may be 0 or 1 as well.
func Recover(sig Data, hash Hash) (Address, error) {
	if len(sig) != 65 {
		return Address{}, invalid("a signature has 65 bytes, and this one %d", len(sig))
	}
	odd := sig[64]
	if odd >= 27 {
		odd -= 27
	}
	s := ethtx.Signature{R: [32]byte(sig[:32]), S: [32]byte(sig[32:64]), Odd: odd}
	if odd > 1 {
		return Address{}, invalid("a signature ends with 27 or 28, and this one with %d", sig[64])
	}
	return s.Recover(hash)
}
