package kit

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
)

// usageTemplate is the help below a command's long text. Flags that commands share come after a command's own.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- $all := .Commands}}
{{- range $section := .Groups}}

{{$section.Title}}
{{- range $all}}{{if and (or .IsAvailableCommand (eq .Name "help")) (eq .GroupID $section.ID)}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if and .HasAvailableSubCommands (not .Groups)}}

Commands:
{{- range $all}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- with ownFlags .}}

Flags:
{{.}}{{end}}
{{- with sharedFlags .}}

Engine and actors:
{{.}}{{end}}
{{- if .HasAvailableSubCommands}}

'{{.CommandPath}} COMMAND --help' tells more about a command.{{end}}
`

// shared is the annotation of flags that commands share.
const shared = "shared"

// share marks the flags of f that are not among those before.
func share(f *pflag.FlagSet, before []string) {
	f.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(before, flag.Name) {
			_ = f.SetAnnotation(flag.Name, shared, nil)
		}
	})
}

func namesOf(f *pflag.FlagSet) (names []string) {
	f.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return names
}

// flagText is the help of the flags that commands share, or of the others, in the width of the terminal.
func flagText(cmd *cobra.Command, ofShared bool) string {
	some := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if _, is := flag.Annotations[shared]; is != ofShared {
			return
		}
		if strings.Contains(flag.Usage, "(default:") { // in words: pflag would add its value
			worded := *flag
			worded.DefValue = noValue(flag.Value.Type())
			flag = &worded
		}
		some.AddFlag(flag)
	})
	return strings.TrimRight(some.FlagUsagesWrapped(term.Columns(cmd.OutOrStdout())), "\n ")
}

// noValue is the default of a flag of that type that pflag prints nothing of.
func noValue(of string) string {
	switch {
	case strings.HasSuffix(of, "Slice"), strings.HasSuffix(of, "Array"):
		return "[]"
	case strings.Contains(of, "int"):
		return "0"
	}
	return ""
}

func init() {
	cobra.EnableCommandSorting = false // the help shows commands in the order in which they are added
	cobra.AddTemplateFunc("ownFlags", func(cmd *cobra.Command) string { return flagText(cmd, false) })
	cobra.AddTemplateFunc("sharedFlags", func(cmd *cobra.Command) string { return flagText(cmd, true) })
}

// NewHelp is the command that prints another one's help, and knows when there is none.
func NewHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Print the help of a command",
		Example: "  edgefvm help\n  edgefvm help vectors run",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return AsUsage(err)
			}
			if len(rest) > 0 {
				if !about.HasSubCommands() {
					return Usagef("%s has no commands", pathOf(about))
				}
				return unknownCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}
