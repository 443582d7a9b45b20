package proofs

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/proofs/keys"
)

// sealedHere is the vectors of real 2 KiB seals, with their key.
func sealedHere(t testing.TB) (*vectorFile, *Verifier) {
	t.Helper()
	return readVectors(t, filepath.Join("testdata", "seal.json")), openKeys(t, filepath.Join("testdata", "keys-real"))
}

// goodSeals are valid ones of V1_1 and of the synthetic variant.
func goodSeals(t testing.TB) (*Verifier, []proof.SealVerifyInfo) {
	t.Helper()
	f, v := sealedHere(t)
	var all []proof.SealVerifyInfo
	for i := range f.Vectors {
		if f.Vectors[i].Verdict == "valid" {
			var in sealInput
			decodeJSON(t, f.Vectors[i].Input, &in)
			all = append(all, f.seal(&in))
		}
	}
	if len(all) != 3 {
		t.Fatalf("%d valid seals", len(all))
	}
	return v, all
}

func TestRealSeals(t *testing.T) {
	f, v := sealedHere(t)
	judgeAll(t, f, v)
}

func commitmentCID(codec, hash uint64, digest []byte) cid.Cid {
	mh, err := multihash.Encode(digest, hash)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(codec, mh)
}

// What becomes of each part of a seal, by case. Errors are an illegal argument to an actor, but in a batch, where they are
// false.
func TestSealsByCase(t *testing.T) {
	v, seals := goodSeals(t)
	order, err := hex.DecodeString("01000000fffffffffe5bfeff02a4bd5305d8a10908d83933487d9d2953a7ed73")
	if err != nil {
		t.Fatal(err)
	}
	const codecR, hashR, codecD, hashD = 0xf102, 0xb401, 0xf101, 0x1012
	zero := make([]byte, 32)
	for _, c := range []struct {
		name  string
		spoil func(*proof.SealVerifyInfo)
		want  string
	}{
		{"as it is", func(*proof.SealVerifyInfo) {}, "valid"},
		{"deals are not looked at", func(i *proof.SealVerifyInfo) { i.DealIDs = []abi.DealID{1, 2} }, "valid"},
		{"another miner", func(i *proof.SealVerifyInfo) { i.Miner++ }, "invalid"},
		{"another sector", func(i *proof.SealVerifyInfo) { i.Number++ }, "invalid"},
		{"another ticket", func(i *proof.SealVerifyInfo) { i.Randomness[0] ^= 1 }, "invalid"},
		{"another seed", func(i *proof.SealVerifyInfo) { i.InteractiveRandomness[31] ^= 0x80 }, "invalid"},
		{"ticket and seed exchanged", func(i *proof.SealVerifyInfo) {
			i.Randomness, i.InteractiveRandomness = abi.SealRandomness(i.InteractiveRandomness), abi.InteractiveSealRandomness(i.Randomness)
		}, "invalid"},
		{"another comm_r", func(i *proof.SealVerifyInfo) {
			i.SealedCID = commitmentCID(codecR, hashR, append([]byte{1}, zero[1:]...))
		}, "invalid"},
		{"another comm_d", func(i *proof.SealVerifyInfo) {
			i.UnsealedCID = commitmentCID(codecD, hashD, append([]byte{1}, zero[1:]...))
		}, "invalid"},
		{"another variant", func(i *proof.SealVerifyInfo) { i.SealProof -= 5 }, "invalid"},
		{"the proof of another seal", func(i *proof.SealVerifyInfo) { i.Proof = seals[1].Proof }, "invalid"},
		{"A negated", func(i *proof.SealVerifyInfo) { i.Proof[0] ^= 0x20 }, "invalid"},
		{"A and B negated", func(i *proof.SealVerifyInfo) { i.Proof[0] ^= 0x20; i.Proof[48] ^= 0x20 }, "valid"},
		{"A and C exchanged", func(i *proof.SealVerifyInfo) {
			i.Proof = slices.Concat(i.Proof[144:], i.Proof[48:144], i.Proof[:48])
		}, "invalid"},

		{"an unknown type", func(i *proof.SealVerifyInfo) { i.SealProof = 20 }, "error"},
		{"a negative type", func(i *proof.SealVerifyInfo) { i.SealProof = -1 }, "error"},
		{"a ticket of 31 bytes", func(i *proof.SealVerifyInfo) { i.Randomness = i.Randomness[:31] }, "error"},
		{"a ticket of 33 bytes", func(i *proof.SealVerifyInfo) { i.Randomness = append(i.Randomness, 0) }, "error"},
		{"no ticket", func(i *proof.SealVerifyInfo) { i.Randomness = nil }, "error"},
		{"a seed of 31 bytes", func(i *proof.SealVerifyInfo) { i.InteractiveRandomness = i.InteractiveRandomness[:31] }, "error"},
		{"no seed", func(i *proof.SealVerifyInfo) { i.InteractiveRandomness = nil }, "error"},
		{"comm_r zero", func(i *proof.SealVerifyInfo) { i.SealedCID = commitmentCID(codecR, hashR, zero) }, "error"},
		{"comm_d zero", func(i *proof.SealVerifyInfo) { i.UnsealedCID = commitmentCID(codecD, hashD, zero) }, "error"},
		{"comm_r no scalar", func(i *proof.SealVerifyInfo) { i.SealedCID = commitmentCID(codecR, hashR, order) }, "error"},
		{"comm_d no scalar", func(i *proof.SealVerifyInfo) { i.UnsealedCID = commitmentCID(codecD, hashD, order) }, "error"},
		{"CIDs exchanged", func(i *proof.SealVerifyInfo) { i.SealedCID, i.UnsealedCID = i.UnsealedCID, i.SealedCID }, "error"},
		{"no sealed CID", func(i *proof.SealVerifyInfo) { i.SealedCID = cid.Undef }, "error"},
		{"no unsealed CID", func(i *proof.SealVerifyInfo) { i.UnsealedCID = cid.Undef }, "error"},
		{"no proof", func(i *proof.SealVerifyInfo) { i.Proof = nil }, "error"},
		{"half a proof", func(i *proof.SealVerifyInfo) { i.Proof = i.Proof[:96] }, "error"},
		{"a byte more", func(i *proof.SealVerifyInfo) { i.Proof = append(i.Proof, 0) }, "error"},
		{"the proof twice", func(i *proof.SealVerifyInfo) { i.Proof = append(i.Proof, i.Proof...) }, "error"},
		{"A at infinity", func(i *proof.SealVerifyInfo) { copy(i.Proof, append([]byte{0xc0}, make([]byte, 47)...)) }, "error"},
		{"A uncompressed", func(i *proof.SealVerifyInfo) { i.Proof[0] &^= 0x80 }, "error"},
		{"zeroes", func(i *proof.SealVerifyInfo) { clear(i.Proof) }, "error"},
		{"ones", func(i *proof.SealVerifyInfo) { i.Proof = bytes.Repeat([]byte{0xff}, 192) }, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := cloned(seals[0])
			c.spoil(&info)
			ok, err := v.VerifySeal(t.Context(), info)
			if externs.IsNodeFailure(err) {
				t.Fatal(err)
			}
			if got := verdictOf(ok, err); got != c.want {
				t.Errorf("%s (%v), want %s", got, err, c.want)
			}
			batch, err := v.VerifySeals(t.Context(), []proof.SealVerifyInfo{seals[1], info, seals[2]})
			if want := []bool{true, c.want == "valid", true}; err != nil || !slices.Equal(batch, want) {
				t.Errorf("in a batch: %v, %v, want %v", batch, err, want)
			}
			d, err := v.DiagnoseSeal(t.Context(), info)
			if err != nil || d.Valid != (c.want == "valid") || (d.Error != nil) != (c.want == "error") {
				t.Errorf("diagnosed as %+v, %v", d, err)
			}
			if c.want == "invalid" && (len(d.Notes) == 0 || !slices.Equal(d.Partitions, []bool{false})) {
				t.Errorf("nothing is said of why: %+v", d)
			}
		})
	}
}

func cloned(info proof.SealVerifyInfo) proof.SealVerifyInfo {
	info.Randomness, info.InteractiveRandomness, info.Proof = slices.Clone(info.Randomness), slices.Clone(info.InteractiveRandomness), slices.Clone(info.Proof)
	return info
}

func TestDiagnosisNamesTheOtherVariant(t *testing.T) {
	v, seals := goodSeals(t)
	info := cloned(seals[0])
	info.SealProof = 0
	d, err := v.DiagnoseSeal(t.Context(), info)
	if err != nil || !strings.Contains(strings.Join(d.Notes, "; "), "it is valid as type 5 (V1_1)") {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestBatchOfMany(t *testing.T) {
	v, seals := goodSeals(t)
	infos, want := make([]proof.SealVerifyInfo, 2*atOnce+5), make([]bool, 2*atOnce+5)
	for i := range infos {
		infos[i], want[i] = seals[i%len(seals)], true
	}
	for _, bad := range []int{3, atOnce - 1, 2*atOnce + 4} {
		infos[bad] = cloned(infos[bad])
		infos[bad].Number += 100
		want[bad] = false
	}
	got, err := v.VerifySeals(t.Context(), infos)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if got, err := v.VerifySeals(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.VerifySeals(ctx, infos); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// Without its key nothing is said of a proof, well formed or not: the error is of the node.
func TestNothingIsJudgedWithoutKeys(t *testing.T) {
	v := openKeys(t, t.TempDir())
	for typ := range abi.RegisteredSealProof(20) {
		if _, err := v.VerifySeal(t.Context(), proof.SealVerifyInfo{SealProof: typ}); !externs.IsNodeFailure(err) || !errors.Is(err, keys.ErrMissing) {
			t.Errorf("seal %d: %v", typ, err)
		}
		if _, err := v.VerifyAggregateSeals(t.Context(), proof.AggregateSealVerifyProofAndInfos{SealProof: typ}); !externs.IsNodeFailure(err) {
			t.Errorf("aggregate %d: %v", typ, err)
		}
		if _, err := v.VerifyWinningPoSt(t.Context(), proof.WinningPoStVerifyInfo{ChallengedSectors: []proof.SectorInfo{{SealProof: typ}}}); !externs.IsNodeFailure(err) {
			t.Errorf("winning %d: %v", typ, err)
		}
		if verdicts, err := v.VerifySeals(t.Context(), []proof.SealVerifyInfo{{SealProof: typ}}); verdicts != nil || !externs.IsNodeFailure(err) {
			t.Errorf("a batch of type %d: %v, %v", typ, verdicts, err)
		}
	}
	for typ := abi.RegisteredPoStProof(5); typ < 15; typ++ {
		if _, err := v.VerifyPoSt(t.Context(), proof.WindowPoStVerifyInfo{Proofs: []proof.PoStProof{{PoStProof: typ}}}); !externs.IsNodeFailure(err) {
			t.Errorf("window %d: %v", typ, err)
		}
	}
	for typ := range abi.RegisteredUpdateProof(5) {
		if _, err := v.VerifyReplicaUpdate(t.Context(), proof.ReplicaUpdateInfo{UpdateProofType: typ}); !externs.IsNodeFailure(err) {
			t.Errorf("update %d: %v", typ, err)
		}
	}
	// What no key could judge is an answer.
	if _, err := v.VerifySeal(t.Context(), proof.SealVerifyInfo{SealProof: 20}); err == nil || externs.IsNodeFailure(err) {
		t.Errorf("a type that there is not: %v", err)
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "Options.Dir") {
		t.Errorf("no folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	v := openKeys(t, filepath.Join("testdata", "keys-real"))
	if !v.JudgesProofs() {
		t.Error("its verdicts come from proofs")
	}
}

func TestKeyFiles(t *testing.T) {
	states := func(trust bool) map[KeyState]int {
		v, err := Open(t.Context(), Options{Dir: filepath.Join("testdata", "keys-real"), TrustParams: trust})
		if err != nil {
			t.Fatal(err)
		}
		files, err := v.KeyFiles(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counts := map[KeyState]int{}
		for _, f := range files {
			counts[f.State]++
			if problem := f.State == KeyOther && !trust; (f.Problem != nil) != problem {
				t.Errorf("%+v", f)
			}
		}
		return counts
	}
	for _, trust := range []bool{false, true} {
		if got := states(trust); got[KeyOther] != 3 || got[KeyMissing] != 18 {
			t.Errorf("trust %v: %v", trust, got)
		}
	}
}
