package actors_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/ethabi"
)

// The constants are those of builtin-actors and fvm_shared, by version.
func TestExplainExit(t *testing.T) {
	for _, c := range []struct {
		version    int
		actor      string
		code       exitcode.ExitCode
		name, by   string
		hasMeaning string
	}{
		{18, "evm", 33, "EVM_CONTRACT_REVERTED", "evm", "reverted"},
		{18, "evm", 40, "EVM_CONTRACT_SELFDESTRUCT_FAILED", "evm", "self-destruct"},
		{18, "eam", 36, "EVM_CONTRACT_STACK_UNDERFLOW", "eam", "stack underflow"},
		{0, "evm", 39, "EVM_CONTRACT_BAD_JUMPDEST", "evm", "jump"},
		{18, "evm", 41, "", "evm", "evm has no meaning for it"},
		{18, "storagemarket", 32, "EX_DEAL_EXPIRED", "storagemarket", "expired"},
		{9, "storagemarket", 32, "", "storagemarket", "no meaning"},
		{12, "storagemarket", 33, "", "storagemarket", "no meaning"},
		{13, "storagemarket", 33, "EX_DEAL_NOT_ACTIVATED", "storagemarket", "not activated"},
		{8, "storagepower", 32, "ERR_TOO_MANY_PROVE_COMMITS", "storagepower", "too many"},
		{14, "storagepower", 32, "", "storagepower", "no meaning"},
		{8, "paymentchannel", 32, "ERR_CHANNEL_STATE_UPDATE_AFTER_SETTLED", "paymentchannel", "settled"},
		{18, "paych", 32, "ERR_CHANNEL_STATE_UPDATE_AFTER_SETTLED", "paymentchannel", "settled"},
		{18, "storageminer", 1000, "ERR_BALANCE_INVARIANTS_BROKEN", "storageminer", "balance"},
		{12, "storageminer", 1001, "", "storageminer", "no meaning"},
		{13, "storageminer", 1004, "ERR_NOTIFICATION_REJECTED", "storageminer", "rejected"},
		{18, "evm", 7, "SYS_OUT_OF_GAS", "the system", "out of gas"},
		{18, "storageminer", 16, "USR_ILLEGAL_ARGUMENT", "an actor", "illegal argument"},
		{18, "", 26, "USR_NOT_PAYABLE", "an actor", "not payable"},
		{18, "", 33, "", "an actor", "depends on which"},
		{18, "", 0, "OK", "", "ok"},
		{18, "", 3, "", "the system", "reserved"},
		{18, "", 31, "", "an actor", "reserved"},
		{18, "actor", 33, "", "actor", "the actor's own code"},
	} {
		e := actors.ExplainExit(c.version, c.actor, c.code)
		if e.Name != c.name || e.By != c.by || !strings.Contains(e.Meaning, c.hasMeaning) || e.Code != c.code {
			t.Errorf("v%d %s %d: %+v", c.version, c.actor, c.code, e)
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// revertReason is the return value of ../shared/reports's revert.car: Error("hello") in CBOR.
const revertReason = "5864" + "08c379a0" + "0000000000000000000000000000000000000000000000000000000000000020" +
	"0000000000000000000000000000000000000000000000000000000000000005" + "68656c6c6f000000000000000000000000000000000000000000000000000000"

func TestRevert(t *testing.T) {
	c, err := actors.Revert(nil, unhex(t, revertReason))
	if err != nil || c.Text != "reverted: hello" {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, bad := range []string{"08c379a0", revertReason + "00", revertReason[:20], "80"} {
		if c, err := actors.Revert(nil, unhex(t, bad)); err == nil {
			t.Errorf("%s is no string of bytes, and is read as %+v", bad, c)
		}
	}
	if c, err := actors.Revert(nil, nil); err != nil || c.Text != "reverted without a reason" {
		t.Errorf("no data: %+v, %v", c, err)
	}
}

func TestDecodeEvent(t *testing.T) {
	cborEntry := func(key, value string, flags uint64) fvm.EventEntry {
		return fvm.EventEntry{Flags: flags, Key: key, Codec: 0x51, Value: unhex(t, value)}
	}
	raw := func(key, value string) fvm.EventEntry {
		return fvm.EventEntry{Flags: 3, Key: key, Codec: 0x55, Value: unhex(t, value)}
	}
	zero32 := strings.Repeat("00", 32)
	for _, c := range []struct {
		name    string
		entries []fvm.EventEntry
		want    string
	}{
		{"a sector", []fvm.EventEntry{cborEntry("$type", "70"+"736563746f722d616374697661746564", 3), cborEntry("sector", "18c8", 3), cborEntry("unsealed-cid", "f6", 3),
			cborEntry("piece-cid", "d82a5828000181e203922020"+zero32, 3), cborEntry("piece-size", "190800", 1)},
			`{"emitter":7,"type":"sector-activated","fields":[{"key":"sector","value":200,"indexed":true},{"key":"unsealed-cid","value":null,"indexed":true},` +
				`{"key":"piece-cid","value":"baga6ea4seaqaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","indexed":true},{"key":"piece-size","value":2048,"indexed":false}]}`},
		{"a verifier", []fvm.EventEntry{cborEntry("$type", "70"+"76657269666965722d62616c616e6365", 3), cborEntry("balance", "43000800", 1)},
			`{"emitter":7,"type":"verifier-balance","fields":[{"key":"balance","value":"2048","indexed":false}]}`},
		{"a log", []fvm.EventEntry{raw("t1", zero32), raw("d", "01")}, `{"emitter":7,"log":{"selector":"0x` + zero32 + `","words":["0x01"]}}`},
		{"no log: t2 before t1", []fvm.EventEntry{raw("t2", zero32), raw("t1", zero32)},
			`{"emitter":7,"fields":[{"key":"t2","value":"0x` + zero32 + `","indexed":true},{"key":"t1","value":"0x` + zero32 + `","indexed":true}]}`},
		{"no CBOR", []fvm.EventEntry{cborEntry("a", "18", 0), cborEntry("b", "0102", 0)}, `{"emitter":7,"fields":[{"key":"a","value":"0x18","indexed":false},{"key":"b","value":"0x0102","indexed":false}]}`},
		{"below 0", []fvm.EventEntry{cborEntry("a", "3bffffffffffffffff", 0)}, `{"emitter":7,"fields":[{"key":"a","value":-18446744073709551616,"indexed":false}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := json.Marshal(actors.DecodeEvent(fvm.Event{Emitter: 7, Entries: c.entries}, nil))
			if err != nil || string(got) != c.want {
				t.Fatalf("%s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestReadEvents(t *testing.T) {
	entry := "84" + "03" + "627431" + "1855" + "4101"
	for _, c := range []struct {
		name, data string
		events     int
	}{
		{"with its emitter", "82" + "07" + "81" + entry, 1},
		{"a list", "82" + "82" + "07" + "81" + entry + "82" + "08" + "80", 2},
		{"without", "81" + entry, 1},
		{"without, as actors emit it", "81" + "81" + entry, 1},
	} {
		events, err := actors.ReadEvents(unhex(t, c.data))
		if err != nil || len(events) != c.events || events[0].Entries[0].Key != "t1" {
			t.Errorf("%s: %+v, %v", c.name, events, err)
		}
	}
	for _, bad := range []string{"", "82", "8207", "820781" + entry + "00", "a0", "9bffffffffffffffff"} {
		if events, err := actors.ReadEvents(unhex(t, bad)); err == nil {
			t.Errorf("%s is read as %+v", bad, events)
		}
	}
}

func TestDecoders(t *testing.T) {
	abi, err := ethabi.Parse([]byte(`[{"type":"function","name":"baz","inputs":[{"name":"x","type":"uint32"},{"name":"y","type":"bool"}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	baz := "cdcd77c0" + strings.Repeat("0", 62) + "45" + strings.Repeat("0", 63) + "1"
	multisig18, err := cid.Decode("bafk2bzacecgyiuanstjcdo43xkax274hmyyfiw7ju44uvcyreayonp7r3fmls")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		o      actors.DecodersOptions
		p      explain.Payload
		params bool
		want   string
	}{
		{"parameters", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "storagemarket", Method: 2, Codec: 0x51, Data: unhex(t, "420064")}, true, `"f0100"`},
		{"by the code, not the network version", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 29, Actor: "multisig", Code: multisig18, Method: 3, Codec: 0x51, Data: unhex(t, "820040")}, true, `{"ID":0,"ProposalHash":"0x"}`},
		{"a method that nobody has", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "storagemarket", Method: 99, Codec: 0x51, Data: unhex(t, "420064")}, true, `"0x0064"`},
		{"an unknown network version", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 99, Actor: "storagemarket", Method: 2, Codec: 0x51, Data: unhex(t, "420064")}, true, `"0x0064"`},
		{"bare calldata", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x55, Data: unhex(t, baz)}, true, `"0x` + baz + `"`},
		{"calldata by ABI", actors.DecodersOptions{ABI: abi}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x55, Data: unhex(t, baz)}, true, `{"baz(uint32,bool)":{"x":"69","y":true}}`},
		{"calldata in CBOR by ABI", actors.DecodersOptions{ABI: abi}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x51, Data: unhex(t, "5844"+baz)}, true, `{"baz(uint32,bool)":{"x":"69","y":true}}`},
		{"a revert", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x51, Data: unhex(t, revertReason), Exit: 33}, false, `{"Text":"reverted: hello","Error(string)":{"reason":"hello"}}`},
		{"a panic, bare", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x55, Data: unhex(t, "4e487b71"+strings.Repeat("0", 62)+"12"), Exit: 33}, false,
			`{"Text":"panicked with code 0x12: division or modulo by zero","Panic(uint256)":{"code":"18"}}`},
		{"an error without an ABI", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x51, Data: unhex(t, "44cf479181"), Exit: 33}, false,
			`{"Text":"reverted with a custom error 0xcf479181","Words":[]}`},
		{"the same bytes returned", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "evm", Method: 3844450837, Codec: 0x51, Data: unhex(t, revertReason)}, false, `"0x` + revertReason[4:] + `"`},
		{"types that do not fit", actors.DecodersOptions{}, explain.Payload{NetworkVersion: 28, Actor: "storagemarket", Method: 2, Codec: 0x51, Data: unhex(t, "820102")}, true, `"[1, 2]"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := actors.Decoders(c.o)
			decode := d.Return
			if c.params {
				decode = d.Params
			}
			v, ok := decode(c.p)
			got, err := json.Marshal(v)
			if !ok || err != nil || string(got) != c.want {
				t.Fatalf("%s, %v, %v; want %s", got, ok, err, c.want)
			}
		})
	}
}

// What is inside of bytes is shown where it is certain, and is read back; hex is taken there as well.
func TestNested(t *testing.T) {
	find := func(actor, method string) *actors.Method {
		m, err := actors.FindMethod(18, actor, method)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	tokens := "82" + "1a85223bdf" + "4f" + "86" + "18c8" + "06" + "18c9" + "4200ff" + "43828080" + "4101"
	tokensJSON := `{"Type_":2233613279,"Payload":{"FRC46TokenReceived":{"From":200,"To":6,"Operator":201,"Amount":"255","OperatorData":{"AllocationRequests":{"Allocations":[],"Extensions":[]}},"TokenData":"0x01"}}}`
	for _, c := range []struct{ name, actor, method, data, want string }{
		{"tokens to the registry", "verifreg", "UniversalReceiverHook", tokens, tokensJSON},
		{"tokens to a multisig", "multisig", "UniversalReceiverHook", tokens, tokensJSON},
		{"tokens to a contract", "evm", "Receive", tokens, tokensJSON},
		{"of another kind", "evm", "Receive", "8207430102ff", `{"Type_":7,"Payload":"0x0102ff"}`},
		{"tokens that are none", "evm", "Receive", "821a85223bdf43010203", `{"Type_":2233613279,"Payload":"0x010203"}`},
		{"a proposal", "multisig", "Propose", "844200054002" + "43" + "420064", `{"To":"f05","Value":"0","Method":2,"Params":{"storagemarket.AddBalance":"f0100"}}`},
		{"a proposal to somebody", "multisig", "Propose", "844300e8074002" + "43" + "420064", `{"To":"f01000","Value":"0","Method":2,"Params":"0x420064"}`},
		{"a proposal of a method that nobody has", "multisig", "Propose", "8442000540186343420064", `{"To":"f05","Value":"0","Method":99,"Params":"0x420064"}`},
		{"a proposal that sends", "multisig", "Propose", "8442000541000040", `{"To":"f05","Value":"0","Method":0,"Params":"0x"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := find(c.actor, c.method)
			v, err := m.DecodeParams(unhex(t, c.data))
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "a proposal that sends" { // zero is no bytes on chain, and these are one
				if !strings.Contains(v.Note, "do not fit") && !strings.Contains(v.Note, "shortest") {
					t.Fatalf("%+v", v)
				}
				return
			}
			text, err := json.Marshal(v.JSON)
			if err != nil || string(text) != c.want {
				t.Fatalf("%s, %v, %s\nwant %s", text, err, v.Note, c.want)
			}
			if data, err := m.EncodeParams(text); err != nil || hex.EncodeToString(data) != c.data {
				t.Fatalf("became %x, %v", data, err)
			}
		})
	}
	m := find("multisig", "Propose")
	for _, c := range []struct{ params, want string }{
		{`{"storagemarket.WithdrawBalance":{"ProviderOrClientAddress":"f01","Amount":"0"}}`, "parameters of method 3 (storagemarket.WithdrawBalance), and the call is of method 2"},
		{`{"storageminer.ControlAddresses":null}`, "these are parameters of storageminer, and the receiver is storagemarket"},
		{`{"storagemarket.AddBalance":"f01","x":1}`, "want bytes in hex"},
		{`{"AddBalance":"f01"}`, "want bytes in hex"},
		{`{"storagemarket.Nothing":"f01"}`, `no method "Nothing"`},
		{`{}`, "want bytes in hex"},
	} {
		text := `{"To":"f05","Value":"0","Method":2,"Params":` + c.params + `}`
		if data, err := m.EncodeParams([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %x, %v; want %s", c.params, data, err, c.want)
		}
	}
	// The kind of another receiver is known to the writer alone.
	data, err := m.EncodeParams([]byte(`{"To":"f01000","Value":"0","Method":23,"Params":{"storageminer.ChangeOwnerAddress":"f0100"}}`))
	if err != nil || hex.EncodeToString(data) != "844300e807401743420064" {
		t.Errorf("%x, %v", data, err)
	}
}
