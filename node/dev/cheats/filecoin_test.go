package cheats

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/vector"
)

// hello is an actor that returns the text "hello" from each of its methods: see package edit's tests.
const hello = "0x0061736d01000000" + "010e0260017f017f60047f7e7f7f017f" + "0215010469706c640c626c6f636b5f6372656174650001" + "03020100" + "0503010001" +
	"07130206696e766f6b650001066d656d6f72790200" + "0a15011300410042f100411041061000" + "1a41002802000b" + "0b0c010041100b066568656c6c6f"

func (w *world) result(method, params string, into any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.must(method, params, "")), into); err != nil {
		w.t.Fatalf("%s: %v", method, err)
	}
}

// value is what stands at a path of the latest state.
func (w *world) value(path string) string {
	w.t.Helper()
	st, err := state.Open(w.t.Context(), w.n.Blocks(), w.n.Latest().Root, state.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	n, err := st.Get(w.t.Context(), path)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := n.View(w.t.Context(), state.ViewOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(v)
}

func TestInstallActor(t *testing.T) {
	w := begin(t, dev.Options{})
	var first, second, third made
	w.result("fvm_installActor", `["`+hello+`"]`, &first)
	w.result("fvm_installActor", `[{"code":"`+hello+`","address":"0x00000000000000000000000000000000000c0de7","balance":"0x64"}]`, &second)
	w.result("fvm_installActor", `[{"code":"`+hello+`","constructor":false}]`, &third)
	if first.Return == nil || *first.Return != "0x6568656c6c6f" || third.Return != nil || first.ID == second.ID || first.Code != second.Code {
		t.Errorf("%+v, %+v, %+v", first, second, third)
	}
	same(t, "the second's address", second.Eth, "0x00000000000000000000000000000000000c0de7")
	same(t, "the second's balance", w.balance(second.Eth), "100")
	for _, a := range []string{first.ID, first.Address, second.ID, second.Eth} {
		var at Address
		if err := at.UnmarshalJSON([]byte(`"` + a + `"`)); err != nil {
			t.Fatal(err)
		}
		res, err := w.n.Call(t.Context(), w.n.Latest(), &fvm.Message{
			From: w.n.Genesis().Accounts[0].F410, To: at.Address, Method: 5, Value: big.Zero(), GasLimit: 1e9, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
		}, dev.CallOptions{})
		if err != nil || res.ExitCode != 0 || string(res.Return) != "ehello" {
			t.Errorf("%s: %v, %+v", a, err, res)
		}
	}
	// It is on the chain as any other: the next block stands on it.
	w.send(0, second.Eth, nil, 5)
	same(t, "the second's balance", w.balance(second.Eth), "105")
}

func TestMiners(t *testing.T) {
	w := begin(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
	w.must("anvil_mine", `[3]`, "")
	var one, two, more minerMade
	w.result("fvm_createMiner", ``, &one)
	w.result("fvm_createMiner", `[{"owner":"`+w.account(0)+`","sectors":"0x2","balance":"500000000000000000000"}]`, &two)
	w.result("fvm_addPower", `["`+one.Miner+`",3]`, &more)
	if one.Miner == two.Miner || len(one.Sectors) != 0 || len(two.Sectors) != 2 || fmt.Sprint(more.Sectors) != "[0 1 2]" || one.Owner != one.Worker || two.Owner == two.Worker {
		t.Errorf("%+v, %+v, %+v", one, two, more)
	}
	w.must("fvm_addPower", `["f01000"]`, "")
	w.must("evm_mine", ``, "")
	for miner, want := range map[string]int{"f01000": 3 * 2048, "f0" + one.Miner[2:]: 3 * 2048, "f0" + two.Miner[2:]: 2 * 2048} {
		same(t, "the power of "+miner, w.value("actors/f04/state/Claims/"+miner+"/RawBytePower"), fmt.Sprint(want))
	}
	same(t, "the network's power", w.value("actors/f04/state/ThisEpochRawBytePower"), fmt.Sprint(8*2048))
	w.fails("fvm_addPower", `["`+w.account(0)+`"]`, -32602, "")
}

func TestDatacap(t *testing.T) {
	w := begin(t, dev.Options{})
	a := w.account(2)
	w.must("fvm_grantDatacap", `["`+a+`","0x10000000000"]`, `"0x10000000000"`)
	w.must("fvm_grantDatacap", `["`+a+`",1099511627776]`, `"0x20000000000"`)
}

func TestEpochs(t *testing.T) {
	w := begin(t, dev.Options{})
	w.must("fvm_setEpoch", `[50]`, `"0x32"`)
	same(t, "the epoch", w.epoch(), int64(50))
	same(t, "the cron that came last", w.value("actors/f04/state/FirstCronEpoch"), "51")
	w.must("fvm_skipEpochs", `[10]`, `"0x3d"`)
	w.send(0, stranger, nil, 1)
	same(t, "the epoch", w.epoch(), int64(61))
	if b := w.n.BlockAt(55); b != nil {
		t.Error("epoch 55 has a block")
	}
	w.must("fvm_runCron", `[4]`, `"0x41"`)
	w.fails("fvm_setEpoch", `[65]`, -32602, "not above")
}

func TestSetActor(t *testing.T) {
	w := begin(t, dev.Options{})
	var m made
	w.result("fvm_setActor", `["f05555",{"code":"ethaccount","nonce":3,"balance":"0x10","delegatedAddress":"0x00000000000000000000000000000000000c0de8"}]`, &m)
	st := w.actor("f05555")
	if st.Nonce != 3 || st.Balance.Int64() != 16 || m.ID[1:] != "05555" {
		t.Errorf("%+v, %+v", st, m)
	}
	// The state of another, by its head, and of one's own, in bytes.
	c := w.actor(w.account(0))
	w.must("fvm_setActor", `["f05556",{"code":"`+c.Code.String()+`","head":"`+c.Head.String()+`"}]`, "")
	w.must("fvm_setActor", `["f05556",{"state":"0x8101"}]`, "")
	if w.actor("f05556").Head == c.Head {
		t.Error("the state was not set")
	}
}

func TestInstallBundle(t *testing.T) {
	w := begin(t, dev.Options{})
	before := w.actor(w.account(0)).Code
	var b bundleMade
	w.result("fvm_installBundle", `["v18/mainnet"]`, &b)
	if after := w.actor(w.account(0)).Code; after == before || after.String() != b.Actors["ethaccount"] {
		t.Errorf("the code of accounts is %s after %s", after, before)
	}
	w.send(0, stranger, nil, 7)
	same(t, "the balance", w.balance(stranger), "7")
	// The same by its archive.
	set, err := bundle.Open(t.Context(), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var car strings.Builder
	if err := set.Export(t.Context(), 18, "testing-fake-proofs", &car); err != nil {
		t.Fatal(err)
	}
	w.result("fvm_installBundle", `[{"car":"`+hexOf([]byte(car.String()))+`"}]`, &b)
	if after := w.actor(w.account(0)).Code; after != before {
		t.Errorf("the code of accounts is %s, not what it was", after)
	}
	w.fails("fvm_installBundle", `["v17/mainnet"]`, -32602, "version 18")
}

// An upgrade of the network migrates the state, and what goes back before it takes it back.
func TestUpgrade(t *testing.T) {
	w := begin(t, dev.Options{Genesis: genesis.Options{NetworkVersion: 27, Miners: 1}})
	w.must("anvil_mine", `[2]`, "")
	id := w.must("evm_snapshot", ``, "")
	old := w.actor(w.account(0)).Code
	var b bundleMade
	w.result("fvm_installBundle", `[{"networkVersion":28}]`, &b)
	if now := w.actor(w.account(0)).Code; now == old || now.String() != b.Actors["ethaccount"] {
		t.Errorf("the code of accounts is %s after %s", now, old)
	}
	h := w.send(0, stranger, nil, 7)
	same(t, "the exit code", int(w.executed(h).Result.ExitCode), 0)
	same(t, "the versions", fmt.Sprint(w.n.Version(2), w.n.Version(3), w.n.Version(4)), "27 28 28")
	contains(t, w.must("anvil_nodeInfo", ``, ""), `"networkVersion":28`)
	w.fails("fvm_installBundle", `[{"networkVersion":27}]`, -32602, "")
	w.must("evm_revert", `[`+id+`]`, "true")
	same(t, "the versions", fmt.Sprint(w.n.Version(2), w.n.Version(3), w.n.Version(4)), "27 27 27")
	if now := w.actor(w.account(0)).Code; now != old {
		t.Errorf("the code of accounts is %s, not what it was", now)
	}
	h = w.send(0, stranger, nil, 7)
	same(t, "the exit code", int(w.executed(h).Result.ExitCode), 0)
	w.result("fvm_installBundle", `[{"networkVersion":"0x1c"}]`, &b)
	w.must("anvil_reset", ``, "")
	same(t, "the version", fmt.Sprint(w.n.Version(1)), "27")
}

// A transaction comes out as a vector that runs, and its profile says where its gas went.
func TestExplained(t *testing.T) {
	w := begin(t, dev.Options{})
	const c = "0x00000000000000000000000000000000000c0de9"
	w.must("anvil_setCode", `["`+c+`","`+storer+`"]`, "")
	h := w.send(0, c, append(wordOf(1), wordOf(2)...), 0)
	e := w.executed(h)
	if e.Result.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", e.Result.ExitCode, e.Result.Failure)
	}
	text := w.must("fvm_extractVector", `["`+h.String()+`"]`, "")
	path := filepath.Join(t.TempDir(), "vector.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := vector.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	x, err := explain.Vector(t.Context(), v, explain.VectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Messages) != 1 || x.Messages[0].GasUsed != e.Result.GasUsed || x.Verdict == nil || !x.Matches {
		t.Errorf("the vector: %+v", x)
	}
	var m explain.Message
	w.result("fvm_gasProfile", `["`+h.String()+`"]`, &m)
	same(t, "the profile's gas", m.GasUsed, e.Result.GasUsed)
	if len(m.Calls.Calls) != 1 || m.Calls.Calls[0].Actor != "evm" {
		t.Errorf("%+v", m.Calls)
	}
	w.result("fvm_gasProfile", `[{"to":"`+c+`","data":"0x`+strings.Repeat("01", 64)+`"},"json"]`, &m)
	same(t, "the exit code of a call", int(*m.Exit), 0)
	for format, words := range map[string]string{"text": "evm", "svg": "<svg", "pprof": "H4sI"} {
		contains(t, w.must("fvm_gasProfile", `["`+h.String()+`","`+format+`"]`, ""), words)
	}
}
