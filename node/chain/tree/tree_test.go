package tree

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	init10 "github.com/filecoin-project/go-state-types/builtin/v10/init"
	market10 "github.com/filecoin-project/go-state-types/builtin/v10/market"
	miner10 "github.com/filecoin-project/go-state-types/builtin/v10/miner"
	power10 "github.com/filecoin-project/go-state-types/builtin/v10/power"
	reward10 "github.com/filecoin-project/go-state-types/builtin/v10/reward"
	init11 "github.com/filecoin-project/go-state-types/builtin/v11/init"
	market11 "github.com/filecoin-project/go-state-types/builtin/v11/market"
	miner11 "github.com/filecoin-project/go-state-types/builtin/v11/miner"
	power11 "github.com/filecoin-project/go-state-types/builtin/v11/power"
	reward11 "github.com/filecoin-project/go-state-types/builtin/v11/reward"
	init12 "github.com/filecoin-project/go-state-types/builtin/v12/init"
	market12 "github.com/filecoin-project/go-state-types/builtin/v12/market"
	miner12 "github.com/filecoin-project/go-state-types/builtin/v12/miner"
	power12 "github.com/filecoin-project/go-state-types/builtin/v12/power"
	reward12 "github.com/filecoin-project/go-state-types/builtin/v12/reward"
	init13 "github.com/filecoin-project/go-state-types/builtin/v13/init"
	market13 "github.com/filecoin-project/go-state-types/builtin/v13/market"
	miner13 "github.com/filecoin-project/go-state-types/builtin/v13/miner"
	power13 "github.com/filecoin-project/go-state-types/builtin/v13/power"
	reward13 "github.com/filecoin-project/go-state-types/builtin/v13/reward"
	init14 "github.com/filecoin-project/go-state-types/builtin/v14/init"
	miner14 "github.com/filecoin-project/go-state-types/builtin/v14/miner"
	power14 "github.com/filecoin-project/go-state-types/builtin/v14/power"
	reward14 "github.com/filecoin-project/go-state-types/builtin/v14/reward"
	miner15 "github.com/filecoin-project/go-state-types/builtin/v15/miner"
	power15 "github.com/filecoin-project/go-state-types/builtin/v15/power"
	reward15 "github.com/filecoin-project/go-state-types/builtin/v15/reward"
	miner16 "github.com/filecoin-project/go-state-types/builtin/v16/miner"
	power16 "github.com/filecoin-project/go-state-types/builtin/v16/power"
	reward16 "github.com/filecoin-project/go-state-types/builtin/v16/reward"
	miner17 "github.com/filecoin-project/go-state-types/builtin/v17/miner"
	power17 "github.com/filecoin-project/go-state-types/builtin/v17/power"
	reward17 "github.com/filecoin-project/go-state-types/builtin/v17/reward"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	init18 "github.com/filecoin-project/go-state-types/builtin/v18/init"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	system18 "github.com/filecoin-project/go-state-types/builtin/v18/system"
	miner19 "github.com/filecoin-project/go-state-types/builtin/v19/miner"
	power19 "github.com/filecoin-project/go-state-types/builtin/v19/power"
	reward19 "github.com/filecoin-project/go-state-types/builtin/v19/reward"
	account8 "github.com/filecoin-project/go-state-types/builtin/v8/account"
	init8 "github.com/filecoin-project/go-state-types/builtin/v8/init"
	market8 "github.com/filecoin-project/go-state-types/builtin/v8/market"
	miner8 "github.com/filecoin-project/go-state-types/builtin/v8/miner"
	power8 "github.com/filecoin-project/go-state-types/builtin/v8/power"
	reward8 "github.com/filecoin-project/go-state-types/builtin/v8/reward"
	system8 "github.com/filecoin-project/go-state-types/builtin/v8/system"
	init9 "github.com/filecoin-project/go-state-types/builtin/v9/init"
	market9 "github.com/filecoin-project/go-state-types/builtin/v9/market"
	miner9 "github.com/filecoin-project/go-state-types/builtin/v9/miner"
	power9 "github.com/filecoin-project/go-state-types/builtin/v9/power"
	reward9 "github.com/filecoin-project/go-state-types/builtin/v9/reward"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// fields writes a state in which the named fields have a value, and reads its list.
func fields(t *testing.T, state cbg.CBORMarshaler, values map[string]any) *Fields {
	t.Helper()
	v := reflect.ValueOf(state).Elem()
	fill(t, v)
	for name, value := range values {
		f := v.FieldByName(name)
		if !f.IsValid() {
			t.Fatalf("%T has no field %s", state, name)
		}
		f.Set(reflect.ValueOf(value))
	}
	var b bytes.Buffer
	if err := state.MarshalCBOR(&b); err != nil {
		t.Fatalf("%T: %v", state, err)
	}
	f := &Fields{what: fmt.Sprintf("%T", state)}
	r := cbor.NewReader(b.Bytes())
	for n := r.Len(); n > 0; n-- {
		f.list = append(f.list, r.Raw())
	}
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	return f
}

// fill gives CIDs and addresses that can be written.
func fill(t *testing.T, v reflect.Value) {
	a, err := address.NewIDAddress(1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := abi.CidBuilder.Sum(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range v.NumField() {
		if !v.Field(i).CanSet() {
			continue
		}
		switch f := v.Field(i); f.Interface().(type) {
		case cid.Cid:
			f.Set(reflect.ValueOf(c))
		case address.Address:
			f.Set(reflect.ValueOf(a))
		default:
			if _, ok := f.Interface().(big.Int); !ok && f.Kind() == reflect.Struct {
				fill(t, f)
			}
		}
	}
}

// The fields that nodes read are at the same places in all versions of the actors.
func TestFieldsOfAllVersions(t *testing.T) {
	amount := big.NewInt(12345)
	for _, s := range []cbg.CBORMarshaler{
		&reward8.State{}, &reward9.State{}, &reward10.State{}, &reward11.State{}, &reward12.State{}, &reward13.State{}, &reward14.State{}, &reward15.State{},
		&reward16.State{}, &reward17.State{}, &reward18.State{},
	} {
		same(t, s, "TotalStoragePowerReward", 8, amount)
	}
	same(t, &reward19.State{}, "TotalMintedReward", 8, amount)
	for _, s := range []cbg.CBORMarshaler{
		&power8.State{}, &power9.State{}, &power10.State{}, &power11.State{}, &power12.State{}, &power13.State{}, &power14.State{}, &power15.State{},
		&power16.State{}, &power17.State{}, &power18.State{}, &power19.State{},
	} {
		same(t, s, "TotalPledgeCollateral", 4, amount)
	}
	for _, s := range []func() cbg.CBORMarshaler{
		func() cbg.CBORMarshaler { return &market8.State{} }, func() cbg.CBORMarshaler { return &market9.State{} }, func() cbg.CBORMarshaler { return &market10.State{} },
		func() cbg.CBORMarshaler { return &market11.State{} }, func() cbg.CBORMarshaler { return &market12.State{} }, func() cbg.CBORMarshaler { return &market13.State{} },
	} { // later versions do not count
		same(t, s(), "TotalClientLockedCollateral", 8, amount)
		same(t, s(), "TotalProviderLockedCollateral", 9, amount)
		same(t, s(), "TotalClientStorageFee", 10, amount)
	}
	worker, err := address.NewIDAddress(777)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []cbg.CBORMarshaler{
		&miner8.MinerInfo{}, &miner9.MinerInfo{}, &miner10.MinerInfo{}, &miner11.MinerInfo{}, &miner12.MinerInfo{}, &miner13.MinerInfo{}, &miner14.MinerInfo{},
		&miner15.MinerInfo{}, &miner16.MinerInfo{}, &miner17.MinerInfo{}, &miner18.MinerInfo{}, &miner19.MinerInfo{},
	} {
		if got, err := fields(t, s, map[string]any{"Worker": worker}).Address(1); err != nil || got != worker {
			t.Errorf("%T: %v, %v", s, got, err)
		}
	}
	for _, s := range []cbg.CBORMarshaler{
		&miner8.State{}, &miner9.State{}, &miner10.State{}, &miner11.State{}, &miner12.State{}, &miner13.State{}, &miner14.State{}, &miner15.State{},
		&miner16.State{}, &miner17.State{}, &miner18.State{}, &miner19.State{},
	} {
		c, err := abi.CidBuilder.Sum([]byte("info"))
		if err != nil {
			t.Fatal(err)
		}
		f := fields(t, s, map[string]any{"Info": c})
		r := f.at(0)
		if got := r.CID(); !got.Equals(c) {
			t.Errorf("%T: %v", s, got)
		}
	}
	for _, s := range []cbg.CBORMarshaler{&account8.State{}, &account18.State{}} {
		if got, err := fields(t, s, map[string]any{"Address": worker}).Address(0); err != nil || got != worker {
			t.Errorf("%T: %v, %v", s, got, err)
		}
	}
	for _, s := range []cbg.CBORMarshaler{&init8.State{}, &init9.State{}, &init10.State{}, &init11.State{}, &init12.State{}, &init13.State{}, &init14.State{}, &init18.State{}} {
		f := fields(t, s, map[string]any{"NetworkName": "here"})
		r := f.at(2)
		if got := r.Text(); got != "here" {
			t.Errorf("%T: %q", s, got)
		}
	}
	for _, s := range []cbg.CBORMarshaler{&system8.State{}, &system18.State{}} {
		if f := fields(t, s, nil); f.Len() != 1 {
			t.Errorf("%T has %d fields", s, f.Len())
		}
	}
}

func same(t *testing.T, s cbg.CBORMarshaler, name string, i int, amount big.Int) {
	t.Helper()
	if got, err := fields(t, s, map[string]any{name: amount}).Amount(i); err != nil || !got.Equals(amount) {
		t.Errorf("%T: field %d is %v, %v", s, i, got, err)
	}
}

// What is not in a state, and what is no state, are told from a store that fails.
func TestErrors(t *testing.T) {
	store := blockstore.NewMemory()
	c, err := abi.CidBuilder.Sum([]byte("nowhere"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), store, c); err == nil || IsAnswer(err) {
		t.Errorf("a missing root: %v", err)
	}
	f := &Fields{what: "a state", list: [][]byte{{0x01}}}
	if _, err := f.Amount(0); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err := f.Address(5); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}
