// Package cgo holds what a node gives to a machine: the answers of its chain, and its blocks. It has its name from
// the original's package of the same path, which Lotus and Venus import; there is no cgo in it.
package cgo

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/go-cid"
)

// ConsensusFaultType says what a miner did.
type ConsensusFaultType int64

// The faults, numbered as the network has them.
const (
	ConsensusFaultNone ConsensusFaultType = iota
	ConsensusFaultDoubleForkMining
	ConsensusFaultParentGrinding
	ConsensusFaultTimeOffsetMining
)

// ConsensusFault is a node's judgement of two block headers.
type ConsensusFault struct {
	// Target is the miner at fault, an ID address.
	Target address.Address
	// Epoch of the fault: the higher one of the two blocks.
	Epoch abi.ChainEpoch
	// Type of the fault. ConsensusFaultNone: the other fields mean nothing.
	Type ConsensusFaultType
}

// Externs are a node's answers and its blockstore. Machines call them from many goroutines, one machine from one at a
// time, or in shadow mode from one for each engine. A panic in one of them becomes an error of the call that asked.
type Externs interface {
	// GetChainRandomness is the digest of the ticket at epoch. An error is the actor's to hear, as an illegal argument.
	GetChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error)
	// GetBeaconRandomness is the digest of the beacon's entry at epoch. Errors as above.
	GetBeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error)
	// VerifyConsensusFault judges two headers. Its second result, gas, is ignored, as the network's machine does.
	VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*ConsensusFault, int64)
	// TipsetCid is the CID of the tipset's key at epoch. An error ends the machine.
	TipsetCid(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error)

	blockstore.Blockstore
	blockstore.Viewer
}

// InitLogFd sent the original's log to a file descriptor. This module logs with log/slog, so it does nothing.
func InitLogFd(int32) error { return nil }
