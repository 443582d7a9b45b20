package fuzz

import (
	"encoding/binary"
	"math/big"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/lab/oracle"
)

var minerScenes = []scene{
	{name: "mineradmin", play: playMinerAdmin},
	{name: "minerpower", play: playMinerPower},
	{name: "sectors", play: playSectors},
	{name: "dispute", play: playDispute},
	{name: "fault", play: playFault},
}

// windowProof is the window proof of 32 GiB sectors, of another kind from nv19 on.
func (s *stage) windowProof() int {
	if s.NV >= 19 {
		return 13
	}
	return 8
}

const (
	sealProof   = 8  // of 32 GiB sectors
	niProof     = 18 // likewise, not interactive
	updateProof = 3  // of a replica update of 32 GiB
)

func (s *stage) minerParams(owner, worker *account) *item {
	return p(owner.address().Bytes(), worker.address().Bytes(), s.windowProof(), []byte("peer"), tuple{[]byte("address")})
}

// miner makes a miner with funds.
func (s *stage) miner(owner, worker *account) uint64 {
	return s.made(s.by(owner, powerID, 2, s.minerParams(owner, worker), fil(100_000)))
}

func playMinerAdmin(s *stage) {
	secp, bls := s.of("secp"), s.of("bls")
	owner, next, other, worker := secp[2], secp[4], secp[6], bls[0]
	m := s.miner(owner, worker)
	s.by(owner, powerID, frc("CreateMiner"), s.minerParams(owner, worker), fil(1000))
	for _, exported := range []bool{false, true} {
		if exported && s.NV < 18 {
			break
		}
		call := func(from *account, plain uint64, name string, params *item) {
			if exported {
				plain = frc(name)
			}
			s.by(from, m, plain, params, nil)
		}
		call(owner, 4, "ChangePeerID", p([]byte("another")))
		call(owner, 18, "ChangeMultiaddrs", p(tuple{[]byte("here"), []byte("there")}))
		call(owner, 16, "WithdrawBalance", p(fil(1)))
		call(owner, 22, "RepayDebt", nil)
		call(owner, 3, "ChangeWorkerAddress", p(bls[1], tuple{secp[7]}))
		s.epoch += 901
		call(owner, 21, "ConfirmChangeWorkerAddress", nil)
		call(owner, 30, "ChangeBeneficiary", p(other, fil(5), s.epoch+10_000))
		call(other, 30, "ChangeBeneficiary", p(other, fil(5), s.epoch+10_000))
		call(other, 16, "WithdrawBalance", p(fil(1)))
		call(owner, 23, "ChangeOwnerAddress", bytesItem(idBytes(uint64(next.ID))))
		call(next, 23, "ChangeOwnerAddress", bytesItem(idBytes(uint64(next.ID))))
		owner, next = next, owner
		bls[1], bls[0] = bls[0], bls[1]
	}
	s.by(other, m, 2, nil, nil)
	s.by(other, m, 31, nil, nil)
	for _, name := range []string{"GetAvailableBalance", "GetMultiaddrs", "GetOwner", "GetPeerID", "GetSectorSize", "GetVestingFunds", "GetBeneficiary", "InitialPledge"} {
		s.by(other, m, frc(name), nil, nil)
	}
	s.by(other, m, frc("IsControllingAddress"), bytesItem(idBytes(uint64(secp[7].ID))), nil)
	s.by(other, m, frc("MaxTerminationFee"), p(big.NewInt(1<<35), fil(1)), nil)
	s.by(owner, m, 20, p(bits(1, 2, 3, 9)), nil)
	s.as(rewardID, m, 14, p(fil(1), new(big.Int)), nil)
	s.as(systemID, rewardID, 2, p(idOf(m), big.NewInt(5), big.NewInt(6), 1), nil)
}

// playMinerPower are the calls of the power actor, by a miner and by others.
func playMinerPower(s *stage) {
	any := s.of("secp")[6]
	m := s.miner(s.of("secp")[2], s.of("bls")[0])
	s.as(m, powerID, 3, p(big.NewInt(1<<36), big.NewInt(1<<37)), nil)
	s.as(m, powerID, 4, p(s.epoch+5, encoded(tuple{1})), nil)
	s.as(m, powerID, 6, amountItem(fil(3)), nil)
	s.as(m, powerID, 7, amountItem(fil(1)), nil)
	s.as(m, powerID, 8, p(sealProof, tuple{m, 4}, tuple{}, filler(32), filler(32), filler(1920), s.sealed(), s.piece()), nil)
	s.as(m, powerID, 8, p(sealProof, m, 4, tuple{}, filler(32), filler(32), filler(1920), s.sealed(), s.piece()), nil)
	s.by(any, powerID, 9, nil, nil)
	for _, name := range []string{"NetworkRawPower", "MinerCount", "MinerConsensusCount"} {
		s.by(any, powerID, frc(name), nil, nil)
	}
	s.by(any, powerID, frc("MinerRawPower"), uintItem(m), nil)
	s.by(any, powerID, frc("MinerPower"), uintItem(m), nil)
}

// preCommit pre-commits sectors without data, by the method: 28 leaves out what FIP-0041 found useless in the params of 25 and 6.
func (s *stage) preCommit(worker *account, m, method uint64, numbers ...int) {
	var list tuple
	for _, n := range numbers {
		t := tuple{sealProof, n, s.sealed(), s.epoch - 20, tuple{}, s.epoch + 31*day + 400*day}
		if method == 28 {
			t = append(t, nil)
		} else {
			t = append(t, false, 0, 0, 0)
		}
		list = append(list, t)
	}
	if method == 6 {
		s.by(worker, m, 6, p(list[0].(tuple)...), nil)
		return
	}
	s.by(worker, m, method, p(list), nil)
}

// newestPreCommit pre-commits by the newest method of the network version.
func (s *stage) newestPreCommit(worker *account, m uint64, numbers ...int) {
	method := uint64(28)
	if s.NV < 17 {
		method = 25
	}
	s.preCommit(worker, m, method, numbers...)
}

// estimates are what the power actor tells miners: smoothed reward and power.
func estimates() (reward, power tuple) {
	return tuple{new(big.Int).Lsh(fil(36), 128), new(big.Int)}, tuple{new(big.Int).Lsh(big.NewInt(9), 60+128), new(big.Int)}
}

// confirm tells a miner that seals are proven, as the power actor did before ProveCommitSectors3, or as genesis does.
func (s *stage) confirm(m uint64, numbers ...any) {
	reward, power := estimates()
	params := p(tuple(numbers), reward, new(big.Int).Lsh(big.NewInt(1), 60), power)
	s.as(powerID, m, 17, params, nil)
	s.as(systemID, m, 17, params, nil)
}

// prove3 is ProveCommitSectors3 of sectors without data.
func (s *stage) prove3(worker *account, m uint64, numbers ...int) {
	var sectors, proofs tuple
	for _, n := range numbers {
		sectors, proofs = append(sectors, tuple{n, tuple{}}), append(proofs, filler(1920))
	}
	s.by(worker, m, 34, p(sectors, proofs, []byte{}, nil, false, false), nil)
}

// place is where a miner's sector is.
type place struct{ deadline, partition uint64 }

// minerState are the beginning of a miner's proving period, and its deadlines with the sectors of each partition.
func (s *stage) minerState(m uint64) (start int64, deadlines [][][]uint64) {
	st := s.block(s.actor(m).Head)
	list := s.at(s.linked(s.at(st, 12)), 0)
	for _, d := range list.items {
		// An AMT of few values: bit width, height, count, and a node of bitmap, links and values. A partition begins with its sectors.
		values := s.at(s.linked(s.at(s.linked(d), 0)), 3, 2)
		var parts [][]uint64
		for _, v := range values.items {
			set, err := bitfield.NewFromBytes(s.at(v, 0).data)
			if err != nil {
				s.fail("%w", err)
			}
			all, err := set.All(1 << 20)
			if err != nil {
				s.fail("%w", err)
			}
			parts = append(parts, all)
		}
		deadlines = append(deadlines, parts)
	}
	return int64(s.at(st, 10).value), deadlines
}

// find tells where a sector is.
func (s *stage) find(m, sector uint64) place {
	_, deadlines := s.minerState(m)
	for d, parts := range deadlines {
		for i, set := range parts {
			for _, n := range set {
				if n == sector {
					return place{uint64(d), uint64(i)}
				}
			}
		}
	}
	s.fail("sector %d is nowhere", sector)
	return place{}
}

// A proving period has so many deadlines of so many epochs.
const windowLength, deadlineCount = 60, 48

// deadlineAt is the deadline that is open at an epoch, for a miner whose first period started at start, which may be after it.
func deadlineAt(start, epoch int64) uint64 {
	const period = windowLength * deadlineCount
	return uint64(((epoch-start)%period + period) % period / windowLength)
}

// until lets epochs pass until a deadline opens, k deadlines after d.
func (s *stage) until(m, d, k uint64) {
	start, _ := s.minerState(m)
	const period = windowLength * deadlineCount
	open := start%period + int64((d+k)%deadlineCount)*windowLength
	open += ((s.epoch-open)/period + 1) * period // the first one after now
	s.epoch = open + 2
}

// closeDeadline is what cron does at the end of a deadline, by the power actor.
func (s *stage) closeDeadline(m uint64) {
	start, _ := s.minerState(m)
	s.epoch += windowLength - 1 - (s.epoch-start)%windowLength
	reward, power := estimates()
	s.as(powerID, m, 12, p(encoded(tuple{1}), reward, power), nil)
	s.epoch++
}

// drawn is the randomness of the chain that a window proof names.
func drawn(epoch int64) []byte {
	const chainCommit = 9
	b := binary.BigEndian.AppendUint64(nil, chainCommit)
	b = append(b, "i_am_random_____i_am_random_____"...) // what the chain gives if nothing else is said
	sum := blake2b.Sum256(binary.BigEndian.AppendUint64(b, uint64(epoch)))
	return sum[:]
}

// post proves a deadline, which is open.
func (s *stage) post(worker *account, m, deadline uint64) {
	_, deadlines := s.minerState(m)
	var parts tuple
	for i := range deadlines[deadline] {
		parts = append(parts, tuple{i, bits()})
	}
	commit := s.epoch - 1
	s.by(worker, m, 5, p(deadline, parts, tuple{tuple{s.windowProof(), filler(192)}}, commit, drawn(commit)), nil)
}

// postAll proves each deadline that has sectors, once.
func (s *stage) postAll(worker *account, m uint64) {
	start, deadlines := s.minerState(m)
	now := deadlineAt(start, s.epoch)
	for k := range uint64(deadlineCount) {
		d := (now + 1 + k) % deadlineCount
		if len(deadlines[d]) == 0 {
			continue
		}
		s.until(m, d, 0)
		s.post(worker, m, d)
		s.closeDeadline(m)
	}
}

// committed is a miner with sectors that are proven: those that are named.
func (s *stage) committed(owner, worker *account, numbers ...int) uint64 {
	m := s.miner(owner, worker)
	s.newestPreCommit(worker, m, numbers...)
	s.epoch += 160
	if s.NV >= 22 {
		s.prove3(worker, m, numbers...)
	} else {
		var list []any
		for _, n := range numbers {
			list = append(list, n)
		}
		s.confirm(m, list...)
	}
	s.postAll(worker, m)
	return m
}

// playSectors takes sectors from pre-commit to termination, in all ways that there were.
func playSectors(s *stage) {
	owner, worker, other := s.of("secp")[2], s.of("bls")[0], s.of("secp")[6]
	m := s.miner(owner, worker)
	s.newestPreCommit(worker, m, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	s.preCommit(worker, m, 25, 11, 12)
	s.preCommit(worker, m, 6, 13)
	s.epoch += 160
	s.by(worker, m, 7, p(1, filler(1920)), nil)
	s.as(systemID, cronID, 2, nil, nil)
	s.confirm(m, 2)
	s.by(worker, m, 26, p(bits(3, 4, 5, 6), filler(11_000)), nil)
	s.prove3(worker, m, 7, 8)
	s.confirm(m, 3, 4, 5, 6, 7, 8, 9) // those that are not proven yet
	start, _ := s.minerState(m)
	far := (deadlineAt(start, s.epoch) + 20) % deadlineCount
	s.by(worker, m, 36, p(tuple{tuple{40, m, s.sealed(), 40, s.epoch - 30, s.epoch + 250*day}}, filler(11_000), niProof, 1, far, true), nil)
	s.postAll(worker, m)
	s.by(other, m, 13, p(9), nil)
	s.by(other, m, frc("GetNominalSectorExpiration"), uintItem(9), nil)
	if where := s.by(other, m, frc("GenerateSectorLocation"), p(9), nil); where.ExitCode == 0 {
		s.by(other, m, frc("ValidateSectorStatus"), p(9, s.at(s.ret(where), 0), s.at(s.ret(where), 1)), nil)
	}

	at := func(sector uint64, k uint64) place {
		pl := s.find(m, sector)
		s.until(m, pl.deadline, k)
		return pl
	}
	pl := at(9, 40)
	s.by(worker, m, 19, p(pl.deadline, bits(pl.partition)), nil)
	pl = at(4, 20)
	s.by(worker, m, 8, p(tuple{tuple{pl.deadline, pl.partition, bits(4), s.epoch + 440*day}}), nil)
	pl = at(5, 20)
	s.by(worker, m, 32, p(tuple{tuple{pl.deadline, pl.partition, bits(5), tuple{}, s.epoch + 440*day}}), nil)
	pl = at(6, 20)
	s.by(worker, m, 9, p(tuple{tuple{pl.deadline, pl.partition, bits(6)}}), nil)
	pl = at(7, 20)
	s.by(worker, m, 10, p(tuple{tuple{pl.deadline, pl.partition, bits(7)}}), nil)
	s.by(worker, m, 11, p(tuple{tuple{pl.deadline, pl.partition, bits(7)}}), nil)
	s.until(m, pl.deadline, 0)
	s.post(worker, m, pl.deadline)
	s.closeDeadline(m)
	// Nobody proves now: the sectors are faulty, and 42 days later lost; sector 10's pre-commit is forgotten.
	for range 3 {
		s.until(m, pl.deadline, 0)
		s.closeDeadline(m)
		s.epoch += 43 * day
	}
	reward, power := estimates()
	s.as(powerID, m, 12, p(encoded(tuple{2}), reward, power), nil)
}

// playDispute disputes a proof that was taken on trust and turns out to be bad.
func playDispute(s *stage) {
	m := s.committed(s.of("secp")[2], s.of("bls")[0], 1)
	s.proofs = "invalid"
	pl := s.find(m, 1)
	s.by(s.of("secp")[6], m, 24, p(pl.deadline, 0), nil)
}

// playFault reports a miner that mined two blocks at once.
func playFault(s *stage) {
	m := s.miner(s.of("secp")[2], s.of("bls")[0])
	h1, h2 := []byte("one block"), []byte("another")
	s.epoch += 5
	s.faults = []oracle.Fault{{H1: h1, H2: h2, Extra: []byte{}, Target: abi.ActorID(m), Epoch: abi.ChainEpoch(s.epoch - 2), Type: 1}}
	s.by(s.of("secp")[6], m, 15, p(h1, h2, []byte{}), nil)
}
