package ffi

import (
	"encoding/hex"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/trace"
)

func id(t *testing.T, n uint64) address.Address {
	t.Helper()
	a, err := address.NewIDAddress(n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The case of filecoin-ffi's own test, test_lotus_trace: what is inside what.
func TestFold(t *testing.T) {
	call := func() *trace.Call { return &trace.Call{To: id(t, 0)} }
	failed := &trace.Error{Errno: 1, Text: "illegal"}
	root := fold(trace.Events{
		&trace.GasCharge{Name: "gas_test", Compute: 1000, Other: 2000}, call(),
		&trace.GasCharge{Name: "inside", Compute: 1}, call(), failed, &trace.Log{Text: "something happened"}, call(), call(), failed, failed,
		&trace.Log{Text: "something else happened"}, failed, &trace.GasCharge{Name: "after the end"},
	})
	switch {
	case root == nil:
		t.Fatal("no tree")
	case len(root.charges) != 2 || root.charges[0].Name != "gas_test" || root.charges[1].Name != "inside":
		t.Errorf("charges %v", root.charges)
	case len(root.calls) != 2 || len(root.calls[0].calls) != 0 || len(root.calls[1].calls) != 1 || len(root.calls[1].calls[0].calls) != 0:
		t.Errorf("calls %v", root.calls)
	case len(root.logs) != 2 || root.logs[1].Text != "something else happened":
		t.Errorf("logs %v", root.logs)
	}
}

func TestFoldWithoutCall(t *testing.T) {
	call := &trace.Call{To: id(t, 0)}
	for name, events := range map[string]trace.Events{
		"nothing": nil, "charges": {&trace.GasCharge{}}, "no end": {call}, "an end too few": {call, call, &trace.Return{}},
	} {
		if root := fold(events); root != nil {
			t.Errorf("%s: %v", name, root)
		}
	}
}

// By the numbers of the reference (ErrorNumber, ExitCode).
func TestExitOf(t *testing.T) {
	for errno, want := range map[uint32]int64{5: 6, 6: 5, 1: 10, 12: 10, 99: 10} {
		if got := exitOf(errno); int64(got) != want {
			t.Errorf("errno %d: exit code %d, want %d", errno, got, want)
		}
	}
}

// Each amount is rounded up for itself, so that the parts may be more than the whole.
func TestCharge(t *testing.T) {
	for _, c := range []struct {
		compute, other uint64
		want           string
	}{
		{0, 0, "856178" + "00000000"}, {1, 1, "856178" + "01010100"}, {1000, 1001, "856178" + "03010200"}, {1<<64 - 1, 1, "85" + "6178" + "1b004189374bc6a7f0" + "1b004189374bc6a7f0" + "01" + "00"},
	} {
		e := &encoder{}
		e.charge(&trace.GasCharge{Name: "x", Compute: c.compute, Other: c.other})
		if got := hex.EncodeToString(e.buf); got != c.want {
			t.Errorf("%d + %d: %s, want %s", c.compute, c.other, got, c.want)
		}
	}
}

// A message by hand: from f0100 to f0101, 256 attoFIL, method 2, parameters 0x80 as DAG-CBOR, gas limit 1000, read only.
func TestMessageBytes(t *testing.T) {
	e := &encoder{}
	e.message(&trace.Call{From: 100, To: id(t, 101), Value: big.NewInt(256), Method: 2, GasLimit: 1000, ReadOnly: true, Params: &trace.Block{Codec: 0x71, Data: []byte{0x80}}})
	const want = "88" + "420064" + "420065" + "43000100" + "02" + "4180" + "1871" + "1903e8" + "f5"
	if got := hex.EncodeToString(e.buf); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// IDs of 2^63 and more, no value, nothing else.
	e = &encoder{}
	e.message(&trace.Call{From: 1<<64 - 1, To: id(t, 0)})
	if got, want := hex.EncodeToString(e.buf), "88"+"4b00ffffffffffffffffff01"+"420000"+"40"+"00"+"40"+"00"+"00"+"f4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCompleted(t *testing.T) {
	minus := int64(-5)
	got := completed(trace.Events{
		&trace.GasCharge{Name: "x", Compute: uint64(minus), Other: 7},
		&trace.Call{To: id(t, 1), Params: &trace.Block{Data: []byte{1}}},
		&trace.Log{Text: "l"},
		&trace.Invoke{ID: 1, Extra: true},
		&trace.Return{Data: &trace.Block{}},
	}, 99)
	if len(got) != 3 {
		t.Fatalf("%v", got)
	}
	g, c, r := got[0].(*trace.GasCharge), got[1].(*trace.Call), got[2].(*trace.Return)
	if g.Compute != 0 || g.Other != 7 || c.GasLimit != 99 || c.Params.Codec != 0x71 || r.Data != nil {
		t.Errorf("%+v %+v %+v", g, c, r)
	}
}
