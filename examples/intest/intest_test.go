package intest

import (
	"context"
	"os"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// chainLength is what the message takes on the chain with its signature, in bytes.
const chainLength = 160

// world is a state in a file, with the actors of network version 28 beside it.
func world(t *testing.T) fvm.Config {
	t.Helper()
	store := blockstore.NewMemory()
	file, err := os.Open("../../testdata/multisig.car")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	roots, err := blockstore.LoadCAR(t.Context(), file, store, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := bundle.Open(t.Context(), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Load(t.Context(), 18, "mainnet", store); err != nil {
		t.Fatal(err)
	}
	return fvm.Config{
		NetworkVersion: 28, Epoch: 5800470, Timestamp: 1772320500, ChainID: 314, BaseFee: big.NewInt(100),
		StateRoot: roots[0], Blockstore: store,
	}
}

// approval is a signer's consent to a payment out of a multisig wallet.
func approval(t *testing.T) *fvm.Message {
	t.Helper()
	raw, err := os.ReadFile("../../testdata/multisig.msg")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := fvm.DecodeMessage(raw)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// apply runs a message on a machine of its own: the state in cfg stays as it is until somebody flushes.
func apply(ctx context.Context, t *testing.T, cfg fvm.Config, msg *fvm.Message) *fvm.Result {
	t.Helper()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Apply(ctx, msg, fvm.Explicit, chainLength)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// The approval pays out, once: the same message has a nonce that is used, and another one finds nothing to approve.
func TestApproval(t *testing.T) {
	cfg, msg := world(t), approval(t)
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		plus uint64 // to the nonce
		want exitcode.ExitCode
	}{
		{"the approval", 0, exitcode.Ok},
		{"the same message again", 0, exitcode.SysErrSenderStateInvalid},
		{"the approval again", 1, exitcode.ErrNotFound},
	} {
		again := *msg
		again.Nonce += c.plus
		res, err := m.Apply(t.Context(), &again, fvm.Explicit, chainLength)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: exit code %d, %d gas, %s attoFIL burnt, %s", c.name, res.ExitCode, res.GasUsed, res.BaseFeeBurn, res.Failure)
		if res.ExitCode != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, res.ExitCode, c.want)
		}
	}
}

// The limit that is just enough, found by asking: gas is exact to the unit.
func TestGasLimit(t *testing.T) {
	cfg, msg := world(t), approval(t)
	enough := apply(t.Context(), t, cfg, msg).GasUsed
	for limit, want := range map[int64]exitcode.ExitCode{enough: exitcode.Ok, enough - 1: exitcode.SysErrOutOfGas} {
		cut := *msg
		cut.GasLimit = limit
		if res := apply(t.Context(), t, cfg, &cut); res.ExitCode != want {
			t.Errorf("with %d gas: exit code %d, want %d", limit, res.ExitCode, want)
		}
	}
}
