package term

import (
	"testing"
	"time"
)

func TestTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{OneLine("  a\nb\x1b \n"), `a; b\x1b`}, {OneLine(""), ""},
		{Count(1, "vector"), "1 vector"}, {Count(0, "vector"), "0 vectors"}, {Count(1234, "vector"), "1,234 vectors"},
		{Short(1500 * time.Nanosecond), "2 µs"}, {Short(999 * time.Microsecond), "999 µs"}, {Short(1234567), "1.23 ms"}, {Short(2500 * time.Millisecond), "2.50 s"}, {Short(90 * time.Second), "90.00 s"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
