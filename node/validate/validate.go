package validate

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	fnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// Check is a rule for blocks.
type Check string

// The checks, in the order in which faults are told.
const (
	Form        Check = "form"            // nothing of the header is missing, the miner is named by ID
	Height      Check = "height"          // it is above the parents'
	Timestamp   Check = "timestamp"       // it is that of the epoch
	Weight      Check = "parent weight"   // of the chain up to the parents
	Lookback    Check = "lookback"        // the miner was one, and has a worker's key, in the state that says who may make blocks
	Miner       Check = "miner"           // it has a claim in the power table
	Election    Check = "election proof"  // is the worker's VRF
	WinCount    Check = "win count"       // follows from the election proof and the power
	Eligibility Check = "eligibility"     // power enough, no debt, no fault of consensus lately
	Ticket      Check = "ticket"          // is the worker's VRF
	BlockSig    Check = "block signature" // is the worker's
	Beacon      Check = "beacon entries"  // are those of the epochs since the parents', and signed
	WinningPoSt Check = "winning PoSt"    // is a proof of the sectors that were drawn
	Aggregate   Check = "BLS aggregate"   // of the messages without signatures of their own
	Messages    Check = "messages"        // form, gas limits, senders, nonces, signatures
	MessageRoot Check = "messages root"   // is that of the messages
	BaseFee     Check = "base fee"        // follows from the parents' messages
	StateRoot   Check = "parent state"    // is what came of the parents
	Receipts    Check = "parent receipts" // as the state
)

// Fault is a rule that a block breaks.
type Fault struct {
	Block  cid.Cid
	Check  Check
	Reason string
}

func (f Fault) String() string { return fmt.Sprintf("block %s: %s: %s", f.Block, f.Check, f.Reason) }

// Verdict is what was found of a block.
type Verdict struct {
	Faults []Fault // none: it is valid as far as it was judged
	// Unjudged are the checks that could not be made, and why.
	Unjudged map[Check]string
}

// Winning judges winning PoSts: a proofs.Verifier. Errors that wrap externs.ErrNodeFailure are this node's, others are verdicts.
type Winning interface {
	VerifyWinningPoSt(ctx context.Context, info proof.WinningPoStVerifyInfo) (bool, error)
	GenerateWinningPoStSectorChallenge(ctx context.Context, typ abi.RegisteredPoStProof, miner abi.ActorID, randomness abi.PoStRandomness, eligible uint64) ([]uint64, error)
}

// Result is what executing a tipset came to.
type Result struct{ State, Receipts cid.Cid }

// Rules are a network's.
type Rules struct {
	// Network with the genesis' time (network.Network.WithGenesis). Required.
	Network *network.Network
	// State has states: that after the parents, that before them, and the one a finality below. Required.
	State blockstore.Blockstore
	// Winning judges winning PoSts. Default: they are not judged.
	Winning Winning
	// MockWinning: a winning PoSt is good if it is the words "valid proof", as nodes have it that are built for tests.
	MockWinning bool
	// Result tells what came of the parent tipset. Default: state and receipts are not judged, and the state that the block names is the one
	// that its messages are looked at in.
	Result *Result
}

// Base is what the blocks of an epoch on one parent tipset have in common. It belongs to one goroutine at a time.
type Base struct {
	rules   *Rules
	line    *chain.Line
	parent  *chain.Tipset
	epoch   abi.ChainEpoch
	version fnetwork.Version

	weight, fee   abi.TokenAmount
	lookback      cid.Cid // state that says who may make blocks
	qualified     cid.Cid // state before the tipset that the lookback state came of
	beacon        *chain.BeaconEntry
	weightErr     error // why there is none, in whatever block
	lookbackErr   error
	beaconErr     error
	trees         map[cid.Cid]*tree.Tree
	lookbackEpoch abi.ChainEpoch
}

// ErrVersion is wrapped by the error for blocks of versions whose rules are not here.
var ErrVersion = errors.New("blocks of this network version are not judged")

// On prepares for the blocks of an epoch on a parent tipset, which the line reaches. An error is this node's: something cannot be read.
func (r *Rules) On(ctx context.Context, line *chain.Line, store *chain.Store, parent *chain.Tipset, epoch abi.ChainEpoch) (*Base, error) {
	b := &Base{rules: r, line: line, parent: parent, epoch: epoch, version: r.Network.VersionAt(epoch), trees: map[cid.Cid]*tree.Tree{}}
	if err := r.judged(ctx, store, parent, epoch); err != nil {
		return nil, err
	}
	blocks, err := store.TipsetMessages(ctx, parent)
	if err != nil {
		return nil, fmt.Errorf("the messages of the parent tipset, at epoch %d: %w", parent.Height(), err)
	}
	rules := chain.Rules{Network: r.Network}
	b.fee = rules.BaseFeeRules().NextBaseFee(parent, blocks)
	if epoch <= parent.Height() {
		return b, nil // whoever asks finds that first
	}
	if b.weight, b.weightErr = b.chainWeight(ctx); !answers(b.weightErr) {
		return nil, b.weightErr
	}
	if b.lookbackErr = b.findLookback(ctx, store); !answers(b.lookbackErr) {
		return nil, b.lookbackErr
	}
	if b.beacon, b.beaconErr = latestEntry(ctx, store, parent); !answers(b.beaconErr) {
		return nil, b.beaconErr
	}
	return b, nil
}

// judged is ErrVersion for a block whose version, or that of a state that it is judged by, has other rules: the states are those that came of
// the parents and of theirs.
func (r *Rules) judged(ctx context.Context, store *chain.Store, parent *chain.Tipset, epoch abi.ChainEpoch) error {
	least := min(epoch, parent.Height())
	if parent.Height() > 0 && epoch > 0 {
		before, err := store.Parent(ctx, parent)
		if err != nil {
			return err
		}
		least = before.Height()
	}
	if v := r.Network.VersionAt(least); v < fnetwork.Version16 {
		return fmt.Errorf("%w: %d, at epoch %d", ErrVersion, v, least)
	}
	return nil
}

// errAbsent is of something that is not there to judge by.
var errAbsent = errors.New("not there")

// absent is an errAbsent with a text of its own.
type absent struct{ text string }

func (a absent) Error() string        { return a.text }
func (a absent) Is(target error) bool { return target == errAbsent }

func absentf(format string, args ...any) error { return absent{fmt.Sprintf(format, args...)} }

// answers tells an error that says something of a block, or that there is nothing to judge by, from one of this node.
func answers(err error) bool {
	return err == nil || errors.Is(err, errAbsent) || tree.IsAnswer(err) || errors.Is(err, chain.ErrTipset) || errors.Is(err, errBroken)
}

// errBroken is of what a block claims and is not so.
var errBroken = errors.New("it is not so")

// judge keeps a verdict together while a block is judged.
type judge struct {
	*Base
	block   cid.Cid
	h       *chain.Header
	verdict *Verdict
	fatal   error
}

// say notes what became of a check.
func (j *judge) say(c Check, err error) {
	switch {
	case err == nil || j.fatal != nil:
	case errors.Is(err, errAbsent):
		if j.verdict.Unjudged == nil {
			j.verdict.Unjudged = map[Check]string{}
		}
		j.verdict.Unjudged[c] = err.Error()
	case answers(err):
		j.verdict.Faults = append(j.verdict.Faults, Fault{j.block, c, reason(err)})
	default:
		j.fatal = fmt.Errorf("block %s: %s: %w", j.block, c, err)
	}
}

// reason is an error's text without the words that only tell it apart.
func reason(err error) string {
	if b := (broken{}); errors.As(err, &b) && err.Error() == b.Error() {
		return b.text
	}
	return err.Error()
}

// broken is an errBroken with a text of its own.
type broken struct{ text string }

func (b broken) Error() string        { return b.text }
func (b broken) Is(target error) bool { return target == errBroken }

func brokenf(format string, args ...any) error { return broken{fmt.Sprintf(format, args...)} }

// Block judges a block of the epoch. messages are its own; messagesErr, if there are none, is why: an error of reading them that
// wraps chain.ErrMalformed is a fault. The error is this node's.
func (b *Base) Block(ctx context.Context, h *chain.Header, messages *chain.BlockMessages, messagesErr error) (*Verdict, error) {
	c, err := h.CID()
	if err != nil {
		return nil, err
	}
	j := &judge{Base: b, block: c, h: h, verdict: new(Verdict)}
	j.say(Form, j.form())
	if len(j.verdict.Faults) > 0 {
		return j.verdict, nil // what is missing is missed everywhere
	}
	if h.Height != b.epoch {
		return nil, fmt.Errorf("block %s is at epoch %d: asked for %d", c, h.Height, b.epoch)
	}
	if h.Height <= b.parent.Height() {
		j.say(Height, brokenf("it is at epoch %d, and its parents are at %d", h.Height, b.parent.Height()))
		return j.verdict, nil
	}
	j.say(Timestamp, j.timestamp())
	j.say(Weight, j.parentWeight())
	j.miner(ctx)
	j.say(Beacon, j.entries())
	j.say(WinningPoSt, j.winning(ctx))
	j.messages(ctx, messages, messagesErr)
	j.say(BaseFee, differ("the parents' messages make it", b.fee.String(), h.ParentBaseFee.String()))
	if r := b.rules.Result; r != nil {
		j.say(StateRoot, differ("the parents came to", r.State.String(), h.ParentStateRoot.String()))
		j.say(Receipts, differ("the parents came to", r.Receipts.String(), h.ParentMessageReceipts.String()))
	}
	if j.fatal != nil {
		return nil, j.fatal
	}
	return j.verdict, nil
}

func differ(what, want, got string) error {
	if want == got {
		return nil
	}
	return brokenf("%s %s, the header says %s", what, want, got)
}

func (j *judge) form() error {
	h := j.h
	_, isID := addr.ID(h.Miner)
	switch {
	case h.ElectionProof == nil:
		return brokenf("no election proof")
	case h.Ticket == nil:
		return brokenf("no ticket")
	case h.BlockSig == nil:
		return brokenf("no signature")
	case h.BLSAggregate == nil:
		return brokenf("no aggregate of signatures")
	case h.Miner.Protocol() != address.ID || !isID:
		return brokenf("its miner %s is not named by ID", addr.String(h.Miner))
	}
	return nil
}

func (j *judge) timestamp() error {
	want := j.parent.Timestamp() + j.rules.Network.BlockDelay*uint64(j.epoch-j.parent.Height())
	if j.h.Timestamp != want {
		return brokenf("it is %d, and %d epochs after its parents it must be %d", j.h.Timestamp, j.epoch-j.parent.Height(), want)
	}
	return nil
}

// at reads a state, once. A state that is not there is errAbsent.
func (b *Base) at(ctx context.Context, root cid.Cid) (*tree.Tree, error) {
	if t := b.trees[root]; t != nil {
		return t, nil
	}
	ok, err := b.rules.State.Has(ctx, root)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, absentf("the archive lacks the state %s", root)
	}
	t, err := tree.Load(ctx, b.rules.State, root)
	if err != nil {
		return nil, err
	}
	b.trees[root] = t
	return t, nil
}

func nodeFailure(err error) bool { return externs.IsNodeFailure(err) }
