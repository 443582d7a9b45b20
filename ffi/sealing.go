package ffi

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/proofs/pieces"
)

// ErrNoProver is the error of everything that seals sectors, reads them back or proves them. A node that follows the
// chain calls none of it; a storage provider's sealing and proving does.
var ErrNoProver = errors.New("sealing and proving need the proof library of filecoin-ffi (Rust), which this module does not contain: run that work in a worker or miner built with the original module")

func needsProver(function string) error { return fmt.Errorf("ffi.%s: %w", function, ErrNoProver) }

// GeneratePieceCID is the commitment to the first pieceSize bytes of a file, before padding.
func GeneratePieceCID(proofType abi.RegisteredSealProof, piecePath string, pieceSize abi.UnpaddedPieceSize) (cid.Cid, error) {
	f, err := os.Open(piecePath)
	if err != nil {
		return cid.Undef, fmt.Errorf("ffi.GeneratePieceCID: %w", err)
	}
	defer f.Close()
	return GeneratePieceCIDFromFile(proofType, f, pieceSize)
}

// GenerateUnsealedCID is the commitment to the data of a sector of pieces, which stand one after the other.
func GenerateUnsealedCID(proofType abi.RegisteredSealProof, all []abi.PieceInfo) (cid.Cid, error) {
	c, err := pieces.SectorCommitment(context.Background(), proofType, all)
	if err != nil {
		return cid.Undef, fmt.Errorf("ffi.GenerateUnsealedCID: %w", err)
	}
	return c, nil
}

// GeneratePieceCIDFromFile is the commitment to the next pieceSize bytes of a file, before padding.
func GeneratePieceCIDFromFile(proofType abi.RegisteredSealProof, pieceFile *os.File, pieceSize abi.UnpaddedPieceSize) (cid.Cid, error) {
	if _, err := proofType.SectorSize(); err != nil {
		return cid.Undef, fmt.Errorf("ffi.GeneratePieceCID: %w", err)
	}
	c, err := pieces.Commit(context.Background(), pieceFile, pieceSize)
	if err != nil {
		return cid.Undef, fmt.Errorf("ffi.GeneratePieceCID: %w", err)
	}
	return c, nil
}

// WriteWithAlignment needs a prover.
func WriteWithAlignment(proofType abi.RegisteredSealProof, pieceFile *os.File, pieceBytes abi.UnpaddedPieceSize, stagedSectorFile *os.File, existingPieceSizes []abi.UnpaddedPieceSize) (abi.UnpaddedPieceSize, abi.UnpaddedPieceSize, cid.Cid, error) {
	return 0, 0, cid.Undef, needsProver("WriteWithAlignment")
}

// WriteWithoutAlignment needs a prover.
func WriteWithoutAlignment(proofType abi.RegisteredSealProof, pieceFile *os.File, pieceBytes abi.UnpaddedPieceSize, stagedSectorFile *os.File) (abi.UnpaddedPieceSize, cid.Cid, error) {
	return 0, cid.Undef, needsProver("WriteWithoutAlignment")
}

// SealPreCommitPhase1 needs a prover.
func SealPreCommitPhase1(proofType abi.RegisteredSealProof, cacheDirPath string, stagedSectorPath string, sealedSectorPath string, sectorNum abi.SectorNumber, minerID abi.ActorID, ticket abi.SealRandomness, pieces []abi.PieceInfo) ([]byte, error) {
	return nil, needsProver("SealPreCommitPhase1")
}

// SealPreCommitPhase2 needs a prover.
func SealPreCommitPhase2(phase1Output []byte, cacheDirPath string, sealedSectorPath string) (cid.Cid, cid.Cid, error) {
	return cid.Undef, cid.Undef, needsProver("SealPreCommitPhase2")
}

// SealCommitPhase1 needs a prover.
func SealCommitPhase1(proofType abi.RegisteredSealProof, sealedCID cid.Cid, unsealedCID cid.Cid, cacheDirPath string, sealedSectorPath string, sectorNum abi.SectorNumber, minerID abi.ActorID, ticket abi.SealRandomness, seed abi.InteractiveSealRandomness, pieces []abi.PieceInfo) ([]byte, error) {
	return nil, needsProver("SealCommitPhase1")
}

// SealCommitPhase2 needs a prover.
func SealCommitPhase2(phase1Output []byte, sectorNum abi.SectorNumber, minerID abi.ActorID) ([]byte, error) {
	return nil, needsProver("SealCommitPhase2")
}

// SealCommitPhase2CircuitProofs needs a prover.
func SealCommitPhase2CircuitProofs(phase1Output []byte, sectorNum abi.SectorNumber) ([]byte, error) {
	return nil, needsProver("SealCommitPhase2CircuitProofs")
}

// AggregateSealProofs needs a prover.
func AggregateSealProofs(aggregateInfo proof.AggregateSealVerifyProofAndInfos, proofs [][]byte) ([]byte, error) {
	return nil, needsProver("AggregateSealProofs")
}

// Unseal needs a prover.
func Unseal(proofType abi.RegisteredSealProof, cacheDirPath string, sealedSector *os.File, unsealOutput *os.File, sectorNum abi.SectorNumber, minerID abi.ActorID, ticket abi.SealRandomness, unsealedCID cid.Cid) error {
	return needsProver("Unseal")
}

// UnsealRange needs a prover.
func UnsealRange(proofType abi.RegisteredSealProof, cacheDirPath string, sealedSector *os.File, unsealOutput *os.File, sectorNum abi.SectorNumber, minerID abi.ActorID, ticket abi.SealRandomness, unsealedCID cid.Cid, unpaddedByteIndex uint64, unpaddedBytesAmount uint64) error {
	return needsProver("UnsealRange")
}

// GenerateSDR needs a prover.
func GenerateSDR(proofType abi.RegisteredSealProof, cacheDirPath string, replicaId [32]byte) error {
	return needsProver("GenerateSDR")
}

// GenerateWinningPoSt needs a prover.
func GenerateWinningPoSt(minerID abi.ActorID, privateSectorInfo SortedPrivateSectorInfo, randomness abi.PoStRandomness) ([]proof.PoStProof, error) {
	return nil, needsProver("GenerateWinningPoSt")
}

// GenerateWindowPoSt needs a prover.
func GenerateWindowPoSt(minerID abi.ActorID, privateSectorInfo SortedPrivateSectorInfo, randomness abi.PoStRandomness) ([]proof.PoStProof, []abi.SectorNumber, error) {
	return nil, nil, needsProver("GenerateWindowPoSt")
}

// GetGPUDevices are the graphics cards that this module can use: none.
func GetGPUDevices() ([]string, error) { return nil, nil }

// GetSealVersion needs a prover.
func GetSealVersion(proofType abi.RegisteredSealProof) (string, error) {
	return "", needsProver("GetSealVersion")
}

// GetPoStVersion needs a prover.
func GetPoStVersion(proofType abi.RegisteredPoStProof) (string, error) {
	return "", needsProver("GetPoStVersion")
}

// GetNumPartitionForFallbackPost needs a prover.
func GetNumPartitionForFallbackPost(proofType abi.RegisteredPoStProof, numSectors uint) (uint, error) {
	return 0, needsProver("GetNumPartitionForFallbackPost")
}

// ClearCache needs a prover.
func ClearCache(cacheDirPath string) error {
	return needsProver("ClearCache")
}

// ClearSyntheticProofs needs a prover.
func ClearSyntheticProofs(cacheDirPath string) error {
	return needsProver("ClearSyntheticProofs")
}

// GenerateSynthProofs needs a prover.
func GenerateSynthProofs(proofType abi.RegisteredSealProof, sealedCID, unsealedCID cid.Cid, cacheDirPath, replicaPath string, sectorNum abi.SectorNumber, minerID abi.ActorID, ticket []byte, pieces []abi.PieceInfo) error {
	return needsProver("GenerateSynthProofs")
}

// FauxRep needs a prover.
func FauxRep(proofType abi.RegisteredSealProof, cacheDirPath string, sealedSectorPath string) (cid.Cid, error) {
	return cid.Undef, needsProver("FauxRep")
}

// FauxRep2 needs a prover.
func FauxRep2(proofType abi.RegisteredSealProof, cacheDirPath string, existingPAuxPath string) (cid.Cid, error) {
	return cid.Undef, needsProver("FauxRep2")
}

// GeneratePoStFallbackSectorChallenges needs a prover.
func GeneratePoStFallbackSectorChallenges(proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, sectorIds []abi.SectorNumber) (*FallbackChallenges, error) {
	return nil, needsProver("GeneratePoStFallbackSectorChallenges")
}

// GenerateSingleVanillaProof needs a prover.
func GenerateSingleVanillaProof(replica PrivateSectorInfo, challenges []uint64) ([]byte, error) {
	return nil, needsProver("GenerateSingleVanillaProof")
}

// GenerateWinningPoStWithVanilla needs a prover.
func GenerateWinningPoStWithVanilla(proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, proofs [][]byte) ([]proof.PoStProof, error) {
	return nil, needsProver("GenerateWinningPoStWithVanilla")
}

// GenerateWindowPoStWithVanilla needs a prover.
func GenerateWindowPoStWithVanilla(proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, proofs [][]byte) ([]proof.PoStProof, error) {
	return nil, needsProver("GenerateWindowPoStWithVanilla")
}

// GenerateSinglePartitionWindowPoStWithVanilla needs a prover.
func GenerateSinglePartitionWindowPoStWithVanilla(proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, proofs [][]byte, partitionIndex uint) (*PartitionProof, error) {
	return nil, needsProver("GenerateSinglePartitionWindowPoStWithVanilla")
}

// MergeWindowPoStPartitionProofs needs a prover.
func MergeWindowPoStPartitionProofs(proofType abi.RegisteredPoStProof, partitionProofs []PartitionProof) (*proof.PoStProof, error) {
	return nil, needsProver("MergeWindowPoStPartitionProofs")
}

// EncodeInto needs a prover.
func (FunctionsSectorUpdate) EncodeInto(proofType abi.RegisteredUpdateProof, newReplicaPath string, newReplicaCachePath string, sectorKeyPath string, sectorKeyCachePath string, stagedDataPath string, pieces []abi.PieceInfo) (cid.Cid, cid.Cid, error) {
	return cid.Undef, cid.Undef, needsProver("SectorUpdate.EncodeInto")
}

// DecodeFrom needs a prover.
func (FunctionsSectorUpdate) DecodeFrom(proofType abi.RegisteredUpdateProof, outDataPath string, replicaPath string, sectorKeyPath string, sectorKeyCachePath string, unsealedCID cid.Cid) error {
	return needsProver("SectorUpdate.DecodeFrom")
}

// RemoveData needs a prover.
func (FunctionsSectorUpdate) RemoveData(proofType abi.RegisteredUpdateProof, sectorKeyPath string, sectorKeyCachePath string, replicaPath string, replicaCachePath string, dataPath string, unsealedCID cid.Cid) error {
	return needsProver("SectorUpdate.RemoveData")
}

// GenerateUpdateVanillaProofs needs a prover.
func (FunctionsSectorUpdate) GenerateUpdateVanillaProofs(proofType abi.RegisteredUpdateProof, oldSealedCID cid.Cid, newSealedCID cid.Cid, unsealedCID cid.Cid, newReplicaPath string, newReplicaCachePath string, sectorKeyPath string, sectorKeyCachePath string) ([][]byte, error) {
	return nil, needsProver("SectorUpdate.GenerateUpdateVanillaProofs")
}

// VerifyVanillaProofs needs a prover.
func (FunctionsSectorUpdate) VerifyVanillaProofs(proofType abi.RegisteredUpdateProof, oldSealedCID cid.Cid, newSealedCID cid.Cid, unsealedCID cid.Cid, vanillaProofs [][]byte) (bool, error) {
	return false, needsProver("SectorUpdate.VerifyVanillaProofs")
}

// GenerateUpdateProofWithVanilla needs a prover.
func (FunctionsSectorUpdate) GenerateUpdateProofWithVanilla(proofType abi.RegisteredUpdateProof, oldSealedCID cid.Cid, newSealedCID cid.Cid, unsealedCID cid.Cid, vanillaProofs [][]byte) ([]byte, error) {
	return nil, needsProver("SectorUpdate.GenerateUpdateProofWithVanilla")
}

// GenerateUpdateProof needs a prover.
func (FunctionsSectorUpdate) GenerateUpdateProof(proofType abi.RegisteredUpdateProof, oldSealedCID cid.Cid, newSealedCID cid.Cid, unsealedCID cid.Cid, newReplicaPath string, newReplicaCachePath string, sectorKeyPath string, sectorKeyCachePath string) ([]byte, error) {
	return nil, needsProver("SectorUpdate.GenerateUpdateProof")
}
