package jsonrpc

import (
	"fmt"
	"strings"
	"testing"
)

// TestHintsOfABatch checks that a batch of wrong names gets its first hints, and not the work of thousands.
func TestHintsOfABatch(t *testing.T) {
	s := New(testMethods(), Options{})
	out := string(s.Handle(t.Context(), []byte("["+strings.Repeat(`{"id":1,"method":"eth_chainID"},`, 99)+`{"id":1,"method":"eth_chainID"}]`)))
	if got := fmt.Sprint(strings.Count(out, "did you mean"), strings.Count(out, "-32601")); got != "16 100" {
		t.Error(got)
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 3, 0}, {"a", "", 3, 1}, {"kitten", "sitting", 9, 3}, {"kitten", "sitting", 3, 3}, {"kitten", "sitting", 2, 2},
		{"abc", "acb", 5, 2}, {"abcdef", "abcdef", 1, 0}, {"abc", "xyz", 2, 2}, {"a", "abcdef", 3, 3},
	} {
		if got := editDistance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q %q below %d: %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
	}
}
