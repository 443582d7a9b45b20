package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
)

func newBundle() *cobra.Command {
	return group("bundle", "The networks' actor bundles", newBundleList(), newBundleCIDs(), newBundleExport())
}

func newBundleList() *cobra.Command {
	var set setting
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the bundles",
		Example: "  edgefvm bundle list\n  edgefvm bundle list --json | jq -r '.[] | select(.network == \"mainnet\") | .manifest'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := bundle.Open(cmd.Context(), set.bundleOptions(cmd))
			if err != nil {
				return err
			}
			list, err := s.List(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				type row struct {
					Version  int    `json:"version"`
					Network  string `json:"network"`
					Manifest string `json:"manifest,omitempty"`
				}
				rows := make([]row, len(list))
				for i, e := range list {
					rows[i] = row{e.Version, e.Network, e.Manifest}
				}
				return kit.WriteJSON(cmd, rows)
			}
			g := newPage(cmd.OutOrStdout())
			for _, e := range list {
				g.line("%s %s", padRight(e.Name(), 26), g.p.dim(e.Manifest))
			}
			return g.err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	set.bundleFlags(cmd)
	return cmd
}

// loadNamed loads "v16/mainnet", or the CAR in a file.
func loadNamed(cmd *cobra.Command, set *setting, name string) (*bundle.Bundle, error) {
	b, _, err := loadInto(cmd, set, name, blockstore.NewMemory())
	return b, err
}

// loadInto does that with a store for the blocks. The version is 0 for a file, which does not tell it.
func loadInto(cmd *cobra.Command, set *setting, name string, store blockstore.Blockstore) (b *bundle.Bundle, version int, err error) {
	ctx := cmd.Context()
	if info, err := os.Stat(name); err == nil && !info.IsDir() || strings.HasSuffix(name, ".car") {
		b, err := bundle.LoadCARFile(ctx, name, store)
		return b, 0, err
	}
	version, network, err := bundle.ParseName(name)
	if err != nil {
		return nil, 0, usageError{err}
	}
	s, err := bundle.Open(ctx, set.bundleOptions(cmd))
	if err != nil {
		return nil, 0, err
	}
	b, err = s.Load(ctx, version, network, store)
	return b, version, listHint(err)
}

// listHint says where the names are.
func listHint(err error) error {
	if errors.Is(err, bundle.ErrNotFound) {
		return fmt.Errorf("%w; 'edgefvm bundle list' names them", err)
	}
	return err
}

func newBundleCIDs() *cobra.Command {
	var set setting
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "cids BUNDLE",
		Short:   "Print the code CIDs of a bundle's actors",
		Long:    "Prints the manifest's CID and each actor's code CID. BUNDLE is a name such as\nv16/mainnet, or a CAR file.",
		Example: "  edgefvm bundle cids v16/mainnet\n  edgefvm bundle cids ./builtin-actors-devnet.car",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := loadNamed(cmd, &set, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				actors := map[string]string{}
				for _, a := range b.Actors {
					actors[a.Name] = a.Code.String()
				}
				return kit.WriteJSON(cmd, map[string]any{"manifest": b.ManifestCID.String(), "actors": actors})
			}
			g := newPage(cmd.OutOrStdout())
			g.line("%s %s", padRight("manifest", 18), b.ManifestCID)
			for _, a := range b.Actors {
				g.line("%s %s", padRight(a.Name, 18), a.Code)
			}
			return g.err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	set.bundleFlags(cmd)
	return cmd
}

func newBundleExport() *cobra.Command {
	var set setting
	var out string
	cmd := &cobra.Command{
		Use:     "export BUNDLE",
		Short:   "Write a bundle as a CAR",
		Long:    "Writes the CAR of a bundle such as v16/mainnet. A folder of such files, named as here,\nserves as --bundles on a machine without Go.",
		Example: "  edgefvm bundle export v16/mainnet\n  edgefvm bundle export v18/mainnet --out actors/v18-mainnet.car",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, network, err := bundle.ParseName(args[0])
			if err != nil {
				return usageError{err}
			}
			s, err := bundle.Open(cmd.Context(), set.bundleOptions(cmd))
			if err != nil {
				return err
			}
			if out == "" {
				out = fmt.Sprintf("v%d-%s.car", version, network)
			}
			err = wholefile.Write(out, func(w io.Writer) error { return s.Export(cmd.Context(), version, network, w) })
			if err != nil {
				return fmt.Errorf("exporting %s to %s: %w", args[0], out, listHint(err))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "`file` to write (default: vN-NETWORK.car)")
	set.bundleFlags(cmd)
	return cmd
}
