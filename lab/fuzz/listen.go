package fuzz

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
)

// Listener is an engine that notes what each syscall gives to guests, of whatever actor. It changes nothing. Safe for concurrent use.
type Listener struct {
	engine.Engine

	mu    sync.Mutex
	heard map[string]int
}

// Listen wraps an engine. Closing it closes the engine.
func Listen(e engine.Engine) *Listener {
	return &Listener{Engine: e, heard: map[string]int{}}
}

// Take returns what was heard since the last call: "era 4 ipld::block_open 6" and how often.
func (l *Listener) Take() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = map[string]int{}
	return heard
}

// Env listens to the host functions.
func (l *Listener) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	era := eraOf(cfg.Host)
	cfg.Host = slices.Clone(cfg.Host)
	for i := range cfg.Host {
		h := &cfg.Host[i]
		if h.Module == "edgefvm" || len(h.Results) != 1 { // the pass's own
			continue
		}
		h.Fn = l.listen(fmt.Sprintf("era %d %s::%s", era, h.Module, h.Name), h.Fn)
	}
	return l.Engine.Env(ctx, cfg)
}

func (l *Listener) listen(name string, run func(context.Context, engine.Instance, []uint64) error) func(context.Context, engine.Instance, []uint64) error {
	return func(ctx context.Context, in engine.Instance, stack []uint64) error {
		err := run(ctx, in, stack)
		if err == nil {
			l.mu.Lock()
			l.heard[fmt.Sprint(name, " ", uint32(stack[0]))]++
			l.mu.Unlock()
		}
		return err
	}
}

// eraOf tells the era of the syscall interface by what only it has.
func eraOf(host []engine.HostFunc) int {
	has := map[string]int{}
	for _, h := range host {
		has[h.Module+"::"+h.Name] = len(h.Params)
	}
	switch {
	case has["vm::abort"] > 0:
		return 2
	case has["self::self_destruct"] == 2:
		return 3
	}
	return 4
}

// ListeningWazero is the engine wazero with a listener. cacheDir may be empty: compiled code is not kept.
func ListeningWazero(cacheDir string) (*fvm.Engine, *Listener, error) {
	e, err := wazero.New(wazero.Options{CacheDir: cacheDir})
	if err != nil {
		return nil, nil, err
	}
	ear := Listen(e)
	return fvm.EngineFrom(ear), ear, nil
}
