package actors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
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

// TestRoundTrip fills the parameters and returns of each method of each version with values, and takes them from CBOR to JSON and back.
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
	case crypto.Signature:
		v.Set(reflect.ValueOf(crypto.Signature{Type: crypto.SigType(1 + rng.IntN(3)), Data: some(65)}))
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
