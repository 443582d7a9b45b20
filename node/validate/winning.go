package validate

import (
	"context"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// mockProof is what blocks have for a winning PoSt where nodes are built for tests.
const mockProof = "valid proof"

// winning tells whether the block's winning PoSt proves the sectors that were drawn.
func (j *judge) winning(ctx context.Context) error {
	proofs := j.h.WinPoStProof
	if j.rules.MockWinning {
		if len(proofs) == 0 || string(proofs[0].ProofBytes) != mockProof {
			return brokenf("it is not the words %q, which it is in tests", mockProof)
		}
		return nil
	}
	if j.rules.Winning == nil {
		return absentf("nobody judges winning PoSts")
	}
	if j.lookbackErr != nil {
		return j.lookbackErr
	}
	entry, err := j.base()
	if err != nil {
		return err
	}
	id, _ := addr.ID(j.h.Miner)
	miner := abi.ActorID(id)
	randomness := draw(entry.Data, crypto.DomainSeparationTag_WinningPoStChallengeSeed, j.epoch, minerKey(j.h))
	randomness[31] &= 0x3f // to be a scalar
	sectors, err := j.sectors(ctx, miner, randomness)
	if err != nil {
		return err
	}
	ok, err := j.rules.Winning.VerifyWinningPoSt(ctx, proof.WinningPoStVerifyInfo{Randomness: randomness, Proofs: proofs, ChallengedSectors: sectors, Prover: miner})
	switch {
	case nodeFailure(err):
		return err
	case err != nil:
		return brokenf("%v", err)
	case !ok:
		return brokenf("it does not prove the sectors that were drawn")
	}
	return nil
}

// sectors are those that the winning PoSt must be about: drawn from the miner's active ones in the lookback state.
func (j *judge) sectors(ctx context.Context, miner abi.ActorID, randomness abi.PoStRandomness) ([]proof.SectorInfo, error) {
	st, err := j.at(ctx, j.lookback)
	if err != nil {
		return nil, err
	}
	fields, info, err := st.Miner(ctx, miner)
	if err != nil {
		return nil, err
	}
	active, err := activeSectors(ctx, st, fields)
	if err != nil {
		return nil, err
	}
	count, err := active.Count()
	if err != nil {
		return nil, brokenf("f0%d's sectors: %v", miner, err)
	}
	if count == 0 {
		return nil, brokenf("f0%d has no active sector", miner)
	}
	window, err := info.Int(infoWindowPoSt)
	if err != nil {
		return nil, err
	}
	typ, err := winningType(abi.RegisteredPoStProof(window))
	if err != nil {
		return nil, err
	}
	places, err := j.rules.Winning.GenerateWinningPoStSectorChallenge(ctx, typ, miner, randomness, count)
	if nodeFailure(err) {
		return nil, err
	}
	if err != nil {
		return nil, brokenf("drawing sectors: %v", err)
	}
	return drawn(ctx, st, fields, active, places)
}

// winningType is the type of winning PoSts of a miner whose window PoSts are of a type.
func winningType(window abi.RegisteredPoStProof) (abi.RegisteredPoStProof, error) {
	for winning, windows := range []([]abi.RegisteredPoStProof){
		abi.RegisteredPoStProof_StackedDrgWinning2KiBV1:   {abi.RegisteredPoStProof_StackedDrgWindow2KiBV1, abi.RegisteredPoStProof_StackedDrgWindow2KiBV1_1},
		abi.RegisteredPoStProof_StackedDrgWinning8MiBV1:   {abi.RegisteredPoStProof_StackedDrgWindow8MiBV1, abi.RegisteredPoStProof_StackedDrgWindow8MiBV1_1},
		abi.RegisteredPoStProof_StackedDrgWinning512MiBV1: {abi.RegisteredPoStProof_StackedDrgWindow512MiBV1, abi.RegisteredPoStProof_StackedDrgWindow512MiBV1_1},
		abi.RegisteredPoStProof_StackedDrgWinning32GiBV1:  {abi.RegisteredPoStProof_StackedDrgWindow32GiBV1, abi.RegisteredPoStProof_StackedDrgWindow32GiBV1_1},
		abi.RegisteredPoStProof_StackedDrgWinning64GiBV1:  {abi.RegisteredPoStProof_StackedDrgWindow64GiBV1, abi.RegisteredPoStProof_StackedDrgWindow64GiBV1_1},
	} {
		if slices.Contains(windows, window) {
			return abi.RegisteredPoStProof(winning), nil
		}
	}
	return 0, brokenf("no winning PoSts belong to window PoSts of type %d", window)
}

// Fields of a partition, in the order of its list in all versions from 8 to 19.
const (
	partitionSectors    = 0
	partitionUnproven   = 1
	partitionFaults     = 2
	partitionTerminated = 4
)

// activeSectors are those that are proven, not faulty and not terminated, of all deadlines and partitions.
func activeSectors(ctx context.Context, st *tree.Tree, miner *tree.Fields) (all bitfield.BitField, err error) {
	root, err := miner.CID(minerDeadlines)
	if err != nil {
		return all, err
	}
	deadlines, err := st.At(ctx, root, "the deadlines")
	if err != nil {
		return all, err
	}
	due, err := deadlines.List(0)
	if err != nil {
		return all, err
	}
	var parts []bitfield.BitField
	for i := range due.Len() {
		at, err := due.CID(i)
		if err != nil {
			return all, err
		}
		deadline, err := st.At(ctx, at, fmt.Sprintf("deadline %d", i))
		if err != nil {
			return all, err
		}
		partitions, err := deadline.CID(0)
		if err != nil {
			return all, err
		}
		list, err := collections.OpenArray(ctx, source(st), partitions)
		if err != nil {
			return all, malformed(err)
		}
		err = list.ForEach(ctx, func(index uint64, value []byte) error {
			part, err := activeIn(value, fmt.Sprintf("partition %d of deadline %d", index, i))
			parts = append(parts, part)
			return err
		})
		if err != nil {
			return all, malformed(err)
		}
	}
	if all, err = bitfield.MultiMerge(parts...); err != nil {
		return all, brokenf("the sectors of the partitions: %v", err)
	}
	return all, nil
}

func activeIn(partition []byte, what string) (left bitfield.BitField, err error) {
	f, err := tree.ParseFields(partition, what)
	if err != nil {
		return left, err
	}
	if left, err = f.Bits(partitionSectors); err != nil {
		return left, err
	}
	for _, i := range []int{partitionTerminated, partitionFaults, partitionUnproven} {
		less, err := f.Bits(i)
		if err != nil {
			return left, err
		}
		if left, err = bitfield.SubtractBitField(left, less); err != nil {
			return left, brokenf("%s: %v", what, err)
		}
	}
	return left, nil
}

// Fields of a sector's entry, in the order of its list in all versions from 8 to 19.
const (
	sectorNumber = 0
	sectorSeal   = 1 // SealProof
	sectorSealed = 2 // SealedCID
)

// drawn are the sectors at places among the active ones. Winning PoSts are of one sector.
func drawn(ctx context.Context, st *tree.Tree, miner *tree.Fields, active bitfield.BitField, places []uint64) ([]proof.SectorInfo, error) {
	root, err := miner.CID(minerSectors)
	if err != nil {
		return nil, err
	}
	table, err := collections.OpenArray(ctx, source(st), root)
	if err != nil {
		return nil, malformed(err)
	}
	var list []proof.SectorInfo
	for _, place := range places {
		it, err := active.BitIterator()
		if err != nil {
			return nil, brokenf("the active sectors: %v", err)
		}
		number, err := it.Nth(place)
		if err != nil {
			return nil, brokenf("the active sector at place %d: %v", place, err)
		}
		data, ok, err := table.Get(ctx, number)
		if err != nil {
			return nil, malformed(err)
		}
		if !ok {
			return nil, brokenf("sector %d is active, but is not in the table of sectors", number)
		}
		f, err := tree.ParseFields(data, fmt.Sprintf("sector %d", number))
		if err != nil {
			return nil, err
		}
		s := proof.SectorInfo{}
		n, err := f.Int(sectorNumber)
		if err != nil {
			return nil, err
		}
		typ, err := f.Int(sectorSeal)
		if err != nil {
			return nil, err
		}
		s.SectorNumber, s.SealProof = abi.SectorNumber(n), abi.RegisteredSealProof(typ)
		if s.SealedCID, err = f.CID(sectorSealed); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
