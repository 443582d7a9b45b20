package solidity

import (
	"slices"
	"sort"
	"strings"
)

// Source is a file of a project.
type Source struct {
	Path  string
	text  string
	lines []int // where each begins
	spans []span
	read  bool
}

// span is a function from its keyword to its end.
type span struct {
	start, end int
	name       string // Contract.function
	line       int
}

// prepare finds lines and functions, when they are first asked for.
func (s *Source) prepare() {
	if s.read {
		return
	}
	s.read = true
	s.lines = []int{0}
	for i := range len(s.text) {
		if s.text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	s.spans = functions(s.text)
	for i := range s.spans {
		s.spans[i].line = s.line(s.spans[i].start)
	}
}

// line is the number of the line of a place, counted from 1; 0 if the text is not known.
func (s *Source) line(at int) int {
	s.prepare()
	if at < 0 || at >= len(s.text) {
		return 0
	}
	return sort.SearchInts(s.lines, at+1)
}

// Line is the text of a line, without spaces around it; "" if it is not known.
func (s *Source) Line(n int) string {
	s.prepare()
	if n < 1 || n > len(s.lines) || s.text == "" {
		return ""
	}
	text, _, _ := strings.Cut(s.text[s.lines[n-1]:], "\n")
	return strings.TrimSpace(text)
}

// function is the innermost one around a place; nil: none.
func (s *Source) function(at int) *span {
	s.prepare()
	var found *span
	for i := range s.spans {
		f := &s.spans[i]
		if f.start > at {
			break
		}
		if at < f.end {
			found = f
		}
	}
	return found
}

// functions finds the functions of a source, by their words and braces: neither comments nor strings have any.
func functions(text string) (list []span) {
	type block struct {
		contract string
		function int // its place in the list, -1: none
	}
	var open []block
	contract, pending := "", -1
	word := func(i int) (string, int) {
		j := i
		for j < len(text) && isWord(text[j]) {
			j++
		}
		return text[i:j], j
	}
	next := func(i int) string {
		for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
			i++
		}
		w, _ := word(i)
		return w
	}
	const none = "\x00"
	named := none // the contract whose brace comes next
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "//"):
			i = after(text, i, "\n")
			continue
		case strings.HasPrefix(text[i:], "/*"):
			i = after(text, i+2, "*/")
			continue
		case c == '"' || c == '\'':
			for i++; i < len(text) && text[i] != c && text[i] != '\n'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case isWord(c):
			w, end := word(i)
			switch w {
			case "contract", "library", "interface":
				if n := next(end); n != "" && pending < 0 {
					named = n
				}
			case "function", "modifier", "constructor", "receive", "fallback":
				name := w
				if w == "function" || w == "modifier" {
					name = next(end)
				}
				inBody := slices.ContainsFunc(open, func(b block) bool { return b.function >= 0 })
				if !inBody && name != "" && (w == "function" || w == "modifier" || len(open) > 0) && pending < 0 {
					if contract != "" {
						name = contract + "." + name
					}
					list = append(list, span{start: i, end: len(text), name: name})
					pending = len(list) - 1
				}
			}
			i = end
			continue
		case c == ';' && pending >= 0: // without a body
			list[pending].end = i
			pending = -1
		case c == '{':
			b := block{contract, pending}
			if named != none {
				contract, named = named, none
			}
			pending = -1
			open = append(open, b)
		case c == '}' && len(open) > 0:
			b := open[len(open)-1]
			open = open[:len(open)-1]
			if b.function >= 0 {
				list[b.function].end = i + 1
			}
			contract = b.contract
		}
		i++
	}
	return list
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// after is where the text goes on behind a mark.
func after(text string, from int, mark string) int {
	if from > len(text) {
		return len(text)
	}
	at := strings.Index(text[from:], mark)
	if at < 0 {
		return len(text)
	}
	return from + at + len(mark)
}
