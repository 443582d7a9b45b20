package cli

import (
	"context"
	"slices"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/trace"
)

// The phases of a message, in the order in which they are shown; those of syscalls come after guest, one
// for each module of imports.
const (
	phasePreflight   = "preflight"   // until the first call begins
	phaseCalls       = "calls"       // the call manager: frames, addresses, transfers, gas, modules looked up
	phaseCompile     = "compile"     // none in a warm run
	phaseInstantiate = "instantiate" // making and closing instances
	phaseGuest       = "guest"       // the actors' own code
	phaseSyscalls    = "syscalls "   // and the module's name
	phaseReads       = "store reads"
	phaseSettle      = "settle" // receipt, events' root, fees
	phaseFlush       = "flush"  // once a vector
	phaseWrites      = "store writes"
)

var phaseOrder = []string{phasePreflight, phaseCalls, phaseCompile, phaseInstantiate, phaseGuest, phaseSyscalls, phaseReads, phaseSettle, phaseFlush, phaseWrites}

// phases are times by phase.
type phases map[string]time.Duration

func (p phases) add(more phases) {
	for name, d := range more {
		p[name] += d
	}
}

func (p phases) total() (sum time.Duration) {
	for _, d := range p {
		sum += d
	}
	return sum
}

// names are the phases that took time, in their order.
func (p phases) names() (list []string) {
	var all []string
	for name := range p {
		all = append(all, name)
	}
	slices.Sort(all)
	for _, want := range phaseOrder {
		for _, name := range all {
			if name == want || want == phaseSyscalls && len(name) > len(want) && name[:len(want)] == want {
				list = append(list, name)
			}
		}
	}
	return list
}

// probe gives each moment of a run to one phase: the innermost that is open. It looks from outside: at the
// engine, at the blockstore, and at the calls that the hooks of package trace tell. Its clocks cost time of their
// own, some 50 ns a change, which is why no ratio comes from a run with a probe. It belongs to one goroutine.
type probe struct {
	on    bool
	began time.Time
	last  time.Duration // since began, when the phase last changed
	open  []int
	spent []time.Duration
	names []string
	made  []int // sizes of the blocks that actors made, in bytes
}

func newProbe() *probe { return &probe{began: time.Now()} }

// phase is the number of a phase.
func (p *probe) phase(name string) int {
	if i := slices.Index(p.names, name); i >= 0 {
		return i
	}
	p.names, p.spent = append(p.names, name), append(p.spent, 0)
	return len(p.names) - 1
}

// change books the time since the last change on the innermost phase.
func (p *probe) change() {
	now := time.Since(p.began)
	if n := len(p.open); n > 0 {
		p.spent[p.open[n-1]] += now - p.last
	}
	p.last = now
}

// enter opens a phase, and returns what leave must be given.
func (p *probe) enter(phase int) (depth int) {
	if !p.on {
		return 0
	}
	p.change()
	p.open = append(p.open, phase)
	return len(p.open) - 1
}

// leave closes phases down to a depth: those inside it that nobody closed too.
func (p *probe) leave(depth int) {
	if p.on && depth < len(p.open) {
		p.change()
		p.open = p.open[:depth]
	}
}

// measure runs f, which begins in a phase, and returns where its time went.
func (p *probe) measure(name string, f func()) phases {
	clear(p.spent)
	p.open, p.on = p.open[:0], true
	p.enter(p.phase(name))
	f()
	p.leave(0)
	p.on = false
	got := phases{}
	for i, d := range p.spent {
		if d > 0 {
			got[p.names[i]] = d
		}
	}
	return got
}

// hooks open a phase for each call, and tell when the outermost one is over.
func (p *probe) hooks() *trace.Hooks {
	calls, settle := p.phase(phaseCalls), p.phase(phaseSettle)
	end := func() {
		for i := len(p.open) - 1; i > 0; i-- {
			if p.open[i] != calls {
				continue
			}
			p.leave(i)
			if i == 1 {
				p.open[0] = settle
			}
			return
		}
	}
	return &trace.Hooks{
		OnCall:   func(*trace.Call) { p.enter(calls) },
		OnReturn: func(*trace.Return) { end() },
		OnError:  func(*trace.Error) { end() },
		OnIPLD: func(b *trace.IPLD) {
			if p.on && b.Put {
				p.made = append(p.made, b.Size)
			}
		},
	}
}

// hashing is what hashing so many bytes takes, block by block: hashed again, since the hash itself cannot be
// watched without a clock in the rooms that decide results.
func hashing(sizes []int) time.Duration {
	if len(sizes) == 0 {
		return 0
	}
	data := make([]byte, slices.Max(sizes))
	start := time.Now()
	for _, n := range sizes {
		crypto.Blake2b256(data[:n])
	}
	return time.Since(start)
}

// probedEngine times what an engine does.
type probedEngine struct {
	engine.Engine
	p *probe
}

func (e probedEngine) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	cfg.Host = slices.Clone(cfg.Host)
	for i := range cfg.Host {
		h := &cfg.Host[i]
		if h.Fn == nil {
			continue // the adapter says so
		}
		run, phase := h.Fn, e.p.phase(phaseSyscalls+h.Module)
		h.Fn = func(ctx context.Context, in engine.Instance, stack []uint64) error {
			depth := e.p.enter(phase)
			defer e.p.leave(depth)
			return run(ctx, in.Data().(*probedInstance), stack)
		}
	}
	v, err := e.Engine.Env(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return probedEnv{v, e.p}, nil
}

type probedEnv struct {
	engine.Env
	p *probe
}

func (v probedEnv) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	defer v.p.leave(v.p.enter(v.p.phase(phaseCompile)))
	m, err := v.Env.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return probedModule{m, v.p, v.p.phase(phaseInstantiate), v.p.phase(phaseGuest)}, nil
}

type probedModule struct {
	engine.Module
	p                  *probe
	instantiate, guest int
}

func (m probedModule) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	defer m.p.leave(m.p.enter(m.instantiate))
	in := &probedInstance{m: &m, data: data}
	var err error
	if in.Instance, err = m.Module.Instantiate(ctx, in); err != nil {
		return nil, err
	}
	return in, nil
}

// probedInstance is its instance's data, so that host functions find the way back.
type probedInstance struct {
	engine.Instance
	m    *probedModule
	data any
}

func (in *probedInstance) Data() any { return in.data }

func (in *probedInstance) Call(ctx context.Context, export string, stack []uint64) error {
	defer in.m.p.leave(in.m.p.enter(in.m.guest))
	return in.Instance.Call(ctx, export, stack)
}

func (in *probedInstance) Close(ctx context.Context) error {
	defer in.m.p.leave(in.m.p.enter(in.m.instantiate))
	return in.Instance.Close(ctx)
}

// probedStore times the store below the machine's own buffer.
type probedStore struct {
	blockstore.Blockstore
	p             *probe
	reads, writes int
}

func newProbedStore(base blockstore.Blockstore, p *probe) probedStore {
	return probedStore{base, p, p.phase(phaseReads), p.phase(phaseWrites)}
}

func (s probedStore) Has(ctx context.Context, c cid.Cid) (bool, error) {
	defer s.p.leave(s.p.enter(s.reads))
	return s.Blockstore.Has(ctx, c)
}

func (s probedStore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	defer s.p.leave(s.p.enter(s.reads))
	return s.Blockstore.Get(ctx, c)
}

func (s probedStore) Put(ctx context.Context, b blocks.Block) error {
	defer s.p.leave(s.p.enter(s.writes))
	return s.Blockstore.Put(ctx, b)
}

func (s probedStore) PutMany(ctx context.Context, bs []blocks.Block) error {
	defer s.p.leave(s.p.enter(s.writes))
	return s.Blockstore.PutMany(ctx, bs)
}

// engine puts the probe around an adapter.
func (p *probe) engine(e engine.Engine) engine.Engine { return probedEngine{e, p} }
