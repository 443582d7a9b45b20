package kit

import (
	"strings"
	"testing"
	"time"
)

// Compiling is told once it takes long, then once a minute, and the way to have it done ahead the first time.
func TestCompilingWatch(t *testing.T) {
	var c compilingWatch
	begin := time.Unix(1_700_000_000, 0)
	for _, s := range []struct {
		at        time.Duration
		compiling int
		want      string
	}{
		{0, 1, ""}, {4 * time.Second, 1, ""}, {5 * time.Second, 1, "compiles 1 actor, and had 2 to compile before; it is kept"},
		{6 * time.Second, 2, ""}, {64 * time.Second, 2, ""}, {65 * time.Second, 2, "compiles 2 actors, and had 1 to compile before"},
		{70 * time.Second, 0, ""}, {200 * time.Second, 1, ""}, {204 * time.Second, 1, ""}, {205 * time.Second, 1, "compiles 1 actor"},
	} {
		got := c.look(begin.Add(s.at), "wasmedge-o2", s.compiling, 3)
		if s.want == "" && got != "" || !strings.Contains(got, s.want) {
			t.Errorf("after %v: %q, want %q", s.at, got, s.want)
		}
		if strings.Contains(got, "cache build") != (s.at == 5*time.Second) {
			t.Errorf("after %v: %q", s.at, got)
		}
	}
}
