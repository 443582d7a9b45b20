package fvm

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/parallel"
)

// ChainMessage is a message with its length on the chain in bytes, see Machine.Apply.
type ChainMessage struct {
	Message     *Message
	ChainLength int
}

// TipsetBlock is a block of a tipset.
type TipsetBlock struct {
	Miner    address.Address // an ID address
	WinCount int64           // of the block's election proof
	// Messages in the chain's order: those with BLS signatures, then the others. One that an earlier block of the
	// tipset has too is left out.
	Messages []ChainMessage
}

// Tipset is what ApplyTipset executes.
type Tipset struct {
	// Config is of the tipset's epoch; StateRoot is the parent tipset's result.
	Config
	// ParentEpoch is the parent tipset's. For each epoch between, cron runs on a machine of its own.
	ParentEpoch abi.ChainEpoch
	// Round may change the config of a machine before it is made: of each null round's, in order, and of the tipset's at the end.
	// It gets Config with the round's epoch, the state root so far and a timestamp of 30 seconds an epoch. It is where a node
	// sets the network version and circulating supply, and migrates state. Default: nothing is changed.
	Round func(context.Context, Config) (Config, error)
	// Blocks in the tipset's order.
	Blocks []TipsetBlock
	// Workers is how many goroutines execute messages. Above 1 they are executed ahead of their turn where nothing that
	// they read has changed when it comes; of a tipset with few messages the calls of rewards and cron are, as far as they can be told
	// beforehand. Results and hooks' calls are the same, in the same order. Blockstore, Externs and Proofs
	// must then be safe for concurrent use, and must give the same answer whenever they are asked. Default: 1.
	Workers int
}

// TipsetResult is what a tipset gives.
type TipsetResult struct {
	// Receipts are the results of the messages in the order in which they were applied, each once.
	Receipts []*Result
	// Rewards are the results of the messages that pay the blocks' miners, one a block.
	Rewards []*Result
	// Cron is the result of the epoch's cron message, NullRounds those of the null rounds before.
	Cron       *Result
	NullRounds []*Result
	// Root is the state root after the tipset, which has been flushed.
	Root cid.Cid
	// Merged, Repeated and Serial count messages: executed ahead and found right, executed ahead in vain, and
	// executed in their turn only. They depend on Workers and decide nothing.
	Merged, Repeated, Serial int
}

const secondsAnEpoch = 30

// ApplyTipset executes a tipset as nodes do: cron for each null round, then for each block its messages and the
// reward of its miner, then cron, and a flush. The actors' code and the state come from ts.Blockstore, the result goes there.
//
// There is no result if any message can have no receipt (ErrInvalidMessage), if cron or a reward does not succeed, or
// if this node fails; the blockstore then has at most the states of null rounds.
func ApplyTipset(ctx context.Context, ts Tipset) (res *TipsetResult, err error) {
	defer caught("fvm.ApplyTipset", &err)
	return ts.apply(ctx)
}

func (ts *Tipset) apply(ctx context.Context) (*TipsetResult, error) {
	res := &TipsetResult{}
	cfg := ts.Config
	full, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	a := ts.newAhead(&full.Engine.guesses)
	defer a.end()
	defer a.begin(ctx)()
	for e := ts.ParentEpoch + 1; e < ts.Epoch; e++ {
		root, err := ts.nullRound(ctx, e, cfg.StateRoot, res, a)
		if err != nil {
			return nil, fmt.Errorf("the null round at epoch %d: %w", e, err)
		}
		cfg.StateRoot = root
	}
	if ts.Round != nil {
		var err error
		if cfg, err = ts.Round(ctx, cfg); err != nil {
			return nil, fmt.Errorf("the setting of epoch %d: %w", ts.Epoch, err)
		}
	}
	a.tipset(ctx, cfg)
	m, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	a.lend(m)
	pool := &parallel.Pool{Machine: m.m, Modules: m.modules, Workers: ts.Workers, Habits: m.habits}
	if a != nil {
		pool.Workers = 1
	}
	if err := m.applyBlocks(ctx, pool, ts.Blocks, res, a); err != nil {
		return nil, err
	}
	if res.Cron, err = a.listen(m.cron)(ctx); err != nil {
		return nil, err
	}
	a.stop()
	if res.Root, err = m.Flush(ctx); err != nil {
		return nil, err
	}
	res.Merged, res.Repeated, res.Serial = pool.Stats.Merged, pool.Stats.Repeated, pool.Stats.Serial-len(res.Rewards)
	return res, nil
}

func (ts *Tipset) nullRound(ctx context.Context, e abi.ChainEpoch, root cid.Cid, res *TipsetResult, a *ahead) (cid.Cid, error) {
	cfg := ts.Config
	cfg.Epoch, cfg.StateRoot = e, root
	cfg.Timestamp -= min(cfg.Timestamp, uint64(ts.Epoch-e)*secondsAnEpoch)
	if ts.Round != nil {
		var err error
		if cfg, err = ts.Round(ctx, cfg); err != nil {
			return cid.Undef, err
		}
	}
	a.nullRound(ctx, cfg)
	m, err := New(ctx, cfg)
	if err != nil {
		return cid.Undef, err
	}
	a.lend(m)
	r, err := a.listen(m.cron)(ctx)
	if err != nil {
		return cid.Undef, err
	}
	res.NullRounds = append(res.NullRounds, r)
	return m.Flush(ctx)
}

// steps is the messages of a tipset's blocks, each once, and after those of a block the reward of its miner.
type steps struct {
	list   []parallel.Step
	blocks []int // of each step
	seen   map[string]bool
	// What the messages of the block so far cost and give its miner.
	penalty, tip abi.TokenAmount
}

// applyBlocks executes the messages of blocks and rewards their miners.
func (m *Machine) applyBlocks(ctx context.Context, pool *parallel.Pool, blocks []TipsetBlock, res *TipsetResult, a *ahead) error {
	at := func(i int, err error) error {
		return fmt.Errorf("block %d of the tipset at epoch %d: %w", i, m.m.Epoch, err)
	}
	s := steps{seen: map[string]bool{}}
	for i := range blocks {
		if err := s.add(m.m.Epoch, i, &blocks[i]); err != nil {
			return at(i, err)
		}
	}
	s.penalty, s.tip = big.Zero(), big.Zero()
	done := 0
	err := m.applyMany(ctx, pool, s.list, func(i int, r *executor.Result) error {
		if err := s.done(i, newResult(r), res); err != nil {
			return err
		}
		done = i + 1
		if a != nil {
			a.rewarded.Store(int32(len(res.Rewards)))
		}
		return nil
	})
	if err != nil && done < len(s.blocks) {
		return at(s.blocks[done], err)
	}
	return err
}

// add adds the messages of a block that are new, and the reward of its miner.
func (s *steps) add(epoch abi.ChainEpoch, block int, b *TipsetBlock) error {
	for i, cm := range b.Messages {
		if err := checkMessage(cm.Message, Explicit, cm.ChainLength); err != nil {
			return fmt.Errorf("message %d: %w: %w", i, ErrInvalidMessage, err)
		}
		var raw bytes.Buffer
		if err := cm.Message.MarshalCBOR(&raw); err != nil {
			return fmt.Errorf("message %d: %w: %w", i, ErrInvalidMessage, err)
		}
		if !s.seen[raw.String()] {
			s.seen[raw.String()] = true
			s.list, s.blocks = append(s.list, parallel.Step{Message: (*executor.Message)(cm.Message), ChainLength: cm.ChainLength}), append(s.blocks, block)
		}
	}
	s.list, s.blocks = append(s.list, parallel.Step{Kind: executor.Implicit, Late: func() (*executor.Message, error) {
		return executor.RewardMessage(epoch, b.Miner, s.penalty, s.tip, b.WinCount)
	}}), append(s.blocks, block)
	return nil
}

// done hears of the result of a step.
func (s *steps) done(i int, r *Result, res *TipsetResult) error {
	if s.list[i].Kind == executor.Implicit {
		s.penalty, s.tip = big.Zero(), big.Zero()
		res.Rewards = append(res.Rewards, r)
		return succeeded("the block reward", r)
	}
	s.penalty, s.tip = big.Add(s.penalty, r.Penalty), big.Add(s.tip, r.MinerTip)
	res.Receipts = append(res.Receipts, r)
	return nil
}

// applyMany is Apply for several messages.
func (m *Machine) applyMany(ctx context.Context, pool *parallel.Pool, list []parallel.Step, done func(int, *executor.Result) error) (err error) {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	defer m.caught(&err)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := pool.Apply(ctx, list, done); err != nil {
		return m.failed(err)
	}
	return nil
}

// cron executes the epoch's cron message, which must succeed.
func (m *Machine) cron(ctx context.Context) (*Result, error) {
	r, err := m.ApplyImplicit(ctx, (*Message)(executor.CronMessage(m.m.Epoch)))
	if err != nil {
		return nil, fmt.Errorf("cron: %w", err)
	}
	return r, succeeded("cron", r)
}

func succeeded(what string, r *Result) error {
	if r.ExitCode.IsSuccess() {
		return nil
	}
	return fmt.Errorf("%s failed with exit code %d: %s", what, r.ExitCode, r.Failure)
}
