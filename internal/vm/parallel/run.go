package parallel

import (
	"context"
	"sync"

	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm/internal/vm/executor"
)

// run is one list of steps being executed.
type run struct {
	pool  *Pool
	steps []Step
	done  func(int, *executor.Result) error
	truth truth

	mu       sync.Mutex // of all below
	first    sync.Cond  // the calling goroutine waits for the first step that is left
	more     sync.Cond  // the others wait for something to run ahead
	idle     int        // of the others
	running  int        // goroutines that run a step ahead
	tasks    []task
	pace     pace
	executed int  // so many steps, of those at the front
	helping  bool // the calling goroutine runs a step ahead
	stop     bool
}

// task is where a step has got to.
type task struct {
	before  [2]int // the last steps before it that name its sender, its receiver; -1: none
	stage   stage
	attempt *attempt // when it has run
}

type stage uint8

const (
	waits stage = iota
	runs
	ran
)

func newRun(p *Pool, steps []Step, done func(int, *executor.Result) error) *run {
	r := &run{pool: p, steps: steps, done: done, tasks: make([]task, len(steps)), pace: p.Habits.get()}
	r.truth.tree, r.truth.store = p.Machine.Tree, p.Machine.Store
	r.first.L, r.more.L = &r.mu, &r.mu
	last := make(map[address.Address]int, len(steps))
	find := func(a address.Address) int {
		if i, ok := last[a]; ok {
			return i
		}
		return -1
	}
	for i := range steps {
		if s := &steps[i]; s.Late == nil {
			r.tasks[i].before = [2]int{find(s.From), find(s.To)}
			last[s.From], last[s.To] = i, i
		}
	}
	return r
}

// all executes the steps. When it returns, no other goroutine runs.
func (r *run) all(ctx context.Context) error {
	ahead, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer func() { // also of a panic
		cancel()
		r.mu.Lock()
		r.stop = true
		r.more.Broadcast()
		r.mu.Unlock()
		others.Wait()
		r.pool.Habits.put(r.pace)
	}()
	for range r.pool.Workers - 1 {
		others.Go(func() { r.work(ahead) })
	}
	for r.executed < len(r.steps) {
		if err := r.next(ctx, ahead); err != nil {
			return err
		}
	}
	return nil
}

// work runs steps ahead until all are executed.
func (r *run) work(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.stop {
		if !r.runAhead(ctx) {
			r.idle++
			r.more.Wait()
			r.idle--
		}
	}
}

// next executes the first step that is left, or runs another ahead while somebody runs that one.
func (r *run) next(ctx, ahead context.Context) error {
	r.mu.Lock()
	i := r.executed
	t := &r.tasks[i]
	r.helping = true
	for t.stage == runs || eager {
		if r.runAhead(ahead) {
			continue
		}
		if t.stage != runs {
			break
		}
		r.first.Wait()
	}
	r.helping = false
	t.stage = runs
	alone := r.alone()
	r.mu.Unlock()

	merged, err := false, error(nil)
	if t.attempt != nil {
		merged, err = r.merge(ctx, i, t.attempt)
	}
	if err == nil && !merged {
		err = r.inTurn(ctx, i, alone)
	}
	if err == nil && r.steps[i].Late != nil {
		r.review(ctx)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle(t, merged)
	return nil
}

// alone reports that nobody runs anything ahead, nor can until the first step that is left was executed; r.mu is held.
func (r *run) alone() bool {
	if r.running > 0 || eager {
		return false
	}
	_, _, ok := r.pick()
	return !ok
}

// settle counts a step that was executed, and lets those run that its end lets run.
func (r *run) settle(t *task, merged bool) {
	stats := &r.pool.Stats
	switch {
	case merged:
		stats.Merged++
		t.attempt.on = nil // all below it is merged
	case t.attempt != nil:
		stats.Repeated++
		t.attempt.broken = true
	default:
		stats.Serial++
	}
	r.pace.count(t.attempt != nil, merged)
	r.executed++
	if t.attempt != nil && !merged {
		r.drop(r.executed)
	}
	t.stage, t.attempt = ran, nil
	r.wake()
}

// drop forgets the attempts from a step on that stand on what was thrown away, to be made anew.
func (r *run) drop(from int) {
	for i := from; i < min(len(r.tasks), from+maxAhead); i++ {
		if t := &r.tasks[i]; t.attempt.doomed() {
			t.stage, t.attempt = waits, nil
		}
	}
}

// review drops what ran ahead of a late step, which may change much, and does not hold after it: that can run again at the
// same time as others, where in its turn it would run alone.
func (r *run) review(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := r.executed + 1; i < min(len(r.tasks), r.executed+1+maxAhead); i++ {
		a := r.tasks[i].attempt
		if a == nil || a.on != nil || a.result == nil {
			continue
		}
		r.truth.mu.Lock()
		ok, err := holds(r.truth.tree, ctx, a.fork.Tree)
		r.truth.mu.Unlock()
		a.broken = !ok || err != nil
	}
	r.drop(r.executed + 1)
}

// wake wakes one of the others if there is something for it.
func (r *run) wake() {
	if r.idle == 0 {
		return
	}
	if _, _, ok := r.pick(); ok {
		r.more.Signal()
	}
}

// runAhead runs a step ahead, if there is one; r.mu is held, but not meanwhile.
func (r *run) runAhead(ctx context.Context) bool {
	i, on, ok := r.pick()
	if !ok {
		return false
	}
	t := &r.tasks[i]
	t.stage = runs
	r.running++
	r.mu.Unlock()
	a := r.pool.try(ctx, &r.steps[i], &r.truth, on)
	r.mu.Lock()
	r.running--
	if t.stage, t.attempt = ran, a; on.doomed() {
		t.stage, t.attempt = waits, nil
	}
	if i == r.executed {
		r.first.Signal()
	}
	r.wake()
	return true
}

// pick finds a step to run ahead, and the attempt on whose fork. The first one that is left is the calling goroutine's, unless
// it does something else.
func (r *run) pick() (int, *attempt, bool) {
	if r.pace.resting > 0 && !eager {
		return 0, nil, false
	}
	i := r.executed
	if !r.helping {
		i++
	}
	for ; i < min(len(r.steps), r.executed+r.pace.ahead); i++ {
		if r.tasks[i].stage != waits || r.steps[i].Late != nil || r.steps[i].short() {
			continue
		}
		if on, ok := r.ground(&r.tasks[i]); ok {
			return i, on, true
		}
	}
	return 0, nil, false
}

// ground is the attempt whose fork has what the earlier steps with the same addresses did; nil if the true state has. Not ok: neither has.
func (r *run) ground(t *task) (on *attempt, ok bool) {
	last := max(t.before[0], t.before[1])
	if last < r.executed {
		return nil, true
	}
	on = r.tasks[last].attempt
	if on == nil || on.result == nil || on.depth == maxDepth {
		return nil, false
	}
	first := min(t.before[0], t.before[1])
	return on, first < r.executed || on.standsOn(r.tasks[first].attempt)
}

// merge makes the changes of an attempt if all that it read is still so.
func (r *run) merge(ctx context.Context, i int, a *attempt) (merged bool, err error) {
	if a.result == nil {
		return false, nil
	}
	err = r.truth.alone(func() error {
		ok, err := holds(r.truth.tree, ctx, a.fork.Tree)
		if err != nil || !ok {
			return nil // an error is that of the message, in its turn
		}
		merged = true
		return r.truth.tree.Merge(ctx, a.fork.Tree)
	})
	if err != nil || !merged {
		return false, err
	}
	if h := r.pool.Machine.Hooks; h != nil {
		for _, e := range a.events {
			h.Tell(e)
		}
	}
	return true, r.done(i, a.result)
}

// inTurn executes a step on the true state: directly if nobody else can read it.
func (r *run) inTurn(ctx context.Context, i int, alone bool) error {
	s := &r.steps[i]
	if err := s.make(); err != nil {
		return err
	}
	p := r.pool
	if alone {
		var res *executor.Result
		err := r.truth.alone(func() (err error) {
			res, err = p.execute(ctx, p.Machine, s)
			return err
		})
		if err != nil {
			return err
		}
		return r.done(i, res)
	}
	fork := p.Machine.Fork(&r.truth, &r.truth, p.Machine.Hooks)
	res, err := p.execute(ctx, fork, s)
	if err == nil {
		err = r.truth.alone(func() error { return r.truth.tree.Merge(ctx, fork.Tree) })
	}
	if err != nil {
		return err
	}
	return r.done(i, res)
}
