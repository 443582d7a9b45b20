package term

import (
	"fmt"
	"io"
)

// Page is what a command prints. The first error of its writer stays in Err, and nothing is written after it.
type Page struct {
	W       io.Writer
	P       Painter
	Columns int // how wide the output is at most
	Err     error
}

// NewPage is a page on w, in the width and the colours that suit it.
func NewPage(w io.Writer) *Page { return &Page{W: w, P: NewPainter(w), Columns: Columns(w)} }

// Line writes a line.
func (g *Page) Line(format string, a ...any) {
	if g.Err == nil {
		_, g.Err = fmt.Fprintf(g.W, format+"\n", a...)
	}
}

// Lines writes lines as they are.
func (g *Page) Lines(all []string) {
	for _, l := range all {
		g.Line("%s", l)
	}
}

// Title writes a title, after an empty line.
func (g *Page) Title(s string) {
	g.Line("")
	g.Line("%s", g.P.Bold(s))
}
