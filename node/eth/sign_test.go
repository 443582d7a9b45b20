package eth

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/edgefvm/fvm/node/ethtx"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Values of the documentation of ethers (hashMessage) and web3.js (accounts.sign).
func TestPersonal(t *testing.T) {
	if got, want := PersonalHash([]byte("Hello World")).String(), "0xa1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	hash := PersonalHash([]byte("Some data"))
	if got, want := hash.String(), "0x1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	key := secp256k1.PrivKeyFromBytes(unhex(t, "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"))
	sig := Sign(key, hash)
	if got, want := sig.String(), "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, last := range []byte{sig[64], sig[64] - 27} {
		sig[64] = last
		if from, err := Recover(sig, hash); err != nil || from != ethtx.KeyAddress(key.PubKey()) {
			t.Errorf("v %d: %s, %v", last, from, err)
		}
	}
	for _, bad := range []Data{nil, sig[:64], append(sig[:64:64], 2), append(sig[:64:64], 26), append(sig[:64:64], 29), make(Data, 65)} {
		if from, err := Recover(bad, hash); err == nil {
			t.Errorf("%s: %s", bad, from)
		}
	}
}

func TestPersonalMessage(t *testing.T) {
	for param, want := range map[string]string{
		`"0x68656c6c6f"`: "hello", `"hello"`: "hello", `"0x"`: "", `""`: "", `"0xzz"`: "0xzz", `"68656c6c6f"`: "68656c6c6f", `"0x123"`: "0x123",
	} {
		if got, err := PersonalMessage([]byte(param)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", param, got, err)
		}
	}
	if got, err := PersonalMessage([]byte(`7`)); err == nil {
		t.Errorf("%q", got)
	}
}

// The example of EIP-712.
const mail = `{"types":{
 "EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
 "Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],
 "Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},{"name":"contents","type":"string"}]},
 "primaryType":"Mail",
 "domain":{"name":"Ether Mail","version":"1","chainId":1,"verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
 "message":{"from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
  "to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},"contents":"Hello, Bob!"}}`

// The same with lists, as the tests of MetaMask's eth-sig-util have it for version 4.
const mails = `{"types":{
 "EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
 "Person":[{"name":"name","type":"string"},{"name":"wallets","type":"address[]"}],
 "Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person[]"},{"name":"contents","type":"string"}]},
 "primaryType":"Mail",
 "domain":{"name":"Ether Mail","version":"1","chainId":1,"verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
 "message":{"from":{"name":"Cow","wallets":["0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826","0xDeaDbeefdEAdbeefdEadbEEFdeadbeEFdEaDbeeF"]},
  "to":[{"name":"Bob","wallets":["0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB","0xB0BdaBea57B0BDABeA57b0bdABEA57b0BDabEa57","0xB0B0b0b0b0b0B000000000000000000000000000"]}],"contents":"Hello, Bob!"}}`

func TestTypedData(t *testing.T) {
	for _, tt := range []struct{ name, data, hash, sig string }{
		{"EIP-712", mail, "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
			"0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"},
		{"lists", mails, "0xa85c2e2b118698e88db68a8105b794a8cc7cec074e89ef991cb4f5f533819cc2",
			"0x65cbd956f2fae28a601bebc9b906cea0191744bd4c4247bcd27cd08f8eb6b71c78efdf7a31dc9abee78f492292721f362d296cf86b4538e07b51303b67f749061b"},
	} {
		d, err := ParseTypedData([]byte(tt.data))
		if err != nil {
			t.Fatal(err)
		}
		hash, err := d.Hash()
		if err != nil || hash.String() != tt.hash {
			t.Errorf("%s: %s, %v, want %s", tt.name, hash, err, tt.hash)
		}
		cow := ethtx.Keccak256([]byte("cow"))
		if sig := Sign(secp256k1.PrivKeyFromBytes(cow[:]), hash); sig.String() != tt.sig {
			t.Errorf("%s: signed %s, want %s", tt.name, sig, tt.sig)
		}
	}
}

func TestTypedDataErrors(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(mail, old, new, 1) }
	for _, tt := range []struct{ name, data, says string }{
		{"no JSON", "{", "typed data"},
		{"no type", with(`"primaryType":"Mail"`, `"primaryType":"Mall"`), `no type "Mall"`},
		{"a field of no type", with(`"contents","type":"string"`, `"contents","type":"strin"`), `no type "strin"`},
		{"uint7", with(`"contents","type":"string"`, `"contents","type":"uint7"`), `no type "uint7"`},
		{"bytes33", with(`"contents","type":"string"`, `"contents","type":"bytes33"`), `no type "bytes33"`},
		{"a missing value", with(`,"contents":"Hello, Bob!"`, ``), "contents: a value of type string is missing"},
		{"a number for text", with(`"Hello, Bob!"`, `7`), "7 is no text"},
		{"a short address", with(`"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"`, `"0xCD"`), "from: wallet: "},
		{"a number too large", with(`"chainId":1`, `"chainId":"0x1`+strings.Repeat("0", 64)+`"`), "domain: chainId: "},
		{"a negative number", with(`"chainId":1`, `"chainId":-1`), "does not fit 256 bits"},
		{"an exponent", with(`"chainId":1`, `"chainId":1e3`), "no number"},
		{"another length of a list", with(`"to","type":"Person"`, `"to","type":"Person[2]"`), "is no list"},
		{"brackets", with(`"contents","type":"string"`, `"contents","type":"]"`), "no type"},
	} {
		d, err := ParseTypedData([]byte(tt.data))
		if err == nil {
			_, err = d.Hash()
		}
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzTypedData(f *testing.F) {
	f.Add([]byte(mail))
	f.Add([]byte(mails))
	f.Add([]byte(`{"types":{"EIP712Domain":[],"A":[{"name":"a","type":"A[]"},{"name":"b","type":"int8"}]},"primaryType":"A","message":{"a":[{"a":[],"b":"-1"}],"b":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseTypedData(data)
		if err != nil {
			return
		}
		one, err := d.Hash()
		two, again := d.Hash()
		if one != two || (err == nil) != (again == nil) {
			t.Errorf("%s, %v, again %s, %v", one, err, two, again)
		}
	})
}
