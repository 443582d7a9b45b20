package fuzz

import (
	"math/big"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

var tokenScenes = []scene{
	{name: "datacap", first: 17, play: playDatacap},
	{name: "registry", play: playRegistry},
	{name: "claims", first: 17, play: playClaims},
}

const (
	day = 2880
	gib = 1 << 30
)

// tokens are n bytes of data cap.
func tokens(n int64) *big.Int { return fil(n) }

// commitment is the CID of a piece, or of a sealed sector.
func (s *stage) commitment(codec, hash uint64) cid.Cid {
	s.counter++
	digest := make([]byte, 32)
	digest[0], digest[1], digest[2] = byte(s.counter), byte(s.counter>>8), byte(s.NV)
	mh, err := multihash.Encode(digest, hash)
	if err != nil {
		s.fail("%w", err)
	}
	return cid.NewCidV1(codec, mh)
}

func (s *stage) piece() cid.Cid {
	return s.commitment(cid.FilCommitmentUnsealed, multihash.SHA2_256_TRUNC254_PADDED)
}

func (s *stage) sealed() cid.Cid {
	return s.commitment(cid.FilCommitmentSealed, multihash.POSEIDON_BLS12_381_A1_FC1)
}

// client makes the sixth account a verified client, by the fourth, a verifier.
func (s *stage) client() *account {
	root, v, c := s.of("root")[0], s.of("secp")[3], s.of("secp")[5]
	s.by(root, verifregID, 2, p(v, big.NewInt(1<<50)), nil)
	s.by(v, verifregID, 4, p(c, big.NewInt(1<<45)), nil)
	return c
}

// datacapMethod is the number of a method of the data cap: FIP-0045's version had small ones.
func (s *stage) datacapMethod(name string) uint64 {
	old := map[string]uint64{
		"Mint": 2, "Destroy": 3, "Name": 10, "Symbol": 11, "TotalSupply": 12, "Balance": 13, "Transfer": 14, "TransferFrom": 15, "IncreaseAllowance": 16,
		"DecreaseAllowance": 17, "RevokeAllowance": 18, "Burn": 19, "BurnFrom": 20, "Allowance": 21,
	}
	if n, ok := old[name]; ok && s.NV == 17 {
		return n
	}
	return frc(name)
}

func playDatacap(s *stage) {
	c, op := s.client(), s.of("secp")[6]
	call := func(from *account, name string, params *item) {
		s.by(from, datacapID, s.datacapMethod(name), params, nil)
	}
	registry := func(name string, params *item) { s.as(verifregID, datacapID, s.datacapMethod(name), params, nil) }
	nothing := encoded(tuple{tuple{}, tuple{}})
	for _, name := range []string{"Name", "Symbol", "TotalSupply", "Granularity"} {
		call(op, name, nil)
	}
	if s.NV == 17 {
		call(op, "TotalSupply", cborOf(nil)) // that version wants params: nothing
	}
	call(op, "Balance", bytesItem(idBytes(uint64(c.ID))))
	registry("Mint", p(c, tokens(100), tuple{}))
	registry("Destroy", p(c, tokens(10)))
	call(c, "IncreaseAllowance", p(op, tokens(50)))
	call(c, "DecreaseAllowance", p(op, tokens(5)))
	call(op, "Allowance", p(c, op))
	call(op, "TransferFrom", p(c, idOf(verifregID), tokens(0), nothing))
	call(c, "Transfer", p(idOf(verifregID), tokens(0), nothing))
	call(op, "BurnFrom", p(c, tokens(3)))
	call(c, "Burn", p(tokens(2)))
	call(c, "RevokeAllowance", p(op))
}

func playRegistry(s *stage) {
	root, v, w := s.of("root")[0], s.of("secp")[3], s.of("secp")[4]
	c, d := s.client(), s.of("secp")[6]
	s.by(root, verifregID, 2, p(w, big.NewInt(1<<50)), nil)
	s.by(w, verifregID, frc("AddVerifiedClient"), p(d, big.NewInt(1<<40)), nil)
	var which any = tuple{0}
	if s.NV == 16 {
		which = 0
	}
	data := append([]byte("fil_removedatacap:"), encoded(tuple{c, big.NewInt(gib), which})...)
	s.by(root, verifregID, 7, p(c, big.NewInt(gib), tuple{v.address().Bytes(), typed(sign(3, data))}, tuple{w.address().Bytes(), typed(sign(4, data))}), nil)
	s.as(marketID, verifregID, 5, p(c, big.NewInt(gib)), nil)
	s.as(marketID, verifregID, 6, p(c, big.NewInt(gib)), nil)
	s.by(root, verifregID, 3, bytesItem(idBytes(uint64(w.ID))), nil)
}

// playClaims allots data cap to a miner, which claims it, and lets allotments and claims expire.
func playClaims(s *stage) {
	c, other := s.client(), s.of("secp")[6]
	miner := s.miner(s.of("secp")[2], s.of("bls")[0])
	var provider any = miner
	if s.NV == 17 {
		provider = idOf(miner)
	}
	var pieces []cid.Cid
	var requests tuple
	for range 6 {
		pieces = append(pieces, s.piece())
		requests = append(requests, tuple{provider, pieces[len(pieces)-1], gib, 180 * day, 400 * day, s.epoch + 30*day})
	}
	s.by(c, datacapID, s.datacapMethod("Transfer"), p(idOf(verifregID), tokens(6*gib), encoded(tuple{requests, tuple{}})), nil)
	claim := func(n int) { // allotments have numbers from 1 on
		params := p(tuple{tuple{n, s.epoch + 200*day, tuple{tuple{uint64(c.ID), n, pieces[n-1], gib}}}}, true)
		if s.NV < 21 {
			params = p(tuple{tuple{uint64(c.ID), n, pieces[n-1], gib, n, s.epoch + 200*day}}, true)
		}
		s.as(miner, verifregID, 9, params, nil)
	}
	claim(1)
	claim(2)
	s.by(other, verifregID, 10, p(miner, tuple{1, 2}), nil)
	s.by(other, verifregID, frc("GetClaims"), p(miner, tuple{2}), nil)
	s.by(c, verifregID, 11, p(tuple{tuple{miner, 1, 500 * day}}), nil)
	s.by(c, verifregID, frc("ExtendClaimTerms"), p(tuple{tuple{miner, 2, 510 * day}}), nil)
	s.epoch += 40 * day
	s.by(other, verifregID, 8, p(uint64(c.ID), tuple{3, 4}), nil)
	s.by(other, verifregID, frc("RemoveExpiredAllocations"), p(uint64(c.ID), tuple{}), nil)
	s.epoch += 600 * day
	s.by(other, verifregID, 12, p(miner, tuple{1}), nil)
	s.by(other, verifregID, frc("RemoveExpiredClaims"), p(miner, tuple{}), nil)
}
