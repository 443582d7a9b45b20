package kernel_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

// judge is a verifier that looks at proofs.
type judge struct{ verifier }

func (*judge) JudgesProofs() bool { return true }

// Which window PoSts a seal's sector may be in: until nv17 of type V1, from nv18 to nv20 of V1 and V1P1, then of V1P1.
func TestQuirkWindowPoStTypes(t *testing.T) {
	type posts = []abi.RegisteredPoStProof
	type seals = []abi.RegisteredSealProof
	for _, c := range []struct {
		name  string
		nv    network.Version
		posts posts
		seals seals
		asked bool
	}{
		{"nv16: V1 for a seal of V1", 16, posts{8}, seals{3}, true},
		{"nv17: V1 for a seal of V1_1", 17, posts{8}, seals{8}, true},
		{"nv17: V1P1 does not exist", 17, posts{13}, seals{8}, false},
		{"nv17: synthetic seals do not exist", 17, posts{8}, seals{13}, false},
		{"nv18: V1", 18, posts{5}, seals{5, 0, 10}, true},
		{"nv20: V1P1", 20, posts{10}, seals{5, 0, 10}, true},
		{"nv20: non-interactive seals do not exist", 20, posts{10}, seals{15}, false},
		{"nv21: V1 does not exist any more", 21, posts{8}, seals{8}, false},
		{"nv21: V1P1", 21, posts{13}, seals{3, 8, 13, 18}, true},
		{"nv28: a seal beyond the last type", 28, posts{10}, seals{20}, false},
		{"nv28: a seal of a negative type", 28, posts{10}, seals{-5}, false},
		{"nv28: another size", 28, posts{13}, seals{9}, false},
		{"nv28: one sector of another size", 28, posts{13}, seals{8, 9}, false},
		{"nv28: a winning PoSt", 28, posts{3}, seals{8}, false},
		{"nv28: proofs of two types", 28, posts{13, 14}, seals{8}, false},
		{"nv28: two proofs of one type", 28, posts{13, 13}, seals{8}, true},
		{"nv28: no sectors", 28, posts{13}, nil, true},
		{"nv28: no proofs", 28, nil, seals{8}, true},
	} {
		var info proof.WindowPoStVerifyInfo
		for _, p := range c.posts {
			info.Proofs = append(info.Proofs, proof.PoStProof{PoStProof: p})
		}
		for i, s := range c.seals {
			info.ChallengedSectors = append(info.ChallengedSectors, proof.SectorInfo{SealProof: s, SectorNumber: abi.SectorNumber(i)})
		}
		w := newWorld(t, c.nv, plenty)
		v := &judge{verifier{ok: true}}
		w.m.Proofs = v
		ok, err := w.VerifyPoSt(t.Context(), info)
		if c.asked && (err != nil || !ok || len(v.posts) != 1) {
			t.Errorf("%s: %v, %v, want the verifier's answer", c.name, ok, err)
		}
		if !c.asked && (execerrtest.Errno(err) != execerr.IllegalArgument || len(v.posts) != 0) {
			t.Errorf("%s: %v, %v, asked %d times; want an illegal argument", c.name, ok, err, len(v.posts))
		}
		w.m.Proofs = &verifier{ok: true} // one that answers by a rule of its own hears of everything
		if ok, err := w.VerifyPoSt(t.Context(), info); err != nil || !ok {
			t.Errorf("%s: a rule of its own: %v, %v", c.name, ok, err)
		}
	}
}

// Which seals exist by network version.
func TestSealTypesByNetworkVersion(t *testing.T) {
	for nv, most := range map[network.Version]abi.RegisteredSealProof{16: 9, 17: 9, 18: 14, 20: 14, 21: 19, 28: 19} {
		for _, typ := range []abi.RegisteredSealProof{-1, most, most + 1} {
			w := newWorld(t, nv, plenty)
			w.m.Proofs = &judge{verifier{ok: true}}
			_, single := w.VerifySeal(t.Context(), proof.SealVerifyInfo{SealProof: typ})
			_, aggregate := w.VerifyAggregateSeals(t.Context(), proof.AggregateSealVerifyProofAndInfos{SealProof: typ})
			batch, err := w.BatchVerifySeals(t.Context(), []proof.SealVerifyInfo{{SealProof: typ, SectorID: abi.SectorID{Number: 2}}})
			exists := typ == most
			if (single == nil) != exists || (aggregate == nil) != exists || err != nil || batch[0] != exists {
				t.Errorf("nv%d, type %d: %v, %v, in a batch %v, %v; exists: %v", nv, typ, single, aggregate, batch, err, exists)
			}
		}
	}
}

// together judges seals of even numbers as valid, all at once.
type together struct {
	judge
	asked []int
}

func (v *together) VerifySeals(_ context.Context, infos []proof.SealVerifyInfo) ([]bool, error) {
	v.asked = append(v.asked, len(infos))
	verdicts := make([]bool, len(infos))
	for i := range infos {
		verdicts[i] = infos[i].Number%2 == 0
	}
	return verdicts, v.err
}

func TestBatchVerifySealsTogether(t *testing.T) {
	infos := []proof.SealVerifyInfo{
		{SectorID: abi.SectorID{Number: 1}}, {SectorID: abi.SectorID{Number: 2}}, {SealProof: 20, SectorID: abi.SectorID{Number: 4}}, {SectorID: abi.SectorID{Number: 6}},
	}
	w := newWorld(t, 28, plenty)
	v := &together{}
	w.m.Proofs = v
	got, err := w.BatchVerifySeals(t.Context(), infos)
	if want := []bool{false, true, false, true}; err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(v.asked, []int{3}) {
		t.Errorf("%v, %v, asked about %v; want %v, all of the three that exist at once", got, err, v.asked, want)
	}
	v.err = errors.New("a key is missing")
	if _, err := w.BatchVerifySeals(t.Context(), infos); execerrtest.Kind(err) != "node" {
		t.Errorf("a failure of the node: %v", err)
	}
}
