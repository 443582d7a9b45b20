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
	return group("bundle", "The networks' actor bundles", newBundleList(), newBundleCIDs(), newBundleExport(), newBundleAdd(), newBundleRemove())
}

func newBundleList() *cobra.Command {
	var set setting
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the bundles",
		Long: `Lists the bundles of the networks and those that 'edgefvm bundle add' stored: name and
manifest. A version that is an earlier one again, to the last byte, is marked so: its
network version runs with that code.`,
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
					SameAs   string `json:"same_as,omitempty"`
					Added    bool   `json:"added,omitempty"`
				}
				rows := make([]row, len(list))
				for i, e := range list {
					rows[i] = row(e)
				}
				return kit.WriteJSON(cmd, rows)
			}
			g := newPage(cmd.OutOrStdout())
			for _, e := range list {
				note := ""
				switch {
				case e.Added:
					note = "  added"
				case e.SameAs != "":
					note = "  same as " + e.SameAs
				}
				g.line("%s %s%s", padRight(e.Name(), 26), g.p.dim(e.Manifest), note)
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

func newBundleAdd() *cobra.Command {
	var o bundle.AddOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add FILE.car",
		Short: "Check a bundle's CAR and keep it",
		Long: `Checks a bundle's CAR, plain or gzip, and keeps it in the user's folder of bundles: its
manifest, the names of its actors, and that the code of each is there, hashes to its CID
and can run. From then on all commands find it, before a bundle of the same name in
Lotus's module, unless --bundles names a folder. A bundle that Lotus's list knows keeps
its name from there; say of another which --version of the actors it is, of which
--network. States made with the bundle whose place it takes still execute.

The folder is edgefvm/bundles in the user's folder of configuration, or the one that
` + bundle.EnvAdded + ` names.`,
		Example: "  edgefvm bundle add builtin-actors-mainnet.car --version 19 --network mainnet\n  edgefvm bundle add my-actors.car --version 18 --network my-net --replace",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := addedFolder()
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			a, err := bundle.Add(cmd.Context(), f, folder, o)
			switch {
			case errors.Is(err, bundle.ErrUnnamed):
				return usagef("%s: %w, with --version N --network NAME", args[0], err)
			case errors.Is(err, bundle.ErrTaken):
				return fmt.Errorf("%s: %w; --replace takes its place", args[0], err)
			case err != nil:
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return printAddition(cmd, a, asJSON)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Version, "version", 0, "`version` of the actors, such as 19 (default: as Lotus's list says)")
	f.StringVar(&o.Network, "network", "", "`name` of the network, such as mainnet (default: as Lotus's list says)")
	f.BoolVar(&o.Replace, "replace", false, "take the place of another bundle of that name")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printAddition(cmd *cobra.Command, a *bundle.Addition, asJSON bool) error {
	if asJSON {
		return writeJSON(cmd, map[string]any{
			"version": a.Version, "network": a.Network, "manifest": a.ManifestCID.String(), "actors": len(a.Actors),
			"known_as": a.Known, "instead": a.Instead, "instead_same_as": a.InsteadSameAs, "path": a.Path,
		})
	}
	name := bundle.Entry{Version: a.Version, Network: a.Network}.Name()
	g := newPage(cmd.OutOrStdout())
	g.line("%s %s", padRight(name, 26), a.ManifestCID)
	g.line("%d actors; the code of each is there and can run", len(a.Actors))
	switch {
	case len(a.Known) > 1:
		g.line("Lotus's list has it as %s", strings.Join(a.Known, ", "))
	case a.InsteadSameAs != "":
		g.line("in the place of Lotus's %s, which is %s again", name, a.InsteadSameAs)
	case a.Instead != "":
		g.line("in the place of Lotus's %s, %s", name, a.Instead)
	}
	g.line("%s", a.Path)
	return g.err
}

func newBundleRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "remove BUNDLE",
		Short:   "Remove a bundle that was added",
		Example: "  edgefvm bundle remove v19/mainnet",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			version, network, err := bundle.ParseName(args[0])
			if err != nil {
				return usageError{err}
			}
			folder, err := addedFolder()
			if err != nil {
				return err
			}
			return listHint(bundle.Remove(folder, version, network))
		},
	}
}

// addedFolder is where bundles are added.
func addedFolder() (string, error) {
	folder := bundle.DefaultAdded()
	if folder == "" {
		return "", errors.New("this user has no folder of configuration: name a folder in " + bundle.EnvAdded)
	}
	return folder, nil
}
