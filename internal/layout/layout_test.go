package layout

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	fbig "github.com/filecoin-project/go-state-types/big"
)

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "plain": 5, "→ …·│█▏✓✗": 9, "日本": 4, "ｆ": 2, "한글": 4, "e\u0301": 1, "\u0301": 0, "🇨🇭": 2, "👍": 2, "👩‍👩‍👧": 2,
		"\x1b[31mred\x1b[0m": 3, "\x1b[1m日\x1b[0m本": 4, "\x1b[cut": 4, "\x1b[1mx\x1b[": 2, "a\x1b[3": 3,
	} {
		if got := Width(in); got != want {
			t.Errorf("%q takes %d columns, want %d", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 4, "abc…"}, {"abcdef", 1, "…"}, {"abcdef", 0, ""}, {"abcdef", -3, ""}, {"", 0, ""},
		{"日本語", 6, "日本語"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"日本語", 2, "…"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := Cut(tt.in, tt.n); got != tt.want || Width(got) > max(0, tt.n) {
			t.Errorf("%q in %d columns: %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestPad(t *testing.T) {
	if got := PadRight("日本", 6) + "|" + PadLeft("日本", 6) + "|" + PadRight("long", 2) + "|" + PadLeft("\x1b[1mb\x1b[0m", 3); got != "日本  |  日本|long|  \x1b[1mb\x1b[0m" {
		t.Errorf("%q", got)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain → text": "plain → text", "a\nb\tc": "a\nb c", "\x1b[31mred\x00": `\x1b[31mred\x00`, "\u202egnp.exe": `\u202egnp.exe`, "\xff": "\uFFFD", "\r\x07": `\r\a`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if got := OneLine(in); got != strings.ReplaceAll(want, "\n", `\n`) {
			t.Errorf("%q becomes %q on one line", in, got)
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
		{"a bcdefghij", 6, "a bcde\n  fghi\n  j"}, {"  fees: one two", 12, "  fees: one\n  two"}, {Painter(true).Bold("one") + " two", 7, "\x1b[1mone\x1b[0m two"},
		{"日本語日本語", 7, "日本語\n  日本\n  語"}, {"日本 日本", 5, "日本\n  日\n  本"}, {"日本", 1, "日本"},
	} {
		if got := Wrap(tt.in, tt.n, "  "); got != tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

// Wrapped text has all of the text, in lines that fit.
func FuzzWrap(f *testing.F) {
	f.Add("one two three", 8)
	f.Add("日本語 e\u0301\u0301 👩‍👩‍👧👍 \x00", 5)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 4 || n > 200 || strings.Contains(s, "\x1b") || strings.Contains(s, "\n") {
			t.Skip()
		}
		out := Wrap(s, n, "  ")
		squeeze := strings.NewReplacer(" ", "", "\n", "")
		if squeeze.Replace(out) != squeeze.Replace(s) {
			t.Errorf("%q became %q", s, out)
		}
		for _, l := range strings.Split(out, "\n") {
			if Width(l) > n {
				t.Errorf("%q has a line of %d columns, want %d: %q", s, Width(l), n, l)
			}
		}
		if c := Cut(s, n); Width(c) > n {
			t.Errorf("%q cut to %d columns takes %d", s, n, Width(c))
		}
	})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0 FIL", "1": "1 attoFIL", "-1234": "-1,234 attoFIL", "999999999": "999,999,999 attoFIL", "1000000000": "0.000000001 FIL",
		"1500000000000000000": "1.5 FIL", "-2000000000000000000000": "-2,000 FIL", "1000000000000000001": "1.000000000000000001 FIL",
	} {
		v, _ := new(big.Int).SetString(in, 10)
		if got := FIL(fbig.Int{Int: v}); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
	if got := FIL(fbig.Int{}); got != "0 FIL" {
		t.Errorf("nothing is %q", got)
	}
	for milli, want := range map[int64]string{0: "0", 1: "1", 1000: "1", 1001: "2", -1: "0", -1999: "-1", 1<<63 - 1: "9,223,372,036,854,776", -1 << 63: "-9,223,372,036,854,775"} {
		if got := Gas(milli); got != want {
			t.Errorf("%d milligas are %q, want %q", milli, got, want)
		}
	}
	if got := Grouped(-1234567) + " " + Grouped(12) + " " + Grouped(uint64(123)); got != "-1,234,567 12 123" {
		t.Errorf("numbers: %s", got)
	}
	if got := Percent(1, 3) + " " + Percent(-1, 2) + " " + Percent(1, 0) + Percent(1, -1); got != "33.3% -50.0% " {
		t.Errorf("parts: %q", got)
	}
	if got := Plural(1, "call") + " " + Plural(0, "call") + " " + Plural(2, "call") + " " + Choose(1, "entry", "entries") + " " + Choose(3, "entry", "entries"); got != "call calls calls entry entries" {
		t.Errorf("words: %q", got)
	}
}

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		part, most int64
		want       string
	}{{1, 1_000_000, "▏"}, {1, 1, strings.Repeat("█", 20)}, {1, 2, strings.Repeat("█", 10)}, {9, 160, "█▏"}, {0, 5, ""}, {-3, 5, ""}, {0, 0, ""}, {1, -1, ""}} {
		if got := Bar(tt.part, tt.most, 20); got != tt.want {
			t.Errorf("%d of %d is %q, want %q", tt.part, tt.most, got, tt.want)
		}
	}
}

type broken struct{}

var errPipe = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errPipe }

func TestPage(t *testing.T) {
	var out bytes.Buffer
	g := Page{W: &out, P: true}
	g.Title("Calls")
	g.Line("%d%%", 7)
	g.Lines([]string{"100%d", "two"})
	if want := "\n\x1b[1mCalls\x1b[0m\n7%\n100%d\ntwo\n"; out.String() != want || g.Err != nil {
		t.Errorf("%q, %v; want %q", out.String(), g.Err, want)
	}
	g.W = broken{}
	g.Line("lost")
	g.W = &out
	before := out.Len()
	g.Line("after the error")
	if !errors.Is(g.Err, errPipe) || out.Len() != before {
		t.Errorf("%v, and %q", g.Err, out.String())
	}
	p, plain := Painter(true), Painter(false)
	if got := p.Dim("a") + p.Red("b") + p.Green("c") + p.Cyan("d") + p.Bold(""); got != "\x1b[2ma\x1b[0m\x1b[31mb\x1b[0m\x1b[32mc\x1b[0m\x1b[36md\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := plain.Dim("a") + plain.Red("b"); got != "ab" {
		t.Errorf("%q", got)
	}
}
