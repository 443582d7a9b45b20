//go:build wasmedge && cgo && linux

package wasmedge

// #include "guest.h"
import "C"

// cure names what stands between the library and the process. Tests switch one
// off, in a process of its own, to see that it is needed.
type cure uint32

const (
	cureHandlers    cure = C.EFVM_CURE_HANDLERS     // the library's handlers are not installed
	cureMask        cure = C.EFVM_CURE_MASK         // the signal mask is restored after a trap
	cureThreadLocal cure = C.EFVM_CURE_THREAD_LOCAL // the library's state survives nested calls
	cureOverflow    cure = C.EFVM_CURE_OVERFLOW     // the native stack's end is no trap
	cureRoom        cure = C.EFVM_CURE_ROOM         // a fresh thread when the stack runs short
	cureCallback    cure = C.EFVM_CURE_CALLBACK     // faults in host functions are Go's
	curePages       cure = C.EFVM_CURE_PAGES        // memory is as large as declared

	resetAccess  cure = C.EFVM_RESET_ACCESS  // of a reset: no access beyond the first size
	resetZeros   cure = C.EFVM_RESET_ZEROS   // what was zero is zero
	resetImage   cure = C.EFVM_RESET_IMAGE   // data segments are as they were
	resetGlobals cure = C.EFVM_RESET_GLOBALS // globals too
	// The system says falsely that a memory has no pages. Nothing may depend on it.
	resetResidents cure = C.EFVM_RESET_RESIDENTS

	shortcut cure = C.EFVM_SHORTCUT // the host is called past the library
)

// without switches cures off, for tests. It must come before New.
func without(c cure) { C.efvm_without = C.uint32_t(c) }

// blockedSignals is the calling thread's signal mask, a bit for each signal.
func blockedSignals() uint64 { return uint64(C.efvm_blocked()) }

// canShrink is whether memories that have grown can be taken back.
func canShrink() bool { return C.efvm_can_shrink() != 0 }

// knowsCounters is whether counters are read in place.
func knowsCounters() bool { return C.efvm_knows_counters() != 0 }

// stackLeft is what is left of the calling thread's native stack, in bytes.
func stackLeft() uint64 { return uint64(C.efvm_stack_left()) }

// nestingIsBroken is whether this version of the library needs cureThreadLocal.
const nestingIsBroken = C.WASMEDGE_VERSION_MINOR < 15

// longWays is how many calls of the host the library carried in this process, and
// how many failures of others it was told.
func longWays() uint64 { return uint64(C.efvm_get_long_ways()) }

// Ways out of the library, for tests: one that is none, and one of which nothing is
// known.
const (
	tornCode        = uint32(C.EFVM_TORN)
	interruptedCode = uint32(C.WasmEdge_ErrCode_Interrupted)
)

func wholeAfter(code uint32) bool { return whole(C.uint32_t(code)) }
