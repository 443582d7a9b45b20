package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
)

// counts is what guests did, of all goroutines.
type counts struct{ modules, instances, calls, host, traps atomic.Int64 }

func (c *counts) String() string {
	return fmt.Sprintf("%d modules, %d instances, %d calls of guests, %d calls of the host, %d traps",
		c.modules.Load(), c.instances.Load(), c.calls.Load(), c.host.Load(), c.traps.Load())
}

// newCounting is wazero with counts of what its guests do. Each layer of the contract is wrapped in turn; what a wrapper does
// not change it inherits.
func newCounting(cacheDir string, c *counts) (engine.Engine, error) {
	under, err := wazero.New(wazero.Options{CacheDir: cacheDir})
	if err != nil {
		return nil, err
	}
	return countingEngine{under, c}, nil
}

type countingEngine struct {
	engine.Engine
	*counts
}

func (countingEngine) Name() string { return "counting" }

func (e countingEngine) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	host := make([]engine.HostFunc, len(cfg.Host)) // the caller's list stays as it is
	copy(host, cfg.Host)
	for i := range host {
		if fn := host[i].Fn; fn != nil { // one without is refused below
			host[i].Fn = func(ctx context.Context, in engine.Instance, stack []uint64) error {
				e.host.Add(1)
				return fn(ctx, in.Data().(*countingInstance), stack) // the instance that its maker knows
			}
		}
	}
	cfg.Host = host
	under, err := e.Engine.Env(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return countingEnv{under, e.counts}, nil
}

type countingEnv struct {
	engine.Env
	*counts
}

func (e countingEnv) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	under, err := e.Env.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	e.modules.Add(1)
	return countingModule{under, e.counts}, nil
}

type countingModule struct {
	engine.Module
	*counts
}

func (m countingModule) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	in := &countingInstance{counts: m.counts, data: data}
	under, err := m.Module.Instantiate(ctx, in) // so that host functions find it
	if err != nil {
		return nil, err
	}
	in.Instance = under
	m.instances.Add(1)
	return in, nil
}

type countingInstance struct {
	engine.Instance
	*counts
	data any
}

func (i *countingInstance) Data() any { return i.data }

func (i *countingInstance) Call(ctx context.Context, export string, stack []uint64) error {
	i.calls.Add(1)
	err := i.Instance.Call(ctx, export, stack)
	if _, ok := err.(*engine.Trap); ok { // an error goes on as it came: it says whose fault it is
		i.traps.Add(1)
	}
	return err
}
