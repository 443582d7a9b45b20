package vector

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a small golden vector with one message.
var sample = filepath.Join("..", "lab", "conformance", "testdata", "nv28-send-001.json")

func TestFacts(t *testing.T) {
	f := &Facts{Randomness: []Randomness{{On: Round{Epoch: 7}, Ret: []byte(strings.Repeat("x", 32))}}}
	x, ctx := facts{f}, context.Background()
	if r, _ := x.ChainRandomness(ctx, 7); string(r[:]) != strings.Repeat("x", 32) {
		t.Errorf("listed: %q", r)
	}
	if r, _ := x.BeaconRandomness(ctx, 7); string(r[:]) != unlisted {
		t.Errorf("unlisted: %q", r)
	}
	if fault, err := x.VerifyConsensusFault(ctx, nil, nil, nil); fault != nil || err != nil {
		t.Errorf("fault: %v, %v", fault, err)
	}
	// blake2b-256 of "tipset" and the epoch, big-endian
	if c, err := x.TipsetCID(ctx, 1); err != nil || c.Prefix().MhType != 0xb220 || c.Prefix().Codec != 0x71 {
		t.Errorf("tipset: %v, %v", c, err)
	}
}

func TestScenario(t *testing.T) {
	for name, want := range map[string]string{
		"nv28-multisig-007": "multisig", "nv18-script-args-001": "script", "nv21-wat-br-table-default-inner": "wat",
		"ext-0002-fil_10_multisig-Propose-Ok-1": "multisig/Propose", "something": "other",
	} {
		if got := (&Vector{Name: name}).Scenario(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Amounts are read whole, however long.
func TestLongAmounts(t *testing.T) {
	path := edit(t, func(f map[string]any) {
		f["preconditions"].(map[string]any)["circ_supply"] = json.Number(strings.Repeat("9", 38))
	})
	v, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := v.CircSupply(); err != nil || s.String() != strings.Repeat("9", 38) {
		t.Errorf("%v, %v", s, err)
	}
}

func FuzzLoad(f *testing.F) {
	data, err := os.ReadFile(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	path := filepath.Join(f.TempDir(), "v.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if v, err := Load(path); err == nil {
			for i := range v.Receipts() {
				_, _, _, _ = v.decode(i)
			}
		}
	})
}

// edit writes a copy of the sample, changed, and returns its path.
func edit(t *testing.T, change func(file map[string]any)) string {
	t.Helper()
	data, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	change(file)
	if data, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "edited.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
