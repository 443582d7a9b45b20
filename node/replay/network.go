package replay

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/migrate"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// farFromGenesis is a height from which on the way back to the genesis takes so long that nobody goes it without need.
const farFromGenesis = 20_000

// findNetwork learns of which network the chain is: by its genesis, or high above that by the name in the state and the time of the
// head's epoch.
func (r *run) findNetwork(ctx context.Context) error {
	head := r.line.Head()
	if n := r.Network; n != nil && n.GenesisTime != 0 && head.Height() >= farFromGenesis {
		if err := r.onTime(n); err != nil {
			return err
		}
		r.rules.Network = n
		return nil
	}
	if r.Network == nil && head.Height() >= farFromGenesis {
		if n := r.byState(ctx); n != nil {
			r.rules.Network = n
			return nil
		}
	}
	genesis, err := r.genesis(ctx)
	if err != nil {
		return fmt.Errorf("the chain's genesis, which tells the network: %w", err)
	}
	block := genesis.CIDs[0]
	r.report.Genesis = block.String()
	n := r.Network
	switch {
	case n == nil:
		known, ok := network.ByGenesis(block)
		if !ok {
			return fmt.Errorf("the genesis %s is of no known network: name one with --network, by name or by the file that describes it", block)
		}
		n = known
	case n.Genesis.Defined() && !n.Genesis.Equals(block):
		return fmt.Errorf("the chain's genesis is %s, but that of network %s is %s", block, n.Name, n.Genesis)
	case n.GenesisTime != 0 && n.GenesisTime != genesis.Timestamp():
		return fmt.Errorf("the chain's genesis is of time %d, but that of network %s of %d", genesis.Timestamp(), n.Name, n.GenesisTime)
	}
	r.rules.Network = n.WithGenesis(block, genesis.Timestamp())
	if st, err := tree.Load(ctx, r.state, genesis.ParentStateRoot()); err == nil {
		if r.rules.GenesisPledge, err = supply.GenesisPledge(ctx, st); err != nil {
			return fmt.Errorf("the genesis state: %w", err)
		}
		r.hintActors(ctx, st)
	}
	return nil
}

// hintActors notes when the genesis state runs on another network's actors than the network's description has.
func (r *run) hintActors(ctx context.Context, st *tree.Tree) {
	list, err := st.Builtin(ctx)
	if err != nil {
		return
	}
	n := r.rules.Network
	if _, of, ok := strings.Cut(bundle.NameOf(list), "/"); ok && of != n.Actors {
		r.report.Notes = append(r.report.Notes, fmt.Sprintf("the genesis has the actors of %s, but network %s those of %s: is it the right one?", of, n.Name, n.Actors))
	}
}

// onTime checks that the head's time is that of its epoch on a network.
func (r *run) onTime(n *network.Network) error {
	head := r.line.Head()
	want, err := n.TimestampAt(head.Height())
	if err != nil {
		return err
	}
	if head.Timestamp() != want {
		return fmt.Errorf("the head, at epoch %d, is of time %d, but on network %s that epoch is at %d", head.Height(), head.Timestamp(), n.Name, want)
	}
	return nil
}

// byState is the network that the state before the head names, if it is a known one and the time fits.
func (r *run) byState(ctx context.Context) *network.Network {
	st, err := tree.Load(ctx, r.state, r.line.Head().ParentStateRoot())
	if err != nil {
		return nil
	}
	name, err := st.Network(ctx)
	if err != nil {
		return nil
	}
	n, ok := network.ByName(name)
	if !ok || n.GenesisTime == 0 || r.onTime(n) != nil {
		return nil
	}
	r.report.Notes = append(r.report.Notes, fmt.Sprintf("the network is %s by the name in the state and the time of the head; the genesis was not read", n.Name))
	return n
}

// genesis walks back to it.
func (r *run) genesis(ctx context.Context) (*chain.Tipset, error) {
	err := r.line.Extend(ctx, 0, func(at abi.ChainEpoch) { r.tell(fmt.Sprintf("reading headers, at epoch %d", at)) })
	if err != nil {
		return nil, err
	}
	t, err := r.line.At(ctx, 0)
	if err != nil {
		return nil, err
	}
	if len(t.CIDs) != 1 {
		return nil, fmt.Errorf("%d blocks at epoch 0", len(t.CIDs))
	}
	return t, nil
}

// prepare makes what needs the network.
func (r *run) prepare() {
	n := r.rules.Network
	r.report.Network = n.Name
	r.rules.State = r.state
	r.state.code = r.actors()
	r.rules.Migrate = func(ctx context.Context, u network.Upgrade, root cid.Cid) (cid.Cid, error) {
		set, err := r.bundles(ctx)
		if err != nil {
			return cid.Undef, fmt.Errorf("the actors that it brings: %w", err)
		}
		r.tell(fmt.Sprintf("migrating to network version %d", u.Version))
		say := func(s string) { r.tell(fmt.Sprintf("migrating to network version %d: %s", u.Version, s)) }
		to := newLasting(r.state)
		next, err := migrate.New(n, set, to, migrate.Options{Workers: max(r.Workers, 1), Log: say}).Migrate(ctx, u, root)
		if err != nil {
			return cid.Undef, err
		}
		return next, to.flush(ctx)
	}
}

// actors is a function that opens the first state's actors once.
func (r *run) actors() func(context.Context) (blockstore.Blockstore, error) {
	var once sync.Once
	var store blockstore.Blockstore
	var err error
	return func(ctx context.Context) (blockstore.Blockstore, error) {
		once.Do(func() {
			version, name, verr := r.rules.Network.Bundle(r.rules.Network.VersionAt(r.began))
			if err = verr; err != nil {
				return
			}
			var set *bundle.Set
			if set, err = r.bundles(ctx); err == nil {
				store, err = set.Store(ctx, version, name)
			}
		})
		return store, err
	}
}

func (r *run) bundles(ctx context.Context) (*bundle.Set, error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.Bundles == nil {
		set, err := bundle.Open(ctx, bundle.Options{})
		if err != nil {
			return nil, err
		}
		r.Bundles = set
	}
	return r.Bundles, nil
}

func (r *run) engines(ctx context.Context) error {
	if len(r.Engines) == 0 {
		e, err := fvm.NewEngine(fvm.EngineConfig{})
		if err != nil {
			return err
		}
		r.Engines, r.made = []*fvm.Engine{e}, []*fvm.Engine{e}
	}
	for _, e := range r.Engines {
		r.report.Engines = append(r.report.Engines, e.Name())
	}
	return nil
}

// forgetActors frees the compiled code of the actors that an upgrade before a tipset replaced. Compiled bundles take some 70 MB each.
func (r *run) forgetActors(ctx context.Context, p *chain.Plan) {
	if !slices.ContainsFunc(p.Rounds, func(at chain.Round) bool { return at.Migrated }) {
		return
	}
	before, err := r.codes(ctx, p.Tipset.ParentStateRoot())
	if err != nil {
		return // it only costs memory
	}
	now, err := r.codes(ctx, p.Own().Root)
	if err != nil {
		return
	}
	gone := slices.DeleteFunc(before, func(c cid.Cid) bool { return slices.Contains(now, c) })
	for _, e := range r.Engines {
		_ = e.Forget(ctx, gone...)
	}
}

func (r *run) codes(ctx context.Context, root cid.Cid) ([]cid.Cid, error) {
	st, err := tree.Load(ctx, r.state, root)
	if err != nil {
		return nil, err
	}
	return st.Codes(ctx)
}

func (r *run) closeEngines(ctx context.Context) {
	for _, e := range r.made {
		_ = e.Close(context.WithoutCancel(ctx))
	}
}
