package bench

import (
	"context"
	"slices"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
)

// engine puts the probe around an adapter.
func (p *probe) engine(e engine.Engine) engine.Engine { return probedEngine{e, p} }

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
		run, phase := h.Fn, e.p.phase(syscallsOf(h.Module))
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
	defer v.p.leave(v.p.enter(v.p.phase(Compile)))
	m, err := v.Env.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return probedModule{m, v.p, v.p.phase(Instantiate), v.p.phase(Guest)}, nil
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
	return probedStore{base, p, p.phase(Reads), p.phase(Writes)}
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
