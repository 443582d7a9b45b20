package term

import (
	"io"
	"os"

	xterm "golang.org/x/term"
)

// Is tells whether a person is likely to look at w.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && xterm.IsTerminal(int(f.Fd()))
}

// The columns that output is laid out for: those of the terminal within bounds, or what suits a file.
const (
	LeastColumns   = 60
	MostColumns    = 120
	DefaultColumns = 100
)

// Columns is how wide the output to w may be.
func Columns(w io.Writer) int {
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

// Painter colours text, or leaves it as it is.
type Painter bool

// NewPainter colours only for a terminal that takes it (no-color.org).
func NewPainter(w io.Writer) Painter {
	return Painter(Is(w) && os.Getenv("NO_COLOR") == "" && !dumb())
}

// dumb is a terminal that takes text only.
func dumb() bool { return os.Getenv("TERM") == "dumb" }

func (p Painter) paint(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Bold, and the colours below, are for a word or a line; they do not nest.
func (p Painter) Bold(s string) string { return p.paint("1", s) }

// Dim is for what is beside the point.
func (p Painter) Dim(s string) string { return p.paint("2", s) }

// Red is for what is wrong.
func (p Painter) Red(s string) string { return p.paint("31", s) }

// Green is for what is right.
func (p Painter) Green(s string) string { return p.paint("32", s) }

// Cyan is for what belongs together.
func (p Painter) Cyan(s string) string { return p.paint("36", s) }
