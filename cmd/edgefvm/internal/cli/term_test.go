package cli

import (
	"bytes"
	"math/big"
	"os"
	"runtime"
	"testing"

	fbig "github.com/filecoin-project/go-state-types/big"
)

func TestPainter(t *testing.T) {
	if bool(newPainter(new(bytes.Buffer))) || isTerminal(new(bytes.Buffer)) || columnsOf(new(bytes.Buffer)) != defaultColumns {
		t.Error("a buffer is taken for a terminal")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if runtime.GOOS == "linux" && isTerminal(null) {
		t.Error("the null device is taken for a terminal")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil || !isTerminal(tty) {
		t.Skip("NOT RUN: there is no terminal to open")
	}
	defer tty.Close()
	for _, tt := range []struct {
		noColor, term string
		want          painter
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		if got := newPainter(tty); got != tt.want {
			t.Errorf("NO_COLOR=%q TERM=%s: colours %v", tt.noColor, tt.term, got)
		}
	}
	if n := columnsOf(tty); n < leastColumns || n > mostColumns {
		t.Errorf("a new terminal has %d columns", n)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain → text": "plain → text", "a\nb\tc": "a\nb c", "\x1b[31mred\x00": `\x1b[31mred\x00`, "\u202egnp.exe": `\u202egnp.exe`, "\xff": `` + "\uFFFD", "\r\x07": `\r\a`,
	} {
		if got := clean(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 10, ""}, {"one two", 10, "one two"}, {"one two three", 8, "one two\n  three"}, {"abcdefghijkl", 5, "abcde\n  fgh\n  ijk\n  l"},
		{"a bcdefghij", 6, "a bcde\n  fghi\n  j"}, {"  fees: one two", 12, "  fees: one\n  two"}, {painter(true).bold("one") + " two", 7, "\x1b[1mone\x1b[0m two"},
	} {
		if got := wrap(tt.in, tt.n, "  "); got != tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0 FIL", "1": "1 attoFIL", "-1234": "-1,234 attoFIL", "999999999": "999,999,999 attoFIL", "1000000000": "0.000000001 FIL",
		"1500000000000000000": "1.5 FIL", "-2000000000000000000000": "-2,000 FIL", "1000000000000000001": "1.000000000000000001 FIL",
	} {
		v, _ := new(big.Int).SetString(in, 10)
		if got := fil(fbig.Int{Int: v}); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
	if got := grouped(-1234567) + grouped(12) + grouped(uint64(123)) + gasText(1) + gasText(1000) + gasText(0); got != "-1,234,567"+"12"+"123"+"1"+"1"+"0" {
		t.Errorf("numbers: %s", got)
	}
	if got := cut("abcdef", 4); got != "abc…" {
		t.Errorf("cut: %q", got)
	}
	list := []int{5, 1, 4, 2, 3}
	if at(list, 50) != 3 || at(list, 90) != 5 || at(list, 100) != 5 || at([]int{}, 50) != 0 || at([]int{7}, 50) != 7 {
		t.Error("percentiles")
	}
}
