package layout

import (
	"fmt"
	"io"
	"strings"
)

// Page is what is printed. The first error of its writer stays in Err, and nothing is written after it.
type Page struct {
	W       io.Writer
	P       Painter
	Columns int // how wide the output is at most
	Err     error
}

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

// Bar draws a part of most, which is wide columns, in eighths of a column.
func Bar(part, most int64, wide int) string {
	if most <= 0 || part <= 0 {
		return ""
	}
	eighths := int(float64(part) / float64(most) * float64(wide) * 8)
	s := strings.Repeat("█", eighths/8)
	if r := eighths % 8; r > 0 {
		s += string([]rune("▏▎▍▌▋▊▉")[r-1])
	}
	if s == "" {
		s = "▏"
	}
	return s
}

// Painter colours text for a terminal, or leaves it as it is.
type Painter bool

func (p Painter) paint(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// The styles.
func (p Painter) Bold(s string) string  { return p.paint("1", s) }
func (p Painter) Dim(s string) string   { return p.paint("2", s) }
func (p Painter) Red(s string) string   { return p.paint("31", s) }
func (p Painter) Green(s string) string { return p.paint("32", s) }
func (p Painter) Cyan(s string) string  { return p.paint("36", s) }
