package cli

import (
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/filecoin-project/go-state-types/abi"
)

// isTerminal tells whether a person is likely to look at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, ok = terminalColumns(f)
	return ok
}

// The columns that output is laid out for: those of the terminal within bounds, or what suits a file.
const (
	leastColumns   = 60
	mostColumns    = 120
	defaultColumns = 100
)

// columnsOf is how wide the output to w may be.
func columnsOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, ok := terminalColumns(f); ok && n > 0 {
			return min(max(n, leastColumns), mostColumns)
		}
	}
	return defaultColumns
}

// clean makes text from outside fit for a terminal: control characters and what would turn the direction of
// writing are shown as escapes. Newlines stay.
func clean(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || unicode.IsGraphic(r):
			out.WriteRune(r)
		case r == '\t':
			out.WriteByte(' ')
		default:
			q := strconv.QuoteRune(r)
			out.WriteString(q[1 : len(q)-1])
		}
	}
	return out.String()
}

// wrap breaks text between words where it would be longer than columns, colours not counted, and words without
// colours that are longer still. Lines after the first start with indent.
func wrap(s string, columns int, indent string) string {
	var out strings.Builder
	at := 0
	for i, word := range strings.Split(s, " ") {
		wide := width(word)
		switch {
		case i == 0:
		case at+1+wide > columns && at > width(indent):
			out.WriteString("\n" + indent)
			at = width(indent)
		default:
			out.WriteByte(' ')
			at++
		}
		for room := columns - at; wide > room && !strings.Contains(word, "\x1b"); room = columns - at {
			r := []rune(word)
			out.WriteString(string(r[:room]) + "\n" + indent)
			word, wide, at = string(r[room:]), wide-room, width(indent)
		}
		out.WriteString(word)
		at += wide
	}
	return out.String()
}

// painter colours text, or leaves it as it is.
type painter bool

// newPainter colours only for a terminal that takes it (no-color.org).
func newPainter(w io.Writer) painter {
	return painter(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

func (p painter) paint(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p painter) bold(s string) string  { return p.paint("1", s) }
func (p painter) dim(s string) string   { return p.paint("2", s) }
func (p painter) red(s string) string   { return p.paint("31", s) }
func (p painter) green(s string) string { return p.paint("32", s) }
func (p painter) cyan(s string) string  { return p.paint("36", s) }

// width is the columns that s takes, without its colours.
func width(s string) int {
	n := utf8.RuneCountInString(s)
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return n
		}
		j := strings.IndexByte(s[i:], 'm')
		if j < 0 {
			return n
		}
		n -= j + 1
		s = s[i+j+1:]
	}
}

func padRight(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-width(s)))
}

func padLeft(s string, n int) string {
	return strings.Repeat(" ", max(0, n-width(s))) + s
}

// cut shortens text without colours to n columns.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// grouped writes a number with commas.
func grouped[N ~int | ~int64 | ~uint64](n N) string {
	return groupDigits(fmt.Sprint(n))
}

func groupDigits(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// gasText writes milligas as gas, rounded up as receipts are.
func gasText(milligas int64) string {
	if milligas < 0 {
		return grouped(milligas / 1000)
	}
	return grouped((milligas + 999) / 1000)
}

// fil writes an amount for people: exact, in FIL from a billionth on.
func fil(v abi.TokenAmount) string {
	if v.Int == nil || v.Sign() == 0 {
		return "0 FIL"
	}
	abs := new(big.Int).Abs(v.Int)
	sign := ""
	if v.Sign() < 0 {
		sign = "-"
	}
	const nano = 1_000_000_000
	if abs.Cmp(big.NewInt(nano)) < 0 {
		return sign + groupDigits(abs.String()) + " attoFIL"
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	whole, rest := new(big.Int).QuoRem(abs, unit, new(big.Int))
	text := sign + groupDigits(whole.String())
	if rest.Sign() != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%018s", rest.String()), "0")
	}
	return text + " FIL"
}

// meter shows how far long work is, on a terminal; elsewhere it is silent.
type meter struct {
	w     io.Writer
	on    bool
	all   int
	drawn bool
}

func newMeter(w io.Writer, all int) *meter { return &meter{w: w, on: isTerminal(w), all: all} }

// draw shows that so much of all is done, and a word beside it.
func (b *meter) draw(done int, text string) {
	if !b.on {
		return
	}
	const wide = 30
	full := wide * done / max(b.all, 1)
	fmt.Fprintf(b.w, "\r\x1b[K%s%s %d/%d, %s", strings.Repeat("█", full), strings.Repeat("░", wide-full), done, b.all, clean(text))
	b.drawn = true
}

// end takes the bar away.
func (b *meter) end() {
	if b.drawn {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
