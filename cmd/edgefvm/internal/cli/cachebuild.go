package cli

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
)

// builders are the engines whose code is kept on disk, and the engine that makes it while one waits.
var builders = map[string]string{"wazero": "wazero", "wasmedge": "wasmedge-o2", "wasmedge-o0": "wasmedge-o0", "wasmedge-o2": "wasmedge-o2"}

func newCacheBuild() *cobra.Command {
	var set setting
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
			maker, ok := builders[set.engine]
			switch {
			case !ok && slices.Contains(engineNames(), set.engine):
				return usagef("engine %s keeps no compiled code", set.engine)
			case len(names) == 0:
				return usagef("--bundle is missing; 'edgefvm bundle list' names them")
			case set.jobs < 1:
				return usagef("--jobs must be at least 1")
			}
			if ok {
				set.engine = maker
			}
			dir, err := cacheFolder(set.cacheDir)
			if err != nil {
				return err
			}
			set.cacheDir = dir
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
	f.StringArrayVar(&names, "bundle", nil, "bundle to compile, as VERSION/NETWORK or a CAR file (may be repeated)")
	f.IntSliceVar(&versions, "nv", nil, "network versions to compile for (default: those that run the bundle's version)")
	f.StringVar(&set.engine, "engine", defaultEngine(), "Wasm engine, wazero or wasmedge; wasmedge-o0 makes code in seconds that is slower")
	f.BoolVar(&set.generic, "generic", false, "make WasmEdge's code for every processor of the architecture")
	f.IntVarP(&set.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "actors to compile at once; each may take half a gigabyte")
	f.StringVar(&set.cacheDir, "cache", "", "folder of compiled code (default: edgefvm in the user's cache folder)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	set.bundleFlags(cmd)
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
	set  *setting
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
	bun, version, err := loadInto(b.cmd, b.set, name, store)
	if err != nil {
		return err
	}
	var nvs []network.Version
	for _, v := range versions {
		if v < 0 {
			return usagef("--nv %d: there is no such network version", v)
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
		return usagef("it is not known which network versions run %s: say so with --nv", name)
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
	engine, err := b.set.start()
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
		err = writeJSON(b.cmd, v)
	} else {
		err = v.print(b.cmd.OutOrStdout(), after)
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return errInterrupted
	case failed || v.Slower > 0:
		return errFailed
	}
	return nil
}

// compile works through the tasks, some at once, and comes back early when ctx ends.
func (b *cacheBuild) compile(ctx context.Context, engine *fvm.Engine) []built {
	bar := newMeter(b.cmd.ErrOrStderr(), len(b.work))
	defer bar.end()
	var mu sync.Mutex
	var done []built
	var wg sync.WaitGroup
	tasks := make(chan task)
	for range b.set.jobs {
		wg.Go(func() {
			for t := range tasks {
				began := time.Now()
				err := engine.Preload(ctx, t.store, t.nv, 1, t.actor.Code)
				d := built{Bundle: t.bundle, Actor: t.actor.Name, NV: int(t.nv), Took: time.Since(began)}
				if err != nil {
					d.Error = oneLine(err)
				}
				mu.Lock()
				done = append(done, d)
				bar.draw(len(done), fmt.Sprintf("%s %s", t.bundle, t.actor.Name))
				mu.Unlock()
			}
		})
	}
	bar.draw(0, b.work[0].bundle)
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
	g := newPage(w)
	for _, a := range v.Actors {
		took := padLeft(short(a.Took), 10)
		if a.Error != "" {
			took += "  " + g.p.red("failed") + " " + clean(a.Error)
		}
		g.line("%s nv%d  %s", padRight(a.Bundle+" "+a.Actor, 34), a.NV, took)
	}
	if v.Slower > 0 {
		g.line("%d %s without the best code, as the warnings say; %s on wazero, with the same results.",
			v.Slower, choose(v.Slower, "module is", "modules are"), choose(v.Slower, "it runs", "they run"))
	}
	g.line("%d %s in %s for %s: %s bytes more in %s, which holds %s",
		len(v.Actors), plural(len(v.Actors), "actor"), short(v.Took), v.Engine, grouped(v.Bytes), v.Dir, grouped(after.Bytes))
	return g.err
}
