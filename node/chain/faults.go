package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// The kinds of consensus fault (Filecoin specification, "Consensus Faults").
const (
	doubleFork     = 1
	parentGrinding = 2
	timeOffset     = 3
)

// errNoFault is of reports that show no fault. Actors are told no more.
var errNoFault = errors.New("no consensus fault")

// errNotID is of a fault whose miner is not named by an ID, which is what an actor hears of.
var errNotID = errors.New("the miner at fault is not named by ID")

// VerifyConsensusFault is that of externs.Externs. What cannot be read or verified is no fault.
func (x *Externs) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	f, err := x.fault(ctx, h1, h2, extra)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, errNotID):
		return nil, err
	case errors.Is(err, errNoFault) || isAnswer(err):
		return nil, nil
	}
	return nil, answer(err)
}

// report is a header that somebody sent.
type report struct {
	*Header
	cid cid.Cid
}

// readReport reads a header as nodes do. Quirk: bytes after it do not matter, and its CID is that of the form it would be written in.
func readReport(data []byte) (report, error) {
	h := new(Header)
	if err := h.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		return report{}, fmt.Errorf("%w: %w", errNoFault, err)
	}
	c, err := h.CID()
	if err != nil {
		return report{}, fmt.Errorf("%w: %w", errNoFault, err)
	}
	return report{h, c}, nil
}

func (x *Externs) fault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	a, err := readReport(h1)
	if err != nil {
		return nil, err
	}
	b, err := readReport(h2)
	if err != nil {
		return nil, err
	}
	fix := x.Network.Constants.WatermelonFix
	switch {
	case a.cid.Equals(b.cid):
		return nil, fmt.Errorf("%w: the blocks are the same", errNoFault)
	case near(a.Height, fix) || near(b.Height, fix):
		// Quirk: calibnet halted over faults at the time of this upgrade, so none counts there.
		return nil, fmt.Errorf("%w: the upgrade at %d is near", errNoFault, fix)
	case a.Miner != b.Miner:
		return nil, fmt.Errorf("%w: two miners", errNoFault)
	case b.Height < a.Height:
		return nil, fmt.Errorf("%w: the second block is before the first", errNoFault)
	}
	kind, err := kindOf(a, b, extra)
	if err != nil {
		return nil, err
	}
	for _, h := range []report{a, b} {
		if err := x.signed(ctx, h.Header); err != nil {
			return nil, err
		}
	}
	id, ok := addr.ID(a.Miner)
	if !ok {
		return nil, fmt.Errorf("%w: %s", errNotID, addr.String(a.Miner))
	}
	return &externs.ConsensusFault{Target: abi.ActorID(id), Epoch: b.Height, Type: kind}, nil
}

func near(h, fix abi.ChainEpoch) bool { return fix >= 0 && h > fix-Finality && h < fix+Finality }

// kindOf is the fault that two blocks of one miner show, the later kinds before the earlier ones.
func kindOf(a, b report, extra []byte) (uint32, error) {
	kind := uint32(0)
	if a.Height == b.Height {
		kind = doubleFork
	}
	if a.Height != b.Height && sameBlocks(a.Parents, b.Parents) {
		kind = timeOffset
	}
	if len(extra) > 0 {
		// The third block is a sibling of the first and a parent of the second, which so left out its miner's own block.
		c, err := readReport(extra)
		if err != nil {
			return 0, err
		}
		if sameBlocks(a.Parents, c.Parents) && a.Height == c.Height && slices.Contains(b.Parents, c.cid) && !slices.Contains(b.Parents, a.cid) {
			kind = parentGrinding
		}
	}
	if kind == 0 {
		return 0, fmt.Errorf("%w: the blocks may stand beside each other", errNoFault)
	}
	return kind, nil
}

// sameBlocks compares lists of blocks. Quirk: they are as long as each other and what is in the second is in the first, so that
// repeated blocks in the second can hide others.
func sameBlocks(a, b []cid.Cid) bool {
	if len(a) != len(b) {
		return false
	}
	in := map[cid.Cid]bool{}
	for _, c := range a {
		in[c] = true
	}
	for _, c := range b {
		if !in[c] {
			return false
		}
	}
	return true
}

// signed tells whether a header has its miner's signature, by the worker that the miner had when the block's maker was drawn.
func (x *Externs) signed(ctx context.Context, h *Header) error {
	if h.Height < x.Epoch-Finality {
		return fmt.Errorf("%w: the block at %d is too old at %d", errNoFault, h.Height, x.Epoch)
	}
	root, err := x.View.Lookback(ctx, h.Height)
	if err != nil {
		return err
	}
	then, err := tree.Load(ctx, x.State, root)
	if err != nil {
		return err
	}
	miner, err := then.ID(ctx, h.Miner)
	if err != nil {
		return err
	}
	worker, err := then.Worker(ctx, miner)
	if err != nil {
		return err
	}
	now, err := tree.Load(ctx, x.State, x.Root)
	if err != nil {
		return err
	}
	key, err := now.Key(ctx, worker)
	if err != nil {
		return err
	}
	if h.BlockSig == nil {
		return fmt.Errorf("%w: a block has no signature", errNoFault)
	}
	data, err := h.SigningBytes()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoFault, err)
	}
	ok := false
	switch h.BlockSig.Type {
	case crypto.SigTypeBLS:
		ok = vmcrypto.VerifyBLS(h.BlockSig.Data, key, data)
	case crypto.SigTypeSecp256k1:
		ok = vmcrypto.VerifySecp(h.BlockSig.Data, key, data)
	}
	if !ok {
		return fmt.Errorf("%w: a signature is not by %s", errNoFault, addr.String(key))
	}
	return nil
}
