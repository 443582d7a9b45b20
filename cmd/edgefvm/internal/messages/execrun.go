package messages

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/trace"
)

// job is a message on its way to a receipt.
type job struct {
	cfg      fvm.Config // Blockstore has the state and the code, and is only read
	state    *execState
	msg      *fvm.Message
	kind     fvm.Kind
	length   int // on the chain, in bytes
	watch    bool
	witness  bool
	outside  *outside
	abi      *ethabi.ABI // of contracts; nil: nobody gave one
	estimate *estimate   // nil: the gas limit was said
}

// try is a machine of its own that a message was applied on. What it writes stays in top.
type try struct {
	m    *fvm.Machine
	top  *blockstore.Memory
	rec  trace.Recorder
	read *witness // nil: nobody wants to know
	res  *fvm.Result
}

// apply applies the message with a gas limit. free makes gas cost nothing, as nodes have it while they estimate.
func (j *job) apply(ctx context.Context, limit int64, free bool) (*try, error) {
	j.outside.forget()
	t := &try{top: blockstore.NewMemory()}
	cfg, msg := j.cfg, *j.msg
	msg.GasLimit = limit
	if free {
		cfg.BaseFee, msg.GasFeeCap, msg.GasPremium = big.Zero(), big.Zero(), big.Zero()
	} else {
		if j.watch {
			cfg.Hooks = t.rec.Hooks()
		}
		if j.witness {
			t.read = newWitness(cfg.Blockstore)
			cfg.Blockstore = t.read
		}
	}
	cfg.Blockstore = &blockstore.Overlay{Top: t.top, Base: cfg.Blockstore}
	var err error
	if t.m, err = fvm.New(ctx, cfg); err != nil {
		return nil, fmt.Errorf("the state %s: %w", cfg.StateRoot, err)
	}
	t.res, err = t.m.Apply(ctx, &msg, j.kind, j.length)
	return t, err
}

// run applies the message by its gas limit, or by the one that a node would give it.
func (j *job) run(ctx context.Context) (*try, error) {
	if j.estimate == nil {
		return j.apply(ctx, j.msg.GasLimit, false)
	}
	if err := j.guess(ctx); err != nil {
		return nil, err
	}
	e := j.estimate
	t, err := j.apply(ctx, e.Limit, false)
	if err != nil || t.res.ExitCode == e.exit {
		return t, err
	}
	// It ends otherwise than with all the gas there is, which cost nothing. Is it for the limit, or for what gas costs?
	free, err := j.apply(ctx, e.Limit, true)
	if err != nil {
		return nil, err
	}
	e.Runs++
	switch {
	case free.res.ExitCode == e.exit:
		return j.apply(ctx, e.Limit, false)
	case e.exit != exitcode.Ok:
		// It fails in another way than with all the gas there is: that is the way to show.
		e.none("it fails, and how depends on the gas limit")
	default:
		if err := j.search(ctx); err != nil {
			return nil, err
		}
	}
	j.msg.GasLimit = e.Limit
	return j.apply(ctx, e.Limit, false)
}

// estimate is the gas limit that a node would give the message.
type estimate struct {
	Limit int64  `json:"gas_limit"`
	Used  int64  `json:"gas_used"` // with the limit of a block
	Runs  int    `json:"runs"`     // of the message, to find it
	Why   string `json:"why"`

	exit exitcode.ExitCode // with the limit of a block
}

// What nodes go by: the limit of a block, and by how much an estimate exceeds the gas that was used, as 5/4 (Lotus v1.36.3,
// build/buildconstants/params_shared_vals.go and chain/messagepool/config.go).
const (
	blockGasLimit = chain.BlockGasLimit
	overNum       = 5
	overDen       = 4
)

// margin is a gas limit with what nodes add, at most that of a block.
func margin(gas int64) int64 { return min(gas*overNum/overDen, blockGasLimit) }

func (e *estimate) none(why string) { e.Limit, e.Why = blockGasLimit, "the limit of a block: "+why }

// guess runs the message with all the gas there is and takes the limit from what it used, as nodes' GasEstimateGasLimit.
func (j *job) guess(ctx context.Context) error {
	e := j.estimate
	t, err := j.apply(ctx, blockGasLimit, true)
	if err != nil {
		return err
	}
	e.Runs, e.exit, e.Used = e.Runs+1, t.res.ExitCode, t.res.GasUsed
	switch {
	case e.Used == 0:
		e.none("it fails before it begins")
	case e.exit == exitcode.SysErrOutOfGas:
		e.none("it needs more")
	default:
		e.Limit, e.Why = margin(e.Used), "an estimate as nodes make it: what it uses and a quarter"
	}
	j.msg.GasLimit = e.Limit
	return nil
}

// search looks for the least limit with which the message works, to 1 %, as nodes' eth_estimateGas: for messages that use less gas
// than they must be given, as those that forward a part of it.
func (j *job) search(ctx context.Context) error {
	e := j.estimate
	works := func(limit int64) (bool, error) {
		e.Runs++
		t, err := j.apply(ctx, limit, true)
		if err != nil {
			return false, err
		}
		return t.res.ExitCode == exitcode.Ok, nil
	}
	low, high := e.Limit, e.Limit
	for {
		ok, err := works(high)
		if err != nil {
			return err
		}
		if ok {
			break
		}
		low, high = high, high*2
		if high > blockGasLimit { // which works: it was tried first
			high = blockGasLimit
			break
		}
	}
	for step := high / 100; high-low > step; {
		middle := (low + high) / 2
		ok, err := works(middle)
		if err != nil {
			return err
		}
		if ok {
			high = middle
		} else {
			low = middle
		}
		step = middle / 100
	}
	e.Limit, e.Why = margin(high), "an estimate as nodes make it: the least limit that works, to 1 %, and a quarter; it uses less than it must be given"
	return nil
}

// noReceipt is an error of a message without a receipt, in words of the command.
func (j *job) noReceipt(ctx context.Context, err error) error {
	if errors.Is(err, fvm.ErrInvalidMessage) {
		return err
	}
	return fmt.Errorf("the message has no receipt: %w%s", err, hint(ctx, j.cfg, j.msg))
}
