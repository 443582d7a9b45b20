package term

import (
	"math/big"
	"testing"
	"time"

	fbig "github.com/filecoin-project/go-state-types/big"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain → text": "plain → text", "a\nb\tc": "a\nb c", "\x1b[31mred\x00": `\x1b[31mred\x00`, "\u202egnp.exe": `\u202egnp.exe`, "\xff": "\uFFFD", "\r\x07": `\r\a`, "日本": "日本",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := OneLine("  a\nb\x1b \n"); got != `a; b\x1b` {
		t.Errorf("on one line: %q", got)
	}
}

// Wide characters take two columns, accents none.
func TestWidth(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     int
	}{
		{"nothing", "", 0}, {"latin", "abc", 3}, {"precomposed", "é", 1}, {"an accent", "e\u0301", 1}, {"Chinese", "中文", 4}, {"Korean", "한글", 4},
		{"an emoji", "🚀", 2}, {"a flag", "🇯🇵", 2}, {"bars", "█░▏", 3}, {"marks", "✓✗→…·│├─", 8},
		{"colours", "\x1b[31mred\x1b[0m", 3}, {"colours around wide ones", "\x1b[1m中\x1b[0m文", 4}, {"an escape without end", "a\x1b[3", 3},
	} {
		if got := Width(c.in); got != c.want {
			t.Errorf("%s: %q takes %d columns, want %d", c.name, c.in, got, c.want)
		}
	}
}

func TestPad(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{PadRight("ab", 4), "ab  "}, {PadLeft("ab", 4), "  ab"}, {PadRight("中", 4), "中  "}, {PadLeft("中", 4), "  中"},
		{PadRight("abcde", 4), "abcde"}, {PadLeft("\x1b[1ma\x1b[0m", 2), " \x1b[1ma\x1b[0m"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 4, "abc…"}, {"abcdef", 1, "…"}, {"abcdef", 0, "…"}, {"", 0, ""},
		{"中文字", 6, "中文字"}, {"中文字", 5, "中文…"}, {"中文字", 4, "中…"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := Cut(c.in, c.n); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 10, ""}, {"one two", 10, "one two"}, {"one two three", 8, "one two\n  three"}, {"abcdefghijkl", 5, "abcde\n  fgh\n  ijk\n  l"},
		{"a bcdefghij", 6, "a bcde\n  fghi\n  j"}, {"  fees: one two", 12, "  fees: one\n  two"}, {Painter(true).Bold("one") + " two", 7, "\x1b[1mone\x1b[0m two"},
		{"中文字典", 5, "中文\n  字\n  典"}, {"一 二 三", 5, "一 二\n  三"}, {"a 中文", 4, "a 中\n  文"}, {"中文", 1, "中文"}, {"ab", 0, "ab"},
	} {
		if got := Wrap(c.in, c.n, "  "); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.in, c.n, got, c.want)
		}
	}
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
	for _, c := range []struct{ got, want string }{
		{Grouped(-1234567), "-1,234,567"}, {Grouped(12), "12"}, {Grouped(uint64(123)), "123"}, {Grouped(int64(1000)), "1,000"},
		{Gas(1), "1"}, {Gas(1000), "1"}, {Gas(0), "0"}, {Gas(-2500), "-2"}, {Gas(1234001), "1,235"}, {FIL(fbig.Int{}), "0 FIL"},
		{Count(1, "vector"), "1 vector"}, {Count(0, "vector"), "0 vectors"}, {Count(1234, "vector"), "1,234 vectors"}, {Choose(2, "is", "are"), "are"},
		{Short(1500 * time.Nanosecond), "2 µs"}, {Short(999 * time.Microsecond), "999 µs"}, {Short(1234567), "1.23 ms"}, {Short(2500 * time.Millisecond), "2.50 s"}, {Short(90 * time.Second), "90.00 s"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
