// Package post judges proofs of spacetime: which sectors and nodes a window or winning PoSt is about, and whether a proof
// shows that they are there.
//
// Its errors are answers of the network's rules (an illegal argument to an actor), where the network's library raises
// one, and false is a verdict. The miner that a proof is said to be of is in no input: a proof holds for any miner.
//
// Sources: filecoin-proofs 19.1.0 api/window_post.rs, api/winning_post.rs and api/post_util.rs, storage-proofs-post 19.1.0
// fallback/compound.rs and fallback/vanilla.rs, filecoin-proofs-api 19.1.0 post.rs.
package post

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Sector is a sector as a PoSt names it.
type Sector struct {
	Number abi.SectorNumber
	CommR  [32]byte
}

// Randomness is what the challenges are drawn from: a scalar, least significant byte first.
type Randomness = [32]byte

// Mask clears the two highest bits, so that any 32 bytes are a scalar. Nodes do so before they ask; filecoin-ffi does not.
func Mask(r Randomness) Randomness {
	r[31] &= 0x3f
	return r
}

// sector is one that was checked.
type sector struct {
	number uint64
	commR  curve.Scalar
}

// statement is the sectors of a PoSt, lowest number first, and where its challenges come from.
type statement struct {
	randomness Randomness
	sectors    []sector
	nodes      uint64 // of a sector
}

func newStatement(size *registered.Size, randomness Randomness, list []Sector) (*statement, error) {
	list = byNumber(list)
	if len(list) == 0 {
		return nil, errors.New("a PoSt of no sectors")
	}
	if _, err := comm.Scalar("randomness", randomness); err != nil {
		return nil, err
	}
	s := &statement{randomness: randomness, sectors: make([]sector, len(list)), nodes: size.Nodes()}
	for i := range list {
		if list[i].CommR == ([32]byte{}) {
			return nil, fmt.Errorf("sector %d: comm_r is zero", list[i].Number)
		}
		commR, err := comm.Scalar("comm_r", list[i].CommR)
		if err != nil {
			return nil, fmt.Errorf("sector %d: %w", list[i].Number, err)
		}
		s.sectors[i] = sector{uint64(list[i].Number), commR}
	}
	return s, nil
}

// byNumber puts sectors in ascending order. Of several with one number the last one given counts, as in the map of nodes:
// the miner actor puts a good sector in a faulty one's place and relies on it.
func byNumber(list []Sector) []Sector {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Sector) int { return cmp.Compare(a.Number, b.Number) })
	kept := sorted[:0]
	for i := range sorted {
		if i+1 == len(sorted) || sorted[i].Number != sorted[i+1].Number {
			kept = append(kept, sorted[i])
		}
	}
	return kept
}

// challenges are the nodes that a proof opens in sector i: one for each index from first on.
func (s *statement) challenges(to []uint64, i int, first uint64) {
	var preimage [48]byte
	copy(preimage[:32], s.randomness[:])
	binary.LittleEndian.PutUint64(preimage[32:], s.sectors[i].number)
	for n := range to {
		binary.LittleEndian.PutUint64(preimage[40:], first+uint64(n))
		hash := sha256.Sum256(preimage[:])
		to[n] = binary.LittleEndian.Uint64(hash[:]) % s.nodes
	}
}

// WinningChallenge chooses the sector that a winning PoSt is about, as a place in the list of the eligible ones. The
// randomness must be a scalar, and one sector at least eligible.
func WinningChallenge(miner abi.ActorID, randomness Randomness, eligible uint64) (uint64, error) {
	if eligible == 0 {
		return 0, errors.New("no sectors are eligible")
	}
	if _, err := comm.Scalar("randomness", randomness); err != nil {
		return 0, err
	}
	prover := comm.Prover(miner)
	preimage := make([]byte, 0, 72)
	preimage = append(append(preimage, prover[:]...), randomness[:]...)
	preimage = append(preimage, make([]byte, 8)...) // the number of the challenge: there is one
	hash := sha256.Sum256(preimage)
	return binary.LittleEndian.Uint64(hash[:]) % eligible, nil
}
