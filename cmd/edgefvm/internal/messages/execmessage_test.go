package messages_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/messages"
	"github.com/edgefvm/fvm/vector"
)

// on is the beginning of a command line on a state of testdata/text. The limit is the one of the reports' values.
func on(state string, more ...string) []string {
	return append([]string{"exec", "--car", "testdata/text/" + state, "--nv", "28", "--epoch", "5800000", "--timestamp", "1772306400", "--json"}, more...)
}

type written struct {
	receipt
	Read      []string
	Signature struct {
		Type  string
		Bytes int
		Gas   int64
		Why   string
	}
	Message struct {
		From     string
		To       string
		Method   uint64
		Params   string
		ChainLen int `json:"chain_len"`
	}
}

// The values of gas and of roots are the reference's (fvm 4.8.4), for messages without a signature; each byte of one on the
// chain costs 1,300.
const (
	perByte  = 1300
	signedBy = 69 * perByte

	echoGas  = 2229615
	echoRoot = "bafy2bzacecb7bghnlike2eqj3g4ac4zud7fowjipnwo34kyzqeccrwvcqm66w"
)

// The same parameters, however they are written.
func TestExecParamsForms(t *testing.T) {
	clitest.NeedBundles(t)
	raw := clitest.ReadFrom(t, "testdata/text/params.bin")
	digits := hex.EncodeToString(raw)
	call := []string{"--from", "f0114", "--to", "f0119", "--method", "InvokeContract", "--gas-limit", "10000000000"}
	for _, tt := range []struct {
		name string
		args []string
		read string
	}{
		{"the bytes", []string{"--params", "testdata/text/params.bin"}, "params: 91 bytes, from a file"},
		{"hex on lines", []string{"--params", "testdata/text/wrapped.hex"}, "params: 91 bytes, from hex in a file"},
		{"hex with a space", []string{"--params", "testdata/text/spaced.hex"}, "params: 91 bytes, from hex in a file"},
		{"hex", []string{"--params", digits}, "params: 91 bytes, from hex"},
		{"hex that says so", []string{"--params", "hex:" + digits}, "params: 91 bytes, from hex"},
		{"JSON, by the method", []string{"--params", `"` + "0x" + digits + `"`}, "params: 91 bytes, from hex in quotes"},
	} {
		r := clitest.FromJSON[written](t, edgefvm.OK(t, on("echo.car", append(call, tt.args...)...)...))
		if r.GasUsed != echoGas+signedBy || r.Root != echoRoot || r.Return != digits || len(r.Read) != 1 || r.Read[0] != tt.read {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
	// Calldata are wrapped, and the method is known.
	r := clitest.FromJSON[written](t, edgefvm.OK(t, on("echo.car", "--from", "f0114", "--to", "0xff00000000000000000000000000000000000077", "--gas-limit", "10000000000", "--calldata", "0x"+digits[4:])...))
	if r.GasUsed != echoGas+signedBy || r.Message.Params != digits || r.Message.Method != 3844450837 || r.Message.To != "f0119" {
		t.Errorf("calldata: %+v", r)
	}
	// Nothing is not wrapped, as nodes have it.
	r = clitest.FromJSON[written](t, edgefvm.OK(t, on("echo.car", "--from", "f0114", "--to", "f0119", "--calldata", "0x")...))
	if r.Message.Params != "" || r.Message.Method != 3844450837 || r.Return != "40" {
		t.Errorf("no calldata: %+v", r)
	}
	text := edgefvm.OK(t, append(on("echo.car", call...), "--json=false", "--params", "testdata/text/wrapped.hex")...)
	for _, want := range []string{"params       91 bytes, from hex in a file\n", "signature    delegated, 69 bytes counted, as on the chain: the key of f0114 is f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq\n             (89,700 gas; without it: --signature-type none)\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
}

// A JSON string is what the receiver's method takes, or the bytes' hex or base64: AddBalance takes an address.
func TestExecParamsInQuotes(t *testing.T) {
	clitest.NeedBundles(t)
	call := func(to, method, params string) []string {
		return on("state.car", "--from", "f0100", "--to", to, "--method", method, "--params", params)
	}
	for _, tt := range []struct{ name, to, method, params, want, read string }{
		{"an address", "f05", "AddBalance", `"f0100"`, "420064", "params: 7 bytes of JSON, encoded to 3"},
		{"an address after json:", "f05", "AddBalance", `json:"f0100"`, "420064", "params: 7 bytes of JSON, encoded to 3"},
		{"an address that could be base64", "f05", "AddBalance", `"f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq"`, "56040a0426d88556bf538d6eefea76f16386fcd8ca5353", "params: 46 bytes of JSON, encoded to 23"},
		{"hex", "f05", "AddBalance", `"0x420064"`, "420064", "params: 3 bytes, from hex in quotes"},
		{"base64", "f05", "AddBalance", `"QgBk"`, "420064", "params: 3 bytes, from base64 in quotes"},
		{"hex of something else", "f05", "AddBalance", `"0x01"`, "01", "params: 1 byte, from hex in quotes"},
		{"a number that could be hex", "f02", "UpdateNetworkKPI", `"1000"`, "430003e8", "params: 6 bytes of JSON, encoded to 4"},
		{"a long number that could be hex", "f02", "UpdateNetworkKPI", `"10000000000000000000000000000000"`, "4e007e37be2022c0914b2680000000", "params: 34 bytes of JSON, encoded to 15"},
		{"bytes for a transfer", "f0101", "Send", `"0x01"`, "01", "params: 1 byte, from hex in quotes"},
	} {
		r := clitest.FromJSON[written](t, edgefvm.Run(t, call(tt.to, tt.method, tt.params)...).Out)
		if r.Message.Params != tt.want || len(r.Read) != 1 || r.Read[0] != tt.read {
			t.Errorf("%s: %s, %q", tt.name, r.Message.Params, r.Read)
		}
	}
	edgefvm.Fails(t, kit.ExitUsage, call("f05", "AddBalance", `"zzz"`), "addresses begin with f", "and as bytes, the JSON string: neither hex")
	edgefvm.Fails(t, kit.ExitUsage, call("f0101", "Send", `"f0100"`), "a transfer takes no parameters", "an odd number of digits, 5")
}

// A message as nodes show it, and the same on the chain.
func TestExecMessageJSON(t *testing.T) {
	clitest.NeedBundles(t)
	const gas, root = 1162563, "bafy2bzacebbuciodj44xsdwaew65pbu3mjrirsz6lk52tqiu6ibnm4v6jrbgc" // of the reference, with a signature
	bare := string(clitest.ReadFrom(t, "testdata/text/message.json"))
	signature := strings.Repeat("ab", 65)
	const cbor = "8a0042006542006418244200011a00989680420064400040"
	for _, tt := range []struct{ name, message, signature string }{
		{"a file", "testdata/text/message.json", "secp256k1"},
		{"itself", bare, "secp256k1"},
		{"CBOR in hex", "0x" + cbor, "secp256k1"},
		{"signed, JSON", `{"Message":` + bare + `,"Signature":{"Type":1,"Data":"0x` + signature + `"}}`, "secp256k1"},
		{"signed, CBOR", "82" + cbor + "584201" + signature, "secp256k1"},
		{"signed by BLS, CBOR", "82" + cbor + "586102" + strings.Repeat("ab", 96), "bls"},
	} {
		r := clitest.FromJSON[written](t, edgefvm.OK(t, on("state.car", "--message", tt.message)...))
		want := int64(gas)
		if tt.signature == "bls" {
			want -= signedBy
		}
		if r.GasUsed != want || r.Root != root || r.Signature.Type != tt.signature {
			t.Errorf("%s: %+v", tt.name, r)
		}
		if other := strings.Contains(strings.Join(r.Read, "; "), "its signature is bls, and the sender's key makes secp256k1"); other != (tt.signature == "bls") {
			t.Errorf("%s: read %q", tt.name, r.Read)
		}
	}
	r := clitest.FromJSON[written](t, edgefvm.OK(t, on("state.car", "--message", strings.Replace(bare, "{", `{"height":7,`, 1))...))
	if len(r.Read) != 2 || r.Read[1] != "message: passed over: height" {
		t.Errorf("another field: %v", r.Read)
	}
}

// Who signs is decided by the key of the account.
func TestExecSignature(t *testing.T) {
	clitest.NeedBundles(t)
	const f1 = "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y" // of f0100
	send := func(state, from string, more ...string) written {
		r := edgefvm.Run(t, on(state, append([]string{"--from", from, "--to", "f0101", "--value", "1", "--gas-limit", "10000000000"}, more...)...)...)
		return clitest.FromJSON[written](t, r.Out)
	}
	const bare = 1078063 // gas of a transfer from f0100, by the reference
	for _, tt := range []struct {
		name, from string
		more       []string
		gas        int64
		of, why    string
	}{
		{"an ID", "f0100", nil, bare + signedBy, "secp256k1", "the key of f0100 is " + f1},
		{"its key's address", f1, nil, bare + signedBy + 19*perByte, "secp256k1", "the key of " + f1},
		{"none", "f0100", []string{"--signature-type", "none"}, bare, "none", "--signature-type"},
		{"another", "f0100", []string{"--signature-type", "bls"}, bare, "bls", "--signature-type"},
		{"the length", "f0100", []string{"--chain-len", "100"}, 0, "none", "--chain-len is the whole length"},
		{"BLS", "f0108", nil, 0, "bls", "the key of f0108 is f3"},
		{"Ethereum", "f0114", nil, 0, "delegated", "the key of f0114 is f410f"},
		{"Ethereum's form", "0x0426d88556bf538d6eefea76f16386fcd8ca5353", nil, 0, "delegated", "the key of f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq"},
		{"the system", "f00", nil, 0, "none", "f00 is of kind system, which cannot sign"},
		{"a contract", "f0119", nil, 0, "none", "f0119 is of kind evm, which cannot sign"},
		{"nobody", "f0999999", nil, 0, "none", "the state has no f0999999"},
		{"a key that nobody has", "f1tmuunahahpep7ajobtlryxcrqwh7tz7epn2wtma", nil, 0, "secp256k1", "by the address f1tmuu"},
	} {
		r := send("echo.car", tt.from, tt.more...)
		if tt.gas != 0 && r.GasUsed != tt.gas || r.Signature.Type != tt.of || !strings.HasPrefix(r.Signature.Why, tt.why) {
			t.Errorf("%s: %d gas, %+v", tt.name, r.GasUsed, r.Signature)
		}
		want := int64(r.Signature.Bytes * perByte)
		if r.GasUsed == 0 { // the message was not included
			want = 0
		}
		if r.Signature.Gas != want || tt.gas == bare+signedBy && want != signedBy {
			t.Errorf("%s: the signature took %d gas, want %d", tt.name, r.Signature.Gas, want)
		}
	}
}

// A state that was cut down to what a message reads need not have what tells the sender's actor: this one is refused before, by the
// reference too.
func TestExecSenderNotInTheFile(t *testing.T) {
	clitest.NeedBundles(t)
	v, err := vector.Load(clitest.Golden("nv28-sendedge-020"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := v.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	car := clitest.WriteTo(t, filepath.Join(t.TempDir(), "state.car"), v.CAR())
	r := clitest.FromJSON[written](t, edgefvm.Run(t, "exec", "--json", "--car", car, "--root", v.PreRoot().String(), "--nv", "28", "--epoch", fmt.Sprint(cfg.Epoch),
		"--message", "hex:"+hex.EncodeToString(v.Messages()[0].Bytes)).Out)
	if want := v.Receipts()[0]; int64(r.ExitCode) != *want.ExitCode || r.GasUsed != *want.GasUsed || r.Signature.Type != "secp256k1" || r.Signature.Bytes != 69 {
		t.Errorf("%+v", r)
	}
}

// A transaction that a wallet signed is the message that a node makes of it.
func TestExecEthereumTransaction(t *testing.T) {
	clitest.NeedBundles(t)
	var all []struct {
		Name, Raw string
		Length    int
		JSON      struct{ Message struct{ From string } }
	}
	if err := json.Unmarshal(clitest.ReadFrom(t, "../../../../node/textform/testdata/lotus.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Name != "155 25" { // its nonce is 0, and one FIL is enough
			continue
		}
		funded := filepath.Join(t.TempDir(), "funded.car")
		edgefvm.OK(t, on("state.car", "--from", "f0100", "--to", e.JSON.Message.From, "--value", "1 FIL", "--out", funded)...)
		args := []string{"exec", "--car", funded, "--nv", "28", "--epoch", "5800001", "--json", "--message"}
		r := clitest.FromJSON[written](t, edgefvm.Run(t, append(args, "0x"+e.Raw)...).Out)
		if r.ExitCode != 5 || r.Message.From != e.JSON.Message.From || r.Message.ChainLen != e.Length || r.Signature.Bytes != 71 { // no such receiver
			t.Errorf("%+v", r)
		}
		edgefvm.Fails(t, kit.ExitFailed, append(args, "0x"+e.Raw, "--chain-id", "314159"), "is signed for chain id 314 (EIP-155), and this is 314159")
		return
	}
	t.Error("the transaction is not there")
}

func TestExecDeploy(t *testing.T) {
	clitest.NeedBundles(t)
	const code = "600a600c600039600a6000f3602a60005260206000f3" // returns 42 to whoever calls
	dir := t.TempDir()
	for name, deploy := range map[string]string{
		"hex": "0x" + code, "Hardhat's": clitest.WriteTo(t, filepath.Join(dir, "a.json"), []byte(`{"abi":[],"bytecode":"0x`+code+`"}`)),
		"Foundry's": clitest.WriteTo(t, filepath.Join(dir, "b.json"), []byte(`{"bytecode":{"object":"`+code+`"}}`)),
	} {
		r := clitest.FromJSON[written](t, edgefvm.OK(t, on("state.car", "--from", "f0114", "--deploy", deploy)...))
		if r.Message.To != "f010" || r.Message.Method != 4 || r.Message.Params != "56"+code || !strings.HasPrefix(r.Return, "83") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, tt := range map[string]struct{ json, want string }{
		"an interface": {`{"bytecode":"0x"}`, "is it an interface"}, "no bytecode": {`{"abi":[]}`, "it has no bytecode"}, "a list": {`[1]`, "it has no bytecode"},
		"not linked": {`{"bytecode":"0x60__$aa$__00"}`, "is a library not linked?"},
	} {
		edgefvm.Fails(t, kit.ExitFailed, on("state.car", "--from", "f0114", "--deploy", tt.json), tt.want)
		_ = name
	}
}

func TestExecMessageErrors(t *testing.T) {
	clitest.NeedBundles(t)
	t.Setenv("PWD", "")
	call := func(more ...string) []string {
		return on("echo.car", append([]string{"--from", "f0114", "--to", "f0119"}, more...)...)
	}
	for _, tt := range []struct {
		name string
		code int
		args []string
		want string
	}{
		{"two readings", kit.ExitUsage, call("--params", "deadbeef"), "hex of 4 bytes and base64 of 6 bytes: write 0xdeadbeef or base64:deadbeef"},
		{"no reading", kit.ExitUsage, call("--params", "what?"), "there is no file of that name"},
		{"odd digits", kit.ExitUsage, call("--params", "0x123"), "3 digits, an odd number"},
		{"a message for parameters", kit.ExitUsage, call("--method", "InvokeContract", "--params", "testdata/text/message.json"), "this is a whole message: give it as --message"},
		{"JSON for a transfer", kit.ExitUsage, call("--params", `{"a":1}`), "a transfer takes no parameters"},
		{"JSON to nobody", kit.ExitUsage, on("echo.car", "--from", "f0114", "--to", "f0999", "--method", "2", "--params", `{}`), "the state has no f0999"},
		{"both", kit.ExitUsage, call("--params", "0x00", "--calldata", "0x00"), "--params and --calldata say the same"},
		{"deploy to", kit.ExitUsage, call("--deploy", "0x00"), "--to and --deploy say the same"},
		{"calldata in JSON", kit.ExitUsage, call("--calldata", `{"a":1}`), "cast calldata"},
		{"a number for an address", kit.ExitUsage, on("echo.car", "--from", "100", "--to", "f0101"), "the actor of that ID is f0100"},
		{"a wrong checksum", kit.ExitUsage, on("echo.car", "--from", "f0100", "--to", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"), "EIP-55"},
		{"an exponent", kit.ExitUsage, call("--value", "1e18"), "exponents are not read"},
		{"no parameters", kit.ExitUsage, call("--params", ""), "--params is empty: no parameters are 0x"},
		{"no calldata", kit.ExitUsage, call("--calldata", ""), "--calldata is empty: no calldata are 0x"},
		{"no init code", kit.ExitUsage, on("echo.car", "--from", "f0114", "--deploy", " "), "--deploy is empty: want the init code"},
		{"no message", kit.ExitUsage, on("echo.car", "--message", ""), "--message is empty: want a file"},
		{"no method", kit.ExitUsage, call("--method", ""), "--method is empty: want a number"},
		{"deploy by nobody", kit.ExitUsage, on("echo.car", "--deploy", "0x00"), "with --deploy --from alone"},
		{"a dump", kit.ExitUsage, call("--params", "0000000 58 59 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e\n0000020"), "a dump with a place before each line"},
		{"a string of bytes that is text", kit.ExitUsage, call("--params", clitest.WriteTo(t, filepath.Join(t.TempDir(), "p"), []byte("Cxyz"))), "its 4 bytes may be meant as they are, or as 3 bytes, from base64"},
		{"a contract's method for an actor that takes none", kit.ExitUsage, on("echo.car", "--from", "f0114", "--to", "f05", "--method", "InvokeContract"), `storagemarket has no method "InvokeContract"`},
		{"a signature", kit.ExitUsage, call("--signature-type", "rsa"), `--signature-type "rsa": want secp256k1, bls or delegated, or none`},
		{"a signature beside the message's", kit.ExitUsage, on("echo.car", "--signature-type", "bls", "--message", "828a0042006542006418244200011a00989680420064400040584201"+strings.Repeat("00", 65)), "the message has a signature of its own"},
		{"a signature and a length", kit.ExitUsage, call("--signature-type", "bls", "--chain-len", "9"), "say the same"},
		{"a negative nonce", kit.ExitUsage, call("--nonce", "-5"), "--nonce -5 is negative"},
		{"a negative length", kit.ExitUsage, call("--chain-len", "-5"), "--chain-len -5 is negative"},
		{"fields missing", kit.ExitFailed, on("echo.car", "--message", `{"To":"f0101","From":"f0100"}`), "the message lacks Nonce, Value, GasLimit"},
		{"an error of a node", kit.ExitFailed, on("echo.car", "--message", `{"jsonrpc":"2.0","id":1,"error":{"message":"gone"}}`), "gone"},
		{"a cut transaction", kit.ExitFailed, on("echo.car", "--message", "0x02f86b"), "an Ethereum transaction's"},
	} {
		t.Run(tt.name, func(t *testing.T) { edgefvm.Fails(t, tt.code, tt.args, tt.want) })
	}
	// A file may be called like hex or base64.
	car, err := filepath.Abs("testdata/text/state.car")
	if err != nil {
		t.Fatal(err)
	}
	message := clitest.ReadFrom(t, "testdata/text/message.json")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("cafe", message, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"exec", "--car", car, "--nv", "28", "--epoch", "5800000", "--message"}
	edgefvm.Fails(t, kit.ExitUsage, append(args, "cafe"), "it is the name of a file", "write ./cafe for the file")
	edgefvm.OK(t, append(args, "./cafe")...)
}

// A contract's method is called where contracts are called, whatever is there; a name that only FRC-0042 knows is told with its number.
func TestExecMethodNames(t *testing.T) {
	clitest.NeedBundles(t)
	for _, tt := range []struct {
		to, method string
		want       uint64
		read       string
	}{
		{"f0119", "InvokeContract", 3844450837, ""},
		{"f0119", "InvokeEVM", 3844450837, ""},
		{"f0101", "InvokeContract", 3844450837, ""},
		{"f0115", "InvokeContract", 3844450837, ""},
		{"f0116", "InvokeContract", 3844450837, ""},
		{"f090", "InvokeContract", 3844450837, ""},
		{"0x1111111111111111111111111111111111111111", "InvokeContract", 3844450837, ""},
		{"f0101", "Receive", 3726118371, ""},
		{"f05", "AddBalance", 2, ""},
		{"f0119", "Deposit", 1932531225, "method: Deposit is 1932531225, the number that FRC-0042 makes of the name"},
		{"f0119", "InvokeContrct", 2208961527, "method: InvokeContrct is 2208961527, the number that FRC-0042 makes of the name; did you mean InvokeContract?"},
	} {
		r := clitest.FromJSON[written](t, edgefvm.Run(t, on("echo.car", "--from", "f0114", "--to", tt.to, "--method", tt.method)...).Out)
		if r.Message.Method != tt.want || strings.Join(r.Read, "\n") != tt.read {
			t.Errorf("%s %s: %d, %q", tt.to, tt.method, r.Message.Method, r.Read)
		}
	}
	// What is wrapped already is wrapped once more, and told.
	r := clitest.FromJSON[written](t, edgefvm.OK(t, on("echo.car", "--from", "f0114", "--to", "f0119", "--calldata", "0x4406fdde03")...))
	if r.Message.Params != "454406fdde03" || len(r.Read) != 2 || !strings.Contains(r.Read[1], "a string of bytes in CBOR already") {
		t.Errorf("%s, %q", r.Message.Params, r.Read)
	}
}

func TestParseAmount(t *testing.T) {
	for s, want := range map[string]string{
		"0": "0", "100": "100", "1fil": "1000000000000000000", "1.5fil": "1500000000000000000", " 7 ": "7", ".5fil": "500000000000000000", "1 FIL": "1000000000000000000", "3nanofil": "3000000000",
		"": "", "fil": "", "1.5": "", "-1": "", "+1": "", "1e3": "", "0x10": "", "1_000": "",
	} {
		v, err := messages.ParseAmount("--value", s)
		if (err != nil) != (want == "") || (err == nil && v.String() != want) {
			t.Errorf("%q: %v, %v, want %q", s, v, err, want)
		}
	}
}
