package fuzz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/vector"
)

// Options say what a campaign runs, and where.
type Options struct {
	Actors *vector.Actors
	// Engines makes the engines of one worker: ours first, then others that must agree with it. keep is false for code that is
	// seen once: what is compiled need not outlive the engine. The listener, if any, is of the first engine. Required.
	Engines func(keep bool) ([]*fvm.Engine, *Listener, error)
	// Oracle is the program of the reference. Required.
	Oracle string
	Seed   uint64
	// Layers by name. Default: all.
	Layers []string
	// Versions are network versions. Default: all that there are.
	Versions []network.Version
	// Jobs is how many cases run at once, each with a reference of its own. Default: 1.
	Jobs int
	// Cases bounds the cases of each layer. 0: until the context ends.
	Cases uint64
	// Reaching runs only the cases that reach all (Reaching), of each version, and ends.
	Reaching bool
	// Messages bounds the messages of the campaign, from its beginning on: each layer has an equal part. 0: no bound.
	Messages int
	// Only runs one case, of the one layer. Nil: many.
	Only *uint64
	// Corpus are vector files whose messages layer actors changes, besides calls of its own.
	Corpus []string
	// Dir keeps the state of the campaign, and vectors of differences. Empty: nothing is kept.
	Dir string
	// Most is how many differences end the campaign. Default: 1.
	Most int
	// Progress hears how it goes, every few seconds and once at the end. Default: nobody.
	Progress func(*Report)
}

// Finding is a difference.
type Finding struct {
	Layer       string              `json:"layer"`
	Seed        uint64              `json:"seed"`
	Index       uint64              `json:"index"`
	NV          network.Version     `json:"nv"`
	Note        string              `json:"note"`
	Differences []vector.Difference `json:"differences"`
	// Saved is the vector of the case made smaller; of Parts parts, Left are left.
	Saved string `json:"saved,omitempty"`
	Parts int    `json:"parts"`
	Left  int    `json:"left"`
	Error string `json:"error,omitempty"` // why it could not be saved
}

type campaign struct {
	Options
	f      *factory
	layers []layer

	mu       sync.Mutex
	rep      *Report
	claimed  map[string]uint64          // the next index of each layer
	flying   map[string]map[uint64]bool // indices that are running
	order    int
	stop     context.CancelFunc
	step     uint64 // from a case to the next
	started  time.Time
	resumed  time.Duration
	lastSave time.Time
	// players are engines that scenes are played on.
	players []*fvm.Engine
}

// Run runs a campaign until the context ends, the cases are done, or enough differences are found. What happened is in
// the report, in any case. An error is one of the surroundings, not a difference.
func Run(ctx context.Context, opts Options) (*Report, error) {
	c, err := newCampaign(opts)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	c.stop = stop
	errs := make([]error, max(opts.Jobs, 1))
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() {
			errs[i] = c.work(running, i)
			if errs[i] != nil {
				stop()
			}
		})
	}
	workers.Wait()
	for _, e := range c.players {
		_ = e.Close(context.WithoutCancel(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err = errors.Join(append(errs, c.save())...)
	if c.Progress != nil {
		c.Progress(c.rep)
	}
	return c.rep, err
}

func newCampaign(opts Options) (*campaign, error) {
	w, err := newWorlds(opts.Actors)
	if err != nil {
		return nil, err
	}
	c := &campaign{Options: opts, claimed: map[string]uint64{}, flying: map[string]map[uint64]bool{}, step: 1, started: time.Now(), lastSave: time.Now()}
	c.Most = max(c.Most, 1)
	if len(c.Versions) == 0 {
		c.Versions = Versions()
	}
	if c.Reaching {
		c.step, c.Cases = reachingFirst, uint64(len(c.Versions))*streak
	}
	c.f = &factory{worlds: w, seed: opts.Seed, nvs: c.Versions}
	c.f.theater.engine = c.player
	for _, l := range layers() {
		if (len(opts.Layers) == 0 || slices.Contains(opts.Layers, l.name)) && (l.reaching || !c.Reaching) {
			c.layers = append(c.layers, l)
		}
	}
	for _, name := range opts.Layers {
		if names, _ := Layers(); !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no layer %q; there are %v", name, names)
		}
	}
	if len(c.layers) == 0 {
		return nil, fmt.Errorf("no case of the layers %v is there to reach all", opts.Layers)
	}
	if c.f.corpus, err = readCorpus(opts.Corpus, c.Versions, opts.Actors); err != nil {
		return nil, err
	}
	if opts.Only != nil && len(c.layers) != 1 {
		return nil, errors.New("one case is of one layer: name it")
	}
	if c.rep, err = c.load(); err != nil {
		return nil, err
	}
	c.resumed = c.rep.Took
	for name, t := range c.rep.Layers {
		c.claimed[name] = t.Next
	}
	return c, nil
}

// player is the engine that scenes are played on.
func (c *campaign) player() (*fvm.Engine, error) {
	list, _, err := c.Engines(true)
	if err != nil {
		return nil, err
	}
	c.players = append(c.players, list...)
	return list[0], nil
}

// claim gives out the next case, the layers in turn. False: there is none.
func (c *campaign) claim() (*layer, uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range c.layers {
		l := &c.layers[c.order/streak%len(c.layers)]
		i := c.claimed[l.name]
		switch {
		case c.Only != nil && i == 0:
			c.claimed[l.name] = 1
			return l, *c.Only, true
		case c.Only == nil && (c.Cases == 0 || i < c.Cases) && !c.enough(l):
			c.order++
			c.claimed[l.name] = i + c.step
			if c.flying[l.name] == nil {
				c.flying[l.name] = map[uint64]bool{}
			}
			c.flying[l.name][i] = true
			return l, i, true
		}
		c.order += streak
	}
	return nil, 0, false
}

// enough tells whether a layer had its part of the messages.
func (c *campaign) enough(l *layer) bool {
	t := c.rep.Layers[l.name]
	return c.Messages > 0 && t != nil && t.Messages*len(c.layers) >= c.Messages
}

// worker runs cases on engines and oracles of its own. Cases with code of their own have an oracle for themselves, which is started anew now
// and then: it keeps all code. The other keeps the builtin actors, which take it long to compile.
type worker struct {
	*campaign
	peers   map[bool]*duel.Peer    // by whether the code is kept
	engines map[bool][]*fvm.Engine // likewise
	// listeners are those of the first engines.
	listeners map[bool]*Listener
	strange   int // cases with code of their own since the engines were made
}

func (c *campaign) work(ctx context.Context, number int) error {
	w := &worker{campaign: c, peers: map[bool]*duel.Peer{true: duel.NewPeer(c.Oracle), false: duel.NewPeer(c.Oracle)}, engines: map[bool][]*fvm.Engine{}, listeners: map[bool]*Listener{}}
	defer w.close(context.WithoutCancel(ctx))
	for ctx.Err() == nil {
		l, i, ok := c.claim()
		if !ok {
			return nil
		}
		if err := w.one(ctx, l, i); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (w *worker) close(ctx context.Context) {
	for _, p := range w.peers {
		p.Close()
	}
	for _, list := range w.engines {
		for _, e := range list {
			_ = e.Close(ctx)
		}
	}
}

// What is compiled for cases with code of their own is thrown away now and then.
const (
	strangeEngine = 400
	strangeOracle = 6000
)

func (w *worker) enginesFor(ctx context.Context, l *layer) ([]*fvm.Engine, error) {
	if l.code {
		w.peers[false].Recycle(strangeOracle)
		if w.strange++; w.strange > strangeEngine {
			for _, e := range w.engines[false] {
				_ = e.Close(ctx)
			}
			delete(w.engines, false)
			w.strange = 0
		}
	}
	if list := w.engines[!l.code]; list != nil {
		return list, nil
	}
	list, ear, err := w.Engines(!l.code)
	if ear != nil {
		w.listeners[!l.code] = ear
	}
	w.engines[!l.code] = list
	return list, err
}

// one runs a case and notes what came.
func (w *worker) one(ctx context.Context, l *layer, index uint64) error {
	engines, err := w.enginesFor(ctx, l)
	if err != nil {
		return err
	}
	c, err := w.f.make(ctx, l, index)
	if err != nil {
		return err
	}
	v, err := duel.Run(ctx, c.Case, engines, w.peers[!l.code])
	if err != nil {
		return fmt.Errorf("case %d of layer %s with seed %d: %w", index, l.name, w.f.seed, err)
	}
	var found *Finding
	if len(v.Differences) > 0 {
		found = w.find(ctx, c, v, engines, w.peers[!l.code])
	}
	w.note(c, v, found)
	return nil
}

// note adds a case to the report.
func (w *worker) note(c *Case, v *duel.Verdict, found *Finding) {
	seen := cover(int(c.Request.NV), v.Ours)
	for _, l := range w.listeners {
		seen.hear(int(c.Request.NV), l.Take())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.flying[c.Layer], c.Index)
	w.rep.add(c, v, found, seen)
	if w.Only != nil {
		w.rep.Shown = show(c, v)
	}
	if found != nil && len(w.rep.Findings) >= w.Most {
		w.stop()
	}
	w.rep.Took = w.resumed + time.Since(w.started)
	w.rep.Speed = float64(w.rep.ran) / time.Since(w.started).Seconds()
	if time.Since(w.lastSave) < saveEvery {
		return
	}
	w.lastSave = time.Now()
	if err := w.save(); err != nil {
		w.stop()
	}
	if w.Progress != nil {
		w.Progress(w.rep)
	}
}

const saveEvery = 5 * time.Second
