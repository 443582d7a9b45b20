package ffi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// SplitSortedPrivateSectorInfo is a copy of the sectors from start to before end, counted from 0. An error: there are
// no such places in the list.
func SplitSortedPrivateSectorInfo(_ context.Context, sectors SortedPrivateSectorInfo, start int, end int) (SortedPrivateSectorInfo, error) {
	if start < 0 || end < start || end > len(sectors.f) {
		return SortedPrivateSectorInfo{}, fmt.Errorf("ffi.SplitSortedPrivateSectorInfo: %d to %d is no part of %d sectors", start, end, len(sectors.f))
	}
	return SortedPrivateSectorInfo{append([]PrivateSectorInfo{}, sectors.f[start:end]...)}, nil
}

// Values are the sectors, not copied; of nil there are none.
func (s *SortedPrivateSectorInfo) Values() []PrivateSectorInfo {
	if s == nil {
		return nil
	}
	return s.f
}

// MarshalJSON writes the list of sectors.
func (s SortedPrivateSectorInfo) MarshalJSON() ([]byte, error) { return json.Marshal(s.f) }

// UnmarshalJSON reads a list of sectors as it is: the caller answers for its order.
func (s *SortedPrivateSectorInfo) UnmarshalJSON(b []byte) error {
	if s == nil {
		return errors.New("ffi.SortedPrivateSectorInfo: nil cannot hold a list of sectors")
	}
	return json.Unmarshal(b, &s.f)
}

// FallbackChallenges are the challenges of a window proof, by sector.
type FallbackChallenges struct {
	Sectors    []abi.SectorNumber
	Challenges map[abi.SectorNumber][]uint64
}

// PartitionProof is the proof of one partition.
type PartitionProof proof.PoStProof
