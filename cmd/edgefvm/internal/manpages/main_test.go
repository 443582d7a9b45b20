package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
)

// Each command has a page, and two runs write the same bytes.
func TestPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if err := write(cli.Command(), dir); err != nil {
			t.Fatal(err)
		}
	}
	var commands func(c *cobra.Command) []string
	commands = func(c *cobra.Command) (all []string) {
		all = append(all, "man1/"+strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
				all = append(all, commands(sub)...)
			}
		}
		return all
	}
	names := append(commands(cli.Command()), "completions/edgefvm.bash", "completions/edgefvm.zsh", "completions/edgefvm.fish")
	if len(names) < 40 {
		t.Fatalf("%d files", len(names))
	}
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(first, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		b, err := os.ReadFile(filepath.Join(second, filepath.FromSlash(name)))
		if err != nil || string(a) != string(b) {
			t.Errorf("%s differs in two runs (%v)", name, err)
		}
		if strings.HasSuffix(name, ".1") && !strings.Contains(string(a), "Nov 2023") {
			t.Errorf("%s does not have the date that was given", name)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	if err := write(cli.Command(), first); err == nil || !strings.Contains(err.Error(), `"today"`) {
		t.Errorf("a date that is none: %v", err)
	}
}
