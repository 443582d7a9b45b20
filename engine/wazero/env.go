package wazero

import (
	"context"
	"errors"
	"fmt"
	"sync"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/edgefvm/fvm/engine"
)

type hostKey struct{ module, name string }

type hostSig struct{ params, results string }

// env is one wazero runtime: a namespace of host modules and what imports them.
type env struct {
	eng     *wazeroEngine
	rt      wz.Runtime
	modcfg  wz.ModuleConfig
	host    map[hostKey]hostSig
	funcs   []engine.HostFunc
	counter string
	reset   string // section that says how to make a guest new, empty for none
	closed  bool   // guarded by the shelf's lock

	mu    sync.Mutex
	spare wz.Runtime // without a cache on disk, nil until needed
}

// bind links the host functions into rt, one wazero module per module name.
func (v *env) bind(ctx context.Context, rt wz.Runtime) error {
	builders := map[string]wz.HostModuleBuilder{}
	var order []wz.HostModuleBuilder
	for i := range v.funcs {
		h := &v.funcs[i]
		b := builders[h.Module]
		if b == nil {
			b = rt.NewHostModuleBuilder(h.Module)
			builders[h.Module] = b
			order = append(order, b)
		}
		b.NewFunctionBuilder().
			WithGoModuleFunction(&hostFunc{h.Fn}, valueTypes(h.Params), valueTypes(h.Results)).Export(h.Name)
	}
	for _, b := range order {
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("wazero: binding host functions: %w", err)
		}
	}
	return nil
}

// withoutDisk is a second runtime, for when the folder of the first is lost.
func (v *env) withoutDisk(ctx context.Context, cause error) (wz.Runtime, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.spare != nil {
		return v.spare, nil
	}
	v.eng.log.Warn("compiled code is no longer cached", "err", cause)
	rt := wz.NewRuntimeWithConfig(context.Background(), v.eng.config.WithCompilationCache(wz.NewCompilationCache()))
	if err := v.bind(ctx, rt); err != nil {
		return nil, errors.Join(err, rt.Close(ctx))
	}
	v.spare = rt
	return rt, nil
}

func valueTypes(ts []engine.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(ts))
	for i, t := range ts {
		out[i] = api.ValueType(t)
	}
	return out
}

func (v *env) Close(ctx context.Context) error {
	v.eng.forget(v)
	return v.close(ctx)
}

func (v *env) close(ctx context.Context) error {
	v.eng.shelf.end(v)
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.rt.Close(ctx)
	if v.spare != nil {
		err = errors.Join(err, v.spare.Close(ctx))
	}
	return err
}
