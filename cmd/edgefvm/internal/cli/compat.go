package cli

// Names that the commands of this package had before there were kit and term: thin, and to go
// with the files that use them (exec, explain, bundle).

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/vector"
)

const (
	exitOK          = kit.ExitOK
	exitFailed      = kit.ExitFailed
	exitUsage       = kit.ExitUsage
	exitInterrupted = kit.ExitInterrupted
)

var (
	errFailed = kit.ErrFailed
	usagef    = kit.Usagef
	isTrace   = kit.IsTrace
	group     = kit.Group
	columnsOf = term.Columns
	clean     = layout.Clean
	padRight  = layout.PadRight
	cut       = layout.Cut
	fil       = layout.FIL
)

// usageError is kit's, whose field cannot be given from here.
type usageError struct{ error }

func (e usageError) Unwrap() error { return kit.AsUsage(e.error) }

type painter bool

func newPainter(w io.Writer) painter { return painter(term.NewPainter(w)) }

func (p painter) bold(s string) string { return layout.Painter(p).Bold(s) }
func (p painter) dim(s string) string  { return layout.Painter(p).Dim(s) }

// setting is kit's, by its old names.
type setting struct{ kit.Setting }

func (s *setting) flags(cmd *cobra.Command)       { s.Flags(cmd) }
func (s *setting) bundleFlags(cmd *cobra.Command) { s.BundleFlags(cmd) }
func (s *setting) start() (*fvm.Engine, error)    { return s.Start() }

func (s *setting) bundleOptions(cmd *cobra.Command) bundle.Options { return s.BundleOptions(cmd) }
func (s *setting) actors(cmd *cobra.Command) *vector.Actors        { return s.Actors(cmd) }
