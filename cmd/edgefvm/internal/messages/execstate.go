package messages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
)

// execState is what a message runs on.
type execState struct {
	files  files // without the actors' code, unless it is in them
	root   cid.Cid
	head   *kit.Head   // nil if the root is no chain's
	place  *place      // nil without --chain
	engine *fvm.Engine // the one that executed the chain up to the place, closed with the files; nil without --chain
}

// files are where the blocks come from.
type files interface {
	blockstore.Blockstore
	Close() error
}

// openState opens the files of --car and finds the state root.
func (x *execFlags) openState(cmd *cobra.Command) (_ *execState, err error) {
	if x.chain != "" {
		return x.openChain(cmd)
	}
	ctx := cmd.Context()
	dir, err := kit.CacheFolder(x.set.CacheDir)
	if err != nil {
		return nil, err
	}
	files, err := kit.OpenState(ctx, x.cars, kit.StateOptions{Folder: kit.ArchivesIn(dir), Messages: cmd.ErrOrStderr()})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, files.Close())
		}
	}()
	for _, note := range files.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: note: %s\n", note)
	}
	root, head, err := files.StateRoot(ctx, x.root)
	if err != nil {
		return nil, err
	}
	if head != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: note: %s\n", head)
	}
	if ok, err := files.Has(ctx, root); err != nil {
		return nil, err
	} else if !ok {
		if head != nil {
			return nil, fmt.Errorf("the CAR has the headers of epoch %d, but not the state %s that their messages run on, as an export of a chain without recent states: add a --car with it, or give the --root of a state that is there", head.Epoch, root)
		}
		return nil, fmt.Errorf("the CAR does not hold the state root %s: give the right --root or --car", root)
	}
	return &execState{files: files, root: root, head: head}, nil
}

// loadActors opens the actors that were asked for by name or file, else those of the network version, at the first block that the
// state lacks.
func (x *execFlags) loadActors(cmd *cobra.Command, at *setting) (blockstore.Blockstore, error) {
	ctx, store := cmd.Context(), blockstore.NewMemory()
	for _, path := range x.set.CARs {
		if _, err := bundle.LoadCARFile(ctx, path, store); err != nil {
			return nil, err
		}
	}
	if len(x.set.CARs) > 0 {
		return store, nil
	}
	version, net, err := at.bundle(x.actors)
	if err != nil {
		return nil, kit.AsUsage(err)
	}
	open := sync.OnceValues(func() (blockstore.Blockstore, error) {
		s, err := bundle.Open(ctx, x.set.BundleOptions(cmd))
		if err != nil {
			return nil, err
		}
		code, err := s.Store(ctx, version, net)
		return code, kit.BundleHint(ctx, s, bundle.Entry{Version: version, Network: net}.Name(), err)
	})
	if x.actors != "" { // a name that is wrong should be told
		return open()
	}
	return &lateCode{open: open}, nil
}

// lateCode is a bundle's blocks, opened when one is asked for.
type lateCode struct {
	blockstore.Blockstore // none; writes go elsewhere
	open                  func() (blockstore.Blockstore, error)
}

func (l *lateCode) Has(ctx context.Context, c cid.Cid) (bool, error) {
	code, err := l.open()
	if err != nil {
		return false, fmt.Errorf("the state lacks %s: %w", c, err)
	}
	return code.Has(ctx, c)
}

func (l *lateCode) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	code, err := l.open()
	if err != nil {
		return nil, fmt.Errorf("the state lacks %s: %w", c, err)
	}
	return code.Get(ctx, c)
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
		type link struct {
			hash blockstore.CARKey // shorter than a CID: a state may have millions
			dag  bool
		}
		key := func(c cid.Cid) link { return link{blockstore.KeyOfCID(c.KeyString()), c.Prefix().Codec == cid.DagCBOR} }
		seen := map[link]struct{}{key(root): {}}
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
				if _, ok := seen[key(l)]; !ok {
					seen[key(l)] = struct{}{}
					todo = append(todo, l)
				}
			})
		}
	}
}
