package fvm_test

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

// loops are contracts that never end, by what they do again and again. PUSH0 JUMP at their end goes back to the JUMPDEST at 0.
var loops = []struct{ name, code string }{
	{"nothing", "5b"},
	{"arithmetic", "5b 5f195f190a50"},
	{"memory", "5b 6301000000 5f 6020 5e"}, // 16 MiB moved by 32 bytes
	{"gas", "5b 5a50"},
	{"balance", "5b 303150"},
	{"an address that is nobody's", "5b 5a3b50"},
	{"code", "5b 60205f5f303c"},
	{"keccak", "5b 60205f2050"},
	{"keccak of 16 MiB", "5b 63010000005f2050"},
	{"sha256 of 64 MiB", "5b 5f5f63040000005f60025afa50"},
	{"ripemd160 of 64 MiB", "5b 5f5f63040000005f60035afa50"},
	{"identity, and its return data", "5b 5f5f6180005f60045afa50 3d5f5f3e"},
	{"ecrecover", "5b 5f5f60805f60015afa50"},
	{"reading storage", "5b 5a5450"},
	{"writing storage", "5b 5a5a55"},
	{"transient storage", "5b 5a5a5d"},
	{"logs", "5b 5f5fa0"},
	{"logs of 8 KiB", "5b 6120005fa0"},
	{"making contracts", "5b 5f5f5ff050"},
	{"sending nothing", "5b 5f5f5f5f5f73ff00000000000000000000000000000000000064 5af150"},
	{"calling itself", "5b 5f5f5f5f5f305af150"},
	{"calling itself read-only", "5b 5f5f5f5f305afa50"},
	{"delegating to itself", "5b 5f5f5f5f305af450"},
	{"calling itself with 8 MiB", "5b 5f5f 63008000005f5f305af150"},
	{"hash of code", "5b 303f50"},
	{"making contracts by a salt", "5b 5a5f5f5ff550"},
	{"blake2f of 2^32 rounds", "5b 63ffffffff60e01b5f52 5f5f60d55f60095afa50"},
	{"modexp of 1 KiB", "5b 6104005f52 610400602052 610400604052 5f19606052 5f1961046052 5f5f610c605f60055afa50"},
	{"pairings", "5b 5f5f6180005f60085afa50"},
	{"looking addresses up by precompile", "5b 60645f52 5f5f60205f 73fe00000000000000000000000000000000000002 5afa50"},
}

const (
	ether          = 114 // an Ethereum account of the state
	createExternal = 4
	invokeContract = 3844450837
)

// contracts is a state with the loops as contracts.
func contracts(t *testing.T, eng *fvm.Engine) (cfg fvm.Config, ids []address.Address) {
	t.Helper()
	ctx := t.Context()
	store := blockstore.NewMemory()
	f, err := os.Open("testdata/accounts.car")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	roots, err := blockstore.LoadCAR(ctx, f, store, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := bundle.Open(ctx, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Load(ctx, 18, "mainnet", store); err != nil {
		t.Fatal(err)
	}
	cfg = fvm.Config{
		NetworkVersion: 28, Epoch: 5800000, Timestamp: 1772306400, ChainID: 314, BaseFee: big.NewInt(100),
		StateRoot: roots[0], Blockstore: store, Engine: eng,
	}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range loops {
		code, err := hex.DecodeString(strings.ReplaceAll(l.code, " ", "") + "5f56")
		if err != nil {
			t.Fatal(err)
		}
		// PUSH1 n, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN
		init := append([]byte{0x60, byte(len(code)), 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3}, code...)
		res, err := m.Apply(ctx, &fvm.Message{
			From: addr.NewID(ether), To: addr.NewID(10), Nonce: uint64(i), Value: big.Zero(), GasLimit: 5_000_000_000,
			GasFeeCap: big.NewInt(100), GasPremium: big.Zero(), Method: createExternal, Params: cbor.AppendBytes(nil, string(init)),
		}, fvm.Explicit, 100)
		if err != nil || !res.ExitCode.IsSuccess() {
			t.Fatal(l.name, res, err)
		}
		r := cbor.NewReader(res.Return)
		r.Tuple(3)
		ids = append(ids, addr.NewID(r.Uint()))
	}
	// Once in good time, so that what is timed is not the engine's compiler.
	res, err := m.Apply(ctx, call(ids[0], addr.NewID(ether), uint64(len(loops)), 30_000_000), fvm.Explicit, 100)
	if err != nil || res.ExitCode != 7 {
		t.Fatal(res, err)
	}
	if cfg.StateRoot, err = m.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	return cfg, ids
}

func call(to, from address.Address, nonce uint64, gas int64) *fvm.Message {
	return &fvm.Message{
		From: from, To: to, Nonce: nonce, Value: big.Zero(), GasLimit: gas,
		GasFeeCap: big.NewInt(100), GasPremium: big.Zero(), Method: invokeContract,
	}
}

// deadline is what a message may take, and tardy when the tests call it too late: far more than the promised 50 ms, for machines that
// have other things to do, and far less than the gas would last.
const (
	deadline = 100 * time.Millisecond
	tardy    = 3 * time.Second
)

// ends runs fn with a deadline, which is to be its error.
func ends(t *testing.T, what string, fn func(context.Context) error) {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	err := fn(ctx)
	took := time.Since(start)
	t.Logf("%-30s %4d ms", what, took.Milliseconds())
	if !errors.Is(err, context.DeadlineExceeded) || took < deadline {
		t.Errorf("%s: error %v after %s", what, err, took)
	}
	if took > deadline+tardy {
		t.Errorf("%s: ended after %s", what, took)
	}
}

// A deadline ends a message whatever its contract does, on each engine, long before its gas would: that of these messages would last for hours.
func TestDeadline(t *testing.T) {
	for _, name := range fvm.EngineNames() {
		if name == "wasmedge-o2" {
			continue // it stops where wasmedge-o0 does, and its compiler would take most of this test's time
		}
		t.Run(name, func(t *testing.T) {
			eng, err := fvm.NewEngine(fvm.EngineConfig{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			defer eng.Close(context.Background()) //nolint:errcheck // the test is over
			cfg, ids := contracts(t, eng)
			for i, l := range loops {
				m, err := fvm.New(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				ends(t, l.name, func(ctx context.Context) error {
					_, err := m.ApplyImplicit(ctx, call(ids[i], addr.NewID(ether), 0, 1e13))
					return err
				})
				if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
					t.Errorf("%s: then flushed: %v", l.name, err)
				}
			}
		})
	}
}

// A deadline ends a tipset, also while several goroutines execute its messages, and after it none runs.
func TestDeadlineOfTipset(t *testing.T) {
	eng, err := fvm.NewEngine(fvm.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close(context.Background()) //nolint:errcheck // the test is over
	cfg, ids := contracts(t, eng)
	var messages []fvm.ChainMessage
	for sender := range abi.ActorID(8) {
		for nonce := range 40 {
			messages = append(messages, fvm.ChainMessage{Message: call(ids[(int(sender)+nonce)%len(ids)], addr.NewID(uint64(100+sender)), uint64(nonce), 9_900_000_000), ChainLength: 100})
		}
	}
	for _, workers := range []int{1, 2} {
		ends(t, map[int]string{1: "one worker", 2: "two workers"}[workers], func(ctx context.Context) error {
			_, err := fvm.ApplyTipset(ctx, fvm.Tipset{
				Config: cfg, ParentEpoch: cfg.Epoch - 1, Workers: workers,
				Blocks: []fvm.TipsetBlock{{Miner: addr.NewID(1000), WinCount: 1, Messages: messages}},
			})
			return err
		})
	}
}

// A flush with a context that is done writes nothing. Before it began nothing has happened, and the machine is as it was.
func TestCancelledFlush(t *testing.T) {
	s := newSetting(t, true)
	m := s.machine(t)
	want, err := s.machine(t).Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if root, err := m.Flush(t.Context()); err != nil || root != want {
		t.Fatalf("then: %v, %v", root, err)
	}
}

// A flush whose context is done midway, wherever that is, fails with the context's error, and the machine with it.
func TestFlushCancelledMidway(t *testing.T) {
	s := newSetting(t, true)
	for looks := 1; ; looks++ { // Flush itself looks first
		m := s.machine(t)
		if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil {
			t.Fatal(err)
		}
		_, err := m.Flush(&execerrtest.Countdown{Context: t.Context(), Left: looks})
		if err == nil {
			if looks < 10 {
				t.Errorf("the flush looked %d times", looks)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d looks: %v", looks, err)
		}
		if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
			t.Fatalf("after %d looks, flushed after all: %v", looks, err)
		}
	}
}
