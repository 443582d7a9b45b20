//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// resident is the memory that this process has, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// What many guests took of the C library's heap goes back to the system when they
// are gone, although something that stays was made after them.
func TestHeapIsGivenBack(t *testing.T) {
	const guests, most = 2000, 16
	e := mustOpen(t, aot()).(*wasmedgeEngine)
	defer e.Close(context.Background())
	e.heap.delay = 300 * time.Millisecond
	v, err := e.Env(context.Background(), engine.EnvConfig{Host: enginetest.Host(hostOf), Counter: enginetest.CounterName, Reset: enginetest.ResetName})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Compile(context.Background(), enginetest.Kitchen(1))
	if err != nil {
		t.Fatal(err)
	}
	v.(*env).kept.most = most
	trims := func() int {
		e.heap.mu.Lock()
		defer e.heap.mu.Unlock()
		return e.heap.trims
	}
	var ins []*instance
	for range guests {
		ins = append(ins, newInstance(t, m.(*module)))
	}
	last := ins[guests-1]
	if n := uint64(m.(*module).heapBytes()) * guests; n < heapSpare*5/4 || e.heap.now < n {
		t.Fatalf("%d guests take %d bytes, %d are counted", guests, n, e.heap.now)
	}
	closeAll(t, ins[:guests-1]...)
	full := resident(t)
	for end := time.Now().Add(20 * time.Second); trims() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is given back")
		}
	}
	if after := resident(t); after > full-heapSpare/2 {
		t.Errorf("%d MB before, %d MB after", full>>20, after>>20)
	} else {
		t.Logf("%d MB before, %d MB after", full>>20, after>>20)
	}
	if n := e.heap.now; n != uint64(most+1)*m.(*module).heapBytes() {
		t.Errorf("%d bytes are counted for %d guests", n, most+1)
	}
	closeAll(t, last)
}

// Little is not worth the work, and a closed engine leaves no timer.
func TestHeapSpare(t *testing.T) {
	h := heap{delay: time.Hour}
	h.made(heapSpare)
	h.gone(heapSpare)
	if h.timer != nil {
		t.Error("a timer for little")
	}
	h.made(heapSpare + 1)
	h.gone(heapSpare + 1)
	if h.timer == nil {
		t.Error("no timer for much")
	}
	h.close()
	if h.timer.Stop() {
		t.Error("the timer still runs")
	}
	h.timer = nil
	h.made(heapSpare * 2)
	h.gone(heapSpare * 2)
	if h.timer != nil {
		t.Error("a timer after close")
	}
}
