// Package machine is the setting in which messages run: network, epoch, prices,
// builtin actors, state tree. It lives as long as one tipset's execution.
//
// fvm makes it; call, kernel and executor read it. It calls state, actors and
// gas. What runs a message does not belong here.
package machine

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/trace"
)

// The limits of every network so far, in the reference's NetworkConfig.
const (
	MaxMessageMemory  = 2 << 30 // bytes, all instances of a call stack; a table element counts 8
	MaxBlockSize      = 1 << 20 // bytes
	MaxTableElements  = 20_000
	maxInstanceMemory = 512 << 20 // bytes, one instance
	maxSubcalls       = 1024
)

// Context is fixed for the life of a machine.
type Context struct {
	NetworkVersion network.Version
	Epoch          abi.ChainEpoch
	Timestamp      uint64 // seconds since 1970
	ChainID        uint64
	BaseFee        abi.TokenAmount // attoFIL
	CircSupply     abi.TokenAmount // attoFIL
	ActorDebugging bool
}

// Machine is fixed to one epoch over one starting state root. It is never used
// from two goroutines at once.
type Machine struct {
	Context
	Profile  *Profile
	Prices   *gas.PriceList
	Store    *blockstore.Buffered
	Tree     *state.Tree
	Manifest *actors.Manifest
	Externs  externs.Externs
	Proofs   externs.ProofVerifier // nil: none
	Hooks    *trace.Hooks          // nil: none
}

// EmptyArray is the CID of the DAG-CBOR empty array, the head of a new actor.
func EmptyArray() cid.Cid { return emptyArray.Cid() }

var emptyArray = mustBlock([]byte{0x80})

func mustBlock(data []byte) blocks.Block {
	b, err := blocks.NewBlockWithCid(data, cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data)))
	if err != nil {
		panic(err) // fixed input
	}
	return b
}

// Setup is what New needs beside the context.
type Setup struct {
	Root    cid.Cid
	Base    blockstore.Blockstore
	Externs externs.Externs
	Proofs  externs.ProofVerifier
	Hooks   *trace.Hooks
	Preview bool
}

// New loads the state root and the manifest of builtin actors. Like the
// reference it writes the empty array's block to the base store, since new
// actors point at it and the flush would not find it; not so before nv18.
func New(ctx context.Context, c Context, s Setup) (*Machine, error) {
	profile, err := ProfileFor(c.NetworkVersion, s.Preview)
	if err != nil {
		return nil, err
	}
	prices, err := gas.PricesFor(c.NetworkVersion, s.Preview)
	if err != nil {
		return nil, err
	}
	if !s.Root.Defined() {
		return nil, errors.New("no state root given")
	}
	if has, err := s.Base.Has(ctx, s.Root); err != nil {
		return nil, fmt.Errorf("looking for the state root %s: %w", s.Root, err)
	} else if !has {
		return nil, fmt.Errorf("the blockstore does not have the state root %s", s.Root)
	}
	if profile.WriteEmptyArray {
		if err := s.Base.Put(ctx, emptyArray); err != nil {
			return nil, fmt.Errorf("writing the empty array's block: %w", err)
		}
	}
	store := blockstore.NewBuffered(s.Base)
	store.SetFlushRules(profile.FlushRules())
	tree, err := state.Load(ctx, store, s.Root, profile.trees()...)
	if err != nil {
		return nil, fmt.Errorf("loading the state tree %s: %w", s.Root, err)
	}
	manifest, err := actors.LoadManifest(ctx, tree, store, profile.required()...)
	if err != nil {
		return nil, fmt.Errorf("loading the manifest of builtin actors: %w", err)
	}
	return &Machine{
		Context: c, Profile: profile, Prices: prices, Store: store, Tree: tree, Manifest: manifest,
		Externs: s.Externs, Proofs: s.Proofs, Hooks: s.Hooks,
	}, nil
}

// Flush writes what the messages so far have changed to the base store and
// returns the new state root. The machine stays usable.
func (m *Machine) Flush(ctx context.Context, all bool) (cid.Cid, error) {
	root, err := m.Tree.Flush(ctx)
	if err != nil {
		return cid.Undef, fmt.Errorf("flushing the state tree: %w", err)
	}
	if all {
		err = m.Store.FlushAll(ctx)
	} else {
		err = m.Store.Flush(ctx, root)
	}
	if err != nil {
		return cid.Undef, fmt.Errorf("writing the new state %s: %w", root, err)
	}
	return root, nil
}

// Fork is a machine in the same setting whose changes stay apart, over the state below; base has that state's blocks and is
// only read. Hooks nil: none. It cannot be flushed. The two may run at once as long as m's state stays as it is and its base
// store, externs and proof verifier are safe for it.
func (m *Machine) Fork(below state.Below, base blockstore.Blockstore, hooks *trace.Hooks) *Machine {
	f := *m
	f.Store = blockstore.NewBuffered(base)
	f.Tree, f.Hooks = m.Tree.Fork(below, f.Store), hooks
	return &f
}
