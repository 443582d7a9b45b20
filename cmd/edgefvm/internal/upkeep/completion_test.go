package upkeep_test

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// Each script is one that its shell reads, and asks this program.
func TestCompletion(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "complete -o default -F __start_edgefvm edgefvm", "zsh": "#compdef edgefvm", "fish": "complete -c edgefvm", "powershell": "Register-ArgumentCompleter -CommandName 'edgefvm'",
	} {
		if out := edgefvm.OK(t, "completion", shell); !strings.Contains(out, want) || !strings.Contains(out, "__complete") {
			t.Errorf("%s:\n%.300s", shell, out)
		}
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"completion", "bsh"}, `there is no script for "bsh"; did you mean bash or zsh?`)
	edgefvm.Fails(t, kit.ExitUsage, []string{"completion", "nu"}, `there is no script for "nu"; known: bash, fish, powershell, zsh`)
	edgefvm.Fails(t, kit.ExitUsage, []string{"completion"}, "completion needs SHELL")
}

// What a shell asks is answered: commands, and the engines of this build.
func TestCompletionAnswers(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"cache", ""}, []string{"build", "info", "clean"}},
		{[]string{"completion", ""}, []string{"bash", "fish", "powershell", "zsh"}},
		{[]string{"vectors", "run", "--engine", ""}, kit.EngineNames()},
		{[]string{"cache", "build", "--engine", ""}, kit.EngineNames()},
	} {
		out := edgefvm.OK(t, append([]string{"__complete"}, c.args...)...)
		for _, want := range c.want {
			if !strings.Contains("\n"+out, "\n"+want) {
				t.Errorf("%v: there is no %s in\n%s", c.args, want, out)
			}
		}
	}
}
