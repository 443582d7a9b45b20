package migrate

import (
	"context"
	"fmt"

	v10 "github.com/filecoin-project/go-state-types/builtin/v10/migration"
	v11 "github.com/filecoin-project/go-state-types/builtin/v11/migration"
	v12 "github.com/filecoin-project/go-state-types/builtin/v12/migration"
	v13 "github.com/filecoin-project/go-state-types/builtin/v13/migration"
	v14 "github.com/filecoin-project/go-state-types/builtin/v14/migration"
	v15 "github.com/filecoin-project/go-state-types/builtin/v15/migration"
	v16 "github.com/filecoin-project/go-state-types/builtin/v16/migration"
	v17 "github.com/filecoin-project/go-state-types/builtin/v17/migration"
	v18 "github.com/filecoin-project/go-state-types/builtin/v18/migration"
	v19 "github.com/filecoin-project/go-state-types/builtin/v19/migration"
	v9 "github.com/filecoin-project/go-state-types/builtin/v9/migration"
	gmigration "github.com/filecoin-project/go-state-types/migration"
	"github.com/ipfs/go-cid"
	ipldcbor "github.com/ipfs/go-ipld-cbor"
)

// task is a migration with what it needs.
type task struct {
	*Migrator
	step
	root   cid.Cid // of the actors' HAMT
	store  ipldcbor.IpldStore
	cache  *gmigration.MemMigrationCache
	config gmigration.Config
}

// runs are the migrations of go-state-types, by the version of the actors after them.
var runs = map[int]func(context.Context, *task) (cid.Cid, error){
	9: func(ctx context.Context, t *task) (cid.Cid, error) {
		c := v9.Config{MaxWorkers: t.config.MaxWorkers, JobQueueSize: t.config.JobQueueSize, ResultQueueSize: t.config.ResultQueueSize, ProgressLogPeriod: t.config.ProgressLogPeriod}
		return v9.MigrateStateTree(ctx, t.store, t.manifest, t.root, t.upgrade.Height, c, t, t.cache)
	},
	10: usual(v10.MigrateStateTree),
	11: usual(v11.MigrateStateTree),
	12: usual(v12.MigrateStateTree),
	13: usual(v13.MigrateStateTree),
	14: usual(v14.MigrateStateTree),
	15: func(ctx context.Context, t *task) (cid.Cid, error) {
		start, duration := int64(t.network.Constants.Tuktuk), t.network.Constants.TuktukPowerRampDuration
		return v15.MigrateStateTree(ctx, t.store, t.manifest, t.root, t.upgrade.Height, start, duration, t.config, t, t.cache)
	},
	16: usual(v16.MigrateStateTree),
	17: usual(v17.MigrateStateTree),
	18: usual(v18.MigrateStateTree),
	19: func(ctx context.Context, t *task) (cid.Cid, error) {
		if t.o.Reward == nil {
			return cid.Undef, fmt.Errorf("%w: the bundle v19/%s is not that of Lotus v1.36.3, which has the code of version 18. "+
				"Its actors have the states of FIP-0118, and migrating to them takes a configuration of rewards that no node's release has yet; "+
				"remove the bundle to follow a chain of Lotus v1.36.3 (edgefvm bundle remove v19/%s)", ErrUnknown, t.network.Actors, t.network.Actors)
		}
		return v19.MigrateStateTree(ctx, t.store, t.manifest, t.root, t.upgrade.Height, *t.o.Reward, t.config, t, t.cache)
	},
}

type migration = func(context.Context, ipldcbor.IpldStore, cid.Cid, cid.Cid, epoch, gmigration.Config, gmigration.Logger, gmigration.MigrationCache) (cid.Cid, error)

func usual(run migration) func(context.Context, *task) (cid.Cid, error) {
	return func(ctx context.Context, t *task) (cid.Cid, error) {
		return run(ctx, t.store, t.manifest, t.root, t.upgrade.Height, t.config, t, t.cache)
	}
}
