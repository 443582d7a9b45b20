package upkeep

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// shells are those that a script can be written for.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
	"zsh":        func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
}

func newCompletion() *cobra.Command {
	names := slices.Sorted(maps.Keys(shells))
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that lets a shell complete commands, flags and engines",
		Long:  "Prints a script for the shell to read when it starts: " + strings.Join(names, ", ") + ".",
		Example: `  edgefvm completion bash > ~/.local/share/bash-completion/completions/edgefvm
  edgefvm completion zsh > ~/.zfunc/_edgefvm
  edgefvm completion fish > ~/.config/fish/completions/edgefvm.fish
  edgefvm completion powershell | Out-String | Invoke-Expression`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			write := shells[args[0]]
			if write == nil {
				return kit.Usagef("there is no script for %q%s", args[0], kit.DidYouMean(args[0], names))
			}
			return write(cmd.Root(), cmd.OutOrStdout())
		},
	}
}
