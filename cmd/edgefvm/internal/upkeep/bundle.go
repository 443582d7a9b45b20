package upkeep

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
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/layout"
)

func newBundle() *cobra.Command {
	return kit.Group("bundle", "The networks' actor bundles", newBundleList(), newBundleCIDs(), newBundleExport(), newBundleAdd(), newBundleRemove())
}

func newBundleList() *cobra.Command {
	var set kit.Setting
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
			s, err := bundle.Open(cmd.Context(), set.BundleOptions(cmd))
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
			g := term.NewPage(cmd.OutOrStdout())
			for _, e := range list {
				note := ""
				switch {
				case e.Added:
					note = "  added"
				case e.SameAs != "":
					note = "  same as " + e.SameAs
				}
				g.Line("%s %s%s", layout.PadRight(e.Name(), 26), g.P.Dim(e.Manifest), note)
			}
			return g.Err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	set.BundleFlags(cmd)
	return cmd
}

func newBundleCIDs() *cobra.Command {
	var set kit.Setting
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "cids BUNDLE",
		Short:   "Print the code CIDs of a bundle's actors",
		Long:    "Prints the manifest's CID and each actor's code CID. BUNDLE is a name such as\nv16/mainnet, or a CAR file.",
		Example: "  edgefvm bundle cids v16/mainnet\n  edgefvm bundle cids ./builtin-actors-devnet.car",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, _, err := kit.LoadBundle(cmd.Context(), set.BundleOptions(cmd), args[0], blockstore.NewMemory())
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
			g := term.NewPage(cmd.OutOrStdout())
			g.Line("%s %s", layout.PadRight("manifest", 18), b.ManifestCID)
			for _, a := range b.Actors {
				g.Line("%s %s", layout.PadRight(a.Name, 18), a.Code)
			}
			return g.Err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	set.BundleFlags(cmd)
	return cmd
}

func newBundleExport() *cobra.Command {
	var set kit.Setting
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
				return kit.AsUsage(err)
			}
			s, err := bundle.Open(cmd.Context(), set.BundleOptions(cmd))
			if err != nil {
				return err
			}
			if out == "" {
				out = fmt.Sprintf("v%d-%s.car", version, network)
			}
			err = wholefile.Write(out, func(w io.Writer) error { return s.Export(cmd.Context(), version, network, w) })
			if err != nil {
				return fmt.Errorf("exporting %s to %s: %w", args[0], out, kit.BundleHint(cmd.Context(), s, args[0], err))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "`file` to write (default: vN-NETWORK.car)")
	set.BundleFlags(cmd)
	return cmd
}

func newBundleAdd() *cobra.Command {
	var o bundle.AddOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add FILE.car",
		Short: "Check a bundle's CAR and keep it",
		Long: `Checks a bundle's CAR, plain or packed, and keeps it in the user's folder of bundles: its
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
				return kit.Usagef("%s: %w, with --version N --network NAME", args[0], err)
			case errors.Is(err, bundle.ErrName):
				return kit.Usagef("%w", err)
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
		return kit.WriteJSON(cmd, map[string]any{
			"version": a.Version, "network": a.Network, "manifest": a.ManifestCID.String(), "actors": len(a.Actors),
			"known_as": a.Known, "instead": a.Instead, "instead_same_as": a.InsteadSameAs, "path": a.Path,
		})
	}
	name := bundle.Entry{Version: a.Version, Network: a.Network}.Name()
	g := term.NewPage(cmd.OutOrStdout())
	g.Line("%s %s", layout.PadRight(name, 26), a.ManifestCID)
	g.Line("%d actors; the code of each is there and can run", len(a.Actors))
	switch {
	case len(a.Known) > 1:
		g.Line("Lotus's list has it as %s", strings.Join(a.Known, ", "))
	case a.InsteadSameAs != "":
		g.Line("in the place of Lotus's %s, which is %s again", name, a.InsteadSameAs)
	case a.Instead != "":
		g.Line("in the place of Lotus's %s, %s", name, a.Instead)
	}
	g.Line("%s", a.Path)
	return g.Err
}

func newBundleRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "remove BUNDLE",
		Short:   "Remove a bundle that was added",
		Example: "  edgefvm bundle remove v19/mainnet",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, network, err := bundle.ParseName(args[0])
			if err != nil {
				return kit.AsUsage(err)
			}
			folder, err := addedFolder()
			if err != nil {
				return err
			}
			return kit.BundleHint(cmd.Context(), nil, args[0], bundle.Remove(folder, version, network))
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
