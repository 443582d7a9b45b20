package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
)

func newCache() *cobra.Command {
	return group("cache", "The cache of compiled actors", newCacheInfo(), newCacheClean())
}

// cacheInfo is what a cache folder holds.
type cacheInfo struct {
	Dir   string `json:"dir"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
}

func readCache(dir string) (cacheInfo, error) {
	if dir == "" {
		d, err := fvm.DefaultCacheDir()
		if err != nil {
			return cacheInfo{}, err
		}
		dir = d
	}
	info := cacheInfo{Dir: dir}
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		if err != nil {
			return err
		}
		info.Files++
		info.Bytes += i.Size()
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return info, err
}

func newCacheInfo() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Show where compiled code is kept, and how much",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, err := readCache(dir)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd, info)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%d %s, %.1f MB\n", info.Dir, info.Files, plural(info.Files, "file"), float64(info.Bytes)/1e6)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "cache", "", "folder of compiled code (default: edgefvm in the user's cache folder)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newCacheClean() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove compiled code",
		Long:  "Removes the folder of compiled code. Actors are compiled anew when they next run.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, err := readCache(dir)
			if err != nil {
				return err
			}
			if err := cleanCache(info.Dir); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed %d %s, %.1f MB\n", info.Files, plural(info.Files, "file"), float64(info.Bytes)/1e6)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "cache", "", "folder of compiled code (default: edgefvm in the user's cache folder)")
	return cmd
}

// cleanCache removes what engines keep in a cache folder, and nothing else: a folder named by mistake loses none of its files.
func cleanCache(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		known := false
		for _, pattern := range []string{"wazero-*", "efvm-staging-*"} {
			ok, _ := filepath.Match(pattern, e.Name())
			known = known || ok
		}
		if !known {
			return fmt.Errorf("%s holds %s, which is not compiled code; remove it by hand if you mean to", dir, e.Name())
		}
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
