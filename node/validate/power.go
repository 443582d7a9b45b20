package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	fnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// Fields of the power actor's state, in the order of its list in all versions from 8 to 19. The list got longer in version 15: the
// table of claims is the last but one in all.
const (
	powerTotalQuality = 2  // TotalQualityAdjPower
	powerAboveMinimum = 10 // MinerAboveMinPowerCount
	powerClaimsBack   = 2  // Claims, counted from the end
	claimsBits        = 5
	claimRaw          = 1 // RawBytePower
	claimQuality      = 2 // QualityAdjPower
	minMiners         = 4 // with this many above the minimum nobody below it makes blocks
)

// claim is a miner's line in the power table.
type claim struct{ raw, quality big.Int }

// power is what the power actor has.
type power struct {
	fields *tree.Fields
	claims *collections.Map
}

func (b *Base) power(ctx context.Context, st *tree.Tree) (*power, error) {
	f, err := st.Fields(ctx, tree.Power)
	if err != nil {
		return nil, err
	}
	root, err := f.CID(f.Len() - powerClaimsBack)
	if err != nil {
		return nil, err
	}
	return &power{f, &collections.Map{Source: source(st), Root: root, Format: collections.HAMT, Bits: claimsBits}}, nil
}

func source(st *tree.Tree) collections.Source { return collections.Source{Load: st.Block} }

// claim is the power in a state, and a miner's claim in it; nil if it has none.
func (b *Base) claim(ctx context.Context, root cid.Cid, miner abi.ActorID) (*power, *claim, error) {
	st, err := b.at(ctx, root)
	if err != nil {
		return nil, nil, err
	}
	p, err := b.power(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.of(ctx, miner)
	return p, c, err
}

// of is a miner's claim; nil if it has none.
func (p *power) of(ctx context.Context, miner abi.ActorID) (*claim, error) {
	data, ok, err := p.claims.Get(ctx, addr.NewID(uint64(miner)).Bytes())
	if err != nil || !ok {
		return nil, malformed(err)
	}
	f, err := tree.ParseFields(data, fmt.Sprintf("the claim of f0%d", miner))
	if err != nil {
		return nil, err
	}
	c := new(claim)
	if c.raw, err = f.Amount(claimRaw); err != nil {
		return nil, err
	}
	c.quality, err = f.Amount(claimQuality)
	return c, err
}

// total is the power of all, which elections and weights are by.
func (p *power) total() (big.Int, error) { return p.fields.Amount(powerTotalQuality) }

// enough tells whether a claim is enough to make blocks.
func (p *power) enough(c *claim, least big.Int) (bool, error) {
	if c.raw.GreaterThanEqual(least) {
		return true, nil
	}
	above, err := p.fields.Int(powerAboveMinimum)
	return above < minMiners && c.raw.Sign() > 0, err
}

// findLookback finds the state that says who may make a block at the epoch, a finality below, and the one before the tipset it came of.
func (b *Base) findLookback(ctx context.Context, store *chain.Store) error {
	at := max(b.epoch-chain.Finality, 0)
	if at >= b.parent.Height() {
		if b.parent.Height() == 0 {
			b.lookback, b.qualified = b.parent.ParentStateRoot(), b.parent.ParentStateRoot() // a genesis comes with its state
			return nil
		}
		return brokenf("the state that says who may make it is that of epoch %d, but its parents are at %d", at, b.parent.Height())
	}
	next, err := b.line.View(b.parent).From(ctx, at+1)
	if err != nil {
		return gone(err)
	}
	last, err := store.Parent(ctx, next)
	if err != nil {
		return gone(err)
	}
	b.lookbackEpoch = last.Height()
	if v := b.rules.Network.VersionAt(last.Height()); v < fnetwork.Version16 {
		return absentf("at epoch %d, which says who may make blocks, the network had version %d", last.Height(), v)
	}
	b.lookback, b.qualified = next.ParentStateRoot(), last.ParentStateRoot()
	return nil
}

// chainWeight is the weight of the chain up to the parents, which the power before them makes (Filecoin specification, "Chain Weighting").
func (b *Base) chainWeight(ctx context.Context) (big.Int, error) {
	st, err := b.at(ctx, b.parent.ParentStateRoot())
	if err != nil {
		return big.Int{}, err
	}
	p, err := b.power(ctx, st)
	if err != nil {
		return big.Int{}, err
	}
	total, err := p.total()
	if err != nil {
		return big.Int{}, err
	}
	if total.Sign() <= 0 {
		return big.Int{}, brokenf("before its parents nobody has power")
	}
	const ratioNum, ratioDen, expected = 1, 2, 5 // half of the weight is by the wins, of which five are expected
	log := big.NewInt(int64(total.BitLen()-1) << 8)
	wins := int64(0)
	for _, h := range b.parent.Blocks {
		if h.ElectionProof != nil {
			wins += h.ElectionProof.WinCount
		}
	}
	byWins := big.Div(big.Mul(big.Mul(log, big.NewInt(ratioNum)), big.NewInt(wins)), big.NewInt(expected*ratioDen))
	return big.Sum(b.parent.Blocks[0].ParentWeight, log, byWins), nil
}

func (j *judge) parentWeight() error {
	if j.weightErr != nil {
		return j.weightErr
	}
	return differ("that of the chain is", j.weight.String(), j.h.ParentWeight.String())
}

// minerKey encodes a miner's address as randomness is drawn with it.
func minerKey(h *chain.Header) []byte {
	var b bytes.Buffer
	_ = h.Miner.MarshalCBOR(&b) // to memory
	return b.Bytes()
}

// malformed makes an error about a node that is none one of the state.
func malformed(err error) error {
	if errors.Is(err, collections.ErrMalformed) {
		return fmt.Errorf("%w: %w", tree.ErrMalformed, err)
	}
	return err
}

// gone makes a part of the chain that is not there a state that is not there to judge by.
func gone(err error) error {
	if ipld.IsNotFound(err) {
		return absentf("the archive does not reach far enough back: %v", err)
	}
	return err
}
