package replay

import (
	"context"
	"slices"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	stnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// soon is how many epochs before an upgrade the actors that it brings are loaded. They take some 70 MB.
const soon = 60

// firstActors are those of a chain's first epoch that come last there: they are loaded while the others run.
var firstActors = []string{"storageminer", "storagemarket", "init", "account"}

// preloading loads actors' code ahead, beside the tipsets, for replays with several workers. What cannot be loaded is left to who needs it,
// who says why.
type preloading struct {
	running sync.WaitGroup
	ctx     context.Context // of what is being loaded; it ends with the replay
	cancel  context.CancelFunc
	begun   abi.ChainEpoch // height of the last upgrade that was begun
}

// preload begins to load what a tipset or those soon after it need and those before it did not.
func (r *run) preload(ctx context.Context, t *chain.Tipset) {
	p := &r.loading
	if r.Workers < 2 {
		return
	}
	if p.cancel == nil {
		p.ctx, p.cancel = context.WithCancel(ctx)
		p.begun = -1
		p.running.Go(func() { r.loadFirst(p.ctx, t) })
	}
	for _, u := range r.rules.Network.Upgrades {
		if u.Migrates && u.Height > p.begun && u.Height >= t.Height()-1 && u.Height < t.Height()+soon && u.Height < r.report.Last {
			p.begun = u.Height
			p.running.Go(func() { r.loadNext(p.ctx, t, u) })
			return
		}
	}
}

// end waits until nothing is being loaded.
func (p *preloading) end() {
	if p.cancel != nil {
		p.cancel()
		p.running.Wait()
	}
}

// loadFirst loads actors of the first tipset's state.
func (r *run) loadFirst(ctx context.Context, t *chain.Tipset) {
	st, err := tree.Load(ctx, r.state, t.ParentStateRoot())
	if err != nil {
		return
	}
	codes, err := st.Codes(ctx)
	if err != nil {
		return
	}
	byName := map[string]cid.Cid{}
	for _, c := range codes {
		if name, err := st.Name(ctx, c); err == nil {
			byName[name] = c
		}
	}
	for _, name := range firstActors {
		if c, ok := byName[name]; ok {
			r.load(ctx, r.state, r.rules.Network.VersionAt(t.Height()), c)
		}
	}
}

// loadNext loads the actors that an upgrade brings, those that are loaded now of the version before.
func (r *run) loadNext(ctx context.Context, t *chain.Tipset, u network.Upgrade) {
	st, err := tree.Load(ctx, r.state, t.ParentStateRoot())
	if err != nil {
		return
	}
	codes, err := st.Codes(ctx)
	if err != nil {
		return
	}
	var names []string
	for _, c := range r.Engines[0].Loaded(codes...) {
		if name, err := st.Name(ctx, c); err == nil {
			names = append(names, name)
		}
	}
	version, actors, err := r.rules.Network.Bundle(u.Version)
	if err != nil {
		return
	}
	set, err := r.bundles(ctx)
	if err != nil {
		return
	}
	store := blockstore.NewMemory()
	b, err := set.Load(ctx, version, actors, store)
	if err != nil {
		return
	}
	for _, a := range b.Actors {
		if slices.Contains(names, a.Name) {
			r.load(ctx, store, u.Version, a.Code)
		}
	}
}

func (r *run) load(ctx context.Context, from blockstore.Blockstore, v stnetwork.Version, code cid.Cid) {
	for _, e := range r.Engines {
		if ctx.Err() != nil {
			return
		}
		_ = e.Preload(ctx, from, v, 1, code)
	}
}
