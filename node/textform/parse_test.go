package textform

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// 48 bytes whose base64 is of one line of 64 characters.
var some = []byte("0123456789 the bytes of a message, 48 of them ..")

func TestParse(t *testing.T) {
	long := hex.EncodeToString(some)
	b64 := base64.StdEncoding.EncodeToString(some)
	for _, tt := range []struct {
		name, text string
		form       Form
		want       string // hex
	}{
		{"0x", "0xdeadbeef", Hex, "deadbeef"},
		{"0X, capital", " 0XDEADBEEF\n", Hex, "deadbeef"},
		{"0x and spaces", "0xde ad\tbe\r\nef", Hex, "deadbeef"},
		{"nothing", "0x", Hex, ""},
		{"hex:", "hex:deadbeef", Hex, "deadbeef"},
		{"hex:0x", "HEX: 0xdeadbeef", Hex, "deadbeef"},
		{"base64:", "base64:deadbeef", Base64, "75e69d6de79f"},
		{"base64: with space before it", "base64: deadbeef", Base64, "75e69d6de79f"},
		{"base64: letters", "base64:messages", Base64, "99eb2c6a07ac"},
		{"spaces make it hex", "dead beef", Hex, "deadbeef"},
		{"a line break makes it hex", "dead\nbeef", Hex, "deadbeef"},
		{"two digits are no base64", "80", Hex, "80"},
		{"six digits whose last bits are no base64", "8a0055", Hex, "8a0055"},
		{"32 digits", long[:32], Hex, long[:32]},
		{"all of it", long, Hex, long},
		{"one case or two", strings.ToUpper(long[:40]) + long[40:], Hex, long},
		{"lines", long[:60] + "\n" + long[60:] + "\n", Hex, long},
		{"lines of an even length that base64 could have", long[:32] + "\n" + long[32:64], Hex, long[:64]},
		{"zeros in words", "00000000 00000020 00000000 00000001", Hex, "00000000000000200000000000000001"},
		{"zeros on lines", "000000 5859\n000010 5859", Hex, "0000005859" + "0000105859"},
		{"zeros, and a word of another length", "0x000000 0102 030405", Hex, "0000000102030405"},
		{"base64 on one line", b64, Base64, long},
		{"base64 wrapped", b64[:20] + "\n" + b64[20:40] + "\n" + b64[40:60] + "\n" + b64[60:], Base64, long},
		{"base64 wrapped by Windows", b64[:32] + "\r\n" + b64[32:] + "\r\n", Base64, long},
		{"padded", "gA==", Base64, "80"},
		{"not padded", "gA", Base64, "80"},
		{"one =", "3q2+7w==", Base64, "deadbeef"},
		{"for URLs", "3q2-7w==", Base64, "deadbeef"},
		{"for URLs, not padded", "3q2-7w", Base64, "deadbeef"},
		{"/ and _", "_-8", Base64, "ffef"},
		{"quoted hex", `"0xdeadbeef"`, Hex, "deadbeef"},
		{"quoted base64", ` "gA==" `, Base64, "80"},
		{"escaped", `"gA\u003d="`, Base64, "80"},
		{"quoted nothing", `""`, Hex, ""},
		{"an object", ` {"a": 1} `, JSON, hex.EncodeToString([]byte(`{"a": 1}`))},
		{"a list", `[1, "x"]`, JSON, hex.EncodeToString([]byte(`[1, "x"]`))},
		{"a number that is said to be JSON", `json:17`, JSON, hex.EncodeToString([]byte(`17`))},
		{"a string that is said to be JSON", `json:"0x17"`, Hex, "17"},
	} {
		d, err := Parse(tt.text)
		if err != nil || hex.EncodeToString(d.Bytes) != tt.want || d.Form != tt.form {
			t.Errorf("%s: %+v, %v", tt.name, d, err)
		}
	}
	for _, tt := range []struct {
		name, text string
		is         error
		says       string
	}{
		{"hex and base64", "deadbeef", ErrAmbiguous, "hex of 4 bytes and base64 of 6 bytes: write 0xdeadbeef or base64:deadbeef"},
		{"hex and base64 again", "cafebabe", ErrAmbiguous, "write 0xcafebabe or base64:cafebabe"},
		{"digits", "12345678", ErrAmbiguous, "write 0x12345678 or base64:12345678"},
		{"digits, four", "8200", ErrAmbiguous, "hex of 2 bytes and base64 of 3"},
		{"a word of JSON", "null", ErrAmbiguous, "write json:null or base64:null"},
		{"quoted", `"cafebabe"`, ErrAmbiguous, "write 0xcafebabe"},
		{"zeros of base64, which are hex too", strings.Repeat("A", 64), ErrAmbiguous, "hex of 32 bytes and base64 of 48"},
		{"a word", "parameters", ErrNoReading, "neither hex"},
		{"a word that is base64", "messages", ErrAmbiguous, "may be a name or base64 of 6 bytes: write base64:messages"},
		{"a word in capitals", "MESSAGES", ErrAmbiguous, "may be a name"},
		{"words with a line", "my/param", ErrAmbiguous, "may be a name"},
		{"empty", " \n", ErrNoReading, "empty"},
		{"odd", "0xabc", ErrNoReading, "3 digits, an odd number"},
		{"odd without 0x", "deadbeef0", ErrNoReading, "hex with an odd number of digits, 9"},
		{"odd, and base64", "abc", ErrNoReading, "write base64:abc"},
		{"odd lines", long[:61] + "\n" + long[61:95], ErrNoReading, "an odd number of digits, 95"},
		{"no digit", "0xabcg", ErrNoReading, "'g' at character 4 is no digit"},
		{"0x twice", "0xab 0xcd", ErrNoReading, "a 0x in the midst of it"},
		{"0x alone in words", "0xde, ad", ErrNoReading, "',' at character 3"},
		{"a dump with places", "00000000: 5859", ErrNoReading, "neither hex (':' at character 9"},
		{"a dump of od -t x1, an even number of digits", "0000000 58 59 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e\n0000020\n", ErrNoReading, "a dump with a place before each line"},
		{"a dump of od -A x", "000000 58 59 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e\n000010 0f\n000011\n", ErrNoReading, "a dump"},
		{"a dump of od -A d", "0000000 58 59 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e\n0000016 0f 10\n0000018\n", ErrNoReading, "a dump"},
		{"a dump of hexdump, whose words are turned", "0000000 5958 0201 0403 0605 0807 0a09 0c0b 0e0d\r\n0000010\r\n", ErrNoReading, "xxd -p"},
		{"the first line of a dump", "hex:000000 58 59 01", ErrNoReading, "a dump"},
		{"padding", "gA=", ErrNoReading, "2 characters are padded with 2 =, not 1"},
		{"padding of nothing", "base64:gAAA=", ErrNoReading, "padded with 0 =, not 1"},
		{"padding in the midst", "gA==gA==", ErrNoReading, "'=' at character 3"},
		{"five characters", "gAAAg", ErrNoReading, "no bytes have 5 characters"},
		{"bits left over", "gB==", ErrNoReading, "bits are left over"},
		{"both alphabets", "3q2-7+/w", ErrNoReading, "it mixes"},
		{"both alphabets, the other way", "3q2+7_-w", ErrNoReading, "it mixes"},
		{"base64 with spaces", "3q2+ 7w==", ErrNoReading, "' ' at character 5"},
		{"lines of all lengths", "3q2+\n7w\n3q2+", ErrNoReading, "line 2 is of another length"},
		{"a sentence", "What is this?", ErrNoReading, "neither hex"},
		{"a control character", "\x1b[31mgA==", ErrNoReading, `'\x1b' at character 1`},
		{"JSON that ends early", `{"a": `, ErrNoReading, "no JSON: line 1, column 5"},
		{"JSON on lines", "{\n  \"a\": x}", ErrNoReading, "line 2, column 8"},
		{"a number of JSON", "-1.5", ErrNoReading, "neither"},
		{"quotes in quotes", `"\"gA==\""`, ErrNoReading, "the JSON string"},
		{"half a string", `"gA==`, ErrNoReading, "no JSON"},
	} {
		d, err := Parse(tt.text)
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %+v, %v", tt.name, d, err)
		}
	}
}

// Where text is hex and base64, what it is for may decide.
func TestDeciders(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		decide     Decider
		form       Form
		want       string // hex; "": ErrAmbiguous
	}{
		{"hex is CBOR", "455b5a505f56", CBOR, Hex, "455b5a505f56"}, // a byte string; base64 is simple(3) and more
		{"base64 is CBOR", "AA", CBOR, Raw, ""},                    // 0; a map that ends early
		{"neither is CBOR", "deadbeef", CBOR, Raw, ""},             // a tag of a map that ends early; a text that does
		{"nor here", "AAAA", CBOR, Raw, ""},                        // a map that ends early; 0 and two more
		{"a list that ends early", "8200", CBOR, Raw, ""},          // and simple(19)
		{"calldata", "06fdde03", Digits, Hex, "06fdde03"},
		{"no message", "deadbeef", Messages, Raw, ""},
	} {
		r := Reader{Decide: tt.decide}
		d, err := r.Read(t.Context(), tt.text)
		if tt.want == "" {
			if !errors.Is(err, ErrAmbiguous) {
				t.Errorf("%s: %v, %v", tt.name, d, err)
			}
		} else if err != nil || hex.EncodeToString(d.Bytes) != tt.want || d.Form != tt.form {
			t.Errorf("%s: %v, %v", tt.name, d, err)
		}
	}
	r := Reader{Decide: CBOR}
	if d, err := r.Read(t.Context(), "455b5a505f56"); err != nil || d.String() != "6 bytes, from hex (as base64 it is no CBOR)" {
		t.Errorf("%v, %v", d, err)
	}
}

// The files of reports from users, and what people make of bytes on all kinds of machines.
func TestReadFiles(t *testing.T) {
	want := read(t, "testdata/params.bin")
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	digits := hex.EncodeToString(want)
	wide := "\xff\xfe"
	for _, c := range digits {
		wide += string(c) + "\x00"
	}
	for _, tt := range []struct{ name, arg, says string }{
		{"as xxd -p prints it", "testdata/wrapped.hex", "91 bytes, from hex in a file"},
		{"0x and a space", "testdata/spaced.hex", "91 bytes, from hex in a file"},
		{"the bytes", "testdata/params.bin", "91 bytes, from a file"},
		{"named by @", "@testdata/params.bin", "91 bytes, from a file"},
		{"named by file:", "file:testdata/wrapped.hex", "91 bytes, from hex in a file"},
		{"said to be hex", "hex:@testdata/wrapped.hex", "91 bytes, from hex in a file"},
		{"said to be raw", "raw:testdata/params.bin", "91 bytes, from a file"},
		{"said to be raw, with @", "raw:@testdata/params.bin", "91 bytes, from a file"},
		{"base64", write("b64", base64.StdEncoding.EncodeToString(want)+"\n"), "91 bytes, from base64 in a file"},
		{"base64, said to be that", "base64:@" + write("b64", base64.StdEncoding.EncodeToString(want)+"\n"), "91 bytes, from base64 in a file"},
		{"a JSON string", write("quoted.json", `"`+digits+"\"\r\n"), "91 bytes, from hex in quotes in a file"},
		{"UTF-16", write("wide.txt", wide), "91 bytes, from hex in a file"},
		{"a mark of UTF-8", write("mark.txt", "\xef\xbb\xbf0x"+digits), "91 bytes, from hex in a file"},
		{"hex itself", digits, "91 bytes, from hex"},
	} {
		d, err := new(Reader).Read(t.Context(), tt.arg)
		if err != nil || !bytes.Equal(d.Bytes, want) || d.String() != tt.says {
			t.Errorf("%s: %v, %v", tt.name, d, err)
		}
	}
	for _, tt := range []struct{ name, arg, says string }{
		{"JSON", "testdata/message.json", "144 bytes of JSON, from a file"},
		{"an empty file", write("none", ""), "0 bytes, from a file"},
		{"text that is said to be raw", "raw:" + write("text", "hello"), "5 bytes, from a file"},
	} {
		if d, err := new(Reader).Read(t.Context(), tt.arg); err != nil || d.String() != tt.says {
			t.Errorf("%s: %v, %v", tt.name, d, err)
		}
	}

	t.Chdir(dir)
	for _, name := range []string{"cafe", "deadbeef", "gAAA"} {
		write(name, "0x01")
	}
	if err := os.Mkdir("beef00", 0o700); err != nil {
		t.Fatal(err)
	}
	write("binary", "\x00\x01")
	write("messages", "\x00\x01")
	write("short", "cafebabe")
	write("words", "no reading at all")
	write("blank", " \n")
	for _, tt := range []struct {
		name, arg string
		is        error
		says      string
	}{
		{"a file whose name is hex", "cafe", ErrAmbiguous, "the name of a file, and may be"},
		{"a file whose name is hex and base64", "deadbeef", ErrAmbiguous, "write ./deadbeef for the file"},
		{"a file whose name is base64", "gAAA", ErrAmbiguous, "may be 3 bytes, from base64: write ./gAAA"},
		{"a folder whose name is hex", "beef 00", nil, ""},
		{"a folder whose name is hex, as it is", "beef00", ErrAmbiguous, "folder"},
		{"a folder", ".", ErrNoReading, "folder"},
		{"no file", "message.cbor", ErrNoReading, "there is no such file"},
		{"no file in a folder", "./message", ErrNoReading, "there is no such file"},
		{"a dump", "00000000: 5859 0102  XY..", ErrNoReading, "as text it is neither hex"},
		{"no file, named", "@message.cbor", ErrNoReading, "there is no file message.cbor"},
		{"no file, a word", "nothing!", ErrNoReading, "there is no file of that name, and as text it is neither hex"},
		{"a word", "passages", ErrAmbiguous, "it may be a name or base64"},
		{"@ alone", "@", ErrNoReading, "the name of the file is missing"},
		{"nothing", "", ErrNoReading, "it is empty"},
		{"two readings in a file", "short", ErrAmbiguous, "hex:@FILE or base64:@FILE, or raw:FILE if its 8 bytes"},
		{"none in a file", "words", ErrNoReading, "name it as raw:FILE if its 17 bytes are meant"},
		{"white space in a file", "blank", ErrNoReading, "it is empty"},
		{"bytes that are said to be hex", "hex:@binary", ErrNoReading, "it holds bytes that are no text"},
		{"the wrong prefix", "base64:@short", nil, ""},
		{"hex of no file", "0xzz", ErrNoReading, "'z' at character 1"},
	} {
		d, err := new(Reader).Read(t.Context(), tt.arg)
		if !errors.Is(err, tt.is) || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, %v", tt.name, d, err)
		}
	}
	for arg, want := range map[string]string{"./cafe": "01", "@cafe": "01", "hex:cafe": "cafe", "raw:cafe": "30783031", "messages": "0001"} {
		if d, err := new(Reader).Read(t.Context(), arg); err != nil || hex.EncodeToString(d.Bytes) != want {
			t.Errorf("%s: %v, %v", arg, d, err)
		}
	}
	for arg, in := range map[string]string{"-": "0xcafe", "hex:-": "ca fe", "raw:-": "\xca\xfe"} {
		r := Reader{Stdin: strings.NewReader(in)}
		if d, err := r.Read(t.Context(), arg); err != nil || hex.EncodeToString(d.Bytes) != "cafe" || !strings.HasSuffix(d.String(), "standard input") {
			t.Errorf("%s: %v, %v", arg, d, err)
		}
	}
}

// The bytes of a contract's parameters may be letters all of them, and base64 then.
func TestAsTheyAre(t *testing.T) {
	for _, tt := range []struct{ content, want string }{
		{"Cxyz", ""},         // 43 78 79 7a: a string of three bytes; base64 of three others
		{"Cxyz\n", "0b1cb3"}, // with a line break it is no CBOR
		{"C000", ""},         // 43 30 30 30; hex c000; base64
		{"E00000", ""},       // 45 30 ...; hex e00000, and no base64
		{"E00000\n", "e00000"},
		{"gkIAZEA=", "824200 6440"}, // a string of text is nobody's parameters
		{"420064", "420064"},
	} {
		r := Reader{Stdin: strings.NewReader(tt.content), AsTheyAre: StringOfBytes}
		d, err := r.Read(t.Context(), "-")
		switch {
		case tt.want == "" && !errors.Is(err, ErrAmbiguous):
			t.Errorf("%q: %v, %v", tt.content, d, err)
		case tt.want != "" && (err != nil || hex.EncodeToString(d.Bytes) != strings.ReplaceAll(tt.want, " ", "")):
			t.Errorf("%q: %v, %v", tt.content, d, err)
		}
	}
	r := Reader{Stdin: strings.NewReader("Cxyz"), AsTheyAre: StringOfBytes}
	if d, err := r.Read(t.Context(), "raw:-"); err != nil || string(d.Bytes) != "Cxyz" {
		t.Error(d, err)
	}
	r.Stdin = strings.NewReader("Cxyz")
	if d, err := r.Read(t.Context(), "base64:-"); err != nil || hex.EncodeToString(d.Bytes) != "0b1cb3" {
		t.Error(d, err)
	}
}

// endless is a pipe that never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestReadHasABound(t *testing.T) {
	if _, err := (&Reader{Stdin: endless{}}).Read(t.Context(), "-"); err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0xdeadbeef", "de ad\nbe ef", "cafebabe", "gA==", "3q2-7w", `"gA=="`, "{}", "json:17", "hex:", "base64:gA", "0000000 58 59 01\n0000003\n", "000000 5859"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if err != nil {
			if !errors.Is(err, ErrAmbiguous) && !errors.Is(err, ErrNoReading) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again := ""
		switch d.Form {
		case Hex:
			again = "0x" + hex.EncodeToString(d.Bytes)
		case Base64:
			again = "base64:" + base64.StdEncoding.EncodeToString(d.Bytes)
		case JSON:
			again = "json:" + string(d.Bytes)
		}
		if e, err := Parse(again); err != nil || !bytes.Equal(e.Bytes, d.Bytes) || e.Form != d.Form {
			t.Errorf("%q: %v, again: %v, %v", s, d, e, err)
		}
		// What is read without a prefix has no other reading that is as good.
		if _, err := hex.DecodeString(s); err == nil && d.Form == Base64 && !strings.HasPrefix(s, "base64:") {
			t.Errorf("%q is hex too", s)
		}
	})
}
