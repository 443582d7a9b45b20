package term

import (
	"io"
	"os"
	"strconv"

	xterm "golang.org/x/term"

	"github.com/edgefvm/fvm/internal/layout"
)

// Is tells whether a person is likely to look at w.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && xterm.IsTerminal(int(f.Fd()))
}

// The columns that output is laid out for: those that COLUMNS says, or of the terminal, within bounds; or what suits a file.
const (
	LeastColumns   = 60
	MostColumns    = 120 // of a terminal: longer lines are hard to read
	MostAsked      = 300 // of COLUMNS
	DefaultColumns = 100
)

// Columns is how wide the output to w may be.
func Columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return min(max(n, LeastColumns), MostAsked)
	}
	if n := columnsOf(w); n > 0 {
		return min(max(n, LeastColumns), MostColumns)
	}
	return DefaultColumns
}

// columnsOf is the terminal's own width; 0 if it does not say, or is none.
func columnsOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := xterm.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// NewPainter colours only for a terminal that takes it (no-color.org).
func NewPainter(w io.Writer) layout.Painter {
	return layout.Painter(Is(w) && os.Getenv("NO_COLOR") == "" && !dumb())
}

// dumb is a terminal that takes text only.
func dumb() bool { return os.Getenv("TERM") == "dumb" }
