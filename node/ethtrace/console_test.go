package ethtrace

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/ethabi"
)

// Selectors as Hardhat's console.sol (2.29.1) has them.
var selectors = map[string]string{
	"log(string)": "41304fac", "log(uint256)": "f82c50f1", "log(string,uint256)": "b60e72cc", "log(address)": "2c2ecbc2", "log(bool)": "32458eed",
	"log(string,string)": "4b5c4277", "log(int256)": "2d5b6cb9", "log(bytes)": "0be77f56", "log()": "51973ec9",
}

func TestConsoleSelectors(t *testing.T) {
	for signature, want := range selectors {
		b, err := hex.DecodeString(want)
		if err != nil {
			t.Fatal(err)
		}
		e := consoleFunctions()[[4]byte(b)]
		if e == nil || e.Signature() != signature {
			t.Errorf("%s, %s: got %v", want, signature, e)
		}
	}
}

// What Node's util.format says of the same values.
func TestConsoleLines(t *testing.T) {
	const address = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
	for _, c := range []struct {
		signature string
		args      []any
		want      string
	}{
		{"log()", nil, ""},
		{"log(string)", []any{"hello"}, "hello"},
		{"log(string)", []any{"100%"}, "100%"},
		{"log(string,uint256)", []any{"x is", "5"}, "x is 5"},
		{"log(string,uint256)", []any{"x is %d wei", "5"}, "x is 5 wei"},
		{"log(string,uint256)", []any{"100%% of %s", "5"}, "100% of 5"},
		{"log(string,string,bool)", []any{"%s and %s", "a", true}, "a and true"},
		{"log(string,string)", []any{"%d", "a"}, "NaN"},
		{"log(string,uint256,uint256)", []any{"only %s", "1", "2"}, "only 1 2"},
		{"log(uint256,bool)", []any{"7", false}, "7 false"},
		{"log(string,address)", []any{"by", address}, "by " + address},
		{"log(int256)", []any{"-3"}, "-3"},
		{"log(bytes)", []any{"0x0102"}, "0x0102"},
	} {
		e, err := ethabi.ParseSignature("function", c.signature)
		if err != nil {
			t.Fatal(err)
		}
		if c.args == nil {
			c.args = []any{}
		}
		data, err := ethabi.EncodeCall(e, c.args)
		if err != nil {
			t.Fatalf("%s: %v", c.signature, err)
		}
		if got, ok := ConsoleLine(data); !ok || got != c.want {
			t.Errorf("%s %v: got %q, %v, want %q", c.signature, c.args, got, ok, c.want)
		}
	}
	for name, data := range map[string]string{"nothing": "", "unknown function": "01020304", "cut": "41304fac00000000000000000000000000000000000000000000000000000000000000ff"} {
		b, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		if line, ok := ConsoleLine(b); ok {
			t.Errorf("%s: got %q", name, line)
		}
	}
}

func TestConsoleLineIsShort(t *testing.T) {
	e, err := ethabi.ParseSignature("function", "log(string)")
	if err != nil {
		t.Fatal(err)
	}
	data, err := ethabi.EncodeCall(e, []any{strings.Repeat("x", 50_000)})
	if err != nil {
		t.Fatal(err)
	}
	if line, ok := ConsoleLine(data); !ok || len(line) > maxLine+10 {
		t.Errorf("got %d bytes, %v", len(line), ok)
	}
}

func FuzzConsoleLine(f *testing.F) {
	for _, s := range selectors {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(b, make([]byte, 128)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if line, ok := ConsoleLine(data); !ok && line != "" {
			t.Errorf("a line %q that is none", line)
		}
	})
}
