package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/trace"
)

// Chain is an archive's chain to ask for its tipsets, for the states that they run on and for what comes of them. It belongs to one
// goroutine at a time. Close it when it is not needed any more.
type Chain struct {
	r     *run
	known bool
}

// Open opens a chain. Nothing but its head is read. From, To, Vectors and OnTipset of the options are of no use here; what is
// executed on the way to a tipset comes into the Store, as a replay's.
func Open(ctx context.Context, o Options) (*Chain, error) {
	o.From, o.To, o.Vectors, o.OnTipset = 0, 0, "", nil
	r := &run{Options: o, report: &Report{Workers: max(o.Workers, 1), Engines: []string{}}}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	return &Chain{r: r}, nil
}

// Close closes the engine that the chain made for itself, if it did.
func (c *Chain) Close(ctx context.Context) { c.r.closeEngines(ctx) }

// Line is the chain's tipsets, and Headers where they are read from.
func (c *Chain) Line() *chain.Line { return c.r.line }

// Headers reads tipsets and their messages.
func (c *Chain) Headers() *chain.Store { return c.r.store }

// States has the states that the archive has, and those that were made. What is put there lasts as long as the tipset at hand.
func (c *Chain) States() blockstore.Blockstore { return c.r.state }

// Kept tells whether a state is in the archive or in the store: that of States which stays.
func (c *Chain) Kept(ctx context.Context, root cid.Cid) (bool, error) {
	return c.r.state.kept(ctx, root)
}

// Network finds out which network the chain is of, as a replay does. notes are what a reader should know of that.
func (c *Chain) Network(ctx context.Context) (n *network.Network, notes []string, err error) {
	if !c.known {
		if err := c.r.findNetwork(ctx); err != nil {
			return nil, nil, err
		}
		c.r.prepare()
		c.known = true
	}
	return c.r.rules.Network, c.r.report.Notes, nil
}

// ready makes what executing a tipset needs.
func (c *Chain) ready(ctx context.Context, first abi.ChainEpoch) error {
	if _, _, err := c.Network(ctx); err != nil {
		return err
	}
	if len(c.r.report.Engines) == 0 {
		if err := c.r.engines(ctx); err != nil {
			return err
		}
		c.r.report.First = first // whose actors are taken where the archive leaves them out
	}
	return c.r.canRun(first)
}

// Reach makes the state that a tipset of the line runs on to be there: it executes those below it, from the highest one whose state
// is there. A tipset that does not come to what the chain says is an error.
func (c *Chain) Reach(ctx context.Context, t *chain.Tipset) error {
	r, from := c.r, t
	r.state.drop()
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		ok, err := r.state.Has(ctx, from.ParentStateRoot())
		if err != nil {
			return err
		}
		if ok {
			break
		}
		if from.Height() == 0 {
			return fmt.Errorf("the archive has no state to begin with: neither that of epoch %d, %s, nor one below it", t.Height(), t.ParentStateRoot())
		}
		if from, err = r.store.Parent(ctx, from); err != nil {
			return fmt.Errorf("the state of epoch %d, %s, is not in the archive, and looking for one below it: %w", t.Height(), t.ParentStateRoot(), err)
		}
		if n%1000 == 0 {
			r.tell(fmt.Sprintf("looking for a state, at epoch %d", from.Height()))
		}
	}
	if from.Height() == t.Height() {
		return nil
	}
	if err := c.ready(ctx, from.Height()); err != nil {
		return err
	}
	return c.climb(ctx, from, t)
}

// climb executes the tipsets from one up to another, that one not.
func (c *Chain) climb(ctx context.Context, from, to *chain.Tipset) (err error) {
	r := c.r
	if err := r.line.Extend(ctx, from.Height(), nil); err != nil {
		return err
	}
	r.next, r.done, r.before = from, 0, 0
	r.report.First, r.report.Last = from.Height(), to.Height()-1
	if r.all, err = r.line.Count(ctx, r.report.First, r.report.Last); err != nil {
		return err
	}
	if err := r.tipsets(ctx); err != nil {
		return err
	}
	if f := r.report.Failure; f != nil && len(f.Faults) > 0 {
		return fmt.Errorf("the tipset at epoch %d, on the way to %d, has an invalid block: %s", f.Epoch, to.Height(), f.Faults[0])
	} else if f != nil {
		d := f.Differences[0]
		return fmt.Errorf("the tipset at epoch %d, on the way to %d, does not come to what the chain says: %s: want %s, got %s", f.Epoch, to.Height(), d.What, d.Want, d.Got)
	}
	return nil
}

// Execute executes a tipset of the line in its real place and compares it with its child, as a replay does. What it makes is there
// until the chain is asked for something else to be executed.
func (c *Chain) Execute(ctx context.Context, t *chain.Tipset) (*Tipset, error) {
	if t.Height() == 0 {
		return nil, errors.New("the genesis is not executed: it comes with its state")
	}
	if err := c.Reach(ctx, t); err != nil {
		return nil, err
	}
	if err := c.ready(ctx, t.Height()); err != nil {
		return nil, err
	}
	child, err := c.r.line.Child(ctx, t)
	if err != nil {
		return nil, err
	}
	out, err := c.r.one(ctx, t, child)
	if err != nil {
		return nil, fmt.Errorf("the tipset at epoch %d: %w", t.Height(), err)
	}
	return out, nil
}

// Begin is where the messages of a tipset of the line begin: after the cron of the null rounds before it, and after a migration. Its
// state is there as Execute's are. No message of the tipset is executed.
func (c *Chain) Begin(ctx context.Context, t *chain.Tipset) (*chain.Round, error) {
	if t.Height() == 0 {
		return nil, errors.New("the genesis is not executed: it comes with its state")
	}
	if err := c.Reach(ctx, t); err != nil {
		return nil, err
	}
	if err := c.ready(ctx, t.Height()); err != nil {
		return nil, err
	}
	plan, err := c.r.rules.Plan(ctx, c.r.line, t)
	if err != nil {
		return nil, err
	}
	ts := plan.Run
	ts.Blocks, ts.Engine, ts.Proofs = nil, c.r.Engines[0], c.r.Proofs
	if _, err := fvm.ApplyTipset(ctx, ts); err != nil {
		return nil, fmt.Errorf("the tipset at epoch %d: %w", t.Height(), err)
	}
	return plan.Own(), nil
}

// StateAt is the root of the state that the messages of an epoch run on, migrations and the cron of null rounds aside. It is that of the
// next tipset above where the epoch is a null round, and that which the head leaves for the epoch above the head's.
func (c *Chain) StateAt(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	head := c.r.line.Head()
	if epoch < 0 || epoch > head.Height()+1 {
		return cid.Undef, fmt.Errorf("epoch %d: the chain has states from epoch 0 to %d, which is that after its head", epoch, head.Height()+1)
	}
	if epoch == head.Height()+1 {
		t, err := c.Execute(ctx, head)
		if err != nil {
			return cid.Undef, err
		}
		return t.Result.Root, nil
	}
	t, err := c.r.line.At(ctx, epoch)
	if err != nil {
		return cid.Undef, err
	}
	return t.ParentStateRoot(), c.Reach(ctx, t)
}

// Applied are a tipset's messages in the order in which they were applied, each once: those of Result.Receipts.
func (t *Tipset) Applied() []chain.Message { return executed(t.Plan) }

// Step is a message that was applied in its real place, with what it did.
type Step struct {
	Message chain.Message
	Result  *fvm.Result
	Trace   trace.Events
	// Before and After are the states around it, in States.
	Before, After cid.Cid
	States        blockstore.Blockstore
	// Machine after the message.
	Machine *fvm.Machine
}

var errThere = errors.New("the message was applied")

// Step applies the messages of an executed tipset again, one by one and up to one of Applied, and tells what that one did.
func (c *Chain) Step(ctx context.Context, t *Tipset, index int) (*Step, error) {
	list := t.Applied()
	if index < 0 || index >= len(list) {
		return nil, fmt.Errorf("message %d of a tipset of %d", index, len(list))
	}
	s := &Step{Message: list[index], States: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: c.r.state}}
	var rec trace.Recorder
	cfg := c.r.own(t, s.States)
	cfg.Proofs, cfg.Hooks = c.r.Proofs, rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	n := 0
	err = again(t.Plan, func(msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
		here := kind == fvm.Explicit && n == index
		if here {
			if s.Before, err = m.Flush(ctx); err != nil {
				return nil, err
			}
		}
		res, err := m.Apply(ctx, msg, kind, length)
		events := rec.Take()
		if err != nil {
			return nil, err
		}
		if kind == fvm.Explicit {
			n++
		}
		if !here {
			return res, nil
		}
		s.Result, s.Trace = res, events
		if s.After, err = m.Flush(ctx); err != nil {
			return nil, err
		}
		return nil, errThere
	})
	if !errors.Is(err, errThere) {
		return nil, err
	}
	s.Machine = m
	first := t.Result.Receipts[index]
	if x, y := chain.AppendReceipt(nil, t.Version, first), chain.AppendReceipt(nil, t.Version, s.Result); !bytes.Equal(x, y) {
		return nil, fmt.Errorf("message %s came to %s in its tipset, and to %s when it was applied again", s.Message.CID, chain.ReceiptText(x), chain.ReceiptText(y))
	}
	return s, nil
}
