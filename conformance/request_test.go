package conformance

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/oracle"
)

// A vector's request gives the setting that the vector itself has.
func TestRequest(t *testing.T) {
	v, err := Load(filepath.Join("testdata", "nv28-onboard-035.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Request(0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ConfigOf(r)
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Vector: v, Variant: v.Variants()[0]}
	want, err := s.config()
	if err != nil {
		t.Fatal(err)
	}
	if got.NetworkVersion != want.NetworkVersion || got.Epoch != want.Epoch || got.Timestamp != want.Timestamp || got.ChainID != want.ChainID ||
		!got.BaseFee.Equals(want.BaseFee) || !got.CircSupply.Equals(want.CircSupply) || got.StateRoot != want.StateRoot || got.Proofs.(verifier).mode != want.Proofs.(verifier).mode {
		t.Errorf("%+v, want %+v", got, want)
	}
	if x, y := got.Externs.(facts).f, want.Externs.(facts).f; !reflect.DeepEqual(x.Randomness, y.Randomness) || !reflect.DeepEqual(x.Tipsets, y.Tipsets) {
		t.Errorf("answers %+v, want %+v", x, y)
	}
	if len(r.Messages) != len(v.Receipts()) {
		t.Errorf("%d messages", len(r.Messages))
	}
	if _, err := v.Request(7); err == nil {
		t.Error("there is a variant 7")
	}
	v.file.ProofAnswers = []proofAnswer{{Key: "x"}}
	if _, err := v.Request(0); err == nil || !strings.Contains(err.Error(), "single proofs") {
		t.Errorf("answers on single proofs: %v", err)
	}
	v.file.ProofAnswers = nil
	v.file.Randomness = []randomness{{On: randomnessOn{chain, 1}, Error: "broken"}}
	if _, err := v.Request(0); err == nil || !strings.Contains(err.Error(), "failing randomness") {
		t.Errorf("failing randomness: %v", err)
	}
}

func TestConfigOfBad(t *testing.T) {
	good := oracle.Request{NV: 28, Root: "bafy2bzacedhkszqxvvtxuqy4ddbgrowj4abvelcpoqv4kcp3s3kiv4mgb5jwa", BaseFee: "1", CircSupply: "2"}
	if _, err := ConfigOf(&good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*oracle.Request){
		"root":               func(r *oracle.Request) { r.Root = "x" },
		"base fee":           func(r *oracle.Request) { r.BaseFee = "1.5" },
		"circulating supply": func(r *oracle.Request) { r.CircSupply = "-2" },
		"proofs":             func(r *oracle.Request) { r.Proofs = "perhaps" },
		"randomness":         func(r *oracle.Request) { r.Randomness = []oracle.Randomness{{Ret: []byte("short")}} },
		"fault":              func(r *oracle.Request) { r.Faults = []oracle.Fault{{Type: 9}} },
	} {
		r := good
		change(&r)
		if _, err := ConfigOf(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// What the oracle says of a receipt is the receipt that a draft writes.
func TestResultOf(t *testing.T) {
	v, err := Load(filepath.Join("testdata", "nv28-onboard-035.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := v.Receipts()[0]
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var x oracle.Result
	x.EventsRoot = rootText(want.EventsRoot)
	want.EventsRoot = nil
	if err := json.Unmarshal([]byte(strings.Replace(string(text), `"events_root"`, `"not_this"`, 1)), &x); err != nil {
		t.Fatal(err)
	}
	if x.EventsRoot == "none" {
		x.EventsRoot = ""
	}
	res, err := ResultOf(&x)
	if err != nil {
		t.Fatal(err)
	}
	if d := compare(0, &v.Receipts()[0], res); len(d) > 0 {
		t.Errorf("%v", d)
	}
	if d := Compare(0, res, nil); len(d) != 1 || d[0].Field != "receipt" || d[0].Got != "none" {
		t.Errorf("no receipt: %v", d)
	}
	if d := Compare(0, nil, res); len(d) != 1 || d[0].Want != "none" {
		t.Errorf("a receipt too many: %v", d)
	}
	if d := Compare(0, nil, (*fvm.Result)(nil)); len(d) != 0 {
		t.Errorf("none and none: %v", d)
	}
	x.Refund = "much"
	if _, err := ResultOf(&x); err == nil {
		t.Error("a fee is no number")
	}
	if res, err := ResultOf(&oracle.Result{Error: "refused"}); res != nil || err != nil {
		t.Errorf("%v, %v", res, err)
	}
}
