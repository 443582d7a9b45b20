package upkeep

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
)

// builders are the engines whose code is kept on disk, and the engine that makes it while one waits.
var builders = map[string]string{"wazero": "wazero", "wasmedge": "wasmedge-o2", "wasmedge-o0": "wasmedge-o0", "wasmedge-o2": "wasmedge-o2"}

func newCacheBuild() *cobra.Command {
	var set kit.Setting
	var names []string
	var versions []int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "build --bundle BUNDLE",
		Short: "Compile bundles ahead, so that nothing is compiled later",
		Long: `Compiles the actors of bundles into the cache, and prints for each how long it took. A
bundle is a name such as v18/mainnet, or a CAR file; with a CAR, say by --nv for which
network versions. What the cache has already is left as it is.

For engine wasmedge this makes its best code (O2), which takes up to ten minutes for a
bundle, and wazero's, which runs until the other is loaded. The code is for this machine's
kind of processor, and for another kind it is made again; --generic makes code that runs
on all of the architecture, for a cache that is shipped.`,
		Example: `  edgefvm cache build --engine wasmedge --bundle v18/mainnet --jobs 4
  edgefvm cache build --bundle v17/calibrationnet --bundle v18/calibrationnet
  edgefvm cache build --engine wasmedge --bundle ./builtin-actors-devnet.car --nv 28`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			maker, ok := builders[set.Engine]
			switch {
			case !ok && slices.Contains(kit.EngineNames(), set.Engine):
				return kit.Usagef("engine %s keeps no compiled code", set.Engine)
			case len(names) == 0:
				return kit.Usagef("--bundle is missing; 'edgefvm bundle list' names them")
			case set.Jobs < 1:
				return kit.Usagef("--jobs must be at least 1")
			}
			if ok {
				set.Engine = maker
			}
			dir, err := kit.CacheFolder(set.CacheDir)
			if err != nil {
				return err
			}
			set.CacheDir = dir
			b := &cacheBuild{cmd: cmd, set: &set, dir: dir}
			for _, name := range names {
				if err := b.want(name, versions); err != nil {
					return err
				}
			}
			return b.run(cmd.Context(), asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&names, "bundle", nil, "`bundle` to compile, as VERSION/NETWORK or a CAR file (may be repeated)")
	f.IntSliceVar(&versions, "nv", nil, "network `versions` to compile for (default: those that run the bundle's version)")
	set.EngineFlag(cmd, "Wasm `engine`, wazero or wasmedge; wasmedge-o0 makes code in seconds that is slower")
	f.BoolVar(&set.Generic, "generic", false, "make WasmEdge's code for every processor of the architecture")
	f.IntVarP(&set.Jobs, "jobs", "j", runtime.GOMAXPROCS(0), "actors to compile at once; each may take half a gigabyte")
	kit.CacheFlag(cmd, &set.CacheDir)
	f.BoolVar(&asJSON, "json", false, "print JSON")
	set.BundleFlags(cmd)
	return cmd
}

// built is an actor that was compiled.
type built struct {
	Bundle string        `json:"bundle"`
	Actor  string        `json:"actor"`
	NV     int           `json:"network_version"`
	Took   time.Duration `json:"ns"`
	Error  string        `json:"error,omitempty"`
}

// buildView is a build, for JSON.
type buildView struct {
	Dir    string        `json:"dir"`
	Engine string        `json:"engine"`
	Took   time.Duration `json:"ns"`
	Bytes  int64         `json:"bytes"` // that the cache holds more than before
	// Slower are modules for which the best code could not be made. They run on wazero, with the same results.
	Slower int     `json:"slower"`
	Actors []built `json:"actors"`
}

// cacheBuild compiles actors ahead.
type cacheBuild struct {
	cmd  *cobra.Command
	set  *kit.Setting
	dir  string
	work []task
}

// task is an actor to compile.
type task struct {
	bundle string
	nv     network.Version
	actor  bundle.Actor
	store  blockstore.Blockstore
}

// want notes the actors of a bundle for network versions.
func (b *cacheBuild) want(name string, versions []int) error {
	store := blockstore.NewMemory()
	bun, version, err := kit.LoadBundle(b.cmd.Context(), b.set.BundleOptions(b.cmd), name, store)
	if err != nil {
		return err
	}
	var nvs []network.Version
	for _, v := range versions {
		if v < 0 {
			return kit.Usagef("--nv %d: there is no such network version", v)
		}
		nvs = append(nvs, network.Version(v))
	}
	first, last, _ := fvm.NetworkVersions()
	for nv := first; nv <= last && len(versions) == 0; nv++ {
		if v, err := bundle.VersionFor(nv); err == nil && v == version {
			nvs = append(nvs, nv)
		}
	}
	if len(nvs) == 0 {
		return kit.Usagef("it is not known which network versions run %s: say so with --nv", name)
	}
	for _, nv := range nvs {
		for _, a := range bun.Actors {
			b.work = append(b.work, task{name, nv, a, store})
		}
	}
	return nil
}

func (b *cacheBuild) run(ctx context.Context, asJSON bool) error {
	before, err := cacheInfo(b.dir)
	if err != nil {
		return fmt.Errorf("the cache in %s: %w", b.dir, err)
	}
	engine, err := b.set.Start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	start := time.Now()
	v := &buildView{Dir: b.dir, Engine: engine.Name(), Actors: b.compile(ctx, engine)}
	v.Took = time.Since(start)
	if tally := engine.Tally(); len(tally) > 1 {
		for _, t := range tally[:len(tally)-1] {
			v.Slower += t.Modules
		}
	}
	after, err := cacheInfo(b.dir)
	if err != nil {
		return fmt.Errorf("the cache in %s: %w", b.dir, err)
	}
	v.Bytes = after.Bytes - before.Bytes
	failed := slices.ContainsFunc(v.Actors, func(a built) bool { return a.Error != "" })
	if asJSON {
		err = kit.WriteJSON(b.cmd, v)
	} else {
		err = v.print(b.cmd.OutOrStdout(), after)
	}
	return kit.Verdict(err, ctx.Err() != nil, !failed && v.Slower == 0)
}

// compile works through the tasks, some at once, and comes back early when ctx ends.
func (b *cacheBuild) compile(ctx context.Context, engine *fvm.Engine) []built {
	bar := term.NewProgress(b.cmd.ErrOrStderr())
	defer bar.End()
	var mu sync.Mutex
	var done []built
	var wg sync.WaitGroup
	tasks := make(chan task)
	for range b.set.Jobs {
		wg.Go(func() {
			for t := range tasks {
				began := time.Now()
				err := engine.Preload(ctx, t.store, t.nv, 1, t.actor.Code)
				d := built{Bundle: t.bundle, Actor: t.actor.Name, NV: int(t.nv), Took: time.Since(began)}
				if err != nil {
					d.Error = term.OneLine(err.Error())
				}
				mu.Lock()
				done = append(done, d)
				bar.Bar(len(done), len(b.work), t.bundle+" "+t.actor.Name)
				mu.Unlock()
			}
		})
	}
	bar.Bar(0, len(b.work), b.work[0].bundle)
	for _, t := range b.work {
		if ctx.Err() != nil {
			break
		}
		tasks <- t
	}
	close(tasks)
	wg.Wait()
	if ctx.Err() != nil {
		done = slices.DeleteFunc(done, func(d built) bool { return d.Error != "" })
	}
	return done
}

func (v *buildView) print(w io.Writer, after *cacheView) error {
	g := term.NewPage(w)
	for _, a := range v.Actors {
		took := layout.PadLeft(term.Short(a.Took), 10)
		if a.Error != "" {
			took += "  " + g.P.Red("failed") + " " + layout.Clean(a.Error)
		}
		g.Line("%s nv%d  %s", layout.PadRight(a.Bundle+" "+a.Actor, 34), a.NV, took)
	}
	if v.Slower > 0 {
		g.Line("%d %s without the best code, as the warnings say; %s on wazero, with the same results.",
			v.Slower, layout.Choose(v.Slower, "module is", "modules are"), layout.Choose(v.Slower, "it runs", "they run"))
	}
	g.Line("%s in %s for %s: %s bytes more in %s, which holds %s",
		term.Count(len(v.Actors), "actor"), term.Short(v.Took), v.Engine, layout.Grouped(v.Bytes), v.Dir, layout.Grouped(after.Bytes))
	return g.Err
}
