package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	minertypes "github.com/filecoin-project/go-state-types/builtin/v17/miner"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/filecoin-project/lotus/chain/types"
)

// place is where a sector is proven.
type place struct{ deadline, partition uint64 }

func (n *chain) place(ctx context.Context, sector abi.SectorNumber) (place, error) {
	at, err := n.StateSectorPartition(ctx, maddr, sector, types.EmptyTSK)
	if err != nil {
		return place{}, err
	}
	return place{at.Deadline, at.Partition}, nil
}

// opens is when a deadline opens after a tipset.
func (n *chain) opens(ctx context.Context, at place, ts *types.TipSet) (abi.ChainEpoch, error) {
	di, err := n.StateMinerProvingDeadline(ctx, maddr, ts.Key())
	if err != nil {
		return 0, err
	}
	open := di.PeriodStart + abi.ChainEpoch(at.deadline)*di.WPoStChallengeWindow
	for open <= ts.Height()+1 {
		open += di.WPoStProvingPeriod
	}
	return open, nil
}

// due is a partition's PoSt, made when its deadline opens.
type due struct {
	open, challenge abi.ChainEpoch
	ticket          abi.Randomness
	proof           []byte
}

// windowPoSt goes to the next deadline of a partition and proves all of its sectors.
func (n *chain) windowPoSt(ctx context.Context, at place) (due, error) {
	head, err := n.ChainHead(ctx)
	if err != nil {
		return due{}, err
	}
	open, err := n.opens(ctx, at, head)
	if err != nil {
		return due{}, err
	}
	d := due{open: open, challenge: open - 20}
	if head.Height() < d.challenge {
		if head, err = n.mine(ctx, d.challenge); err != nil {
			return d, err
		}
	}
	randomness, err := n.StateGetRandomnessFromBeacon(ctx, crypto.DomainSeparationTag_WindowedPoStChallengeSeed, d.challenge, entropy(), head.Key())
	if err != nil {
		return d, err
	}
	if d.ticket, err = n.StateGetRandomnessFromTickets(ctx, crypto.DomainSeparationTag_PoStChainCommit, d.challenge, nil, head.Key()); err != nil {
		return d, err
	}
	partitions, err := n.StateMinerPartitions(ctx, maddr, at.deadline, head.Key())
	if err != nil {
		return d, err
	}
	numbers, err := partitions[at.partition].LiveSectors.All(100)
	if err != nil {
		return d, err
	}
	var sealed []cid.Cid
	for _, s := range numbers {
		info, err := n.StateSectorGetInfo(ctx, maddr, abi.SectorNumber(s), head.Key())
		if err != nil {
			return d, err
		}
		sealed = append(sealed, info.SealedCID)
	}
	d.proof, err = n.rust.post(false, randomness, sealed...)
	return d, err
}

// recover declares a sector faulty and brings it back. The PoSt that does so is judged in the message; others are taken,
// and judged if somebody disputes.
func (n *chain) recover(ctx context.Context, sector abi.SectorNumber, at place) error {
	sectors := bitfield.NewFromSet([]uint64{uint64(sector)})
	err := n.run(ctx, 0,
		request{what: "a sector is declared faulty", method: builtin.MethodsMiner.DeclareFaults, params: &minertypes.DeclareFaultsParams{Faults: []minertypes.FaultDeclaration{{Deadline: at.deadline, Partition: at.partition, Sectors: sectors}}}},
		request{what: "a sector is declared recovered", method: builtin.MethodsMiner.DeclareFaultsRecovered, params: &minertypes.DeclareFaultsRecoveredParams{Recoveries: []minertypes.RecoveryDeclaration{{Deadline: at.deadline, Partition: at.partition, Sectors: sectors}}}},
	)
	if err != nil {
		return err
	}
	d, err := n.windowPoSt(ctx, at)
	if err != nil {
		return err
	}
	var calls []request
	for _, s := range spoiledMessages(d.proof, n.last) {
		calls = append(calls, windowed("recovery, "+s.what, at, d.challenge, d.ticket, exitcode.ErrIllegalArgument, s.bytes))
	}
	calls = append(calls, windowed("recovery, real", at, d.challenge, d.ticket, exitcode.Ok, d.proof))
	if err := n.run(ctx, d.open+1, calls...); err != nil {
		return err
	}
	faults, err := n.StateMinerFaults(ctx, maddr, types.EmptyTSK)
	if err != nil {
		return err
	}
	if none, err := faults.IsEmpty(); err != nil || !none {
		return errors.Join(err, errors.New("sectors are faulty after their recovery was proven"))
	}
	return nil
}

func dispute(what string, at place, want exitcode.ExitCode) request {
	return request{what: "dispute of " + what, want: want, method: builtin.MethodsMiner.DisputeWindowedPoSt, params: &minertypes.DisputeWindowedPoStParams{Deadline: at.deadline}}
}

// proveAndDispute submits a real PoSt, which is taken on trust, and disputes it in vain.
func (n *chain) proveAndDispute(ctx context.Context, at place) error {
	d, err := n.windowPoSt(ctx, at)
	if err != nil {
		return err
	}
	if err := n.run(ctx, d.open+1, windowed("real", at, d.challenge, d.ticket, exitcode.Ok, d.proof)); err != nil {
		return err
	}
	// The deadline closes after 60 epochs; two later it may be changed again.
	return n.run(ctx, d.open+190, dispute("a real window PoSt", at, exitcode.ErrIllegalArgument))
}

// cheat submits a spoiled PoSt, which is taken on trust, and disputes it.
func (n *chain) cheat(ctx context.Context, at place) error {
	d, err := n.windowPoSt(ctx, at)
	if err != nil {
		return err
	}
	bad := bytes.Clone(d.proof)
	bad[0] ^= 0x20 // the sign of A
	if err := n.run(ctx, d.open+1, windowed("spoiled, taken on trust", at, d.challenge, d.ticket, exitcode.Ok, bad)); err != nil {
		return err
	}
	if err := n.run(ctx, d.open+190, dispute("a spoiled window PoSt", at, exitcode.Ok)); err != nil {
		return err
	}
	faults, err := n.StateMinerFaults(ctx, maddr, types.EmptyTSK)
	if err != nil {
		return err
	}
	count, err := faults.Count()
	if err == nil && count != 2 {
		err = fmt.Errorf("%d sectors are faulty after the dispute, not both of the partition", count)
	}
	return err
}

// newData puts data into an empty sector, and brings the proof to the chain.
func (n *chain) newData(ctx context.Context, sector abi.SectorNumber, at place) error {
	data := make([]byte, 2032)
	for i := range data {
		data[i] = byte(i * i)
	}
	made, err := n.rust.update(sector, data)
	if err != nil {
		return err
	}
	var calls []request
	add := func(what string, want exitcode.ExitCode, proofBytes []byte) {
		calls = append(calls, request{what: "an update, " + what, want: want, method: builtin.MethodsMiner.ProveReplicaUpdates3, params: &minertypes.ProveReplicaUpdates3Params{
			SectorUpdates: []minertypes.SectorUpdateManifest{{
				Sector: sector, Deadline: at.deadline, Partition: at.partition, NewSealedCID: made.sealed,
				Pieces: []minertypes.PieceActivationManifest{{CID: made.unsealed, Size: 2 << 10}},
			}},
			SectorProofs: [][]byte{proofBytes}, UpdateProofsType: abi.RegisteredUpdateProof_StackedDrg2KiBV1, RequireActivationSuccess: true, RequireNotificationSuccess: true,
		}})
	}
	for _, s := range spoiledMessages(made.proof, n.last) {
		add(s.what, exitcode.ErrIllegalArgument, s.bytes)
	}
	add("real", exitcode.Ok, made.proof)
	return n.run(ctx, 0, calls...)
}
