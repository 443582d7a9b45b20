package term

import (
	"fmt"
	"strings"
	"time"

	"github.com/edgefvm/fvm/internal/layout"
)

// OneLine is text on one line, fit for a terminal.
func OneLine(s string) string {
	return layout.Clean(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "))
}

// Count is a number of things: "1,234 vectors".
func Count(n int, s string) string { return layout.Grouped(n) + " " + layout.Plural(n, s) }

// Short writes a time with three or four digits.
func Short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
