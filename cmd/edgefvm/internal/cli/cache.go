package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/engine/aot"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
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
	// Bundles are those that were unpacked; they are no compiled code, and not in the sum.
	Bundles cachePart `json:"bundles"`
	// Pass is the version of the instrumentation. Entries of another are not used.
	Pass int `json:"pass_version"`
}

// inCache does something to what wazero and WasmEdge keep in a cache folder, and counts it.
func inCache(dir string, wazeros func(string) (wazero.CacheStats, error), edges func(string) (aot.Stats, error), bundles func(string) (int, int64, error)) (*cacheView, error) {
	wz, err := wazeros(dir)
	if err != nil {
		return nil, err
	}
	we, err := edges(dir)
	if err != nil {
		return nil, err
	}
	files, size, err := bundles(unpackedIn(dir))
	return &cacheView{
		Dir: dir, cachePart: cachePart{wz.Entries + we.Entries, wz.Bytes + we.Bytes, wz.Bad + we.Bad},
		Wazero: cachePart(wz), WasmEdge: cachePart(we), Bundles: cachePart{Entries: files, Bytes: size}, Pass: instrument.PassVersion,
	}, err
}

// unpackedIn is where bundles lie unpacked in a cache folder.
func unpackedIn(dir string) string { return filepath.Join(dir, "bundles") }

// cacheInfo counts and verifies what a cache folder holds.
func cacheInfo(dir string) (*cacheView, error) {
	return inCache(dir, wazero.CacheInfo, aot.Info, bundle.Unpacked)
}

// cacheClean removes it, and counts what it removed.
func cacheClean(dir string) (*cacheView, error) {
	return inCache(dir, wazero.CacheClean, aot.Clean, bundle.CleanUnpacked)
}

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
		"Shows the folder of compiled code, counts its entries and verifies each, and counts the bundles\nthat lie unpacked beside it. A folder that does not exist is an empty cache.",
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
			if v.Bundles.Entries > 0 {
				g.line("unpacked      %s %s, %s bytes", grouped(v.Bundles.Entries), choose(v.Bundles.Entries, "bundle", "bundles"), grouped(v.Bundles.Bytes))
			}
			g.line("pass version  %d", v.Pass)
			if v.Bad > 0 {
				g.line("bad           %d %s and will be compiled again when needed", v.Bad, choose(v.Bad, "entry fails its checksum", "entries fail their checksum"))
			}
		})
}

func newCacheClean() *cobra.Command {
	return cacheCommand("clean", "Remove compiled code",
		"Removes compiled code and unpacked bundles, and no other files. Actors are compiled anew when\nthey next run.",
		"  edgefvm cache clean\n  edgefvm cache clean --cache ./compiled",
		cacheClean, func(g *page, v *cacheView) {
			g.line("removed %s %s, %s bytes, from %s", grouped(v.Entries), choose(v.Entries, "entry", "entries"), grouped(v.Bytes), v.Dir)
			if v.Bundles.Entries > 0 {
				g.line("removed %s unpacked %s, %s bytes", grouped(v.Bundles.Entries), choose(v.Bundles.Entries, "bundle", "bundles"), grouped(v.Bundles.Bytes))
			}
		})
}
