package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/instrument"
)

func newCache() *cobra.Command {
	return group("cache", "The cache of compiled actors", newCacheInfo(), newCacheWarm(), newCacheClean())
}

// cacheView is what a cache folder holds, for JSON.
type cacheView struct {
	Dir     string `json:"dir"`
	Entries int    `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Bad     int    `json:"bad"` // entries that fail their checksum
	// Pass is the version of the instrumentation. Entries of another are not used.
	Pass int `json:"pass_version"`
}

// cacheCommand is a command on a cache folder, with what they have in common.
func cacheCommand(use, short, long, example string, run func(dir string) (wazero.CacheStats, error), text func(g *page, v *cacheView)) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				d, err := fvm.DefaultCacheDir()
				if err != nil {
					return err
				}
				dir = d
			}
			dir, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			st, err := run(dir)
			if err != nil {
				return fmt.Errorf("the cache in %s: %w", dir, err)
			}
			v := &cacheView{Dir: dir, Entries: st.Entries, Bytes: st.Bytes, Bad: st.Bad, Pass: instrument.PassVersion}
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

func newCacheInfo() *cobra.Command {
	return cacheCommand("info", "Show where compiled code is kept, and how much",
		"Shows the folder of compiled code, counts its entries and verifies each. A folder that does\nnot exist is an empty cache.",
		"  edgefvm cache info\n  edgefvm cache info --json | jq .bytes",
		wazero.CacheInfo, func(g *page, v *cacheView) {
			g.line("folder        %s", v.Dir)
			g.line("entries       %s", grouped(v.Entries))
			g.line("bytes         %s", grouped(v.Bytes))
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
		wazero.CacheClean, func(g *page, v *cacheView) {
			g.line("removed %s %s, %s bytes, from %s", grouped(v.Entries), choose(v.Entries, "entry", "entries"), grouped(v.Bytes), v.Dir)
		})
}
