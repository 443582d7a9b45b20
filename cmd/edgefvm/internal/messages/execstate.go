package messages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
)

func (x *execFlags) loadState(ctx context.Context) (*blockstore.Memory, cid.Cid, error) {
	state := blockstore.NewMemory()
	root := cid.Undef
	for _, path := range x.cars {
		f, err := os.Open(path)
		if err != nil {
			return nil, root, fmt.Errorf("--car %s: %w", path, plainError(err))
		}
		roots, err := blockstore.LoadCAR(ctx, f, state, blockstore.CAROptions{})
		f.Close()
		if errors.Is(err, blockstore.ErrCARBound) {
			return nil, root, fmt.Errorf("--car %s: packed by gzip, it grows beyond what is taken unasked (%w): unpack it first, with gunzip", path, plainError(err))
		}
		if err != nil {
			return nil, root, fmt.Errorf("--car %s: %w", path, plainError(err))
		}
		if len(roots) > 0 && !root.Defined() {
			root = roots[0]
		}
	}
	if x.root != "" {
		var err error
		if root, err = cid.Decode(x.root); err != nil {
			return nil, root, kit.Usagef("--root %q: want a CID such as bafy2bz...: %w", x.root, err)
		}
	}
	if !root.Defined() {
		return nil, root, kit.Usagef("the CAR names no root: give --root")
	}
	return state, root, nil
}

func (x *execFlags) loadActors(cmd *cobra.Command) (blockstore.Blockstore, error) {
	ctx, store := cmd.Context(), blockstore.NewMemory()
	for _, path := range x.set.CARs {
		if _, err := bundle.LoadCARFile(ctx, path, store); err != nil {
			return nil, err
		}
	}
	if len(x.set.CARs) > 0 {
		return store, nil
	}
	version, net := 0, "mainnet"
	var err error
	if x.actors != "" {
		if version, net, err = bundle.ParseName(x.actors); err != nil {
			return nil, kit.AsUsage(err)
		}
	} else if version, err = bundle.VersionFor(network.Version(x.nv)); err != nil {
		return nil, kit.AsUsage(err)
	}
	s, err := bundle.Open(ctx, x.set.BundleOptions(cmd))
	if err != nil {
		return nil, err
	}
	code, err := s.Store(ctx, version, net)
	return code, kit.BundleHint(ctx, s, bundle.Entry{Version: version, Network: net}.Name(), err)
}

// plainError leaves out the name of the file, which the message has already.
func plainError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// writeState writes what the root reaches of the blocks that are there; the actors' code is left out.
func writeState(ctx context.Context, path string, state blockstore.Blockstore, root cid.Cid) error {
	err := wholefile.Write(path, func(w io.Writer) error {
		return blockstore.WriteCAR(w, []cid.Cid{root}, reachable(ctx, state, root))
	})
	if err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	return nil
}

// reachable yields each block below root that is in the store, once.
func reachable(ctx context.Context, state blockstore.Blockstore, root cid.Cid) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		seen := map[cid.Cid]bool{root: true}
		for todo := []cid.Cid{root}; len(todo) > 0; {
			c := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			b, err := state.Get(ctx, c)
			if err != nil && format.IsNotFound(err) {
				continue // a trimmed state, or code
			}
			if !yield(b, err) || err != nil {
				return
			}
			if c.Prefix().Codec != cid.DagCBOR {
				continue
			}
			// A block that is not DAG-CBOR after all has no links to follow.
			_ = cbg.ScanForLinks(bytes.NewReader(b.RawData()), func(l cid.Cid) {
				if !seen[l] {
					seen[l] = true
					todo = append(todo, l)
				}
			})
		}
	}
}
