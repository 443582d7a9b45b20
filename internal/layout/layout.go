// Package layout fits text into the columns of a terminal: it measures what text takes there, cuts, pads and breaks it,
// colours it, and writes numbers for people.
//
// Package explain's text and pictures use it. It decides nothing of what is said, and does not look for a terminal: who
// prints knows how wide the output is, and whether it takes colours.
package layout

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Width is the columns that s takes, without its colours: two for a wide character, none for a combining one.
func Width(s string) int {
	n := 0
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return n + uniseg.StringWidth(s)
		}
		n += uniseg.StringWidth(s[:i])
		j := strings.IndexByte(s[i:], 'm')
		if j < 0 {
			return n + uniseg.StringWidth(s[i:])
		}
		s = s[i+j+1:]
	}
}

// PadRight fills s up to n columns with spaces behind it.
func PadRight(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Width(s))) }

// PadLeft fills s up to n columns with spaces before it.
func PadLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-Width(s))) + s }

// Cut shortens text without colours to n columns, with a sign that it did.
func Cut(s string, n int) string {
	if uniseg.StringWidth(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	fits, _ := fitting(s, n-1)
	return s[:fits] + "…"
}

// fitting is how many bytes of s, which has no colours, fit into columns, without parting what is drawn as one character,
// and how many columns those take.
func fitting(s string, columns int) (bytes, at int) {
	state, rest := -1, s
	for rest != "" {
		_, next, wide, newState := uniseg.FirstGraphemeClusterInString(rest, state)
		if at+wide > columns {
			break
		}
		at, rest, state = at+wide, next, newState
	}
	return len(s) - len(rest), at
}

// Clean makes text from outside fit for a terminal: control characters and what would turn the direction of writing are
// shown as escapes. Newlines stay.
func Clean(s string) string {
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

// OneLine is Clean for what must stay on one line: newlines are shown as escapes too.
func OneLine(s string) string { return strings.ReplaceAll(Clean(s), "\n", `\n`) }

// Wrap breaks text between words where it would take more than columns, colours not counted, and words without colours
// that are longer still. Lines after the first start with indent.
func Wrap(s string, columns int, indent string) string {
	var out strings.Builder
	at := 0
	for i, word := range strings.Split(s, " ") {
		wide := Width(word)
		switch {
		case i == 0:
		case at+1+wide > columns && at > Width(indent):
			out.WriteString("\n" + indent)
			at = Width(indent)
		default:
			out.WriteByte(' ')
			at++
		}
		for plain := !strings.Contains(word, "\x1b"); plain && at+wide > columns; {
			n, taken := fitting(word, columns-at)
			if n == 0 && at <= Width(indent) {
				break // a character that is wider than a line
			}
			out.WriteString(word[:n] + "\n" + indent)
			word, wide, at = word[n:], wide-taken, Width(indent)
		}
		out.WriteString(word)
		at += wide
	}
	return out.String()
}
