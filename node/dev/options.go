package dev

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// Options say what a node is. The zero value has the defaults.
type Options struct {
	// Genesis that the chain begins with: accounts, chain id, network version, flavour of the actors, miners. Its Timestamp is by default
	// the clock's time, and its Engine is Engine.
	Genesis genesis.Options
	// Fork is a real chain to go on from, instead of a genesis: of Genesis only Mnemonic, Accounts and Engine count then. Default: none.
	Fork *Fork
	// ChainID by EIP-155, if it shall not be the fork's. It counts for forks only.
	ChainID uint64
	// BlockTime is how long an epoch lasts, in seconds. Default: 30, or a fork's.
	BlockTime uint64
	// Manual: messages wait until Mine is called. Default: each is executed at once, in a block of its own.
	Manual bool
	// Interval between blocks that are made by the clock, with what is in the pool. Default: none are.
	Interval time.Duration
	// Jumps says what a jump of time by more than a day does. Default: epochs follow if the chain has storage providers.
	Jumps Jumps
	// LenientGas raises a gas limit below what a message needs before it is executed. Default: such a message fails, as on the network.
	LenientGas bool
	// Clock tells the time. Default: time.Now.
	Clock func() time.Time
	// Store takes and has all blocks but the actors' code, those of a block of the chain by one PutMany. It must be safe for concurrent use.
	// Default: memory, which forgets what only blocks have that were reverted.
	Store blockstore.Blockstore
	// Journal keeps what the store does not say by itself: which blocks are the chain. A node whose journal has records goes on where they
	// end, and needs the same Genesis and the same Store. Default: nothing is kept.
	Journal Journal
	// Engine that runs the actors. Default: one wazero engine shared by the process.
	Engine *fvm.Engine
	// Proofs judges proofs. Default: a message that needs a verdict fails; the actors of the flavour "testing-fake-proofs" need none.
	Proofs externs.ProofVerifier
	// Pool's bounds.
	Pool PoolOptions
	// Snapshots that are kept at most; the oldest goes first. Default: 100,000.
	Snapshots int
	// Logger hears of messages that are dropped, limits that are raised and the like. Default: nobody.
	Logger *slog.Logger
}

// PoolOptions bound what waits to be executed.
type PoolOptions struct {
	// Messages altogether. Default: 10,000.
	Messages int
	// PerSender is how many of one sender wait. Default: 1,000.
	PerSender int
	// Gap is how far a nonce may be above the sender's next one. Default: 1,000.
	Gap uint64
}

// ErrOptions is wrapped by errors about Options.
var ErrOptions = errors.New("options of the node")

func (o *Options) defaults() error {
	if f := o.Fork; f != nil && f.Network != nil {
		if o.BlockTime != 0 && o.BlockTime != f.Network.BlockDelay {
			return fmt.Errorf("%w: epochs of %d seconds: those of %s last %d", ErrOptions, o.BlockTime, f.Network.Name, f.Network.BlockDelay)
		}
		o.BlockTime = f.Network.BlockDelay
	}
	if o.BlockTime == 0 {
		o.BlockTime = 30
	}
	if o.BlockTime > 1<<20 {
		return fmt.Errorf("%w: a block time of %d seconds; the most is %d", ErrOptions, o.BlockTime, 1<<20)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Jumps < JumpsAuto || o.Jumps > JumpsCron {
		return fmt.Errorf("%w: no jump of time is %d", ErrOptions, int(o.Jumps))
	}
	if o.Interval < 0 {
		return fmt.Errorf("%w: an interval of %v", ErrOptions, o.Interval)
	}
	if o.Journal != nil && o.Store == nil {
		return fmt.Errorf("%w: a journal needs a store that lasts as long", ErrOptions)
	}
	if o.Snapshots <= 0 {
		o.Snapshots = 100_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &o.Pool
	if p.Messages <= 0 {
		p.Messages = 10_000
	}
	if p.PerSender <= 0 {
		p.PerSender = 1_000
	}
	if p.Gap == 0 {
		p.Gap = 1_000
	}
	if o.Fork != nil {
		if o.Genesis.Mnemonic == "" {
			o.Genesis.Mnemonic = genesis.TestMnemonic
		}
		if o.Genesis.Accounts == 0 {
			o.Genesis.Accounts = 10
		}
		o.Genesis.Accounts = min(max(o.Genesis.Accounts, 0), 1000)
	}
	if o.Genesis.Engine == nil {
		o.Genesis.Engine = o.Engine
	}
	return nil
}
