package decoding_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

const (
	zero12   = "000000000000000000000000"
	transfer = "a9059cbb" + zero12 + "ff00000000000000000000000000000000000064" + "00000000000000000000000000000000000000000000000000000000000003e8"
	reason   = "08c379a0" + "0000000000000000000000000000000000000000000000000000000000000020" +
		"0000000000000000000000000000000000000000000000000000000000000005" + "68656c6c6f000000000000000000000000000000000000000000000000000000"
	broke = "cf479181" + "000000000000000000000000000000000000000000000000000000000000000a" + "0000000000000000000000000000000000000000000000000000000000000064"
)

// TestOutput has what people type and what they see.
func TestOutput(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want []string // parts of the output
	}{
		{"parameters by name", []string{"decode", "params", "--actor", "storagemarket", "--method", "AddBalance", "--actors", "v16", "0x420064"}, []string{"storagemarket · AddBalance (method 2), actors v16", "3 bytes, from hex", `"f0100"`}},
		{"by number, address and network version", []string{"decode", "params", "--actor", "t05", "--method", "3", "--nv", "25", "0x824200644200c8"}, []string{"WithdrawBalance", "actors v16", `"Amount": "200"`}},
		{"by code", []string{"decode", "params", "--actor", "bafk2bzacecgyiuanstjcdo43xkax274hmyyfiw7ju44uvcyreayonp7r3fmls", "--method", "Approve", "0x820740"}, []string{"multisig · Approve", "actors v18", `"ID": 7`, "actors v18 and v19 have this code"}},
		{"base64", []string{"decode", "params", "--actor", "market", "--method", "AddBalance", "base64:QgBk"}, []string{"3 bytes, from base64", `"f0100"`}},
		{"value alone", []string{"decode", "params", "--actor", "market", "--method", "WithdrawBalance", "--to", "json", "0x824200644200c8"}, []string{"{\n  \"ProviderOrClientAddress\": \"f0100\",\n  \"Amount\": \"200\"\n}\n"}},
		{"diagnostic notation", []string{"decode", "params", "--actor", "market", "--method", "WithdrawBalance", "--to", "diag", "0x824200644200c8"}, []string{"[h'0064', h'00c8']\n"}},
		{"types that do not fit", []string{"decode", "params", "--actor", "market", "--method", "WithdrawBalance", "0x8142ff00"}, []string{"[h'ff00']", "note: these data do not fit market.WithdrawBalanceParams of go-state-types: want a list of 2. The actors' own code may take them"}},
		{"a method that is gone", []string{"decode", "params", "--actor", "miner", "--method", "DeclareFaults", "--actors", "18", "0x8180"}, []string{`"Faults": []`}},
		{"an old method", []string{"decode", "params", "--actor", "miner", "--method", "ProveCommitSector", "--actors", "18", "0x820740"}, []string{`"SectorNumber": 7`, "no such method (actors have it until v13): the network answers exit code 22"}},
		{"no data", []string{"decode", "params", "--actor", "miner", "--method", "ControlAddresses", "0x"}, []string{"no data, and none belongs there"}},
		{"v19 by its network version", []string{"decode", "params", "--actor", "reward", "--method", "ThisEpochReward", "--nv", "29", "0x"}, []string{"actors v19", "for which say --actors v18"}},
		{"tokens inside", []string{"decode", "params", "--actor", "verifreg", "--method", "UniversalReceiverHook", "0x82" + "1a85223bdf" + "4f" + "86" + "18c8" + "06" + "18c9" + "4200ff" + "43828080" + "4101"},
			[]string{`"FRC46TokenReceived": {`, `"AllocationRequests": {`, `"Amount": "255"`, `"TokenData": "0x01"`}},
		{"return", []string{"decode", "return", "--actor", "miner", "--method", "GetOwner", "0x824300c80180"}, []string{"[h'00c801', []]", "do not fit miner.GetOwnerReturn of go-state-types"}},
		{"return with null", []string{"decode", "return", "--actor", "miner", "--method", "GetOwner", "0x824300c801f6"}, []string{`"Owner": "f0200"`, `"Proposed": null`}},
		{"calldata in parameters", []string{"decode", "params", "--actor", "evm", "--method", "InvokeEVM", "--abi", "testdata/Token.json", "0x5844" + transfer}, []string{"InvokeContract", `"name": "transfer"`, `"amount": "1000"`}},
		{"calldata", []string{"decode", "calldata", "--abi", "testdata/Token.json", "0x" + transfer}, []string{"transfer(address,uint256)", "not in CBOR", `"to": "0xff00000000000000000000000000000000000064"`}},
		{"calldata in CBOR", []string{"decode", "calldata", "0x5844" + transfer}, []string{"0xa9059cbb\n", ", in CBOR"}},
		{"calldata by signature", []string{"decode", "calldata", "--function", "transfer(address to, uint256 amount)", "0x" + transfer}, []string{"transfer(address,uint256)", `"amount": "1000"`}},
		{"what a function returned", []string{"decode", "result", "--function", "balanceOf(address)(uint256)", "0x5820" + transfer[72:]}, []string{"balanceOf(address)", `"0": "1000"`}},
		{"what a function of the ABI returned", []string{"decode", "result", "--abi", "testdata/Token.json", "--function", "transfer", "0x" + strings.Repeat("0", 63) + "1"}, []string{`"0": true`}},
		{"encode calldata by signature", []string{"encode", "calldata", "--function", "transfer(address,uint256)", `["f0100","1000"]`}, []string{"0x" + transfer + "\n"}},
		{"a reason", []string{"decode", "revert", "0x5864" + reason}, []string{"reverted: hello", ", in CBOR"}},
		{"a reason, bare", []string{"decode", "revert", "0x" + reason}, []string{"reverted: hello", "not in CBOR"}},
		{"a custom error", []string{"decode", "revert", "--abi", "testdata/Token.json", "0x" + broke}, []string{`reverted with InsufficientBalance(available: "10", required: "100")`}},
		{"exit code", []string{"decode", "exit-code", "--actor", "evm", "33"}, []string{"33: contract reverted (EVM_CONTRACT_REVERTED), by evm\n"}},
		{"exit code of a version", []string{"decode", "exit-code", "--actor", "power", "--actors", "v14", "32"}, []string{"storagepower has no meaning for it"}},
		{"address", []string{"decode", "address", "0x0426d88556bf538d6eefea76f16386fcd8ca5353"}, []string{"f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq\n", "namespace 10", "payload 0x0426d88556bf538d6eefea76f16386fcd8ca5353"}},
		{"masked id", []string{"decode", "address", "0xff00000000000000000000000000000000000064"}, []string{"f0100\n"}},
		{"bytes of an address", []string{"decode", "address", "0x4300e807"}, []string{"f01000\n"}},
		{"cid of code", []string{"decode", "cid", "bafk2bzacecgyiuanstjcdo43xkax274hmyyfiw7ju44uvcyreayonp7r3fmls"}, []string{"codec 0x55 raw", "multihash 0xb220 blake2b-256, 32 bytes", "code of multisig, actors v18, v19"}},
		{"cid of a node's JSON", []string{"decode", "cid", `{"/":"bafk2bzacecgyiuanstjcdo43xkax274hmyyfiw7ju44uvcyreayonp7r3fmls"}`}, []string{"code of multisig, actors v18, v19"}},
		{"by the code in a node's JSON", []string{"decode", "params", "--actor", `{"/":"bafk2bzacecgyiuanstjcdo43xkax274hmyyfiw7ju44uvcyreayonp7r3fmls"}`, "--method", "Approve", "0x820740"}, []string{"multisig · Approve"}},
		{"by a masked id", []string{"decode", "params", "--actor", "0xff00000000000000000000000000000000000005", "--method", "2", "0x420064"}, []string{"storagemarket · AddBalance"}},
		{"cid in CBOR", []string{"decode", "cid", "0xd82a5827000155a0e402208d84500d94d221bb9bba817d7f876630545be9a7394a8b112030e6bff1d958b9"}, []string{"bafk2bzacecgyiuanstjcdo43xkax274hmyyfiw7ju44uvcyreayonp7r3fmls\n"}},
		{"cid of version 0", []string{"decode", "cid", "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"}, []string{"version 0", "codec 0x70 dag-pb", "sha2-256, 32 bytes"}},
		{"bitfield", []string{"decode", "bitfield", "0x42b494"}, []string{"0-4,7\n6 members\n"}},
		{"event", []string{"decode", "event", "0x82078284036524747970651851" + "4f6e" + "6465616c2d616374697661746564" + "840362696418514105"}, []string{"deal-activated, by f07\n  id: 5\n"}},
		{"log by ABI", []string{"decode", "event", "--abi", "testdata/Token.json", `{"address":"0xff00000000000000000000000000000000000064","topics":["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef","0x` +
			zero12 + `1111111111111111111111111111111111111111","0x` + zero12 + `2222222222222222222222222222222222222222"],"data":"0x00000000000000000000000000000000000000000000000000000000000003e8"}`},
			[]string{"Transfer(address,address,uint256), by f0100", `value: "1000"`}},
		{"event of a node", []string{"decode", "event", `{"emitter":"f01000","entries":[{"Flags":3,"Key":"$type","Codec":81,"Value":"ZWNsYWlt"},{"Flags":3,"Key":"id","Codec":81,"Value":"BQ=="}]}`}, []string{"claim, by f01000", "id: 5"}},
		{"event of nobody", []string{"decode", "event", `[{"entries":[]}]`}, []string{"event\n"}},
		{"another contract's calldata", []string{"decode", "calldata", "--function", "transfer(address,uint256)", "0xdeadbeef"}, []string{"0xdeadbeef\n", "no function of the ABI has this selector"}},
		{"exit code of nobody", []string{"decode", "exit-code", "40"}, []string{"name the actor\n"}},
		{"exit code without a meaning", []string{"decode", "exit-code", "32", "--actor", "datacap"}, []string{"datacap has no meaning for it\n"}},
		{"signed message", []string{"encode", "message", "--signed", "82" + bareMessage + "584201" + strings.Repeat("ab", 65)}, []string{"0x82" + bareMessage + "584201" + strings.Repeat("ab", 65) + "\n"}},
		{"signed message, without it", []string{"encode", "message", "82" + bareMessage + "584201" + strings.Repeat("ab", 65)}, []string{"0x" + bareMessage + "\n"}},
		{"cbor", []string{"decode", "cbor", "0x83f5f9c4006161"}, []string{"[true, -4.0, \"a\"]\n"}},
		{"methods", []string{"decode", "methods", "--actor", "market", "--actors", "v16"}, []string{"         4  PublishStorageDeals\n", "2236929350  PublishStorageDealsExported\n", `takes {"Deals":[{"Proposal":{`}},
		{"template", []string{"encode", "params", "--actor", "miner", "--method", "TerminateSectors", "--template"}, []string{`"Sectors": ""`}},
		{"encode", []string{"encode", "params", "--actor", "market", "--method", "AddBalance", `"f0100"`}, []string{"0x420064\n"}},
		{"encode with an address of Ethereum", []string{"encode", "params", "--actor", "market", "--method", "AddBalance", `"0xff00000000000000000000000000000000000064"`}, []string{"0x420064\n"}},
		{"encode to base64", []string{"encode", "params", "--actor", "market", "--method", "AddBalance", "--to", "base64", `"f0100"`}, []string{"QgBk\n"}},
		{"encode calldata", []string{"encode", "calldata", "--abi", "testdata/Token.json", "--function", "transfer", `["f0100","1000"]`}, []string{"0x" + transfer + "\n"}},
		{"encode calldata, wrapped", []string{"encode", "calldata", "--abi", "testdata/Token.json", "--function", "transfer", "--wrap", `{"to":"f0100","amount":1000}`}, []string{"0x5844" + transfer + "\n"}},
		{"encode address", []string{"encode", "address", "f01000"}, []string{"0x00e807\n"}},
		{"encode bitfield", []string{"encode", "bitfield", "0-4,7"}, []string{"0x42b494\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := edgefvm.Run(t, c.args...)
			if r.Code != kit.ExitOK {
				t.Fatalf("exit code %d: %s", r.Code, r.Err)
			}
			for _, w := range c.want {
				if !strings.Contains(r.Out, w) {
					t.Errorf("the output lacks %q:\n%s", w, r.Out)
				}
			}
		})
	}
}

// bareMessage is a transfer of 1 attoFIL from f0100 to f0101 in CBOR.
const bareMessage = "8a0042006542006418244200011a00989680420064400040"

// TestErrors has what is refused, and how.
func TestErrors(t *testing.T) {
	letters := clitest.WriteTo(t, filepath.Join(t.TempDir(), "letters"), []byte("Cxyz"))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a kind that is none", []string{"decode", "param", "x"}, kit.ExitUsage, "did you mean params?"},
		{"an actor that is none", []string{"decode", "params", "--actor", "storagemarkt", "--method", "2", "0x00"}, kit.ExitUsage, "did you mean storagemarket?"},
		{"an actor of another version", []string{"decode", "params", "--actor", "evm", "--actors", "v9", "--method", "2", "0x00"}, kit.ExitUsage, `actors v9 have no "evm"`},
		{"a method that is none", []string{"decode", "params", "--actor", "market", "--method", "AddBalanc", "0x00"}, kit.ExitUsage, "did you mean AddBalance"},
		{"no actor", []string{"decode", "params", "--method", "2", "0x00"}, kit.ExitUsage, "--actor is missing: one of account, "},
		{"no method", []string{"decode", "params", "--actor", "market", "0x00"}, kit.ExitUsage, "--method is missing"},
		{"an address without a kind", []string{"decode", "params", "--actor", "f01234", "--method", "2", "0x00"}, kit.ExitUsage, "stands in the state"},
		{"both versions", []string{"decode", "params", "--actor", "market", "--method", "2", "--nv", "20", "--actors", "v11", "0x00"}, kit.ExitUsage, "leave one out"},
		{"a version too new", []string{"decode", "params", "--actor", "market", "--method", "2", "--actors", "v20", "0x00"}, kit.ExitUsage, "want v8 to v19"},
		{"a network version that is none", []string{"decode", "params", "--actor", "market", "--method", "2", "--nv", "99", "0x00"}, kit.ExitUsage, "network version 99"},
		{"cut", []string{"decode", "params", "--actor", "market", "--method", "2", "0x4200"}, kit.ExitFailed, "not one item of CBOR"},
		{"a signature that is none", []string{"encode", "message", "--signed", "0x" + bareMessage}, kit.ExitUsage, "it has none"},
		{"how much is behind it", []string{"decode", "cbor", "0x8000"}, kit.ExitFailed, "not one item of CBOR: it ends at byte 1 of 2"},
		{"a cut CID", []string{"decode", "cid", "bafy2bzacec"}, kit.ExitUsage, "is no CID: is it cut, or was a letter changed?"},
		{"more behind it", []string{"decode", "params", "--actor", "market", "--method", "2", "0x42006400"}, kit.ExitFailed, "not one item of CBOR"},
		{"two readings", []string{"decode", "params", "--actor", "market", "--method", "2", "42006400"}, kit.ExitUsage, "it is hex of 4 bytes and base64 of 6 bytes"},
		{"JSON", []string{"decode", "params", "--actor", "market", "--method", "2", `{"a":1}`}, kit.ExitUsage, "'edgefvm encode' makes bytes of JSON"},
		{"no JSON of it", []string{"decode", "params", "--actor", "market", "--method", "3", "--to", "json", "0x8142ff00"}, kit.ExitFailed, "there is no JSON of it"},
		{"an unknown form", []string{"decode", "params", "--actor", "market", "--method", "3", "--to", "jso", "0x80"}, kit.ExitUsage, "did you mean json?"},
		{"calldata or CBOR", []string{"decode", "calldata", "0x5822" + strings.Repeat("00", 34)}, kit.ExitUsage, "say --wrapped or --bare"},
		{"an ABI that is none", []string{"decode", "calldata", "--abi", "main_test.go", "0x00000000"}, kit.ExitFailed, "--abi main_test.go: ABI: "},
		{"an ABI that is not there", []string{"decode", "calldata", "--abi", "Token.jso", "0x00000000"}, kit.ExitFailed, "--abi: "},
		{"an actor whose package is called so, nearly", []string{"decode", "params", "--actor", "minr", "--method", "1", "0x80"}, kit.ExitUsage, "did you mean miner?"},
		{"an actor that is like none", []string{"decode", "params", "--actor", "oracle", "--method", "1", "0x80"}, kit.ExitUsage, "known: account, cron"},
		{"a string of bytes that is text", []string{"decode", "params", "--actor", "evm", "--method", "InvokeEVM", letters}, kit.ExitUsage, "may be meant as they are"},
		{"a code that is none", []string{"decode", "exit-code", "x"}, kit.ExitUsage, "no exit code"},
		{"a cid that is none", []string{"decode", "cid", "bafy2bzace"}, kit.ExitUsage, "no CID"},
		{"an address with a letter changed", []string{"decode", "address", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcr"}, kit.ExitUsage, "it is not written as addresses are"},
		{"encode: unknown field", []string{"encode", "params", "--actor", "market", "--method", "3", `{"ProviderOrClientAddress":"f01","Amount":"1","Fee":1}`}, kit.ExitFailed, "Fee: unknown field; known: ProviderOrClientAddress, Amount"},
		{"encode: missing field", []string{"encode", "params", "--actor", "market", "--method", "3", `{"Amount":"1"}`}, kit.ExitFailed, "ProviderOrClientAddress: missing"},
		{"encode: a bare word", []string{"encode", "params", "--actor", "market", "--method", "2", `f0100`}, kit.ExitFailed, `'"f0100"'`},
		{"encode: an unknown function", []string{"encode", "calldata", "--abi", "testdata/Token.json", "--function", "transfr", `[]`}, kit.ExitUsage, `the ABI has no function "transfr"`},
		{"encode: a name without an ABI", []string{"encode", "calldata", "--function", "transfer", `[]`}, kit.ExitUsage, "a name alone needs --abi"},
		{"encode: a type that is none", []string{"encode", "calldata", "--function", "transfer(adress)", `[]`}, kit.ExitUsage, `unknown type "adress"`},
		{"result: cut", []string{"decode", "result", "--function", "f()(uint256)", "0x00"}, kit.ExitFailed, "the data end at byte 1"},
		{"encode: members out of order", []string{"encode", "bitfield", "4,1"}, kit.ExitUsage, "ascending"},
		{"event: nothing of the kind", []string{"decode", "event", `{"a":1}`}, kit.ExitFailed, `"entries"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := edgefvm.Run(t, c.args...)
			if r.Code != c.code || !strings.Contains(r.Err, c.want) || r.Out != "" {
				t.Fatalf("exit code %d, want %d and %q\n%s%s", r.Code, c.code, c.want, r.Out, r.Err)
			}
		})
	}
}

// What decode prints alone, encode reads; from a file too.
func TestThereAndBack(t *testing.T) {
	for _, c := range []struct{ kind, actor, method, data string }{
		{"params", "market", "WithdrawBalance", "0x824200644200c8"},
		{"params", "miner", "TerminateSectors", "0x8181830000425002"},
		{"return", "account", "PubkeyAddress", "0x55011dd1cb3b6b7a5e3a3a3a3a3a3a3a3a3a3a3a3a3a"},
		{"params", "multisig", "Propose", "0x8442000540024342" + "0064"},
	} {
		out := edgefvm.OK(t, "decode", c.kind, "--actor", c.actor, "--method", c.method, "--to", "json", c.data)
		file := filepath.Join(t.TempDir(), "value.json")
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		if back := edgefvm.OK(t, "encode", c.kind, "--actor", c.actor, "--method", c.method, file); strings.TrimSpace(back) != c.data {
			t.Errorf("%s became %s by %s", c.data, back, out)
		}
	}
}

// A message of a node's JSON in which the method and the parameters are in words is the same in CBOR.
func TestMessage(t *testing.T) {
	text := edgefvm.OK(t, "encode", "message", `{"Version":0,"To":"f05","From":"f0100","Nonce":3,"Value":"0","GasLimit":1,"GasFeeCap":"0","GasPremium":"0","Method":3,"Params":"gkIAZEIAyA=="}`)
	out := edgefvm.OK(t, "decode", "message", "--json", strings.TrimSpace(text))
	var v struct {
		Message map[string]any `json:"message"`
		Method  struct{ Name string }
		Params  map[string]any
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	if v.Method.Name != "WithdrawBalance" || v.Params["Amount"] != "200" || v.Message["Params"] != "0x824200644200c8" {
		t.Fatalf("%s", out)
	}
}

// An INPUT that is missing is told, whatever flags stand before it in the help.
func TestMissingInput(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"decode params --actor market --method 2", "decode params needs INPUT"},
		{"decode return --actor market --method 2", "decode return needs INPUT"},
		{"encode params --actor market --method 2", "encode params needs INPUT"},
		{"encode calldata --function f()", "encode calldata needs INPUT"},
		{"decode result --function f()", "decode result needs INPUT"},
		{"decode exit-code --actor evm", "decode exit-code needs CODE"},
		{"decode exit-code 1 2", "decode exit-code takes CODE, not 2 arguments"},
		{"encode params --template x", `encode params takes INPUT, not 1 argument`},
		{"decode methods x", `decode methods takes no arguments, and "x" is one`},
		{"decode cid", "decode cid needs CID"},
		{"decode message a b", "decode message takes INPUT, not 2 arguments"},
	} {
		edgefvm.Fails(t, kit.ExitUsage, strings.Fields(c.args), c.want)
	}
}
