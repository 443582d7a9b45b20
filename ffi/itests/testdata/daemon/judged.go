package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	ic "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	minertypes "github.com/filecoin-project/go-state-types/builtin/v17/miner"
	"github.com/filecoin-project/go-state-types/builtin/v9/market"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/beacon/drand"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/wallet/key"
	"github.com/filecoin-project/lotus/genesis"
	"github.com/filecoin-project/lotus/node/modules/dtypes"
)

// sealedMiner is the miner of a genesis, with two sectors that are really sealed. Each has a deal about its zeroes.
func sealedMiner(r *rust) (*genesis.Miner, *types.KeyInfo, error) {
	k, err := key.GenerateKey(types.KTBLS)
	if err != nil {
		return nil, nil, err
	}
	_, id, err := ic.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	m := &genesis.Miner{ID: maddr, Owner: k.Address, Worker: k.Address, MarketBalance: big.Zero(), PowerBalance: big.Zero(), SectorSize: 2 << 10}
	if m.PeerId, err = peer.IDFromPublicKey(id); err != nil {
		return nil, nil, err
	}
	for i := range 2 {
		made, err := r.seal(abi.SectorNumber(i), make([]byte, 32))
		if err != nil {
			return nil, nil, err
		}
		label, err := market.NewLabelFromString(fmt.Sprint(i))
		if err != nil {
			return nil, nil, err
		}
		deal := market.DealProposal{
			PieceCID: made.unsealed, PieceSize: 2 << 10, Client: k.Address, Provider: maddr, Label: label, StartEpoch: 0, EndEpoch: 600_000,
			StoragePricePerEpoch: big.Zero(), ProviderCollateral: big.Zero(), ClientCollateral: big.Zero(),
		}
		m.Sectors = append(m.Sectors, &genesis.PreSeal{CommR: made.sealed, CommD: made.unsealed, SectorID: abi.SectorNumber(i), Deal: deal, DealClientKey: k.KeyInfo, ProofType: abi.RegisteredSealProof_StackedDrg2KiBV1_1})
	}
	return m, &k.KeyInfo, nil
}

// genesisSealed writes the genesis of runJudged, and where its replicas are.
func genesisSealed(dir, prover string) error {
	r, err := startRust(prover, dir)
	if err != nil {
		return err
	}
	m, worker, err := sealedMiner(r)
	if err != nil {
		return err
	}
	if err := r.close(); err != nil {
		return err
	}
	user, err := key.GenerateKey(types.KTSecp256k1)
	if err != nil {
		return err
	}
	// Blocks are not waited for: there is time in the past for ten days of epochs.
	started := time.Now().Unix() - 10*builtin.EpochsInDay*int64(buildconstants.BlockDelaySecs)
	if err := writeTemplate(dir, m, user.Address, uint64(started)); err != nil {
		return err
	}
	folders := map[string]string{}
	for c, folder := range r.folders {
		folders[c.String()] = folder
	}
	if err := writeJSON(filepath.Join(dir, "replicas.json"), folders); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "keys.json"), keys{Worker: worker, User: &user.KeyInfo})
}

// runJudged drives a daemon that judges proofs. Blocks with real winning PoSts are taken and with spoiled ones refused;
// so are the messages that bring a seal, window PoSts, an update, and disputes.
func runJudged(dir, repo, prover string) error {
	ctx := context.Background()
	up, stop := context.WithTimeout(ctx, 3*time.Minute)
	defer stop()
	full, err := connect(up, repo)
	if err != nil {
		return err
	}
	var k keys
	if err := readJSON(filepath.Join(dir, "keys.json"), &k); err != nil {
		return err
	}
	worker, err := wallet(ctx, full, k.Worker)
	if err != nil {
		return err
	}
	start, err := full.ChainGetGenesis(ctx)
	if err != nil {
		return err
	}
	rounds, err := drand.NewDrandBeacon(start.MinTimestamp(), buildconstants.BlockDelaySecs, nil, dtypes.DrandConfig(buildconstants.DrandConfigs[buildconstants.DrandQuicknet]))
	if err != nil {
		return err
	}
	r, err := startRust(prover, dir)
	if err != nil {
		return err
	}
	folders := map[string]string{}
	if err := readJSON(filepath.Join(dir, "replicas.json"), &folders); err != nil {
		return err
	}
	for text, folder := range folders {
		c, err := cid.Decode(text)
		if err != nil {
			return err
		}
		r.folders[c] = folder
	}
	began := time.Now()
	n := &chain{node: &node{full, rounds, start}, rust: r, worker: worker}
	if err := n.story(ctx); err != nil {
		return err
	}
	head, err := n.ChainHead(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("JUDGED %s: epoch %d; blocks: %d taken, %d refused; messages: %d taken, %d refused; root %s\n",
		time.Since(began).Round(time.Second), head.Height(), n.tally.blocks, n.tally.blocksRefused, n.tally.messages, n.tally.messagesRefused, head.ParentState())
	return r.close()
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// story is what happens on the network, in two proving periods.
func (n *chain) story(ctx context.Context) error {
	var head *types.TipSet
	for range 3 {
		var err error
		if head, err = n.mine(ctx, 0); err != nil {
			return err
		}
	}
	old, err := n.place(ctx, 0)
	if err != nil {
		return err
	}
	open, err := n.opens(ctx, old, head)
	if err != nil {
		return err
	}
	if open < head.Height()+100 { // too late for faults to be declared
		d, err := n.windowPoSt(ctx, old)
		if err != nil {
			return err
		}
		if err := n.run(ctx, d.open+1, windowed("real", old, d.challenge, d.ticket, exitcode.Ok, d.proof)); err != nil {
			return err
		}
	}
	if err := n.recover(ctx, 0, old); err != nil {
		return fmt.Errorf("recovery: %w", err)
	}
	const sealed = abi.SectorNumber(2) // 0 and 1 are of the genesis
	if err := n.commit(ctx, sealed); err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	fresh, err := n.place(ctx, sealed)
	if err != nil {
		return err
	}
	if err := n.proveAndDispute(ctx, fresh); err != nil {
		return fmt.Errorf("window PoSt: %w", err)
	}
	if err := n.newData(ctx, sealed, fresh); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := n.cheat(ctx, old); err != nil {
		return fmt.Errorf("dispute: %w", err)
	}
	return nil
}

// commit seals a sector and brings it to the chain.
func (n *chain) commit(ctx context.Context, sector abi.SectorNumber) error {
	head, err := n.ChainHead(ctx)
	if err != nil {
		return err
	}
	draw := head.Height() - 1
	ticket, err := n.StateGetRandomnessFromTickets(ctx, crypto.DomainSeparationTag_SealRandomness, draw, entropy(), head.Key())
	if err != nil {
		return err
	}
	made, err := n.rust.seal(sector, ticket)
	if err != nil {
		return err
	}
	info := minertypes.SectorPreCommitInfo{SealProof: abi.RegisteredSealProof_StackedDrg2KiBV1_1, SectorNumber: sector, SealedCID: made.sealed, SealRandEpoch: draw, Expiration: head.Height() + 300*builtin.EpochsInDay}
	money := big.Mul(big.NewInt(2_000_000), big.NewInt(1e18))
	at := head.Height() + 1
	if err := n.run(ctx, at, request{what: "a sector is announced", method: builtin.MethodsMiner.PreCommitSectorBatch2, value: money, params: &minertypes.PreCommitSectorBatchParams2{Sectors: []minertypes.SectorPreCommitInfo{info}}}); err != nil {
		return err
	}
	pre, err := n.StateSectorPreCommitInfo(ctx, maddr, sector, types.EmptyTSK)
	if err != nil {
		return err
	}
	seedAt := pre.PreCommitEpoch + buildconstants.PreCommitChallengeDelay
	if head, err = n.mine(ctx, seedAt+1); err != nil {
		return err
	}
	seed, err := n.StateGetRandomnessFromBeacon(ctx, crypto.DomainSeparationTag_InteractiveSealChallengeSeed, seedAt, entropy(), head.Key())
	if err != nil {
		return err
	}
	good, err := n.rust.prove(sector, seed)
	if err != nil {
		return err
	}
	var calls []request
	add := func(what string, want exitcode.ExitCode, proofBytes []byte) {
		calls = append(calls, request{what: "a seal, " + what, want: want, method: builtin.MethodsMiner.ProveCommitSectors3, params: &minertypes.ProveCommitSectors3Params{
			SectorActivations: []minertypes.SectorActivationManifest{{SectorNumber: sector}}, SectorProofs: [][]byte{proofBytes}, RequireActivationSuccess: true, RequireNotificationSuccess: true,
		}})
	}
	for _, s := range spoiledMessages(good, n.last) {
		add(s.what, exitcode.ErrIllegalArgument, s.bytes)
	}
	add("real", exitcode.Ok, good)
	return n.run(ctx, 0, calls...)
}

type spoiledProof struct {
	what  string
	bytes []byte
}

// spoiledMessages are spoiled proofs of the right length, in an order.
func spoiledMessages(good, other []byte) []spoiledProof {
	var all []spoiledProof
	for what, b := range spoiled(good, other) {
		if len(b) == len(good) {
			all = append(all, spoiledProof{what, b})
		}
	}
	slices.SortFunc(all, func(a, b spoiledProof) int { return len(a.what) - len(b.what) })
	return all
}

// windowed is the message with the PoSt of a partition.
func windowed(what string, at place, challenge abi.ChainEpoch, ticket abi.Randomness, want exitcode.ExitCode, proofBytes []byte) request {
	return request{what: "window PoSt, " + what, want: want, method: builtin.MethodsMiner.SubmitWindowedPoSt, params: &minertypes.SubmitWindowedPoStParams{
		Deadline: at.deadline, Partitions: []minertypes.PoStPartition{{Index: at.partition, Skipped: bitfield.New()}},
		Proofs:           []proof.PoStProof{{PoStProof: abi.RegisteredPoStProof_StackedDrgWindow2KiBV1_1, ProofBytes: proofBytes}},
		ChainCommitEpoch: challenge, ChainCommitRand: ticket,
	}}
}
