package kit

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/internal/layout"
)

// Group is a command that only holds others.
func Group(use, short string, children ...*cobra.Command) *cobra.Command {
	var examples []string
	for _, c := range children {
		if c.Example != "" {
			examples = append(examples, c.Example)
		}
	}
	cmd := &cobra.Command{Use: use, Short: short, Example: strings.Join(examples, "\n"), RunE: func(cmd *cobra.Command, args []string) error {
		return unknownCommand(cmd, args)
	}}
	cmd.AddCommand(children...)
	return cmd
}

// unknownCommand is the error of a command that only holds others.
func unknownCommand(cmd *cobra.Command, args []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	switch {
	case len(args) == 0:
		return Usagef("%s needs a command: %s", pathOf(cmd), strings.Join(names, ", "))
	case cmd.HasParent():
		return Usagef("%s has no command %q%s", pathOf(cmd), args[0], didYouMean(args[0], names, "it has "))
	}
	for _, c := range cmd.Commands() {
		for _, below := range c.Commands() {
			if below.Name() == args[0] {
				return Usagef("there is no command %q; did you mean %s?", args[0], pathOf(below))
			}
		}
	}
	return Usagef("there is no command %q%s", args[0], didYouMean(args[0], names, "there are "))
}

// pathOf is a command as it is typed, without the program, whose name errors begin with.
func pathOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// prepare gives all commands below root what they have in common.
func prepare(root *cobra.Command, started *bool) {
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		noteStart(cmd, started)
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if check(cmd, args) == nil {
					return nil
				}
				return argsError(cmd, args)
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
}

// noteStart notes that a command's own code began: errors before that are mistakes on the command line.
func noteStart(cmd *cobra.Command, started *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return run(cmd, args)
		}
	}
}

// flagsOfUse are the flags in a command's first line of help, each with its value and what stands around it.
var flagsOfUse = regexp.MustCompile(`[\[(| ]*--[a-z]+ [^\s|\])]+\]?( \.\.\.\))?`)

// argsError says what a command wants, in the words of its first line of help.
func argsError(cmd *cobra.Command, args []string) error {
	if cmd.HasSubCommands() {
		return unknownCommand(cmd, args)
	}
	_, wants, _ := strings.Cut(cmd.Use, " ")
	wants = strings.TrimSpace(flagsOfUse.ReplaceAllString(" "+wants, "")) // flags are no arguments
	switch {
	case wants == "" && len(args) == 0:
		return Usagef("%s needs an argument", pathOf(cmd))
	case wants == "":
		return Usagef("%s takes no arguments, and %q is one", pathOf(cmd), args[0])
	case len(args) == 0:
		return Usagef("%s needs %s", pathOf(cmd), wants)
	}
	return Usagef("%s takes %s, not %d %s", pathOf(cmd), wants, len(args), layout.Plural(len(args), "argument"))
}

// WriteJSON prints data for programs.
func WriteJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
