package textform

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
)

// The hash of a message that was a transaction is the transaction's, as Lotus has it.
func TestEthHash(t *testing.T) {
	n := 0
	for _, want := range lotus(t) {
		if len(want.Eth) == 0 || string(want.Eth) == "null" {
			continue
		}
		n++
		var tx struct{ Hash string }
		if err := json.Unmarshal(want.Eth, &tx); err != nil || tx.Hash == "" {
			t.Fatalf("%s: %v", want.Eth, err)
		}
		m, err := DecodeMessage(unhex(t, want.Signed))
		if err != nil {
			t.Fatal(err)
		}
		h, err := EthHash(cid.Undef, m.Message, m.Signature, 314)
		if err != nil || "0x"+hex.EncodeToString(h[:]) != tx.Hash {
			t.Errorf("%s: %x, %v, want %s", want.Name, h, err, tx.Hash)
		}
	}
	if n == 0 {
		t.Error("there was no transaction")
	}
}

// Of other messages it is the digest of the CID that the chain has, and what is no transaction has none.
func TestEthHashOfOthers(t *testing.T) {
	c, err := cid.Decode("bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2")
	if err != nil {
		t.Fatal(err)
	}
	m, err := DecodeMessage([]byte(bareMessage))
	if err != nil {
		t.Fatal(err)
	}
	digest := c.Hash()[4:]
	for _, s := range []*crypto.Signature{nil, {Type: crypto.SigTypeSecp256k1, Data: make([]byte, 65)}, {Type: crypto.SigTypeBLS, Data: make([]byte, 96)}} {
		if h, err := EthHash(c, m.Message, s, 314); err != nil || !bytes.Equal(h[:], digest) {
			t.Errorf("%v: %x, %v, want %x", s, h, err, digest)
		}
	}
	for name, data := range map[string][]byte{"no signature": nil, "another mark": append([]byte{3}, make([]byte, 66)...), "too long": append([]byte{1}, make([]byte, 80)...), "a transfer": make([]byte, 65)} {
		if h, err := EthHash(c, m.Message, &crypto.Signature{Type: crypto.SigTypeDelegated, Data: data}, 314); err == nil {
			t.Errorf("%s has the hash %x", name, h)
		}
	}
}
