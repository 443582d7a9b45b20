package fuzz

import "github.com/ipfs/go-cid"

var dealScenes = []scene{
	{name: "deals", play: playDeals},
	{name: "updates", play: playUpdates},
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
func (k *market) publish(method uint64, n int) (ids []uint64, pieces []cid.Cid) {
	var deals tuple
	for range n {
		piece := k.piece()
		start := k.epoch + 5*day
		t := tuple{piece, wholeSector, false, k.client, idOf(k.miner), "label", start, start + 200*day, fil(0), fil(1), fil(0)}
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
	ids, pieces := k.publish(4, 2)
	again := uint64(4)
	if s.NV >= 18 {
		again = frc("PublishStorageDeals")
	}
	more, _ := k.publish(again, 1)
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
	ids, _ := k.publish(4, 1)
	s.by(worker, m, 27, p(tuple{tuple{1, pl.deadline, pl.partition, s.sealed(), tuple{ids[0]}, updateProof, filler(192)}}), nil)
	pl = where(2)
	ids, pieces := k.publish(4, 1)
	s.by(worker, m, 29, p(tuple{tuple{2, pl.deadline, pl.partition, s.sealed(), pieces[0], tuple{ids[0]}, updateProof, filler(192)}}), nil)
	pl = where(3)
	piece := tuple{s.piece(), wholeSector, nil, tuple{}}
	s.by(worker, m, 35, p(tuple{tuple{3, pl.deadline, pl.partition, s.sealed(), tuple{piece}}}, tuple{filler(192)}, []byte{}, updateProof, nil, true, false), nil)
}
