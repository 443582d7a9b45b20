package actors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// declaredMethod is a line of testdata/methods.txt: what the actors' own code has.
type declaredMethod struct {
	actor, name string
	number      uint64
	from, to    int
}

func declaredMethods(t *testing.T) (list []declaredMethod) {
	t.Helper()
	text, err := os.ReadFile("testdata/methods.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var d declaredMethod
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%s %d %s %d-%d", &d.actor, &d.number, &d.name, &d.from, &d.to); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, d)
	}
	return list
}

// TestMethodsAreTheActors compares the tables with the actors' own code, both ways: each of their methods is found by number and
// by their name for it, and no other is said to be there.
func TestMethodsAreTheActors(t *testing.T) {
	has := map[string]bool{}
	for _, d := range declaredMethods(t) {
		for v := d.from; v <= d.to; v++ {
			has[fmt.Sprint(v, d.actor, d.number)] = true
			for _, by := range []string{strconv.FormatUint(d.number, 10), d.name} {
				m, err := actors.FindMethod(v, d.actor, by)
				if err != nil {
					t.Error(err)
				} else if uint64(m.Number) != d.number || m.Gone != "" {
					t.Errorf("%s of v%d by %q: %d, %s", d.actor, v, by, m.Number, m.Gone)
				}
			}
		}
	}
	for v := actors.OldestVersion; v <= 18; v++ {
		names, err := actors.Names(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, actor := range names {
			methods, err := actors.Methods(v, actor)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range methods {
				if !has[fmt.Sprint(v, actor, m.Number)] {
					t.Errorf("%s is not in its code", m)
				}
			}
		}
	}
}

func TestFindMethod(t *testing.T) {
	for _, c := range []struct {
		version       int
		actor, method string
		number        uint64
		name          string
	}{
		{16, "storagemarket", "PublishStorageDeals", 4, "PublishStorageDeals"},
		{16, "storagemarket", "PublishStorageDealsExported", 2236929350, "PublishStorageDealsExported"},
		{16, "market", "4", 4, "PublishStorageDeals"},
		{16, "f05", "2236929350", 2236929350, "PublishStorageDealsExported"},
		{16, "t05", "GetDealTerm", 163777312, "GetDealTermExported"},
		{18, "evm", "InvokeEVM", 3844450837, "InvokeContract"},
		{18, "evm", "InvokeContract", 3844450837, "InvokeContract"},
		{18, "evm", "Receive", 3726118371, "Receive"},
		{18, "verifreg", "Receive", 3726118371, "UniversalReceiverHook"},
		{18, "evm", "0", 0, "Send"},
		{18, "evm", "Send", 0, "Send"},
		{12, "storageminer", "PreCommitSector", 6, "PreCommitSector"},
		{9, "datacap", "Transfer", 14, "Transfer"},
		{10, "datacap", "Transfer", 80475954, "TransferExported"},
		{16, "bafk2bzacedz5wko3q6gjmckv3vcxspnhopd5wvoc5vzjhemjrpgu7kxndp3ei", "", 0, ""},
	} {
		m, err := actors.FindMethod(c.version, c.actor, c.method)
		if c.name == "" {
			if err == nil {
				t.Errorf("%s: found %s", c.actor, m)
			}
			continue
		}
		if err != nil || uint64(m.Number) != c.number || m.Name != c.name {
			t.Errorf("v%d %s %s: %v, %v", c.version, c.actor, c.method, m, err)
		}
	}
	var unknownMethod *actors.UnknownMethodError
	if _, err := actors.FindMethod(16, "storagemarket", "PublishStorageDeal"); !errors.As(err, &unknownMethod) || len(unknownMethod.Known) < 20 {
		t.Errorf("a method that is not there: %v", err)
	}
	var unknownActor *actors.UnknownActorError
	if _, err := actors.FindMethod(9, "evm", "InvokeContract"); !errors.As(err, &unknownActor) {
		t.Errorf("contracts before there were any: %v", err)
	}
	if m, err := actors.FindMethod(18, "storageminer", "PreCommitSector"); err != nil || m.Gone != "actors have it until v12" {
		t.Errorf("a method that is gone: %v, %v", m, err)
	}
	for _, a := range []string{"f01234", "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za", "nobody", ""} {
		if actor, err := actors.ParseActor(18, a); err == nil {
			t.Errorf("%q is said to be a %s", a, actor)
		}
	}
}

// TestRoundTrip fills the parameters and returns of each method of each version with values, and takes them from CBOR to
// JSON and back.
func TestRoundTrip(t *testing.T) {
	types := 0
	for v := actors.OldestVersion; v <= actors.NewestVersion; v++ {
		names, err := actors.Names(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, actor := range names {
			methods, err := actors.Methods(v, actor)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range methods {
				rng := rand.New(rand.NewPCG(uint64(v), uint64(m.Number)))
				for _, part := range []struct {
					of     string
					t      reflect.Type
					decode func([]byte) (actors.Value, error)
					encode func([]byte) ([]byte, error)
				}{
					{"parameters", m.ParamsType(), m.DecodeParams, m.EncodeParams},
					{"return", m.ReturnType(), m.DecodeReturn, m.EncodeReturn},
				} {
					if part.t == nil {
						continue
					}
					types++
					for range 20 {
						value := reflect.New(part.t)
						fill(rng, value.Elem())
						text, err := jsonview.Marshal(value.Interface())
						if err != nil {
							t.Fatalf("%s of %s: %v", part.of, m, err)
						}
						data, err := part.encode(text)
						if err != nil {
							t.Fatalf("%s of %s: %v: %s", part.of, m, err, text)
						}
						if own, ok := value.Interface().(cbg.CBORMarshaler); ok {
							var generated bytes.Buffer
							if err := own.MarshalCBOR(&generated); err != nil || !bytes.Equal(generated.Bytes(), data) {
								t.Fatalf("%s of %s: %x, and go-state-types' code makes %x, %v", part.of, m, data, generated.Bytes(), err)
							}
						}
						back, err := part.decode(data)
						if err != nil || back.Note != "" {
							t.Fatalf("%s of %s: %v, %s: %x", part.of, m, err, back.Note, data)
						}
						shown, err := json.Marshal(back.JSON)
						if err != nil {
							t.Fatal(err)
						}
						again, err := part.encode(shown)
						if err != nil || !bytes.Equal(again, data) {
							t.Fatalf("%s of %s: %x became %x by %s, %v", part.of, m, data, again, shown, err)
						}
						for range 5 { // broken data are shown or refused
							broken := slices.Clone(data[:len(data)-rng.IntN(2)*rng.IntN(len(data))])
							if len(broken) > 0 {
								broken[rng.IntN(len(broken))] ^= 1 << rng.IntN(8)
							}
							if v, err := part.decode(broken); err == nil && len(broken) > 0 && !v.Typed && v.Note == "" {
								t.Fatalf("%s of %s: nothing is said of %x", part.of, m, broken)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d types of parameters and returns", types)
	if types < 1500 {
		t.Error("these are too few")
	}
}

// What go-state-types' own code refuses for its size, and the network takes, is taken.
func TestLarge(t *testing.T) {
	m, err := actors.FindMethod(18, "verifreg", "GetClaims")
	if err != nil {
		t.Fatal(err)
	}
	data := append([]byte{0x82, 0x19, 0x03, 0xe8, 0x99, 0x27, 0x10}, bytes.Repeat([]byte{0x07}, 10000)...) // [1000, [7, 7, …]]
	v, err := m.DecodeParams(data)
	if err != nil || v.Note != "" {
		t.Fatalf("10,000 claims: %v, %s", err, v.Note)
	}
	text, err := json.Marshal(v.JSON)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.EncodeParams(text); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("10,000 claims became %d bytes, %v", len(again), err)
	}
	m, err = actors.FindMethod(18, "market", "AddBalance")
	if err != nil {
		t.Fatal(err)
	}
	data = append([]byte{0x4b, 0x00}, append(bytes.Repeat([]byte{0xff}, 9), 0x01)...)
	v, err = m.DecodeParams(data)
	if err != nil || v.JSON != "f018446744073709551615" || v.Note != "" {
		t.Fatalf("an id of 64 bits: %+v, %v", v, err)
	}
	if again, err := m.EncodeParams([]byte(`"f018446744073709551615"`)); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("an id of 64 bits became %x, %v", again, err)
	}
	// Lengths and numbers in longer forms than they need be.
	m, err = actors.FindMethod(18, "verifreg", "GetClaims")
	if err != nil {
		t.Fatal(err)
	}
	for _, long := range [][]byte{{0x82, 0x19, 0, 7, 0x80}, {0x82, 0x07, 0x98, 0}, {0x98, 0x02, 0x1b, 0, 0, 0, 0, 0, 0, 0, 7, 0x80}} {
		v, err := m.DecodeParams(long)
		if err != nil || !v.Typed || !strings.Contains(v.Note, "not in the shortest form") {
			t.Errorf("%x: %+v, %v", long, v, err)
			continue
		}
		text, err := json.Marshal(v.JSON)
		if err != nil || string(text) != `{"Provider":7,"ClaimIds":[]}` {
			t.Errorf("%x: %s, %v", long, text, err)
		}
	}
	// A number that promises more than there is costs nothing.
	for _, bad := range [][]byte{{0x82, 0x07, 0x9b, 0, 0, 0, 1, 0, 0, 0, 0}, {0x82, 0x07, 0x9a, 0xff, 0xff, 0xff, 0xff}} {
		m, err := actors.FindMethod(18, "verifreg", "GetClaims")
		if err != nil {
			t.Fatal(err)
		}
		if v, err := m.DecodeParams(bad); err == nil && v.Typed {
			t.Errorf("%x is read as %v", bad, v.JSON)
		}
	}
}

// A template of each method's parameters and return can be encoded as it is.
func TestTemplates(t *testing.T) {
	for _, m := range allMethods(t) {
		for _, part := range []struct {
			template func() (any, error)
			encode   func([]byte) ([]byte, error)
		}{{m.ParamsTemplate, m.EncodeParams}, {m.ReturnTemplate, m.EncodeReturn}} {
			v, err := part.template()
			if err != nil {
				t.Fatalf("%s: %v", m, err)
			}
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("%s: %v", m, err)
			}
			if _, err := part.encode(text); err != nil {
				t.Errorf("%s: %v in %s", m, err, text)
			}
		}
	}
	m, err := actors.FindMethod(18, "miner", "TerminateSectors")
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.ParamsTemplate()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(v); err != nil || string(text) != `{"Terminations":[{"Deadline":0,"Partition":0,"Sectors":""}]}` {
		t.Errorf("%s, %v", text, err)
	}
}

// fill sets all parts of a value to something.
func fill(rng *rand.Rand, v reflect.Value) {
	some := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	switch v.Interface().(type) {
	case address.Address:
		a, err := address.NewSecp256k1Address(some(65))
		if rng.IntN(2) == 0 {
			a, err = address.NewIDAddress(uint64(rng.Uint32()))
		}
		if err != nil {
			panic(err)
		}
		v.Set(reflect.ValueOf(a))
		return
	case cid.Cid:
		c, err := cid.V1Builder{Codec: 0x71, MhType: 0x12}.Sum(some(9))
		if err != nil {
			panic(err)
		}
		v.Set(reflect.ValueOf(c))
		return
	case cbg.CborCid:
		c, err := cid.V1Builder{Codec: 0x71, MhType: 0x12}.Sum(some(9))
		if err != nil {
			panic(err)
		}
		v.Set(reflect.ValueOf(cbg.CborCid(c)))
		return
	case big.Int:
		n := big.NewInt(rng.Int64() - rng.Int64())
		v.Set(reflect.ValueOf(n))
		return
	case bitfield.BitField:
		v.Set(reflect.ValueOf(bitfield.NewFromSet([]uint64{rng.Uint64N(100), 100 + rng.Uint64N(1000)})))
		return
	case abi.SectorStatusCode:
		v.SetUint(rng.Uint64N(3))
		return
	case crypto.Signature:
		v.Set(reflect.ValueOf(crypto.Signature{Type: crypto.SigType(1 + rng.IntN(2)), Data: some(65)}))
		return
	}
	if u, ok := v.Addr().Interface().(cbg.CBORUnmarshaler); ok && strings.HasSuffix(v.Type().String(), "DealLabel") {
		if err := u.UnmarshalCBOR(bytes.NewReader([]byte{0x42, 1, 2})); err != nil {
			panic(err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type().Elem() == reflect.TypeFor[actors.Nothing]() {
			return
		}
		if rng.IntN(4) > 0 || v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeFor[cid.Cid]() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rng, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rng, v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(some(rng.IntN(40)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), rng.IntN(4), 4))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(rng, v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.String:
		v.SetString(fmt.Sprintf("%x", some(rng.IntN(9))))
	default:
		if v.CanInt() {
			v.SetInt(rng.Int64N(1 << (v.Type().Bits() - 2)))
		} else {
			v.SetUint(rng.Uint64N(1 << (v.Type().Bits() - 2)))
		}
	}
}
