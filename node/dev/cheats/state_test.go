package cheats

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

func wordOf(n int64) []byte { return big.NewInt(n).FillBytes(make([]byte, 32)) }

// What is set is there at once, in the latest block's state, and contracts that run see it.
func TestState(t *testing.T) {
	w := begin(t, dev.Options{})
	const c = "0x00000000000000000000000000000000000c0de1"
	w.must("anvil_setStorageAt", `["`+c+`","0x5","`+word77+`"]`, "")
	w.must("anvil_setCode", `["`+c+`","`+loader+`"]`, "")
	if got := w.call(c, wordOf(5)); !bytes.Equal(got, wordOf(77)) {
		t.Errorf("slot 5 has %x", got)
	}
	w.must("hardhat_setStorageAt", `["`+c+`","0x5","0x`+strings.Repeat("0", 64)+`"]`, "")
	if got := w.call(c, wordOf(5)); !bytes.Equal(got, wordOf(0)) {
		t.Errorf("the slot that was deleted has %x", got)
	}
	// Nobody becomes somebody. What was set is paid with.
	w.must("anvil_setBalance", `["`+stranger+`","0x56bc75e2d63100000"]`, "")
	same(t, "the balance", w.balance(stranger), "100000000000000000000")
	w.must("anvil_addBalance", `["`+stranger+`",5]`, "")
	same(t, "the balance", w.balance(stranger), "100000000000000000005")
	f1 := w.n.Genesis().Accounts[0].F1.String()
	w.must("anvil_setBalance", `["`+f1+`","0x2a"]`, "")
	same(t, "the balance of an f1 address", w.balance(f1), "42")
	w.must("anvil_setNonce", `["`+stranger+`","0x7"]`, "")
	same(t, "the nonce", w.actor(stranger).Nonce, uint64(7))
	// The block is the same one.
	same(t, "the epoch", w.epoch(), int64(0))
}

// Impersonated senders: an Ethereum account that nobody has the key of, a contract, and an actor of neither kind.
func TestImpersonation(t *testing.T) {
	w := begin(t, dev.Options{})
	const keeper, contract = "0x00000000000000000000000000000000000c0de2", "0x00000000000000000000000000000000000c0de3"
	w.must("anvil_setCode", `["`+keeper+`","`+caller+`"]`, "")
	w.must("anvil_setCode", `["`+contract+`","`+loader+`"]`, "")
	w.must("anvil_setBalance", `["`+stranger+`","0x56bc75e2d63100000"]`, "")
	send := func(from string) error {
		t.Helper()
		var f, to eth.Address
		for a, s := range map[*eth.Address]string{&f: from, &to: keeper} {
			if err := a.UnmarshalJSON([]byte(`"` + s + `"`)); err != nil {
				t.Fatal(err)
			}
		}
		call := eth.Call{From: &f, To: &to}
		m, err := call.Message(eth.Tools)
		if err != nil {
			t.Fatal(err)
		}
		nonce, err := w.n.PendingNonce(t.Context(), m.From)
		if err != nil {
			t.Fatal(err)
		}
		m.Nonce, m.GasLimit, m.GasFeeCap, m.GasPremium = nonce, 100_000_000, big.NewInt(1000), big.Zero()
		sent, err := w.n.Submit(t.Context(), m, nil)
		if err != nil {
			return err
		}
		if e := w.executed(sent.Hash); e.Result.ExitCode != 0 {
			t.Errorf("from %s: exit code %d: %s", from, e.Result.ExitCode, e.Result.Failure)
		}
		slot, err := w.n.Storage(t.Context(), w.n.Latest(), to.Filecoin(), [32]byte{})
		if err != nil || !strings.HasSuffix(fmt.Sprintf("%x", slot), strings.ToLower(strings.TrimPrefix(from, "0x"))) {
			t.Errorf("the contract saw the sender %x, not %s, %v", slot, from, err)
		}
		return nil
	}
	if err := send(stranger); err == nil {
		t.Error("a stranger's message was taken without a signature")
	}
	const market = "0xff00000000000000000000000000000000000005" // f05
	for _, a := range []struct{ imp, from string }{{stranger, stranger}, {contract, contract}, {"f05", market}} {
		w.must("anvil_impersonateAccount", `["`+a.imp+`"]`, "")
		if err := send(a.from); err != nil {
			t.Errorf("from %s: %v", a.from, err)
		}
		w.must("anvil_stopImpersonatingAccount", `["`+a.imp+`"]`, "")
		if err := send(a.from); err == nil {
			t.Errorf("from %s after it was to stop", a.from)
		}
	}
	if st := w.actor(contract); st == nil || st.Nonce != 0 {
		t.Error("the contract is not what it was")
	}
	w.must("anvil_autoImpersonateAccount", `[true]`, "")
	if err := send(contract); err != nil {
		t.Error(err)
	}
	w.must("anvil_autoImpersonateAccount", `[false]`, "")
}

// A token's balances and allowances are found wherever its compiler put them.
func TestTokens(t *testing.T) {
	w := begin(t, dev.Options{})
	text, err := os.ReadFile("../genesis/testdata/token.hex")
	if err != nil {
		t.Fatal(err)
	}
	code := unhex(strings.TrimSpace(string(text)))
	me, other := w.account(0), w.account(1)
	word := func(a string) []byte { return append(make([]byte, 12), unhex(a)...) }
	h := w.send(0, "", append(append(code, word(me)...), wordOf(1000)...), 0)
	e := w.executed(h)
	if e.Result.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", e.Result.ExitCode, e.Result.Failure)
	}
	b, i, _ := w.n.Transaction(h)
	r, err := w.n.Render(t.Context(), b, eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	token := r.Receipts[i].ContractAddress.String()
	balance := func(a string) []byte { return w.call(token, append(selector("balanceOf(address)"), word(a)...)) }
	if got := balance(me); !bytes.Equal(got, wordOf(1000)) {
		t.Fatalf("the token begins with %x", got)
	}
	w.must("anvil_dealERC20", `["`+other+`","`+token+`","0x1234"]`, "null")
	if a, b := balance(other), balance(me); !bytes.Equal(a, wordOf(0x1234)) || !bytes.Equal(b, wordOf(1000)) {
		t.Errorf("the balances are %x and %x", a, b)
	}
	w.must("anvil_setERC20Balance", `["`+other+`","`+token+`",0]`, "null")
	if got := balance(other); !bytes.Equal(got, wordOf(0)) {
		t.Errorf("the balance is %x", got)
	}
	w.fails("anvil_dealERC20", `["`+other+`","`+me+`","0x1"]`, -32602, "")
	w.must("anvil_setCode", `["`+stranger+`","`+loader+`"]`, "")
	w.fails("anvil_dealERC20", `["`+other+`","`+stranger+`","0x1"]`, -32602, "no slot")
}

// A dump is loaded by another node, whose accounts and contracts are then those of the first.
func TestDump(t *testing.T) {
	w := begin(t, dev.Options{})
	const c = "0x00000000000000000000000000000000000c0de4"
	w.must("anvil_setStorageAt", `["`+c+`","0x1","`+word77+`"]`, "")
	w.must("anvil_setCode", `["`+c+`","`+loader+`"]`, "")
	w.must("anvil_mine", `[20]`, "")
	w.send(0, stranger, nil, 77)
	for _, params := range []string{``, `[false]`, `[true]`} {
		w.must("anvil_dumpState", params, "")
	}
	dump := w.must("hardhat_dumpState", ``, "")
	if !strings.HasPrefix(dump, `"0x`) {
		t.Fatalf("%.20s", dump)
	}
	other := begin(t, dev.Options{})
	other.must("anvil_loadState", `[`+dump+`]`, "true")
	same(t, "the balance", other.balance(stranger), "77")
	if got := other.call(c, wordOf(1)); !bytes.Equal(got, wordOf(77)) {
		t.Errorf("slot 1 has %x", got)
	}
	// Its next block is above the state's own, and goes on.
	other.send(0, stranger, nil, 1)
	if other.epoch() != w.epoch()+1 || other.balance(stranger) != "78" {
		t.Errorf("epoch %d, after %d; %s", other.epoch(), w.epoch(), other.balance(stranger))
	}
	before := other.n.Latest().Root
	for name, bad := range map[string]string{"nothing": `"0x"`, "no archive": `"0x1234"`, "cut": dump[:len(dump)/2] + `"`, "half a byte": dump[:len(dump)-2] + `"`, "a number": `5`} {
		if _, err := other.ask("anvil_loadState", `[`+bad+`]`); err == nil {
			t.Errorf("%s is loaded", name)
		}
	}
	other.fails("anvil_loadState", `["0x"]`, -32602, "no dump")
	if other.n.Latest().Root != before {
		t.Error("what was refused changed the state")
	}
}
