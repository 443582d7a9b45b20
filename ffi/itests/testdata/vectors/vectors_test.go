// The golden vectors through a node's own code of its VM: what it makes of filecoin-ffi's answers must be what the
// reference gave. Beside it stands the file of the node.
package vectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	fvmstore "github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
	ffi "github.com/filecoin-project/filecoin-ffi"
)

// leftOut is why a vector cannot run on a node; the node's machine says it too.
type leftOut string

func (l leftOut) Error() string { return string(l) }

const (
	tipsets   leftOut = "asks for a tipset by a CID, which a node computes from a key"
	faults    leftOut = "reports a consensus fault, which a node judges by its own chain"
	chainID   leftOut = "another chain than the one that the node was built for"
	gasLimit  leftOut = "a message of the system with a gas limit, which this node sets itself"
	flags     leftOut = "an event with flags above 255, which the node's type cannot hold"
	debugging leftOut = "actors that log, for which a node must be built anew"
	flushAll  leftOut = "a flush of all blocks, which no node asks for"
)

// node is what a vector says of the chain and the state.
type node struct {
	blockstore.Blockstore // nil: what is not below is not used
	cfg                   fvm.Config
	store                 fvmstore.Blockstore
	out                   *leftOut // set if the vector turns out not to fit
}

func (n *node) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) { return n.store.Get(ctx, c) }
func (n *node) Has(ctx context.Context, c cid.Cid) (bool, error)         { return n.store.Has(ctx, c) }
func (n *node) Put(ctx context.Context, b blocks.Block) error            { return n.store.Put(ctx, b) }
func (n *node) Flush(context.Context) error                              { return nil }
func (n *node) DeleteMany(context.Context, []cid.Cid) error {
	return errors.New("a machine deletes nothing")
}
func (n *node) HashOnRead(bool) {}
func (n *node) PutMany(ctx context.Context, list []blocks.Block) error {
	return n.store.PutMany(ctx, list)
}

func (n *node) View(ctx context.Context, c cid.Cid, show func([]byte) error) error {
	b, err := n.store.Get(ctx, c)
	if err != nil {
		return err
	}
	return show(b.RawData())
}

func (n *node) GetChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	return n.cfg.Externs.ChainRandomness(ctx, epoch)
}

func (n *node) GetBeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	return n.cfg.Externs.BeaconRandomness(ctx, epoch)
}

// charged has a node look for what it answers itself among the names of a trace's charges.
func (n *node) charged(name string) {
	if name == "OnVerifyConsensusFault" {
		*n.out = faults
	}
}

// failed has a node look for what it cannot take.
func (n *node) failed(err error) error {
	if strings.Contains(err.Error(), "too large for uint8 field") {
		*n.out = flags
	}
	return err
}

const mainnet = 314

// winning is a vector's verifier with what no message asks.
type winning struct{ externs.ProofVerifier }

func (winning) VerifyWinningPoSt(context.Context, proof.WinningPoStVerifyInfo) (bool, error) {
	return false, errors.New("no message asks this")
}

func unfit(cfg fvm.Config) leftOut {
	switch {
	case !onChain(cmp.Or(cfg.ChainID, mainnet)): // the official vectors do not say
		return chainID
	case cfg.ActorDebugging:
		return debugging
	case cfg.FlushAll:
		return flushAll
	}
	return ""
}

func TestVectors(t *testing.T) {
	files, err := conformance.Find(strings.Fields(os.Getenv("VECTORS"))...)
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors: VECTORS names folders", err)
	}
	actors := vector.NewActors(bundle.Options{})
	passed, reasons := 0, map[leftOut]int{}
	for _, file := range files {
		v, err := conformance.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range v.Variants() {
			var out leftOut
			o := conformance.RunVector(t.Context(), v, i, &conformance.Options{NoTrace: true, Actors: actors, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
				if out = unfit(cfg); out != "" {
					return nil, out
				}
				ffi.RegisterProofVerifier(nil)
				if cfg.Proofs != nil {
					ffi.RegisterProofVerifier(winning{cfg.Proofs})
				}
				return open(ctx, &node{cfg: cfg, store: cfg.Blockstore, out: &out})
			}})
			switch {
			case out != "":
				reasons[out]++
			case o.Status == conformance.Passed:
				passed++
			default:
				t.Errorf("%s (%s, nv%d): %s %s %v", v.Name, o.Scenario, o.NV, o.Status, o.Error, o.Differences)
			}
		}
	}
	for _, out := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Printf("VECTORS left out %d: %s\n", reasons[out], out)
	}
	fmt.Printf("VECTORS passed %d of %d files\n", passed, len(files))
}
