package cli

import (
	"fmt"
	"io"
)

// page collects what is printed; the first error of the writer stays.
type page struct {
	w       io.Writer
	p       painter
	columns int // how wide the output is at most
	err     error
}

func newPage(w io.Writer) *page { return &page{w: w, p: newPainter(w), columns: columnsOf(w)} }

func (g *page) line(format string, a ...any) {
	if g.err == nil {
		_, g.err = fmt.Fprintf(g.w, format+"\n", a...)
	}
}

func (g *page) lines(all []string) {
	for _, l := range all {
		g.line("%s", l)
	}
}

func (g *page) title(s string) {
	g.line("")
	g.line("%s", g.p.bold(s))
}

func plural(n int, s string) string { return choose(n, s, s+"s") }

func choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
