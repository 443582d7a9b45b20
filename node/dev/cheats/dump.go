package cheats

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// dump is the state after the latest block as an archive (CARv1) in hex, without the builtin actors' code.
func (s *server) dump(ctx context.Context, _ jsonrpc.Optional[bool]) (string, error) {
	var buf bytes.Buffer
	if err := s.n.ExportState(ctx, &buf, s.n.Latest()); err != nil {
		return "", err
	}
	return hexOf(buf.Bytes()), nil
}

// maxDump is how many bytes of blocks a dump may have once it is unpacked.
const maxDump = 1 << 30

// load makes the state of a dump the one after the latest block. Blocks stay as they are; if the state is one of later epochs, the next block
// is above them.
func (s *server) load(ctx context.Context, car Data) (bool, error) {
	var next abi.ChainEpoch
	err := s.n.Edit(ctx, func(ctx context.Context, b *blockstore.Buffered, _ cid.Cid) (cid.Cid, error) {
		roots, err := blockstore.LoadCAR(ctx, bytes.NewReader(car), b, blockstore.CAROptions{MaxTotal: maxDump})
		if err != nil {
			return cid.Undef, invalid("the state is no dump of a state: %v", err)
		}
		if len(roots) != 1 {
			return cid.Undef, invalid("the state is no dump of a state: it has %d roots, not 1", len(roots))
		}
		if err := s.whole(ctx, b, roots[0]); err != nil {
			return cid.Undef, invalid("the dump is not whole, or its actors are of another bundle: %v", err)
		}
		if next, err = nextEpoch(ctx, b, roots[0]); err != nil {
			return cid.Undef, invalid("the dump is no state of a chain: %v", err)
		}
		return roots[0], nil
	})
	if err != nil {
		return false, wrong(err)
	}
	if up := next - (s.n.Latest().Epoch() + 1); up > 0 {
		if err := s.n.SkipEpochs(uint64(up)); err != nil {
			return false, wrong(err)
		}
	}
	return true, nil
}

// nextEpoch is the epoch that a state is ready for: the one whose cron the power actor expects.
func nextEpoch(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (abi.ChainEpoch, error) {
	if _, err := edit.Open(ctx, store, root); err != nil {
		return 0, err
	}
	t, err := tree.Load(ctx, store, root)
	if err != nil {
		return 0, err
	}
	f, err := t.Fields(ctx, tree.Power)
	if err != nil {
		return 0, err
	}
	const most = 1 << 40
	epoch, err := f.Int(f.Len() - 3) // FirstCronEpoch; two fields follow it in all versions
	if err == nil && (epoch < 0 || epoch > most) {
		err = fmt.Errorf("the power actor's next epoch is %d", epoch)
	}
	return abi.ChainEpoch(epoch), err
}

// whole looks that all blocks of a state are there, the code of its actors included.
func (s *server) whole(ctx context.Context, store blockstore.Blockstore, root cid.Cid) error {
	open, seen := []cid.Cid{root}, cid.NewSet()
	for len(open) > 0 {
		c := open[len(open)-1]
		open = open[:len(open)-1]
		if !seen.Visit(c) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p, ok := cbor.Split(c); ok && p.Codec == cbor.CodecRaw {
			if has, err := store.Has(ctx, c); err != nil || !has {
				return errors.Join(err, fmt.Errorf("the block %s is missing", c))
			}
			continue
		}
		blk, err := store.Get(ctx, c)
		if format.IsNotFound(err) {
			return fmt.Errorf("the block %s is missing", c)
		}
		if err != nil {
			return err
		}
		err = cbor.Links(blk.RawData(), &cbor.LinkRules{}, func(raw []byte) error {
			p, _, err := cbor.SplitCID(raw)
			if err == nil && p.Linkable() {
				open = append(open, p.CID(raw))
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("the block %s: %w", c, err)
		}
	}
	return nil
}
