package laboratory

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
)

// lockStep is a setting that may name several engines.
type lockStep struct {
	kit.Setting
	dir string // for bundles of differences

	engines []*fvm.Engine // that were started
}

func (s *lockStep) flags(cmd *cobra.Command) {
	s.Flags(cmd)
	f := cmd.Flags()
	f.Lookup("engine").Usage += "; two or three, with commas between them, run in lock-step, the first being the one that others are compared with"
	f.StringVar(&s.dir, "differences", "", "`folder` for a bundle of each difference between engines: a vector file with all it needs")
}

// options are the runner's, with the engines started; end closes them.
func (s *lockStep) options(cmd *cobra.Command) (opts conformance.Options, end func(), err error) {
	names := strings.Split(s.Engine, ",")
	switch {
	case len(names) > 3:
		return opts, nil, kit.Usagef("--engine names %d engines, at most three run in lock-step", len(names))
	case len(names) == 1 && s.dir != "":
		return opts, nil, kit.Usagef("--differences is for several engines: name them with --engine")
	}
	if s.engines, end, err = s.StartAll(cmd.Context()); err != nil {
		return opts, nil, err
	}
	watched, closed := kit.WatchCompiling(cmd.ErrOrStderr(), s.engines...), end
	end = func() { watched(); closed() }
	opts.Actors = s.Actors(cmd)
	if len(names) == 1 {
		opts.Engine = s.engines[0]
		return opts, end, nil
	}
	shadows := shadow.Options{Engines: s.engines, RootEachMessage: true, Dir: s.dir, Logger: slog.New(slog.DiscardHandler)} // the report says it
	opts.Open = func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		m, err := shadow.New(ctx, cfg, shadows)
		if err != nil {
			return nil, err // not a nil machine in an interface
		}
		return m, nil
	}
	return opts, end, nil
}

// tallies says what ran, of engines that have several kinds of code: whoever asked for machine code wants to
// know whether it was that.
func (s *lockStep) tallies() (lines []string) {
	for _, e := range s.engines {
		var parts []string
		for _, t := range e.Tally() {
			if t.Modules > 0 {
				parts = append(parts, fmt.Sprintf("%s on %s", layout.Grouped(t.Modules), t.Name))
			}
		}
		if len(parts) > 0 {
			lines = append(lines, fmt.Sprintf("modules of %s: %s", e.Name(), strings.Join(parts, ", ")))
		}
	}
	return lines
}
