package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/chains"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/decoding"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/devnode"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/laboratory"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/messages"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/proving"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/states"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
)

// Run runs the command line and returns the process's exit code. It stops soon
// after ctx ends, and says what was done until then.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return kit.Execute(ctx, newRoot(), args, stdout, stderr)
}

// Command is the whole tree of commands, for what documents it.
func Command() *cobra.Command { return newRoot() }

// sections are the commands as the help shows them.
func sections() []section {
	return []section{
		{"dev", "A development network:", devnode.Commands()},
		{"messages", "Messages:", messages.Commands()},
		{"decoding", "What things on chain say:", decoding.Commands()},
		{"states", "States:", states.Commands()},
		{"chains", "Chains:", chains.Commands()},
		{"proofs", "Proofs:", proving.Commands()},
		{"laboratory", "The laboratory, which compares and measures:", laboratory.Commands()},
		{"upkeep", "Upkeep:", upkeep.Commands()},
	}
}

type section struct {
	id, title string
	commands  []*cobra.Command
}

func newRoot() *cobra.Command {
	version, revision := upkeep.Version()
	root := &cobra.Command{
		Use:   "edgefvm",
		Short: "Run Filecoin messages on the Filecoin Virtual Machine, in Go",
		Long: `edgefvm executes Filecoin messages exactly as the network does: exit code, return
data, gas, events and state root, for network versions 16 to 29.

Exit codes: 0 all well, 1 something differs or failed, 2 wrong usage, 130 interrupted.
Environment: EDGEFVM_ENGINE the Wasm engine, EDGEFVM_BUNDLES a folder of actor bundles,
EDGEFVM_ADDED_BUNDLES where 'bundle add' keeps them, EDGEFVM_CACHE the folder of compiled
code, EDGEFVM_ORACLE the reference's program, NO_COLOR no colours, COLUMNS the width of
text (60 to 300; default: the terminal's, 60 to 120).`,
		Example: `  edgefvm explain lab/conformance/testdata/nv28-onboard-035.json
  edgefvm vectors run lab/conformance/testdata
  edgefvm bundle list`,
		Version:           strings.TrimSpace(version + " " + revision),
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}, // upkeep has one with examples
		Args:              cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	for _, g := range sections() {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	help := kit.NewHelp()
	help.GroupID = "upkeep"
	root.SetHelpCommand(help)
	return root
}
