package messages_test

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/vector"
)

// ofVector is the command line of a vector's message on a state, without what the world outside answers.
func ofVector(t *testing.T, v *vector.Vector, message int, state, root string) []string {
	t.Helper()
	cfg, err := v.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	m := v.Messages()[message]
	_, kind, length, err := m.Decode()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"exec", "--json", "--car", state, "--root", root, "--nv", fmt.Sprint(cfg.NetworkVersion), "--epoch", fmt.Sprint(cfg.Epoch), "--timestamp", fmt.Sprint(cfg.Timestamp),
		"--chain-id", fmt.Sprint(cfg.ChainID), "--base-fee", cfg.BaseFee.String(), "--circ-supply", cfg.CircSupply.String(), "--message", "hex:" + hex.EncodeToString(m.Bytes), "--chain-len", fmt.Sprint(length)}
	if kind == fvm.Implicit {
		args = append(args, "--implicit")
	}
	return args
}

// loaded is a vector, and its state as an archive.
func loaded(t *testing.T, name string) (v *vector.Vector, state string) {
	t.Helper()
	v, err := vector.Load(clitest.Golden(name))
	if err != nil {
		t.Fatal(err)
	}
	return v, clitest.WriteTo(t, filepath.Join(t.TempDir(), "state.car"), v.CAR())
}

// Whole vectors, a message at a time, each on the state that the one before it left: receipts and the last root are the reference's,
// and so are those of what --save writes of a message.
func TestExecWholeVectors(t *testing.T) {
	clitest.NeedBundles(t)
	for _, c := range []struct {
		name  string
		asked string // what one of its messages asks of the world outside
	}{
		{"nv29-script-proofs-002", ""},
		{"nv28-script-proofs-011", "fault"},
		{"nv16-batch-001", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, state := loaded(t, c.name)
			root, dir, asked := v.PreRoot().String(), t.TempDir(), ""
			for i, want := range v.Receipts() {
				next, saved := filepath.Join(dir, fmt.Sprintf("%d.car", i)), filepath.Join(dir, fmt.Sprintf("%d.json", i))
				args := append(ofVector(t, v, i, state, root), "--out", next, "--proofs", "assume-valid", "--save", saved)
				if f := v.Facts(); len(f.Randomness)+len(f.Tipsets)+len(f.Faults) > 0 {
					args = append(args, "--randomness", clitest.Golden(c.name))
				}
				r := edgefvm.Run(t, args...)
				code := kit.ExitOK
				if *want.ExitCode != 0 {
					code = kit.ExitFailed
				}
				if r.Code != code {
					t.Fatalf("message %d: exit code %d: %s", i, r.Code, r.Err)
				}
				got := clitest.FromJSON[told](t, r.Out)
				if int64(got.ExitCode) != *want.ExitCode || got.GasUsed != *want.GasUsed || got.Return != hex.EncodeToString(want.Return) || want.Penalty != nil && got.Penalty != *want.Penalty || want.BaseFeeBurn != nil && got.Burn != *want.BaseFeeBurn {
					t.Errorf("message %d: %+v, want %+v", i, got, want)
				}
				asked += strings.Join(got.Asked, "\n") + "\n"
				state, root = next, got.Root
				if i == 0 || i == len(v.Receipts())-1 {
					if out := edgefvm.OK(t, "vectors", "run", saved); !strings.HasPrefix(clitest.LastLine(out), "1 passed") {
						t.Errorf("message %d, saved:\n%s", i, out)
					}
				}
			}
			if root != v.PostRoot().String() {
				t.Errorf("the root is %s, want %s", root, v.PostRoot())
			}
			if !strings.Contains(asked, c.asked) {
				t.Errorf("asked %q, want %q", asked, c.asked)
			}
		})
	}
}

// Neighbours of the reports: the same state in every wrapping of its archive, the sender by each of its names, and amounts in every
// unit come to the receipt that the reference gave.
func TestExecNeighbours(t *testing.T) {
	clitest.NeedBundles(t)
	// f0100 sends 1 attoFIL to f0101: 1,167,763 gas by its id with a secp256k1 signature, 1,192,463 by its address (report 12).
	const key, nv = "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y", "28"
	send := func(from, to, value string, more ...string) []string {
		return append([]string{"exec", "--json", "--car", "testdata/state.car", "--nv", nv, "--epoch", "5800000", "--base-fee", "100", "--from", from, "--to", to, "--value", value}, more...)
	}
	for _, c := range []struct {
		name, from, to, value string
		gas                   int64
	}{
		{"by id", "f0100", "f0101", "1", 1_167_763},
		{"on a test network", "t0100", "t0101", "1", 1_167_763},
		{"by masked ids", "0xff00000000000000000000000000000000000064", "0xff00000000000000000000000000000000000065", "1", 1_167_763},
		{"in attoFIL", "f0100", "f0101", "1attofil", 1_167_763},
		{"by its address", key, "f0101", "1", 1_192_463},
		{"by its address on a test network", "t" + key[1:], "f0101", "1", 1_192_463},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := clitest.FromJSON[told](t, edgefvm.OK(t, send(c.from, c.to, c.value)...))
			if got.ExitCode != 0 || got.GasUsed != c.gas {
				t.Errorf("exit code %d, %d gas, want %d", got.ExitCode, got.GasUsed, c.gas)
			}
		})
	}
	// Amounts: the root tells that the same was sent.
	roots := map[string]string{}
	for _, value := range []string{"2fil", "2 FIL", "2.0 fil", "2000000000000000000", "2000000000 nanofil", "2000 millifil", "2e18"} {
		r := edgefvm.Run(t, send("f0100", "f0101", value, "--gas-limit", "10000000")...)
		if r.Code != kit.ExitOK {
			if value != "2e18" {
				t.Errorf("%s: %s", value, r.Err)
			}
			continue
		}
		roots[clitest.FromJSON[told](t, r.Out).Root] += value + "; "
	}
	if len(roots) != 1 {
		t.Errorf("%v", roots)
	}
	for name, c := range map[string]struct{ flag, value, want string }{
		"less than nothing":       {"--value", "-1", "--value"},
		"half of an attoFIL":      {"--value", "0.5", "--value"},
		"too small a part":        {"--value", "0.0000000000000000001fil", "--value"},
		"another coin":            {"--value", "1 eth", "--value"},
		"no number":               {"--value", "fil", "--value"},
		"a fee less than nothing": {"--base-fee", "-1", "--base-fee"},
		"a supply of words":       {"--circ-supply", "all", "--circ-supply"},
		"a supply below nothing":  {"--circ-supply", "-5", "--circ-supply"},
	} {
		r := edgefvm.Run(t, send("f0100", "f0101", "1", c.flag, c.value)...)
		if r.Code == kit.ExitOK || r.Out != "" || !strings.Contains(r.Err, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
