package fvm

import (
	"context"
	"errors"
	"strconv"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/internal/engine/aot"
	"github.com/edgefvm/fvm/internal/engine/tiered"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

// withCache is wazero with WasmEdge's machine code behind it, and what makes that code.
type withCache struct {
	*tiered.Engine
	cache *aot.Cache
}

func (e *withCache) Close(ctx context.Context) error {
	return errors.Join(e.Engine.Close(ctx), e.cache.Close())
}

// RunIfChild is for the first line of main in a program that uses an engine wasmedge: such a program is WasmEdge's compiler
// too, in a process of its own, and this call is what makes that process one. It does not return there. Elsewhere it
// notes that this program can be asked to compile, and returns at once. A program that does not call it, and names no other in
// EngineConfig.Compiler, runs only machine code that is in the cache: no program is ever looked for.
func RunIfChild() { aot.RunIfChild() }

// startWasmEdge makes the engines whose names begin with wasmedge.
func startWasmEdge(cfg EngineConfig) (_ engine.Engine, err error) {
	if !wasmedge.Built {
		return nil, wasmedge.ErrNotBuilt
	}
	levels, patient := []aot.Level{aot.O0, aot.O2}, false
	switch cfg.Name {
	case "wasmedge-o0":
		levels, patient = levels[:1], true
	case "wasmedge-o2":
		levels, patient = levels[1:], true
	}
	var command []string
	if cfg.Compiler != "" {
		command = []string{cfg.Compiler}
	}
	cache, err := aot.Open(aot.Options{
		Command: command, Dir: cfg.CacheDir, PassVersion: strconv.Itoa(instrument.PassVersion), Jobs: cfg.Jobs, Generic: cfg.Generic, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	opts := tiered.Options{Name: cfg.Name, Patient: patient, Workers: cfg.Jobs, Logger: cfg.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(opts), cache.Close())
		}
	}()
	base := cfg
	base.Name = wazeroName
	if opts.Base, err = startWazero(base); err != nil {
		return nil, err
	}
	for _, level := range levels {
		tier := tiered.Tier{Name: "wasmedge " + level.String(), Ready: func(wasm []byte) bool {
			_, ok := cache.Lookup(wasm, level)
			return ok
		}}
		tier.Engine, err = wasmedge.New(wasmedge.Options{Logger: cfg.Logger, Native: func(ctx context.Context, wasm []byte) (string, error) {
			return cache.Artefact(ctx, wasm, level)
		}})
		if err != nil {
			return nil, err
		}
		opts.Tiers = append(opts.Tiers, tier)
	}
	eng, err := tiered.New(opts)
	if err != nil {
		return nil, err
	}
	return &withCache{eng, cache}, nil
}

// closeAll closes engines that did not become one.
func closeAll(opts tiered.Options) error {
	var errs []error
	if opts.Base != nil {
		errs = append(errs, opts.Base.Close(context.Background()))
	}
	for _, t := range opts.Tiers {
		errs = append(errs, t.Engine.Close(context.Background()))
	}
	return errors.Join(errs...)
}
