package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

// The exit codes that scripts can rely on.
const (
	exitOK     = 0
	exitFailed = 1 // something differs, or could not be done
	exitUsage  = 2 // the command line is wrong

	exitInterrupted = 130 // as shells report it for SIGINT
)

// These end a command whose output already says what is wrong.
var (
	errFailed      = errors.New("failed")
	errInterrupted = errors.New("interrupted")
)

// usageError is a mistake on the command line that only the command itself can see.
type usageError struct{ error }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// Run runs the command line and returns the process's exit code. It stops soon
// after ctx ends, and says what was done until then.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var started bool
	root := newRoot(&started)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "edgefvm: interrupted")
		return exitInterrupted
	case !started || errors.As(err, &usage):
		fmt.Fprintf(stderr, "edgefvm: %s\nSee '%s --help'.\n", oneLine(err), cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "edgefvm: %s\n", oneLine(err))
	return exitFailed
}

// oneLine is an error's text on one line, fit for a terminal.
func oneLine(err error) string {
	return clean(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}

func newRoot(started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "edgefvm",
		Short: "Run Filecoin messages on the Filecoin Virtual Machine, in Go",
		Long: `edgefvm executes Filecoin messages exactly as the network does: exit code, return
data, gas, events and state root, for network versions 16 to 29.

Exit codes: 0 all well, 1 something differs or failed, 2 wrong usage, 130 interrupted.
Environment: EDGEFVM_ENGINE the Wasm engine, EDGEFVM_BUNDLES a folder of actor bundles,
EDGEFVM_CACHE the folder of compiled code, NO_COLOR no colours.`,
		Example: `  edgefvm explain lab/conformance/testdata/nv28-onboard-035.json
  edgefvm vectors run lab/conformance/testdata
  edgefvm bundle list`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.AddCommand(newVectors(), newExplain(), newExec(), newBundle(), newBench(), newFirstReceipt(), newSoak(), newOracle(), newFuzz(), newSweep(), newCache(), newVersion())
	noteStart(root, started)
	return root
}

// noteStart notes that a command's own code began: errors before that are mistakes on the command line.
func noteStart(cmd *cobra.Command, started *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		noteStart(c, started)
	}
}

// group is a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	var names, examples []string
	for _, c := range children {
		names = append(names, c.Name())
		if c.Example != "" {
			examples = append(examples, c.Example)
		}
	}
	cmd := &cobra.Command{Use: use, Short: short, Example: strings.Join(examples, "\n"), RunE: func(cmd *cobra.Command, args []string) error {
		what := "needs a command"
		if len(args) > 0 {
			what = fmt.Sprintf("has no command %q", args[0])
		}
		return usagef("%s %s: %s", cmd.CommandPath(), what, strings.Join(names, ", "))
	}}
	cmd.AddCommand(children...)
	return cmd
}

// findVectors lists the vector files that paths name. A trace that was named is passed over: a shell's
// pattern for a vector often fits its trace too.
func findVectors(paths []string) ([]string, error) {
	var named []string
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && !info.IsDir() && isTrace(p) {
			continue
		}
		named = append(named, p)
	}
	files, err := conformance.Find(named...)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; name vector files, or folders of them", err)
	}
	return files, err
}

// isTrace tells by its name whether a file is a trace.
func isTrace(path string) bool {
	for _, ending := range []string{".trace.gz", ".trace.json.gz", ".trace.json"} {
		if strings.HasSuffix(path, ending) {
			return true
		}
	}
	return false
}

// setting is what most commands need: an engine and actors.
type setting struct {
	engine   string
	cacheDir string
	noCache  bool
	generic  bool
	jobs     int // modules that are compiled at a time; no flag of all commands
	bundles  string
	cars     []string
}

func (s *setting) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.engine, "engine", defaultEngine(), "Wasm engine, one of "+strings.Join(engineNames(), ", "))
	f.StringVar(&s.cacheDir, "cache", "", "folder of compiled code (default: edgefvm in the user's cache folder)")
	f.BoolVar(&s.noCache, "no-cache", false, "keep compiled code in memory only")
	s.bundleFlags(cmd)
	f.StringArrayVar(&s.cars, "bundle", nil, "actor bundle CAR to use instead of the networks' own (may be repeated)")
}

func (s *setting) bundleFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.bundles, "bundles", "", "folder of actor bundles (default: $EDGEFVM_BUNDLES, else the Go module "+bundle.Module+")")
}

func (s *setting) bundleOptions(cmd *cobra.Command) bundle.Options {
	opts := bundle.Options{Dir: s.bundles, Progress: cmd.ErrOrStderr()}
	if dir, err := cacheFolder(s.cacheDir); err == nil && !s.noCache {
		opts.Unpacked = unpackedIn(dir)
	}
	return opts
}

func (s *setting) actors(cmd *cobra.Command) *vector.Actors {
	return vector.NewActors(s.bundleOptions(cmd), s.cars...)
}
