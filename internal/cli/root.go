package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/conformance"
)

// The exit codes that scripts can rely on.
const (
	exitOK     = 0
	exitFailed = 1 // something differs, or could not be done
	exitUsage  = 2 // the command line is wrong
)

// errFailed ends a command whose output already says what is wrong.
var errFailed = errors.New("failed")

// usageError is a mistake on the command line that only the command itself can see.
type usageError struct{ error }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// Run runs the command line and returns the process's exit code.
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
	case !started || errors.As(err, &usage):
		fmt.Fprintf(stderr, "edgefvm: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "edgefvm: %v\n", err)
	return exitFailed
}

func newRoot(started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "edgefvm",
		Short: "Run Filecoin messages on the Filecoin Virtual Machine, in Go",
		Long: `edgefvm executes Filecoin messages exactly as the network does: exit code, return
data, gas, events and state root, for network versions 18 to 29.

Exit codes: 0 all well, 1 something differs or failed, 2 wrong usage.
Environment: EDGEFVM_BUNDLES a folder of actor bundles, EDGEFVM_CACHE the folder of
compiled code, NO_COLOR no colours.`,
		Example: `  edgefvm explain conformance/testdata/nv28-onboard-035.json
  edgefvm vectors run conformance/testdata
  edgefvm bundle list`,
		SilenceUsage:     true,
		SilenceErrors:    true,
		PersistentPreRun: func(*cobra.Command, []string) { *started = true },
		Args:             cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.AddCommand(newVectors(), newExplain(), newExec(), newBundle(), newBench(), newCache(), newVersion())
	return root
}

// group is a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		_ = cmd.Help()
		return usagef("%s needs a command", cmd.CommandPath())
	}}
	cmd.AddCommand(children...)
	return cmd
}

// setting is what most commands need: an engine and actors.
type setting struct {
	engine   string
	cacheDir string
	noCache  bool
	bundles  string
	cars     []string
}

func (s *setting) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.engine, "engine", fvm.EngineNames()[0], fmt.Sprintf("Wasm engine, one of %v", fvm.EngineNames()))
	f.StringVar(&s.cacheDir, "cache", "", "folder of compiled code (default: edgefvm in the user's cache folder)")
	f.BoolVar(&s.noCache, "no-cache", false, "keep compiled code in memory only")
	s.bundleFlags(cmd)
	f.StringArrayVar(&s.cars, "bundle", nil, "actor bundle CAR to use instead of the networks' own (may be repeated)")
}

func (s *setting) bundleFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.bundles, "bundles", "", "folder of actor bundles (default: $EDGEFVM_BUNDLES, else the Go module "+bundle.Module+")")
}

func (s *setting) bundleOptions(cmd *cobra.Command) bundle.Options {
	return bundle.Options{Dir: s.bundles, Progress: cmd.ErrOrStderr()}
}

func (s *setting) actors(cmd *cobra.Command) *conformance.Actors {
	return conformance.NewActors(s.bundleOptions(cmd), s.cars...)
}

// start makes the engine; the caller closes it.
func (s *setting) start() (*fvm.Engine, error) {
	known := false
	for _, n := range fvm.EngineNames() {
		known = known || n == s.engine
	}
	if !known {
		return nil, usagef("there is no engine %q; known: %v", s.engine, fvm.EngineNames())
	}
	return fvm.NewEngine(fvm.EngineConfig{Name: s.engine, CacheDir: s.cacheDir, NoCache: s.noCache})
}
