package kit

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/vector"
)

// Setting is what most commands need: an engine and actors.
type Setting struct {
	Engine   string
	CacheDir string
	NoCache  bool
	Generic  bool
	Jobs     int // modules that are compiled at a time; no flag of all commands
	Bundles  string
	CARs     []string
}

// Flags are those of all of it. The help shows them after the command's own.
func (s *Setting) Flags(cmd *cobra.Command) {
	f := cmd.Flags()
	defer share(f, namesOf(f))
	s.MachineFlags(cmd, "")
	s.CARFlag(cmd)
}

// MachineFlags are those of the engine, its cache and the networks' actors. More is said of the engine after the names.
func (s *Setting) MachineFlags(cmd *cobra.Command, more string) {
	s.EngineFlag(cmd, "Wasm `engine`, one of "+strings.Join(EngineNames(), ", ")+more)
	CacheFlag(cmd, &s.CacheDir)
	cmd.Flags().BoolVar(&s.NoCache, "no-cache", false, "keep compiled code in memory only")
	s.BundleFlags(cmd)
}

// EngineFlag is the flag for the engine, with words of the command's own. A shell completes its value.
func (s *Setting) EngineFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&s.Engine, "engine", DefaultEngine(), usage)
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions(EngineNames(), cobra.ShellCompDirectiveNoFileComp))
}

// BundleFlags are those for the networks' actors.
func (s *Setting) BundleFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.Bundles, "bundles", "", "`folder` of actor bundles (default: $EDGEFVM_BUNDLES, else those installed with the program, else the Go module "+bundle.Module+")")
}

// CARFlag is for actors of one's own.
func (s *Setting) CARFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.CARs, "bundle", nil, "actor bundle `CAR` to use instead of the networks' own (may be repeated)")
}

// CacheFlag is the flag for the folder of compiled code.
func CacheFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "cache", "", "`folder` of compiled code (default: edgefvm in the user's cache folder)")
}

// BundleOptions say where the networks' actors are, and where they are kept unpacked.
func (s *Setting) BundleOptions(cmd *cobra.Command) bundle.Options {
	opts := bundle.Options{Dir: s.Bundles, Progress: cmd.ErrOrStderr()}
	if dir, err := CacheFolder(s.CacheDir); err == nil && !s.NoCache {
		opts.Unpacked = UnpackedIn(dir)
	}
	return opts
}

// Actors give the actors' code.
func (s *Setting) Actors(cmd *cobra.Command) *vector.Actors {
	return vector.NewActors(s.BundleOptions(cmd), s.CARs...)
}

// CacheFolder is the folder that --cache names, or the usual one.
func CacheFolder(dir string) (string, error) {
	if dir == "" {
		d, err := fvm.DefaultCacheDir()
		if err != nil {
			return "", err
		}
		dir = d
	}
	return filepath.Abs(dir)
}

// UnpackedIn is where bundles lie unpacked in a cache folder.
func UnpackedIn(dir string) string { return filepath.Join(dir, "bundles") }

// Start makes the engine; the caller closes it. An engine of another build is an error that says what to install.
func (s *Setting) Start() (*fvm.Engine, error) {
	unknown := func() error {
		return Usagef("there is no engine %q%s", s.Engine, DidYouMean(s.Engine, EngineNames()))
	}
	if s.Engine == "" { // to NewEngine that is the default
		return nil, unknown()
	}
	e, err := NewEngine(fvm.EngineConfig{Name: s.Engine, CacheDir: s.CacheDir, NoCache: s.NoCache, Jobs: s.Jobs, Generic: s.Generic})
	if errors.Is(err, fvm.ErrUnknownEngine) {
		return nil, unknown()
	}
	return e, err
}

// StartAll starts the engines that --engine names, with commas between them and each once; end closes them.
func (s *Setting) StartAll(ctx context.Context) (engines []*fvm.Engine, end func(), err error) {
	end = func() {
		for _, e := range engines {
			_ = e.Close(context.WithoutCancel(ctx))
		}
	}
	names := strings.Split(s.Engine, ",")
	for i, name := range names {
		if slices.Contains(names[:i], name) { // what an engine says of itself finds nothing
			end()
			return nil, nil, Usagef("--engine names %q twice", name)
		}
		one := *s
		one.Engine = name
		e, err := one.Start()
		if err != nil {
			end()
			return nil, nil, err
		}
		engines = append(engines, e)
	}
	return engines, end, nil
}
