package decoding_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// word is a number as calldata have it.
func word(n uint64) string { return fmt.Sprintf("%064x", n) }

// panics are the codes of Solidity's documentation, "Panic via assert and Error via require".
var panics = map[uint64]string{
	0x00: "compiler", 0x01: "assertion", 0x11: "overflow", 0x12: "division or modulo by zero", 0x21: "enum", 0x22: "byte array",
	0x31: "pop", 0x32: "out of bounds", 0x41: "memory", 0x51: "function", 0x99: "does not have",
}

type shownCall struct {
	Read, Selector, Name, Signature, Text, Note string
	Args                                        map[string]any
	Words                                       []string
}

// Why a contract reverted is told in words, in CBOR as a receipt has it and bare.
func TestReverts(t *testing.T) {
	for code, want := range panics {
		data := "4e487b71" + word(code)
		for _, input := range []string{"0x" + data, "0x5824" + data, "hex:" + data} {
			v := clitest.FromJSON[shownCall](t, edgefvm.OK(t, "decode", "revert", "--json", input))
			if !strings.HasPrefix(v.Text, fmt.Sprintf("panicked with code 0x%02x: ", code)) || !strings.Contains(v.Text, want) || v.Name != "Panic" || v.Signature != "Panic(uint256)" || v.Selector != "0x4e487b71" || v.Args["code"] != fmt.Sprint(code) {
				t.Errorf("code %#x: %+v", code, v)
			}
		}
	}
	for _, c := range []struct {
		name, data string
		want       shownCall
	}{
		{"nothing", "", shownCall{Read: "0 bytes, from hex", Text: "reverted without a reason"}},
		{"a reason", reason, shownCall{Read: "100 bytes, from hex, not in CBOR", Text: "reverted: hello", Name: "Error", Signature: "Error(string)", Selector: "0x08c379a0"}},
		{"an empty reason", "08c379a0" + word(32) + word(0), shownCall{Read: "68 bytes, from hex, not in CBOR", Name: "Error", Selector: "0x08c379a0", Signature: "Error(string)", Text: "reverted: "}},
		{"a custom error", "deadbeef" + word(7), shownCall{Read: "36 bytes, from hex, not in CBOR", Selector: "0xdeadbeef", Text: "reverted with a custom error 0xdeadbeef", Words: []string{"0x" + word(7)}}},
		{"a custom error alone", "deadbeef", shownCall{Read: "4 bytes, from hex, not in CBOR", Selector: "0xdeadbeef", Text: "reverted with a custom error 0xdeadbeef"}},
		{"a byte", "01", shownCall{Read: "1 byte, from hex, not in CBOR", Text: "reverted with 0x01", Words: []string{"0x01"}}},
	} {
		v := clitest.FromJSON[shownCall](t, edgefvm.OK(t, "decode", "revert", "--json", "0x"+c.data))
		if v.Read != c.want.Read || !strings.HasPrefix(v.Text, strings.TrimSpace(c.want.Text)) || v.Name != c.want.Name || v.Signature != c.want.Signature || v.Selector != c.want.Selector || strings.Join(v.Words, " ") != strings.Join(c.want.Words, " ") {
			t.Errorf("%s: %+v, want %+v", c.name, v, c.want)
		}
	}
	// Data that begin as a reason and are none.
	for name, data := range map[string]string{
		"cut": "08c379a0", "cut within its length": "08c379a0" + word(32) + "00", "an absurd length": "08c379a0" + word(32) + strings.Repeat("ff", 32),
		"an absurd offset": "08c379a0" + strings.Repeat("ff", 32), "longer than there is": "08c379a0" + word(32) + word(64) + word(0),
	} {
		out := edgefvm.OK(t, "decode", "revert", "0x"+data)
		if !strings.HasPrefix(out, "reverted with Error, whose data are broken\n") || !strings.Contains(out, "note: ") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// What a function returned, by the rules of the ABI: words, and offsets to what has no fixed size.
func TestResults(t *testing.T) {
	text := word(2) + "6869" + strings.Repeat("0", 60) // "hi"
	minus1 := strings.Repeat("f", 64)
	for _, c := range []struct{ name, function, data, want string }{
		{"nothing", "f()", "", `{}`},
		{"a number", "f()(uint256)", word(1000), `{"0": "1000"}`},
		{"the largest", "f()(uint256)", minus1, `{"0": "115792089237316195423570985008687907853269984665640564039457584007913129639935"}`},
		{"less than nothing", "f()(int256)", minus1, `{"0": "-1"}`},
		{"a small number less than nothing", "f()(int8)", strings.Repeat("f", 62) + "80", `{"0": "-128"}`},
		{"a bool", "f()(bool)", word(1), `{"0": true}`},
		{"an address", "f()(address)", zero12 + "ff00000000000000000000000000000000000064", `{"0": "0xff00000000000000000000000000000000000064"}`},
		{"fixed bytes", "f()(bytes4)", "deadbeef" + strings.Repeat("0", 56), `{"0": "0xdeadbeef"}`},
		{"text", "f()(string)", word(32) + text, `{"0": "hi"}`},
		{"bytes", "f()(bytes)", word(32) + text, `{"0": "0x6869"}`},
		{"several", "f()(uint8,bool,string)", word(255) + word(1) + word(96) + text, `{"0": "255","1": true,"2": "hi"}`},
		{"a list", "f()(uint256[])", word(32) + word(2) + word(5) + word(6), `{"0": ["5","6"]}`},
		{"a list of fixed length", "f()(uint256[2])", word(5) + word(6), `{"0": ["5","6"]}`},
		{"an empty list", "f()(address[])", word(32) + word(0), `{"0": []}`},
		{"a list of text", "f()(string[])", word(32) + word(1) + word(32) + text, `{"0": ["hi"]}`},
		{"two texts", "f()(string,string)", word(64) + word(128) + text + text, `{"0": "hi","1": "hi"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, more := range [][]string{{"0x" + c.data}, {"--bare", "0x" + c.data}} {
				out := edgefvm.OK(t, append([]string{"decode", "result", "--function", c.function}, more...)...)
				_, body, _ := strings.Cut(out, "\n{")
				got := strings.Join(strings.Fields("{"+body), "")
				if got != strings.Join(strings.Fields(c.want), "") {
					t.Errorf("%s, want %s", got, c.want)
				}
			}
		})
	}
}

func TestContractMistakes(t *testing.T) {
	big := clitest.WriteTo(t, filepath.Join(t.TempDir(), "text.json"), []byte(`{"a":1}`))
	result := func(types, data string) []string {
		return []string{"decode", "result", "--function", "f()(" + types + ")", "0x" + data}
	}
	for name, c := range map[string]struct {
		code int
		args []string
		want string
	}{
		"a number too large":         {kit.ExitFailed, result("uint8", word(256)), "256 is too large for a uint8"},
		"a bool of two":              {kit.ExitFailed, result("bool", word(2)), "want 0 or 1 for a bool, not 2"},
		"an address too long":        {kit.ExitFailed, result("address", strings.Repeat("01", 32)), "address"},
		"bytes behind fixed ones":    {kit.ExitFailed, result("bytes4", "deadbeef01"+strings.Repeat("0", 54)), "bytes4"},
		"an absurd length":           {kit.ExitFailed, result("bytes", word(32)+strings.Repeat("f", 64)), "is absurd"},
		"an absurd count":            {kit.ExitFailed, result("uint256[]", word(32)+word(1<<40)), "0"},
		"an offset behind the end":   {kit.ExitFailed, result("string", word(4096)), "0"},
		"half a word":                {kit.ExitFailed, result("uint256", word(1)[:32]), "end at byte 16"},
		"no function":                {kit.ExitUsage, []string{"decode", "result", "0x00"}, "--function is missing"},
		"a signature that is none":   {kit.ExitUsage, []string{"decode", "result", "--function", "f(", "0x"}, `signature "f("`},
		"short calldata":             {kit.ExitFailed, []string{"decode", "calldata", "0x1234"}, "a selector of 4 bytes"},
		"not wrapped":                {kit.ExitFailed, []string{"decode", "calldata", "--wrapped", "0x1234"}, "not one CBOR string of bytes"},
		"both":                       {kit.ExitUsage, []string{"decode", "calldata", "--bare", "--wrapped", "0x12"}, "opposite things"},
		"JSON":                       {kit.ExitUsage, []string{"decode", "revert", big}, "INPUT is JSON"},
		"too few arguments":          {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint256,bool)", `["1"]`}, "2"},
		"too many":                   {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint256)", `["1","2"]`}, "1"},
		"a number below nothing":     {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint256)", `["-1"]`}, "-1"},
		"a number of too many bits":  {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint8)", `["256"]`}, "256"},
		"a word for a number":        {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint256)", `["many"]`}, "want a whole number"},
		"no JSON":                    {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint256)", `[1`}, "JSON"},
		"an address without a form":  {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(address)", `["f1aaaqeayeaudaocajbifqydiob4ibceqt2oc2pvy"]`}, "f1aaaqeay"},
		"a name that nobody has":     {kit.ExitUsage, []string{"encode", "calldata", "--abi", "testdata/Token.json", "--function", "mint", `[]`}, `no function "mint"`},
		"an argument that is not it": {kit.ExitFailed, []string{"encode", "calldata", "--function", "f(uint256 amount)", `{"amont":"1"}`}, "amount: missing"},
	} {
		t.Run(name, func(t *testing.T) { edgefvm.Fails(t, c.code, c.args, c.want) })
	}
}

// Calldata that a function of the ABI cannot have are shown all the same, with what does not fit.
func TestCalldataCut(t *testing.T) {
	v := clitest.FromJSON[shownCall](t, edgefvm.OK(t, "decode", "calldata", "--json", "--function", "transfer(address,uint256)", "0xa9059cbb00"))
	if v.Selector != "0xa9059cbb" || v.Args != nil || strings.Join(v.Words, "") != "0x00" || !strings.Contains(v.Note, "the data end at byte 1") {
		t.Errorf("%+v", v)
	}
}

// Calldata by the examples of the ABI's own specification.
func TestCalldataOfTheSpecification(t *testing.T) {
	for _, c := range []struct{ name, function, args, want string }{
		{"baz", "baz(uint32,bool)", `[69,true]`, "cdcd77c0" + word(69) + word(1)},
		{"bar", "bar(bytes3[2])", `[["0x616263","0x646566"]]`, "fce353f6" + "616263" + strings.Repeat("0", 58) + "646566" + strings.Repeat("0", 58)},
		{"sam", "sam(bytes,bool,uint256[])", `["0x64617665",true,["1","2","3"]]`, "a5643bf2" + word(0x60) + word(1) + word(0xa0) + word(4) + "64617665" + strings.Repeat("0", 56) + word(3) + word(1) + word(2) + word(3)},
		{"f", "f(uint256,uint32[],bytes10,bytes)", `["0x123",["0x456","0x789"],"0x31323334353637383930","0x48656c6c6f2c20776f726c6421"]`, "8be65246" + word(0x123) + word(0x80) + "31323334353637383930" + strings.Repeat("0", 44) + word(0xe0) +
			word(2) + word(0x456) + word(0x789) + word(13) + "48656c6c6f2c20776f726c6421" + strings.Repeat("0", 38)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := edgefvm.OK(t, "encode", "calldata", "--function", c.function, c.args); got != "0x"+c.want+"\n" {
				t.Fatalf("%s\nwant 0x%s", got, c.want)
			}
			wrapped := strings.TrimSpace(edgefvm.OK(t, "encode", "calldata", "--function", c.function, "--wrap", c.args))
			if n := len(c.want) / 2; n < 256 && wrapped != fmt.Sprintf("0x58%02x%s", n, c.want) || n >= 256 && wrapped != fmt.Sprintf("0x59%04x%s", n, c.want) {
				t.Errorf("wrapped: %s", wrapped)
			}
			v := clitest.FromJSON[struct {
				Signature, Hex string
				Wrapped        bool
			}](t, edgefvm.OK(t, "encode", "calldata", "--json", "--wrap", "--function", c.function, c.args))
			if v.Signature != c.function || v.Hex != wrapped || !v.Wrapped {
				t.Errorf("%+v", v)
			}
			back := clitest.FromJSON[shownCall](t, edgefvm.OK(t, "decode", "calldata", "--json", "--function", c.function, wrapped))
			if back.Signature != c.function || back.Selector != "0x"+c.want[:8] || len(back.Args) != strings.Count(c.function, ",")+1 {
				t.Errorf("%+v", back)
			}
		})
	}
}
