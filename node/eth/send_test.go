package eth

import (
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/edgefvm/fvm/node/ethtx"
)

func TestReadRaw(t *testing.T) {
	key := secp256k1.PrivKeyFromBytes([]byte{1, 2, 3})
	signed := func(chain uint64, dynamic bool) Data {
		tx := &ethtx.Transaction{Dynamic: dynamic, ChainID: chain, FeeCap: big.NewInt(9), Premium: big.NewInt(9), Value: new(big.Int)}
		tx.Sign(key)
		return tx.Encode()
	}
	for _, tt := range []struct {
		name          string
		raw           Data
		tools, strict string
	}{
		{"EIP-1559", signed(314, true), "", ""},
		{"EIP-155", signed(314, false), "", ""},
		{"legacy", signed(0, false), "", ""},
		{"another chain", signed(1, true), "have 1, want 314", "have 1, want 314"},
		{"another chain, EIP-155", signed(1, false), "have 1, want 314", "have 1, want 314"},
		{"EIP-2930", Data{1, 0xc0}, "type not supported: it has an access list", "EIP-2930 transaction is not supported"},
		{"EIP-4844", Data{3, 0xc0}, "type not supported: it has blobs", "unsupported transaction type"},
		{"EIP-7702", Data{4, 0xc0}, "type not supported: it sets code", "unsupported transaction type"},
		{"nothing", nil, "invalid transaction: it is empty", "it is empty"},
		{"cut", signed(314, true)[:20], "invalid transaction: it ends early", "it ends early"},
	} {
		for m, says := range map[Manner]string{Tools: tt.tools, Strict: tt.strict} {
			tx, from, err := ReadRaw(m, tt.raw, 314)
			if says == "" && (err != nil || tx == nil || from != ethtx.KeyAddress(key.PubKey())) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
				t.Errorf("%s, manner %d: %s, %v", tt.name, m, from, err)
			}
		}
	}
}
