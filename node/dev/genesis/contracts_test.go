package genesis

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"golang.org/x/crypto/sha3"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

func keccak(parts ...[]byte) []byte {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// word is an argument of a contract's function.
func word(data []byte) []byte { return append(make([]byte, 32-len(data)), data...) }

func number(n uint64) []byte { return word(big.NewIntUnsigned(n).Int.Bytes()) }

func selector(signature string) []byte { return keccak([]byte(signature))[:4] }

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// user sends transactions as the first account.
type user struct {
	t     *testing.T
	m     *fvm.Machine
	nonce uint64
	from  *Key
}

func (u *user) send(to address.Address, method abi.MethodNum, data []byte) []byte {
	u.t.Helper()
	res, err := u.m.Apply(u.t.Context(), &fvm.Message{
		From: u.from.F410, To: to, Nonce: u.nonce, Method: method, Value: big.Zero(), Params: cbor.AppendBytes(nil, data), GasLimit: 5_000_000_000, GasFeeCap: big.NewInt(200), GasPremium: big.Zero(),
	}, fvm.Explicit, len(data)+200)
	if err != nil {
		u.t.Fatal(err)
	}
	u.nonce++
	if res.ExitCode != 0 {
		u.t.Fatalf("exit code %d: %s", res.ExitCode, res.Failure)
	}
	return res.Return
}

// invoke calls a contract.
func (u *user) invoke(at []byte, data []byte) []byte {
	u.t.Helper()
	to, err := address.NewDelegatedAddress(eamID, at)
	if err != nil {
		u.t.Fatal(err)
	}
	r := cbor.NewReader(u.send(to, 3844450837, data)) // InvokeEVM
	return r.Bytes()
}

// A token is deployed as wallets do and through the CREATE2 deployer, whose address for it is that of EIP-1014; its balances are read
// through Multicall3.
func TestContracts(t *testing.T) {
	text, err := os.ReadFile("testdata/token.hex")
	if err != nil {
		t.Fatal(err)
	}
	code, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			g := make1(t, Options{NetworkVersion: nv})
			m, err := fvm.New(t.Context(), fvm.Config{
				NetworkVersion: nv, Epoch: 1, ChainID: g.ChainID, BaseFee: big.NewInt(100), CircSupply: fil(1), StateRoot: g.Root, Blockstore: g.Store, Externs: rand{},
			})
			if err != nil {
				t.Fatal(err)
			}
			me, other := &g.Accounts[0].Key, &g.Accounts[1].Key
			u := &user{t: t, m: m, from: me}
			init := join(code, word(me.Eth[:]), number(1000))

			r := cbor.NewReader(u.send(idAddress(eamID), 4, init)) // CreateExternal: [ID, f2 address, Ethereum address]
			r.Tuple(3)
			if id := r.Uint(); id < minersID {
				t.Errorf("a new actor has the ID %d", id)
			}
			r.Raw()
			first := r.Bytes()

			salt := number(7)
			second := u.invoke(g.Create2.Eth[:], join(salt, init))
			if want := keccak([]byte{0xff}, g.Create2.Eth[:], salt, keccak(init))[12:]; hex.EncodeToString(second) != hex.EncodeToString(want) {
				t.Fatalf("CREATE2 gave 0x%x, not 0x%x", second, want)
			}
			u.invoke(second, join(selector("transfer(address,uint256)"), word(other.Eth[:]), number(300)))

			var calls, offsets [][]byte
			balance := selector("balanceOf(address)")
			for _, c := range []struct{ token, of []byte }{{first, me.Eth[:]}, {second, me.Eth[:]}, {second, other.Eth[:]}} {
				offsets = append(offsets, number(uint64(3*32+len(calls)*6*32)))
				calls = append(calls, join(word(c.token), number(1), number(96), number(36), balance, word(c.of), make([]byte, 28)))
			}
			got := u.invoke(g.Multicall3.Eth[:], join(selector("aggregate3((address,bool,bytes)[])"), number(32), number(3), join(offsets...), join(calls...)))
			var want []byte
			want = join(number(32), number(3))
			for i := range uint64(3) {
				want = append(want, number(3*32+i*4*32)...)
			}
			for _, n := range []uint64{1000, 700, 300} {
				want = append(want, join(number(1), number(64), number(32), number(n))...)
			}
			if hex.EncodeToString(got) != hex.EncodeToString(want) {
				t.Errorf("Multicall3 gave\n%x, not\n%x", got, want)
			}
		})
	}
}
