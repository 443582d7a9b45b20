package cli

// Names that the commands of this package had before there were kit and term: thin, and to go
// with the files that use them (exec, explain, bundle).

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/vector"
)

const (
	exitOK          = kit.ExitOK
	exitFailed      = kit.ExitFailed
	exitUsage       = kit.ExitUsage
	exitInterrupted = kit.ExitInterrupted

	leastColumns   = term.LeastColumns
	mostColumns    = term.MostColumns
	defaultColumns = term.DefaultColumns
)

var (
	errFailed = kit.ErrFailed
	usagef    = kit.Usagef
	isTrace   = kit.IsTrace
	group     = kit.Group
	columnsOf = term.Columns
	clean     = term.Clean
	wrap      = term.Wrap
	width     = term.Width
	padRight  = term.PadRight
	padLeft   = term.PadLeft
	cut       = term.Cut
	fil       = term.FIL
	gasText   = term.Gas
)

func grouped[N ~int | ~int64 | ~uint64](n N) string { return term.Grouped(n) }

// usageError is kit's, whose field cannot be given from here.
type usageError struct{ error }

func (e usageError) Unwrap() error { return kit.AsUsage(e.error) }

type painter bool

func newPainter(w io.Writer) painter { return painter(term.NewPainter(w)) }

func (p painter) bold(s string) string  { return term.Painter(p).Bold(s) }
func (p painter) dim(s string) string   { return term.Painter(p).Dim(s) }
func (p painter) red(s string) string   { return term.Painter(p).Red(s) }
func (p painter) green(s string) string { return term.Painter(p).Green(s) }
func (p painter) cyan(s string) string  { return term.Painter(p).Cyan(s) }

// setting is kit's, by its old names.
type setting struct{ kit.Setting }

func (s *setting) flags(cmd *cobra.Command)       { s.Flags(cmd) }
func (s *setting) bundleFlags(cmd *cobra.Command) { s.BundleFlags(cmd) }
func (s *setting) start() (*fvm.Engine, error)    { return s.Start() }

func (s *setting) bundleOptions(cmd *cobra.Command) bundle.Options { return s.BundleOptions(cmd) }
func (s *setting) actors(cmd *cobra.Command) *vector.Actors        { return s.Actors(cmd) }

// recorded is what a bundle of package shadow says of the engines that differed, for people.
func recorded(d *vector.EngineDifference) []string {
	if d == nil {
		return nil
	}
	head := d.Engine + " differed from " + d.Primary
	if len(d.Agreed) > 0 {
		head += ", with which " + strings.Join(d.Agreed, ", ") + " agreed"
	}
	lines := []string{head + ":"}
	for _, p := range d.Differences {
		lines = append(lines, "  "+p.String())
	}
	lines = append(lines, d.Again)
	expected, beside := d.Primary, d.Engine
	if d.Expected != d.Primary {
		expected, beside = beside, expected
	}
	return slices.Concat(lines, []string{"what is expected here is what " + expected + " gave; the trace of " + beside + " is in " + d.Trace})
}
