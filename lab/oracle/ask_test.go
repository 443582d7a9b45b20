package oracle

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/vector"
)

// A vector's request gives the setting that the vector itself has.
func TestRequest(t *testing.T) {
	v, err := vector.Load(filepath.Join("..", "conformance", "testdata", "nv28-onboard-035.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := RequestOf(v, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ConfigOf(r)
	if err != nil {
		t.Fatal(err)
	}
	want, err := v.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	if got.NetworkVersion != want.NetworkVersion || got.Epoch != want.Epoch || got.Timestamp != want.Timestamp || got.ChainID != want.ChainID ||
		!got.BaseFee.Equals(want.BaseFee) || !got.CircSupply.Equals(want.CircSupply) || got.StateRoot != want.StateRoot || !reflect.DeepEqual(got.Proofs, want.Proofs) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if x, y := r.Facts, *v.Facts(); !reflect.DeepEqual(x.Randomness, y.Randomness) || !reflect.DeepEqual(x.Tipsets, y.Tipsets) {
		t.Errorf("answers %+v, want %+v", x, y)
	}
	if len(r.Messages) != len(v.Receipts()) {
		t.Errorf("%d messages", len(r.Messages))
	}
	if _, err := RequestOf(v, 7); err == nil {
		t.Error("there is a variant 7")
	}
	for want, add := range map[string]string{
		"some of its proofs": `"proof_answers":[{"key":"x","valid":true},{"key":"y"}]`,
		"failing randomness": `"randomness":[{"on":["chain",1],"error":"broken"}]`,
		"failing faults":     `"faults":[{"error":"broken"}]`,
	} {
		if _, err := RequestOf(with(t, v.Path, add), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// with is a vector with one field more, which comes after those of the same name.
func with(t *testing.T, path, field string) *vector.Vector {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = append(bytes.TrimSuffix(bytes.TrimSpace(data), []byte("}")), ","+field+"}"...)
	if !json.Valid(data) {
		t.Fatalf("the vector does not end as this test knows: %q", data[max(0, len(data)-200):])
	}
	other := filepath.Join(t.TempDir(), "v.json")
	if err := os.WriteFile(other, data, 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := vector.Load(other)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestConfigOfBad(t *testing.T) {
	good := Request{NV: 28, Root: "bafy2bzacedhkszqxvvtxuqy4ddbgrowj4abvelcpoqv4kcp3s3kiv4mgb5jwa", BaseFee: "1", CircSupply: "2"}
	if _, err := ConfigOf(&good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Request){
		"root":               func(r *Request) { r.Root = "x" },
		"base fee":           func(r *Request) { r.BaseFee = "1.5" },
		"circulating supply": func(r *Request) { r.CircSupply = "-2" },
		"proofs":             func(r *Request) { r.Proofs = "perhaps" },
		"randomness":         func(r *Request) { r.Randomness = []Randomness{{Ret: []byte("short")}} },
		"fault":              func(r *Request) { r.Faults = []Fault{{Type: 9}} },
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
	v, err := vector.Load(filepath.Join("..", "conformance", "testdata", "nv28-onboard-035.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := v.Receipts()[0]
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var x Result
	var root *cid.Cid
	if err := json.Unmarshal(want.EventsRoot, &root); err != nil {
		t.Fatal(err)
	}
	if root != nil {
		x.EventsRoot = root.String()
	}
	want.EventsRoot = nil
	if err := json.Unmarshal([]byte(strings.Replace(string(text), `"events_root"`, `"not_this"`, 1)), &x); err != nil {
		t.Fatal(err)
	}
	res, err := ResultOf(&x)
	if err != nil {
		t.Fatal(err)
	}
	if d := vector.Compare(0, &v.Receipts()[0], res); len(d) > 0 {
		t.Errorf("%v", d)
	}
	if d := vector.CompareResults(0, res, nil); len(d) != 1 || d[0].Field != "receipt" || d[0].Got != "none" {
		t.Errorf("no receipt: %v", d)
	}
	if d := vector.CompareResults(0, nil, res); len(d) != 1 || d[0].Want != "none" {
		t.Errorf("a receipt too many: %v", d)
	}
	if d := vector.CompareResults(0, nil, (*fvm.Result)(nil)); len(d) != 0 {
		t.Errorf("none and none: %v", d)
	}
	x.Refund = "much"
	if _, err := ResultOf(&x); err == nil {
		t.Error("a fee is no number")
	}
	if res, err := ResultOf(&Result{Error: "refused"}); res != nil || err != nil {
		t.Errorf("%v, %v", res, err)
	}
}
