package decoding_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

const (
	bytes20 = "000102030405060708090a0b0c0d0e0f10111213"
	bytes48 = bytes20 + "1415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
	bytes54 = bytes48 + "303132333435"
)

type shownAddress struct {
	Address, Testnet, Kind, Payload, Ethereum, Bytes, CBOR string
	Protocol                                               int
	ID, Namespace                                          *uint64
}

// addresses by the specification: the text of f1 to f4 is base32 of payload and blake2b-32 of protocol and payload, ids and
// namespaces are LEB128, and the masked id of an actor is 0xff, eleven zeros and the id (FIP-0055). The texts were computed apart.
var addresses = []struct {
	name, address, bytes, cbor string
	kind, payload, ethereum    string
	protocol                   int
	id, namespace              int64 // -1: none
}{
	{"the system actor", "f00", "0000", "420000", "id of an actor", "00", "0xff00000000000000000000000000000000000000", 0, 0, -1},
	{"an id of a byte", "f0127", "007f", "42007f", "id of an actor", "7f", "0xff0000000000000000000000000000000000007f", 0, 127, -1},
	{"an id of two", "f0128", "008001", "43008001", "id of an actor", "8001", "0xff00000000000000000000000000000000000080", 0, 128, -1},
	{"a miner", "f01024", "008008", "43008008", "id of an actor", "8008", "0xff00000000000000000000000000000000000400", 0, 1024, -1},
	{"a large id", "f04294967296", "008080808010", "46008080808010", "id of an actor", "8080808010", "0xff00000000000000000000000000000100000000", 0, 1 << 32, -1},
	{"the largest that is signed", "f09223372036854775807", "00ffffffffffffffff7f", "4a00ffffffffffffffff7f", "id of an actor", "ffffffffffffffff7f",
		"0xff00000000000000000000007fffffffffffffff", 0, 1<<63 - 1, -1},
	{"a secp256k1 key", "f1aaaqeayeaudaocajbifqydiob4ibceqt2oc2pvy", "01" + bytes20, "5501" + bytes20, "secp256k1 key", bytes20, "", 1, -1, -1},
	{"an actor", "f2aaaqeayeaudaocajbifqydiob4ibceqtuzr55aq", "02" + bytes20, "5502" + bytes20, "actor", bytes20, "", 2, -1, -1},
	{"a BLS key", "f3aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijcemsckjrhfausukzmfuxc7xayzmkq", "03" + bytes48, "583103" + bytes48, "BLS key", bytes48, "", 3, -1, -1},
	{"Ethereum's", "f410faaaqeayeaudaocajbifqydiob4ibceqtvnhu7zy", "040a" + bytes20, "56040a" + bytes20, "delegated", bytes20, "0x" + bytes20, 4, -1, 10},
	{"of another namespace", "f432faebagooc3nqa", "0420010203", "450420010203", "delegated", "010203", "", 4, -1, 32},
	{"the longest", "f41000faaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijcemsckjrhfausukzmfuxc6mbrgiztiniec2jr4", "04e807" + bytes54, "583904e807" + bytes54, "delegated", bytes54, "", 4, -1, 1000},
	{"Ethereum's namespace, other lengths", "f410faaaqeaye6x4lbza", "040a0001020304", "47040a0001020304", "delegated", "0001020304", "", 4, -1, 10},
}

// An address is the same in whatever form it is given.
func TestAddresses(t *testing.T) {
	for _, c := range addresses {
		t.Run(c.name, func(t *testing.T) {
			forms := []string{c.address, "t" + c.address[1:], " " + c.address + "\n", "0x" + c.bytes, "0x" + c.cbor}
			if c.ethereum != "" {
				forms = append(forms, c.ethereum, "0x"+strings.ToUpper(c.ethereum[2:]))
			}
			for _, form := range forms {
				v := clitest.FromJSON[shownAddress](t, edgefvm.OK(t, "decode", "address", "--json", form))
				if v.Address != c.address || v.Testnet != "t"+c.address[1:] || v.Bytes != "0x"+c.bytes || v.CBOR != "0x"+c.cbor || v.Kind != c.kind || v.Payload != "0x"+c.payload || v.Ethereum != c.ethereum || v.Protocol != c.protocol {
					t.Errorf("%s: %+v", form, v)
				}
				if (v.ID != nil) != (c.id >= 0) || v.ID != nil && *v.ID != uint64(c.id) || (v.Namespace != nil) != (c.namespace >= 0) || v.Namespace != nil && *v.Namespace != uint64(c.namespace) {
					t.Errorf("%s: id %v, namespace %v", form, v.ID, v.Namespace)
				}
			}
			raw, err := hex.DecodeString(c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range []struct {
				args []string
				want string
			}{
				{nil, "0x" + c.bytes + "\n"},
				{[]string{"--wrap"}, "0x" + c.cbor + "\n"},
				{[]string{"--to", "hex"}, "0x" + c.bytes + "\n"},
				{[]string{"--to", "raw"}, string(raw)},
				{[]string{"--to", "base64"}, base64.StdEncoding.EncodeToString(raw) + "\n"},
				{[]string{"--to", "diag"}, "h'" + c.bytes + "'\n"},
			} {
				if got := edgefvm.OK(t, append(append([]string{"encode", "address"}, e.args...), c.address)...); got != e.want {
					t.Errorf("encode %v: %q, want %q", e.args, got, e.want)
				}
			}
			if a, b := edgefvm.OK(t, "encode", "address", "--json", c.address), edgefvm.OK(t, "decode", "address", "--json", c.address); a != b {
				t.Errorf("%s\nand %s", a, b)
			}
			text := edgefvm.OK(t, "decode", "address", c.address)
			clitest.Plain(t, text)
			for _, want := range []string{c.address + "\n", "bytes 0x" + c.bytes + "\n", "CBOR 0x" + c.cbor + "\n", fmt.Sprintf("protocol %d: %s\n", c.protocol, c.kind)} {
				if !strings.Contains(text, want) {
					t.Errorf("the text lacks %q:\n%s", want, text)
				}
			}
		})
	}
}

// What is nearly an address is refused with what is wrong with it: neighbours of the reports about addresses of Ethereum.
func TestAddressMistakes(t *testing.T) {
	const eth = "0426d88556bf538d6eefea76f16386fcd8ca5353"
	for name, c := range map[string]struct{ input, want string }{
		"nothing":                      {"", "it is empty"},
		"without 0x":                   {eth, "begins with 0x"},
		"a digit too few":              {"0x" + eth[1:], "after 0x come 40 hex digits"},
		"a digit too many":             {"0x" + eth + "0", "after 0x come 40 hex digits"},
		"no hex digit":                 {"0x" + eth[:39] + "g", "hex digits"},
		"0x alone":                     {"0x", "here are 0"},
		"a wrong capital":              {"0x0426D88556bf538d6eefea76f16386fcd8ca5353", "EIP-55"},
		"a letter that no network has": {"e01", "begin with f"},
		"capital":                      {"F01024", "small letters: f01024"},
		"a protocol to come":           {"f5abc", "a digit from 0 to 4"},
		"a namespace that is none":     {"f4a", "namespace"},
		"no id":                        {"f0", `"f0"`},
		"a sign":                       {"f0-1", `"f0-1"`},
		"beyond 64 bits":               {"f018446744073709551616", "f018446744073709551616"},
		"cut":                          {"f1aaaqeayeaudaocajbifqydiob4ibceqt2oc2pv", "f1aaaqeay"},
		"a letter changed":             {"f1baaqeayeaudaocajbifqydiob4ibceqt2oc2pvy", "f1baaqeay"},
		"another protocol's checksum":  {"f2aaaqeayeaudaocajbifqydiob4ibceqt2oc2pvy", "f2aaaqeay"},
		"a payload too long":           {"0x0401" + strings.Repeat("00", 55), "hex digits"},
		"bytes of no protocol":         {"0x0500", "hex digits"},
		"of which CBOR says more":      {"0x430080", "hex digits"},
		"LEB128 longer than need be":   {"0x008000", "hex digits"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, command := range []string{"decode", "encode"} {
				edgefvm.Fails(t, kit.ExitUsage, []string{command, "address", c.input}, c.want)
			}
		})
	}
}

// By EIP-55's own examples: mixed letters are a checksum.
func TestChecksummedAddresses(t *testing.T) {
	for _, a := range []string{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		v := clitest.FromJSON[shownAddress](t, edgefvm.OK(t, "decode", "address", "--json", a))
		if !strings.EqualFold(v.Ethereum, a) || v.Payload != strings.ToLower(a) || v.Protocol != 4 {
			t.Errorf("%s: %+v", a, v)
		}
		swapped := strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'f':
				return r - 'a' + 'A'
			case r >= 'A' && r <= 'F':
				return r - 'A' + 'a'
			}
			return r
		}, a)
		edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "address", swapped}, "EIP-55", strings.ToLower(a))
	}
}

const (
	sumOf80  = "45b0cfc220ceec5b7c1c62c4d4193d38e4eba48e8815729ce75f9c0ab0e4c1c0" // blake2b-256 of the byte 0x80
	sha2OfX  = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" // sha2-256 of "x"
	bytes32  = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	textOf80 = "bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a"
)

type shownCID struct {
	CID, Digest, Bytes, CBOR, Actor, Content string
	Version, Codec                           int
	Hash                                     int    `json:"multihash"`
	Length                                   int    `json:"digest_length"`
	CodecName                                string `json:"codec_name"`
	HashName                                 string `json:"multihash_name"`
	Versions                                 []int  `json:"actors_versions"`
}

// CIDs put together by the specifications of CID and multihash and the table of multicodec, apart from the program.
func TestCIDs(t *testing.T) {
	for _, c := range []struct {
		name, text, bytes, codecName, hashName, digest, content string
		version, codec, hash                                    int
	}{
		{"a block of the state", textOf80, "0171a0e40220" + sumOf80, "dag-cbor", "blake2b-256", sumOf80, "", 1, 0x71, 0xb220},
		{"text in itself", "bafkqablimvwgy3y", "0155000568656c6c6f", "raw", "identity", "68656c6c6f", "0x68656c6c6f", 1, 0x55, 0},
		{"data in themselves", "bafiqabedaebag", "0151000483010203", "cbor", "identity", "83010203", "0x83010203", 1, 0x51, 0},
		{"nothing in itself", "bafkqaaa", "01550000", "raw", "identity", "", "0x", 1, 0x55, 0},
		{"of version 0", "QmRQ353oFNqt8zfZ9X1HgRUszwv9RkEEwmMZZkbkYEsybn", "1220" + sha2OfX, "dag-pb", "sha2-256", sha2OfX, "", 0, 0x70, 0x12},
		{"the same of version 1", "bafybeibnoelefnzgwbcacyt4vh52ymxvzbjq7mmqhtcnwarfq4lzegsiqe", "01701220" + sha2OfX, "dag-pb", "sha2-256", sha2OfX, "", 1, 0x70, 0x12},
		{"a piece", "baga6ea4seaqaaaicamcakbqhbaequcymbuha6earcijrifiwc4mbsgq3dqor4hy", "0181e203922020" + bytes32, "fil-commitment-unsealed", "sha2-256-trunc254-padded", bytes32, "", 1, 0xf101, 0x1012},
		{"a sealed sector", "bagboea4b5abcaaabaibqibiga4eascqlbqgq4dyqcejbgfavcylrqgi2dmob2hq7", "0182e20381e80220" + bytes32, "fil-commitment-sealed", "poseidon-bls12_381-a2-fc1", bytes32, "", 1, 0xf102, 0xb401},
		{"a block of Ethereum", "bagiacgzaaaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq", "0190011b20" + bytes32, "eth-block", "keccak-256", bytes32, "", 1, 0x90, 0x1b},
		{"JSON", "baguqeeraiqjw7i2vwntyuekgvulpp2det2kpwt6cd7tx5ayqybqpmhfk76fa", "01a9021220" + "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "dag-json", "sha2-256",
			"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "", 1, 0x129, 0x12},
		{"of a codec that nobody has", "bagaybqabudsaeicfwdh4eigo5rnxyhdcytkbspjy4tv2jduicvzjzz27tqflbzgbya", "018180c001a0e40220" + sumOf80, "", "blake2b-256", sumOf80, "", 1, 0x300001, 0xb220},
	} {
		t.Run(c.name, func(t *testing.T) {
			length := len(c.bytes)/2 + 1 // behind a byte 0
			link := fmt.Sprintf("d82a58%02x00%s", length, c.bytes)
			if length < 24 {
				link = fmt.Sprintf("d82a%02x00%s", 0x40+length, c.bytes)
			}
			for _, form := range []string{c.text, `{"/":"` + c.text + `"}`, `{"/": "` + c.text + `"}`, "0x" + c.bytes, "0x" + link, "/ipfs/" + c.text, "ipfs://" + c.text, " " + c.text + "\n"} {
				v := clitest.FromJSON[shownCID](t, edgefvm.OK(t, "decode", "cid", "--json", form))
				if v.CID != c.text || v.Bytes != "0x"+c.bytes || v.CBOR != "0x"+link || v.CodecName != c.codecName || v.HashName != c.hashName || v.Digest != "0x"+c.digest {
					t.Errorf("%s: %+v", form, v)
				}
				if v.Version != c.version || v.Codec != c.codec || v.Hash != c.hash || v.Length != len(c.digest)/2 || v.Content != c.content || v.Actor != "" {
					t.Errorf("%s: %+v", form, v)
				}
			}
			text := edgefvm.OK(t, "decode", "cid", c.text)
			clitest.Plain(t, text)
			codec := c.codecName
			if codec == "" {
				codec = "(unknown)"
			}
			for _, want := range []string{fmt.Sprintf("version %d\n", c.version), fmt.Sprintf("codec 0x%x %s\n", c.codec, codec), fmt.Sprintf("%d bytes\n", len(c.digest)/2)} {
				if !strings.Contains(text, want) {
					t.Errorf("the text lacks %q:\n%s", want, text)
				}
			}
		})
	}
	// In other bases it is the same.
	for _, form := range []string{"zDPWYqFCvPvnUEdvPj6rkbhnmjrnNBAark4pXCm5FMgXEDn7PTjd", "f0171a0e40220" + sumOf80, "B" + strings.ToUpper(textOf80[1:])} {
		if v := clitest.FromJSON[shownCID](t, edgefvm.OK(t, "decode", "cid", "--json", form)); v.CID != textOf80 {
			t.Errorf("%s: %+v", form, v)
		}
	}
}

func TestCIDMistakes(t *testing.T) {
	for name, c := range map[string]struct{ input, want string }{
		"nothing":                {"", "CID"},
		"a letter too few":       {textOf80[:len(textOf80)-1], "is it cut"},
		"an address":             {"f0100", "no CID"},
		"no link":                {"0xd82a4500", "is none"},
		"an empty link":          {"0xd82a40", "is none"},
		"a link without its 0":   {"0xd82a4401550000", "is none"},
		"bytes of nothing":       {"0xffff", "no CID"},
		"a digest that is short": {"0x0171a0e40220" + sumOf80[2:], "no CID"},
		"more behind it":         {"0x0171a0e40220" + sumOf80 + "00", "no CID"},
		"JSON without one":       {`{"/":1}`, "no CID"},
		"JSON of something else": {`{"cid":"` + textOf80 + `"}`, "no CID"},
	} {
		t.Run(name, func(t *testing.T) {
			edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "cid", c.input}, c.want)
		})
	}
}

// Bitfields by the specification of RLE+: version 00, the first bit, then runs: 1 of one, 01 and four bits, 00 and LEB128.
func TestBitfields(t *testing.T) {
	for _, c := range []struct {
		members, rle string
		count        uint64
	}{
		{"", "", 0},
		{"0", "0c", 1},
		{"1", "18", 1},
		{"7", "f002", 1},
		{"0-4,7", "b494", 6},
		{"0,2,4", "fc", 3},
		{"0-99", "840c", 100},
		{"3-18", "7080", 16},
		{"100-299", "800ce4", 200},
		{"2349", "a05522", 1},
		{"1099511627776", "00101010101024", 1},
	} {
		t.Run(c.members, func(t *testing.T) {
			cbor := fmt.Sprintf("0x%02x%s", 0x40+len(c.rle)/2, c.rle)
			for _, input := range [][]string{{cbor}, {"--bare", "0x" + c.rle}, {"hex:" + cbor[2:]}} {
				v := clitest.FromJSON[struct {
					Members string
					Count   uint64
				}](t, edgefvm.OK(t, append([]string{"decode", "bitfield", "--json"}, input...)...))
				if v.Members != c.members || v.Count != c.count {
					t.Errorf("%v: %+v", input, v)
				}
			}
			head, plural := c.members, "s"
			if head == "" {
				head = "empty"
			}
			if c.count == 1 {
				plural = ""
			}
			if out := edgefvm.OK(t, "decode", "bitfield", cbor); out != fmt.Sprintf("%s\n%d member%s\n", head, c.count, plural) {
				t.Errorf("%q", out)
			}
			if out := edgefvm.OK(t, "encode", "bitfield", c.members); out != cbor+"\n" {
				t.Errorf("%s, want %s", out, cbor)
			}
			if v := clitest.FromJSON[struct{ Hex string }](t, edgefvm.OK(t, "encode", "bitfield", "--json", c.members)); v.Hex != cbor {
				t.Errorf("%s, want %s", v.Hex, cbor)
			}
			if out := edgefvm.OK(t, "encode", "bitfield", "--to", "diag", c.members); out != "h'"+c.rle+"'\n" {
				t.Errorf("%s", out)
			}
		})
	}
}

func TestBitfieldMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		args []string
		want string
	}{
		"another version":          {kit.ExitFailed, []string{"decode", "bitfield", "0x410d"}, "no RLE+"},
		"zeros at its end":         {kit.ExitFailed, []string{"decode", "bitfield", "0x44800ce400"}, "no RLE+"},
		"no bytes":                 {kit.ExitFailed, []string{"decode", "bitfield", "0x00"}, "--bare reads RLE+ that is not in CBOR"},
		"more behind it":           {kit.ExitFailed, []string{"decode", "bitfield", "0x410c00"}, "1 bytes are left over"},
		"a run that does not end":  {kit.ExitFailed, []string{"decode", "bitfield", "--bare", "0x" + "e0ffffffffffffffffffffffff"}, "no RLE+"},
		"half a range":             {kit.ExitUsage, []string{"encode", "bitfield", "1-"}, "no member and no range"},
		"a range that falls":       {kit.ExitUsage, []string{"encode", "bitfield", "5-1"}, "ends before it begins"},
		"a word":                   {kit.ExitUsage, []string{"encode", "bitfield", "all"}, "numbers such as 0-4,7"},
		"a member twice":           {kit.ExitUsage, []string{"encode", "bitfield", "0,0"}, "ascending members"},
		"ranges that overlap":      {kit.ExitUsage, []string{"encode", "bitfield", "0-4,4-7"}, "ascending members"},
		"the largest number":       {kit.ExitUsage, []string{"encode", "bitfield", "18446744073709551615"}, "too large"},
		"more than 64 bits":        {kit.ExitUsage, []string{"encode", "bitfield", "99999999999999999999"}, "99999999999999999999"},
		"two things to print":      {kit.ExitUsage, []string{"encode", "bitfield", "--json", "--to", "hex", "1"}, "leave one out"},
		"a form that is not known": {kit.ExitUsage, []string{"encode", "bitfield", "--to", "hx", "1"}, "did you mean hex?"},
	} {
		t.Run(name, func(t *testing.T) {
			edgefvm.Fails(t, c.code, c.args, c.want)
		})
	}
}
