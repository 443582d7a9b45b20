// Command manpages writes the command's man pages and shell completions, for packages:
//
//	go run ./cmd/edgefvm/internal/manpages OUT
//
// OUT gets man1/*.1 and completions/edgefvm.{bash,zsh,fish}. The pages' date is SOURCE_DATE_EPOCH, in seconds since 1970,
// so that two builds are the same.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manpages OUT")
		os.Exit(2)
	}
	if err := write(cli.Command(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "manpages:", err)
		os.Exit(1)
	}
}

func write(root *cobra.Command, out string) error {
	date := time.Unix(0, 0)
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH is %q, want seconds since 1970", text)
		}
		date = time.Unix(seconds, 0)
	}
	date = date.UTC()
	pages, completions := filepath.Join(out, "man1"), filepath.Join(out, "completions")
	for _, dir := range []string{pages, completions} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Title: "EDGEFVM", Section: "1", Source: "EdgeFVM", Manual: "EdgeFVM", Date: &date}, pages); err != nil {
		return err
	}
	for shell, generate := range map[string]func(string) error{
		"bash": func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"zsh":  root.GenZshCompletionFile,
		"fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
	} {
		if err := generate(filepath.Join(completions, "edgefvm."+shell)); err != nil {
			return err
		}
	}
	return nil
}
