package fvm

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/nv"
	"github.com/edgefvm/fvm/trace"
)

// Config says in what setting messages run. All of it is fixed for a machine's life.
type Config struct {
	// NetworkVersion is 16 to 29.
	NetworkVersion network.Version
	// Preview admits the network version after the newest one, whose rules may still change. Default: no.
	Preview bool
	// Epoch of the tipset whose messages run; 0 or later.
	Epoch abi.ChainEpoch
	// Timestamp of that tipset, in seconds since 1970. It and ChainID count for nothing before network version 18.
	Timestamp uint64
	// ChainID as EIP-155 has it: 314 for mainnet.
	ChainID uint64
	// BaseFee in attoFIL a unit of gas: 0 to 2^128-1, which is what actors are told it in. Default: 0.
	BaseFee abi.TokenAmount
	// CircSupply is the circulating supply in attoFIL, in the same bounds. Default: 0.
	CircSupply abi.TokenAmount
	// StateRoot to begin from. Required.
	StateRoot cid.Cid
	// Blockstore with the state and the actors' code. New and Flush write to it: one that cannot be written to goes
	// under a blockstore.Overlay. Required.
	Blockstore blockstore.Blockstore
	// Externs answer what only a chain can. Default: every question is a failure of the node.
	Externs externs.Externs
	// Proofs judges proofs: a verifier of package proofs, as a rule. Default: a message that needs one is a failure of the node.
	Proofs externs.ProofVerifier
	// Engine that runs the actors. Default: one wazero engine shared by the process.
	Engine *Engine
	// Hooks watch messages run. Default: none.
	Hooks *trace.Hooks
	// FlushAll makes Flush write every block made, not only what the new root reaches. Default: no.
	FlushAll bool
	// ActorDebugging lets actors log, which changes their gas: never on a live network. Default: no.
	ActorDebugging bool
}

// NetworkVersions are the first and the last network version that machines run, and the one that they run
// with Config.Preview.
func NetworkVersions() (first, last, preview network.Version) {
	return nv.Oldest, nv.Newest, nv.Preview
}

// check refuses what can only be a mistake of this node, since no chain has it.
func (cfg *Config) check() error {
	switch {
	case cfg.Blockstore == nil:
		return errors.New("no blockstore given: set Config.Blockstore")
	case cfg.Engine != nil && cfg.Engine.eng == nil:
		return errors.New("the field Config.Engine has no adapter: make it by NewEngine, EngineKinds.New or EngineFrom")
	case cfg.Epoch < 0:
		return fmt.Errorf("the field Config.Epoch is %d: want 0 or later", cfg.Epoch)
	}
	if err := checkAmount("BaseFee", cfg.BaseFee); err != nil {
		return err
	}
	return checkAmount("CircSupply", cfg.CircSupply)
}

// amountBits is how many bits actors, and the reference's own front door, take an amount of the chain in.
const amountBits = 128

func checkAmount(field string, v abi.TokenAmount) error {
	switch {
	case v.Int == nil:
		return nil // the default
	case v.Sign() < 0:
		return fmt.Errorf("the field Config.%s is %s attoFIL: want 0 to 2^%d-1", field, v, amountBits)
	case v.BitLen() > amountBits:
		return fmt.Errorf("the field Config.%s has %d bits: want 0 to 2^%d-1 attoFIL", field, v.BitLen(), amountBits)
	}
	return nil
}

// complete is the setting with its defaults.
func (cfg Config) complete() (Config, error) {
	if cfg.Engine == nil {
		e, err := sharedEngine()
		if err != nil {
			return cfg, err
		}
		cfg.Engine = e
	}
	if cfg.Externs == nil {
		cfg.Externs = noExterns{}
	}
	cfg.BaseFee, cfg.CircSupply = orZero(cfg.BaseFee), orZero(cfg.CircSupply)
	return cfg, nil
}

func orZero(v abi.TokenAmount) abi.TokenAmount {
	if v.Int == nil {
		return big.Zero()
	}
	return v
}

var errNoExterns = fmt.Errorf("%w: the machine was given no externs: set Config.Externs", externs.ErrNodeFailure)

// noExterns fails on every question.
type noExterns struct{}

func (noExterns) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{}, errNoExterns
}

func (noExterns) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{}, errNoExterns
}

func (noExterns) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, errNoExterns
}

func (noExterns) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, errNoExterns
}
