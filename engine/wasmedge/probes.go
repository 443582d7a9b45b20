//go:build wasmedge && cgo && linux

package wasmedge

// #include <stdlib.h>
// #include "guest.h"
import "C"

import "unsafe"

// What tests look at: the C side of it is not reachable from a test.

// blockedSignals is the calling thread's signal mask, a bit for each signal.
func blockedSignals() uint64 { return uint64(C.efvm_blocked()) }

// guarded is whether the process's handlers of memory faults are our own, and know
// what the library asked for.
func guarded() bool { return C.efvm_guarded() != 0 }

// The answers of judge.
const (
	faultOfGuest  = int(C.EFVM_FAULT_GUEST)
	faultOfStack  = int(C.EFVM_FAULT_STACK)
	faultOfNative = int(C.EFVM_FAULT_NATIVE)
)

// judge says whose a fault is, see efvm_judge.
func judge(sig int, at, base, sp, low uint64) int {
	return int(C.efvm_judge(C.int(sig), C.uintptr_t(at), C.uintptr_t(base), C.uintptr_t(sp), C.uintptr_t(low)))
}

// libraryState is what the library keeps for the calling thread, empty where its
// calls nest by themselves.
func libraryState() []byte {
	n := C.efvm_thread_local_size()
	if n == 0 {
		return nil
	}
	return C.GoBytes(C.efvm_thread_local(), C.int(n))
}

// canShrink is whether memories that have grown can be taken back.
func canShrink() bool { return C.efvm_can_shrink() != 0 }

// knowsCounters is whether counters are read in place.
func knowsCounters() bool { return C.efvm_knows_counters() != 0 }

// knowsTable is whether the short way to the host is known for a library and the
// number of its machine code, 0 for any.
func knowsTable(library string, number uint32) bool {
	c := C.CString(library)
	defer C.free(unsafe.Pointer(c))
	return C.efvm_knows_table(c, C.uint32_t(number)) != 0
}

// stackLeft is what is left of the calling thread's native stack, in bytes.
func stackLeft() uint64 { return uint64(C.efvm_stack_left()) }

// nestingIsBroken is whether this version of the library has its state saved.
const nestingIsBroken = C.WASMEDGE_VERSION_MINOR < 15

// longWays is how many calls of the host the library carried in this process, and
// how many failures of others it was told.
func longWays() uint64 { return uint64(C.efvm_get_long_ways()) }

// difference says what is not the same in two guests of one module, and where.
func difference(a, b *instance) (what string, at uint64) {
	var n C.uint64_t
	if why := C.efvm_difference(a.c, b.c, &n); why != nil {
		return C.GoString(why), uint64(n)
	}
	return "", 0
}

// resetBlind is a reset that is told falsely that no block of the memory has a page.
func resetBlind(in *instance) {
	none := C.calloc(in.m.image.blocks+1, 1)
	defer C.free(none)
	C.efvm_shrink(in.c)
	C.efvm_reset(in.c, in.m.image, (*C.uchar)(none))
}

// Ways out of the library: one that is none, and one of which nothing is known.
const (
	tornCode        = uint32(C.EFVM_TORN)
	interruptedCode = uint32(C.WasmEdge_ErrCode_Interrupted)
)

func wholeAfter(code uint32) bool { return whole(C.uint32_t(code)) }
