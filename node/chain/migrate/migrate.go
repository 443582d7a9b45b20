// Package migrate brings states from one version of the builtin actors to the next, as the nodes of a network did at its upgrades.
//
// What changes in actors' states is the work of go-state-types, which nodes use too. What nodes do around it is here: which
// bundle of actors an upgrade loads, which constants it takes, and the steps that only give actors other code. Package chain
// says when; this package calls bundle and the state tree.
//
// # Version 19
//
// There are two. The bundle that Lotus v1.36.3 calls v19 is that of v18, and its migration changes code alone. The actors of
// FIP-0118 have other states, and go-state-types v0.19.0 migrates to them by a configuration that no release of a node has yet.
// The bundle decides: with v18's code it is the first, with other code the second, for which Options.Reward must be given. States
// of one are not readable by the other's code, so nothing else is possible.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	v19 "github.com/filecoin-project/go-state-types/builtin/v19/migration"
	gmigration "github.com/filecoin-project/go-state-types/migration"
	"github.com/filecoin-project/go-state-types/rt"
	"github.com/ipfs/go-cid"
	ipldcbor "github.com/ipfs/go-ipld-cbor"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/network"
)

// Options say how to migrate.
type Options struct {
	// Workers is how many goroutines migrate actors. Default: 1.
	Workers int
	// Log hears what long migrations say of their progress. Default: nobody.
	Log func(string)
	// Every is the time between two words on progress. Default: 10 seconds.
	Every time.Duration
	// Reward is the configuration of the migration to the actors of FIP-0118. Default: that migration is an error.
	Reward *v19.RewardMigrationConfig
}

// Migrator migrates the states of a network. Its method Migrate is a chain.Migrate.
type Migrator struct {
	network *network.Network
	bundles *bundle.Set
	store   blockstore.Blockstore
	o       Options
}

// New makes a migrator that reads states from store and writes them there. The store must be safe for concurrent use.
func New(n *network.Network, bundles *bundle.Set, store blockstore.Blockstore, o Options) *Migrator {
	if o.Workers < 1 {
		o.Workers = 1
	}
	if o.Every == 0 {
		o.Every = 10 * time.Second
	}
	return &Migrator{network: n, bundles: bundles, store: store, o: o}
}

// ErrUnknown is wrapped where it is not known what an upgrade does to the state.
var ErrUnknown = errors.New("this migration is not known")

// Migrate does what an upgrade does to the state after the epoch at its height. The result is in the store.
func (m *Migrator) Migrate(ctx context.Context, u network.Upgrade, root cid.Cid) (cid.Cid, error) {
	from := m.network.VersionAt(u.Height)
	switch f, err := m.fix(ctx, u); {
	case err != nil:
		return cid.Undef, err
	case f != nil:
		return m.swap(ctx, root, f)
	}
	actors, err := bundle.VersionFor(u.Version)
	if err != nil {
		return cid.Undef, err
	}
	if before, err := bundle.VersionFor(from); err != nil || before+1 != actors {
		return cid.Undef, fmt.Errorf("%w: from network version %d to %d at once", ErrUnknown, from, u.Version)
	}
	name, err := m.bundleAt(ctx, u, actors, root)
	if err != nil {
		return cid.Undef, err
	}
	b, err := m.bundles.Load(ctx, actors, name, m.store)
	if err != nil {
		return cid.Undef, err
	}
	if actors == 19 {
		same, err := m.isVersion18(ctx, b)
		if err != nil {
			return cid.Undef, err
		}
		if same {
			return m.swap(ctx, root, b)
		}
	}
	return m.step(ctx, step{upgrade: u, actors: actors, manifest: b.ManifestCID}, root)
}

// isVersion18 tells whether a bundle has the code of the network's version 18.
func (m *Migrator) isVersion18(ctx context.Context, b *bundle.Bundle) (bool, error) {
	old, err := m.bundles.Load(ctx, 18, m.network.Actors, m.store)
	if err != nil {
		return false, fmt.Errorf("version 18, to compare with: %w", err)
	}
	return slices.EqualFunc(old.Actors, b.Actors, func(x, y bundle.Actor) bool { return x.Name == y.Name && x.Code.Equals(y.Code) }), nil
}

// step is a migration of go-state-types.
type step struct {
	upgrade  network.Upgrade
	actors   int // the version of the actors after it
	manifest cid.Cid
}

// treeVersions are the versions of the state tree before and after a migration to a version of the actors (FIP-0048).
func treeVersions(actors int) (before, after uint64) {
	switch {
	case actors < 10:
		return 4, 4
	case actors == 10:
		return 4, 5
	}
	return 5, 5
}

func (m *Migrator) step(ctx context.Context, s step, root cid.Cid) (cid.Cid, error) {
	data, err := m.store.Get(ctx, root)
	if err != nil {
		return cid.Undef, fmt.Errorf("the state root: %w", err)
	}
	r := cbor.NewReader(data.RawData())
	r.Tuple(3)
	version, actorsIn, info := r.Uint(), r.CID(), r.CID()
	if err := r.End(); err != nil {
		return cid.Undef, fmt.Errorf("the state root %s: %w", root, err)
	}
	before, after := treeVersions(s.actors)
	if version != before {
		return cid.Undef, fmt.Errorf("the state root %s has version %d, but actors of version %d follow version %d", root, version, s.actors, before)
	}
	actorsOut, err := m.run(ctx, s, actorsIn)
	if err != nil {
		return cid.Undef, fmt.Errorf("migrating to actors of version %d: %w", s.actors, err)
	}
	out := cbor.AppendUint(cbor.AppendArray(nil, 3), after)
	out = cbor.AppendCID(cbor.AppendCID(out, actorsOut), info)
	return put(ctx, m.store, out)
}

func (m *Migrator) run(ctx context.Context, s step, root cid.Cid) (cid.Cid, error) {
	run, ok := runs[s.actors]
	if !ok {
		return cid.Undef, ErrUnknown
	}
	return run(ctx, &task{
		Migrator: m, step: s, root: root, store: ipldcbor.NewCborStore(m.store), cache: gmigration.NewMemMigrationCache(),
		config: m.config(),
	})
}

// config is what migrations of go-state-types take.
//
// Quirk: those to versions 13 and 15 take their upgrades' heights from the build, not from the schedule. Deals that ended before the first
// keep no sector, and from the second on pledges change.
func (m *Migrator) config() gmigration.Config {
	return gmigration.Config{MaxWorkers: uint(m.o.Workers), JobQueueSize: 1000, ResultQueueSize: 100, ProgressLogPeriod: m.o.Every, UpgradeEpoch: m.network.Constants.Dragon}
}

// Log is what go-state-types asks of a logger.
func (m *Migrator) Log(level rt.LogLevel, msg string, args ...interface{}) {
	if m.o.Log != nil && level >= rt.INFO {
		m.o.Log(fmt.Sprintf(msg, args...))
	}
}
