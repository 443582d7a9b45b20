package fuzz

import (
	"math/big"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/state"
)

var dealScenes = []scene{
	{name: "deals", play: playDeals},
	{name: "updates", play: playUpdates},
	{name: "onboarding", play: playOnboarding},
}

// market is a miner and a client that put money into the market.
type market struct {
	*stage
	worker, client *account
	miner          uint64
	next           uint64 // the next deal's number
}

// wholeSector is a deal's size that fills a sector of 32 GiB, so that the sector's data commitment is the piece's.
const wholeSector int64 = 1 << 35

func (s *stage) openMarket(miner uint64) *market {
	k := &market{stage: s, worker: s.of("bls")[0], client: s.of("secp")[5], miner: miner}
	s.by(k.client, marketID, 2, bytesItem(idBytes(uint64(k.client.ID))), fil(500))
	s.by(k.client, marketID, 2, bytesItem(idBytes(miner)), fil(500))
	return k
}

// publish publishes deals of whole sectors, by either number of the method. It returns their numbers and pieces.
func (k *market) publish(method uint64, verified ...bool) (ids []uint64, pieces []cid.Cid) {
	var deals tuple
	for _, v := range verified {
		piece := k.piece()
		start := k.epoch + 5*day
		t := tuple{piece, wholeSector, v, k.client, idOf(k.miner), "label", start, start + 200*day, big.NewInt(1e9), fil(1), fil(0)}
		deals = append(deals, tuple{t, typed(sign(5, encoded(t)))})
		ids, pieces = append(ids, k.next), append(pieces, piece)
		k.next++
	}
	k.by(k.worker, marketID, method, p(deals), nil)
	return ids, pieces
}

func playDeals(s *stage) {
	any := s.of("secp")[6]
	k := s.openMarket(s.miner(s.of("secp")[2], s.of("bls")[0]))
	client := idBytes(uint64(k.client.ID))
	s.by(any, marketID, frc("AddBalance"), bytesItem(client), fil(5))
	s.by(any, marketID, frc("GetBalance"), bytesItem(client), nil)
	s.by(k.client, marketID, 3, p(client, fil(1)), nil)
	s.by(k.client, marketID, frc("WithdrawBalance"), p(client, fil(1)), nil)
	ids, pieces := k.publish(4, false, false)
	again := uint64(4)
	if s.NV >= 18 {
		again = frc("PublishStorageDeals")
	}
	more, _ := k.publish(again, false)
	first := ids[0]
	for _, name := range []string{"DataCommitment", "Client", "Provider", "Label", "Term", "TotalPrice", "ClientCollateral", "ProviderCollateral", "Verified"} {
		s.by(any, marketID, frc("GetDeal"+name), uintItem(first), nil)
	}
	s.verifyDeals(k, first)
	s.activateDeals(k, first, more[0])
	s.as(k.miner, marketID, frc("SectorContentChanged"), cborOf(tuple{tuple{8, s.epoch + 300*day, tuple{tuple{pieces[1], wholeSector, encoded(ids[1])}}}}), nil)
	for _, id := range ids {
		s.by(any, marketID, frc("GetDealActivation"), uintItem(id), nil)
		s.by(any, marketID, frc("GetDealSector"), uintItem(id), nil)
	}
	s.epoch += 6 * day
	s.by(any, marketID, frc("SettleDealPayments"), bits(first), nil)
	s.as(k.miner, marketID, 7, p(s.epoch, tuple{first}), nil)
	s.as(k.miner, marketID, 7, p(s.epoch, bits(7)), nil)
	s.as(cronID, marketID, 9, nil, nil)
}

// verifyDeals are the miner's questions before it commits to deals. The layout of params changed with v13.
func (s *stage) verifyDeals(k *market, id uint64) {
	expiry := s.epoch + 300*day
	s.as(k.miner, marketID, 5, p(tuple{tuple{sealProof, expiry, tuple{id}}}), nil)
	s.as(k.miner, marketID, 5, p(tuple{tuple{7, sealProof, expiry, tuple{id}}}), nil)
	s.as(k.miner, marketID, 8, p(tuple{tuple{tuple{id}, sealProof}}), nil)
}

// activateDeals activates deals in the three ways that there were: of one sector, of many, of many with numbers.
func (s *stage) activateDeals(k *market, id, another uint64) {
	expiry := s.epoch + 300*day
	s.as(k.miner, marketID, 6, p(tuple{id, another}, expiry), nil)
	s.as(k.miner, marketID, 6, p(tuple{tuple{sealProof, expiry, tuple{id}}}, false), nil)
	s.as(k.miner, marketID, 6, p(tuple{tuple{7, sealProof, expiry, tuple{id}}}, false), nil)
}

// playUpdates puts data into sectors that had none, in the three ways that there were.
func playUpdates(s *stage) {
	worker := s.of("bls")[0]
	m := s.committed(s.of("secp")[2], worker, 1, 2, 3)
	k := s.openMarket(m)
	where := func(n uint64) place {
		pl := s.find(m, n)
		s.until(m, pl.deadline, 20)
		return pl
	}
	pl := where(1)
	ids, _ := k.publish(4, false)
	s.by(worker, m, 27, p(tuple{tuple{1, pl.deadline, pl.partition, s.sealed(), tuple{ids[0]}, updateProof, filler(192)}}), nil)
	pl = where(2)
	ids, pieces := k.publish(4, false)
	s.by(worker, m, 29, p(tuple{tuple{2, pl.deadline, pl.partition, s.sealed(), pieces[0], tuple{ids[0]}, updateProof, filler(192)}}), nil)
	pl = where(3)
	piece := tuple{s.piece(), wholeSector, nil, tuple{}}
	s.by(worker, m, 35, p(tuple{tuple{3, pl.deadline, pl.partition, s.sealed(), tuple{piece}}}, tuple{filler(192)}, []byte{}, updateProof, nil, true, false), nil)
}

// playOnboarding takes two deals, one of them verified, from their publication to the termination of their sectors, as storage providers do.
func playOnboarding(s *stage) {
	client := s.client()
	m := s.miner(s.of("secp")[2], s.of("bls")[0])
	k := s.openMarket(m)
	if s.NV >= 17 {
		s.by(client, datacapID, s.datacapMethod("IncreaseAllowance"), p(idOf(marketID), tokens(wholeSector)), nil)
	}
	ids, pieces := k.publish(4, false, true)
	for i, id := range ids {
		k.preCommitDeal(i+1, id, pieces[i])
	}
	s.newestPreCommit(k.worker, m, 3)
	s.epoch += 160
	k.proveDeals(ids, pieces)
	s.postAll(k.worker, m)
	for _, id := range ids {
		s.by(client, marketID, frc("GetDealActivation"), uintItem(id), nil)
	}
	s.by(client, verifregID, frc("GetClaims"), p(m, tuple{1}), nil)
	pl := s.find(m, 2)
	s.until(m, pl.deadline, 20)
	s.by(k.worker, m, 32, p(tuple{tuple{pl.deadline, pl.partition, bits(), tuple{tuple{2, tuple{1}, tuple{}}}, s.epoch + 270*day}}), nil)
	s.marketCron()
	s.by(client, marketID, frc("SettleDealPayments"), bits(ids...), nil)
	for _, n := range []uint64{1, 2} {
		pl := s.find(m, n)
		s.until(m, pl.deadline, 20)
		s.by(k.worker, m, 9, p(tuple{tuple{pl.deadline, pl.partition, bits(n)}}), nil)
	}
	reward, power := estimates()
	s.as(powerID, m, 12, p(encoded(tuple{2}), reward, power), nil) // what is left of the terminations
	s.by(client, marketID, frc("SettleDealPayments"), bits(ids...), nil)
	s.marketCron()
}

// marketCron lets epochs pass until the market's cron looks after deals 0 and 1, which it does once in 30 days, at epochs that their numbers
// decide. The market is made to believe that it has seen all epochs up to then: it would go through each.
func (s *stage) marketCron() {
	const interval = 30 * day
	s.epoch += interval - s.epoch%interval + 2
	st := s.block(s.actor(marketID).Head)
	s.at(st, 7).value = uint64(s.epoch - 5)
	head := dagCBOR(st.appendTo(nil))
	blk, err := blocks.NewBlockWithCid(head.Data, head.CID)
	if err == nil {
		err = s.store.Put(s.ctx, blk)
	}
	if err != nil {
		s.fail("%w", err)
	}
	s.edit(func(t *state.Tree) error { return setHead(s.ctx, t, marketID, head.CID) })
	s.as(cronID, marketID, 9, nil, nil)
}

// preCommitDeal pre-commits a sector that a deal fills. It expires after the deal and before the claim of a verified one would. From nv22 on
// (FIP-0076) the deal is named when the sector is proven.
func (k *market) preCommitDeal(sector int, id uint64, piece cid.Cid) {
	deals := tuple{id}
	if k.NV >= 22 {
		deals = tuple{}
	}
	t := tuple{sealProof, sector, k.sealed(), k.epoch - 20, deals, k.epoch + 260*day}
	if k.NV < 17 {
		k.by(k.worker, k.miner, 25, p(tuple{append(t, false, 0, 0, 0)}), nil)
		return
	}
	k.by(k.worker, k.miner, 28, p(tuple{append(t, piece)}), nil)
}

// proveDeals proves sectors 1 and 2 with their deals, and 3: one by one until cron confirms them, or with all that they hold.
func (k *market) proveDeals(ids []uint64, pieces []cid.Cid) {
	if k.NV < 22 {
		for n := range 3 {
			k.by(k.worker, k.miner, 7, p(n+1, filler(1920)), nil)
		}
		k.as(systemID, cronID, 2, nil, nil)
		return
	}
	told := func(i int, allotment any) tuple {
		return tuple{i + 1, tuple{tuple{pieces[i], wholeSector, allotment, tuple{tuple{idOf(marketID), encoded(ids[i])}}}}}
	}
	sectors := tuple{told(0, nil), told(1, tuple{uint64(k.client.ID), 1}), tuple{3, tuple{}}}
	proofs := tuple{filler(1920), filler(1920), filler(1920)}
	k.by(k.worker, k.miner, 34, p(sectors, proofs, []byte{}, nil, true, true), nil)
}
