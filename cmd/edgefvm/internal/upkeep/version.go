package upkeep

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the engines and the network versions",
		Example: "  edgefvm version\n  edgefvm version --json | jq -r .actors",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, revision := Version()
			first, last, _ := fvm.NetworkVersions()
			if asJSON {
				return kit.WriteJSON(cmd, map[string]any{
					"version": version, "revision": revision, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
					"engines": kit.EngineNames(), "network_versions": fmt.Sprintf("%d-%d", first, last), "actors": bundle.Module + "@" + bundle.ModuleVersion,
				})
			}
			g := term.NewPage(cmd.OutOrStdout())
			g.Line("edgefvm %s", strings.TrimSpace(version+" "+revision))
			g.Line("engines: %s", strings.Join(kit.EngineNames(), ", "))
			g.Line("network versions: %d to %d", first, last)
			g.Line("actors: %s %s", bundle.Module, bundle.ModuleVersion)
			g.Line("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return g.Err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// release is the version of a released program; release/goreleaser.yaml has the linker set it.
var release string

// Version is this program's, and the commit that it was built from, empty if it is not known.
func Version() (version, revision string) {
	version = "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	if release != "" {
		version = release
	}
	return version, revision
}
