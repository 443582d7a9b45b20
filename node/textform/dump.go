package textform

import (
	"strconv"
	"strings"
)

const aDump = "a dump with a place before each line, as od and hexdump print; 'xxd -p' prints the hex alone"

// isDump tells whether digits are a dump: the first word of each line is the place of the bytes behind it, in octal, decimal or hex.
// A line alone is one if the place is before words of two digits or of four.
func isDump(text string) bool {
	text = strings.TrimSpace(text)
	first, _, _ := strings.Cut(text, "\n")
	words := strings.Fields(first)
	if len(words) < 2 || len(words[0]) < 6 || strings.Trim(words[0], "0") != "" {
		return false
	}
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		return len(words[1]) <= 4 && sameLength(words[1:])
	}
	for _, base := range []int{16, 10, 8} {
		if placed(lines, base) {
			return true
		}
	}
	return false
}

// placed tells whether each line begins with its place.
func placed(lines []string, base int) bool {
	at, width := 0, len(strings.Fields(lines[0])[0])
	for _, l := range lines {
		words := strings.Fields(l)
		if len(words) == 0 || len(words[0]) != width {
			return false
		}
		if place, err := strconv.ParseInt(words[0], base, 64); err != nil || place != int64(at) {
			return false
		}
		for _, w := range words[1:] {
			at += len(w) / 2
		}
	}
	return true
}

func sameLength(words []string) bool {
	for _, w := range words {
		if len(w) != len(words[0]) || len(w)%2 != 0 {
			return false
		}
	}
	return true
}
