//go:build wasmedge && cgo && linux

package wasmedge

// #include <stdlib.h>
// #include "guest.h"
// static uint32_t compile(WasmEdge_ConfigureContext *c, const uint8_t *wasm, uint64_t len, const char *path, int level) {
//   WasmEdge_ConfigureCompilerSetOptimizationLevel(c, (enum WasmEdge_CompilerOptimizationLevel)level);
//   WasmEdge_ConfigureCompilerSetOutputFormat(c, WasmEdge_CompilerOutputFormat_Native);
//   WasmEdge_CompilerContext *cc = WasmEdge_CompilerCreate(c);
//   if (!cc) return 6; // the library has no compiler
//   WasmEdge_Result r = WasmEdge_CompilerCompileFromBytes(cc, (WasmEdge_Bytes){.Length = (uint32_t)len, .Buf = wasm}, path);
//   WasmEdge_CompilerDelete(cc);
//   return r.Code;
// }
import "C"

import "unsafe"

// compileHere compiles wasm to a shared library, for tests. It replaces signal
// handlers of this process, so it is for a process of its own.
func compileHere(wasm []byte, path string, level int) error {
	C.WasmEdge_LogOff()
	conf := C.efvm_configure(1, maxPages)
	defer C.WasmEdge_ConfigureDelete(conf)
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	if code := C.compile(conf, (*C.uint8_t)(unsafe.SliceData(wasm)), C.uint64_t(len(wasm)), cpath, C.int(level)); code != 0 {
		return failure("compile", code)
	}
	return nil
}
