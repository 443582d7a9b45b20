package ffi

import (
	"encoding/json"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
)

// Version of the surface, as the original counts it.
const Version int = 3

// PrivateSectorInfo is what a prover knows of a sector.
type PrivateSectorInfo struct {
	proof.SectorInfo
	CacheDirPath     string
	PoStProofType    abi.RegisteredPoStProof
	SealedSectorPath string
}

// SortedPrivateSectorInfo is a list of sectors by ascending number, each number once.
type SortedPrivateSectorInfo struct{ f []PrivateSectorInfo }

// NewSortedPrivateSectorInfo sorts sectors. Of two with one number the first counts.
func NewSortedPrivateSectorInfo(sectorInfo ...PrivateSectorInfo) SortedPrivateSectorInfo {
	byNumber := func(a, b PrivateSectorInfo) int {
		switch {
		case a.SectorNumber < b.SectorNumber:
			return -1
		case a.SectorNumber > b.SectorNumber:
			return 1
		}
		return 0
	}
	sorted := append([]PrivateSectorInfo{}, sectorInfo...)
	slices.SortStableFunc(sorted, byNumber)
	return SortedPrivateSectorInfo{slices.CompactFunc(sorted, func(a, b PrivateSectorInfo) bool { return byNumber(a, b) == 0 })}
}

// Values are the sectors, not copied.
func (s *SortedPrivateSectorInfo) Values() []PrivateSectorInfo { return s.f }

// MarshalJSON writes the list of sectors.
func (s SortedPrivateSectorInfo) MarshalJSON() ([]byte, error) { return json.Marshal(s.f) }

// UnmarshalJSON reads a list of sectors as it is: the caller answers for its order.
func (s *SortedPrivateSectorInfo) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.f) }

// FallbackChallenges are the challenges of a window proof, by sector.
type FallbackChallenges struct {
	Sectors    []abi.SectorNumber
	Challenges map[abi.SectorNumber][]uint64
}

// PartitionProof is the proof of one partition.
type PartitionProof proof.PoStProof
