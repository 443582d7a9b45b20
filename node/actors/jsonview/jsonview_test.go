package jsonview_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

type inner struct {
	Label market.DealLabel
	On    bool
}

type sample struct {
	Who    address.Address
	Link   cid.Cid
	Maybe  *cid.Cid
	Amount abi.TokenAmount
	Raw    []byte
	Fixed  [4]byte
	Set    bitfield.BitField
	Seal   abi.RegisteredSealProof
	Sig    crypto.Signature
	Inner  *inner
	List   []inner
	Epoch  abi.ChainEpoch
	Rest   cbg.Deferred
}

func text(t *testing.T, s string) market.DealLabel {
	t.Helper()
	l, err := market.NewLabelFromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func raw(t *testing.T, b []byte) market.DealLabel {
	t.Helper()
	l, err := market.NewLabelFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const sampleJSON = `{"Who":"f01234","Link":"bafy2bzacecu7n7wbtogznrtuuvf73dsz7wasgyneqasksdblxupnyovmtwxxu","Maybe":null,"Amount":"-1000000000000000000",` +
	`"Raw":"0x00ff","Fixed":"0x01020304","Set":"0-4,7,9-12","Seal":"StackedDrg32GiBV1_1","Sig":{"Type":"bls","Data":"0xaa"},` +
	`"Inner":null,"List":[{"Label":"a <b>","On":true},{"Label":{"Bytes":"0x61"},"On":false}],"Epoch":-1,"Rest":{"CBOR":"0x820102"}}`

func sampleValue(t *testing.T) sample {
	return sample{
		Who:    must(address.NewIDAddress(1234)),
		Link:   must(cid.Decode("bafy2bzacecu7n7wbtogznrtuuvf73dsz7wasgyneqasksdblxupnyovmtwxxu")),
		Amount: big.MustFromString("-1000000000000000000"),
		Raw:    []byte{0, 255},
		Fixed:  [4]byte{1, 2, 3, 4},
		Set:    bitfield.NewFromSet([]uint64{0, 1, 2, 3, 4, 7, 9, 10, 11, 12}),
		Seal:   abi.RegisteredSealProof_StackedDrg32GiBV1_1,
		Sig:    crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte{0xaa}},
		List:   []inner{{text(t, "a <b>"), true}, {raw(t, []byte("a")), false}},
		Epoch:  -1,
		Rest:   cbg.Deferred{Raw: []byte{0x82, 1, 2}},
	}
}

func TestMarshal(t *testing.T) {
	got, err := jsonview.Marshal(sampleValue(t))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != sampleJSON {
		t.Fatalf("got  %s\nwant %s", got, sampleJSON)
	}
	var back sample
	if err := jsonview.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	again, err := jsonview.Marshal(back)
	if err != nil || string(again) != sampleJSON {
		t.Fatalf("after a round trip: %s, %v", again, err)
	}
	if !back.List[0].Label.IsString() || back.List[1].Label.IsString() {
		t.Fatal("text and bytes of labels are mixed up")
	}
}

// What one reading does not fit is refused, with the place and what is wanted.
func TestUnmarshalErrors(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown field", `"On":true`, `"On":true,"Off":1`, "List[0].Off: unknown field; known: Label, On"},
		{"missing field", `,"On":false`, ``, "List[1].On: missing"},
		{"repeated field", `"On":true`, `"On":true,"On":true`, "List[0].On: it is there twice"},
		{"field in other letters", `"Epoch"`, `"epoch"`, "epoch: unknown field"},
		{"base64 for bytes", `"0x00ff"`, `"AP8="`, `Raw: want bytes in hex with 0x before them`},
		{"hex without 0x", `"0x00ff"`, `"00ff"`, `Raw: want bytes in hex`},
		{"half a byte", `"0x00ff"`, `"0x00f"`, `Raw: bytes "0x00f"`},
		{"too short an array", `"0x01020304"`, `"0x010203"`, "Fixed: want 4 bytes, not 3"},
		{"lengths of runs", `"0-4,7,9-12"`, `[0,5,2,1]`, "Set: want a bitfield as text"},
		{"members out of order", `"0-4,7,9-12"`, `"7,0-4"`, "Set: bitfield: 0-4 is not after"},
		{"a member twice", `"0-4,7,9-12"`, `"0-4,4"`, "Set: bitfield: 4 is not after"},
		{"a range backwards", `"0-4,7,9-12"`, `"4-0"`, "Set: bitfield: the range 4-0 ends before it begins"},
		{"a member too large", `"0-4,7,9-12"`, `"18446744073709551615"`, "too large"},
		{"an address cut", `"f01234"`, `"f1abc"`, `Who: address "f1abc"`},
		{"a number for an address", `"f01234"`, `1234`, "Who: want an address"},
		{"an unknown proof", `"StackedDrg32GiBV1_1"`, `"StackedDrg33GiB"`, `Seal: unknown name "StackedDrg33GiB"`},
		{"an amount with a point", `"-1000000000000000000"`, `"1.5"`, "Amount: want a whole number"},
		{"an amount with an exponent", `"-1000000000000000000"`, `1e18`, "Amount: want a whole number"},
		{"an amount with underscores", `"-1000000000000000000"`, `"1_000"`, "Amount: want a whole number"},
		{"a fraction", `"Epoch":-1`, `"Epoch":1.0`, "Epoch: want a whole number of 64 bits"},
		{"too large", `"Epoch":-1`, `"Epoch":9223372036854775808`, "Epoch: want a whole number of 64 bits"},
		{"null for a struct", `{"Label":"a <b>","On":true}`, `null`, "List[0]: want an object, not null"},
		{"cut CBOR", `"0x820102"`, `"0x8201"`, "Rest.CBOR: "},
		{"CBOR and more", `"0x820102"`, `"0x82010203"`, "Rest.CBOR: there is more after"},
		{"text after it", `{"CBOR":"0x820102"}}`, `{"CBOR":"0x820102"}} x`, "JSON"},
		{"cut", `"0x820102"}}`, `"0x820102"`, "JSON: it ends early"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(sampleJSON, c.old) {
				t.Fatalf("the sample has no %s", c.old)
			}
			var s sample
			err := jsonview.Unmarshal([]byte(strings.Replace(sampleJSON, c.old, c.new, 1)), &s)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}

// Forms that say the same are read as well.
func TestUnmarshalForms(t *testing.T) {
	for _, c := range []struct{ name, old, new string }{
		{"DAG-JSON link", `"bafy2bzacecu7n7wbtogznrtuuvf73dsz7wasgyneqasksdblxupnyovmtwxxu"`, `{"/":"bafy2bzacecu7n7wbtogznrtuuvf73dsz7wasgyneqasksdblxupnyovmtwxxu"}`},
		{"DAG-JSON bytes", `"0x00ff"`, `{"/":{"bytes":"AP8"}}`},
		{"testnet address", `"f01234"`, `"t01234"`},
		{"masked id of Ethereum", `"f01234"`, `"0xff000000000000000000000000000000000004d2"`},
		{"number of a proof", `"StackedDrg32GiBV1_1"`, `8`},
		{"number in quotes", `"Epoch":-1`, `"Epoch":"-1"`},
		{"adjoining ranges", `"0-4,7,9-12"`, `"0-1, 2-4, 7, 9-10, 11-12"`},
		{"indented", `{"Label"`, "{\n\t\"Label\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sample
			if err := jsonview.Unmarshal([]byte(strings.Replace(sampleJSON, c.old, c.new, 1)), &s); err != nil {
				t.Fatal(err)
			}
			if got, err := jsonview.Marshal(s); err != nil || string(got) != sampleJSON {
				t.Fatalf("got %s, %v", got, err)
			}
		})
	}
}

// A bitfield of one run to the end of what RLE+ can say is a line of text, not 2^64 members.
func TestBitFieldBounds(t *testing.T) {
	for _, text := range []string{"", "0", "18446744073709551614", "5-18446744073709551614", "0-18446744073709551614", "1,3,5-6"} {
		b, err := jsonview.ParseBitField(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var buf bytes.Buffer
		if err := b.MarshalCBOR(&buf); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var back bitfield.BitField
		if err := back.UnmarshalCBOR(&buf); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got, err := jsonview.BitField(back); err != nil || got != text {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	}
	if got, err := jsonview.BitField(bitfield.BitField{}); err != nil || got != "" {
		t.Fatalf("the zero value: %q, %v", got, err)
	}
}

// The names are those of go-state-types' constants, and its number of them.
func TestEnumNames(t *testing.T) {
	for p, name := range map[any]string{
		abi.RegisteredSealProof_StackedDrg2KiBV1:                       "StackedDrg2KiBV1",
		abi.RegisteredSealProof_StackedDrg64GiBV1_1:                    "StackedDrg64GiBV1_1",
		abi.RegisteredSealProof_StackedDrg2KiBV1_1_Feat_SyntheticPoRep: "StackedDrg2KiBV1_1_Feat_SyntheticPoRep",
		abi.RegisteredSealProof_StackedDrg512MiBV1_2_Feat_NiPoRep:      "StackedDrg512MiBV1_2_Feat_NiPoRep",
		abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep:       "StackedDrg64GiBV1_2_Feat_NiPoRep",
		abi.RegisteredPoStProof_StackedDrgWinning64GiBV1:               "StackedDrgWinning64GiBV1",
		abi.RegisteredPoStProof_StackedDrgWindow2KiBV1:                 "StackedDrgWindow2KiBV1",
		abi.RegisteredPoStProof_StackedDrgWindow64GiBV1_1:              "StackedDrgWindow64GiBV1_1",
		abi.RegisteredAggregationProof_SnarkPackV2:                     "SnarkPackV2",
		abi.RegisteredUpdateProof_StackedDrg64GiBV1:                    "StackedDrg64GiBV1",
		abi.SectorStatusCodeFaulty:                                     "Faulty",
		crypto.SigTypeSecp256k1:                                        "secp256k1",
		crypto.SigTypeDelegated:                                        "delegated",
	} {
		if got, err := jsonview.View(p); err != nil || got != name {
			t.Errorf("%T %v: %v, %v, want %s", p, p, got, err, name)
		}
	}
	for _, p := range []any{abi.RegisteredSealProof(20), abi.RegisteredSealProof(math.MinInt64), abi.RegisteredPoStProof(15), crypto.SigType(0), crypto.SigTypeUnknown} {
		if got, err := jsonview.Marshal(p); err != nil || got[0] == '"' {
			t.Errorf("%T %v has a name: %s, %v", p, p, got, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(sampleJSON))
	f.Add([]byte(`{"Set":"0-4"}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var s sample
		if jsonview.Unmarshal(in, &s) != nil {
			return
		}
		out, err := jsonview.Marshal(s)
		if err != nil {
			t.Fatalf("read %s and cannot show it: %v", in, err)
		}
		var back sample
		if err := jsonview.Unmarshal(out, &back); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if again, err := jsonview.Marshal(back); err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%s became %s, %v", out, again, err)
		}
	})
}
