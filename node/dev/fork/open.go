package fork

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/remote"
	"github.com/edgefvm/fvm/node/replay"
)

// Options say what is forked. Either Node and Disk are required, or Archive and Roots.
type Options struct {
	// Node is asked.
	Node *lotusrpc.Client
	// Disk keeps what it says. It is the caller's to close, after the Source.
	Disk *Disk
	// Offline asks nobody: Node's address tells what of the Disk is meant.
	Offline bool
	// Tries is how often the node is asked for a block. Default: 4, a second of pauses.
	Tries int

	// Archive holds the chain, and Roots are the archive's. Name of it, for people.
	Archive blockstore.Blockstore
	Roots   []cid.Cid
	Name    string
	// States takes states that the archive does not have. Default: memory.
	States blockstore.Blockstore
	// Progress hears how far they are. Default: nobody.
	Progress func(replay.Progress)

	// Network of the chain. Default: the known one with its genesis.
	Network *network.Network
	// Bundles has the actors' code, which is not fetched then. Default: bundle.Open's.
	Bundles *bundle.Set
	// Engine executes tipsets again. Default: one wazero engine shared by the process.
	Engine *fvm.Engine
	// Proofs judges proofs in them. Default: a message that needs a verdict is an error.
	Proofs externs.ProofVerifier

	// Accounts are given Balance, in attoFIL, in the state that is forked.
	Accounts []address.Address
	Balance  abi.TokenAmount
	// NoAhead fetches nothing ahead: for comparisons.
	NoAhead bool
}

// Source is a chain to fork from. It is safe for concurrent use.
type Source struct {
	o       Options
	name    string
	fetch   *remote.Fetcher // nil of an archive
	end     context.CancelFunc
	headers *chain.Store
	blocks  blockstore.Blockstore
	codes   codes
	// network and pledge are known after identify.
	network *network.Network
	pledge  abi.TokenAmount
	genesis *chain.Tipset // nil if it was not read
	near    abi.ChainEpoch

	touching sync.Mutex
	touched  map[address.Address]bool // their entries were fetched

	replaying sync.Mutex // of what belongs to one goroutine at a time
	archive   *replay.Chain
	single    *replay.Single
	made      *fvm.Engine // to close
}

// ErrFork is wrapped by errors about a place that cannot be forked.
var ErrFork = errors.New("cannot fork")

// Open begins to read a chain, and finds out of which network it is.
func Open(ctx context.Context, o Options) (*Source, error) {
	s := &Source{o: o, end: func() {}, near: near}
	if s.o.Bundles == nil {
		set, err := bundle.Open(ctx, bundle.Options{})
		if err == nil {
			s.o.Bundles = set
		}
	}
	if o.Archive != nil {
		return s, s.openArchive(ctx)
	}
	if o.Node == nil || o.Disk == nil {
		return nil, errors.New("a node to fork from, and a disk, are needed")
	}
	s.name = nameOf(o.Node.Address())
	with := remote.Options{Node: o.Node, Cache: o.Disk.cache, Tries: max(o.Tries, 0)}
	if with.Tries == 0 {
		with.Tries = 4
	}
	if o.Offline {
		with.Node = nil
	}
	s.fetch = remote.New(with)
	run, end := context.WithCancel(context.Background())
	s.end = end
	s.fetch.Start(run)
	s.codes.below = s.fetch
	s.blocks = &s.codes
	s.headers = chain.NewStore(ahead{s.fetch})
	if err := s.identify(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// nameOf is a node's address without its token.
func nameOf(a *lotusrpc.Address) string { return a.String() }

func (s *Source) openArchive(ctx context.Context) (err error) {
	s.name = s.o.Name
	if s.o.States == nil {
		s.o.States = blockstore.NewMemory()
	}
	o := replay.Options{
		Archive: s.o.Archive, Roots: s.o.Roots, Network: s.o.Network, Proofs: s.o.Proofs, Bundles: s.o.Bundles, Store: s.o.States, Progress: s.o.Progress,
	}
	if s.o.Engine != nil {
		o.Engines = []*fvm.Engine{s.o.Engine}
	}
	if s.archive, err = replay.Open(ctx, o); err != nil {
		return err
	}
	s.headers = s.archive.Headers()
	s.codes.below = certain{&blockstore.Overlay{Top: readOnly{s.o.States}, Base: s.o.Archive}, s.name}
	s.blocks = &s.codes
	n, _, err := s.archive.Network(ctx)
	if err != nil {
		return err
	}
	s.network = n
	return s.reserve(ctx, nil)
}

// reserve reads what the supply of the first epochs depends on, where a network has such, and which actors' code is at hand.
func (s *Source) reserve(ctx context.Context, genesis *chain.Tipset) error {
	oldest, _, _ := fvm.NetworkVersions()
	c := &s.network.Constants
	s.pledge = abi.NewTokenAmount(0)
	if c.Assembly <= 0 || s.network.VersionAt(c.Assembly) < oldest {
		return nil
	}
	if genesis == nil && s.archive != nil {
		t, err := s.archive.Line().At(ctx, 0)
		if err != nil {
			return nil //nolint:nilerr // states that need it say so
		}
		genesis = t
	}
	if genesis == nil {
		return nil
	}
	st, err := tree.Load(ctx, s.blocks, genesis.ParentStateRoot())
	if err != nil {
		return fmt.Errorf("the genesis state, on which the supply of the first epochs depends: %w", err)
	}
	s.pledge, err = supply.GenesisPledge(ctx, st)
	return err
}

// Network of the chain.
func (s *Source) Network() *network.Network { return s.network }

// Name is the node's address without its token, or the archive's name.
func (s *Source) Name() string { return s.name }

// Stats counts what was fetched; zero of an archive.
func (s *Source) Stats() remote.Stats {
	if s.fetch == nil {
		return remote.Stats{}
	}
	return s.fetch.Stats()
}

// Close ends what is at work. Forks that were made of it cannot read any more.
func (s *Source) Close() {
	s.end()
	if s.fetch != nil {
		s.fetch.Wait()
	}
	if s.archive != nil {
		s.archive.Close(context.Background())
	}
	if s.made != nil {
		_ = s.made.Close(context.Background())
	}
}

// Where says what to fork. The zero value is the newest tipset whose state is known.
type Where struct {
	// Epoch is forked, or the last tipset below it if it is a null round.
	Epoch *abi.ChainEpoch
	// Tipset is forked, if it is given.
	Tipset []cid.Cid
}

// At forks.
func (s *Source) At(ctx context.Context, where Where) (*dev.Fork, error) {
	t, child, err := s.place(ctx, where)
	if err != nil {
		return nil, err
	}
	f := &dev.Fork{
		URL: s.name, Network: s.network, Tipset: t, Root: child.ParentStateRoot(), Receipts: child.ParentReceipts(), NextBaseFee: child.BaseFee(),
		GenesisPledge: s.pledge, Blocks: s.blocks, Past: &past{s: s, tip: t, child: child, none: map[string]bool{}}, Begin: s.begin,
	}
	if err := s.codes.open(ctx, s.o.Bundles, s.network, t.Height()); err != nil {
		return nil, err
	}
	if s.fetch != nil {
		f.Stats = func() any { return s.Stats() }
		if !s.o.NoAhead && !s.o.Offline {
			f.Ahead, f.Touch = s.ahead, s.touch
			s.fund(ctx, f.Root)
		}
	}
	return f, nil
}

// place finds the tipset to fork, and the one upon it.
func (s *Source) place(ctx context.Context, where Where) (t, child *chain.Tipset, err error) {
	switch {
	case s.archive != nil:
		t, child, err = s.placeInArchive(ctx, where)
	case s.o.Offline:
		t, child, err = s.placeOffline(ctx, where)
	default:
		t, child, err = s.placeAtNode(ctx, where)
	}
	if err != nil {
		return nil, nil, err
	}
	if child.Parents() != t.Key() || child.Height() <= t.Height() {
		return nil, nil, fmt.Errorf("%w: the tipset at epoch %d does not stand on the one at epoch %d", ErrFork, child.Height(), t.Height())
	}
	return t, child, nil
}
