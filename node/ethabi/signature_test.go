package ethabi_test

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/ethabi"
)

func TestParseSignature(t *testing.T) {
	for _, c := range []struct{ kind, text, signature, outputs, names string }{
		{"function", "transfer(address,uint256)", "transfer(address,uint256)", "", ","},
		{"function", "  function transfer( address to , uint amount ) external returns (bool)", "transfer(address,uint256)", "bool", "to,amount"},
		{"function", "balanceOf(address)(uint256)", "balanceOf(address)", "uint256", ""},
		{"function", "f((uint8,string memory)[2][] x, bytes calldata y)", "f((uint8,string)[2][],bytes)", "", "x,y"},
		{"function", "f(tuple(uint8 a) t)", "f((uint8))", "", "t"},
		{"function", "f()", "f()", "", ""},
		{"event", "Transfer(address indexed from, address indexed to, uint256 value)", "Transfer(address,address,uint256)", "", "from,to,value"},
		{"error", "InsufficientBalance(uint256 available, uint256 required)", "InsufficientBalance(uint256,uint256)", "", "available,required"},
	} {
		e, err := ethabi.ParseSignature(c.kind, c.text)
		if err != nil || e.Signature() != c.signature || e.Kind != c.kind {
			t.Errorf("%q: %+v, %v", c.text, e, err)
			continue
		}
		var names, outputs []string
		for _, p := range e.Inputs {
			names = append(names, p.Name)
		}
		for _, p := range e.Outputs {
			outputs = append(outputs, p.Type.String())
		}
		if strings.Join(names, ",") != c.names || strings.Join(outputs, ",") != c.outputs {
			t.Errorf("%q: names %q, returns %q", c.text, names, outputs)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", "want a name first"},
		{"(address)", "want a name first"},
		{"transfer", "want ( before"},
		{"transfer(address", `want , or ) before ""`},
		{"transfer(adress)", `unknown type "adress"`},
		{"transfer(address,)", `unknown type ""`},
		{"transfer(uint256[)", "want ] before"},
		{"transfer(address) sometimes", "want ( before"},
		{"transfer(address)(bool)x", `"x" is too much`},
		{"f" + strings.Repeat("(", 99), "nest deeper"},
	} {
		if e, err := ethabi.ParseSignature("function", c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %+v, %v, want %s", c.text, e, err, c.want)
		}
	}
	// The selector of a known signature.
	e, err := ethabi.ParseSignature("function", "transfer(address,uint256)")
	if err != nil || e.Selector() != [4]byte{0xa9, 0x05, 0x9c, 0xbb} {
		t.Errorf("%x, %v", e.Selector(), err)
	}
}

func FuzzParseSignature(f *testing.F) {
	f.Add("transfer(address to, uint256[2][] amount) external returns (bool)")
	f.Add("f((uint8,(string)[])[])")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ethabi.ParseSignature("function", text)
		if err != nil {
			return
		}
		again, err := ethabi.ParseSignature("function", e.Signature())
		if err != nil || again.Signature() != e.Signature() {
			t.Fatalf("%q has the signature %q, which is not read: %v", text, e.Signature(), err)
		}
	})
}
