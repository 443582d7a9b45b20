package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// Migrate brings a state from one version of the actors to the next: what an upgrade of the network does to it. root is the state
// after the epoch that is the upgrade's height. It gives the new state's root.
type Migrate func(ctx context.Context, u network.Upgrade, root cid.Cid) (cid.Cid, error)

// Rules are what executing a chain's tipsets needs beside its blocks.
type Rules struct {
	// Network with the genesis' time (network.Network.WithGenesis). Required.
	Network *network.Network
	// GenesisPledge is that of supply.Rules. Required where a network is replayed from before its upgrade Assembly.
	GenesisPledge abi.TokenAmount
	// Migrate is called at upgrades that migrate state. Default: such an upgrade is an error.
	Migrate Migrate
	// State holds states and takes new ones. Required.
	State blockstore.Blockstore
}

// Plan is a tipset ready to be executed.
type Plan struct {
	Tipset *Tipset
	// Blocks are all messages of each block, and Selected those that are executed.
	Blocks   []*BlockMessages
	Selected [][]Message
	// Run is for fvm.ApplyTipset. Engine, Proofs, Hooks and Workers are for the caller to set.
	Run fvm.Tipset
	// Rounds are the settings of its machines, in order. Run's Round adds them.
	Rounds []Round
}

// Round is the setting of one of a tipset's machines: of each null round before it, and its own.
type Round struct {
	Epoch     abi.ChainEpoch
	Timestamp uint64  // in seconds since 1970
	Root      cid.Cid // that the machine began with
	Supply    supply.Parts
	Migrated  bool // an upgrade's migration came before it
}

// Own is the setting of the tipset's own machine, the last of Rounds. The plan must have been executed.
func (p *Plan) Own() *Round { return &p.Rounds[len(p.Rounds)-1] }

// maxGap is how many epochs a tipset may be above its parent, a year of mainnet's: cron runs in each, so an absurd height would
// keep a machine busy for ever.
const maxGap = 1 << 20

// Plan derives from a tipset what executing it needs. The tipset is one of the line's, and not the genesis.
func (r *Rules) Plan(ctx context.Context, line *Line, t *Tipset) (*Plan, error) {
	parent, err := line.store.Parent(ctx, t)
	if err != nil {
		return nil, err
	}
	if gap := t.Height() - parent.Height(); gap > maxGap {
		return nil, fmt.Errorf("%w: the tipset is %d epochs above its parent, which is at epoch %d: no network was quiet for so long", ErrTipset, gap, parent.Height())
	}
	blocks, err := line.store.TipsetMessages(ctx, t)
	if err != nil {
		return nil, err
	}
	selected, err := r.selectFrom(ctx, t, blocks)
	if err != nil {
		return nil, err
	}
	p := &Plan{Tipset: t, Blocks: blocks, Selected: selected}
	p.Run = fvm.Tipset{
		Config: fvm.Config{
			NetworkVersion: r.Network.VersionAt(t.Height()), Epoch: t.Height(), Timestamp: t.Timestamp(), ChainID: r.Network.ChainID,
			BaseFee: t.BaseFee(), StateRoot: t.ParentStateRoot(), Blockstore: r.State, ActorDebugging: r.Network.Constants.ActorDebugging,
		},
		ParentEpoch: parent.Height(), Round: r.round(line.View(t), p),
	}
	for i, h := range t.Blocks {
		if h.Miner.Protocol() != address.ID {
			return nil, fmt.Errorf("%w: block %s: the miner %s is not named by ID", ErrTipset, t.CIDs[i], h.Miner)
		}
		if h.ElectionProof.WinCount < 0 {
			return nil, fmt.Errorf("%w: block %s: a win count of %d", ErrTipset, t.CIDs[i], h.ElectionProof.WinCount)
		}
		b := fvm.TipsetBlock{Miner: h.Miner, WinCount: h.ElectionProof.WinCount}
		for _, m := range selected[i] {
			b.Messages = append(b.Messages, fvm.ChainMessage{Message: m.Message, ChainLength: m.Length})
		}
		p.Run.Blocks = append(p.Run.Blocks, b)
	}
	return p, nil
}

func (r *Rules) selectFrom(ctx context.Context, t *Tipset, blocks []*BlockMessages) ([][]Message, error) {
	var st *tree.Tree // read only if an ID asks for it
	resolve := func(ctx context.Context, a address.Address) (address.Address, error) {
		if st == nil {
			var err error
			if st, err = tree.Load(ctx, r.State, t.ParentStateRoot()); err != nil {
				return address.Undef, err
			}
		}
		return st.Resolve(ctx, a)
	}
	return Select(ctx, blocks, t.Height() >= r.Network.Constants.Hyperdrive, resolve)
}

// round sets a machine's config: the migration before it, version, time, supply, and externs.
func (r *Rules) round(view *View, p *Plan) func(context.Context, fvm.Config) (fvm.Config, error) {
	rules := supply.Rules{Network: r.Network, GenesisPledge: r.GenesisPledge}
	return func(ctx context.Context, cfg fvm.Config) (fvm.Config, error) {
		at := Round{Epoch: cfg.Epoch}
		if u, ok := r.Network.UpgradeAt(cfg.Epoch - 1); ok && u.Migrates {
			if r.Migrate == nil {
				return cfg, fmt.Errorf("the upgrade at epoch %d migrates the state, and nothing was given for that", u.Height)
			}
			root, err := r.Migrate(ctx, u, cfg.StateRoot)
			if err != nil {
				return cfg, fmt.Errorf("the upgrade to network version %d at epoch %d: %w", u.Version, u.Height, err)
			}
			cfg.StateRoot, at.Migrated = root, true
		}
		cfg.NetworkVersion = r.Network.VersionAt(cfg.Epoch)
		if cfg.Epoch < p.Tipset.Height() {
			time, err := r.Network.TimestampAt(cfg.Epoch)
			if err != nil {
				return cfg, err
			}
			cfg.Timestamp = time
		}
		st, err := tree.Load(ctx, r.State, cfg.StateRoot)
		if err != nil {
			return cfg, fmt.Errorf("the state before epoch %d: %w", cfg.Epoch, err)
		}
		if at.Supply, err = rules.At(ctx, cfg.Epoch, st); err != nil {
			return cfg, fmt.Errorf("the circulating supply at epoch %d: %w", cfg.Epoch, err)
		}
		cfg.CircSupply = at.Supply.Circulating
		cfg.Externs = r.Externs(view, cfg.Epoch, cfg.StateRoot)
		at.Root, at.Timestamp = cfg.StateRoot, cfg.Timestamp
		p.Rounds = append(p.Rounds, at)
		return cfg, nil
	}
}

// Externs answer a machine at an epoch that begins with a state.
func (r *Rules) Externs(view *View, epoch abi.ChainEpoch, root cid.Cid) *Externs {
	return &Externs{View: view, Network: r.Network, State: r.State, Epoch: epoch, Root: root}
}

// BaseFeeRules are those of a network's build.
func (r *Rules) BaseFeeRules() BaseFeeRules {
	c := &r.Network.Constants
	rules := BaseFeeRules{Breeze: -1, Smoke: c.Smoke, FireHorse: c.FireHorse}
	if c.OfMainnet() {
		rules.Breeze = mainnetBreeze // other builds have none
	}
	return rules
}

const mainnetBreeze = 41280
