// The C half of the adapter.
#ifndef EDGEFVM_WASMTIME_GLUE_H
#define EDGEFVM_WASMTIME_GLUE_H

#include "api.h"

// Whatever comes back from wasmtime.
enum {
	WT_OK,
	WT_TRAP,   // a fault of the guest, see code
	WT_UNWIND, // a host function failed; the Go side has the error
	WT_ERROR,  // the engine's own failure, see text
	WT_SHORT,  // nothing was done: this thread has not enough stack
};

// wt_outcome says how a call ended. text is the caller's to free.
typedef struct {
	int status;
	uint8_t code;
	char *text;
} wt_outcome;

// wt_instance is an instance with its store. While the guest does not run, count
// is the truth about the counter, and base and size about the memory, so that Go
// reads and writes them without a call.
typedef struct {
	wasmtime_store_t *store;
	wasmtime_context_t *ctx;
	wasmtime_instance_t inst;
	uintptr_t handle; // the Go side's name for it
	wasmtime_memory_t memory;
	wasmtime_global_t counter;
	wasmtime_func_t func; // the export last called
	int64_t func_index;   // its number, -1 for none
	uint8_t *base;
	size_t size;
	int64_t count;
	int64_t written; // what the guest's counter was last seen or set to
	bool has_memory, has_counter, unwinding;
} wt_instance;

// wt_export is what the adapter needs to know of an export.
typedef struct {
	const char *name;
	size_t name_len;
	uint8_t kind;
	size_t params, results; // of a function
	bool references;        // a function takes or returns references
	bool mutable_i64;       // of a global
} wt_export;

size_t wt_thread_stack(void);
wasm_engine_t *wt_engine_new(size_t max_stack);
wasmtime_error_t *wt_define(wasmtime_linker_t *, const char *module, size_t module_len, const char *name, size_t name_len,
	const uint8_t *params, size_t nparams, const uint8_t *results, size_t nresults, uintptr_t index);
void wt_export_at(const wasm_exporttype_vec_t *, size_t i, wt_export *out);
char *wt_error_text(wasmtime_error_t *); // frees the error
wt_instance *wt_instantiate(wasm_engine_t *, const wasmtime_instance_pre_t *, uintptr_t handle, int64_t memory,
	int64_t counter, wt_outcome *);
wt_outcome wt_call(wt_instance *, size_t func_index, uint64_t *words, size_t params, size_t results, size_t need);
void wt_delete(wt_instance *);

#endif
