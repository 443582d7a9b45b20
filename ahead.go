package fvm

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// ahead runs parts of a tipset before their turn, on other goroutines and on states that are older than the true one, and keeps
// what their guests did on tapes. When the turn comes a tape stands for its guest as long as it gets the answers that it got before
// (syscalls.Tape). It is for tipsets with few messages, which is all of a chain that has little traffic: what takes time there is the
// system's own messages, which come one after the other. Tipsets with many messages are for package parallel.
//
// What is run ahead: the messages, while cron runs in the null rounds before; the rewards, but for the first block's, while the messages
// and that one are executed; and of cron those calls that it made in the last epochs too.
type ahead struct {
	ts      *Tipset
	book    *call.Book
	guesses *guesses
	all     steps // of the tipset
	running sync.WaitGroup
	cancel  context.CancelFunc // of what runs at the moment

	rewarded atomic.Int32 // so many blocks' miners have their rewards

	mu   sync.Mutex
	pays map[int]pay // of blocks whose messages were run ahead
}

// pay is what a block's messages cost its miner and give it.
type pay struct{ penalty, tip abi.TokenAmount }

// fewMessages is up to how many a tipset's system messages are the larger part of its work.
const fewMessages = 24

// newAhead is nil if nothing is to be run ahead.
func (ts *Tipset) newAhead(guesses *guesses) *ahead {
	if ts.Workers < 2 || ts.Hooks != nil {
		return nil
	}
	a := &ahead{ts: ts, book: call.NewBook(), guesses: guesses, pays: map[int]pay{}}
	a.all.seen = map[string]bool{}
	for i := range ts.Blocks {
		if a.all.add(ts.Epoch, i, &ts.Blocks[i]) != nil {
			return nil // the machine will say it
		}
	}
	if len(a.all.list)-len(ts.Blocks) > fewMessages {
		return nil
	}
	return a
}

// task runs something on a machine of its own.
type task func(ctx context.Context, m *machine.Machine, modules *call.Modules)

// run begins tasks on machines with a setting. Those before them end.
func (a *ahead) run(ctx context.Context, cfg Config, tasks ...task) {
	a.stop()
	a.book.Turn(cfg.Epoch)
	if len(tasks) == 0 {
		return
	}
	ctx, a.cancel = context.WithCancel(ctx)
	var next atomic.Int32
	for range min(a.ts.Workers-1, len(tasks)) {
		a.running.Go(func() {
			defer func() { _ = recover() }() // in its turn it panics again
			m, err := newMachine(ctx, cfg)
			if err != nil {
				return
			}
			modules := m.modules.Ahead(a.book)
			for i := int(next.Add(1)) - 1; i < len(tasks) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				tasks[i](ctx, m.m, modules)
			}
		})
	}
}

// stop ends what runs, soon.
func (a *ahead) stop() {
	if a != nil && a.cancel != nil {
		a.cancel()
	}
}

// end waits until nothing runs.
func (a *ahead) end() {
	if a != nil {
		a.stop()
		a.running.Wait()
	}
}

// lend lets a machine look into the book.
func (a *ahead) lend(m *Machine) {
	if a != nil {
		m.modules = m.modules.With(a.book)
	}
}

// nullRound begins what is ahead of a null round's machine: its cron, and after it the tipset's messages.
func (a *ahead) nullRound(ctx context.Context, cfg Config) {
	if a == nil {
		return
	}
	a.run(ctx, cfg, a.cron(cfg.Epoch, a.guesses.cron(true))...)
}

// tipset begins what is ahead of the tipset's own machine.
func (a *ahead) tipset(ctx context.Context, cfg Config) {
	if a == nil {
		return
	}
	var tasks []task
	if len(a.ts.Blocks) > 1 {
		tasks = append(tasks, a.rewards)
	}
	a.run(ctx, cfg, append(tasks, a.cron(cfg.Epoch, a.guesses.cron(false))...)...)
}

// cron are tasks that make calls of cron's.
func (a *ahead) cron(epoch abi.ChainEpoch, calls []call.Heard) (tasks []task) {
	for _, c := range calls {
		tasks = append(tasks, func(ctx context.Context, m *machine.Machine, modules *call.Modules) {
			_ = executor.Ahead(ctx, m, modules, executor.CronMessage(epoch), c.Request) // in its turn it fails again
		})
	}
	return tasks
}

// rewards runs the rewards of blocks. If their messages were run before it begins with the last one and meets the true execution
// half way; else it begins after the first one, each with its messages.
func (a *ahead) rewards(ctx context.Context, m *machine.Machine, modules *call.Modules) {
	n := len(a.ts.Blocks)
	a.mu.Lock()
	known := len(a.all.list) == n || len(a.pays) == n
	a.mu.Unlock()
	for i := 1; i < n && ctx.Err() == nil; i++ {
		b := i
		if known {
			b = n - i
		}
		a.mu.Lock()
		p, ok := a.pays[b]
		a.mu.Unlock()
		if int(a.rewarded.Load()) >= b { // it has its turn
			if known {
				return
			}
			continue
		}
		if !ok {
			p = a.messages(ctx, m, modules, b)
		}
		block := &a.ts.Blocks[b]
		msg, err := executor.RewardMessage(a.ts.Epoch, block.Miner, p.penalty, p.tip, block.WinCount)
		if err != nil {
			return
		}
		_, _ = executor.Execute(ctx, m, modules, msg, executor.Implicit, 0) // in its turn it fails again
	}
}

// messages runs those of a block.
func (a *ahead) messages(ctx context.Context, m *machine.Machine, modules *call.Modules, block int) pay {
	p := pay{big.Zero(), big.Zero()}
	for i, s := range a.all.list {
		if a.all.blocks[i] != block || s.Kind == executor.Implicit {
			continue
		}
		r, err := executor.Execute(ctx, m, modules, s.Message, s.Kind, s.ChainLength)
		if err != nil {
			continue
		}
		p.penalty, p.tip = big.Add(p.penalty, r.Penalty), big.Add(p.tip, r.MinerTip)
	}
	return p
}

// begin begins the messages before the null rounds.
func (a *ahead) begin(ctx context.Context) (end func()) {
	if a == nil || len(a.all.list) == len(a.ts.Blocks) || a.ts.ParentEpoch+1 >= a.ts.Epoch {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	cfg := a.ts.Config
	a.running.Go(func() {
		defer func() { _ = recover() }() // as in run
		m, err := newMachine(ctx, cfg)
		if err != nil {
			return
		}
		modules := m.modules.Ahead(a.book)
		for b := range a.ts.Blocks {
			p := a.messages(ctx, m.m, modules, b)
			if ctx.Err() != nil {
				return
			}
			a.mu.Lock()
			a.pays[b] = p
			a.mu.Unlock()
		}
	})
	return cancel
}

// guesses are the calls that cron made in the last epochs of an engine's tipsets. They decide only time. Safe for several
// goroutines; the zero value knows nothing.
type guesses struct {
	mu         sync.Mutex
	last, same []call.Heard // of the last epoch, and those of them that the one before had too
}

func (g *guesses) learn(heard []call.Heard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := map[call.HeardKey]bool{}
	for i := range g.last {
		before[g.last[i].Key()] = true
	}
	g.same = g.same[:0:0]
	for i := range heard {
		if before[heard[i].Key()] {
			g.same = append(g.same, heard[i])
		}
	}
	g.last = heard
}

// firstGas is the work that is done before what runs ahead has begun.
const firstGas = 2_000_000_000 // milligas

// cron are the calls that cron is expected to make and that can be made ahead: what runs ahead is to come before its turn. After messages
// and rewards they are only those that cron makes itself, since what actors call for it depends on these. Gas is the measure of time.
func (g *guesses) cron(alone bool) (list []call.Heard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := gas.Gas(firstGas)
	var end gas.Gas // of the last one that is taken
	for _, h := range g.same {
		cost := h.End.Sub(h.Begin)
		if h.End < h.Begin || h.Begin < end || !alone && h.Depth > 1 || alone && now.Add(cost/2) > h.Begin {
			continue
		}
		list, end, now = append(list, h), h.End, now.Add(cost)
	}
	if !alone && len(list) > 0 && list[0].Begin == g.first() {
		list = list[1:] // it is made at once
	}
	return list
}

// first is when cron makes its first call.
func (g *guesses) first() gas.Gas {
	if len(g.last) == 0 {
		return 0
	}
	return g.last[0].Begin
}

// listen is cron whose calls are learnt.
func (a *ahead) listen(cron func(context.Context) (*Result, error)) func(context.Context) (*Result, error) {
	if a == nil {
		return cron
	}
	return func(ctx context.Context) (*Result, error) {
		a.book.Listen()
		r, err := cron(ctx)
		a.guesses.learn(a.book.Heard())
		return r, err
	}
}
