package ethabi_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/ethabi"
)

// specABI are the functions of the examples in Solidity's contract ABI specification, and what tests below need.
const specABI = `[
{"type":"function","name":"baz","inputs":[{"name":"x","type":"uint32"},{"name":"y","type":"bool"}],"outputs":[{"name":"r","type":"bool"}]},
{"type":"function","name":"bar","inputs":[{"name":"","type":"bytes3[2]"}]},
{"type":"function","name":"sam","inputs":[{"name":"","type":"bytes"},{"name":"","type":"bool"},{"name":"","type":"uint256[]"}]},
{"type":"function","name":"f","inputs":[{"name":"a","type":"uint256"},{"name":"b","type":"uint32[]"},{"name":"c","type":"bytes10"},{"name":"d","type":"bytes"}]},
{"type":"function","name":"g","inputs":[{"name":"m","type":"uint256[][]"},{"name":"s","type":"string[]"}]},
{"type":"function","name":"pay","inputs":[{"name":"to","type":"address"},{"name":"o","type":"tuple","components":[{"name":"n","type":"int8"},{"name":"t","type":"string"}]},{"name":"all","type":"tuple[2]","components":[{"name":"k","type":"uint8"}]}]},
{"type":"function","name":"twice","inputs":[{"name":"x","type":"uint256"}]},
{"type":"function","name":"twice","inputs":[{"name":"x","type":"string"}]},
{"type":"error","name":"InsufficientBalance","inputs":[{"name":"available","type":"uint256"},{"name":"required","type":"uint256"}]},
{"type":"event","name":"Transfer","inputs":[{"name":"from","type":"address","indexed":true},{"name":"to","type":"address","indexed":true},{"name":"value","type":"uint256"}]},
{"type":"event","name":"Named","inputs":[{"name":"name","type":"string","indexed":true},{"name":"n","type":"uint256"}]}
]`

func parse(t testing.TB) *ethabi.ABI {
	t.Helper()
	abi, err := ethabi.Parse([]byte(specABI))
	if err != nil {
		t.Fatal(err)
	}
	return abi
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tree(t testing.TB, s string) any {
	t.Helper()
	v, err := jsonview.Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func zeros(n int, tail string) string { return strings.Repeat("0", n-len(tail)) + tail }

func word(tail string) string { return zeros(64, tail) }

func left(head string) string { return head + strings.Repeat("0", 64-len(head)) }

// TestSpecification has the examples of the specification, to the byte, both ways.
func TestSpecification(t *testing.T) {
	abi := parse(t)
	for _, c := range []struct{ function, args, data string }{
		{"baz", `{"x":"69","y":true}`, "cdcd77c0" + word("45") + word("1")},
		{"bar", `{"0":["0x616263","0x646566"]}`, "fce353f6" + left("616263") + left("646566")},
		{"sam", `{"0":"0x64617665","1":true,"2":["1","2","3"]}`,
			"a5643bf2" + word("60") + word("1") + word("a0") + word("4") + left("64617665") + word("3") + word("1") + word("2") + word("3")},
		{"f", `{"a":"291","b":["1110","1929"],"c":"0x31323334353637383930","d":"0x48656c6c6f2c20776f726c6421"}`,
			"8be65246" + word("123") + word("80") + left("31323334353637383930") + word("e0") + word("2") + word("456") + word("789") + word("d") + left("48656c6c6f2c20776f726c6421")},
		{"g", `{"m":[["1","2"],["3"]],"s":["one","two","three"]}`,
			"2289b18c" + word("40") + word("140") + word("2") + word("40") + word("a0") + word("2") + word("1") + word("2") + word("1") + word("3") +
				word("3") + word("60") + word("a0") + word("e0") + word("3") + left("6f6e65") + word("3") + left("74776f") + word("5") + left("7468726565")},
	} {
		t.Run(c.function, func(t *testing.T) {
			e, err := abi.Function(c.function)
			if err != nil {
				t.Fatal(err)
			}
			data := unhex(t, c.data)
			got, err := ethabi.EncodeCall(e, tree(t, c.args))
			if err != nil || hex.EncodeToString(got) != c.data {
				t.Fatalf("encoded %x, %v, want %s", got, err, c.data)
			}
			call, err := ethabi.DecodeCall(abi, data)
			if err != nil || call.Note != "" || call.Name != c.function {
				t.Fatalf("%+v, %v", call, err)
			}
			if text, err := json.Marshal(call.Args); err != nil || string(text) != c.args {
				t.Fatalf("decoded %s, %v, want %s", text, err, c.args)
			}
		})
	}
}

func TestTuples(t *testing.T) {
	abi := parse(t)
	e, err := abi.Function("pay")
	if err != nil {
		t.Fatal(err)
	}
	if e.Signature() != "pay(address,(int8,string),(uint8)[2])" {
		t.Fatal(e.Signature())
	}
	args := `{"to":"0xff00000000000000000000000000000000000064","o":{"n":"-2","t":"é"},"all":[{"k":"7"},{"k":"255"}]}`
	data, err := ethabi.EncodeCall(e, tree(t, strings.Replace(args, "0xff00000000000000000000000000000000000064", "f0100", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := word("ff00000000000000000000000000000000000064") + word("80") + word("7") + word("ff") +
		strings.Repeat("f", 63) + "e" + word("40") + word("2") + left("c3a9")
	if hex.EncodeToString(data[4:]) != want {
		t.Fatalf("%x, want %s", data[4:], want)
	}
	call, err := ethabi.DecodeCall(abi, data)
	if err != nil || call.Note != "" {
		t.Fatalf("%+v, %v", call, err)
	}
	if text, _ := json.Marshal(call.Args); string(text) != args {
		t.Fatalf("%s, want %s", text, args)
	}
}

// TestReverts has what contracts revert with. The selectors are Solidity's.
func TestReverts(t *testing.T) {
	abi := parse(t)
	reason := "08c379a0" + word("20") + word("5") + left("68656c6c6f")
	for _, c := range []struct {
		name, data string
		abi        *ethabi.ABI
		text, call string
	}{
		{"a reason", reason, nil, "reverted: hello", "Error"},
		{"a panic", "4e487b71" + word("11"), nil, "panicked with code 0x11: arithmetic overflow or underflow", "Panic"},
		{"an assertion", "4e487b71" + word("1"), nil, "panicked with code 0x01: assertion failed", "Panic"},
		{"an array's end", "4e487b71" + word("32"), nil, "panicked with code 0x32: array index out of bounds", "Panic"},
		{"a code that nobody knows", "4e487b71" + word("99"), nil, "panicked with code 0x99: a panic with a code that Solidity does not have", "Panic"},
		{"nothing", "", nil, "reverted without a reason", ""},
		{"a custom error, unknown", "cf479181" + word("a") + word("64"), nil, "reverted with a custom error 0xcf479181", ""},
		{"a custom error", "cf479181" + word("a") + word("64"), abi, `reverted with InsufficientBalance(available: "10", required: "100")`, "InsufficientBalance"},
		{"a custom error, cut", "cf479181" + word("a"), abi, "reverted with InsufficientBalance", "InsufficientBalance"},
		{"less than a selector", "c0ffee", nil, "reverted with 0xc0ffee", ""},
		{"a reason, cut", reason[:len(reason)-2], nil, "reverted: hello", "Error"},
		{"a reason, cut in the middle", reason[:8+64+64+4], nil, "reverted with Error, whose data are broken", "Error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ethabi.DecodeRevert(c.abi, unhex(t, c.data))
			if got.Text != c.text || got.Name != c.call {
				t.Fatalf("%+v", got)
			}
		})
	}
}

func TestLogs(t *testing.T) {
	abi := parse(t)
	transfer := unhex(t, "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef") // as on any token
	from, to := unhex(t, word("1111111111111111111111111111111111111111")), unhex(t, word("2222222222222222222222222222222222222222"))
	got := ethabi.DecodeLog(abi, [][]byte{transfer, from, to}, unhex(t, word("3e8")))
	if text, _ := json.Marshal(got.Args); got.Name != "Transfer" || string(text) != `{"from":"0x1111111111111111111111111111111111111111","to":"0x2222222222222222222222222222222222222222","value":"1000"}` {
		t.Fatalf("%+v %s", got, text)
	}
	if got := ethabi.DecodeLog(abi, [][]byte{transfer, from, to, to}, nil); got.Args != nil || !strings.Contains(got.Note, "2 indexed arguments, and the log 3") {
		t.Fatalf("another token's: %+v", got)
	}
	if got := ethabi.DecodeLog(nil, [][]byte{transfer, from}, []byte{1}); got.Name != "" || len(got.Words) != 2 {
		t.Fatalf("without an ABI: %+v", got)
	}
	named := abi.Entries[len(abi.Entries)-1]
	hash := named.Hash()
	got = ethabi.DecodeLog(abi, [][]byte{hash[:], from}, unhex(t, word("1")))
	if text, _ := json.Marshal(got.Args); string(text) != `{"name":{"Hash":"0x`+word("1111111111111111111111111111111111111111")+`"},"n":"1"}` {
		t.Fatalf("text that is indexed: %s", text)
	}
}

// Data that lead outside or pretend to be large are errors, and cost no more than their size.
func TestBadData(t *testing.T) {
	abi := parse(t)
	for _, c := range []struct{ name, data, want string }{
		{"an offset outside", "a5643bf2" + word("ffff") + word("1") + word("60"), "leads beyond the end"},
		{"an offset of 2^255", "a5643bf2" + strings.Repeat("8", 64) + word("1") + word("60"), "absurd"},
		{"bytes longer than the data", "a5643bf2" + word("60") + word("1") + word("60") + word("ffffff"), "are left"},
		{"a list longer than the data", "a5643bf2" + word("60") + word("1") + word("80") + word("0") + word("7fffffff"), "more than these data have room for"},
		{"cut", "cdcd77c0" + word("45"), "the data end"},
		{"a bool of 2", "cdcd77c0" + word("45") + word("2"), "want 0 or 1"},
		{"too large", "cdcd77c0" + word("100000000") + word("1"), "too large for a uint32"},
		{"bytes3 with more", "fce353f6" + strings.Repeat("1", 64) + left("646566"), "has zeros behind it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call, err := ethabi.DecodeCall(abi, unhex(t, c.data))
			if err != nil || call.Args != nil || !strings.Contains(call.Note, c.want) || len(call.Words) == 0 {
				t.Fatalf("%+v, %v", call, err)
			}
		})
	}
	if _, err := ethabi.DecodeCall(abi, []byte{1, 2, 3}); err == nil {
		t.Error("three bytes have a selector")
	}
}

// Data may not name more values than they have room for.
func TestRoom(t *testing.T) {
	text := `[{"type":"function","name":"b","inputs":[{"name":"x","type":"uint256[][][]"}]}]`
	abi, err := ethabi.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := abi.Entries[0].Selector()
	data := append(s[:], unhex(t, word("20"))...)
	for range 2 {
		data = append(data, unhex(t, word("80"))...)
		for range 128 {
			data = append(data, unhex(t, word("1000"))...)
		}
	}
	data = append(data, unhex(t, word("0"))...)
	call, err := ethabi.DecodeCall(abi, data)
	if err != nil || call.Args != nil || !strings.Contains(call.Note, "these data have room for") {
		t.Fatalf("%s, %v", call.Note, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", `hello`, "ABI: "},
		{"an object without one", `{"bytecode":"0x"}`, `has no "abi"`},
		{"a type that is none", `[{"type":"function","name":"f","inputs":[{"name":"a","type":"uint7"}]}]`, `entry 0, f: a: unknown type "uint7"`},
		{"bytes33", `[{"type":"function","name":"f","inputs":[{"name":"a","type":"bytes33"}]}]`, `unknown type "bytes33"`},
		{"a huge array", `[{"type":"function","name":"f","inputs":[{"name":"a","type":"uint8[65536][65536]"}]}]`, "more than 65536 words"},
		{"deep lists", `[{"type":"function","name":"f","inputs":[{"name":"a","type":"uint8` + strings.Repeat("[]", 50) + `"}]}]`, "nests deeper"},
		{"a number below 0", `[{"type":"function","name":"f","inputs":[{"name":"a","type":"uint8[-1]"}]}]`, "want a number of elements"},
	} {
		if _, err := ethabi.Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := ethabi.Parse([]byte(`{"contractName":"T","abi":` + specABI + `}`)); err != nil {
		t.Errorf("an artefact: %v", err)
	}
	abi := parse(t)
	if _, err := abi.Function("twice"); err == nil || !strings.Contains(err.Error(), "twice(uint256)") {
		t.Errorf("two of one name: %v", err)
	}
	if e, err := abi.Function("twice(string)"); err != nil || e.Signature() != "twice(string)" {
		t.Errorf("by signature: %v", err)
	}
}

func TestEncodeErrors(t *testing.T) {
	abi := parse(t)
	for _, c := range []struct{ function, args, want string }{
		{"baz", `{"x":"69"}`, "y: missing"},
		{"baz", `{"x":"69","y":true,"z":1}`, "z: unknown"},
		{"baz", `["69"]`, "want 2 values, not 1"},
		{"baz", `{"x":"4294967296","y":true}`, "x: 4294967296 does not fit a uint32"},
		{"baz", `{"x":-1,"y":true}`, "does not fit"},
		{"baz", `{"x":1.5,"y":true}`, "want a whole number"},
		{"baz", `{"x":"1","y":"true"}`, "y: want true or false"},
		{"bar", `{"0":["0x61","0x646566"]}`, "0[0]: want 3 bytes for bytes3, not 1"},
		{"bar", `{"0":["0x616263"]}`, "want a list for bytes3[2]"},
		{"sam", `["dave",true,[]]`, "0: want bytes in hex"},
		{"pay", `["f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za",["1","x"],[["1"],["2"]]]`, "to: f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za has no Ethereum form"},
	} {
		e, err := abi.Function(c.function)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ethabi.EncodeCall(e, tree(t, c.args)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.function, c.args, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(unhex(f, "cdcd77c0"+word("45")+word("1")))
	f.Add(unhex(f, "a5643bf2"+word("60")+word("1")+word("a0")+word("4")+left("64617665")+word("1")+word("1")))
	f.Add(unhex(f, "08c379a0"+word("20")+word("5")+left("68656c6c6f")))
	f.Add([]byte{})
	abi := parse(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		ethabi.DecodeRevert(abi, data)
		call, err := ethabi.DecodeCall(abi, data)
		if err != nil || call.Args == nil || call.Note != "" {
			return
		}
		e, err := abi.Function(call.Signature)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ethabi.EncodeCall(e, call.Args); err != nil || string(again) != string(data) {
			t.Fatalf("%x became %x, %v", data, again, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(specABI))
	f.Add([]byte(`{"abi":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		abi, err := ethabi.Parse(text)
		if err != nil {
			return
		}
		for _, e := range abi.Entries {
			e.Selector()
		}
	})
}
