package filapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

type embedded struct{ Inner string }

type everything struct {
	embedded
	*Extra
	Text    string
	Renamed int    `json:"other"`
	Empty   string `json:",omitempty"`
	Left    string `json:"-"`
	private int    // encoders leave it out
	Bytes   []byte
	None    []byte
	List    []abi.ChainEpoch
	Null    []abi.ChainEpoch
	Amount  big.Int
	NoValue big.Int
	Pointer *big.Int
	CID     cid.Cid
	NoCID   cid.Cid
	Any     any
	Map     map[string]big.Int
	Numbers map[abi.DealID]string
	Set     bitfield.BitField
	Array   [2]uint8
	Time    time.Time
	Float   float64
	Bool    bool
	Label   market.DealLabel
}

// Extra is embedded as a pointer.
type Extra struct{ More int }

// Values are written as encoding/json writes them from a pointer.
func TestMarshal(t *testing.T) {
	c, err := cid.Decode("bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2")
	if err != nil {
		t.Fatal(err)
	}
	label, err := market.NewLabelFromString("a <label>")
	if err != nil {
		t.Fatal(err)
	}
	two := big.NewInt(2)
	for _, c := range []struct {
		name string
		v    any
	}{
		{"zero", &everything{Label: label}},
		{"full", &everything{private: 1,
			embedded: embedded{"in"}, Extra: &Extra{3}, Text: "a \"text\" with <html> & ünicode\n", Renamed: -4, Empty: "not", Bytes: []byte{1, 2}, None: []byte{},
			List: []abi.ChainEpoch{1, -2}, Null: []abi.ChainEpoch{}, Amount: big.NewInt(1), Pointer: &two, CID: c, Any: map[string]any{"b": 1.5, "a": nil},
			Map: map[string]big.Int{"z": two, "a": big.Zero()}, Numbers: map[abi.DealID]string{10: "x", 2: "y"}, Set: bitfield.NewFromSet([]uint64{1, 5, 6}),
			Array: [2]uint8{7, 8}, Time: time.Unix(1700000000, 5).UTC(), Float: 1e-9, Bool: true, Label: label,
		}},
		{"null", (*everything)(nil)},
		{"list", &[]any{1, "a", nil, []byte("b")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(c.v); err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(b.String())
			got, err := marshal('t', c.v)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Addresses begin with the letter of the network, wherever they stand, and IDs have all 64 bits.
func TestMarshalAddresses(t *testing.T) {
	id := addr.NewID(1<<63 + 5)
	eth, err := address.NewDelegatedAddress(10, bytes.Repeat([]byte{1}, 20))
	if err != nil {
		t.Fatal(err)
	}
	v := struct {
		A    address.Address
		P    *address.Address
		Nil  *address.Address
		None address.Address
		List []address.Address
		Deal market.DealProposal
	}{A: id, P: &eth, List: []address.Address{eth}, Deal: market.DealProposal{Client: id, Provider: id, Label: market.EmptyDealLabel}}
	for prefix, want := range map[byte][]string{
		't': {`"A":"t09223372036854775813"`, `"P":"t410f`, `"Nil":null`, `"None":"<empty>"`, `"List":["t410f`, `"Client":"t0922`},
		'f': {`"A":"f09223372036854775813"`, `"P":"f410f`, `"Nil":null`, `"None":"<empty>"`, `"List":["f410f`, `"Client":"f0922`},
	} {
		got, err := marshal(prefix, v)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(got), w) {
				t.Errorf("%c: %s has no %s", prefix, got, w)
			}
		}
	}
}
