package upkeep

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore/carfile"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/engine/aot"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

func newCache() *cobra.Command {
	return kit.Group("cache", "The cache of compiled actors", newCacheBuild(), newCacheInfo(), newCacheClean())
}

// cachePart counts entries of a cache.
type cachePart struct {
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"`
	Bad     int   `json:"bad"` // entries that fail their checksum
}

// cacheView is what a cache folder holds, for JSON: all, and by what made it.
type cacheView struct {
	Dir string `json:"dir"`
	cachePart
	Wazero   cachePart `json:"wazero"`
	WasmEdge cachePart `json:"wasmedge"`
	// Bundles are those that were unpacked; they are no compiled code, and not in the sum.
	Bundles cachePart `json:"bundles"`
	// Archives are indexes of archives, and copies of those that had to be unpacked; not in the sum either.
	Archives cachePart `json:"archives"`
	// Pass is the version of the instrumentation. Entries of another are not used.
	Pass int `json:"pass_version"`
}

// inCache does something to what wazero and WasmEdge keep in a cache folder, and counts it.
func inCache(dir string, wazeros func(string) (wazero.CacheStats, error), edges func(string) (aot.Stats, error), bundles, archives func(string) (int, int64, error)) (*cacheView, error) {
	wz, err := wazeros(dir)
	if err != nil {
		return nil, err
	}
	we, err := edges(dir)
	if err != nil {
		return nil, err
	}
	files, size, err := bundles(kit.UnpackedIn(dir))
	if err != nil {
		return nil, err
	}
	kept, keptSize, err := archives(kit.ArchivesIn(dir))
	return &cacheView{
		Dir: dir, cachePart: cachePart{wz.Entries + we.Entries, wz.Bytes + we.Bytes, wz.Bad + we.Bad},
		Wazero: cachePart(wz), WasmEdge: cachePart(we), Bundles: cachePart{Entries: files, Bytes: size},
		Archives: cachePart{Entries: kept, Bytes: keptSize}, Pass: instrument.PassVersion,
	}, err
}

// cacheInfo counts and verifies what a cache folder holds.
func cacheInfo(dir string) (*cacheView, error) {
	return inCache(dir, wazero.CacheInfo, aot.Info, bundle.Unpacked, carfile.Kept)
}

// cacheClean removes it, and counts what it removed.
func cacheClean(dir string) (*cacheView, error) {
	return inCache(dir, wazero.CacheClean, aot.Clean, bundle.CleanUnpacked, carfile.Clean)
}

// cacheCommand makes a command on a cache folder of its help, of what it does to the folder, and of how it tells it.
func cacheCommand(cmd *cobra.Command, run func(dir string) (*cacheView, error), text func(v *cacheView, g *layout.Page)) *cobra.Command {
	var dir string
	var asJSON bool
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := kit.CacheFolder(dir)
		if err != nil {
			return err
		}
		v, err := run(dir)
		if err != nil {
			return fmt.Errorf("the cache in %s: %w", dir, err)
		}
		if asJSON {
			return kit.WriteJSON(cmd, v)
		}
		g := term.NewPage(cmd.OutOrStdout())
		text(v, g)
		return g.Err
	}
	kit.CacheFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newCacheInfo() *cobra.Command {
	return cacheCommand(&cobra.Command{
		Use: "info", Short: "Show where compiled code is kept, and how much",
		Long: `Shows the folder of compiled code, counts its entries and verifies each, and counts the bundles
that lie unpacked beside it, and the indexes and unpacked copies of archives. A folder that does not exist is an empty cache.`,
		Example: "  edgefvm cache info\n  edgefvm cache info --json | jq .bytes",
	}, cacheInfo, (*cacheView).print)
}

func (v *cacheView) print(g *layout.Page) {
	g.Line("folder        %s", v.Dir)
	g.Line("entries       %s", layout.Grouped(v.Entries))
	g.Line("bytes         %s", layout.Grouped(v.Bytes))
	for _, k := range []struct {
		name string
		part cachePart
	}{{"wazero", v.Wazero}, {"wasmedge", v.WasmEdge}} {
		if k.part.Entries > 0 {
			g.Line("  %s %s", layout.PadRight(k.name, 11), k.part.text("entry", "entries"))
		}
	}
	if v.Bundles.Entries > 0 {
		g.Line("unpacked      %s", v.Bundles.text("bundle", "bundles"))
	}
	if v.Archives.Entries > 0 {
		g.Line("archives      %s, indexes and copies that were unpacked", v.Archives.text("file", "files"))
	}
	g.Line("pass version  %d", v.Pass)
	if v.Bad > 0 {
		g.Line("bad           %d %s and will be compiled again when needed", v.Bad, layout.Choose(v.Bad, "entry fails its checksum", "entries fail their checksum"))
	}
}

// text is a part in words.
func (p *cachePart) text(one, many string) string {
	return fmt.Sprintf("%s %s, %s bytes", layout.Grouped(p.Entries), layout.Choose(p.Entries, one, many), layout.Grouped(p.Bytes))
}

func newCacheClean() *cobra.Command {
	return cacheCommand(&cobra.Command{
		Use: "clean", Short: "Remove compiled code",
		Long: `Removes compiled code, unpacked bundles, indexes of archives and their unpacked copies, and no
other files. Actors are compiled anew when they next run, and archives are read through.`,
		Example: "  edgefvm cache clean\n  edgefvm cache clean --cache ./compiled",
	}, cacheClean, (*cacheView).printRemoved)
}

func (v *cacheView) printRemoved(g *layout.Page) {
	g.Line("removed %s, from %s", v.text("entry", "entries"), v.Dir)
	if v.Bundles.Entries > 0 {
		g.Line("removed %s", v.Bundles.text("unpacked bundle", "unpacked bundles"))
	}
	if v.Archives.Entries > 0 {
		g.Line("removed %s", v.Archives.text("file of an archive", "files of archives"))
	}
}
