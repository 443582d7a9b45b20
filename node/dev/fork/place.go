package fork

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/remote"
)

// identify finds the node's network by its genesis.
func (s *Source) identify(ctx context.Context) error {
	if s.o.Offline {
		p := s.o.Disk.pointOf(s.name, func(*point) bool { return true })
		if p == nil {
			return fmt.Errorf("%w: %s was never forked with this cache, so there is nothing to go on from offline", ErrFork, s.name)
		}
		return s.named(ctx, p.Genesis, p.GenesisTime, "")
	}
	said, err := s.o.Node.ChainGetGenesis(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", remote.ErrNode, err)
	}
	if len(said.Blocks) != 1 {
		return fmt.Errorf("%w: the genesis of the node has %d blocks", ErrFork, len(said.Blocks))
	}
	g, err := s.headers.Tipset(ctx, said.Blocks...)
	if err != nil {
		return fmt.Errorf("the genesis of the node: %w", err)
	}
	if g.Height() != 0 {
		return fmt.Errorf("%w: the genesis of the node is at epoch %d", ErrFork, g.Height())
	}
	name, err := s.o.Node.StateNetworkName(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", remote.ErrNode, err)
	}
	if err := s.named(ctx, g.CIDs[0], g.Timestamp(), name); err != nil {
		return err
	}
	if err := s.compare(ctx); err != nil {
		return err
	}
	s.genesis = g
	return s.reserve(ctx, g)
}

// named is the network with a genesis.
func (s *Source) named(_ context.Context, genesis cid.Cid, time uint64, name string) error {
	n := s.o.Network
	switch {
	case n == nil:
		known, ok := network.ByGenesis(genesis)
		if !ok {
			return fmt.Errorf("%w: the genesis %s, of the network that the node calls %q, is of no known one: name it with --network, by name or by the file that describes it", ErrFork, genesis, name)
		}
		n = known
	case n.Genesis.Defined() && !n.Genesis.Equals(genesis):
		return fmt.Errorf("%w: the genesis of the node is %s, but that of network %s is %s", ErrFork, genesis, n.Name, n.Genesis)
	case n.GenesisTime != 0 && n.GenesisTime != time:
		return fmt.Errorf("%w: the genesis of the node is of time %d, but that of network %s of %d", ErrFork, time, n.Name, n.GenesisTime)
	}
	s.network = n.WithGenesis(genesis, time)
	return nil
}

// compare compares what a node says of its network with the description, where it says so.
func (s *Source) compare(ctx context.Context) error {
	p, err := s.o.Node.StateGetNetworkParams(ctx)
	n := s.network
	var said *lotusrpc.NodeError
	switch {
	case errors.As(err, &said) || errors.Is(err, lotusrpc.ErrAnswer):
		return nil // some nodes do not know the question
	case err != nil:
		return fmt.Errorf("%w: %w", remote.ErrNode, err)
	case p.BlockDelaySecs != 0 && p.BlockDelaySecs != n.BlockDelay:
		return fmt.Errorf("%w: epochs of the node last %d s, those of network %s %d s", ErrFork, p.BlockDelaySecs, n.Name, n.BlockDelay)
	case p.Eip155ChainID != 0 && p.Eip155ChainID != n.ChainID:
		return fmt.Errorf("%w: the chain ID of the node is %d, that of network %s %d", ErrFork, p.Eip155ChainID, n.Name, n.ChainID)
	}
	return nil
}

func (s *Source) placeAtNode(ctx context.Context, where Where) (t, child *chain.Tipset, err error) {
	said, err := s.o.Node.ChainHead(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", remote.ErrNode, err)
	}
	head, err := s.headers.Tipset(ctx, said.Blocks...)
	if err != nil {
		return nil, nil, fmt.Errorf("the head of the node: %w", err)
	}
	if head.Height() == 0 {
		return nil, nil, fmt.Errorf("%w: the chain of the node has nothing but its genesis", ErrFork)
	}
	switch {
	case len(where.Tipset) > 0:
		if p := s.o.Disk.pointOf(s.name, func(p *point) bool { return chain.NewKey(p.Tipset...) == chain.NewKey(where.Tipset...) }); p != nil {
			return s.pair(ctx, p.Tipset, p.Child) // a tipset that was forked is forked again, even if the node has left it
		}
		if t, err = s.headers.Tipset(ctx, where.Tipset...); err != nil {
			return nil, nil, err
		}
		if child, err = s.upon(ctx, head, t.Height()); err != nil {
			return nil, nil, err
		}
		if child.Parents() != t.Key() {
			return nil, nil, fmt.Errorf("%w: the tipset %s, at epoch %d, is not on the chain of the node any more", ErrFork, t.Key(), t.Height())
		}
	case where.Epoch != nil:
		if child, err = s.upon(ctx, head, *where.Epoch); err != nil {
			return nil, nil, err
		}
	default:
		child = head
	}
	if t, err = s.headers.Parent(ctx, child); err != nil {
		return nil, nil, err
	}
	g := s.network
	return t, child, s.o.Disk.note(note{Point: &point{s.name, t.Height(), t.CIDs, child.CIDs, g.Genesis, g.GenesisTime}})
}

// upon is the tipset above an epoch, of the chain that ends with a head.
func (s *Source) upon(ctx context.Context, head *chain.Tipset, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	if err := belowHead(epoch, head); err != nil {
		return nil, err
	}
	w := walk{s: s, top: head}
	return w.from(ctx, epoch+1)
}

// belowHead refuses what the head does not say the state of.
func belowHead(epoch abi.ChainEpoch, head *chain.Tipset) error {
	switch {
	case epoch < 0:
		return fmt.Errorf("%w: epoch %d is negative", ErrFork, epoch)
	case epoch >= head.Height():
		return fmt.Errorf("%w: the chain's head is at epoch %d, and the state after a tipset stands in the one upon it: %d is the newest epoch that can be forked", ErrFork, head.Height(), head.Height()-1)
	}
	return nil
}

func (s *Source) pair(ctx context.Context, tipset, child []cid.Cid) (t, c *chain.Tipset, err error) {
	if t, err = s.headers.Tipset(ctx, tipset...); err == nil {
		c, err = s.headers.Tipset(ctx, child...)
	}
	return t, c, err
}

func (s *Source) placeOffline(ctx context.Context, where Where) (t, child *chain.Tipset, err error) {
	p := s.o.Disk.pointOf(s.name, func(p *point) bool {
		switch {
		case len(where.Tipset) > 0:
			return chain.NewKey(p.Tipset...) == chain.NewKey(where.Tipset...)
		case where.Epoch != nil: // a null round stands for the tipset below
			return p.Epoch <= *where.Epoch
		}
		return true
	})
	if p == nil {
		return nil, nil, fmt.Errorf("%w: %s was not forked there with this cache: offline, only places that were forked before can be", ErrFork, s.name)
	}
	if t, child, err = s.pair(ctx, p.Tipset, p.Child); err != nil {
		return nil, nil, err
	}
	if where.Epoch != nil && child.Height() <= *where.Epoch {
		return nil, nil, fmt.Errorf("%w: %s was forked at epoch %d with this cache, and not at %d", ErrFork, s.name, t.Height(), *where.Epoch)
	}
	return t, child, nil
}

func (s *Source) placeInArchive(ctx context.Context, where Where) (t, child *chain.Tipset, err error) {
	s.replaying.Lock()
	defer s.replaying.Unlock()
	line := s.archive.Line()
	head := line.Head()
	switch {
	case head.Height() == 0:
		return nil, nil, fmt.Errorf("%w: the chain of %s has nothing but its genesis", ErrFork, s.name)
	case len(where.Tipset) > 0:
		if t, err = s.headers.Tipset(ctx, where.Tipset...); err != nil {
			return nil, nil, err
		}
		if err := belowHead(t.Height(), head); err != nil {
			return nil, nil, err
		}
		child, err = line.At(ctx, t.Height()+1)
	case where.Epoch != nil:
		if err := belowHead(*where.Epoch, head); err != nil {
			return nil, nil, err
		}
		child, err = line.At(ctx, *where.Epoch+1)
	default:
		child = head
	}
	if err != nil {
		return nil, nil, err
	}
	if t, err = s.headers.Parent(ctx, child); err != nil {
		return nil, nil, err
	}
	if err := s.archive.Reach(ctx, child); err != nil {
		return nil, nil, fmt.Errorf("the state after epoch %d: %w", t.Height(), err)
	}
	return t, child, nil
}
