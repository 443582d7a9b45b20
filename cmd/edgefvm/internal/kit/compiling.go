package kit

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
)

// How long compiling may take in silence, and how often it is told then.
const (
	compilingSilent = 5 * time.Second
	compilingAgain  = time.Minute
	compilingLook   = time.Second
)

// WatchCompiling tells on w when engines compile actors for long, which looks like standing still, and how to have it done ahead. end ends it.
// Only files and terminals are written to: the lines come while others write there.
func WatchCompiling(w io.Writer, engines ...*fvm.Engine) (end func()) {
	f, ok := w.(*os.File)
	if !ok {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(compilingLook)
		defer tick.Stop()
		watches := make([]compilingWatch, len(engines))
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				for i, e := range engines {
					if line := watches[i].look(now, e.Name(), e.Compiling(), int(e.Stats().Compiled)); line != "" {
						clear := ""
						if term.Is(f) {
							clear = "\r\x1b[K"
						}
						fmt.Fprintf(f, "%s%s\n", clear, line)
					}
				}
			}
		}
	}()
	return func() { close(done); <-gone }
}

// compilingWatch follows one engine.
type compilingWatch struct {
	since, told time.Time // zero: it is not compiling, nothing was told
}

// look is a line to tell, or "".
func (c *compilingWatch) look(now time.Time, engine string, compiling, compiled int) string {
	switch {
	case compiling == 0:
		c.since = time.Time{}
		return ""
	case c.since.IsZero():
		c.since = now
	}
	if now.Sub(c.since) < compilingSilent || !c.told.IsZero() && now.Sub(c.told) < compilingAgain {
		return ""
	}
	hint := ""
	if c.told.IsZero() {
		hint = "; it is kept for the next time, and 'edgefvm cache build' does it ahead"
	}
	c.told = now
	return fmt.Sprintf("engine %s compiles %d %s, and had %d to compile before%s", engine, compiling, layout.Plural(compiling, "actor"), max(compiled-compiling, 0), hint)
}
