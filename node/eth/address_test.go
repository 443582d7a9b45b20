package eth

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/textform"
)

// Addresses in the genesis of a chain that Lotus made.
func TestAddressOf(t *testing.T) {
	file, err := os.Open("../replay/testdata/two29.car.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := zstd.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	store := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(t.Context(), z, store, blockstore.CAROptions{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../replay/testdata/two29.tipsets.json")
	if err != nil {
		t.Fatal(err)
	}
	var tipsets []struct {
		Root     string `json:"parent_state_root"`
		Messages []struct{ From string }
	}
	if err := json.Unmarshal(text, &tipsets); err != nil {
		t.Fatal(err)
	}
	root, err := cid.Parse(tipsets[0].Root)
	if err != nil {
		t.Fatal(err)
	}
	state, err := tree.Load(t.Context(), store, root)
	if err != nil {
		t.Fatal(err)
	}
	from, err := textform.Address(tipsets[0].Messages[0].From)
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := address.NewSecp256k1Address([]byte("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	id, err := state.ID(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	contract := Address{5: 5}
	for _, tt := range []struct {
		name string
		a    address.Address
		want Address
		ok   bool
	}{
		{"an account", from, MaskedID(uint64(id)), true},
		{"the same by its ID", addr.NewID(uint64(id)), MaskedID(uint64(id)), true},
		{"an ID that nobody has", addr.NewID(1 << 40), MaskedID(1 << 40), true},
		{"an address that nobody has", nobody, Address{}, false},
		{"f410f, which is not looked up", contract.Filecoin(), contract, true},
	} {
		got, ok, err := AddressOf(t.Context(), tt.a, LookupIn(state))
		if err != nil || got != tt.want || ok != tt.ok {
			t.Errorf("%s: %s, %v, %v, want %s", tt.name, got, ok, err, tt.want)
		}
	}
}
