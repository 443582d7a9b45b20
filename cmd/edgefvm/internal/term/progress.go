package term

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/edgefvm/fvm/internal/layout"
)

// Progress tells how far long work is: on the last line of a terminal, over what it said before. Elsewhere a bar is
// silent, and lines come once a minute, for logs. It belongs to one goroutine at a time.
type Progress struct {
	w       io.Writer
	on      bool // a terminal that can take a line back
	columns int
	now     func() time.Time
	last    time.Time // when something was said
	drawn   bool
}

// Between two lines there is at least so much time.
const (
	betweenDrawn = 50 * time.Millisecond // quicker than a person reads
	betweenLines = time.Minute
)

// NewProgress is a progress on w, which is standard error as a rule.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w, on: Is(w) && !dumb(), columns: DefaultColumns, now: time.Now}
	if n := columnsOf(w); n > 0 {
		p.columns = n
	}
	if !p.on {
		p.last = p.now() // the first line is due in a minute
	}
	return p
}

// Bar shows that so much of all is done, and a word beside it.
func (p *Progress) Bar(done, all int, text string) {
	if !p.on {
		return
	}
	wide := min(30, p.columns/3)
	full := wide * min(done, all) / max(all, 1)
	p.draw(fmt.Sprintf("%s%s %d/%d, %s", strings.Repeat("█", full), strings.Repeat("░", wide-full), done, all, text), done >= all)
}

// Line says something.
func (p *Progress) Line(text string) {
	if p.on {
		p.draw(text, false)
		return
	}
	if p.now().Sub(p.last) >= betweenLines {
		p.last = p.now()
		fmt.Fprintln(p.w, OneLine(text))
	}
}

// draw writes over the last line, unless that is a moment old. A line that fills the terminal would scroll it.
func (p *Progress) draw(text string, at bool) {
	if now := p.now(); at || !p.drawn || now.Sub(p.last) >= betweenDrawn {
		p.last, p.drawn = now, true
		fmt.Fprint(p.w, "\r\x1b[K"+layout.Cut(OneLine(text), p.columns-1))
	}
}

// End takes away what is drawn.
func (p *Progress) End() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
