package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the engines and the network versions",
		Example: "  edgefvm version\n  edgefvm version --json | jq -r .actors",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, revision := "(devel)", ""
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
			first, last, _ := fvm.NetworkVersions()
			if asJSON {
				return writeJSON(cmd, map[string]any{
					"version": version, "revision": revision, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
					"engines": engineNames(), "network_versions": fmt.Sprintf("%d-%d", first, last), "actors": bundle.Module + "@" + bundle.ModuleVersion,
				})
			}
			g := newPage(cmd.OutOrStdout())
			g.line("edgefvm %s", strings.TrimSpace(version+" "+revision))
			g.line("engines: %s", strings.Join(engineNames(), ", "))
			g.line("network versions: %d to %d", first, last)
			g.line("actors: %s %s", bundle.Module, bundle.ModuleVersion)
			g.line("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return g.err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
