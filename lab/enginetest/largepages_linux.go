package enginetest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"
)

// LargePages reports whether the kernel was asked for large pages where b is. It fails if the kernel does not tell,
// or has none.
func LargePages(b []byte) (bool, error) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		return false, err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return false, err
	}
	at, within := uintptr(unsafe.Pointer(unsafe.SliceData(b))), false
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &from, &to); n == 2 {
			within = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && within {
			return slices.Contains(strings.Fields(flags), "hg"), nil
		}
	}
	return false, fmt.Errorf("no mapping at %#x", at)
}
