package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine/wasmedge/aot"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/instrument"
)

func newCache() *cobra.Command {
	return group("cache", "The cache of compiled actors", newCacheBuild(), newCacheInfo(), newCacheClean())
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
	// Pass is the version of the instrumentation. Entries of another are not used.
	Pass int `json:"pass_version"`
}

// inCache does something to what wazero and WasmEdge keep in a cache folder, and counts it.
func inCache(dir string, wazeros func(string) (wazero.CacheStats, error), edges func(string) (aot.Stats, error)) (*cacheView, error) {
	wz, err := wazeros(dir)
	if err != nil {
		return nil, err
	}
	we, err := edges(dir)
	return &cacheView{
		Dir: dir, cachePart: cachePart{wz.Entries + we.Entries, wz.Bytes + we.Bytes, wz.Bad + we.Bad},
		Wazero: cachePart(wz), WasmEdge: cachePart(we), Pass: instrument.PassVersion,
	}, err
}

// cacheInfo counts and verifies what a cache folder holds.
func cacheInfo(dir string) (*cacheView, error) { return inCache(dir, wazero.CacheInfo, aot.Info) }

// cacheClean removes it, and counts what it removed.
func cacheClean(dir string) (*cacheView, error) { return inCache(dir, wazero.CacheClean, aot.Clean) }

// cacheCommand is a command on a cache folder, with what they have in common.
func cacheCommand(use, short, long, example string, run func(dir string) (*cacheView, error), text func(g *page, v *cacheView)) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := cacheFolder(dir)
			if err != nil {
				return err
			}
			v, err := run(dir)
			if err != nil {
				return fmt.Errorf("the cache in %s: %w", dir, err)
			}
			if asJSON {
				return writeJSON(cmd, v)
			}
			g := newPage(cmd.OutOrStdout())
			text(g, v)
			return g.err
		},
	}
	cmd.Flags().StringVar(&dir, "cache", "", "folder of compiled code (default: edgefvm in the user's cache folder)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// cacheFolder is the folder that --cache names, or the usual one.
func cacheFolder(dir string) (string, error) {
	if dir == "" {
		d, err := fvm.DefaultCacheDir()
		if err != nil {
			return "", err
		}
		dir = d
	}
	return filepath.Abs(dir)
}

func newCacheInfo() *cobra.Command {
	return cacheCommand("info", "Show where compiled code is kept, and how much",
		"Shows the folder of compiled code, counts its entries and verifies each. A folder that does\nnot exist is an empty cache.",
		"  edgefvm cache info\n  edgefvm cache info --json | jq .bytes",
		cacheInfo, func(g *page, v *cacheView) {
			g.line("folder        %s", v.Dir)
			g.line("entries       %s", grouped(v.Entries))
			g.line("bytes         %s", grouped(v.Bytes))
			for _, k := range []struct {
				name string
				part cachePart
			}{{"wazero", v.Wazero}, {"wasmedge", v.WasmEdge}} {
				if k.part.Entries > 0 {
					g.line("  %s %s %s, %s bytes", padRight(k.name, 11), grouped(k.part.Entries), choose(k.part.Entries, "entry", "entries"), grouped(k.part.Bytes))
				}
			}
			g.line("pass version  %d", v.Pass)
			if v.Bad > 0 {
				g.line("bad           %d %s and will be compiled again when needed", v.Bad, choose(v.Bad, "entry fails its checksum", "entries fail their checksum"))
			}
		})
}

func newCacheClean() *cobra.Command {
	return cacheCommand("clean", "Remove compiled code",
		"Removes compiled code, and no other files. Actors are compiled anew when they next run.",
		"  edgefvm cache clean\n  edgefvm cache clean --cache ./compiled",
		cacheClean, func(g *page, v *cacheView) {
			g.line("removed %s %s, %s bytes, from %s", grouped(v.Entries), choose(v.Entries, "entry", "entries"), grouped(v.Bytes), v.Dir)
		})
}
