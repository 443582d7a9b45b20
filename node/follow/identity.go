package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
)

// kept is what a folder is of.
type kept struct {
	Network string         `json:"network"`
	Genesis string         `json:"genesis"`
	From    abi.ChainEpoch `json:"from_epoch"` // -1: not known yet
}

const keptFile = "follow.json"

func (f *Follower) kept() (*kept, error) {
	data, err := os.ReadFile(filepath.Join(f.o.Dir, keptFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k := &kept{From: -1}
	if err := json.Unmarshal(data, k); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(f.o.Dir, keptFile), err)
	}
	return k, nil
}

func (f *Follower) keep() error {
	k := kept{f.network.Name, f.network.Genesis.String(), f.start}
	return wholefile.Write(filepath.Join(f.o.Dir, keptFile), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(k)
	})
}

// identify finds the node's network by its genesis, and compares it with the folder's.
func (f *Follower) identify(ctx context.Context) error {
	g, err := f.genesis(ctx)
	if err != nil {
		return err
	}
	block := g.CIDs[0]
	// Only said, never relied on: gateways leave methods out.
	name, err := f.o.Node.StateNetworkName(ctx)
	var said *lotusrpc.NodeError
	if err != nil && !(errors.As(err, &said) && said.Code == lotusrpc.CodeMethodNotFound) {
		return fmt.Errorf("%w: %w", errNode, err)
	}
	n := f.o.Network
	switch {
	case n == nil:
		known, ok := network.ByGenesis(block)
		if !ok {
			known, ok = f.told(ctx)
		}
		if !ok {
			return fmt.Errorf("%w: the node's, %q, has the genesis %s, which is of no known one: name it with --network, by name or by the file that describes it", ErrIdentity, name, block)
		}
		n = known
	case n.Genesis.Defined() && !n.Genesis.Equals(block):
		return fmt.Errorf("%w: the node's genesis is %s, that of %q, but that of network %s is %s", ErrIdentity, block, name, n.Name, n.Genesis)
	case n.GenesisTime != 0 && n.GenesisTime != g.Timestamp():
		return fmt.Errorf("%w: the node's genesis is of time %d, but that of network %s of %d", ErrIdentity, g.Timestamp(), n.Name, n.GenesisTime)
	}
	if err := f.compare(ctx, n); err != nil {
		return err
	}
	version, err := f.o.Node.Version(ctx)
	if err != nil {
		version = ""
	}
	f.network = n.WithGenesis(block, g.Timestamp())
	if err := f.ownFolder(); err != nil {
		return err
	}
	f.reserve(ctx, g)
	f.state.set(func(s *Status) {
		s.Connected, s.Error, s.NodeSays, s.Network, s.Genesis = true, "", version, f.network.Name, block.String()
	})
	f.log.Info("following", "node", f.o.Node.Address().String(), "version", version, "network", f.network.Name, "network_name", name, "genesis", block.String())
	return nil
}

// told is the network as the node itself describes it, which only development nodes of EdgeFVM do.
func (f *Follower) told(ctx context.Context) (*network.Network, bool) {
	var file json.RawMessage
	if err := f.o.Node.Call(ctx, &file, "fvm_network"); err != nil {
		return nil, false
	}
	n, err := network.Decode(bytes.NewReader(file))
	return n, err == nil
}

// genesis is the node's, by its own bytes.
func (f *Follower) genesis(ctx context.Context) (*chain.Tipset, error) {
	said, err := f.o.Node.ChainGetGenesis(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNode, err)
	}
	if len(said.Blocks) != 1 {
		return nil, fmt.Errorf("%w: the node's genesis has %d blocks", ErrIdentity, len(said.Blocks))
	}
	g, err := f.headers.Tipset(ctx, said.Blocks...)
	if err != nil {
		return nil, fmt.Errorf("the node's genesis: %w", err)
	}
	if g.Height() != 0 {
		return nil, fmt.Errorf("%w: the node's genesis is at epoch %d", ErrIdentity, g.Height())
	}
	return g, nil
}

// compare compares what a node says of its network with the description, where it says so.
func (f *Follower) compare(ctx context.Context, n *network.Network) error {
	p, err := f.o.Node.StateGetNetworkParams(ctx)
	if err != nil {
		var said *lotusrpc.NodeError
		if errors.As(err, &said) || errors.Is(err, lotusrpc.ErrAnswer) {
			return nil // some nodes do not know the question
		}
		return fmt.Errorf("%w: %w", errNode, err)
	}
	switch {
	case p.BlockDelaySecs != 0 && p.BlockDelaySecs != n.BlockDelay:
		return fmt.Errorf("%w: the node's epochs last %d s, those of network %s %d s", ErrIdentity, p.BlockDelaySecs, n.Name, n.BlockDelay)
	case p.Eip155ChainID != 0 && p.Eip155ChainID != n.ChainID:
		return fmt.Errorf("%w: the node's chain ID is %d, that of network %s %d", ErrIdentity, p.Eip155ChainID, n.Name, n.ChainID)
	}
	return nil
}

// ownFolder checks that the folder is of this network, and finds where to go on.
func (f *Follower) ownFolder() error {
	was, err := f.kept()
	if err != nil {
		return err
	}
	if was != nil && was.Genesis != f.network.Genesis.String() {
		return fmt.Errorf("%w: the folder %s is of network %s with the genesis %s, but the node's is %s: take another folder", ErrIdentity, f.o.Dir, was.Network, was.Genesis, f.network.Genesis)
	}
	if was != nil {
		f.start = was.From
	}
	if f.o.From > 0 && f.o.From != f.start {
		if oldest, _, _ := fvm.NetworkVersions(); f.network.VersionAt(f.o.From) < oldest {
			return fmt.Errorf("epoch %d has network version %d: machines run %d and later", f.o.From, f.network.VersionAt(f.o.From), oldest)
		}
		if err := f.beginAt(f.o.From); err != nil {
			return err
		}
	}
	return f.keep()
}

// beginAt makes an epoch the first that is judged.
func (f *Follower) beginAt(epoch abi.ChainEpoch) error {
	f.start = epoch
	f.state.set(func(s *Status) {
		f.judged = epoch - 1
		s.Lag = f.lag(s)
	})
	if err := f.journal.reset(epoch - 1); err != nil {
		return err
	}
	return f.keep()
}

// reserve reads what the supply of the first epochs depends on, where a network has such.
func (f *Follower) reserve(ctx context.Context, g *chain.Tipset) {
	c := &f.network.Constants
	if oldest, _, _ := fvm.NetworkVersions(); c.Assembly <= 0 || f.network.VersionAt(c.Assembly) < oldest {
		return
	}
	st, err := tree.Load(ctx, f.fetch, g.ParentStateRoot())
	if err == nil {
		f.pledge, err = supply.GenesisPledge(ctx, st)
	}
	if err != nil { // tipsets that need it will say so
		f.log.Warn("the genesis state cannot be read", "error", err.Error())
	}
}
