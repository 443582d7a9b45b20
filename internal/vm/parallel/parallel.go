// Package parallel executes the messages of a tipset on several cores, with the results of executing them one after the
// other: receipts, gas, events, traces and state.
//
// fvm calls it; it calls executor, on forks of a machine. What a message does is not decided here, only when it runs and
// whether a result is still true.
//
// The calling goroutine takes the messages in order; it and others run messages ahead meanwhile. Such a message runs on a fork
// of the state as it is then, which records all that it reads. In its turn, if all that it has read is still so, its changes are
// merged; else they are thrown away and the message runs again on the true state. One that nobody has begun when its turn comes runs
// then. A message that names the sender or receiver of an earlier one runs ahead on the fork of that one. If this is in vain
// too often, none run ahead for a while.
//
// # What a message can observe
//
// Nothing else than this decides a receipt, so nothing else has to be compared:
//
//   - Actors (code, head, nonce, balance, delegated address) and that there are none: recorded by ID at the state tree, also
//     in calls that were reverted, and compared by value; the balance only if it was asked for.
//   - Which actor an address belongs to, and that it belongs to none: recorded by address. A fork that has changed the init
//     actor has read it whole, and looks in its own map.
//   - The next actor ID: it is in the init actor's state, so that two messages that make actors conflict. The address of a
//     new actor comes from the message alone.
//   - Blocks: the same bytes wherever they are found, since their CID says them. That one is missing can be observed (E2,
//     E3) and may be otherwise in order, so that a read that fails spoils the speculation. What a fork has written is
//     only relied on by those that stand on it, and these are thrown away with it.
//   - The balances of the burnt funds and reward actors, when fees are paid: not observed but added to; the addition is
//     merged. A message that asks for them reads them, as above.
//   - Gas: what is charged once a message (access of actors and addresses) is kept by message. Caches (HAMT nodes, compiled
//     code) charge nothing.
//   - Epoch, time, base fee, circulating supply, network version, prices, manifest: fixed for the machine. A message cannot see
//     the state root, other messages, or how much gas a block has left.
//   - Randomness, tipset CIDs, consensus faults, proofs: the node's answers, which depend on what is asked.
//   - Code of actors: by CID, see blocks. Compiled code is shared by all machines of an engine, as it is without this package.
//
// A failure of the node, a message that can have no receipt, or a panic while speculating is none: the message runs again in its
// turn, and fails there or not.
package parallel

import (
	"context"

	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/trace"
)

// Step is a message to execute.
type Step struct {
	*executor.Message
	ChainLength int // bytes
	Kind        executor.Kind
	// Late makes the message in its turn, when the results of those before are known. It does not run ahead.
	Late func() (*executor.Message, error)
}

// short reports that to run the step is hardly more work than to merge it: no code of its receiver's runs.
func (s *Step) short() bool { return s.Late == nil && s.Method == 0 && !eager }

// Stats count how messages ran.
type Stats struct {
	Merged   int // speculations that held
	Repeated int // speculations that did not hold; the messages ran again
	Serial   int // messages that ran once, in their turn
}

// holds is the comparison on which all stands; a test replaces it.
var holds = (*state.Tree).Holds

// eager makes all messages run ahead that can, before any is executed, and never rest. Tests set it, to see more.
var eager = false

// forgetful makes every list begin without habits. Tests set it, to see more.
var forgetful = false

// Pool executes messages on one machine. It belongs to one goroutine at a time, which must not use the machine meanwhile.
type Pool struct {
	Machine *machine.Machine
	Modules *call.Modules
	Workers int     // goroutines; below 2, all messages run in their turn
	Habits  *Habits // may be nil
	Stats   Stats
}

// Apply executes messages as if one after the other. Done hears of each result in order, on the calling goroutine. The first
// error, of a message or of done, ends it; the messages before are then executed. Externs, proof verifier and base store must be
// safe for several goroutines.
func (p *Pool) Apply(ctx context.Context, steps []Step, done func(i int, r *executor.Result) error) error {
	if p.Workers < 2 || worthwhile(steps) < 2 || tracesOpcodes(p.Machine.Hooks) {
		return p.serial(ctx, steps, done)
	}
	return newRun(p, steps, done).all(ctx)
}

// worthwhile is how many steps can run ahead.
func worthwhile(steps []Step) (n int) {
	for i := range steps {
		if s := &steps[i]; s.Late == nil && !s.short() {
			n++
		}
	}
	return n
}

func (p *Pool) serial(ctx context.Context, steps []Step, done func(int, *executor.Result) error) error {
	for i := range steps {
		if err := steps[i].make(); err != nil {
			return err
		}
		p.Stats.Serial++
		r, err := p.execute(ctx, p.Machine, &steps[i])
		if err == nil {
			err = done(i, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// make makes a late message.
func (s *Step) make() (err error) {
	if s.Late != nil {
		s.Message, err = s.Late()
	}
	return err
}

func (p *Pool) execute(ctx context.Context, m *machine.Machine, s *Step) (*executor.Result, error) {
	if err := execerr.Interrupted(ctx); err != nil {
		return nil, err
	}
	return executor.Execute(ctx, m, p.Modules, s.Message, s.Kind, s.ChainLength)
}

// tracesOpcodes: those of an attempt cannot be kept and told later, so each message runs in its turn.
func tracesOpcodes(h *trace.Hooks) bool { return h != nil && h.OnOpcode != nil }
