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

// The golden vectors with one message, by their parts: exec comes to the receipt and the root that the reference gave, with what
// the world outside said taken from the vector's own file, and the actors from the state.
func TestExecIsTheReference(t *testing.T) {
	clitest.NeedBundles(t)
	paths, err := filepath.Glob(filepath.Join(clitest.Goldens, "nv*.json"))
	if err != nil || len(paths) < 500 {
		t.Fatalf("%d vectors, %v", len(paths), err)
	}
	every := 41
	if testing.Short() {
		every = 53
	}
	ran, asked := 0, 0
	for i, path := range paths {
		v, err := vector.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		facts := v.Facts()
		asks := len(facts.Randomness)+len(facts.Tipsets)+len(facts.Faults) > 0
		if len(v.Messages()) != 1 || v.Receipts()[0].Error || i%every != 0 && (!asks || i%3 != 0 || testing.Short()) {
			continue
		}
		ran++
		if asks {
			asked++
		}
		t.Run(v.Name, func(t *testing.T) { execVector(t, path, v, asks) })
	}
	if ran < 5 || asked < 1 && !testing.Short() {
		t.Errorf("only %d vectors ran, %d of them with facts", ran, asked)
	}
}

func execVector(t *testing.T, path string, v *vector.Vector, asks bool) {
	cfg, err := v.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	_, kind, length, err := v.Messages()[0].Decode()
	if err != nil {
		t.Skip(err)
	}
	mode, err := v.Proofs()
	if err != nil {
		t.Fatal(err)
	}
	if mode == vector.ProofsUpstream {
		t.Skip("batches of seals are free in it")
	}
	args := []string{"exec", "--json", "--car", clitest.WriteTo(t, filepath.Join(t.TempDir(), "state.car"), v.CAR()), "--root", v.PreRoot().String(),
		"--nv", fmt.Sprint(cfg.NetworkVersion), "--epoch", fmt.Sprint(cfg.Epoch), "--timestamp", fmt.Sprint(cfg.Timestamp), "--chain-id", fmt.Sprint(cfg.ChainID),
		"--base-fee", cfg.BaseFee.String(), "--circ-supply", cfg.CircSupply.String(), "--message", "hex:" + hex.EncodeToString(v.Messages()[0].Bytes),
		"--chain-len", fmt.Sprint(length), "--proofs", "assume-" + string(mode)}
	if asks {
		args = append(args, "--randomness", path)
	}
	if kind == fvm.Implicit {
		args = append(args, "--implicit")
	}
	r := edgefvm.Run(t, args...)
	if strings.Contains(r.Err, "which is not in the state: give it with") {
		t.Skip("the reference answers what a vector does not list from a constant, and exec does not")
	}
	want := v.Receipts()[0]
	if code := kit.ExitOK; *want.ExitCode != 0 {
		code = kit.ExitFailed
		if r.Code != code {
			t.Fatalf("exit code %d, want %d: %s", r.Code, code, r.Err)
		}
	} else if r.Code != code {
		t.Fatalf("exit code %d: %s", r.Code, r.Err)
	}
	got := clitest.FromJSON[told](t, r.Out)
	if int64(got.ExitCode) != *want.ExitCode || got.GasUsed != *want.GasUsed || got.Return != hex.EncodeToString(want.Return) || got.Root != v.PostRoot().String() {
		t.Errorf("exit code %d, %d gas, return %s, root %s;\nwant %d, %d, %x, %s", got.ExitCode, got.GasUsed, got.Return, got.Root, *want.ExitCode, *want.GasUsed, want.Return, v.PostRoot())
	}
}
