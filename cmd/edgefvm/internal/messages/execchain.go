package messages

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/vector"
)

// onChain tells whether the message runs in the tipset whose headers the archive has.
func (s *setting) onChain(state *execState) bool {
	return state.head != nil && s.net.is != nil && s.epoch.is == abi.ChainEpoch(state.head.Epoch)
}

// readChain makes the archive's own chain answer what the flags do not: randomness, tipsets, faults.
func (o *outside) readChain(ctx context.Context, s *setting, state *execState, store blockstore.Blockstore) error {
	c := chain.NewStore(state.files)
	t, err := c.Tipset(ctx, state.head.Blocks...)
	if err != nil {
		return fmt.Errorf("the archive's headers: %w", err)
	}
	n := s.chainNetwork(state.head)
	if state.place != nil {
		n = state.place.network
	}
	o.chain = &chain.Externs{View: chain.NewLine(c, t).View(t), Network: n, State: store, Epoch: s.epoch.is, Root: state.root}
	return nil
}

// chainNetwork is the network with the time of the genesis, which a header tells where the network does not.
func (s *setting) chainNetwork(h *kit.Head) *network.Network {
	n := s.net.is
	if back := uint64(h.Epoch) * n.BlockDelay; n.GenesisTime == 0 && h.Timestamp > back {
		return n.WithGenesis(cid.Undef, h.Timestamp-back)
	}
	return n
}

// circSupply is the circulating supply as the network's nodes compute it from a state. ok is false if the state lacks what it takes,
// or if it takes the genesis' state too.
func (s *setting) circSupply(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (amount abi.TokenAmount, ok bool) {
	if s.epoch.is <= s.net.is.Constants.Assembly {
		return amount, false
	}
	st, err := tree.Load(ctx, store, root)
	if err != nil {
		return amount, false
	}
	p, err := supply.Rules{Network: s.net.is, GenesisPledge: big.Zero()}.At(ctx, s.epoch.is, st)
	return p.Circulating, err == nil
}

// fromChain asks the archive's chain, if it has one. A chain that lacks blocks knows nothing, and why is then said.
func fromChain[T any](o *outside, ask func(externs.Externs) (T, error)) (v T, known bool, err error) {
	if o.chain == nil {
		return v, false, nil
	}
	v, err = ask(o.chain)
	if errors.Is(err, externs.ErrNodeFailure) {
		return v, false, fmt.Errorf(" (the archive's chain: %w)", err)
	}
	return v, true, err
}

// judgeFault asks the archive's chain about a consensus fault, and notes what it says.
func (o *outside) judgeFault(ctx context.Context, h1, h2, extra []byte) (f *externs.ConsensusFault, known bool, err error) {
	f, known, err = fromChain(o, func(c externs.Externs) (*externs.ConsensusFault, error) {
		return c.VerifyConsensusFault(ctx, h1, h2, extra)
	})
	switch {
	case !known:
	case err != nil:
		o.asked.Faults = append(o.asked.Faults, vector.Fault{H1: h1, H2: h2, Extra: extra, Error: err.Error()})
	case f != nil:
		o.asked.Faults = append(o.asked.Faults, vector.Fault{H1: h1, H2: h2, Extra: extra, Target: f.Target, Epoch: f.Epoch, Type: f.Type})
	}
	return f, known, err
}
