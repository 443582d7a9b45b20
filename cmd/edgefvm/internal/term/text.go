package term

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Clean makes text from outside fit for a terminal: control characters and what would turn the direction of
// writing are shown as escapes. Newlines stay.
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

// OneLine is text on one line, fit for a terminal.
func OneLine(s string) string {
	return Clean(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
}

// Width is the columns that s takes, without its colours: Chinese, Japanese and Korean characters and emoji take
// two, accents none of their own.
func Width(s string) int {
	n := 0
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return n + uniseg.StringWidth(s)
		}
		j := strings.IndexByte(s[i:], 'm')
		if j < 0 {
			return n + uniseg.StringWidth(s)
		}
		n += uniseg.StringWidth(s[:i])
		s = s[i+j+1:]
	}
}

// PadRight adds spaces up to n columns.
func PadRight(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-Width(s)))
}

// PadLeft adds them before.
func PadLeft(s string, n int) string {
	return strings.Repeat(" ", max(0, n-Width(s))) + s
}

// Cut shortens text without colours to n columns.
func Cut(s string, n int) string {
	if uniseg.StringWidth(s) <= n {
		return s
	}
	head, _ := split(s, n-1)
	return head + "…"
}

// split parts text without colours where a column ends, without parting what is shown as one character.
func split(s string, columns int) (head, rest string) {
	state, at, rest := -1, 0, s
	for rest != "" {
		_, next, wide, newState := uniseg.FirstGraphemeClusterInString(rest, state)
		if at+wide > columns {
			break
		}
		at, rest, state = at+wide, next, newState
	}
	return s[:len(s)-len(rest)], rest
}

// Wrap breaks text between words where it would be longer than columns, colours not counted, and words without
// colours that are longer still. Lines after the first start with indent.
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
		for wide > columns-at && !strings.Contains(word, "\x1b") {
			head, rest := split(word, columns-at)
			if head == "" && at <= Width(indent) {
				break // not even one fits
			}
			out.WriteString(head + "\n" + indent)
			word, wide, at = rest, Width(rest), Width(indent)
		}
		out.WriteString(word)
		at += wide
	}
	return out.String()
}
