package decoding_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// TestParamsText has neighbours of the report on parameters of which a guess was made: the same bytes however they are written,
// and what was read is said.
func TestParamsText(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		return clitest.WriteTo(t, filepath.Join(dir, name), []byte(content))
	}
	// WithdrawBalance of f0100 and 200 attoFIL: [h'0064', h'00c8'].
	const digits, text64 = "824200644200c8", "gkIAZEIAyA=="
	raw := unhex(t, digits)
	for _, c := range []struct{ name, input, read string }{
		{"hex", "0x" + digits, "7 bytes, from hex"},
		{"hex in capitals", "0X" + strings.ToUpper(digits), "7 bytes, from hex"},
		{"hex with spaces", "0x82 42 00 64 42 00 c8", "7 bytes, from hex"},
		{"hex over lines", "0x82420064\n4200c8\n", "7 bytes, from hex"},
		{"hex that says so", "hex:" + digits, "7 bytes, from hex"},
		{"base64 that says so", "base64:" + text64, "7 bytes, from base64"},
		{"base64", text64, "7 bytes, from base64"},
		{"base64 for URLs, without its end", "gkIAZEIAyA", "7 bytes, from base64"},
		{"a file of hex", file("a.hex", digits+"\n"), "7 bytes, from hex"},
		{"a file of hex as xxd -p prints it", file("b.hex", digits[:8]+"\n"+digits[8:]+"\n"), "7 bytes, from hex"},
		{"a file of hex with Windows' lines", file("c.hex", digits[:8]+"\r\n"+digits[8:]+"\r\n"), "7 bytes, from hex"},
		{"a file of hex with 0x and a space", file("d.hex", "0x"+digits[:6]+" "+digits[6:]), "7 bytes, from hex"},
		{"a file of base64", file("e.b64", text64+"\n"), "7 bytes, from base64"},
		{"a file of the bytes", file("f.bin", raw), "7 bytes"},
		{"a file that says so", "raw:" + file("g.bin", raw), "7 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := clitest.FromJSON[struct {
				Read  string
				Typed bool
				Value struct{ ProviderOrClientAddress, Amount string }
			}](t, edgefvm.OK(t, "decode", "params", "--actor", "market", "--method", "3", "--json", c.input))
			if !strings.HasPrefix(v.Read, c.read) || !v.Typed || v.Value.ProviderOrClientAddress != "f0100" || v.Value.Amount != "200" {
				t.Errorf("%+v", v)
			}
		})
	}
	for _, c := range []struct {
		name, input, want string
	}{
		{"half a digit", "0x824200644200c", "hex"},
		{"a digit that is none", "0x8242006442zzc8", "hex"},
		{"a word", "WithdrawBalance!", "INPUT"},
		{"base64 that ends within a byte", "base64:g", "base64"},
		{"a file of spaces", file("i.hex", " \n \n"), "empty"},
		{"a folder", dir, "folder"},
		{"a file that is not there", "raw:" + filepath.Join(dir, "none"), "there is no file"},
		{"JSON in a file", file("j.json", `{"ProviderOrClientAddress":"f0100","Amount":"200"}`), "'edgefvm encode' makes bytes of JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "params", "--actor", "market", "--method", "3", c.input}, c.want)
		})
	}
}

// JSON to encode comes as an argument, as a file, and as a file that could be JSON itself.
func TestEncodeInput(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const value = `{"ProviderOrClientAddress":"f0100","Amount":"200"}`
	for name, content := range map[string]string{"v.json": value, "marked.json": "\ufeff" + value + "\n", "7": `"f0100"`} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, input := range []string{value, " " + value + "\n", "v.json", "@v.json", "file:v.json", filepath.Join(dir, "v.json"), "marked.json"} {
		if out := edgefvm.OK(t, "encode", "params", "--actor", "market", "--method", "WithdrawBalance", input); out != "0x824200644200c8\n" {
			t.Errorf("%q: %s", input, out)
		}
	}
	params := func(input string) []string {
		return []string{"encode", "params", "--actor", "market", "--method", "AddBalance", input}
	}
	edgefvm.Fails(t, kit.ExitUsage, params("7"), "is JSON and the name of a file: write @7 for the file")
	if out := edgefvm.OK(t, params("@7")...); out != "0x420064\n" {
		t.Errorf("@7: %s", out)
	}
	edgefvm.Fails(t, kit.ExitUsage, params("w.json"), "there is no file w.json")
	edgefvm.Fails(t, kit.ExitUsage, params("@w.json"), "w.json")
	edgefvm.Fails(t, kit.ExitFailed, params(" "), "it ends early")
	edgefvm.Fails(t, kit.ExitFailed, params("f0100"), `'"f0100"'`)
	edgefvm.Fails(t, kit.ExitFailed, params(`"f0x"`), "f0x")
	edgefvm.Fails(t, kit.ExitFailed, params(`8`), "market.AddBalance")
	edgefvm.Fails(t, kit.ExitUsage, append(params(`"f0100"`), "--to", "json"), "--to json is not known")
}

// Standard input serves where a file does.
func TestStandardInput(t *testing.T) {
	old := os.Stdin
	defer func() { os.Stdin = old }()
	for _, c := range []struct {
		args []string
		in   string
		want string
	}{
		{[]string{"decode", "cbor", "-"}, "0x83f5f9c4006161\n", "[true, -4.0, \"a\"]\n"},
		{[]string{"decode", "cbor", "-"}, "\x83\x01\x02\x03", "[1, 2, 3]\n"},
		{[]string{"encode", "params", "--actor", "market", "--method", "AddBalance", "-"}, `"f0100"`, "0x420064\n"},
		{[]string{"decode", "bitfield", "-"}, "0x42b494", "0-4,7\n6 members\n"},
	} {
		f, err := os.Open(clitest.WriteTo(t, filepath.Join(t.TempDir(), "in"), []byte(c.in)))
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin = f
		if out := edgefvm.OK(t, c.args...); out != c.want {
			t.Errorf("%v: %q, want %q", c.args, out, c.want)
		}
		f.Close()
	}
}

// Diagnostic notation by appendix A of RFC 8949.
func TestDiagnosticNotation(t *testing.T) {
	for data, want := range map[string]string{
		"00": "0", "17": "23", "1818": "24", "1903e8": "1000", "1b000000e8d4a51000": "1000000000000", "1bffffffffffffffff": "18446744073709551615",
		"20": "-1", "29": "-10", "3903e7": "-1000", "f93c00": "1.0", "fb3ff199999999999a": "1.1", "f90001": "5.960464477539063e-8", "f97bff": "65504.0", "f97c00": "Infinity", "f97e00": "NaN", "f9fc00": "-Infinity",
		"f4": "false", "f5": "true", "f6": "null", "f7": "undefined", "f0": "simple(16)", "f8ff": "simple(255)",
		"c11a514b67b0": "1(1363896240)", "d818456449455446": "24(h'6449455446')", "40": "h''", "4401020304": "h'01020304'", "60": `""`, "6449455446": `"IETF"`, "62225c": `"\"\\"`, "62c3bc": `"\u00fc"`,
		"80": "[]", "83010203": "[1, 2, 3]", "8301820203820405": "[1, [2, 3], [4, 5]]", "a0": "{}", "a201020304": "{1: 2, 3: 4}", "a26161016162820203": `{"a": 1, "b": [2, 3]}`,
	} {
		if out := edgefvm.OK(t, "decode", "cbor", "0x"+data); out != want+"\n" {
			t.Errorf("%s: %s, want %s", data, out, want)
		}
		v := clitest.FromJSON[struct{ Read, Diagnostic string }](t, edgefvm.OK(t, "decode", "cbor", "--json", "0x"+data))
		if v.Diagnostic != want || !strings.HasSuffix(v.Read, ", from hex") {
			t.Errorf("%s: %+v", data, v)
		}
	}
	for name, data := range map[string]string{
		"nothing": "", "cut": "8301", "a string cut": "4401", "a reserved length": "1c", "a break alone": "ff", "an absurd length": "5bffffffffffffffff", "an absurd list": "9bffffffffffffffff",
		"an absurd map": "bbffffffffffffffff", "two items": "0000", "a tag alone": "c1", "text that is none": "62c328",
	} {
		r := edgefvm.Run(t, "decode", "cbor", "0x"+data)
		if r.Code == kit.ExitOK || r.Out != "" || !strings.HasPrefix(r.Err, "edgefvm: INPUT") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	deep := edgefvm.Run(t, "decode", "cbor", "0x"+strings.Repeat("81", 100_000)+"00")
	if deep.Code == kit.ExitOK || !strings.HasPrefix(deep.Err, "edgefvm: INPUT") {
		t.Errorf("a list of lists of lists: %d %.200s", deep.Code, deep.Err)
	}
}

// Each method's template is JSON that encode takes, and what encode makes decode shows as the same.
func TestTemplates(t *testing.T) {
	for _, actor := range []string{"account", "market", "miner", "multisig", "power", "verifreg", "init", "paych", "datacap", "reward", "cron", "evm", "eam", "system"} {
		rows := clitest.FromJSON[[]struct {
			Method         uint64
			Name           string
			Params, Return json.RawMessage
		}](t, edgefvm.OK(t, "decode", "methods", "--actor", actor, "--json"))
		if len(rows) == 0 {
			t.Errorf("%s has no methods", actor)
		}
		for i, r := range rows {
			if i%5 != 0 {
				continue
			}
			flags := []string{"--actor", actor, "--method", r.Name}
			for kind, of := range map[string]json.RawMessage{"params": r.Params, "return": r.Return} {
				var want, got bytes.Buffer
				template := edgefvm.OK(t, append([]string{"encode", kind, "--template"}, flags...)...)
				if json.Compact(&want, of) != nil || json.Compact(&got, []byte(template)) != nil || want.String() != got.String() {
					t.Errorf("%s of %s of %s: %s, want %s", kind, r.Name, actor, template, of)
				}
			}
		}
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "methods"}, "--actor is missing; actors v18 are account, cron")
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "methods", "--actor", "markt"}, "did you mean market?")
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "methods", "--actor", "market", "--actors", "v99"}, "want v8 to v19")
}

// A node's JSON in which the method or the parameters are in words needs a receiver whose kind is known.
func TestMessagesInWords(t *testing.T) {
	message := func(to, method, params string) string {
		return `{"Version":0,"To":"` + to + `","From":"f0100","Nonce":3,"Value":"0","GasLimit":1,"GasFeeCap":"0","GasPremium":"0","Method":` + method + `,"Params":` + params + `}`
	}
	const value = `{"ProviderOrClientAddress":"f0100","Amount":"200"}`
	type shown struct {
		CID    string
		Method struct {
			Actor, Name string
			Method      uint64
		}
		Params, Message map[string]any
		Notes           []string
	}
	want := clitest.FromJSON[shown](t, edgefvm.OK(t, "decode", "message", "--json", message("f05", "3", `"gkIAZEIAyA=="`)))
	for name, args := range map[string][]string{
		"in words":             {message("f05", `"WithdrawBalance"`, value)},
		"the method":           {message("f05", `"WithdrawBalance"`, `"gkIAZEIAyA=="`)},
		"the parameters":       {message("f05", "3", value)},
		"of a kind":            {message("f05", `"WithdrawBalance"`, value), "--actor", "market", "--nv", "25"},
		"on a test network":    {message("t05", `"WithdrawBalance"`, value)},
		"with Ethereum's form": {message("0xff00000000000000000000000000000000000005", "3", value)},
	} {
		got := clitest.FromJSON[shown](t, edgefvm.OK(t, append([]string{"decode", "message", "--json"}, args...)...))
		if got.CID != want.CID || got.Method.Actor != "storagemarket" || got.Method.Method != 3 || got.Params["Amount"] != "200" || got.Message["Params"] != "0x824200644200c8" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	text := edgefvm.OK(t, "decode", "message", message("f05", "3", value))
	clitest.Plain(t, text)
	for _, w := range []string{"storagemarket · WithdrawBalance (actors v18): {", `"Amount": "200"`, "CID " + want.CID, "bytes on the chain"} {
		if !strings.Contains(text, w) {
			t.Errorf("the text lacks %q:\n%s", w, text)
		}
	}
	// Calldata of a contract, by its ABI; parameters that do not fit; a method that nobody has; a receiver that nobody knows.
	call := message("f01234", "3844450837", `"WESpBZy7AAAAAAAAAAAAAAAA/wAAAAAAAAAAAAAAAAAAAAAAAGQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD6A=="`)
	type called struct{ Contract *shownCall }
	if v := clitest.FromJSON[called](t, edgefvm.OK(t, "decode", "message", "--json", "--actor", "evm", "--abi", "testdata/Token.json", call)); v.Contract == nil || v.Contract.Name != "transfer" || v.Contract.Args["amount"] != "1000" {
		t.Errorf("%+v", v.Contract)
	}
	if out := edgefvm.OK(t, "decode", "message", "--actor", "evm", "--abi", "testdata/Token.json", call); !strings.Contains(out, `contract: {`) || !strings.Contains(out, `"name": "transfer"`) {
		t.Errorf("%s", out)
	}
	if v := clitest.FromJSON[shown](t, edgefvm.OK(t, "decode", "message", "--json", message("f05", "3", `"gUIA/w=="`))); v.Params != nil || !strings.Contains(strings.Join(v.Notes, " "), "do not fit") {
		t.Errorf("%+v", v)
	}
	if v := clitest.FromJSON[shown](t, edgefvm.OK(t, "decode", "message", "--json", message("f05", "77", "null"))); v.Method.Name != "" || !strings.Contains(strings.Join(v.Notes, " "), "77") {
		t.Errorf("%+v", v)
	}
	if v := clitest.FromJSON[shown](t, edgefvm.OK(t, "decode", "message", "--json", message("f01234", "3", `"gkIAZEIAyA=="`))); v.Method.Name != "" || v.Params != nil {
		t.Errorf("%+v", v)
	}
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{kit.ExitUsage, []string{message("f01234", `"WithdrawBalance"`, value)}, "--actor must say what kind of actor f01234 is"},
		{kit.ExitUsage, []string{message("f05", `"WithdrawBalanc"`, value)}, "did you mean WithdrawBalance or WithdrawBalanceExported?"},
		{kit.ExitUsage, []string{message("f05", `"WithdrawBalance"`, value), "--actor", "markt"}, "did you mean market?"},
		{kit.ExitUsage, []string{message("f05", "3", "null"), "--nv", "99"}, "network version 99"},
		{kit.ExitFailed, []string{message("f05", "3", `{"Amount":"200"}`)}, "ProviderOrClientAddress: missing"},
		{kit.ExitFailed, []string{message("f05x", "3", "null")}, "To: after f0 comes the actor's ID"},
		{kit.ExitFailed, []string{`{"To":"f05"}`}, "INPUT, 12 bytes of JSON: "},
		{kit.ExitFailed, []string{"0x80"}, "INPUT, 1 byte, from hex: "},
		{kit.ExitUsage, []string{message("f05", "3", "null"), "--to", "jsn"}, "did you mean json?"},
	} {
		edgefvm.Fails(t, c.code, append([]string{"decode", "message"}, c.args...), c.want)
	}
}

// Interrupted, a command that waits for its input ends.
func TestInputInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := edgefvm.RunWith(ctx, "decode", "cbor", "raw:input_test.go"); r.Code != kit.ExitInterrupted && r.Code != kit.ExitFailed || r.Out != "" {
		t.Errorf("%+v", r)
	}
}
