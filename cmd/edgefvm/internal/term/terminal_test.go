package term

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/internal/layout"
)

func TestTerminal(t *testing.T) {
	t.Setenv("COLUMNS", "")
	if bool(NewPainter(new(bytes.Buffer))) || Is(new(bytes.Buffer)) || Columns(new(bytes.Buffer)) != DefaultColumns {
		t.Error("a buffer is taken for a terminal")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if Is(null) {
		t.Error("the null device is taken for a terminal")
	}
	if runtime.GOOS != "linux" {
		t.Skip("NOT RUN: there is no terminal to open")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil || !Is(tty) {
		t.Skip("NOT RUN: there is no terminal to open")
	}
	defer tty.Close()
	for _, c := range []struct {
		noColor, term   string
		colours, redraw bool
	}{{"", "xterm", true, true}, {"1", "xterm", false, true}, {"", "dumb", false, false}} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		if got := NewPainter(tty); bool(got) != c.colours {
			t.Errorf("NO_COLOR=%q TERM=%s: colours %v", c.noColor, c.term, got)
		}
		if got := NewProgress(tty).on; got != c.redraw {
			t.Errorf("NO_COLOR=%q TERM=%s: progress %v", c.noColor, c.term, got)
		}
	}
	if n := Columns(tty); n < LeastColumns || n > MostColumns {
		t.Errorf("a new terminal has %d columns", n)
	}
}

// COLUMNS says the width, in a file too.
func TestColumns(t *testing.T) {
	for columns, want := range map[string]int{"": DefaultColumns, "80": 80, "200": 200, "10": LeastColumns, "5000": MostAsked, "0": DefaultColumns, "-5": DefaultColumns, "wide": DefaultColumns} {
		t.Setenv("COLUMNS", columns)
		if n := Columns(new(bytes.Buffer)); n != want {
			t.Errorf("COLUMNS=%q: %d, want %d", columns, n, want)
		}
	}
}

func TestPainter(t *testing.T) {
	on, off := layout.Painter(true), layout.Painter(false)
	for _, c := range []struct{ name, on, off, want string }{
		{"bold", on.Bold("x"), off.Bold("x"), "\x1b[1mx\x1b[0m"}, {"dim", on.Dim("x"), off.Dim("x"), "\x1b[2mx\x1b[0m"},
		{"red", on.Red("x"), off.Red("x"), "\x1b[31mx\x1b[0m"}, {"green", on.Green("x"), off.Green("x"), "\x1b[32mx\x1b[0m"},
		{"cyan", on.Cyan("x"), off.Cyan("x"), "\x1b[36mx\x1b[0m"},
	} {
		if c.on != c.want || c.off != "x" || layout.Width(c.on) != 1 {
			t.Errorf("%s: %q and %q", c.name, c.on, c.off)
		}
	}
	if on.Red("") != "" {
		t.Error("nothing is coloured")
	}
}

// screen is what a person sees of what was written: each carriage return with its clearing takes the line back.
func screen(s string) string { return s[strings.LastIndex(s, "\r\x1b[K")+len("\r\x1b[K"):] }

// drawing is a progress on a terminal of so many columns, with a clock of its own.
func drawing(columns int) (p *Progress, out *bytes.Buffer, clock *time.Time) {
	out, clock = new(bytes.Buffer), new(time.Time)
	*clock = time.Unix(1000, 0)
	return &Progress{w: out, on: true, columns: columns, now: func() time.Time { return *clock }}, out, clock
}

func TestProgressBar(t *testing.T) {
	p, out, clock := drawing(60)
	p.Bar(1, 4, "one")
	if got := screen(out.String()); got != "█████░░░░░░░░░░░░░░░ 1/4, one" {
		t.Errorf("%q", got)
	}
	*clock = clock.Add(time.Millisecond)
	p.Bar(2, 4, "two") // too soon to be read
	if got := screen(out.String()); !strings.HasSuffix(got, "one") {
		t.Errorf("%q", got)
	}
	p.Bar(4, 4, "the last one is shown however soon it comes")
	if got := screen(out.String()); got != strings.Repeat("█", 20)+" 4/4, the last one is shown however so…" {
		t.Errorf("%q", got)
	}
	*clock = clock.Add(time.Second)
	p.Bar(9, 4, "日本語\n\x1b[31m") // more than all, and a text that is not fit for a terminal
	if got := screen(out.String()); got != strings.Repeat("█", 20)+` 9/4, 日本語; \x1b[31m` {
		t.Errorf("%q", got)
	}
	*clock = clock.Add(time.Second)
	p.Line(strings.Repeat("long ", 50))
	if got := screen(out.String()); layout.Width(got) != 59 {
		t.Errorf("a line of %d columns on a terminal of 60", layout.Width(got))
	}
	p.End()
	if got := screen(out.String()); got != "" {
		t.Errorf("it leaves %q", got)
	}
	n := out.Len()
	if p.End(); out.Len() != n {
		t.Error("it ends twice")
	}
}

// Into a file go lines, one a minute, and nothing that only a terminal understands.
func TestProgressElsewhere(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out)
	clock := time.Now()
	p.now = func() time.Time { return clock }
	p.Bar(1, 2, "a bar")
	p.Line("too early")
	for range 5 {
		clock = clock.Add(25 * time.Second)
		p.Line("at " + clock.Sub(p.last).Truncate(time.Second).String())
	}
	p.End()
	if got := out.String(); got != "at 1m15s\n" {
		t.Errorf("%q", got)
	}
}

func TestPage(t *testing.T) {
	var out bytes.Buffer
	g := NewPage(&out)
	g.Title("title %d")
	g.Lines([]string{"100%", "b"})
	g.Line("%d", 1)
	if out.String() != "\ntitle %d\n100%\nb\n1\n" || g.Err != nil || g.Columns != DefaultColumns {
		t.Errorf("%q, %v", out.String(), g.Err)
	}
	w := &failing{left: 1}
	g = NewPage(w)
	g.Lines([]string{"a", "b", "c"})
	if g.Err != os.ErrClosed || w.calls != 2 {
		t.Errorf("%v after %d writes", g.Err, w.calls)
	}
}

// failing is a writer that is closed after some writes.
type failing struct{ left, calls int }

func (f *failing) Write(p []byte) (int, error) {
	f.calls++
	if f.left--; f.left < 0 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}
