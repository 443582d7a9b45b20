package ffi

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
	"github.com/filecoin-project/filecoin-ffi/metrics"
)

// verdict is a verifier with one answer.
type verdict struct {
	ok  bool
	err error
}

func (v verdict) VerifySeal(context.Context, proof.SealVerifyInfo) (bool, error) { return v.ok, v.err }
func (v verdict) VerifyAggregateSeals(context.Context, proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return v.ok, v.err
}
func (v verdict) VerifyPoSt(context.Context, proof.WindowPoStVerifyInfo) (bool, error) {
	return v.ok, v.err
}
func (v verdict) VerifyReplicaUpdate(context.Context, proof.ReplicaUpdateInfo) (bool, error) {
	return v.ok, v.err
}
func (v verdict) VerifyWinningPoSt(context.Context, proof.WinningPoStVerifyInfo) (bool, error) {
	if v.err != nil {
		panic(v.err)
	}
	return v.ok, nil
}

func TestVerifier(t *testing.T) {
	t.Cleanup(func() { RegisterProofVerifier(nil) })
	all := map[string]func() (bool, error){
		"VerifySeal": func() (bool, error) { return VerifySeal(proof.SealVerifyInfo{}) },
		"VerifyAggregateSeals": func() (bool, error) {
			return VerifyAggregateSeals(proof.AggregateSealVerifyProofAndInfos{Infos: make([]proof.AggregateSealVerifyInfo, 1)})
		},
		"VerifyWinningPoSt": func() (bool, error) { return VerifyWinningPoSt(proof.WinningPoStVerifyInfo{}) },
		"VerifyWindowPoSt": func() (bool, error) {
			return VerifyWindowPoSt(proof.WindowPoStVerifyInfo{Proofs: make([]proof.PoStProof, 1)})
		},
		"SectorUpdate.VerifyUpdateProof": func() (bool, error) { return SectorUpdate.VerifyUpdateProof(proof.ReplicaUpdateInfo{}) },
	}
	broken := errors.New("no parameters")
	for name, f := range all {
		RegisterProofVerifier(nil)
		if ok, err := f(); ok || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s of nothing: %v, %v", name, ok, err)
		}
		for _, v := range []verdict{{true, nil}, {false, nil}} {
			RegisterProofVerifier(v)
			if ok, err := f(); ok != v.ok || err != nil {
				t.Errorf("%s: %v, %v, want %v", name, ok, err, v.ok)
			}
		}
		RegisterProofVerifier(verdict{true, broken})
		if _, err := f(); err == nil || !strings.Contains(err.Error(), broken.Error()) {
			t.Errorf("%s with a broken verifier: %v", name, err)
		}
	}
	RegisterProofVerifier(verdict{true, nil})
	if ok, err := VerifyAggregateSeals(proof.AggregateSealVerifyProofAndInfos{}); ok || err == nil {
		t.Error("an aggregate of nothing")
	}
	if ok, err := VerifyWindowPoSt(proof.WindowPoStVerifyInfo{}); ok || err == nil {
		t.Error("no proofs")
	}
}

// A machine asks the verifier that was registered when it was made; without one it fails and makes no receipt.
func TestVerifierOfMachine(t *testing.T) {
	t.Cleanup(func() { RegisterProofVerifier(nil) })
	s := sceneOf(t, "nv28-onboard-007") // ProveCommitSectors3: an aggregate of four
	host, err := newNode(Settings{}, registered, counter{metrics.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	exit := func(v ProofVerifier) (uint64, error) {
		RegisterProofVerifier(v)
		f, err := host.create(s.opts(s.node()))
		if err != nil {
			t.Fatal(err)
		}
		RegisterProofVerifier(nil)
		ret, err := s.apply(f)
		if err != nil {
			return 0, err
		}
		return ret.ExitCode, nil
	}
	if code, err := exit(verdict{true, nil}); code != 0 || err != nil {
		t.Errorf("valid: exit code %d, %v", code, err)
	}
	if code, err := exit(verdict{false, nil}); code != 16 || err != nil {
		t.Errorf("invalid: exit code %d, %v", code, err)
	}
	if code, err := exit(verdict{true, externs.ErrNodeFailure}); !errors.Is(err, externs.ErrNodeFailure) {
		t.Errorf("a verifier that fails: exit code %d, %v", code, err)
	}
	none := verifierFrom(func(string) string { return t.TempDir() }) // this module's, without keys
	if code, err := exit(none); !errors.Is(err, externs.ErrNodeFailure) || !strings.Contains(err.Error(), "lotus fetch-params") {
		t.Errorf("without keys: exit code %d, %v", code, err)
	}
}

// The answers of filecoin-proofs-api 19.1.0.
func TestWinningPoStSectorChallenge(t *testing.T) {
	const winning32 = abi.RegisteredPoStProof_StackedDrgWinning32GiBV1
	random := func(first byte) (r [32]byte) {
		for i := range r {
			r[i] = first + byte(i)
		}
		r[31] &= 0x3f
		return r
	}
	for _, c := range challengeVectors {
		r := random(c.first)
		got, err := GenerateWinningPoStSectorChallenge(winning32, c.miner, r[:], c.sectors)
		if err != nil || len(got) != 1 || got[0] != c.want {
			t.Errorf("miner %d, %d sectors, randomness %x: %v, %v, want %d", c.miner, c.sectors, r, got, err, c.want)
		}
	}
	good := random(1)
	order, _ := hex.DecodeString("01000000fffffffffe5bfeff02a4bd5305d8a10908d83933487d9d2953a7ed73")
	for name, f := range map[string]func() ([]uint64, error){
		"window proof": func() ([]uint64, error) {
			return GenerateWinningPoStSectorChallenge(abi.RegisteredPoStProof_StackedDrgWindow32GiBV1, 1, good[:], 1)
		},
		"no sectors":       func() ([]uint64, error) { return GenerateWinningPoStSectorChallenge(winning32, 1, good[:], 0) },
		"short randomness": func() ([]uint64, error) { return GenerateWinningPoStSectorChallenge(winning32, 1, good[:31], 1) },
		"no randomness":    func() ([]uint64, error) { return GenerateWinningPoStSectorChallenge(winning32, 1, nil, 1) },
		"the order":        func() ([]uint64, error) { return GenerateWinningPoStSectorChallenge(winning32, 1, order, 1) },
		"all ones": func() ([]uint64, error) {
			return GenerateWinningPoStSectorChallenge(winning32, 1, bytes.Repeat([]byte{0xff}, 32), 1)
		},
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What needs a prover says so, by its name.
func TestNoProver(t *testing.T) {
	var files *os.File
	_, a := SealCommitPhase2(nil, 1, 2)
	_, _, _, b := WriteWithAlignment(0, files, 0, files, nil)
	_, c := GenerateSingleVanillaProof(PrivateSectorInfo{}, nil)
	_, d := FauxRep(0, "", "")
	e := ClearCache("")
	_, _, f := SectorUpdate.EncodeInto(0, "", "", "", "", "", nil)
	g := SectorUpdate.DecodeFrom(0, "", "", "", "", cid.Undef)
	for name, err := range map[string]error{
		"ffi.SealCommitPhase2": a, "ffi.WriteWithAlignment": b, "ffi.GenerateSingleVanillaProof": c, "ffi.FauxRep": d, "ffi.ClearCache": e,
		"ffi.SectorUpdate.EncodeInto": f, "ffi.SectorUpdate.DecodeFrom": g,
	} {
		if !errors.Is(err, ErrNoProver) || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if gpus, err := GetGPUDevices(); len(gpus) != 0 || err != nil {
		t.Errorf("%v, %v", gpus, err)
	}
}

func TestSortedPrivateSectorInfo(t *testing.T) {
	info := func(n abi.SectorNumber, path string) PrivateSectorInfo {
		return PrivateSectorInfo{SectorInfo: proof.SectorInfo{SectorNumber: n}, CacheDirPath: path}
	}
	s := NewSortedPrivateSectorInfo(info(3, "a"), info(1, "b"), info(3, "c"), info(2, "d"))
	var order string
	for _, v := range s.Values() {
		order += v.CacheDirPath
	}
	if order != "bda" {
		t.Errorf("order %s", order)
	}
	none := NewSortedPrivateSectorInfo()
	if v := none.Values(); v == nil || len(v) != 0 {
		t.Errorf("of nothing: %v", v)
	}
}

// What filecoin-proofs-api 19.1.0 gave for randomness of bytes that count up from first.
var challengeVectors = []struct {
	miner   abi.ActorID
	first   byte
	sectors uint64
	want    uint64
}{
	{1000, 1, 1, 0}, {1000, 1, 2, 1}, {1000, 1, 1000, 441}, {1, 7, 1<<64 - 1, 3997669287170078671}, {127, 200, 12345, 10346},
	{128, 0, 98765432, 63355047}, {3456789, 99, 1 << 40, 5963806648}, {1<<63 - 1, 255, 77, 7}, {0, 3, 1 << 20, 83010},
}
