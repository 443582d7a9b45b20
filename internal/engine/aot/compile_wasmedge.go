//go:build cgo && wasmedge

package aot

/*
#cgo LDFLAGS: -lwasmedge
#include <stdlib.h>
#include <wasmedge/wasmedge.h>

// All proposals that the headers know; their numbers differ between versions.
static const enum WasmEdge_Proposal proposals[] = {
#define UseProposal
#define Line(NAME, STRING) WasmEdge_Proposal_##NAME,
#include <wasmedge/enum.inc>
#undef Line
#undef UseProposal
};
#define COUNT (sizeof proposals / sizeof proposals[0])

static bool wanted(enum WasmEdge_Proposal p) {
	switch (p) {
	case WasmEdge_Proposal_ImportExportMutGlobals:
	case WasmEdge_Proposal_NonTrapFloatToIntConversions:
	case WasmEdge_Proposal_SignExtensionOperators:
	case WasmEdge_Proposal_BulkMemoryOperations:
	case WasmEdge_Proposal_ReferenceTypes:
		return true;
	default:
		return false;
	}
}

// configure reports whether exactly the wanted proposals are on. Some cannot be
// removed before others that need them, hence the rounds.
static bool configure(WasmEdge_ConfigureContext *c) {
	for (size_t round = 0; round < COUNT; round++)
		for (size_t i = 0; i < COUNT; i++)
			if (!wanted(proposals[i]))
				WasmEdge_ConfigureRemoveProposal(c, proposals[i]);
	for (size_t i = 0; i < COUNT; i++)
		if (wanted(proposals[i]))
			WasmEdge_ConfigureAddProposal(c, proposals[i]);
	for (size_t i = 0; i < COUNT; i++)
		if (WasmEdge_ConfigureHasProposal(c, proposals[i]) != wanted(proposals[i]))
			return false;
	return true;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Library is the version of the WasmEdge library. Its interface changes between
// minor versions under one file name, so it must be the one of the headers.
func Library() (string, error) {
	version := C.GoString(C.WasmEdge_VersionGet())
	if C.WasmEdge_VersionGetMajor() != C.WASMEDGE_VERSION_MAJOR || C.WasmEdge_VersionGetMinor() != C.WASMEDGE_VERSION_MINOR {
		return "", fmt.Errorf("aot: the WasmEdge library is %s, but this program was built for %s", version, C.WASMEDGE_VERSION)
	}
	return version, nil
}

// compileFile compiles one module, in a child.
func compileFile(o *order) error {
	C.WasmEdge_LogSetErrorLevel()
	cfg := C.WasmEdge_ConfigureCreate()
	if cfg == nil {
		return errors.New("aot: WasmEdge gave no configuration")
	}
	defer C.WasmEdge_ConfigureDelete(cfg)
	if !C.configure(cfg) {
		return errors.New("aot: WasmEdge's proposals cannot be set")
	}
	level := C.enum_WasmEdge_CompilerOptimizationLevel(C.WasmEdge_CompilerOptimizationLevel_O0)
	if o.level == O2 {
		level = C.WasmEdge_CompilerOptimizationLevel_O2
	}
	C.WasmEdge_ConfigureCompilerSetOptimizationLevel(cfg, level)
	C.WasmEdge_ConfigureCompilerSetOutputFormat(cfg, C.WasmEdge_CompilerOutputFormat_Native)
	C.WasmEdge_ConfigureCompilerSetGenericBinary(cfg, C.bool(o.generic))
	compiler := C.WasmEdge_CompilerCreate(cfg)
	if compiler == nil {
		return errors.New("aot: this WasmEdge has no compiler")
	}
	defer C.WasmEdge_CompilerDelete(compiler)
	in, out := C.CString(o.in), C.CString(o.out)
	defer C.free(unsafe.Pointer(in))
	defer C.free(unsafe.Pointer(out))
	if res := C.WasmEdge_CompilerCompile(compiler, in, out); !C.WasmEdge_ResultOK(res) {
		return fmt.Errorf("aot: WasmEdge: %s (%#x)", C.GoString(C.WasmEdge_ResultGetMessage(res)), uint32(C.WasmEdge_ResultGetCode(res)))
	}
	return nil
}
